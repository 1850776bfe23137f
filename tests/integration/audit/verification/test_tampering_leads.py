"""Leads, users and tokens are changed past the app: each is found, and named by its column."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from leads_core.database import new_id
from tests.integration.audit.verification.tampering import Found, Scene, moment

STRANGER = UUID("0193f5a0-0000-7000-8000-00000000dead")
LATER = moment("2026-11-25T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "eve@acme.com"),
        ("domain", "evil.com"),
        ("company_name", None),
        ("phone", "+491"),
        ("job_title", "Trainee"),
        ("employee_count", 7),
        ("description", "Weapons"),
        ("notes", ""),
        ("tags", ["pilot", "vip"]),
        ("stage", "lost"),
        ("owner_id", STRANGER),
        ("follow_up_on", LATER.date()),
        ("is_manual", True),
        ("source", "api"),
        ("enrichment_status", "failed"),
        ("enrichment_task_id", STRANGER),
        ("merged_into", STRANGER),
        ("created_at", LATER),
        ("created_by", STRANGER),
        ("updated_at", LATER),
        ("updated_by", STRANGER),
        ("erased_at", LATER),
        ("erased_by", STRANGER),
        ("provenance", json.dumps({"city": {"source": "person"}})),
    ],
)
async def test_a_column_is_changed(scene: Scene, column: str, value: object) -> None:
    acme = scene.history.acme

    await scene.change_lead(acme, **{column: value})

    assert await scene.found() == [Found("lead_changed", None, acme, column)]


async def test_a_machines_confidence_is_changed(scene: Scene) -> None:
    bo = scene.history.bo
    (row,) = await scene.rows("SELECT provenance FROM leads WHERE id = $1", UUID(bo))
    provenance = json.loads(row["provenance"])
    provenance["city"]["confidence"] = 99

    await scene.change_lead(bo, provenance=json.dumps(provenance))

    assert await scene.found() == [Found("lead_changed", None, bo, "provenance")]


@pytest.mark.parametrize("version", [4, 6], ids=["lower", "higher"])
async def test_the_version_is_changed(scene: Scene, version: int) -> None:
    acme = scene.history.acme

    await scene.change_lead(acme, version=version)

    (found,) = await scene.found()
    assert (found.kind, found.subject) == ("lead_changed", acme)
    assert "version" in (found.field or "")


async def test_a_lead_comes_out_of_the_bin(scene: Scene) -> None:
    dora = scene.history.dora

    await scene.change_lead(dora, deleted_at=None, deleted_by=None)

    assert await scene.found() == [Found("lead_changed", None, dora, "deleted_at, deleted_by")]


async def test_a_lead_goes_into_the_bin(scene: Scene) -> None:
    acme = scene.history.acme

    await scene.change_lead(acme, deleted_at=LATER, deleted_by=STRANGER)

    assert await scene.found() == [Found("lead_changed", None, acme, "deleted_at, deleted_by")]


async def test_a_lead_is_changed_and_its_version_raised(scene: Scene) -> None:
    """As the app would, but for the entry; the foreign key was asleep."""
    acme = scene.history.acme

    await scene.change_lead(acme, stage="lost", version=6, updated_at=LATER)

    (found,) = await scene.found()
    assert (found.kind, found.subject) == ("lead_changed", acme)
    assert {"stage", "version", "updated_at"} == set((found.field or "").split(", "))


async def test_a_lead_is_changed_and_then_honestly_changed_again(scene: Scene) -> None:
    """The next entry, the app's own, found an old value that no entry had left there."""
    acme = scene.history.acme
    await scene.change_lead(acme, city="Berlin")

    await scene.change(acme, city="Köln")
    await scene.verification.sequence()

    (found,) = await scene.found()
    assert (found.kind, found.subject, found.field) == ("lead_changed", acme, "city")


