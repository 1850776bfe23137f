"""The launcher: first start, next start, stop, and finding a server that another process has started."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from leads_core.embedded_postgres.cluster import (
    APP,
    DATABASE,
    OWNER,
    last_line,
    make_cluster,
    make_roles,
    refuse_other_major,
)
from leads_core.embedded_postgres.places import (
    Account,
    Places,
    find_places,
    make_places,
    password,
    programs,
    write_private,
)
from leads_core.embedded_postgres.processes import clear_stale_server, die_with_parent, is_ready
from leads_core.errors import Unavailable

TUNING = ("timezone=UTC", "log_timezone=UTC", "shared_buffers=256MB", "max_wal_size=2GB", "random_page_cost=1.1")
#: For tests: a crash of the machine may cost everything, which is thrown away at the end anyway.
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")
#: Seconds until PostgreSQL takes connections; long, because a big database recovers from a crash first.
PATIENCE = 600.0
#: Seconds for an orderly stop; then it is stopped hard, and recovers at the next start.
GRACE = 2.0
LARGEST_LOG = 5_000_000


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a server is reached, over its socket: as the app (leads_app) and as the owner (migrations)."""

    url: str
    owner_url: str


class EmbeddedPostgres:
    """The server of one data folder. Also a context manager.

    Start it from the main thread: the server ends with the thread that started it, even when that is killed.
    """

    def __init__(self, data_dir: Path, *, throwaway: bool = False) -> None:
        self.data_dir = data_dir
        self._throwaway = throwaway
        self._places: Places | None = None
        self._account: Account | None = None
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The app's address: role leads_app, database leads."""
        return self._addresses.url

    @property
    def owner_url(self) -> str:
        """The owner's address, for migrations: a superuser of this server."""
        return self._addresses.owner_url

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Bring the server up and wait until it takes connections: about 0.4 s at first, then 0.1 s.

        Raises Unavailable, in words: another process has it already, its folder is not ours, another version made it.
        """
        self._places, self._account = make_places(self.data_dir)
        self._lock = _take_lock(self._places)
        try:
            self._bring_up(self._places)
        except BaseException:
            self.stop()
            raise
        return self

    def revive(self) -> bool:
        """Start the server again, at the same address, if it has died. True when it had."""
        if self.is_alive or self._places is None:
            return False
        self._bring_up(self._places)
        return True

    def stop(self) -> None:
        """Stop the server: orderly, or hard after a few seconds. Harmless when it does not run."""
        places, process = self._places, self._process
        if places is not None and self._lock is not None:
            places.port_file.unlink(missing_ok=True)
            if process is not None:
                _end(process)
            with suppress(OSError):
                places.sockets.rmdir()
        if self._lock is not None:
            self._lock.close()
        self._lock = self._process = None

    def remove(self) -> None:
        """Stop the server and remove everything it wrote. For tests."""
        self.stop()
        if self._places is not None:
            remove_server(self._places)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _addresses(self) -> Addresses:
        if self._places is None or self._process is None:
            raise Unavailable("The embedded PostgreSQL has not been started.")
        return _addresses(self._places, self._port)

    def _bring_up(self, places: Places) -> None:
        folder = programs(self._account)
        if not places.cluster.exists():
            make_cluster(places, self._account, folder, safely=not self._throwaway)
        refuse_other_major(places, folder)
        try:
            clear_stale_server(places.cluster)
        except TimeoutError as error:
            raise Unavailable(str(error)) from error
        for left in places.sockets.iterdir():  # a killed server's; PostgreSQL stumbles over the pid in its lock file
            left.unlink()
        for _ in range(5):
            self._port = self._port or _free_port()
            if self._launch(places, folder):
                break
            self._port = 0  # somebody took it meanwhile
        else:
            raise Unavailable(f"PostgreSQL finds no free port on 127.0.0.1. Its log is {places.log}.")
        make_roles(places, folder, self._port)
        _write_port(places, self._port)

    def _launch(self, places: Places, folder: Path) -> bool:
        """Start and wait. False when the port is taken; Unavailable when it ends for another reason."""
        settings = [*TUNING, *(THROWAWAY if self._throwaway else ())]
        command = [str(folder / "postgres"), "-D", str(places.cluster), "-k", str(places.sockets), "-h", "127.0.0.1"]
        command += ["-p", str(self._port), *(word for setting in settings for word in ("-c", setting))]
        with _open_log(places) as log:
            begin = log.tell()
            process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own program
                command,
                cwd=places.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # else Ctrl-C in the terminal ends it before the console has finished
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - it only calls prctl
                **(self._account.options if self._account else {}),
            )
        self._process = process
        end = time.monotonic() + PATIENCE
        while not is_ready(places.cluster, process.pid):
            if process.poll() is not None or time.monotonic() > end:
                return _explain(places.log.read_bytes()[begin:], places)
            time.sleep(0.01)
        return True


def running(data_dir: Path) -> Addresses | None:
    """The addresses of the server that another process runs for this folder, or None."""
    places = find_places(data_dir)
    if places is None:
        return None
    try:
        port = int(places.port_file.read_text())
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(places.sockets / f".s.PGSQL.{port}"))
    except PermissionError as error:
        raise Unavailable(f"The database of {places.data_dir} belongs to another user: {error.filename}.") from error
    except (OSError, ValueError):
        return None
    return _addresses(places, port)


@contextmanager
def served(data_dir: Path) -> Iterator[Addresses]:
    """The running server's addresses; where none runs, one is started for the length of the block."""
    found = running(data_dir)
    if found is not None:
        yield found
        return
    with EmbeddedPostgres(data_dir) as server:
        yield Addresses(server.url, server.owner_url)


