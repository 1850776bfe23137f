"""Imports as a worker runs them, without the queue's own loop."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import in_the_name_of
from leads_core.transfer import importing, uploads
from leads_core.transfer.import_options import ImportOptions
from leads_core.transfer.importing import ImportHandler

COMPANIES = Path(__file__).parents[3] / "examples" / "companies.csv"

StartImport = Callable[..., Awaitable[UUID]]
RunImport = Callable[..., Awaitable[JobRead]]


@pytest.fixture(autouse=True)
def batches_of_500_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a file of a few hundred rows has more than one."""
    monkeypatch.setattr(importing, "BATCH", 500)


@pytest.fixture
def start_import(database: Database, acting: object) -> StartImport:
    """Keeps a file with a job, in Ana's name."""

    async def start(content: bytes, **options: Any) -> UUID:
        read = _reader_of(content)
        async with database.transaction() as session:
            wanted = ImportOptions(**options).document()
            job_id = await queue.start(session, JobKind.IMPORT, priority=0, wanted=wanted)
            await uploads.keep(session, job_id, read)
        return job_id

    return start


@pytest.fixture
def attempt(database: Database) -> Callable[[UUID], Awaitable[JobRead]]:
    """One delivery of a job, as the worker makes it. Gives the job afterwards."""

    async def run(job_id: UUID, handler: ImportHandler | None = None) -> JobRead:
        async with database.transaction() as session:
            job = await queue.take(session, job_id)
        if job is not None:
            with acting_as(in_the_name_of(job)):
                await (handler or ImportHandler(database)).run(job)
        async with database.transaction() as session:
            after = await queue.find(session, job_id)
        assert after is not None
        return after

    return run


@pytest.fixture
def run_import(start_import: StartImport, attempt: Callable[[UUID], Awaitable[JobRead]]) -> RunImport:
    """A file imported to its end: the finished job."""

    async def run(content: bytes | str, **options: Any) -> JobRead:
        return await attempt(await start_import(content.encode() if isinstance(content, str) else content, **options))

    return run


@pytest.fixture
def rows(owner: asyncpg.Connection) -> Callable[..., Awaitable[list[Mapping[str, Any]]]]:
    """Rows of the database as they stand."""

    async def fetch(sql: str, *values: Any) -> list[Mapping[str, Any]]:
        return [dict(row) for row in await owner.fetch(sql, *values)]

    return fetch


def counts(job: JobRead) -> tuple[int, int, int, int]:
    """created, updated, unchanged, rejected."""
    result = job.result or {}
    return result["created"], result["updated"], result["unchanged"], result["rejected"]


def _reader_of(content: bytes) -> uploads.Read:
    file = io.BytesIO(content)

    async def read(size: int) -> bytes:
        return file.read(size)

    return read
