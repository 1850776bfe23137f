"""Merges in a verification: whole ones replay, also erased or undone, and what is changed past the app is found."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from leads_core.audit.operations import Operation
from leads_core.context import acting_as
from leads_core.erasing import Erasing, Erasure
from leads_core.leads.merging import Merge
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from leads_core.undoing import Undoing
from tests.builders import a_lead, an_actor
from tests.integration.audit.verification.conftest import Verification
from tests.integration.audit.verification.history import guards_asleep
from tests.integration.audit.verification.tampering import moment

pytestmark = pytest.mark.usefixtures("acting")

EVERYTHING = Erasure(frozenset({"person", "text", "data"}))
LATER = moment("2026-11-25T00:00:00.000000Z")


@pytest.fixture
async def pair(leads: LeadService) -> tuple[LeadRead, LeadRead]:
    """The lead that stays, and the one that was merged into it."""
    kept = await leads.create(a_lead(), source=Source.FORM)
    gone = await leads.create(a_lead(email="ana@acme.de", phone="+49301234567", city="Ulm"), source=Source.FORM)
    with acting_as(an_actor(request_id="the merge")):
        return await leads.merge(kept.id, gone.id, Merge(sides={"email": "theirs"}))


async def found(verification: Verification) -> list[tuple[str, str | None, str | None]]:
    await verification.sequence()
    return [(each.kind.value, each.subject, each.field) for each in (await verification.report()).findings]


async def test_a_merge_is_whole(verification: Verification, pair: tuple[LeadRead, LeadRead]) -> None:
    assert await found(verification) == []


@pytest.mark.parametrize("which", [0, 1], ids=["the one that stays", "the one that went"])
@pytest.mark.parametrize("wanted", [Erasure(), EVERYTHING], ids=["person", "everything"])
async def test_an_erased_merge_is_whole_and_still_says_that_it_is_in_the_bin(
    verification: Verification, pair: tuple[LeadRead, LeadRead], owner: asyncpg.Connection, which: int, wanted: Erasure
) -> None:
    erased = await Erasing(verification.database).erase_lead(pair[which].id, wanted)

    assert (erased.merged_into, erased.is_deleted) == (pair[which].merged_into, pair[which].is_deleted)
    assert await found(verification) == []

    await change(owner, pair[which].id, deleted_at=LATER)
    assert [(kind, field) for kind, _, field in await found(verification)] == [("lead_changed", "deleted_at")]


async def test_one_that_is_restored_changed_and_merged_again_is_whole(
    verification: Verification, pair: tuple[LeadRead, LeadRead], leads: LeadService
) -> None:
    kept, gone = pair
    await leads.update(kept.id, LeadUpdate(email="ana@acme.com"))
    await leads.restore(gone.id)
    await leads.merge(gone.id, kept.id, Merge())

    assert await found(verification) == []


async def test_one_that_is_undone_is_whole_and_as_before(
    verification: Verification, pair: tuple[LeadRead, LeadRead], leads: LeadService
) -> None:
    await Undoing(verification.database).undo(Operation(request_id="the merge"))

    kept, gone = [await leads.get(one.id) for one in pair]
    assert (kept.email, kept.phone, gone.merged_into) == ("ana@acme.com", None, None)
    assert await found(verification) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("merged_into", None), ("merged_into", UUID(int=7)), ("deleted_at", LATER), ("deleted_by", None)],
)
async def test_a_merged_lead_that_is_changed_past_the_app_is_found(
    verification: Verification,
    pair: tuple[LeadRead, LeadRead],
    owner: asyncpg.Connection,
    column: str,
    value: object,
) -> None:
    await change(owner, pair[1].id, **{column: value})

    assert await found(verification) == [("lead_changed", str(pair[1].id), column)]


async def change(owner: asyncpg.Connection, lead_id: UUID, **columns: object) -> None:
    async with guards_asleep(owner):
        for column, value in columns.items():
            await owner.execute(f"UPDATE leads SET {column} = $2 WHERE id = $1", lead_id, value)