def remove_server(places: Places) -> None:
    """Remove the files of a stopped server."""
    if places.in_system_folder:
        shutil.rmtree(places.home, ignore_errors=True)
    shutil.rmtree(places.data_dir, ignore_errors=True)
    shutil.rmtree(places.sockets, ignore_errors=True)


def _take_lock(places: Places) -> IO[bytes]:
    """Whoever holds it owns the server; the system lets it go when its holder ends, however it ends."""
    lock = places.lock.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Unavailable(f"Lead Explorer is already running on {places.data_dir}. Stop it first.") from None
    return lock


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open_log(places: Places) -> IO[bytes]:
    if places.log.exists() and places.log.stat().st_size > LARGEST_LOG:
        places.log.replace(places.log.with_suffix(".log.1"))
    log = os.fdopen(os.open(places.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    if os.geteuid() == 0:  # so that the folder's owner, when that is not root, can go on with it
        owner = places.data_dir.stat()
        os.fchown(log.fileno(), owner.st_uid, owner.st_gid)
    return log


def _explain(written: bytes, places: Places) -> bool:
    """False for a taken port. Everything else is an error with PostgreSQL's own last words."""
    if b"Address already in use" in written:
        return False
    fatal = [line for line in written.splitlines() if b"FATAL" in line or b"PANIC" in line]
    said = last_line(b"\n".join(fatal) or written)
    raise Unavailable(f"PostgreSQL does not start: {said} (its log is {places.log})")


def _write_port(places: Places, port: int) -> None:
    draft = places.port_file.with_suffix(".port.new")
    draft.unlink(missing_ok=True)
    write_private(draft, str(port))
    draft.replace(places.port_file)


def _addresses(places: Places, port: int) -> Addresses:
    def address(role: str) -> str:
        return f"postgresql://{role}:{password(places, role)}@/{DATABASE}?host={quote(str(places.sockets))}&port={port}"

    return Addresses(url=address(APP), owner_url=address(OWNER))


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGINT is PostgreSQL's fast stop (SIGTERM would wait for every client), SIGQUIT the immediate one."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE if number is signal.SIGINT else 2.0)