async def test_a_lead_is_removed(scene: Scene) -> None:
    acme = scene.history.acme

    await scene.sql("DELETE FROM leads WHERE id = $1", UUID(acme))

    assert await scene.found() == [Found("lead_missing", scene.history.entry(acme, 5), acme)]


async def test_a_lead_is_put_in(scene: Scene) -> None:
    forged = await _copy_of_acme(scene, email="eve@evil.com")

    assert await scene.found() == [Found("lead_untracked", None, forged)]


async def test_two_leads_change_places(scene: Scene) -> None:
    """Each stands under the other's id: two leads that are not what their entries say."""
    acme, chen = scene.history.acme, scene.history.chen

    for lead, other in ((acme, str(STRANGER)), (chen, acme), (str(STRANGER), chen)):
        await scene.change_lead(lead, id=UUID(other))

    assert sorted((each.kind, each.subject) for each in await scene.found()) == sorted(
        [("lead_changed", acme), ("lead_changed", chen)]
    )


async def test_a_lead_stands_under_another_id(scene: Scene) -> None:
    """Its entries lead nowhere, and it comes from nowhere."""
    acme = scene.history.acme

    await scene.change_lead(acme, id=STRANGER)

    found = await scene.found()
    assert sorted((each.kind, each.subject) for each in found) == [
        ("lead_missing", acme),
        ("lead_untracked", str(STRANGER)),
    ]


async def test_every_imported_lead_is_changed(scene: Scene) -> None:
    await scene.sql("UPDATE leads SET city = 'Neu-Ulm' WHERE id = ANY($1)", [UUID(x) for x in scene.history.imported])

    found = await scene.found()

    assert {each.subject for each in found} == set(scene.history.imported)
    assert {(each.kind, each.field) for each in found} == {("lead_changed", "city")}


@pytest.mark.parametrize(
    ("column", "value"), [("role", "viewer"), ("name", "Eve"), ("email", "eve@example.com"), ("disabled_at", LATER)]
)
async def test_a_user_is_changed(scene: Scene, column: str, value: object) -> None:
    user = scene.history.user

    await scene.sql(f"UPDATE users SET {column} = $2 WHERE id = $1", UUID(user), value)

    assert await scene.found() == [Found("account_changed", None, user, column)]


@pytest.mark.parametrize(("column", "value"), [("scopes", ["audit:read"]), ("name", "Other"), ("expires_at", LATER)])
async def test_a_token_is_changed(scene: Scene, column: str, value: object) -> None:
    token = scene.history.token

    await scene.sql(f"UPDATE api_tokens SET {column} = $2 WHERE id = $1", UUID(token), value)

    assert await scene.found() == [Found("account_changed", None, token, column)]


async def test_a_user_is_put_in(scene: Scene) -> None:
    """An administrator whom nobody added."""
    stranger = new_id()

    await scene.sql(
        """INSERT INTO users SELECT (jsonb_populate_record(u, jsonb_build_object('id', $2::uuid, 'email', 'e@e.com'))).*
           FROM users u WHERE id = $1""",
        UUID(scene.history.user),
        stranger,
    )

    assert await scene.found() == [Found("account_untracked", None, str(stranger))]


async def _copy_of_acme(scene: Scene, **other: Any) -> str:
    """A lead as good as any, but for its trail."""
    forged = new_id()
    names = [row["column_name"] for row in await scene.rows(
        """SELECT column_name FROM information_schema.columns
           WHERE table_name = 'leads' AND is_generated = 'NEVER' AND column_name NOT IN ('arrival')"""
    )]  # fmt: skip
    values = {"id": forged, **other}
    chosen = ", ".join(f"${list(values).index(name) + 2}" if name in values else name for name in names)
    await scene.sql(
        f"INSERT INTO leads ({', '.join(names)}) SELECT {chosen} FROM leads WHERE id = $1",
        UUID(scene.history.acme),
        *values.values(),
    )
    return str(forged)
