"""Undo as people meet it: with a script a toast, without one the page that follows; asked first where it is a job."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient
from selectolax.lexbor import LexborHTMLParser

from leads_core.accounts.permissions import Role
from leads_core.context import acting_as
from leads_core.database import Database, new_id
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind, JobState
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.undoing import UndoHandler
from tests.builders import a_lead, an_actor

Ask = Callable[[Role], Awaitable[AsyncClient]]
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
MANY = 210


@pytest.fixture
async def editor(browser: Ask) -> AsyncClient:
    return await browser(Role.EDITOR)


@pytest.fixture
async def acme(leads: LeadService) -> LeadRead:
    with acting_as(an_actor(request_id="adding")):
        return await leads.create(a_lead(city="Bonn"), source=Source.FORM)


@pytest.fixture
async def a_job(database: Database, leads: LeadService) -> UUID:
    """A finished job that has added many leads, one of which somebody edited since."""
    job_id = new_id()
    with acting_as(an_actor(channel="worker", task_id=job_id)):
        async with database.transaction() as session:
            await queue.start(session, JobKind.IMPORT, priority=0, job_id=job_id)
            await queue.finish(session, job_id, JobState.COMPLETED)
        async with database.one_transaction():
            added = [
                await leads.create(a_lead(email=f"p{n}@acme.com", company_name=f"Acme {n}"), source=Source.API)
                for n in range(MANY)
            ]
    with acting_as(an_actor(request_id="editing")):
        await leads.update(added[0].id, LeadUpdate(stage="won"))
    return job_id


def html(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(text)


def fields_of(text: str, action: str) -> dict[str, str | None]:
    form = html(text).css_first(f'form[action="{action}"]')
    return {field.attributes["name"]: field.attributes["value"] for field in form.css("input")}


async def test_every_change_says_what_it_did_and_how_to_undo_it(editor: AsyncClient, acme: LeadRead) -> None:
    said = []
    for address, data in (
        (f"/leads/{acme.id}", {"city": "Oslo", "stage": "won"}),
        (f"/leads/{acme.id}/delete", {}),
        (f"/leads/{acme.id}/restore", {}),
        ("/leads/quick-add", {"text": "one.example.org\ntwo.example.org"}),
    ):
        answer = await editor.post(address, data=data, headers=PARTIAL)
        toast = json.loads(answer.headers["HX-Trigger"])["toast"]
        said.append(toast["text"])
        assert toast["undo"] == {"request_id": answer.headers["X-Request-Id"]}

    assert said == ["Acme: city and stage changed.", "Acme moved to the bin.", "Acme is back.", "2 leads added."]


async def test_what_changed_nothing_offers_nothing(editor: AsyncClient, acme: LeadRead) -> None:
    answer = await editor.post(f"/leads/{acme.id}", data={"city": "Bonn"}, headers=PARTIAL)

    assert "toast" not in json.loads(answer.headers["HX-Trigger"])


async def test_an_undo_says_what_it_kept_and_offers_to_redo(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    edit = await editor.post(f"/leads/{acme.id}", data={"city": "Oslo", "stage": "won"}, headers=PARTIAL)
    with acting_as(an_actor(actor_name="Idris Bello")):
        await leads.update(acme.id, LeadUpdate(stage="lost"))

    answer = await editor.post("/undo", data={"request_id": edit.headers["X-Request-Id"]}, headers=PARTIAL)

    events = json.loads(answer.headers["HX-Trigger"])
    assert events["toast"]["text"] == "Acme: city put back. Stage kept: Idris Bello changed it since."
    assert (events["toast"]["word"], events["leads-changed"]["ids"]) == ("Redo", [str(acme.id)])
    redo = await editor.post("/undo", data=events["toast"]["undo"], headers=PARTIAL)
    assert json.loads(redo.headers["HX-Trigger"])["toast"]["text"] == "Acme: city put back."
    again = await editor.post("/undo", data=events["toast"]["undo"], headers=PARTIAL)
    assert json.loads(again.headers["HX-Trigger"])["toast"]["text"].startswith("It stands as before already.")


async def test_without_a_script_the_next_page_offers_undo_and_then_redo(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    edit = await editor.post(f"/leads/{acme.id}", data={"city": "Oslo"})
    shown = await editor.get(edit.headers["Location"])
    undone = await editor.post("/undo", data=fields_of(shown.text, "/undo"))
    after = await editor.get(undone.headers["Location"])

    assert html(shown.text).css_first(".undo-notice p").text() == "Done."
    assert html(after.text).css_first(".undo-notice button").text() == "Redo"
    assert ((await leads.get(acme.id)).city, after.request.url.path) == ("Bonn", f"/leads/{acme.id}")


async def test_without_a_script_what_was_kept_stands_on_a_page(
    editor: AsyncClient, leads: LeadService, acme: LeadRead
) -> None:
    edit = await editor.post(f"/leads/{acme.id}", data={"city": "Oslo", "stage": "won"})
    with acting_as(an_actor(actor_name="Idris Bello")):
        await leads.update(acme.id, LeadUpdate(stage="lost"))

    answer = await editor.post("/undo", data={"request_id": edit.headers["X-Request-Id"], "then": "//evil.com"})

    assert answer.status_code == 200
    assert "Stage kept: Idris Bello changed it since." in html(answer.text).css_first("table").text()
    assert "evil.com" not in answer.text


async def test_a_job_is_shown_before_it_is_undone_and_watched_afterwards(
    editor: AsyncClient, database: Database, a_job: UUID
) -> None:
    asked = await editor.get(f"/undo?task_id={a_job}")
    begun = await editor.post("/undo", data=fields_of(asked.text, "/undo"))
    again = await editor.post("/undo", data={"task_id": str(a_job)}, headers=PARTIAL)
    waiting = await editor.get(begun.headers["Location"])
    job_id = UUID(begun.headers["Location"].rpartition("/")[2])
    async with database.transaction() as session:
        job = await queue.take(session, job_id)
    assert job is not None
    with acting_as(in_the_name_of(job)):
        await UndoHandler(database).run(job)
    led = await editor.get(f"/jobs/{job_id}")
    ended = await editor.get(led.headers["Location"])
    kept = await editor.get(f"/undo/{job_id}/kept.csv")

    assert "more than 200 leads" in html(asked.text).css_first("h1").text()
    assert json.loads(again.headers["HX-Trigger"])["toast"]["link"]["href"] == begun.headers["Location"]
    assert "Waiting for a worker" in waiting.text
    page = html(ended.text)
    assert page.css_first("h1").text() == f"Undo of {MANY} leads"
    assert [row.text(separator=" ", strip=True) for row in page.css("table.sum tbody th")] == [
        "To the bin",
        "Kept",
    ]
    assert "Kept out of the bin: Ana Díaz changed stage since." in ended.text
    assert "Acme 0" in kept.text.splitlines()[1]
    assert fields_of(ended.text, "/undo") == {"task_id": str(job_id)}


async def test_an_undo_that_runs_can_be_stopped_and_the_rest_asked_for(
    editor: AsyncClient, database: Database, a_job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leads_core.undoing.job.BATCH", 100)
    begun = await editor.post("/undo", data={"task_id": str(a_job)})
    address = begun.headers["Location"]
    async with database.transaction() as session:
        job = await queue.take(session, UUID(address.rpartition("/")[2]))
    assert job is not None
    real = LeadService.undo

    async def stopped_from_the_page(service: LeadService, *given: Any, **named: Any) -> Any:
        page = html((await editor.get(address)).text)
        stopping = await editor.post(page.css_first("#job form").attributes["action"] or "", headers=PARTIAL)
        assert html(stopping.text).css_first(".dot").text() == "Stopping"
        assert html(stopping.text).css_first("#job form") is None
        return await real(service, *given, **named)

    monkeypatch.setattr(LeadService, "undo", stopped_from_the_page)
    with acting_as(in_the_name_of(job)):
        await UndoHandler(database).run(job)
    ended = html((await editor.get(address)).text)
    again = await editor.post(f"{address}/stop")

    assert ended.css_first("h1").text() == f"Undo of 100 of {MANY} leads"
    said = ended.css_first("#job > p").text()
    assert said == f"What was put back before stays so. {MANY - 100} leads were not begun."
    assert [button.text() for button in ended.css("#job form button")] == ["Undo the rest", "Redo"]
    assert fields_of(ended.html or "", "/undo") == {"task_id": str(a_job)}
    assert again.headers["Location"] == address


async def test_a_viewer_is_offered_no_undo(browser: Ask, acme: LeadRead) -> None:
    viewer = await browser(Role.VIEWER)

    shown = await viewer.get(f"/leads/{acme.id}?did=adding")

    assert "/undo" not in shown.text
    assert (await viewer.post("/undo", data={"request_id": "adding"})).status_code == 403


@pytest.mark.parametrize("given", [{}, {"task_id": "x"}, {"request_id": "a", "task_id": str(new_id())}])
async def test_what_is_no_operation_is_said(editor: AsyncClient, given: dict[str, str]) -> None:
    assert (await editor.post("/undo", data=given)).status_code == 422
    assert (await editor.get("/undo", params=given)).status_code == 422
