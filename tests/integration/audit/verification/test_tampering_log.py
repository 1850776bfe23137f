"""The log, its checkpoints, its file and its keys: cut back, put back, edited, reordered, forged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from leads_core.audit.record.signed_note import Checkpoint, SigningKey, checkpoint_in, sign
from leads_core.database import new_id
from leads_core.errors import Misconfigured
from tests.integration.audit.verification.history import Backup
from tests.integration.audit.verification.tampering import Found, Scene

# --- leaves and blocks


async def test_the_last_leaves_are_cut_off(scene: Scene) -> None:
    size = (await scene.sizes())[-2]

    await scene.cut_log(size)

    assert await scene.found() == [Found("rollback", None, "checkpoint 5")]


async def test_the_last_leaves_and_their_checkpoints_are_cut_off(scene: Scene) -> None:
    """The file remembers."""
    size = (await scene.sizes())[-2]

    await scene.cut_log(size, checkpoints=True)

    assert await scene.found() == [Found("rollback", None, "line 5 of the checkpoint file")]


async def test_leaves_checkpoints_and_lines_are_cut_off_and_the_entries_stay(scene: Scene) -> None:
    """All places agree: what tells is that the last entries have no leaf."""
    size = (await scene.sizes())[-2]

    await scene.cut_log(size, checkpoints=True)
    scene.write_lines(scene.lines()[:-1])

    assert await scene.found() == [
        Found("unlogged", entry, scene.history.eva) for entry in scene.history.entries[scene.history.eva]
    ]


async def test_everything_is_put_back_to_an_older_state(scene: Scene) -> None:
    """A backup of the database: the file is newer."""
    await scene.earlier.put_back(scene.owner)

    assert await scene.found() == [Found("rollback", None, "line 5 of the checkpoint file")]


async def test_database_and_file_are_put_back_and_a_checkpoint_was_kept_elsewhere(scene: Scene, tmp_path: Path) -> None:
    """Even root of this machine cannot take back what somebody else has."""
    kept = _kept(tmp_path, (await scene.notes())[-1])

    await scene.earlier.put_back(scene.owner, scene.file)

    assert await scene.found(checkpoints=[kept]) == [Found("rollback", None, "checkpoint in kept.txt")]
    assert await scene.found() == []


async def test_an_older_state_goes_on_and_overtakes_what_was_kept_elsewhere(scene: Scene, tmp_path: Path) -> None:
    """The file goes back too, and the log grows beyond the old size, with other entries."""
    kept = _kept(tmp_path, (await scene.notes())[3])
    await scene.earlier.put_back(scene.owner, scene.file)

    for number in range(300):
        await scene.change(scene.history.acme, city=f"Town {number}")
    await scene.verification.sequence()

    assert await scene.found(checkpoints=[kept]) == [Found("rollback", None, "checkpoint in kept.txt")]


async def test_an_older_state_is_put_back_and_goes_on(scene: Scene) -> None:
    """The sequencer signs nothing on top of it, and the verification says why."""
    await scene.earlier.put_back(scene.owner)

    await scene.change(scene.history.acme, city="Köln")
    await scene.verification.sequence()

    (found,) = await scene.found()
    assert (found.kind, found.subject) == ("rollback", "line 5 of the checkpoint file")


async def test_a_leaf_is_removed(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.remove_leaves(entry)

    assert await scene.found() == [Found("gap", entry, acme, "leaf_index")]


async def test_a_leaf_is_removed_and_the_log_built_anew(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.remove_leaves(entry)
    await scene.rebuild_log()

    assert await scene.found() == [Found("unlogged", entry, acme)]


async def test_a_leafs_checksum_is_edited(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.sql("UPDATE audit_leaves SET checksum = $2 WHERE entry_id = $1", UUID(entry), bytes(32))

    assert await scene.found() == [Found("edited", entry, acme, "leaf")]


async def test_two_leaves_change_places(scene: Scene) -> None:
    """Each entry still has its leaf, with its checksum; the order is another one."""
    two, three = [await scene.leaf_of(scene.history.entry(scene.history.acme, seq)) for seq in (2, 3)]

    for index, other in ((two, 10**6), (three, two), (10**6, three)):
        await scene.sql("UPDATE audit_leaves SET leaf_index = $2 WHERE leaf_index = $1", index, other)

    assert await scene.found() == [Found("fork", None, "checkpoint 2")]


async def test_a_leaf_names_another_entry(scene: Scene) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)

    await scene.sql("UPDATE audit_leaves SET entry_id = $2 WHERE entry_id = $1", UUID(entry), new_id())

    assert await scene.found() == [Found("edited", entry, acme, "leaf")]


async def test_leaves_are_put_behind_the_log_for_entries_that_never_were(scene: Scene) -> None:
    ghost = new_id()
    await scene.sql("INSERT INTO audit_leaves SELECT max(leaf_index) + 1, $1, $2 FROM audit_leaves", ghost, bytes(32))

    (found,) = await scene.found()
    assert (found.kind, found.entry) == ("removed", str(ghost))


async def test_a_block_is_edited(scene: Scene) -> None:
    await scene.sql("UPDATE audit_blocks SET hash = $1", bytes(32))

    assert await scene.found() == [Found("edited", None, "block 1/0", "hash")]


async def test_a_block_is_removed(scene: Scene) -> None:
    await scene.sql("DELETE FROM audit_blocks")

    assert await scene.found() == [Found("removed", None, "block 1/0", "hash")]


async def test_a_block_is_made_up(scene: Scene) -> None:
    await scene.sql("INSERT INTO audit_blocks VALUES (1, 7, $1)", bytes(32))

    assert await scene.found() == [Found("edited", None, "block 1/7", "hash")]


# --- checkpoints in the table


async def test_the_newest_checkpoint_is_removed_and_comes_back(scene: Scene) -> None:
    """So a sequencer that died between the file and the table leaves it too: nothing is lost, the next one mends it."""
    await scene.sql("DELETE FROM audit_checkpoints WHERE number = 5")

    assert await scene.found() == []
    await scene.verification.sequence()
    assert len(await scene.notes()) == 5


@pytest.mark.parametrize("number", [1, 3], ids=["first", "middle"])
async def test_a_checkpoint_is_removed(scene: Scene, number: int) -> None:
    await scene.sql("DELETE FROM audit_checkpoints WHERE number = $1", number)

    (found,) = await scene.found()
    assert found.kind == "removed"
    assert str(number) in (found.subject or "")


async def test_all_checkpoints_are_removed(scene: Scene) -> None:
    await scene.sql("DELETE FROM audit_checkpoints")

    (found,) = await scene.found()
    assert found.kind == "removed"


@pytest.mark.parametrize(("column", "value"), [("size", 9), ("root", bytes(32)), ("log_name", "another/audit")])
async def test_a_checkpoints_column_is_edited(scene: Scene, column: str, value: object) -> None:
    await scene.sql(f"UPDATE audit_checkpoints SET {column} = $1 WHERE number = 3", value)

    assert await scene.found() == [Found("edited", None, "checkpoint 3", column)]


@pytest.mark.parametrize("part", ["size", "root"])
async def test_a_checkpoints_note_is_edited(scene: Scene, part: str) -> None:
    """Its signature is of something else then."""
    name, size, root, *rest = (await scene.notes())[2].split("\n")
    edited = {"size": [name, str(int(size) + 1), root], "root": [name, size, "A" * 43 + "="]}[part]

    await scene.sql("UPDATE audit_checkpoints SET note = $1 WHERE number = 3", "\n".join([*edited, *rest]))

    assert await scene.found() == [Found("signature", None, "checkpoint 3")]


async def test_two_checkpoints_change_their_numbers(scene: Scene) -> None:
    for number, other in ((2, 1000), (3, 2), (1000, 3)):
        await scene.sql("UPDATE audit_checkpoints SET number = $2 WHERE number = $1", number, other)

    (found,) = await scene.found()
    assert (found.kind, found.field) == ("edited", "number")


async def test_the_log_is_signed_with_another_key(scene: Scene) -> None:
    """Of the same name, over the true tree: but of a key that nobody trusts."""
    stranger = SigningKey(scene.log_name(), bytes(range(32)))
    note = await scene.sign(stranger)

    await scene.sql("UPDATE audit_checkpoints SET note = $1 WHERE number = 5", note)

    assert await scene.found() == [Found("signature", None, "checkpoint 5")]


async def test_a_rewritten_log_is_signed_with_another_key(scene: Scene) -> None:
    """All of it: an entry removed, the lead, leaves, blocks, every checkpoint and the file made to fit."""
    acme = scene.history.acme
    deleted, entry = await scene.entry(scene.history.entry(acme, 4)), scene.history.entry(acme, 5)
    at, who = deleted["occurred_at"], deleted["actor_id"]
    await scene.change_lead(acme, version=4, updated_at=at, deleted_at=at, deleted_by=who)
    await scene.remove(entry)
    await scene.remove_leaves(entry)
    await scene.rebuild_log()

    stranger = SigningKey(scene.log_name(), bytes(range(32)))
    note = await scene.sign(stranger)
    signed = checkpoint_in(note)
    await scene.sql("DELETE FROM audit_checkpoints")
    await scene.sql(
        "INSERT INTO audit_checkpoints VALUES (1, $1, $2, $3, $4, now())",
        signed.log_name, signed.size, signed.root, note,
    )  # fmt: skip
    scene.write_lines([_line(scene.lines()[0], note)])

    (found,) = await scene.found()
    assert found.kind == "signature"


async def test_two_checkpoints_of_one_size_say_different_things(scene: Scene, tmp_path: Path) -> None:
    """Both signed by the true key: whoever has it told two people two stories."""
    key, size = scene.signing_key(), (await scene.sizes())[2]
    kept = _kept(tmp_path, sign(Checkpoint(key.name, size, bytes(32)), [key]))

    (found,) = await scene.found(checkpoints=[kept])

    assert (found.kind, found.subject) == ("fork", "checkpoint 3")


async def test_a_log_of_another_name_is_laid_in(scene: Scene) -> None:
    """Signed by the true key, under a name that is not this log's."""
    key = SigningKey("another/audit", scene.signing_key().seed)
    note = await scene.sign(key)

    await scene.sql("UPDATE audit_checkpoints SET note = $1 WHERE number = 5", note)

    assert await scene.found() == [Found("signature", None, "checkpoint 5")]


