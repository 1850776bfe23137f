"""The trail as a file on its way out: what the page's Export and the API's answer share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.responses import Response

from console.downloading import RecordedDownload
from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.export_entries import RecordedExport
from leads_core.audit.exporting import Exported, complete_export, filtered_export
from leads_core.audit.log.keys import log_name
from leads_core.audit.searching import pages_of_ids
from leads_core.database import Database
from leads_core.settings import Settings

MEDIA_TYPE = "application/x-ndjson"


async def trail_download(database: Database, settings: Settings, wanted: EntryFilter) -> Response:
    """JSON Lines that `leads audit verify --from-export` reads: everything with its log, or the entries of a filter.

    The trail says who took it, with which filter, how many entries, and the SHA-256 of the file.
    """
    name, exported = log_name(settings), Exported()
    pieces: AsyncIterator[bytes]
    if wanted.is_everything:
        pieces = complete_export(database, name, exported)
    else:
        pieces = filtered_export(database, name, _as_object(wanted), pages_of_ids(database, wanted), exported)
    recorded = RecordedExport(database, "audit", as_format="jsonl", wanted=wanted.canonical())
    await recorded.begin()
    part = "" if wanted.is_everything else "-filtered"
    return RecordedDownload(
        recorded,
        pieces,
        lambda: exported.entries,
        name=f"audit{part}-{datetime.now(UTC):%Y-%m-%d}.jsonl",
        media_type=MEDIA_TYPE,
    )


def _as_object(wanted: EntryFilter) -> dict[str, list[str]]:
    """The filter as the file's header repeats it: parameter -> values."""
    found: dict[str, list[str]] = {}
    for name, value in wanted.as_query():
        found.setdefault(name, []).append(value)
    return found
