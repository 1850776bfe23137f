"""An entry is edited where it stands: each edit is found, and named by entry, lead and field."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.integration.audit.verification.tampering import (
    Found,
    Scene,
    a_mac_of_another_key,
    a_random_mac,
    checksum_of,
    moment,
)

STRANGER = UUID("0193f5a0-0000-7000-8000-00000000dead")


async def test_the_history_is_whole(scene: Scene) -> None:
    assert await scene.found() == []


@pytest.mark.parametrize(
    ("seq", "part", "field", "value"),
    [
        (1, "person", "email", "eve@acme.com"),
        (1, "person", "contact_name", "Eve"),
        (2, "person", "job_title", "Trainee"),
        (1, "text", "description", "Weapons"),
        (2, "text", "notes", "Never call."),
        (1, "data", "city", "Berlin"),
        (2, "data", "stage", "lost"),
        (3, "data", "tags", ["pilot", "vip"]),
    ],
)
async def test_a_value_is_edited(scene: Scene, seq: int, part: str, field: str, value: object) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, seq)

    await scene.edit_part(entry, part, field, value)

    assert await scene.found() == [Found("edited", entry, acme, field)]


async def test_an_old_value_is_edited(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 3)
    parts = (await scene.entry(entry))["parts"]
    parts["data"][1]["stage"][0] = "contacted"

    await scene.edit(entry, parts=parts)

    assert await scene.found() == [Found("edited", entry, acme, "stage")]


async def test_provenance_is_edited(scene: Scene) -> None:
    """What a machine found is made a surer thing than it was."""
    bo = scene.history.bo
    entry = scene.history.entry(bo, 2)
    parts = (await scene.entry(entry))["parts"]
    parts["data"][1]["provenance"][1]["city"]["confidence"] = 99

    await scene.edit(entry, parts=parts)

    assert await scene.found() == [Found("edited", entry, bo, "provenance")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("actor_name", "Eve"), ("ip_address", "192.0.2.66"), ("user_agent", "curl/8")],
)
async def test_the_origin_is_edited(scene: Scene, field: str, value: str) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.edit_part(entry, "origin", field, value)

    assert await scene.found() == [Found("edited", entry, acme, field)]


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"actor_id": STRANGER}, "actor_id"),
        ({"actor_kind": "system"}, "actor_kind"),
        ({"action": "ENRICH"}, "action"),
        ({"channel": "api"}, "channel"),
        ({"occurred_at": moment("2026-11-20T03:00:00.000000Z")}, "occurred_at"),
        ({"request_id": "req-acme-9"}, "request_id"),
        ({"task_id": STRANGER}, "task_id"),
        ({"v": 2}, "v"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
async def test_a_column_is_edited(scene: Scene, columns: dict[str, object], field: str) -> None:
    """A request's id is known from its other entries: this one deleted the lead, and brought it back."""
    acme = scene.history.acme
    entry = scene.history.entry(acme, 4)

    await scene.edit(entry, **columns)

    assert await scene.found() == [Found("edited", entry, acme, field)]


@pytest.mark.parametrize("with_the_log", [False, True], ids=["log as it was", "log rebuilt"])
async def test_a_value_is_edited_and_the_checksum_recomputed(scene: Scene, with_the_log: bool) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.edit_part(entry, "data", "stage", "lost")
    await scene.recompute(entry)
    if with_the_log:
        await scene.rebuild_log()

    (found,) = await scene.found()
    assert (found.kind in {"edited", "forged"}, found.entry, found.subject) == (True, entry, acme)
    assert "stage" in (found.field or "")


