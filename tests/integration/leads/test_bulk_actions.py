"""What many leads at once can be given, and that nobody's later word is overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database, new_id
from leads_core.errors import Invalid
from leads_core.jobs import queue
from leads_core.jobs.queue import JobRead
from leads_core.jobs.worker import in_the_name_of
from leads_core.leads import bulk, bulk_job
from leads_core.leads.bulk_actions import Asked, BulkAction
from leads_core.leads.bulk_job import BulkHandler
from leads_core.leads.filters import LeadFilter
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead, an_actor
from tests.integration.trail_state import differences

pytestmark = pytest.mark.usefixtures("acting")
WON = Asked.parsed(BulkAction.SET_STAGE, {"stage": "won"})
Act = Callable[..., Awaitable[JobRead]]


@pytest.fixture
def ben() -> RequestContext:
    return an_actor(actor_name="Ben", actor_id=new_id())


@pytest.fixture
def act(database: Database) -> Act:
    """Does it at once and gives the job as it ended."""

    async def run(action: BulkAction | Asked, wanted: Any, **values: Any) -> JobRead:
        asked = action if isinstance(action, Asked) else Asked.parsed(action, values)
        return await bulk.start(database, asked, wanted, at_once=bulk.LARGEST)

    return run


@pytest.fixture
def whole(owner: asyncpg.Connection, settings: Settings) -> Callable[[], Awaitable[None]]:
    """That the trail replays to the leads."""

    async def check() -> None:
        assert await differences(owner, settings.mac_keys[0]) == []

    return check


async def some(leads: LeadService, count: int, **given: Any) -> list[UUID]:
    return [(await leads.create(a_lead(email=f"{n}@acme.com", **given), source=Source.API)).id for n in range(count)]


async def counts(job: JobRead) -> dict[str, int]:
    assert job.state == "completed"
    assert job.result is not None
    return dict(job.result["counts"])


@pytest.mark.parametrize(
    ("action", "values", "field", "after"),
    [
        (BulkAction.SET_STAGE, {"stage": "won"}, "stage", "won"),
        (BulkAction.ADD_TAGS, {"tags": ["VIP", "fair"]}, "tags", ["vip", "fair"]),
        (BulkAction.REMOVE_TAGS, {"tags": ["VIP"]}, "tags", []),
        (BulkAction.SET_FOLLOW_UP, {"follow_up_on": "2026-12-01"}, "follow_up_on", date(2026, 12, 1)),
        (BulkAction.SET_FOLLOW_UP, {"follow_up_on": None}, "follow_up_on", None),
    ],
)
async def test_each_lead_gets_the_value_with_its_entry_and_the_same_again_writes_nothing(
    leads: LeadService,
    act: Act,
    whole: Callable[[], Awaitable[None]],
    owner: asyncpg.Connection,
    action: BulkAction,
    values: dict[str, Any],
    field: str,
    after: Any,
) -> None:
    ids = await some(leads, 3, tags=["vip"], follow_up_on="2026-11-01")
    other = await leads.create(a_lead(email="other@acme.com"), source=Source.API)

    job = await act(action, ids, **values)
    again = await act(action, ids, **values)

    assert (await counts(job), await counts(again)) == ({"done": 3}, {"unchanged": 3})
    read = [await leads.get(one) for one in ids]
    assert [getattr(lead, field) for lead in read] == [after] * 3
    assert {lead.version for lead in read} == {2}
    assert (await leads.get(other.id)).version == 1
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE task_id = $1", job.id) == 3
    await whole()


async def test_an_owner_is_somebody_who_works_here_or_nobody(
    database: Database, leads: LeadService, act: Act, whole: Callable[[], Awaitable[None]]
) -> None:
    rosa = await Accounts(database).add("Rosa", Role.EDITOR)
    ids = await some(leads, 2)

    await act(BulkAction.SET_OWNER, ids, owner_id=rosa.id)
    assert [(await leads.get(one)).owner_id for one in ids] == [rosa.id] * 2
    await act(BulkAction.SET_OWNER, ids, owner_id=None)
    assert [(await leads.get(one)).owner_id for one in ids] == [None] * 2
    with pytest.raises(Invalid, match="no such user"):
        await act(BulkAction.SET_OWNER, ids, owner_id=new_id())
    await whole()


async def test_into_the_bin_and_back_and_what_is_not_there_is_said(
    leads: LeadService, act: Act, whole: Callable[[], Awaitable[None]]
) -> None:
    ids = await some(leads, 2)

    deleted = await counts(await act(BulkAction.DELETE, [*ids, new_id()]))
    twice = await counts(await act(BulkAction.DELETE, ids))
    in_bin = [(await leads.get(one, deleted=True)).deleted_by for one in ids]
    restored = await counts(await act(BulkAction.RESTORE, LeadFilter.from_query({"deleted": ["true"]})))
    again = await counts(await act(BulkAction.RESTORE, ids))

    assert (deleted, twice, restored, again) == ({"done": 2, "gone": 1}, {"gone": 2}, {"done": 2}, {"unchanged": 2})
    assert in_bin == [an_actor().actor_id] * 2
    assert {(await leads.get(one)).version for one in ids} == {3}
    await whole()


async def test_whose_address_is_anothers_by_now_stays_in_the_bin_and_the_other_is_named(
    leads: LeadService, act: Act, owner: asyncpg.Connection, whole: Callable[[], Awaitable[None]]
) -> None:
    first, second = await some(leads, 2)
    company = (await leads.create(a_lead(email=None, domain="ahorn.com"), source=Source.API)).id
    await act(BulkAction.DELETE, [first, second, company])
    live = await leads.create(a_lead(email="0@acme.com"), source=Source.API)
    twin = await leads.create(a_lead(email=None, domain="ahorn.com"), source=Source.API)
    await leads.delete(twin.id)

    job = await act(BulkAction.RESTORE, [first, second, company, twin.id])

    assert await counts(job) == {"done": 2, "taken": 2}
    about = await owner.fetch("SELECT lead_id, about FROM bulk_items WHERE job_id = $1 AND outcome = 'taken'", job.id)
    assert {(row["lead_id"], row["about"]) for row in about} == {(first, live.id), (twin.id, company)}
    await whole()


async def test_what_somebody_else_said_of_it_since_is_a_conflict_and_stays(
    leads: LeadService, act: Act, ben: RequestContext, owner: asyncpg.Connection
) -> None:
    seen = dict.fromkeys(await some(leads, 4), 1)
    stage, phone, same, mine = seen
    with acting_as(ben):
        await leads.update(stage, LeadUpdate(stage="lost"))
        await leads.update(phone, LeadUpdate(phone="+49 30 1234567"))
        await leads.update(same, LeadUpdate(stage="won"))
    await leads.update(mine, LeadUpdate(stage="contacted"))

    job = await act(WON, seen)

    assert await counts(job) == {"conflict": 1, "done": 2, "unchanged": 1}
    assert [(await leads.get(one)).stage for one in seen] == ["lost", "won", "won", "won"]
    entry = await owner.fetchval("SELECT id FROM audit_log WHERE subject_id = $1 AND seq = 2", stage)
    assert job.result is not None
    assert job.result["rows"][0] == {"lead_id": str(stage), "outcome": "conflict", "about": str(entry)}


@pytest.mark.parametrize(
    ("asked", "change", "outcome"),
    [
        (Asked.parsed(BulkAction.ADD_TAGS, {"tags": ["vip"]}), {"tags": ["fair", "old"]}, "done"),
        (Asked.parsed(BulkAction.ADD_TAGS, {"tags": ["old"]}), {"tags": []}, "conflict"),
        (Asked.parsed(BulkAction.REMOVE_TAGS, {"tags": ["fair"]}), {"tags": ["old", "Fair"]}, "conflict"),
        (Asked(BulkAction.DELETE), {"city": "Berlin"}, "conflict"),
        (Asked.parsed(BulkAction.SET_FOLLOW_UP, {"follow_up_on": None}), {"follow_up_on": "2026-12-24"}, "conflict"),
        (Asked.parsed(BulkAction.SET_FOLLOW_UP, {"follow_up_on": "2026-12-01"}), {"stage": "won"}, "done"),
        (Asked(BulkAction.ENRICH), {"stage": "won"}, "started"),
    ],
)
async def test_only_the_very_thing_conflicts(
    leads: LeadService, act: Act, ben: RequestContext, asked: Asked, change: dict[str, Any], outcome: str
) -> None:
    seen = dict.fromkeys(await some(leads, 1, tags=["old"]), 1)
    with acting_as(ben):
        await leads.update(next(iter(seen)), LeadUpdate(**change))

    assert await counts(await act(asked, seen)) == {outcome: 1}


async def test_of_everything_that_matches_the_version_of_the_click_counts(
    database: Database, leads: LeadService, ben: RequestContext
) -> None:
    before, after = await some(leads, 2)
    with acting_as(ben):
        await leads.update(before, LeadUpdate(stage="contacted"))
    job = await bulk.start(database, WON, LeadFilter.from_query({"domain": ["acme.com"]}))
    with acting_as(ben):
        await leads.update(after, LeadUpdate(stage="lost"))
        await leads.create(a_lead(email="later@acme.com"), source=Source.API)

    ended = await run(database, job)

    assert await counts(ended) == {"done": 1, "conflict": 1}
    assert [(await leads.get(one)).stage for one in (before, after)] == ["won", "lost"]


async def test_more_tags_than_fit_are_refused_for_that_lead_alone(leads: LeadService, act: Act) -> None:
    (full,) = await some(leads, 1, tags=[f"tag {n}" for n in range(50)])
    free = await leads.create(a_lead(email="free@acme.com"), source=Source.API)

    assert await counts(await act(BulkAction.ADD_TAGS, [full, free.id], tags=["one more"])) == {
        "too_many_tags": 1,
        "done": 1,
    }


@pytest.mark.parametrize(
    ("action", "values", "field"),
    [
        (BulkAction.SET_STAGE, {}, "values.stage"),
        (BulkAction.SET_STAGE, {"stage": "golden"}, "values.stage"),
        (BulkAction.SET_STAGE, {"stage": "won", "city": "Berlin"}, "values.city"),
        (BulkAction.SET_OWNER, {"owner_id": "me"}, "values.owner_id"),
        (BulkAction.ADD_TAGS, {"tags": []}, "values.tags"),
        (BulkAction.SET_FOLLOW_UP, {}, "values.follow_up_on"),
        (BulkAction.DELETE, {"stage": "won"}, "values"),
    ],
)
async def test_a_value_that_cannot_be_meant_is_named(action: BulkAction, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Asked.parsed(action, values)

    assert refused.value.errors[0].field == field


@pytest.mark.parametrize("step", ["_next", "_act"])
async def test_a_worker_killed_at_any_step_is_taken_over_and_nothing_is_done_twice(
    database: Database,
    leads: LeadService,
    monkeypatch: pytest.MonkeyPatch,
    whole: Callable[[], Awaitable[None]],
    step: str,
) -> None:
    monkeypatch.setattr(bulk_job, "BATCH", 2)
    ids = await some(leads, 5)
    job = await bulk.start(database, WON, ids)
    real = getattr(BulkHandler, step)

    for dies_at in range(3):
        calls = iter(range(9))

        async def dies(*given: Any, at: int = dies_at, calls: Iterator[int] = calls) -> Any:
            done = await real(*given)
            if next(calls) >= min(at, 1):
                raise RuntimeError("killed")
            return done

        monkeypatch.setattr(BulkHandler, step, dies)
        with pytest.raises(RuntimeError):
            await run(database, job)
    monkeypatch.setattr(BulkHandler, step, real)
    ended = await run(database, job)

    assert await counts(ended) == {"done": 5}
    assert {(await leads.get(one)).version for one in ids} == {2}
    await whole()


async def test_two_bulks_that_cross_both_end_and_no_lead_is_written_out_of_turn(
    database: Database, leads: LeadService, monkeypatch: pytest.MonkeyPatch, whole: Callable[[], Awaitable[None]]
) -> None:
    monkeypatch.setattr(bulk_job, "BATCH", 20)
    ids = await some(leads, 60)
    tags = [Asked.parsed(BulkAction.ADD_TAGS, {"tags": [tag]}) for tag in ("one", "two")]
    jobs = [await bulk.start(database, asked, some_ids) for asked, some_ids in zip(tags, (ids, ids[::-1]), strict=True)]

    ended = await asyncio.gather(*(run(database, job) for job in jobs))

    assert [await counts(job) for job in ended] == [{"done": 60}, {"done": 60}]
    assert {tuple(sorted((await leads.get(one)).tags)) for one in ids} == {("one", "two")}
    await whole()


async def test_two_restores_of_twins_leave_one_of_each_alive(
    database: Database, leads: LeadService, monkeypatch: pytest.MonkeyPatch, whole: Callable[[], Awaitable[None]]
) -> None:
    first = await some(leads, 20)
    await bulk.start(database, Asked(BulkAction.DELETE), first, at_once=50)
    second = await some(leads, 20)
    await bulk.start(database, Asked(BulkAction.DELETE), second, at_once=50)
    jobs = [await bulk.start(database, Asked(BulkAction.RESTORE), some_ids) for some_ids in (first, second[::-1])]

    ended = await asyncio.gather(*(run(database, job) for job in jobs))

    totals = [await counts(job) for job in ended]
    assert sum(each.get("done", 0) for each in totals) == 20
    assert sum(each.get("taken", 0) for each in totals) == 20
    await whole()


async def run(database: Database, job: JobRead) -> JobRead:
    """What a worker does with the job; and how it stands then."""
    async with database.transaction() as session:
        mine = await queue.take(session, job.id)
    assert mine is not None
    with acting_as(in_the_name_of(mine)):
        await BulkHandler(database).run(mine)
    async with database.transaction() as session:
        ended = await queue.find(session, job.id)
    assert ended is not None
    return ended