# --- the file


@pytest.mark.parametrize("number", [1, 3], ids=["first", "middle"])
async def test_a_line_of_the_file_is_removed(scene: Scene, number: int) -> None:
    """The database has all of them: another machine may have signed it, so this is a warning."""
    lines = scene.lines()

    scene.write_lines(lines[: number - 1] + lines[number:])

    report = await scene.verification.report()
    assert report.findings == ()
    assert any("file" in warning for warning in report.warnings)


async def test_the_last_line_of_the_file_is_torn(scene: Scene) -> None:
    """As by a power cut: the next signature mends it, and nothing is missing."""
    lines = scene.lines()

    scene.write_lines([*lines, lines[-1][:40]])

    assert await scene.found() == []


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (lambda line: line.replace(b'"at":"20', b'"at":"1x'), "malformed"),
        (lambda line: b"not json\n", "malformed"),
        (lambda line: line[:60] + b"\n", "malformed"),
        (lambda line: line.replace(b"audit\\n8\\n", b"audit\\n7\\n"), "signature"),
    ],
    ids=["time", "words", "torn in the middle", "size"],
)
async def test_a_line_of_the_file_is_edited(scene: Scene, edit: Callable[[bytes], bytes], kind: str) -> None:
    lines = scene.lines()
    edited = edit(lines[1])
    assert edited != lines[1]

    scene.write_lines([lines[0], edited, *lines[2:]])

    assert await scene.found() == [Found(kind, None, "line 2 of the checkpoint file")]


