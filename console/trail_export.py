"""The trail as a file on its way out: what the page's Export and the API's answer share."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response

from console.downloading import RecordedDownload
from leads_core.audit.entry_filter import EntryFilter
from leads_core.audit.export_entries import RecordedExport
from leads_core.audit.exporting import Exported, export
from leads_core.audit.log.keys import log_name
from leads_core.database import Database
from leads_core.settings import Settings

MEDIA_TYPE = "application/x-ndjson"


async def trail_download(database: Database, settings: Settings, wanted: EntryFilter) -> Response:
    """JSON Lines that `leads audit verify --from-export` reads: everything with its log, or the entries of a filter.

    The trail says who took it, with which filter, how many entries, and the SHA-256 of the file.
    """
    exported = Exported()
    pieces = export(database, log_name(settings), wanted, exported)
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
