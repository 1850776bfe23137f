"""The trail over everything: every filter gives what the obvious way gives, page by page, forth and back."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.accounts import trail_entries
from leads_core.audit import export_entries, searching, walking
from leads_core.audit.entry_filter import FIELDS, EntryFilter
from leads_core.audit.models import Action, SubjectKind
from leads_core.audit.searching import EntryPage, count, page_of_entries, pages_of_ids
from leads_core.database import Database
from leads_core.errors import Invalid
from leads_core.paging import Cursors, Total
from tests.integration.audit.trail_data import (
    JOBS,
    LEADS,
    REQUESTS,
    TOKENS,
    USERS,
    Entry,
    matching,
    some_entries,
    write,
)

CURSORS = Cursors("a secret for tests")
#: What each filter may ask for.
CHOICES: dict[str, list[str]] = {
    "actor": [*map(str, USERS), *map(str, TOKENS), "system", "me"],
    "actor_kind": ["user", "token", "system", "anonymous"],
    "action": [action.value for action in Action],
    "channel": ["web", "api", "import", "cli", "worker"],
    "subject_kind": [kind.value for kind in SubjectKind],
    "subject_id": [*map(str, LEADS[:5]), str(USERS[0])],
    "field": ["stage", "city", "email", "role"],
    "occurred_from": ["2026-11-03", "2026-11-05T12:00:00Z"],
    "occurred_to": ["2026-11-07", "2026-11-05T18:00:00+02:00"],
    "task_id": [*map(str, JOBS)],
    "request_id": [*REQUESTS[:3]],
}


@pytest.fixture
async def entries(database: Database, owner: asyncpg.Connection) -> list[Entry]:
    entries = some_entries(1_500, seed=7)
    await write(owner, entries)
    return entries


def asked(**given: str | list[str]) -> EntryFilter:
    parameters = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return EntryFilter.from_query(parameters, me=USERS[0])


def at_random(chance: random.Random) -> EntryFilter:
    """One to three filters together."""
    names = chance.sample(sorted(CHOICES), chance.choice([1, 1, 2, 3]))
    several = {"action", "channel", "subject_kind"}
    return asked(**{name: chance.sample(CHOICES[name], 2 if name in several else 1) for name in names})


async def page(database: Database, wanted: EntryFilter, cursor: str | None = None, limit: int = 50) -> EntryPage:
    async with database.reader() as reader:
        return await page_of_entries(reader, wanted, cursor, limit, cursors=CURSORS, with_origin=True)


async def walked(
    database: Database,
    wanted: EntryFilter,
    limit: int,
    onward: Callable[[EntryPage], str | None],
    at: str | None = None,
) -> tuple[list[list[UUID]], EntryPage]:
    """The ids of every page from here on, and the last page."""
    pages = []
    while True:
        found = await page(database, wanted, at, limit)
        pages.append([entry.id for entry in found.items])
        at = onward(found)
        if at is None:
            return pages, found


def older(found: EntryPage) -> str | None:
    return found.next_cursor


def newer(found: EntryPage) -> str | None:
    return found.previous_cursor


@pytest.mark.parametrize("seed", range(12))
async def test_every_filter_gives_what_the_obvious_way_gives(
    database: Database, entries: list[Entry], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - made up
    for wanted in [at_random(chance) for _ in range(12)]:
        pages, _ = await walked(database, wanted, 200, older)
        expected = matching(entries, wanted)
        assert [one for ids in pages for one in ids] == expected, wanted
        async with database.reader() as reader:
            assert await count(reader, wanted) == Total(len(expected), "exact"), wanted


@pytest.mark.parametrize("seed", range(6))
async def test_a_rare_combination_is_searched_piece_by_piece_and_nothing_is_missed(
    database: Database, entries: list[Entry], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (walking, searching):
        monkeypatch.setattr(module, "WALK", 40)
    chance = random.Random(100 + seed)  # noqa: S311 - made up
    for wanted in [at_random(chance) for _ in range(6)]:
        pages, last = await walked(database, wanted, 20, older)
        assert [one for ids in pages for one in ids] == matching(entries, wanted), wanted
        if last.previous_cursor is not None:
            back, _ = await walked(database, wanted, 20, newer, last.previous_cursor)
            # Back at the top the first page is a full one, so it may say again what the page after it said.
            seen = {one for ids in back for one in ids} | set(pages[-1])
            assert seen == set(matching(entries, wanted)), wanted


async def test_a_page_that_is_not_full_says_how_far_back_it_looked(
    database: Database, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "WALK", 100)

    found = await page(database, asked(channel="worker", field="role"))

    hundredth = sorted((entry["id"] for entry in entries), reverse=True)[99]
    assert found.searched_to == walking.time_of(hundredth)
    assert found.next_cursor is not None
    assert found.total is not None
    assert found.total.relation == "at_least"


async def test_pages_go_back_the_way_they_came(database: Database, entries: list[Entry]) -> None:
    for wanted in (asked(), asked(actor=str(USERS[1])), asked(action=["DELETE", "RESTORE", "SIGN_IN"])):
        pages, last = await walked(database, wanted, 20, older)
        assert last.previous_cursor is not None
        back, first = await walked(database, wanted, 20, newer, last.previous_cursor)
        assert back[::-1] == pages[:-1]
        assert first.previous_cursor is None


async def test_an_entry_that_comes_meanwhile_moves_no_page(
    database: Database, owner: asyncpg.Connection, entries: list[Entry]
) -> None:
    first = await page(database, asked())
    second = await page(database, asked(), first.next_cursor)

    newest = {**entries[-1], "id": UUID(int=max(entry["id"].int for entry in entries) + 1), "seq": None}
    await write(owner, [newest])

    assert (await page(database, asked())).items[0].id == newest["id"]
    assert await page(database, asked(), first.next_cursor) == second


async def test_a_cursor_of_another_filter_is_refused(database: Database, entries: list[Entry]) -> None:
    cursor = (await page(database, asked())).next_cursor

    with pytest.raises(Invalid, match=r"query\.cursor"):
        await page(database, asked(channel="web"), cursor)


async def test_an_export_takes_every_entry_once_oldest_first(
    database: Database, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "EXPORTED_AT_ONCE", 70)
    monkeypatch.setattr(walking, "WALK", 90)
    for wanted in (asked(), asked(channel="cli", field="stage"), asked(action=["DELETE", "SIGN_OUT"])):
        found = [one async for ids in pages_of_ids(database, wanted) for one in ids]
        assert found == matching(entries, wanted)[::-1]


async def test_everything_is_counted_from_the_log(database: Database, owner: asyncpg.Connection) -> None:
    entries = some_entries(30, seed=3)
    await write(owner, entries)
    ids = [entry["id"] for entry in entries]
    await owner.executemany(
        "INSERT INTO audit_leaves VALUES ($1, $2, $3)", [(place, one, b"c" * 32) for place, one in enumerate(ids[:20])]
    )
    await owner.executemany("INSERT INTO audit_pending VALUES ($1)", [(one,) for one in ids[20:29]])
    await owner.execute("INSERT INTO audit_rejected VALUES ($1, 'mac', now())", ids[29])

    async with database.reader() as reader:
        assert await count(reader, asked()) == Total(30, "exact")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"action": "EXPLODE"}, "query.action"),
        ({"actor": "rosa"}, "query.actor"),
        ({"channel": "fax"}, "query.channel"),
        ({"subject_kind": "planet"}, "query.subject_kind"),
        ({"subject_id": "12"}, "query.subject_id"),
        ({"field": "shoe_size"}, "query.field"),
        ({"occurred_from": "yesterday"}, "query.occurred_from"),
        ({"occurred_to": ["2026-11-01", "2026-11-02"]}, "query.occurred_to"),
        ({"task_id": "job"}, "query.task_id"),
        ({"request_id": "a\nb"}, "query.request_id"),
        ({"colour": "red"}, "query.colour"),
    ],
)
def test_a_filter_that_nothing_can_have_is_refused_by_its_name(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        asked(**given)

    assert [error.field for error in refused.value.errors] == [field]


def test_a_filter_written_as_a_query_reads_back_to_itself() -> None:
    chance = random.Random(5)  # noqa: S311 - made up
    for wanted in [at_random(chance) for _ in range(50)]:
        again: dict[str, list[str]] = {}
        for name, value in wanted.as_query():
            again.setdefault(name, []).append(value)
        assert EntryFilter.from_query(again) == wanted


def test_every_field_an_entry_can_hold_can_be_asked_for() -> None:
    assert set(trail_entries.PART_OF) | set(export_entries.PART_OF) <= FIELDS
