"""What each person chose is kept for them alone, and goes with them."""

from __future__ import annotations

import asyncio

import pytest

from leads_core.accounts.preferences import Name, preferences_of, set_preference
from leads_core.accounts.schemas import UserRead
from leads_core.database import Database
from leads_core.erasing import Erasing

pytestmark = pytest.mark.usefixtures("acting")


async def choose(database: Database, user: UserRead, name: Name, value: object) -> None:
    async with database.transaction() as session:
        await set_preference(session, user.id, name, value)


async def test_what_one_person_chose_is_the_same_by_either_way_of_reading_and_nobody_elses(
    database: Database, admin: UserRead, editor: UserRead
) -> None:
    await choose(database, admin, "columns", [["company", 240], ["owner", None]])
    await choose(database, admin, "single_keys", False)

    async with database.reader() as reader, database.transaction() as session:
        found = [await preferences_of(reader, admin.id), await preferences_of(session, admin.id)]
        other = await preferences_of(reader, editor.id)
    assert found == [{"columns": [["company", 240], ["owner", None]], "single_keys": False}] * 2
    assert other == {}


async def test_the_last_choice_stands_also_when_two_windows_choose_at_once(database: Database, admin: UserRead) -> None:
    await asyncio.gather(*(choose(database, admin, "density", word) for word in ("compact", "roomy") * 3))
    await choose(database, admin, "density", "roomy")

    async with database.reader() as reader:
        assert await preferences_of(reader, admin.id) == {"density": "roomy"}


async def test_a_choice_taken_back_is_none(database: Database, admin: UserRead) -> None:
    await choose(database, admin, "density", "roomy")
    await choose(database, admin, "density", None)

    async with database.reader() as reader:
        assert await preferences_of(reader, admin.id) == {}


async def test_an_erased_person_has_none(database: Database, admin: UserRead, editor: UserRead) -> None:
    await choose(database, admin, "density", "roomy")
    await choose(database, editor, "density", "compact")

    await Erasing(database).erase_user(editor.id)

    async with database.reader() as reader:
        assert await preferences_of(reader, editor.id) == {}
        assert await preferences_of(reader, admin.id) == {"density": "roomy"}
