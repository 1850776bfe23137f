"""`leads audit checkpoint` and `leads audit keys`: what to keep elsewhere, and what it is verified with."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from console.cli.surroundings import open_database
from leads_core.audit.log import keys
from leads_core.audit.log.keeping import NotedCheckpoint, keep_checkpoint, newest_checkpoint
from leads_core.audit.log.starting import start_file as start
from leads_core.audit.record.entry import timestamp
from leads_core.audit.record.signed_note import BadNote, open_checkpoint
from leads_core.errors import Conflict
from leads_core.settings import Settings, load_settings

AsJson = Annotated[bool, Parameter("--json", negative="")]
StartFile = Annotated[bool, Parameter("--start-file", negative="")]


async def checkpoint(*, kept_at: str | None = None, start_file: StartFile = False, as_json: AsJson = False) -> None:
    """Print the newest checkpoint. Kept anywhere else (mail, git, paper) it proves a later rollback.

    Parameters
    ----------
    kept_at: where you keep it, such as "mail to the auditor": written into the trail.
    start_file: start this machine's checkpoint file from it, where the file is missing though others were signed.
    as_json: print it as one JSON object.
    """
    async with open_database() as (settings, database):
        if start_file:
            newest = await start(database, settings)
            print(f"{settings.checkpoint_file} starts with checkpoint {newest.number}.", file=sys.stderr)
        else:
            async with database.reader() as reader:
                newest = await newest_checkpoint(reader)
        _refuse_if_not_ours(newest, settings)
        place = None
        if kept_at is not None:
            place = (await keep_checkpoint(database, kept_at, number=newest.number)).place
            print(f"The trail says that checkpoint {newest.number} is kept: {place}", file=sys.stderr)
    sys.stdout.write(json.dumps(_facts(newest, place)) + "\n" if as_json else newest.note)


def public_keys(*, as_json: AsJson = False) -> None:
    """Print the public keys that this installation trusts, one a line, old ones too: who verifies needs them.

    Parameters
    ----------
    as_json: print them, with the log's name, as one JSON object.
    """
    settings = load_settings()
    name, trusted = keys.log_name(settings), [str(key) for key in keys.verifier_keys(settings)]
    if not trusted:
        raise Conflict("Nothing was signed yet, so there is no key: a worker makes it at its first checkpoint.")
    sys.stdout.write(
        json.dumps({"log_name": name, "public_keys": trusted}) + "\n" if as_json else "\n".join(trusted) + "\n"
    )


def _refuse_if_not_ours(newest: NotedCheckpoint, settings: Settings) -> None:
    try:
        open_checkpoint(newest.note, keys.verifier_keys(settings))
    except BadNote as error:
        raise Conflict(f"Checkpoint {newest.number} is not ours: {error}. Run `leads audit verify`.") from error


def _facts(newest: NotedCheckpoint, place: str | None) -> dict[str, Any]:
    return {
        "number": newest.number,
        "log_name": newest.log_name,
        "size": newest.size,
        "root": newest.root.hex(),
        "note": newest.note,
        "signed_at": timestamp(newest.signed_at),
        "kept_at": place,
    }
