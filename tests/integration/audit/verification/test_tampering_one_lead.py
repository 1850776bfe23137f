"""One lead recomputed by itself, as its seal shows it: its own wounds are seen, another lead's are not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from leads_core.audit.verification.verifier import verify_lead
from leads_core.database import asyncpg_url
from tests.integration.audit.verification.tampering import Found, Scene

Tamper = Callable[[Scene], Awaitable[Found]]


async def _edit(scene: Scene) -> Found:
    entry = scene.history.entry(scene.history.acme, 2)
    await scene.edit_part(entry, "data", "stage", "lost")
    return Found("edited", entry, scene.history.acme, "stage")


async def _remove(scene: Scene) -> Found:
    entry = scene.history.entry(scene.history.acme, 3)
    await scene.remove(entry)
    return Found("removed", entry, scene.history.acme)


async def _remove_last(scene: Scene) -> Found:
    entry = scene.history.entry(scene.history.acme, 5)
    await scene.remove(entry)
    return Found("removed", entry, scene.history.acme)


async def _change(scene: Scene) -> Found:
    await scene.change_lead(scene.history.acme, city="Berlin")
    return Found("lead_changed", None, scene.history.acme, "city")


async def _remove_lead(scene: Scene) -> Found:
    await scene.sql("DELETE FROM leads WHERE id = $1", UUID(scene.history.acme))
    return Found("lead_missing", scene.history.entry(scene.history.acme, 5), scene.history.acme)


async def _remove_trail(scene: Scene) -> Found:
    await scene.remove(*scene.history.entries[scene.history.acme])
    return Found("removed", scene.history.entry(scene.history.acme, 1), scene.history.acme)


async def _forge(scene: Scene) -> Found:
    entry = scene.history.entry(scene.history.acme, 4)
    await scene.edit(entry, mac=bytes(36))
    return Found("forged", entry, scene.history.acme, "mac")


TAMPERINGS = (_edit, _remove, _remove_last, _change, _remove_lead, _remove_trail, _forge)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__.strip("_").replace("_", " "))
async def test_a_broken_lead_is_seen_by_itself(scene: Scene, tamper: Tamper) -> None:
    expected = await tamper(scene)

    assert await _found(scene, scene.history.acme) == [expected]
    assert await _found(scene, scene.history.chen) == []
    assert await scene.found() == [expected]


async def test_a_whole_lead_is_sealed(scene: Scene) -> None:
    connection = await asyncpg.connect(asyncpg_url(scene.verification.database.url))
    report = await verify_lead(connection, scene.verification.trusted, UUID(scene.history.acme))
    await connection.close()

    assert (report.ok, report.entries, report.sealed, report.unsealed) == (True, 5, 5, 0)


async def _found(scene: Scene, lead: str) -> list[Found]:
    connection = await asyncpg.connect(asyncpg_url(scene.verification.database.url))
    try:
        report = await verify_lead(connection, scene.verification.trusted, UUID(lead))
    finally:
        await connection.close()
    return [Found(each.kind.value, each.entry, each.subject, each.field) for each in report.findings]
