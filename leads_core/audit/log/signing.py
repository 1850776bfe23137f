"""The sequencer's second step: what is committed is signed, filed outside the database, and only then noted inside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from leads_core.audit.log import keys
from leads_core.audit.log.checkpoint_file import CheckpointFile, FiledCheckpoint
from leads_core.audit.log.locking import lock_the_log
from leads_core.audit.log.reopened import is_reopened
from leads_core.audit.log.tree import BrokenLog, GrowingTree, grown_to, size_of_log, tree_at
from leads_core.audit.record.signed_note import (
    BadNote,
    Checkpoint,
    SigningKey,
    VerifierKey,
    open_checkpoint,
    sign,
)
from leads_core.audit.trail import now
from leads_core.database import Database
from leads_core.errors import LeadExplorerError
from leads_core.settings import Settings

ANY_ROW = "SELECT EXISTS (SELECT FROM audit_checkpoints)"
ADD_ROW = """
    INSERT INTO audit_checkpoints (number, log_name, size, root, note, signed_at)
    SELECT (SELECT coalesce(max(number), 0) + 1 FROM audit_checkpoints), $1, $2, $3, $4, $5
    WHERE NOT EXISTS (SELECT FROM audit_checkpoints WHERE size = $2 AND log_name = $1) RETURNING number
"""


class SigningStopped(LeadExplorerError):
    """No checkpoint is signed until somebody acts. The message says why and what to do."""


async def sign_what_is_committed(database: Database, settings: Settings, file: CheckpointFile) -> int | None:
    """Sign the log as it stands, if its newest checkpoint does not cover it yet. Gives the new row's number.

    Raises SigningStopped or Misconfigured when it must not, or cannot.
    """
    async with database.transaction() as session:
        connection = await lock_the_log(session)
        name = keys.log_name(settings)
        filed = newest_of(file)
        size = await size_of_log(connection)
        signers: Sequence[VerifierKey] = ()
        tree = GrowingTree(0, [])
        number = None
        if filed is None:
            if await connection.fetchval(ANY_ROW):
                raise SigningStopped(
                    f"{file.path} is missing or empty, but checkpoints were signed before: put the file back, or run "
                    "`leads audit checkpoint --start-file` on this machine."
                )
        else:
            signers, tree = await _check_predecessor(connection, settings, filed, size, name)
            if filed.checkpoint.log_name == name:
                number = await note_in_database(connection, filed)
        if size == 0 or (filed and (filed.checkpoint.log_name, filed.checkpoint.size) == (name, size)):
            return number
        try:
            checkpoint = Checkpoint(name, size, (await grown_to(connection, tree, size)).root())
        except BrokenLog as error:
            raise SigningStopped(f"{error}: somebody changed the log. Run `leads audit verify`.") from error
        note = sign(checkpoint, _due(keys.signing_keys(settings), signers))
        new = FiledCheckpoint(now(), note)
        await asyncio.to_thread(file_away, file, new)
        return await note_in_database(connection, new)


def newest_of(file: CheckpointFile) -> FiledCheckpoint | None:
    """The file's newest checkpoint. Raises SigningStopped when there is something else in its place."""
    try:
        filed = file.newest()
    except OSError as error:
        raise SigningStopped(f"{file.path} cannot be read: {error.strerror}.") from error
    if filed is not None and filed.problem is not None:
        raise SigningStopped(f"The last line of {file.path} is not as it was written: {filed.problem}.")
    return filed


def file_away(file: CheckpointFile, filed: FiledCheckpoint) -> None:
    """Append a checkpoint to the file. Raises SigningStopped when it cannot be written; then the file is as before."""
    try:
        file.append(_time_of(filed), filed.note)
    except OSError as error:
        raise SigningStopped(f"{file.path} cannot be written: {error.strerror}.") from error


async def stands(connection: asyncpg.Connection, checkpoint: Checkpoint, size: int) -> bool:
    """Whether the log, which has size leaves, is still the one that was signed, or has grown out of it."""
    return await _signed_tree(connection, checkpoint, size) is not None


async def note_in_database(connection: asyncpg.Connection, filed: FiledCheckpoint) -> int | None:
    """Insert the row of a filed checkpoint unless it is there: none is after a crash. Gives its number."""
    said = filed.checkpoint
    row = (said.log_name, said.size, said.root, filed.note, _time_of(filed))
    number: int | None = await connection.fetchval(ADD_ROW, *row)
    return number


async def _check_predecessor(
    connection: asyncpg.Connection, settings: Settings, filed: FiledCheckpoint, size: int, name: str
) -> tuple[Sequence[VerifierKey], GrowingTree]:
    """Who signed the file's newest checkpoint of this log, and its tree.

    Raises SigningStopped unless the log has grown out of it, or was reopened since.
    """
    try:
        checkpoint, signers = open_checkpoint(filed.note, keys.verifier_keys(settings))
    except BadNote as error:
        raise SigningStopped(f"The newest checkpoint in {settings.checkpoint_file} is not ours: {error}.") from error
    if checkpoint.log_name != name:
        if await is_reopened(connection, settings.mac_keys, checkpoint, name):
            return (), GrowingTree(0, [])
        raise SigningStopped(
            f"The newest checkpoint in {settings.checkpoint_file} is of the log {checkpoint.log_name}, but this one is "
            f"called {name}: set AUDIT_LOG_NAME back, or AUDIT_CHECKPOINT_FILE to this log's own file."
        )
    tree = await _signed_tree(connection, checkpoint, size)
    if tree is None:
        raise SigningStopped(_what_happened(checkpoint, size))
    return signers, tree


async def _signed_tree(connection: asyncpg.Connection, checkpoint: Checkpoint, size: int) -> GrowingTree | None:
    if checkpoint.size > size:
        return None
    try:
        tree = await tree_at(connection, checkpoint.size)
    except BrokenLog:
        return None
    return tree if tree.root() == checkpoint.root else None


def _what_happened(checkpoint: Checkpoint, size: int) -> str:
    what = (
        f"the log has {size} entries, but {checkpoint.size} were signed"
        if size < checkpoint.size
        else f"the first {checkpoint.size} entries of the log are not those that were signed"
    )
    return (
        f"Rolled back or rewritten: {what}. If a backup was restored, run `leads audit reopen --reason ...` on this "
        "machine; if not, somebody changed the trail: run `leads audit verify`."
    )


def _due(signing: Sequence[SigningKey], signers: Sequence[VerifierKey]) -> Sequence[SigningKey]:
    """The first key alone, once a checkpoint bears its signature; until then all that are given."""
    return signing[:1] if signing[0].verifier in signers else signing


def _time_of(filed: FiledCheckpoint) -> datetime:
    assert filed.at is not None  # noqa: S101 - newest_of() lets nothing else through
    return filed.at
