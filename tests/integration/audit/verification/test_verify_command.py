"""`leads audit verify` as an operator types it, and the job that runs it each night."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from console.cli.worker import verification_handler, verify_when_due
from leads_core.audit.verification.job import is_due, request_when_due
from leads_core.audit.verification.keeping import request_verification
from leads_core.context import RequestContext
from leads_core.database import Database
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import Worker
from tests.integration.audit.verification.tampering import Scene

ROOT = Path(__file__).parents[4]
NOON = datetime(2026, 11, 25, 12, tzinfo=timezone(timedelta(hours=1)))
NIGHT = NOON.replace(hour=3)


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    error: str

    @property
    def found(self) -> dict[str, Any]:
        [line] = self.out.splitlines()
        answer: dict[str, Any] = json.loads(line)
        return answer


Verify = Callable[..., Awaitable[Ran]]


@pytest.fixture
def verify(scene: Scene) -> Verify:
    """Run the command on the history. Settings given by name change its environment; None takes one away."""

    async def run(*words: str | Path, script: str | None = None, **settings: str | None) -> Ran:
        own = scene.verification.settings
        environment: dict[str, str | None] = {
            **os.environ,
            "DATABASE_URL": own.database_url,
            "DATA_DIR": str(own.data_dir),
            "AUDIT_CHECKPOINT_FILE": str(own.checkpoint_file),
            **settings,
        }
        start = [script] if script else ["-m", "console.cli", "audit", "verify"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *start,
            *map(str, words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={name: value for name, value in environment.items() if value is not None},
        )
        out, error = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), error.decode())

    return run


async def test_a_whole_trail_is_status_0_and_one_object(verify: Verify, scene: Scene) -> None:
    ran = await verify("--json")

    assert (ran.status, ran.error) == (0, "")
    assert list(ran.found) == [
        *("ok", "entries", "leads", "leaves", "checkpoints", "findings", "warnings", "not_checked"),
    ]
    assert (ran.found["ok"], ran.found["findings"]) == (True, [])


async def test_findings_are_status_1_and_named_in_words(verify: Verify, scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    await scene.edit_part(entry, "data", "stage", "lost")

    spoken, ran = await verify(), await verify("--json", script="scripts/verify_audit_trail.py")

    assert (spoken.status, ran.status) == (1, 1)
    assert f"edited: entry {entry} subject {acme} field stage\n" in spoken.out
    [finding] = ran.found["findings"]
    assert list(finding) == ["kind", "entry", "subject", "field", "detail"]
    assert (finding["kind"], finding["entry"]) == ("edited", entry)


async def test_findings_quote_no_values(verify: Verify, scene: Scene) -> None:
    """A kept result, a mail to the auditor: nobody's address goes along."""
    for lead in (scene.history.acme, scene.history.bo):
        await scene.edit_part(scene.history.entry(lead, 1), "person", "email", "mallory@example.com")
        await scene.change_lead(lead, contact_name="Mallory")

    ran = await verify()

    assert ran.status == 1
    assert not any(word in ran.out for word in ("mallory", "Mallory", "acme.com"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DATABASE_URL": "postgresql://leads@127.0.0.1:9/leads"}, "does not answer"),
        ({"AUDIT_CHECKPOINT_FILE": "/nowhere/checkpoints.jsonl"}, "AUDIT_CHECKPOINT_FILE"),
        ({"AUDIT_PUBLIC_KEYS": "a+b+c"}, "AUDIT_PUBLIC_KEYS"),
        ({"AUDIT_MAC_KEYS": "abc"}, "AUDIT_MAC_KEYS"),
    ],
    ids=["no database", "no file", "no public key", "no MAC key"],
)
async def test_what_cannot_be_verified_is_status_2(verify: Verify, changed: dict[str, str], said: str) -> None:
    ran = await verify("--json", **changed)

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.error
    assert "Traceback" not in ran.error


async def test_one_lead(verify: Verify, scene: Scene) -> None:
    ran = await verify("--lead", scene.history.acme, "--json")
    unknown = await verify("--lead", "01a20000-0000-7000-8000-000000000000")

    assert (ran.status, ran.found["ok"], ran.found["entries"], ran.found["unsealed"]) == (0, True, 5, 0)
    assert (unknown.status, unknown.out) == (2, "")


