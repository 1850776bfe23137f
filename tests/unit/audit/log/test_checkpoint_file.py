"""The file outside the database: the published bytes, and no torn line whatever happens."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.record.entry import parse_timestamp

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text())
PUBLISHED = VECTORS["checkpoint_file"]["bytes"].encode()
NOTES = [line["note"] for line in map(json.loads, PUBLISHED.splitlines())]
AT = datetime(2026, 11, 24, 18, 36, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> CheckpointFile:
    return CheckpointFile(tmp_path / "audit" / "checkpoints.jsonl")


@pytest.fixture
def published(file: CheckpointFile) -> CheckpointFile:
    """A file with the published bytes."""
    file.path.parent.mkdir()
    file.path.write_bytes(PUBLISHED)
    return file


@pytest.fixture
def room_for_half_a_line_more(published: CheckpointFile) -> Iterator[None]:
    """The disk takes 100 bytes more and then no more: the kernel's own EFBIG, after part of the line was written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(PUBLISHED) + 100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_the_published_bytes_are_what_is_written(file: CheckpointFile) -> None:
    for line in map(json.loads, PUBLISHED.splitlines()):
        file.append(parse_timestamp(line["at"]), line["note"])

    assert file.path.read_bytes() == PUBLISHED


def test_the_published_bytes_are_read(published: CheckpointFile) -> None:
    filed = published.read()

    assert [one.note for one in filed] == NOTES
    assert [one.checkpoint.size for one in filed[:3]] == [1, 4, 7]
    assert filed[0].at == AT
    assert published.newest() == filed[-1]


def test_no_file_is_no_checkpoint(file: CheckpointFile) -> None:
    assert (file.read(), file.newest()) == ([], None)


def test_an_empty_file_is_no_checkpoint(published: CheckpointFile) -> None:
    published.path.write_bytes(b"")

    assert (published.read(), published.newest()) == ([], None)


@pytest.mark.parametrize("length", [1, 40, 4095, 4096, 4097, 10_000])
def test_a_line_without_its_end_is_passed_over_and_then_replaced(published: CheckpointFile, length: int) -> None:
    with published.path.open("ab") as torn:
        torn.write(b"x" * length)

    assert [one.note for one in published.read()] == NOTES
    assert published.newest() == published.read()[-1]
    published.append(AT, NOTES[0])
    assert [one.note for one in published.read()] == [*NOTES, NOTES[0]]


def test_nothing_but_a_torn_line_is_no_checkpoint(published: CheckpointFile) -> None:
    published.path.write_bytes(PUBLISHED[:50])

    assert (published.read(), published.newest()) == ([], None)


@pytest.mark.parametrize("lines", [1, 12, 13, 14, 100])
def test_the_newest_line_is_found_from_the_end(file: CheckpointFile, lines: int) -> None:
    for n in range(lines):
        file.append(AT.replace(microsecond=n), NOTES[n % len(NOTES)])

    assert file.newest() == file.read()[-1]


def test_a_long_line_is_found_from_the_end(published: CheckpointFile) -> None:
    with published.path.open("ab") as changed:
        changed.write(b"y" * 20_000 + b"\n")

    newest = published.newest()

    assert newest is not None
    assert (newest.note, newest.at) == ("y" * 20_000, None)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"\xff\xfe\n",
        PUBLISHED.splitlines(keepends=True)[0].replace(b'"at"', b'"AT"'),
        PUBLISHED.splitlines(keepends=True)[0].replace(b'{"at"', b'{ "at"'),
        PUBLISHED.splitlines(keepends=True)[0].replace(b"}\n", b"}\r\n"),
        PUBLISHED.splitlines(keepends=True)[0].replace(b"18:36:00.000000Z", b"18:36:00Z"),
        PUBLISHED.splitlines(keepends=True)[0].replace(b"\\n1\\n", b"\\n01\\n"),
        b'{"at":"2026-11-24T18:36:00.000000Z","note":7}\n',
        b'{"at":"2026-11-24T18:36:00.000000Z","note":"no note"}\n',
        b'{"at":1.5,"note":"no note"}\n',
    ],
)
def test_a_line_that_was_not_written_so_is_marked(published: CheckpointFile, line: bytes) -> None:
    published.path.write_bytes(line + PUBLISHED)

    first, *others = published.read()

    assert first.problem is not None
    assert first.at is None
    assert [one.note for one in others] == NOTES
    assert not any(one.problem for one in others)


@pytest.mark.usefixtures("room_for_half_a_line_more")
def test_a_disk_that_is_full_leaves_the_file_as_it_was(published: CheckpointFile) -> None:
    with pytest.raises(OSError, match="File too large"):
        published.append(AT, NOTES[0])

    assert published.path.read_bytes() == PUBLISHED


def test_a_device_that_takes_nothing_raises(tmp_path: Path) -> None:
    full = tmp_path / "checkpoints.jsonl"
    full.symlink_to("/dev/full")

    with pytest.raises(OSError):
        CheckpointFile(full).append(AT, NOTES[0])


def test_a_line_is_on_the_disk_when_append_returns(file: CheckpointFile, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Any] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor)), fsync(descriptor)))

    file.append(AT, NOTES[0])

    assert [one.st_ino for one in synced] == [file.path.parent.stat().st_ino, file.path.stat().st_ino]
    assert synced[-1].st_size == file.path.stat().st_size


def test_a_writer_killed_in_the_middle_leaves_whole_lines_only(published: CheckpointFile) -> None:
    """A process appends as fast as it can until it is killed; whatever is left reads as whole, good lines."""
    program = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path;"
        "from leads_core.audit.log.checkpoint_file import CheckpointFile;"
        f"file = CheckpointFile(Path(sys.argv[1])); note = {NOTES[0]!r}\n"
        "while True: file.append(datetime.now(UTC), note)"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(published.path)])
    while published.path.stat().st_size < len(PUBLISHED) + 3000:
        assert writer.poll() is None
    writer.kill()
    writer.wait()

    filed = published.read()

    assert len(filed) > len(NOTES)
    assert not any(one.problem for one in filed)
    published.append(AT, NOTES[0])
    assert len(published.read()) == len(filed) + 1