async def test_the_checksum_is_edited(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.edit(entry, checksum=bytes(32))

    assert await scene.found() == [Found("edited", entry, acme, "checksum")]


@pytest.mark.parametrize(
    "made",
    [lambda _: a_random_mac(), a_mac_of_another_key, lambda _: b""],
    ids=["random", "another key's", "none"],
)
async def test_the_mac_is_edited(scene: Scene, made: Callable[[bytes], bytes]) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.edit(entry, mac=made((await scene.entry(entry))["checksum"]))

    assert await scene.found() == [Found("forged", entry, acme, "mac")]


async def test_the_mac_is_copied_from_another_entry(scene: Scene) -> None:
    acme, bo = scene.history.acme, scene.history.bo
    entry = scene.history.entry(acme, 2)

    await scene.edit(entry, mac=(await scene.entry(scene.history.entry(bo, 1)))["mac"])

    assert await scene.found() == [Found("forged", entry, acme, "mac")]


async def test_checksum_and_mac_are_copied_from_another_entry(scene: Scene) -> None:
    """Both are true, of something else."""
    acme, bo = scene.history.acme, scene.history.bo
    entry, other = scene.history.entry(acme, 2), await scene.entry(scene.history.entry(bo, 1))

    await scene.edit(entry, checksum=other["checksum"], mac=other["mac"])

    (found,) = await scene.found()
    assert (found.entry, found.subject) == (entry, acme)


async def test_parts_of_two_entries_are_swapped(scene: Scene) -> None:
    """Two entries, each with what the other says: two causes, each named."""
    acme, chen = scene.history.acme, scene.history.chen
    one, two = scene.history.entry(acme, 2), scene.history.entry(chen, 2)
    parts = (await scene.entry(one))["parts"]

    await scene.edit(one, parts=(await scene.entry(two))["parts"])
    await scene.edit(two, parts=parts)

    found = await scene.found()
    assert sorted((each.kind, each.entry, each.subject) for each in found) == sorted(
        [("edited", one, acme), ("edited", two, chen)]
    )


async def test_a_part_is_taken_out_of_an_entry(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    parts = (await scene.entry(entry))["parts"]
    del parts["text"]

    await scene.edit(entry, parts=parts)

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("edited", entry, acme)


async def test_the_salt_is_edited(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    parts = (await scene.entry(entry))["parts"]
    parts["data"][0] = "A" * 22

    await scene.edit(entry, parts=parts)

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("edited", entry, acme)


@pytest.mark.parametrize("broken", ["no parts", "a number", "a list too short", "no origin"])
async def test_the_parts_are_no_parts(scene: Scene, broken: str) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    parts = (await scene.entry(entry))["parts"]
    said = {
        "no parts": {},
        "a number": {**parts, "data": 7},
        "a list too short": {**parts, "data": parts["data"][:1]},
        "no origin": {name: part for name, part in parts.items() if name != "origin"},
    }

    await scene.edit(entry, parts=said[broken])

    (found,) = await scene.found()
    assert (found.kind in {"edited", "malformed"}, found.entry, found.subject) == (True, entry, acme)


async def test_a_number_is_written_as_a_fraction(scene: Scene) -> None:
    """Equal for a person, and for a language that reads 80 and 80.0 alike."""
    bo = scene.history.bo
    entry = scene.history.entry(bo, 2)
    parts = (await scene.entry(entry))["parts"]
    parts["data"][1]["provenance"][1]["city"]["confidence"] = 80.0

    await scene.edit(entry, parts=parts)

    (found,) = await scene.found()
    assert (found.kind in {"edited", "malformed"}, found.entry, found.subject) == (True, entry, bo)


async def test_a_sign_in_is_laid_at_another_persons_door(scene: Scene) -> None:
    user = scene.history.user
    (entry,) = [row["id"] for row in await scene.rows("SELECT id FROM audit_log WHERE action = 'SIGN_IN'")]

    await scene.edit(str(entry), subject_id=STRANGER)

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject, found.field) == ("edited", str(entry), user, "subject_id")


async def test_a_role_in_the_trail_of_users_is_edited(scene: Scene) -> None:
    user = scene.history.user
    entry = scene.history.entry(user, 1)

    await scene.edit_part(entry, "data", "role", "viewer")

    assert await scene.found() == [Found("edited", entry, user, "role")]


async def test_a_hundred_entries_are_edited(scene: Scene) -> None:
    """As many findings as causes."""
    entries = [scene.history.entry(lead, 1) for lead in scene.history.imported[:100]]
    for entry in entries:
        await scene.edit_part(entry, "data", "city", "Neu-Ulm")

    found = await scene.found()

    assert sorted(each.entry or "" for each in found) == sorted(entries)
    assert {each.kind for each in found} == {"edited"}


async def test_checksums_of_the_history_are_those_of_its_entries(scene: Scene) -> None:
    """The hand that tampers computes what the app computes: else these tests would prove nothing."""
    entry = await scene.entry(scene.history.entry(scene.history.acme, 2))

    assert checksum_of(entry) == entry["checksum"]
