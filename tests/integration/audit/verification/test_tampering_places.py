"""Entries are removed, moved, doubled, swapped and made up: what is wrong is named once, with entry and lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from leads_core.database import new_id
from tests.integration.audit.verification.tampering import (
    Found,
    Scene,
    a_mac_of_another_key,
    a_random_mac,
    checksum_of,
)

# --- removed


@pytest.mark.parametrize("seq", [1, 3, 5], ids=["first", "middle", "last"])
async def test_an_entry_is_removed(scene: Scene, seq: int) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, seq)

    await scene.remove(entry)

    assert await scene.found() == [Found("removed", entry, acme)]


@pytest.mark.parametrize("seq", [1, 3, 5], ids=["first", "middle", "last"])
async def test_an_entry_is_removed_with_its_leaf(scene: Scene, seq: int) -> None:
    """Nothing is left of it but the hole: in the log, and in the lead's versions."""
    acme = scene.history.acme
    entry = scene.history.entry(acme, seq)

    await scene.remove(entry)
    await scene.remove_leaves(entry)

    assert await scene.found() == [Found("removed", None, acme)]


@pytest.mark.parametrize("seq", [1, 3, 5], ids=["first", "middle", "last"])
async def test_an_entry_is_removed_and_the_log_built_anew_without_it(scene: Scene, seq: int) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, seq)

    await scene.remove(entry)
    await scene.remove_leaves(entry)
    await scene.rebuild_log()

    assert await scene.found() == [Found("removed", None, acme)]


async def test_the_last_entry_is_removed_and_the_lead_put_back(scene: Scene) -> None:
    """As if the lead had never been restored: only the log knows better."""
    acme = scene.history.acme
    last, before = scene.history.entry(acme, 5), scene.history.entry(acme, 4)
    deleted = await scene.entry(before)

    await scene.change_lead(
        acme, version=4, updated_at=deleted["occurred_at"], deleted_at=deleted["occurred_at"],
        deleted_by=deleted["actor_id"],
    )  # fmt: skip
    await scene.remove(last)

    (found,) = await scene.found()
    assert (found.kind, found.entry) == ("removed", last)


async def test_an_entry_without_a_number_is_removed(scene: Scene) -> None:
    """A sign-in leaves no gap among versions; its leaf stays."""
    (entry,) = [str(row["id"]) for row in await scene.rows("SELECT id FROM audit_log WHERE action = 'SIGN_IN'")]

    await scene.remove(entry)

    (found,) = await scene.found()
    assert (found.kind, found.entry) == ("removed", entry)


async def test_two_neighbouring_entries_are_removed(scene: Scene) -> None:
    acme = scene.history.acme
    two, three = scene.history.entry(acme, 2), scene.history.entry(acme, 3)

    await scene.remove(two, three)

    assert await scene.found() == [Found("removed", two, acme)]


async def test_a_lead_and_its_whole_trail_are_removed(scene: Scene) -> None:
    acme = scene.history.acme
    entries = scene.history.entries[acme]

    await scene.sql("DELETE FROM leads WHERE id = $1", UUID(acme))
    await scene.remove(*entries)

    (found,) = await scene.found()
    assert (found.kind, found.entry) == ("removed", entries[0])


async def test_a_lead_its_trail_and_its_leaves_are_removed(scene: Scene) -> None:
    acme = scene.history.acme
    entries = scene.history.entries[acme]

    await scene.sql("DELETE FROM leads WHERE id = $1", UUID(acme))
    await scene.remove(*entries)
    await scene.remove_leaves(*entries)

    (found,) = await scene.found()
    assert (found.kind, found.subject) == ("gap", "log")


async def test_a_lead_its_trail_and_its_leaves_are_removed_and_the_log_built_anew(scene: Scene) -> None:
    acme = scene.history.acme
    entries = scene.history.entries[acme]

    await scene.sql("DELETE FROM leads WHERE id = $1", UUID(acme))
    await scene.remove(*entries)
    await scene.remove_leaves(*entries)
    await scene.rebuild_log()

    assert await scene.found() == [Found("fork", None, "checkpoint 2")]


async def test_all_entries_of_a_lead_are_removed(scene: Scene) -> None:
    acme = scene.history.acme
    entries = scene.history.entries[acme]

    await scene.remove(*entries)

    assert await scene.found() == [Found("removed", entries[0], acme)]


async def test_an_entry_is_removed_before_it_reached_the_log(scene: Scene) -> None:
    """It and its place in the queue: the lead's version tells."""
    acme = scene.history.acme
    entry = await _a_new_entry(scene)

    await scene.remove(entry)
    await scene.sql("DELETE FROM audit_pending")

    (found,) = await scene.found()
    assert (found.subject, found.kind in {"lead_changed", "gap", "removed"}) == (acme, True)


async def test_an_entry_is_kept_out_of_the_log(scene: Scene) -> None:
    acme = scene.history.acme
    entry = await _a_new_entry(scene)

    await scene.sql("DELETE FROM audit_pending")
    await scene.verification.sequence()

    assert await scene.found() == [Found("unlogged", entry, acme)]


async def test_an_entry_is_removed_while_it_waits(scene: Scene) -> None:
    entry = await _a_new_entry(scene)

    await scene.remove(entry)

    (found,) = await scene.found()
    assert (found.kind, found.entry) == ("removed", entry)


# --- moved, doubled, swapped


