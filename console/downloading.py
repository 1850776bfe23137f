"""A file on its way to a client, with its export recorded: also when the client hangs up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from leads_core.audit.export_entries import RecordedExport


class RecordedDownload(StreamingResponse):
    """Sends the pieces of an export that has begun, and writes its end. rows says how many were written so far."""

    def __init__(
        self,
        export: RecordedExport,
        pieces: AsyncIterator[bytes],
        rows: Callable[[], int],
        *,
        name: str,
        media_type: str,
    ) -> None:
        self._export = export
        self._recorded = export.recorded(pieces, rows)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        super().__init__(self._recorded, headers=headers, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette cancels the sending when the client hangs up; the end is written after that."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._recorded.aclose()
            await self._export.end(complete=False)
