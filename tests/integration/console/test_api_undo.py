"""POST /api/v1/undo: of a request, of a job; what it says of what it kept; once for each key."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest
from httpx2 import AsyncClient

from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.context import acting_as
from leads_core.database import Database
from leads_core.erasing import Erasing
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.worker import in_the_name_of
from leads_core.transfer.importing import ImportHandler
from leads_core.undoing import UndoHandler, standing
from tests.builders import an_actor

LEADS, UNDO = "/api/v1/leads", "/api/v1/undo"


async def test_an_edit_is_undone_and_what_was_kept_is_named(api: AsyncClient) -> None:
    lead = (await api.post(LEADS, json={"domain": "acme.com", "city": "Bonn", "stage": "new"})).json()
    edit = await api.patch(f"{LEADS}/{lead['id']}", json={"city": "Oslo", "stage": "won"})
    later = await api.patch(f"{LEADS}/{lead['id']}", json={"stage": "lost"})

    answer = await api.post(UNDO, json={"request_id": edit.headers["x-request-id"]})

    said = answer.json()
    assert (answer.status_code, said["counts"]) == (200, {"put_back": 1, "kept_of": 1})
    assert said["leads"] == [{"lead_id": lead["id"], "outcome": "put_back", "fields": ["city"]}]
    (kept,) = said["kept"]
    assert (kept["field"], kept["reason"], kept["by"]["id"]) == ("stage", "changed", later.json()["updated_by"])
    now = (await api.get(f"{LEADS}/{lead['id']}")).json()
    assert (now["city"], now["stage"]) == ("Bonn", "lost")
    redo = await api.post(UNDO, json={"request_id": said["request_id"]})
    assert redo.json()["counts"] == {"put_back": 1}
    assert (await api.get(f"{LEADS}/{lead['id']}")).json()["city"] == "Oslo"


async def test_a_job_over_many_is_undone_by_a_job(api: AsyncClient, database: Database) -> None:
    file = "Email\n" + "".join(f"p{n}@acme.com\n" for n in range(250))
    started = await api.post(f"{LEADS}/import", files={"file": ("leads.csv", file.encode(), "text/csv")})
    job_id = UUID(started.json()["id"])
    running = await api.post(f"/api/v1/jobs/{job_id}/undo")
    await _work(database, job_id)

    answer = await api.post(f"/api/v1/jobs/{job_id}/undo")
    await _work(database, UUID(answer.json()["id"]))
    done = (await api.get(answer.headers["location"])).json()

    assert (running.status_code, running.json()["type"]) == (409, "/problems/still-running")
    assert (answer.status_code, answer.json()["kind"]) == (202, "undo")
    assert (done["state"], done["progress"], done["result"]["counts"]) == (
        "completed", {"done": 250, "total": 250}, {"to_bin": 250},
    )  # fmt: skip


async def test_a_job_that_was_undone_says_so_until_that_is_undone(api: AsyncClient, database: Database) -> None:
    started = await api.post(f"{LEADS}/import", files={"file": ("leads.csv", b"Email\np@acme.com\nq@acme.com\n")})
    job_id = UUID(started.json()["id"])
    await _work(database, job_id)
    lead = (await api.get(f"{LEADS}?q=p@acme.com")).json()["items"][0]
    await api.patch(f"{LEADS}/{lead['id']}", json={"stage": "won"})

    undone = (await api.post(f"/api/v1/jobs/{job_id}/undo")).json()
    undo = (await standing(database, [job_id]))[job_id]
    assert undone["counts"] == {"to_bin": 1, "kept": 1, "kept_of": 1}
    assert (undo.state, undo.done, undo.total, undo.request_id) == ("completed", 2, 2, undone["request_id"])
    assert [row["lead_id"] for row in (undo.result or {})["rows"]] == [lead["id"]]

    await api.post(UNDO, json={"request_id": undone["request_id"]})
    assert await standing(database, [job_id]) == {}
    again = (await api.post(f"/api/v1/jobs/{job_id}/undo")).json()
    redone = (await api.post(f"/api/v1/jobs/{(await standing(database, [job_id]))[job_id].id}/undo")).json()
    assert (again["counts"]["to_bin"], redone["counts"]["restored"]) == (1, 1)
    assert await standing(database, [job_id]) == {}


async def test_one_key_undoes_once(api: AsyncClient) -> None:
    lead = (await api.post(LEADS, json={"domain": "acme.com"})).json()
    edit = await api.patch(f"{LEADS}/{lead['id']}", json={"city": "Oslo"})
    body, key = {"request_id": edit.headers["x-request-id"]}, {"Idempotency-Key": "once"}

    first, second = await api.post(UNDO, json=body, headers=key), await api.post(UNDO, json=body, headers=key)

    assert first.json() == second.json()
    assert (await api.get(f"{LEADS}/{lead['id']}")).json()["version"] == 3


async def test_a_kept_answer_does_not_outlast_the_people_it_names(
    api: AsyncClient, database: Database, people: dict[Role, UserRead], owner: asyncpg.Connection
) -> None:
    lead = (await api.post(LEADS, json={"domain": "acme.com", "stage": "new"})).json()
    edit = await api.patch(f"{LEADS}/{lead['id']}", json={"stage": "won"})
    await api.patch(f"{LEADS}/{lead['id']}", json={"stage": "lost"})
    body = {"request_id": edit.headers["x-request-id"]}
    answer = await api.post(UNDO, json=body, headers={"Idempotency-Key": "once"})
    assert answer.json()["kept"][0]["by"]["name"] in answer.text

    with acting_as(an_actor()):
        await Erasing(database).erase_user(people[Role.EDITOR].id)

    assert await owner.fetchval("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL") == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"request_id": "nobody-did"}, 404),
        ({"task_id": str(uuid4())}, 404),
        ({}, 422),
        ({"request_id": "a", "task_id": str(uuid4())}, 422),
        ({"task_id": "x"}, 422),
    ],
)
async def test_what_cannot_be_undone_is_said(api: AsyncClient, body: dict[str, str], status: int) -> None:
    answer = await api.post(UNDO, json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def _work(database: Database, job_id: UUID) -> None:
    """What a worker does with one job."""

    async with database.transaction() as session:
        job = await queue.take(session, job_id)
    assert job is not None
    handler = ImportHandler(database) if job.kind == JobKind.IMPORT.value else UndoHandler(database)
    with acting_as(in_the_name_of(job)):
        await handler.run(job)
