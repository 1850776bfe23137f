"""What left the house for a lead as CSV: what is shown beside it, whole, and safe from being run as formulas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from leads_core.audit.record.entry import timestamp
from leads_core.database import Database
from leads_core.enrichment.outgoing_requests import OutgoingRequestRead, requests_of
from leads_core.transfer.exporting import MARK, csv_lines

PAGE = 500
COLUMNS = ("requested_at", "provider", "host", "url", "address", "status", "bytes", "error", "task_id", "id")


class RequestsExport:
    """The newest first, in pieces. rows says how many were written so far."""

    def __init__(self, database: Database, lead_id: UUID) -> None:
        self._database = database
        self._lead_id = lead_id
        self.rows = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """The head, then a page of rows each. Whoever sends them away records it (RecordedExport)."""
        yield (MARK + csv_lines([COLUMNS])).encode()
        before: UUID | None = None
        while page := await self._page(before):
            self.rows += len(page)
            yield csv_lines([[_cell(getattr(one, name)) for name in COLUMNS] for one in page]).encode()
            before = page[-1].id

    async def _page(self, before: UUID | None) -> list[OutgoingRequestRead]:
        async with self._database.transaction() as session:
            return await requests_of(session, self._lead_id, before=before, limit=PAGE)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return timestamp(value) if hasattr(value, "isoformat") else str(value)
