"""Processes of the operating system: children that end with their parent, and servers left behind by a killed one."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the child gets this signal when the THREAD that started it ends, even by kill -9.

    So start such children from the main thread only, never from a pool's.
    """
    parent = os.getpid()

    def in_child() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return in_child


def clear_stale_server(cluster: Path, patience: float = 60.0) -> None:
    """Leave the cluster without a server and without a postmaster.pid that PostgreSQL would stumble over.

    Call it with the lock held: whatever still serves the cluster was left behind by a killed owner. PostgreSQL itself
    refuses to start while the pid in the file lives, be it a stranger's or a zombie's. Raises TimeoutError when the
    old server has not ended after `patience` seconds.
    """
    end = time.monotonic() + patience
    while living := servers_of(cluster):
        if time.monotonic() > end:
            raise TimeoutError(f"An earlier PostgreSQL (process {living[0]}) of {cluster} does not end.")
        for pid in living:
            if _written_pid(cluster) == pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
        time.sleep(0.05)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def servers_of(cluster: Path) -> list[int]:
    """The living processes of this cluster: PostgreSQL's processes, all of them, work inside their data folder."""
    if not cluster.exists():
        return []
    wanted = cluster.stat()
    return [pid for pid in _all_processes() if _works_in(pid, wanted) and not _is_zombie(pid)]


def is_ready(cluster: Path, pid: int) -> bool:
    """What pg_ctl waits for: the eighth line of postmaster.pid says that this very server takes connections."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _written_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _all_processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _works_in(pid: int, folder: os.stat_result) -> bool:
    try:
        found = os.stat(f"/proc/{pid}/cwd")  # refused for other people's processes, which are not ours
        program = Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return False
    # A shell that somebody opened in the folder is no server; a replaced program reads "postgres (deleted)".
    return (found.st_dev, found.st_ino) == (folder.st_dev, folder.st_ino) and program.startswith("postgres")


def _is_zombie(pid: int) -> bool:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return True
    return after_name.split()[0] in {"Z", "X"}
