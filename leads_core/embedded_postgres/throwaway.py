"""A server for one test run: started by the run's first process, found by the others, gone at the end."""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path

from leads_core.embedded_postgres.places import find_places
from leads_core.embedded_postgres.processes import clear_stale_server
from leads_core.embedded_postgres.server import EmbeddedPostgres, remove_server

#: How the processes of one run find the server that the first of them started.
VARIABLE = "LEADS_TEST_SERVER"


def server_for_tests(folder: Path = Path(".leads/test")) -> str:
    """An owner's address of a server on which tests may make and drop databases and roles.

    With DATABASE_OWNER_URL or DATABASE_URL set it is that one. Else call it first in pytest_configure, which runs in
    the main process before pytest-xdist starts its own: they inherit the address by an environment variable. The
    server keeps nothing safe (fsync off), ends with the process that started it, even by kill -9, and its files with
    it, or at the next run. Two runs at once have a server each.
    """
    given = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL") or os.environ.get(VARIABLE)
    if given:
        return given
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _sweep(folder)
        server = EmbeddedPostgres(folder / secrets.token_hex(4), throwaway=True).start()
    os.environ[VARIABLE] = server.owner_url
    atexit.register(_remove, server, os.getpid())
    return server.owner_url


def _sweep(folder: Path) -> None:
    """Remove what killed runs left behind."""
    for left in [path for path in folder.iterdir() if path.is_dir()]:
        places = find_places(left)
        if places is None:
            continue
        with suppress(OSError), places.lock.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            clear_stale_server(places.cluster)
            remove_server(places)


def _remove(server: EmbeddedPostgres, process: int) -> None:
    if os.getpid() == process:  # not in a fork of the one that started it
        server.remove()
