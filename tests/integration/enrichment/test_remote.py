"""A company's own coordinator: asked with a signature, answers at once or calls back. The example, really run."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2
import pytest
import uvicorn
from pydantic import SecretStr

from console.app import create_app
from leads_core.database import Database
from leads_core.enrichment import calling_back
from leads_core.enrichment.coordinator import Coordinator
from leads_core.enrichment.providers import AnswersLater, ProviderFailed, Subject
from leads_core.enrichment.providers.remote import Remote, RemoteResult
from leads_core.enrichment.providers.signing import is_signed, signed_headers
from leads_core.errors import JobEnded, NotFound
from leads_core.jobs import queue
from leads_core.jobs.backoff import Retry
from leads_core.leads.schemas import LeadRead
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.integration.enrichment.conftest import Jobs

EXAMPLES = Path(__file__).parents[3] / "examples"
SECRET = "a secret of both sides"
STAND_IN = """
import json, os, time

def enrich_businesses_batch(businesses, sources=None):
    time.sleep(float(os.environ.get("TAKES", "0")))
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(json.dumps(businesses) + "\\n")
    return json.loads(os.environ["FOUND"])
"""
FACTS = [
    {"field": "industry", "value": "Toolmaking", "confidence": "high", "url": "https://register.example/1"},
    {"field": "city", "value": "Remscheid", "confidence": "low"},
    {"field": "employee_count", "value": 180, "confidence": 70},
    {"field": "country", "value": "FR", "confidence": "uncertain"},
]

pytestmark = pytest.mark.usefixtures("acting")
Adapter = Callable[..., Awaitable[str]]


@pytest.fixture
async def adapter(tmp_path: Path) -> AsyncIterator[Adapter]:
    """Runs examples/remote_coordinator.py over a stand-in for the company's coordinator; gives its address."""
    (tmp_path / "our_coordinator.py").write_text(STAND_IN)
    started: list[asyncio.subprocess.Process] = []

    async def start(found: list[object], **environment: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        given = {"SECRET": SECRET, "COORDINATOR": "our_coordinator", "FOUND": json.dumps(found), **environment}
        paths = os.pathsep.join([str(tmp_path), str(EXAMPLES)])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "remote_coordinator:app", "--port", str(port), "--log-level", "error"),
            env={**os.environ, "PYTHONPATH": paths, "SEEN": str(tmp_path / "seen"), **given},
        )
        started.append(process)
        await _answers(port)
        return f"http://127.0.0.1:{port}/enrich"

    yield start
    for process in started:
        process.terminate()
        await process.wait()


@pytest.fixture
async def console_url(settings: Settings, database: Database) -> AsyncIterator[str]:
    """The console on a port of its own, knowing the coordinator's secret."""
    shared = {"enrichment_remote_url": "http://127.0.0.1:9/enrich", "enrichment_remote_secret": SecretStr(SECRET)}
    app = create_app(settings.model_copy(update=shared))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


