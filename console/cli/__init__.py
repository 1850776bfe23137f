"""The command line. Exit status: 0 done, 1 findings or failed rows, 2 could not run.

Commands are named by where they stand, so that each start imports only what it runs.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App

from leads_core.errors import LeadExplorerError

#: Command, where it stands (a function, or a noun's own App with its verbs), and its line in `leads --help`.
COMMANDS = (
    ("up", "console.cli.server:up", "Start everything: database, migrations, console and worker."),
    ("serve", "console.cli.server:serve", "Run the console alone."),
    ("worker", "console.cli.worker:worker", "Run a worker alone."),
    ("migrate", "console.cli.database:migrate", "Bring the database's schema up to this version."),
    ("user", "console.cli.accounts:user", "Add, list and disable users; give out sign-in links."),
    ("token", "console.cli.accounts:token", "Create, list and revoke API tokens."),
    ("import", "console.cli.leads:import_file", "Import leads from a file."),
    ("export", "console.cli.leads:export", "Write leads to stdout."),
    ("seed", "console.cli.leads:seed", "Make realistic leads to try things with."),
    ("audit", "console.cli.audit:audit", "Verify the trail, prove an entry, keep a checkpoint, export, erase."),
    ("bench", "console.cli.bench:bench", "Measure a running server against the 500 ms promise."),
    ("config", "console.cli.database:config", "Show every setting; secrets are masked."),
)


def installed_version() -> str:
    """The version of Lead Explorer, as its package says."""
    try:
        return version("lead-explorer")
    except PackageNotFoundError:
        return "0"


app = App(
    name="leads",
    help="Lead Explorer: leads by hand, every change audited.",
    version=installed_version,
    result_action="return_int_as_exit_code_else_zero",
)
for name, place, line in COMMANDS:
    app.command(place, name=name, help=line)


def main() -> int:
    """Run the command that was typed. An error of ours is one line on stderr, never a traceback."""
    try:
        return int(app() or 0)
    except LeadExplorerError as error:
        print(f"leads: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `leads export | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
