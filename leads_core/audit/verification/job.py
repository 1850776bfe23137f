"""The verification of everything as a job: each night, and when somebody asks.

It hashes for minutes, so it runs in a process of its own; the worker only waits for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import text

from leads_core.audit.verification.keeping import request_verification
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import JobState
from leads_core.jobs.queue import JobRead

log = structlog.get_logger(__name__)

#: Old enough to be done again at night, and old enough not to wait for the night.
NIGHTLY_AFTER = timedelta(hours=20)
AT_ANY_HOUR_AFTER = timedelta(hours=26)
NIGHT = range(2, 5)

#: When one last began or was asked for, by ix_jobs_kind_id; and whether there is anything to hold the log against.
_LAST = text("""
    SELECT greatest((SELECT started_at FROM audit_verifications ORDER BY id DESC LIMIT 1),
                    (SELECT created_at FROM jobs WHERE kind = 'verification' ORDER BY id DESC LIMIT 1)) AS last,
           EXISTS (SELECT FROM audit_checkpoints) AS is_signed, now() AS now
""")
_SUMMARY = ("ok", "entries", "leads", "leaves", "checkpoints")


class VerificationHandler:
    """Runs the command, which keeps its result itself, and ends the job with a summary of it.

    command is `leads audit verify --json --record` with the Python to run it; environment is all that it gets.
    """

    def __init__(self, database: Database, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._database = database
        self._command = command
        self._environment = environment

    async def run(self, job: JobRead) -> None:
        """Verify. Findings are a result, not a failure of the job; a trail that could not be verified is one."""
        status, output, errors = await self._run_command()
        if status in {0, 1}:
            found = json.loads(output)
            result = {**{name: found[name] for name in _SUMMARY}, "findings": len(found["findings"])}
            if not found["ok"]:
                log.error("audit_findings", findings=result["findings"], job_id=str(job.id))
            await self._end(job, JobState.COMPLETED, result=result)
        else:
            await self.give_up(job, errors.strip().rpartition("\n")[2] or "The verification broke off.")

    async def give_up(self, job: JobRead, reason: str) -> None:
        """The trail could not be verified."""
        log.error("audit_not_verified", reason=reason, job_id=str(job.id))
        await self._end(job, JobState.FAILED, error=reason)

    async def _run_command(self) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        try:
            output, errors = await process.communicate()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return process.returncode or 0, output.decode(), errors.decode(errors="replace")

    async def _end(
        self, job: JobRead, state: JobState, *, error: str | None = None, result: Mapping[str, Any] | None = None
    ) -> None:
        async with self._database.transaction() as session:
            await queue.finish(session, job.id, state, error=error, result=result)


async def request_when_due(database: Database, clock: datetime | None = None) -> bool:
    """Ask for a verification if the last one is old enough, in the current context's name. Gives whether it did.

    clock is the local time, for tests. Before the first checkpoint there is nothing to verify against.
    """
    async with database.transaction() as session:
        last, is_signed, now = (await session.execute(_LAST)).one()
        if not is_signed or not is_due(last, clock or now.astimezone()):
            return False
        await request_verification(session)
        return True


def is_due(last: datetime | None, now: datetime) -> bool:
    """Whether to verify now, a time in the local zone, when that was last begun at `last`."""
    if last is None:
        return True
    age = now - last
    return age > AT_ANY_HOUR_AFTER or (age > NIGHTLY_AFTER and now.hour in NIGHT)