async def _answers(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def a_running_lead(leads: LeadService) -> LeadRead:
    (added,) = await leads.quick_add("Brandt <info@brandt-werkzeuge.de>")
    assert added.lead is not None
    return added.lead


def remote(url: str, database: Database, secret: str = SECRET) -> Remote:
    return Remote(url, secret, calling_back.inbox(database))


async def taken(database: Database, task_id: UUID | None) -> queue.JobRead:
    assert task_id is not None
    async with database.transaction() as session:
        job = await queue.take(session, task_id)
    assert job is not None
    return job


async def test_what_the_coordinator_finds_at_once_fills_the_lead(
    database: Database, leads: LeadService, adapter: Adapter, tmp_path: Path
) -> None:
    lead = await a_running_lead(leads)
    url = await adapter([{"status": "completed", "facts": FACTS}])

    await Coordinator(database, [remote(url, database)]).run(await taken(database, lead.enrichment_task_id))

    after = await leads.get(lead.id)
    assert (after.industry, after.city, after.employee_count, after.country) == ("Toolmaking", "Remscheid", 180, None)
    assert {field: known["confidence"] for field, known in after.provenance.items()} == {
        "industry": 95,
        "city": 60,
        "employee_count": 70,
    }
    assert after.provenance["industry"]["url"] == "https://register.example/1"
    asked = json.loads((tmp_path / "seen").read_text())
    assert asked == [{"name": None, "domain": "brandt-werkzeuge.de", "email": "info@brandt-werkzeuge.de"}]


async def test_a_coordinator_that_found_a_part_keeps_it_and_says_what_is_missing(
    database: Database, leads: LeadService, adapter: Adapter
) -> None:
    lead = await a_running_lead(leads)
    url = await adapter([{"status": "partially_completed", "facts": FACTS[:1]}])

    await Coordinator(database, [remote(url, database)]).run(await taken(database, lead.enrichment_task_id))

    after = await leads.get(lead.id)
    assert (after.industry, after.enrichment_outcome) == ("Toolmaking", "partial")
    assert after.enrichment_error == "The coordinator could not ask all its sources."


async def test_a_coordinator_that_takes_its_time_calls_back_and_the_job_goes_on(
    database: Database, leads: LeadService, jobs: Jobs, adapter: Adapter, console_url: str
) -> None:
    lead = await a_running_lead(leads)
    url = await adapter(
        [{"status": "completed", "facts": FACTS}], TAKES="0.3", AT_ONCE_SECONDS="0.01", LEADS_URL=console_url
    )
    coordinator = Coordinator(database, [remote(url, database)])
    with pytest.raises(Retry, match="has not called back yet") as waits:
        await coordinator.run(await taken(database, lead.enrichment_task_id))
    assert waits.value.delay == 150

    async with asyncio.timeout(20):
        while calling_back.CALLED_BACK not in (await jobs.get(lead.enrichment_task_id)).wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    await coordinator.run(await taken(database, lead.enrichment_task_id))
    after = await leads.get(lead.id)
    assert (after.enrichment_status, after.industry) == ("completed", "Toolmaking")


async def test_a_call_back_puts_the_job_first_in_the_queue_again(
    database: Database, leads: LeadService, owner: asyncpg.Connection
) -> None:
    lead = await a_running_lead(leads)
    assert lead.enrichment_task_id is not None
    await owner.execute("UPDATE pgqueuer SET execute_after = now() + interval '150 seconds'")

    await calling_back.receive(database, lead.enrichment_task_id, RemoteResult(facts=[]))

    due = await owner.fetch("SELECT dedupe_key FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()")
    assert [row["dedupe_key"] for row in due] == [str(lead.enrichment_task_id)]


async def test_a_call_back_for_no_job_or_one_that_has_ended_is_refused(database: Database, leads: LeadService) -> None:
    lead = await a_running_lead(leads)
    with pytest.raises(NotFound):
        await calling_back.receive(database, UUID(int=1), RemoteResult())
    await Coordinator(database, []).give_up(await taken(database, lead.enrichment_task_id), "Stopped.")

    assert lead.enrichment_task_id is not None
    with pytest.raises(JobEnded):
        await calling_back.receive(database, lead.enrichment_task_id, RemoteResult())


async def test_a_coordinator_with_another_secret_lets_nothing_in(
    database: Database, leads: LeadService, adapter: Adapter, tmp_path: Path
) -> None:
    url = await adapter([{"status": "completed", "facts": FACTS}])

    with pytest.raises(ProviderFailed, match="answered with status 401") as refused:
        await remote(url, database, "another secret").find(a_subject())

    assert not refused.value.may_pass
    assert not (tmp_path / "seen").exists()


async def test_a_coordinator_that_is_not_there_is_down_itself(database: Database) -> None:
    with pytest.raises(ProviderFailed) as failed:
        await remote("http://127.0.0.1:9/enrich", database).find(a_subject())

    assert (failed.value.may_pass, failed.value.provider_is_down) == (True, True)
    assert str(failed.value) == "127.0.0.1 did not take the connection."


async def test_later_is_a_promise_with_a_time(database: Database, adapter: Adapter) -> None:
    url = await adapter([{"status": "completed", "facts": []}], TAKES="0.5", AT_ONCE_SECONDS="0")

    with pytest.raises(AnswersLater) as promise:
        await remote(url, database).find(a_subject())

    assert promise.value.seconds == 150


class TestTheAddressForCallBacks:
    async def test_takes_what_is_signed(self, leads: LeadService, console_url: str, jobs: Jobs) -> None:
        lead = await a_running_lead(leads)
        body = json.dumps({"status": "completed", "facts": FACTS}).encode()

        answer = await post(console_url, lead.enrichment_task_id, body, signed_headers(SECRET, int(time.time()), body))

        assert answer.status_code == 202
        assert (await jobs.get(lead.enrichment_task_id)).wanted["called_back"]["facts"][0]["value"] == "Toolmaking"

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            signed_headers("another secret", int(time.time()), b"{}"),
            signed_headers(SECRET, int(time.time()) - 3600, b"{}"),
            signed_headers(SECRET, int(time.time()), b'{"facts": []}'),
            {**signed_headers(SECRET, int(time.time()), b"{}"), "Lead-Explorer-Time": "soon"},
        ],
        ids=["not signed", "another secret", "an hour old", "another body", "no time"],
    )
    async def test_refuses_everybody_else(self, leads: LeadService, console_url: str, headers: dict[str, str]) -> None:
        lead = await a_running_lead(leads)

        answer = await post(console_url, lead.enrichment_task_id, b"{}", headers)

        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated")

    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [
            (b"{", 400, "body"),
            (b'{"facts": [{"field": "Not a field", "value": 1}]}', 422, "facts.0.field"),
            (b'{"status": "perhaps"}', 422, "status"),
        ],
    )
    async def test_names_what_it_cannot_read(
        self, leads: LeadService, console_url: str, body: bytes, status: int, field: str
    ) -> None:
        lead = await a_running_lead(leads)

        answer = await post(console_url, lead.enrichment_task_id, body, signed_headers(SECRET, int(time.time()), body))

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)


async def post(console: str, task_id: UUID | None, body: bytes, headers: dict[str, str]) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        typed = {"Content-Type": "application/json", **headers}
        return await client.post(f"{console}/api/v1/jobs/{task_id}/result", content=body, headers=typed)


def a_subject() -> Subject:
    return Subject(UUID(int=7), UUID(int=8), "brandt-werkzeuge.de", "brandt-werkzeuge.de", None, None, None, None)


def test_a_signature_holds_for_five_minutes() -> None:
    headers = signed_headers(SECRET, 1_000, b"body")

    fits = [
        is_signed(SECRET, now, headers["Lead-Explorer-Time"], headers["Lead-Explorer-Signature"], b"body")
        for now in (600, 700, 1_000, 1_300, 1_301)
    ]

    assert fits == [False, True, True, True, False]