async def test_lines_of_the_file_change_places(scene: Scene) -> None:
    lines = scene.lines()

    scene.write_lines([lines[1], lines[0], *lines[2:]])

    assert await scene.found() == [Found("edited", None, "line 2 of the checkpoint file", "order")]


async def test_a_line_of_a_stranger_is_added_to_the_file(scene: Scene) -> None:
    note = await scene.sign(SigningKey(scene.log_name(), bytes(range(32))))

    scene.write_lines([*scene.lines(), _line(scene.lines()[0], note)])

    assert await scene.found() == [Found("signature", None, "line 6 of the checkpoint file")]


async def test_without_the_file_there_is_no_verdict(scene: Scene) -> None:
    """Never a quiet pass."""
    scene.file.unlink()

    with pytest.raises(Misconfigured, match="AUDIT_CHECKPOINT_FILE"):
        await scene.found()


async def test_the_file_of_another_installation_is_laid_in(scene: Scene) -> None:
    key = SigningKey("other/audit", bytes(range(32)))
    note = await scene.sign(key)

    scene.write_lines([_line(scene.lines()[0], note)])

    (found,) = await scene.found()
    assert (found.kind, found.subject) == ("signature", "line 1 of the checkpoint file")


async def test_the_backup_of_the_test_is_the_whole_history(scene: Scene) -> None:
    """Putting back what stands there changes nothing: what the others find is their own doing."""
    backup = await Backup.of(scene.owner, scene.file)

    await backup.put_back(scene.owner, scene.file)

    assert await scene.found() == []


def _kept(folder: Path, note: str) -> Path:
    path = folder / "kept.txt"
    path.write_text(note, encoding="utf-8")
    return path


def _line(like: bytes, note: str) -> bytes:
    """A line of the file with another note."""
    at = json.loads(like)["at"]
    return json.dumps({"at": at, "note": note}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
