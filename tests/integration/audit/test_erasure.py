"""Erasing and verifying: an honest erasure is clean, one undone by a backup or done by hand is found and named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.audit.record import entry as record
from leads_core.context import RequestContext, acting_as
from leads_core.database import Database
from leads_core.erasing import Erasing, Erasure
from leads_core.errors import Unauthenticated
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.integration.audit.verification.conftest import Verification, verification

__all__ = ["verification"]

pytestmark = pytest.mark.usefixtures("acting")

PERSON = {"email": "zoe@acme.com", "contact_name": "Zoë Quixote", "notes": "likes lentils", "city": "Toledo"}
EVERYTHING = Erasure(frozenset({"person", "text", "data"}))


@pytest.fixture
def erasing(database: Database) -> Erasing:
    return Erasing(database)


@pytest.fixture
async def zoe(leads: LeadService) -> LeadRead:
    lead = await leads.create(a_lead(**PERSON), source=Source.FORM)
    await leads.update(lead.id, LeadUpdate(job_title="Knight", stage="qualified"))
    return await leads.update(lead.id, LeadUpdate(notes="likes stew"))


async def found(verification: Verification) -> list[tuple[str, str | None, str | None, str | None]]:
    report = await verification.report()
    return [(finding.kind.value, finding.entry, finding.subject, finding.field) for finding in report.findings]


async def parts_of(owner: asyncpg.Connection, subject_id: UUID) -> dict[UUID, dict[str, Any]]:
    rows = await owner.fetch("SELECT id, parts FROM audit_log WHERE subject_id = $1 ORDER BY seq", subject_id)
    return {row["id"]: json.loads(row["parts"]) for row in rows}


async def put_back(owner: asyncpg.Connection, parts: Mapping[UUID, Mapping[str, Any]]) -> None:
    """As a backup would: past every guard."""
    await owner.execute("SET session_replication_role = replica")
    for entry_id, content in parts.items():
        await owner.execute("UPDATE audit_log SET parts = $1 WHERE id = $2", json.dumps(content), entry_id)
    await owner.execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize(
    "wanted",
    [Erasure(), Erasure(frozenset({"text"})), Erasure(frozenset({"data"}), frozenset({"domain"})), EVERYTHING],
    ids=["person", "text", "data but the domain", "everything"],
)
async def test_an_erased_lead_verifies(
    verification: Verification, erasing: Erasing, leads: LeadService, zoe: LeadRead, wanted: Erasure
) -> None:
    await verification.sequence()

    await erasing.erase_lead(zoe.id, wanted)
    await leads.update(zoe.id, LeadUpdate(stage="won", phone="+34911222333"))
    await verification.sequence()

    assert await found(verification) == []


async def test_an_erasure_of_what_was_erased_before_verifies(
    verification: Verification, erasing: Erasing, leads: LeadService, zoe: LeadRead
) -> None:
    await erasing.erase_lead(zoe.id, Erasure(keep=frozenset({"job_title"})))
    await leads.update(zoe.id, LeadUpdate(contact_name="Zoë"))
    await leads.delete(zoe.id)
    await erasing.erase_lead(zoe.id, EVERYTHING)
    await leads.restore(zoe.id)
    await verification.sequence()

    assert await found(verification) == []


async def test_a_lead_that_was_erased_while_it_was_enriched_verifies(
    verification: Verification, erasing: Erasing, leads: LeadService, zoe: LeadRead
) -> None:
    await leads.enrich(zoe.id)

    await erasing.erase_lead(zoe.id, EVERYTHING)
    await verification.sequence()

    assert await found(verification) == []


async def test_an_erased_user_verifies(
    verification: Verification,
    database: Database,
    erasing: Erasing,
    leads: LeadService,
    ana: RequestContext,
) -> None:
    sancho = await _sancho(database, leads, ana)

    await erasing.erase_user(sancho.id, release_leads=True)
    await verification.sequence()

    assert await found(verification) == []


async def test_a_backup_that_brings_a_value_back_is_found_by_entry_lead_and_part(
    verification: Verification, owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead
) -> None:
    before = await parts_of(owner, zoe.id)
    await erasing.erase_lead(zoe.id, Erasure(frozenset({"person", "text"})))
    await verification.sequence()

    added = next(iter(before))
    await put_back(owner, {added: before[added]})
    one_entry = await found(verification)
    await put_back(owner, before)
    all_entries = await found(verification)

    assert set(one_entry) == {
        ("unerased", str(added), str(zoe.id), "person"),
        ("unerased", str(added), str(zoe.id), "text"),
    }
    assert set(all_entries) == set(one_entry)


async def test_a_backup_that_brings_the_lead_back_is_found_by_field(
    verification: Verification, owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead
) -> None:
    await erasing.erase_lead(zoe.id, Erasure())
    await verification.sequence()

    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE leads SET email = 'zoe@acme.com', erased_at = NULL WHERE id = $1", zoe.id)
    await owner.execute("SET session_replication_role = DEFAULT")

    findings = await found(verification)
    assert {kind for kind, *_ in findings} == {"lead_changed"}
    assert {field for *_, fields in findings for field in (fields or "").split(", ")} == {"email", "erased_at"}


async def test_a_whole_backup_from_before_the_erasure_is_a_rollback(
    verification: Verification, owner: asyncpg.Connection, erasing: Erasing, zoe: LeadRead
) -> None:
    await verification.sequence()
    before, checkpoints = (
        await parts_of(owner, zoe.id),
        await owner.fetchval("SELECT max(number) FROM audit_checkpoints"),
    )
    leaves = await owner.fetchval("SELECT max(leaf_index) FROM audit_leaves")
    await erasing.erase_lead(zoe.id, Erasure())
    await verification.sequence()

    await put_back(owner, before)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM audit_log WHERE action = 'ERASE'")
    await owner.execute("DELETE FROM audit_leaves WHERE leaf_index > $1", leaves)
    await owner.execute("DELETE FROM audit_checkpoints WHERE number > $1", checkpoints)
    await owner.execute(
        """UPDATE leads SET email = $2, contact_name = $3, job_title = $4, version = version - 1, erased_at = NULL,
           erased_by = NULL, updated_at = $5, updated_by = $6 WHERE id = $1""",
        zoe.id, zoe.email, zoe.contact_name, zoe.job_title, zoe.updated_at, zoe.updated_by,
    )  # fmt: skip
    await owner.execute("SET session_replication_role = DEFAULT")

    assert {kind for kind, *_ in await found(verification)} == {"rollback"}


async def test_a_part_that_was_taken_out_by_hand_is_found(
    verification: Verification, owner: asyncpg.Connection, zoe: LeadRead
) -> None:
    await verification.sequence()
    entry_id, parts = next(iter((await parts_of(owner, zoe.id)).items()))

    await owner.execute(
        "SELECT audit_erase_parts(ARRAY[$1::uuid], ARRAY['person'], ARRAY[$2])",
        entry_id,
        record.digest(parts["person"]),
    )

    assert await found(verification) == [("erased", str(entry_id), str(zoe.id), "person")]


async def test_an_erased_users_name_that_comes_back_is_found(
    verification: Verification,
    database: Database,
    owner: asyncpg.Connection,
    erasing: Erasing,
    leads: LeadService,
    ana: RequestContext,
) -> None:
    sancho = await _sancho(database, leads, ana)
    row = await owner.fetchrow("SELECT id, subject_id, parts FROM audit_log WHERE actor_id = $1 LIMIT 1", sancho.id)
    await erasing.erase_user(sancho.id)
    await verification.sequence()

    await put_back(owner, {row["id"]: json.loads(row["parts"])})

    assert await found(verification) == [("unerased", str(row["id"]), str(row["subject_id"]), "origin")]


async def _sancho(database: Database, leads: LeadService, ana: RequestContext) -> UserRead:
    """A user who failed to sign in once, owns a lead, and changed it by a token."""
    accounts = Accounts(database)
    user = await accounts.add("Sancho", Role.EDITOR, email="sancho@example.com", password="a long enough password")
    door = SigningIn(database, Sessions(database, "secret"), tries_a_minute=0)
    nobody = replace(ana, actor_kind="anonymous", actor_id=None, actor_name=None)
    with acting_as(nobody), pytest.raises(Unauthenticated):
        await door.with_password("sancho@example.com", "wrong")
    with acting_as(replace(ana, actor_id=user.id, actor_name="Sancho")):
        lead = await leads.create(a_lead(owner_id=user.id), source=Source.FORM)
        token = await Tokens(database).create(user.id, "Sancho's laptop", [Scope.LEADS_WRITE])
    with acting_as(replace(ana, actor_kind="token", actor_id=token.id, actor_name="Sancho's laptop")):
        await leads.update(lead.id, LeadUpdate(city="Toledo"))
    return await accounts.get(user.id)
