"""Start the file of checkpoints on a machine that has none, though others were signed before."""

from __future__ import annotations

from leads_core.audit.log import keys
from leads_core.audit.log.checkpoint_file import CheckpointFile, FiledCheckpoint
from leads_core.audit.log.keeping import NotedCheckpoint, newest_checkpoint
from leads_core.audit.log.locking import lock_the_log
from leads_core.audit.log.signing import file_away, newest_of, stands
from leads_core.audit.log.tree import size_of_log
from leads_core.audit.record.signed_note import BadNote, open_checkpoint
from leads_core.database import Database
from leads_core.errors import Conflict
from leads_core.settings import Settings


async def start_file(database: Database, settings: Settings) -> NotedCheckpoint:
    """Make the database's newest checkpoint the file's first, so that signing goes on from it.

    Raises Conflict when the file holds checkpoints already, or when that checkpoint is not signed by a key of ours or
    is none of this log; NotFound when nothing was ever signed (then signing starts the file by itself).
    """
    file = CheckpointFile(settings.checkpoint_file)
    async with database.transaction() as session:
        connection = await lock_the_log(session)
        if newest_of(file) is not None:
            raise Conflict(f"{file.path} holds checkpoints already: signing goes on from its last line.")
        newest = await newest_checkpoint(connection)
        try:
            checkpoint, _ = open_checkpoint(newest.note, keys.verifier_keys(settings))
        except BadNote as error:
            raise Conflict(
                f"Checkpoint {newest.number} in the database is not ours: {error}. If this machine is new, give it the "
                "old one's keys: DATA_DIR/keys, or AUDIT_PUBLIC_KEYS and AUDIT_LOG_NAME."
            ) from error
        if not await stands(connection, checkpoint, await size_of_log(connection)):
            raise Conflict(f"Checkpoint {newest.number} is none of this log: run `leads audit verify`.")
        file_away(file, FiledCheckpoint(newest.signed_at, newest.note))
    return newest
