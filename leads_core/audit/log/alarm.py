"""Why signing stands still, for whoever watches: a line in the log and the one row of audit_signing."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import structlog
from sqlalchemy import text

from leads_core.database import Database

log = structlog.get_logger(__name__)

#: A sequencer repeats no more often than this that nothing has changed, in seconds.
REPEATS_AFTER = 10.0

SOUND = text("""
    INSERT INTO audit_signing (alarm, alarmed_by, alarmed_at, confirmed_at, looked_at)
    VALUES (:alarm, :signer, now(), now(), now())
    ON CONFLICT (one) DO UPDATE SET
        alarm = excluded.alarm, alarmed_by = excluded.alarmed_by, confirmed_at = now(), looked_at = now(),
        alarmed_at = CASE WHEN audit_signing.alarm IS NULL THEN now() ELSE audit_signing.alarmed_at END
""")
# An alarm is for its own signer to end, and for anybody once that one has not confirmed it for a minute.
END = text("""
    UPDATE audit_signing SET alarm = NULL, alarmed_by = NULL, alarmed_at = NULL, confirmed_at = NULL
    WHERE alarm IS NOT NULL AND (alarmed_by = :signer OR confirmed_at < now() - interval '1 minute')
""")
LOOKED = text("""
    INSERT INTO audit_signing (looked_at) VALUES (now())
    ON CONFLICT (one) DO UPDATE SET looked_at = now()
    WHERE audit_signing.looked_at IS NULL OR audit_signing.looked_at < now() - interval '5 seconds'
""")


class Alarm:
    """The alarm of one signer: this machine, with this file."""

    def __init__(self, database: Database, file: Path) -> None:
        self._database = database
        self._signer = f"{socket.gethostname()}:{file.absolute()}"
        self._standing: str | None = None
        self._told = float("-inf")

    async def sound(self, why: str) -> None:
        """Signing stands still. Said once in the log, and in the database for as long as it lasts."""
        if why != self._standing:
            log.error("audit_signing_stopped", alarm=why)
        elif self._was_told_lately():
            return
        async with self._database.transaction() as session:
            await session.execute(SOUND, {"alarm": why, "signer": self._signer})
        self._standing, self._told = why, time.monotonic()

    async def end(self) -> None:
        """All is well."""
        if self._standing is not None:
            log.info("audit_signing_goes_on")
        elif self._was_told_lately():
            return
        async with self._database.transaction() as session:
            await session.execute(END, {"signer": self._signer})
            await session.execute(LOOKED)
        self._standing, self._told = None, time.monotonic()

    def _was_told_lately(self) -> bool:
        return time.monotonic() - self._told < REPEATS_AFTER