async def test_flags_that_exclude_each_other_are_refused(verify: Verify, scene: Scene, tmp_path: Path) -> None:
    ran = await verify("--lead", scene.history.acme, "--from-export", tmp_path / "trail.jsonl")

    assert (ran.status, ran.out) == (2, "")
    assert "--from-export cannot be combined with --lead" in ran.error


async def test_an_export_is_verified_without_a_database(verify: Verify, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "trail.jsonl"

    written = await verify("--json", "--export", path)
    read = await verify("--json", "--from-export", path, DATABASE_URL="postgresql://leads@127.0.0.1:9/leads")
    path.write_text(path.read_text().replace('"stage":', '"phase":', 1))
    edited = await verify("--json", "--from-export", path, DATABASE_URL=None)

    assert (written.status, read.status, edited.status) == (0, 0, 1)
    assert read.found["leads"] == written.found["leads"]
    assert read.found["entries"] >= written.found["entries"]


async def test_checkpoints_kept_elsewhere_may_be_several(verify: Verify, scene: Scene, tmp_path: Path) -> None:
    notes = await scene.notes()
    for number in (0, -1):
        (tmp_path / f"{number}.txt").write_text(notes[number])

    ran = await verify("--json", "--checkpoint", tmp_path / "0.txt", "--checkpoint", tmp_path / "-1.txt")

    assert (ran.status, ran.found["checkpoints"]) == (0, 2 * len(notes) + 2)


async def test_a_result_is_kept_when_asked_for(verify: Verify, owner: asyncpg.Connection) -> None:
    ran = await verify("--json", "--record")
    failed = await verify("--record", AUDIT_CHECKPOINT_FILE="/nowhere/checkpoints.jsonl")

    kept = await owner.fetch("SELECT ok, result FROM audit_verifications ORDER BY id")
    assert (ran.status, failed.status) == (0, 2)
    assert [row["ok"] for row in kept] == [True, False]
    assert json.loads(kept[0]["result"]) == ran.found
    assert "AUDIT_CHECKPOINT_FILE" in json.loads(kept[1]["result"])["error"]


async def run_jobs(scene: Scene, job_id: Any) -> JobRead:
    """A real worker until this job has ended."""
    database = scene.verification.database
    handler = verification_handler(database, scene.verification.settings)
    worker = Worker(database, {JobKind.VERIFICATION: handler})
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(60):
            while True:
                async with database.transaction() as session:
                    job = await queue.find(session, job_id)
                if job is not None and job.is_finished:
                    return job
                await asyncio.sleep(0.1)
    finally:
        worker.stop()
        await running


async def requested(database: Database) -> Any:
    async with database.transaction() as session:
        return await request_verification(session)


async def test_a_worker_verifies_and_the_result_is_kept(
    scene: Scene, owner: asyncpg.Connection, acting: RequestContext
) -> None:
    first, again = await requested(scene.verification.database), await requested(scene.verification.database)

    job = await run_jobs(scene, first)

    assert again == first
    assert (job.state, job.error) == ("completed", None)
    assert job.result is not None
    assert (job.result["ok"], job.result["findings"]) == (True, 0)
    assert await owner.fetchval("SELECT ok FROM audit_verifications") is True


async def test_a_verification_that_could_not_be_made_fails_in_words(
    scene: Scene, owner: asyncpg.Connection, acting: RequestContext
) -> None:
    scene.file.unlink()

    job = await run_jobs(scene, await requested(scene.verification.database))

    assert job.state == "failed"
    assert "AUDIT_CHECKPOINT_FILE" in str(job.error)
    assert await owner.fetchval("SELECT ok FROM audit_verifications") is False


async def test_the_nightly_chore_asks_once(scene: Scene, owner: asyncpg.Connection) -> None:
    await verify_when_due(scene.verification.database)
    await verify_when_due(scene.verification.database)

    assert await owner.fetchval("SELECT count(*) FROM jobs WHERE kind = 'verification'") == 1


async def test_before_anything_is_signed_there_is_nothing_to_verify(database: Database, acting: RequestContext) -> None:
    assert await request_when_due(database) is False


@pytest.mark.parametrize(
    ("hours", "now", "due"),
    [(19, NIGHT, False), (21, NIGHT, True), (21, NOON, False), (27, NOON, True), (21, NIGHT.replace(hour=5), False)],
)
def test_it_is_due_by_night_or_when_it_is_overdue(hours: int, now: datetime, due: bool) -> None:
    assert is_due(now - timedelta(hours=hours), now) is due


def test_it_is_due_when_it_never_was() -> None:
    assert is_due(None, NOON)
