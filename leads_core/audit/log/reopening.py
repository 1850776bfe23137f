"""Reopen the log after an honest restore from a backup: give up what was signed and is gone, in an entry that says so.

The tree goes on from what stands; the log gets another name, so that no checkpoint of the old one can be taken for one
of the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from leads_core.audit import trail
from leads_core.audit.log import keys
from leads_core.audit.log.checkpoint_file import CheckpointFile, FiledCheckpoint
from leads_core.audit.log.locking import lock_the_log
from leads_core.audit.log.reopened import is_reopened
from leads_core.audit.log.signing import newest_of, stands
from leads_core.audit.log.tree import size_of_log
from leads_core.audit.models import Action, SubjectKind
from leads_core.audit.record.signed_note import KEY_NAME, BadNote, VerifierKey, open_checkpoint
from leads_core.database import Database
from leads_core.errors import Conflict, Invalid
from leads_core.settings import Settings, publish

LONGEST_REASON = 500

_PART_OF = dict.fromkeys(
    (
        "abandoned_log_name",
        "abandoned_size",
        "abandoned_root",
        "abandoned_note",
        "kept_size",
        "log_name",
        "reason",
    ),
    "data",
)


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The head of a log that is given up, and how many of its entries are known to stand still."""

    filed: FiledCheckpoint
    kept_size: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """What was done. settings_to_change: what only the operator can set, variable -> new value; else it is done."""

    entry_ids: tuple[UUID, ...]
    abandoned: tuple[Abandoned, ...]
    log_name: str
    public_keys: tuple[VerifierKey, ...]
    settings_to_change: dict[str, str]


async def reopen(database: Database, settings: Settings, reason: str, *, new_name: str | None = None) -> Reopened:
    """Give up the checkpoints in this machine's file that the log does not hold any more; it goes on as new_name.

    Raises Conflict when there is nothing to give up, Invalid for a reason or a name that cannot be taken, and
    SigningStopped when the file cannot be read.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= LONGEST_REASON or "\0" in reason:
        raise Invalid.of("reason", f"Say in 1 to {LONGEST_REASON} characters why, such as: restored last night's dump.")
    file = CheckpointFile(settings.checkpoint_file)
    newest = newest_of(file)
    if newest is None:
        raise Conflict(f"{file.path} holds no checkpoint: there is nothing that a log here could have lost.")
    signers = _signers(settings, newest)
    filed = [line for line in file if line.problem is None]
    name = _free_name(settings, new_name, {line.checkpoint.log_name for line in filed})
    async with database.transaction() as session:
        connection = await lock_the_log(session)
        abandoned = await _what_is_lost(connection, settings.mac_keys, filed)
        if not abandoned:
            raise Conflict("There is nothing to give up: the log holds every checkpoint that was signed here.")
        entry_ids = [
            await trail.append(
                session,
                Action.REOPEN,
                None,
                seq=None,
                before=None,
                after=_said(head, name, reason),
                at=trail.now(),
                kind=SubjectKind.LOG,
                part_of=_PART_OF,
            )
            for head in abandoned
        ]
    public_keys = tuple(VerifierKey(name, key.public) for key in signers)
    to_change = _rename(settings, name, public_keys)
    return Reopened(tuple(entry_ids), tuple(abandoned), name, public_keys, to_change)


def _signers(settings: Settings, newest: FiledCheckpoint) -> Sequence[VerifierKey]:
    try:
        return open_checkpoint(newest.note, keys.verifier_keys(settings))[1]
    except BadNote as error:
        raise Conflict(f"The newest checkpoint in {settings.checkpoint_file} is not ours: {error}.") from error


def _free_name(settings: Settings, wanted: str | None, taken: set[str]) -> str:
    if wanted is None and settings.audit_log_name is not None:
        raise Invalid.of("log-name", "AUDIT_LOG_NAME is set, so give the log's new name yourself: --log-name NAME.")
    name = wanted or keys.new_log_name()
    if KEY_NAME.fullmatch(name) is None:
        raise Invalid.of("log-name", "A log's name has no spaces and no plus signs, like crm.example.com/audit-2.")
    if name in taken:
        raise Invalid.of("log-name", f"{name} was this log's name before: choose one that is new.")
    return name


async def _what_is_lost(
    connection: asyncpg.Connection, mac_keys: Sequence[bytes], filed: Sequence[FiledCheckpoint]
) -> list[Abandoned]:
    """Of each name in the file, its head, if that is no part of the tree and no entry gave it up yet."""
    size = await size_of_log(connection)
    lost = []
    for name in dict.fromkeys(line.checkpoint.log_name for line in filed):
        lines = [line for line in filed if line.checkpoint.log_name == name]
        head = lines[-1]
        if not await stands(connection, head.checkpoint, size) and not await is_reopened(
            connection, mac_keys, head.checkpoint
        ):
            lost.append(Abandoned(head, await _kept_size(connection, lines, size)))
    return lost


async def _kept_size(connection: asyncpg.Connection, lines: Sequence[FiledCheckpoint], size: int) -> int:
    """The size of the newest of these checkpoints that stands; where one does, so do all before it."""
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high) // 2
        if await stands(connection, lines[middle].checkpoint, size):
            low = middle + 1
        else:
            high = middle
    return lines[low - 1].checkpoint.size if low else 0


def _said(abandoned: Abandoned, name: str, reason: str) -> dict[str, object]:
    head = abandoned.filed.checkpoint
    return {
        "abandoned_log_name": head.log_name,
        "abandoned_size": head.size,
        "abandoned_root": head.root.hex(),
        "abandoned_note": abandoned.filed.note,
        "kept_size": abandoned.kept_size,
        "log_name": name,
        "reason": reason,
    }


def _rename(settings: Settings, name: str, public_keys: Sequence[VerifierKey]) -> dict[str, str]:
    """Give the log its new name, as far as it is not set from outside."""
    to_change = {}
    if settings.audit_public_keys:
        to_change["AUDIT_PUBLIC_KEYS"] = " ".join((*settings.audit_public_keys, *map(str, public_keys)))
    else:
        keys.list_keys(settings, public_keys)
    if settings.audit_log_name is not None:
        to_change["AUDIT_LOG_NAME"] = name
    else:
        publish(keys.name_file(settings), name, over=True)
    return to_change
