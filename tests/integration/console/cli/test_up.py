"""`leads up`: one command starts everything, heals what dies, and ends everything."""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from leads_core.database import asyncpg_url
from leads_core.embedded_postgres import running
from leads_core.embedded_postgres.places import find_places
from leads_core.embedded_postgres.processes import clear_stale_server
from leads_core.embedded_postgres.server import remove_server
from tests.conftest import ROOT, in_database

GIVEN = {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL") if name in os.environ}


class Up:
    """Starts `leads up` on one data folder and one port."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        kept = {name: value for name, value in os.environ.items() if name not in GIVEN}
        self._environment = {**kept, "DATA_DIR": str(data_dir), "PORT": str(self.port), **environment}

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "console.cli", "up"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.communicate()

    def refused(self) -> str:
        """What a start says that must not succeed."""
        with self.started() as process:
            said, _ = process.communicate(timeout=60)
            assert process.returncode == 2
            return said

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """The next line that contains these words."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line.strip()
    raise AssertionError(f"{words!r} was never said")


def children(process: subprocess.Popen[str]) -> dict[str, int]:
    """Process ids of what a supervisor runs: postgres, serve, worker."""
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in pids}
    return {"postgres" if "-D" in command else command[3]: pid for pid, command in commands.items()}


def stop_with(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Its exit status; fails after the ten seconds that a stop may take."""
    process.send_signal(number)
    return process.wait(timeout=10)


@pytest.fixture
async def own_database(server_url: str) -> AsyncIterator[str]:
    """An empty database of the test server, by its owner's address."""
    name = f"leads_up_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(asyncpg_url(server_url))
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield in_database(server_url, name)
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
def up(tmp_path: Path, own_database: str) -> Iterator[Up]:
    """On the embedded server or, where the suite was given a database, on that one."""
    yield Up(tmp_path / "data", **({"DATABASE_URL": own_database} if GIVEN else {}))
    places = find_places(tmp_path / "data")
    if places is not None:
        clear_stale_server(places.cluster)
        remove_server(places)


def test_one_command_starts_everything_and_ctrl_c_ends_it(up: Up) -> None:
    with up.started() as process:
        assert line_with(process, "runs at").startswith(f"Lead Explorer runs at http://127.0.0.1:{up.port} ")
        link = line_with(process, "Nobody has signed in yet").rpartition(f":{up.port}")[2]
        assert [up.get(path) for path in ("/livez", "/readyz", link, "/leads")] == [200, 200, 200, 200]
        left = children(process)

        assert stop_with(process, signal.SIGINT) == 0

        assert line_with(process, "has stopped") == "Lead Explorer has stopped."
        assert not [pid for pid in left.values() if Path(f"/proc/{pid}").exists()]


def test_a_second_start_on_the_same_data_says_that_it_runs_already(up: Up) -> None:
    with up.started() as process:
        line_with(process, "runs at")

        said = up.refused()

        assert said.startswith("leads: ")
        assert "already running" in said or "cannot be used" in said
        assert said.count("\n") == 1


async def test_starting_again_keeps_the_data(up: Up, own_database: str) -> None:
    async def administrators() -> list[str]:
        addresses = running(up.data_dir)
        connection = await asyncpg.connect(asyncpg_url(addresses.owner_url if addresses else own_database))
        found = await connection.fetch("SELECT id::text FROM users")
        await connection.close()
        return [row["id"] for row in found]

    with up.started() as process:
        line_with(process, "runs at")
        first = await administrators()
        stop_with(process, signal.SIGTERM)

    with up.started() as process:
        line_with(process, "Nobody has signed in yet")
        assert await administrators() == first
        assert len(first) == 1


def test_whatever_is_killed_starts_again(up: Up) -> None:
    with up.started() as process:
        line_with(process, "runs at")
        killed = children(process)
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        healed = {line_with(process, "again").split()[1] for _ in killed}

        assert up.get("/leads") == 200

        assert healed == {"worker", "console"} | ({"had"} if "postgres" in killed else set())


def test_a_killed_supervisor_leaves_no_orphans(up: Up) -> None:
    with up.started() as process:
        line_with(process, "runs at")
        descriptors = [os.pidfd_open(pid) for pid in children(process).values()]

        process.kill()

        for descriptor in descriptors:
            assert select.select([descriptor], [], [], 20)[0]
            os.close(descriptor)


def test_a_taken_port_is_one_line_and_exit_status_2(up: Up) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", up.port))
        stranger.listen()

        said = up.refused()

    assert said.startswith(f"leads: Port {up.port} on 127.0.0.1 cannot be used (Address already in use).")
    assert said.count("\n") == 1


def test_with_a_database_given_no_server_of_our_own_is_started(tmp_path: Path, own_database: str) -> None:
    up = Up(tmp_path / "data", DATABASE_URL=own_database)
    with up.started() as process:
        line_with(process, "runs at")
        assert up.get("/readyz") == 200

        assert sorted(children(process)) == ["serve", "worker"]
        assert find_places(tmp_path / "data") is None


def test_switched_off_it_serves_the_probes_alone_and_touches_no_data(tmp_path: Path) -> None:
    up = Up(tmp_path / "data", ENABLE_LEAD_EXPLORER="false")
    with up.started() as process:
        line_with(process, "runs at")

        assert [up.get(path) for path in ("/livez", "/leads")] == [200, 404]
        assert list(children(process)) == ["serve"]
        assert find_places(tmp_path / "data") is None


def test_a_database_that_does_not_answer_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    nobody = f"postgresql://me:secret@127.0.0.1:{free_port()}/leads"

    said = Up(tmp_path / "data", DATABASE_URL=nobody).refused()

    assert said == "leads: The database does not answer. Nothing was changed; try again.\n"
