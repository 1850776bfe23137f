"""Erasing is the one change that an entry may see: done by hand, undone, or hidden, it is found and named."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from leads_core.audit.record import entry as record
from tests.integration.audit.verification.tampering import Found, Scene


@pytest.mark.parametrize("part", ["person", "text", "data"])
async def test_a_part_is_erased_by_hand(scene: Scene, part: str) -> None:
    """Its digest in its place: checksum, MAC and leaf still hold. Only the ERASE is missing."""
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await _erase(scene, entry, part)

    assert await scene.found() == [Found("erased", entry, acme, part)]


async def test_an_origin_is_erased_by_hand(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await _erase(scene, entry, "origin")

    assert await scene.found() == [Found("erased", entry, acme, "origin")]


async def test_a_part_is_erased_in_every_entry_by_hand(scene: Scene) -> None:
    """And the lead emptied, as if it had been honest: one cause."""
    acme = scene.history.acme
    entries = [scene.history.entry(acme, seq) for seq in (1, 2)]

    for entry in entries:
        await _erase(scene, entry, "person")

    assert await scene.found() == [Found("erased", entries[0], acme, "person")]


async def test_an_entry_after_the_erasure_is_erased_by_hand(scene: Scene) -> None:
    """The ERASE covers what was before it, not what came later."""
    eva = scene.history.eva
    entry = scene.history.entry(eva, 4)

    await _erase(scene, entry, "data")

    assert await scene.found() == [Found("erased", entry, eva, "data")]


async def test_a_part_that_the_erasure_does_not_name_is_erased_by_hand(scene: Scene) -> None:
    """Person and text were erased, data was not."""
    eva = scene.history.eva
    entry = scene.history.entry(eva, 1)

    await _erase(scene, entry, "data")

    assert await scene.found() == [Found("erased", entry, eva, "data")]


async def test_the_erasing_entry_is_removed(scene: Scene) -> None:
    """That parts are gone without an ERASE follows from its removal."""
    eva = scene.history.eva
    entry = scene.history.entry(eva, 3)

    await scene.remove(entry)

    assert await scene.found() == [Found("removed", entry, eva)]


async def test_the_erasing_entry_is_made_a_plain_update(scene: Scene) -> None:
    eva = scene.history.eva
    entry = scene.history.entry(eva, 3)

    await scene.edit(entry, action="UPDATE")

    assert await scene.found() == [Found("edited", entry, eva, "action")]


@pytest.mark.parametrize("part", ["person", "text"])
async def test_an_erased_part_is_put_back(scene: Scene, part: str) -> None:
    """From a backup: the value is the true one, so the checksum holds, and it must not be there."""
    eva = scene.history.eva
    entry = scene.history.entry(eva, 1)
    stolen = scene.history.before_erasure[entry]

    await scene.edit(entry, parts={**(await scene.entry(entry))["parts"], part: stolen[part]})

    assert await scene.found() == [Found("unerased", entry, eva, part)]


async def test_all_that_was_erased_is_put_back(scene: Scene) -> None:
    eva = scene.history.eva
    for entry in scene.history.entries[eva][:2]:
        await scene.edit(entry, parts=scene.history.before_erasure[entry])

    found = await scene.found()

    assert sorted(each.field or "" for each in found) == ["person", "text"]
    assert {(each.kind, each.subject) for each in found} == {("unerased", eva)}


async def test_an_erased_part_is_put_back_with_another_value(scene: Scene) -> None:
    eva = scene.history.eva
    entry = scene.history.entry(eva, 1)
    parts = (await scene.entry(entry))["parts"]
    invented = ["S" * 22, {"email": [None, "eve@eleven.com"]}]

    await scene.edit(entry, parts={**parts, "person": invented})

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("edited", entry, eva)


async def test_a_digest_is_replaced_by_another(scene: Scene) -> None:
    eva = scene.history.eva
    entry = scene.history.entry(eva, 1)
    parts = (await scene.entry(entry))["parts"]

    await scene.edit(entry, parts={**parts, "person": "0" * 64})

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("edited", entry, eva)


async def test_the_persons_values_are_put_back_into_the_lead(scene: Scene) -> None:
    """The trail is as it should be; the lead says again what was to be forgotten."""
    eva = scene.history.eva

    await scene.change_lead(eva, email="eva@eleven.com", contact_name="Eva")

    assert await scene.found() == [Found("lead_changed", None, eva, "email, contact_name")]


async def test_an_erased_lead_is_made_one_that_is_not(scene: Scene) -> None:
    eva = scene.history.eva

    await scene.change_lead(eva, erased_at=None, erased_by=None, email="eva@eleven.com")

    (found,) = await scene.found()
    assert (found.kind, found.subject) == ("lead_changed", eva)
    assert {"email", "erased_at", "erased_by"} == set((found.field or "").split(", "))


async def _erase(scene: Scene, entry_id: str, part: str) -> None:
    parts: dict[str, Any] = (await scene.entry(entry_id))["parts"]
    await scene.sql(
        "UPDATE audit_log SET parts = $2 WHERE id = $1",
        UUID(entry_id),
        json.dumps({**parts, part: record.digest(parts[part])}),
    )
