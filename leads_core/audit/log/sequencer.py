"""Takes entries into the log and signs it, in this order: leaves committed, root signed, filed, noted in the database.

Only what is committed is ever signed, so a stop between any two steps leaves no contradiction. Any number of
sequencers may run, on any machines: one works at a time, each files checkpoints in a file of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from leads_core.audit.log import keys
from leads_core.audit.log.alarm import Alarm
from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.log.reconsidering import reconsider_rejected
from leads_core.audit.log.signing import SigningStopped, newest_of, sign_what_is_committed
from leads_core.audit.log.taking import take_pending
from leads_core.database import Database
from leads_core.errors import Misconfigured
from leads_core.settings import Settings

LOOK = """
    SELECT EXISTS (SELECT FROM audit_pending) AS is_waiting,
           coalesce((SELECT max(leaf_index) + 1 FROM audit_leaves), 0) AS size,
           EXISTS (SELECT FROM audit_checkpoints) AS was_signed,
           EXISTS (SELECT FROM audit_checkpoints WHERE size = $1 AND log_name = $2) AS is_noted
"""


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a run did: entries taken into the log, entries rejected, the newest checkpoint it noted, if any."""

    taken: int
    rejected: int
    checkpoint_number: int | None


class Sequencer:
    """Run it every second. While signing cannot go on an alarm stands; entries are still taken."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._file = CheckpointFile(settings.checkpoint_file)
        self._alarm = Alarm(database, self._file.path)
        self._has_reconsidered = False

    async def run_once(self) -> Sequenced:
        """Take everything that is pending and sign it. Raises Unavailable when the database does not answer."""
        if not self._has_reconsidered:
            await reconsider_rejected(self._database, self._settings.mac_keys)
            self._has_reconsidered = True
        taken = rejected = 0
        number = None
        goes_on = True
        while goes_on:
            is_waiting, is_signed = await self._look()
            goes_on = False
            if is_waiting:
                batch = await take_pending(self._database, self._settings.mac_keys)
                taken, rejected, goes_on = taken + batch.taken, rejected + batch.rejected, batch.is_full
                is_signed = False
            number = (None if is_signed else await self._sign()) or number
        return Sequenced(taken, rejected, number)

    async def _look(self) -> tuple[bool, bool]:
        """Whether entries wait, and whether all others are signed. The file is read first: it is never behind."""
        try:
            filed = newest_of(self._file)
            newest = filed.checkpoint if filed else None
            name = keys.log_name(self._settings)
        except (SigningStopped, Misconfigured):
            newest, name = None, None
        async with self._database.reader() as reader:
            row = await reader.fetchrow(LOOK, newest.size if newest else -1, newest.log_name if newest else "")
        if newest is None:
            is_signed = name is not None and row["size"] == 0 and not row["was_signed"]
        else:
            is_signed = (newest.log_name, newest.size) == (name, row["size"]) and row["is_noted"]
        if is_signed:
            await self._alarm.end()
        return row["is_waiting"], is_signed

    async def _sign(self) -> int | None:
        try:
            number = await sign_what_is_committed(self._database, self._settings, self._file)
        except (SigningStopped, Misconfigured) as error:
            await self._alarm.sound(str(error))
            return None
        await self._alarm.end()
        return number
