"""The product as a process of its own: `leads up` on a free port, its log, its database seen from outside."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from leads_core.audit.log.locking import THE_LOG
from leads_core.database import asyncpg_url
from leads_core.embedded_postgres import running
from leads_core.embedded_postgres.places import find_places
from leads_core.embedded_postgres.server import remove_server

ROOT = Path(__file__).parents[1]
#: Runs keep their files where the next run finds and removes what a killed one left.
RUNS = ROOT / ".leads" / "test"
START_WITHIN = 60.0
STOP_WITHIN = 20.0
JOBS_END_WITHIN = 20.0
#: Lines of a traceback that are worth reading.
TRACEBACK = 60
LINK = re.compile(r"https?://\S+/sign-in/\S+")
#: What stays when a test begins: who may come in, and what the database itself needs.
KEPT = ("alembic_version", "users", "sessions", "sign_in_links", "pgqueuer_schedules")
#: The accounts outlive their entries, which a verification would report: the nightly one is not due.
VERIFIED_JUST_NOW = """
    INSERT INTO jobs (id, kind, state, actor_kind, origin, request_id, finished_at)
    VALUES ('00000000-0000-7000-8000-000000000000', 'verification', 'completed', 'system', '{}', 'e2e', now())
"""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers. first_link is the one that `leads up` printed."""

    url: str
    first_link: str | None
    owner_url: str
    log: Path
    environment: Mapping[str, str]

    def leads(self, *arguments: str) -> dict[str, Any]:
        """Run a command of the command line beside the server; what it said as JSON."""
        command = [sys.executable, "-m", "console.cli", *arguments, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def forget_leads(self) -> None:
        """Wait until the worker is idle, then empty every table but those of the accounts; the log begins anew."""
        _in_a_thread(_empty(self.owner_url, Path(self.environment["DATA_DIR"]) / "audit" / "checkpoints.jsonl"))

    def by_sql(self, statement: str) -> None:
        """What somebody who owns the database can do, past every guard of it."""
        _in_a_thread(_execute(self.owner_url, f"SET session_replication_role = replica; {statement}"))

    @contextmanager
    def holding(self, lead_id: str) -> Iterator[None]:
        """Whoever changes this lead waits, as if somebody else were at it: a job stands still where it comes to it."""
        held, over = threading.Event(), threading.Event()
        with ThreadPoolExecutor(1) as thread:
            holds = thread.submit(asyncio.run, _hold(self.owner_url, lead_id, held, over))
            try:
                assert held.wait(START_WITHIN)
                yield
            finally:
                over.set()
                holds.result()

    def errors_logged(self, start: int = 0) -> list[str]:
        """Events that console or worker called an error, from this place of the log on."""
        lines = self.log.read_bytes()[start:].decode(errors="replace").splitlines()
        found: list[str] = []
        for place, line in enumerate(lines):
            if line.startswith("Traceback"):
                found.append("\n".join(lines[place : place + TRACEBACK]))
            elif '"level": "error"' in line:
                found.append(line[:2_000])
        return found


@contextmanager
def running_server(**settings: str) -> Iterator[RunningServer]:
    """`leads up` with a data folder of its own, and with DATABASE_URL set a database of its own on that server.

    settings are environment variables. SIGTERM stops it, and it must end by itself.
    """
    folder = RUNS / f"e2e-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    port = _free_port()
    try:
        with _own_database() as addresses:
            environment = {
                **{name: value for name, value in os.environ.items() if name != "LEADS_TEST_SERVER"},
                "PORT": str(port),
                "DATA_DIR": str(folder),
                "RATE_LIMIT": "0",
                **addresses,
                **settings,
            }
            log = folder / "log"
            with log.open("wb") as output:
                command = [sys.executable, "-m", "console.cli", "up"]
                process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
            try:
                yield _when_ready(process, folder, port, log, environment)
            finally:
                _stop(process, log)
    finally:
        if places := find_places(folder):
            remove_server(places)
        _remove(folder)


def _when_ready(
    process: subprocess.Popen[bytes], folder: Path, port: int, log: Path, environment: Mapping[str, str]
) -> RunningServer:
    end = time.monotonic() + START_WITHIN
    while "Ctrl-C stops it" not in (said := log.read_text(errors="replace")) or "Nobody has signed in" not in said:
        if time.monotonic() > end or process.poll() is not None:
            raise AssertionError(f"`leads up` did not start:\n{said}")
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    embedded = running(folder)
    owner_url = environment.get("DATABASE_OWNER_URL") or (embedded.owner_url if embedded else "")
    link = LINK.search(said)
    return RunningServer(f"http://127.0.0.1:{port}", link.group() if link else None, owner_url, log, environment)


def _stop(process: subprocess.Popen[bytes], log: Path) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"`leads up` did not stop:\n{log.read_text(errors='replace')[-4000:]}") from None
    assert status == 0, log.read_text(errors="replace")[-4000:]


@contextmanager
def _own_database() -> Iterator[dict[str, str]]:
    """Nothing without DATABASE_URL; with it a new database on that server, dropped afterwards."""
    given = os.environ.get("DATABASE_URL")
    if not given:
        yield {}
        return
    owner = os.environ.get("DATABASE_OWNER_URL") or given
    name = f"leads_e2e_{secrets.token_hex(4)}"
    _in_a_thread(_execute(owner, f'CREATE DATABASE "{name}"'))
    try:
        yield {"DATABASE_URL": _in_database(given, name), "DATABASE_OWNER_URL": _in_database(owner, name)}
    finally:
        _in_a_thread(_execute(owner, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _empty(owner_url: str, checkpoints: Path) -> None:
    connection = await asyncpg.connect(asyncpg_url(owner_url))
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND relname <> ALL($1::text[])",
            list(KEPT),
        )
        deletes = "".join(f'DELETE FROM "{table["relname"]}";' for table in tables)  # noqa: S608 - the catalogue's names
        end = time.monotonic() + JOBS_END_WITHIN
        while not await _emptied_at_rest(connection, deletes, checkpoints):  # or a chore of the worker was in the way
            assert time.monotonic() < end, "The worker did not come to rest."
            await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def _emptied_at_rest(connection: asyncpg.Connection, deletes: str, checkpoints: Path) -> bool:
    """Everything removed, if no job waits or runs. A verification that began before would see half of it."""
    try:
        return await _emptied(connection, deletes, checkpoints)
    except asyncpg.DeadlockDetectedError:
        return False


async def _emptied(connection: asyncpg.Connection, deletes: str, checkpoints: Path) -> bool:
    async with connection.transaction():
        # Nobody signs and no job begins meanwhile: a file that outlives the log it speaks of is what a rollback
        # looks like.
        await connection.execute("SELECT pg_advisory_xact_lock($1)", THE_LOG)
        await connection.execute("LOCK TABLE jobs IN EXCLUSIVE MODE")
        if await connection.fetchval("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"):
            return False
        await connection.execute(f"SET LOCAL session_replication_role = replica; {deletes} {VERIFIED_JUST_NOW}")
        await asyncio.to_thread(checkpoints.unlink, missing_ok=True)
    return True


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(asyncpg_url(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _hold(url: str, lead_id: str, held: threading.Event, over: threading.Event) -> None:
    connection = await asyncpg.connect(asyncpg_url(url))
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", UUID(lead_id))
            held.set()
            await asyncio.to_thread(over.wait)
    finally:
        await connection.close()


def _in_a_thread(work: Coroutine[Any, Any, Answer]) -> Answer:
    """The browser's driver keeps an event loop running in the main thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _in_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if folder.exists():
        folder.rmdir()