async def test_two_entries_change_their_numbers(scene: Scene) -> None:
    acme = scene.history.acme
    two, three = scene.history.entry(acme, 2), scene.history.entry(acme, 3)

    await scene.edit(two, seq=1000)
    await scene.edit(three, seq=2)
    await scene.edit(two, seq=3)

    (found,) = await scene.found()
    assert (found.kind, found.subject, found.field) == ("edited", acme, "seq")
    assert found.entry in {two, three}


async def test_an_entry_is_renumbered(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 5)

    await scene.edit(entry, seq=7)

    assert await scene.found() == [Found("edited", entry, acme, "seq")]


async def test_entries_close_up_over_a_removed_one(scene: Scene) -> None:
    """The second is removed, the later ones are renumbered, and the lead too."""
    acme = scene.history.acme
    two = scene.history.entry(acme, 2)

    await scene.remove(two)
    for seq in (3, 4, 5):
        await scene.edit(scene.history.entry(acme, seq), seq=seq - 1)
    await scene.change_lead(acme, version=4)

    assert await scene.found() == [Found("removed", two, acme)]


async def test_an_entry_is_moved_to_another_lead(scene: Scene) -> None:
    acme, chen = scene.history.acme, scene.history.chen
    entry = scene.history.entry(acme, 5)

    await scene.edit(entry, subject_id=UUID(chen), seq=3)

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("edited", entry, acme)
    assert "subject_id" in (found.field or "")


async def test_two_leads_exchange_an_entry(scene: Scene) -> None:
    acme, chen = scene.history.acme, scene.history.chen
    one, two = scene.history.entry(acme, 2), scene.history.entry(chen, 2)

    await scene.edit(one, subject_id=new_id())
    await scene.edit(two, subject_id=UUID(acme))
    await scene.edit(one, subject_id=UUID(chen))

    found = await scene.found()
    assert sorted(found) == sorted([Found("edited", one, acme, "subject_id"), Found("edited", two, chen, "subject_id")])


async def test_an_entry_gets_another_id(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.edit(entry, id=new_id())

    assert await scene.found() == [Found("edited", entry, acme, "id")]


async def test_an_entry_is_there_twice(scene: Scene) -> None:
    """A copy under an id of its own, with a number of its own: checksum and MAC are the first one's."""
    acme = scene.history.acme
    entry = await scene.entry(scene.history.entry(acme, 2))

    copy = await scene.insert({**entry, "id": new_id(), "seq": 6})

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("edited", copy, acme)


# --- made up


@pytest.mark.parametrize(
    "mac",
    [lambda _: b"", lambda _: a_random_mac(), a_mac_of_another_key],
    ids=["no MAC", "a random MAC", "another key's MAC"],
)
async def test_an_entry_is_made_up(scene: Scene, mac: Callable[[bytes], bytes]) -> None:
    """It says that Ana won the lead: the state fits, the checksum too."""
    acme = scene.history.acme

    forged = await scene.insert(await _made_up(scene, mac))

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("forged", forged, acme)


async def test_a_made_up_entry_waits_for_the_log(scene: Scene) -> None:
    """The sequencer does not take it; the lead was made to fit."""
    acme = scene.history.acme
    entry = await _made_up(scene, lambda _: a_random_mac())
    forged = await scene.insert(entry)
    await scene.sql("INSERT INTO audit_pending (entry_id) VALUES ($1)", entry["id"])
    await scene.change_lead(acme, version=6, stage="lost", updated_at=entry["occurred_at"])

    await scene.verification.sequence()

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("forged", forged, acme)


async def test_a_made_up_entry_is_put_into_the_log_by_hand(scene: Scene) -> None:
    acme = scene.history.acme
    entry = await _made_up(scene, lambda _: a_random_mac())
    forged = await scene.insert(entry)
    await scene.sql(
        "INSERT INTO audit_leaves SELECT max(leaf_index) + 1, $1, $2 FROM audit_leaves", entry["id"], entry["checksum"]
    )

    (found,) = await scene.found()
    assert (found.kind, found.entry, found.subject) == ("forged", forged, acme)


async def test_a_rejected_entry_is_removed(scene: Scene) -> None:
    entry = await _made_up(scene, lambda _: a_random_mac())
    forged = await scene.insert(entry)
    await scene.sql("INSERT INTO audit_pending (entry_id) VALUES ($1)", entry["id"])
    await scene.verification.sequence()

    await scene.remove(forged)

    (found,) = await scene.found()
    assert (found.kind, found.entry) == ("removed", forged)


async def _made_up(scene: Scene, mac: Callable[[bytes], bytes]) -> dict[str, Any]:
    """What the sixth entry of acme could be."""
    last = await scene.entry(scene.history.entry(scene.history.acme, 5))
    parts = {"origin": last["parts"]["origin"], "data": ["S" * 22, {"stage": ["won", "lost"]}]}
    entry = {**last, "id": new_id(), "seq": 6, "action": "UPDATE", "parts": parts}
    checksum = checksum_of(entry)
    return {**entry, "checksum": checksum, "mac": mac(checksum)}


async def _a_new_entry(scene: Scene) -> str:
    """An honest sixth entry of acme that the log has not taken yet."""
    await scene.change(scene.history.acme, city="Köln")
    (row,) = await scene.rows("SELECT entry_id FROM audit_pending")
    return str(row["entry_id"])
