"""`leads audit reopen`: after an honest restore from a backup, so that verify does not cry wolf ever after."""

from __future__ import annotations

import json
import sys
from typing import Annotated

from cyclopts import Parameter

from console.cli.surroundings import open_database
from leads_core.audit.log.reopening import Reopened
from leads_core.audit.log.reopening import reopen as reopen_log

AsJson = Annotated[bool, Parameter("--json", negative="")]


async def reopen(*, reason: str, log_name: str | None = None, as_json: AsJson = False) -> None:
    """Give up the checkpoints that a restored backup does not hold; the log goes on under a new name.

    Run it on the machine whose worker signs. The entry it writes names what was given up, who did it and why; verify
    shows that as a warning from then on.

    Parameters
    ----------
    reason: why, for the trail: "restored the dump of last night".
    log_name: the log's new name; needed where AUDIT_LOG_NAME is set, else made.
    as_json: print the result as one JSON object.
    """
    async with open_database() as (settings, database):
        done = await reopen_log(database, settings, reason, new_name=log_name)
    sys.stdout.write(json.dumps(_facts(done)) + "\n" if as_json else _in_words(done))


def _in_words(done: Reopened) -> str:
    lines = [
        f"Given up: {head.filed.checkpoint.log_name} from {head.kept_size} to {head.filed.checkpoint.size} entries."
        for head in done.abandoned
    ]
    lines.append(f"The log is called {done.log_name} now.")
    if done.settings_to_change:
        lines.append("Change these settings and restart console and worker; signing goes on then:")
        lines += [f"  {name}={value}" for name, value in done.settings_to_change.items()]
    lines += [f"Its public key, for whoever verifies: {key}" for key in done.public_keys]
    return "".join(f"{line}\n" for line in lines)


def _facts(done: Reopened) -> dict[str, object]:
    return {
        "log_name": done.log_name,
        "entries": [str(entry_id) for entry_id in done.entry_ids],
        "abandoned": [
            {
                "log_name": head.filed.checkpoint.log_name,
                "size": head.filed.checkpoint.size,
                "root": head.filed.checkpoint.root.hex(),
                "kept_size": head.kept_size,
            }
            for head in done.abandoned
        ],
        "public_keys": [str(key) for key in done.public_keys],
        "settings_to_change": done.settings_to_change,
    }
