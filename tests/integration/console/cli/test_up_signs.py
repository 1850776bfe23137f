"""`leads up` signs the trail's log: its worker alone holds the key."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from leads_core.audit.log.checkpoint_file import CheckpointFile
from leads_core.audit.record.signed_note import SigningKey, VerifierKey, open_checkpoint
from tests.integration.console.cli.test_up import Up, children, line_with, own_database, up

__all__ = ["own_database", "up"]

SEED = "07" * 32
NAME = "leads.example.com/audit"


@pytest.fixture
def signing(up: Up) -> Up:
    """`leads up` with the key that signs in its environment."""
    up._environment |= {"AUDIT_SIGNING_KEY": SEED, "AUDIT_LOG_NAME": NAME}
    return up


def environment_of(pid: int) -> dict[str, str]:
    given = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(variable.split("=", 1) for variable in given if variable)


def key() -> VerifierKey:
    return SigningKey(NAME, bytes.fromhex(SEED)).verifier


def test_its_worker_signs_what_is_written_and_its_console_never_sees_the_key(signing: Up) -> None:
    """The first start writes an entry: the first administrator."""
    file = CheckpointFile(signing.data_dir / "audit" / "checkpoints.jsonl")

    with signing.started() as process:
        line_with(process, "Lead Explorer runs at")
        console, worker = (environment_of(children(process)[name]) for name in ("serve", "worker"))
        while (newest := file.newest()) is None:
            assert process.poll() is None
            select.select([], [], [], 0.05)

    assert (console.get("AUDIT_SIGNING_KEY"), worker["AUDIT_SIGNING_KEY"]) == (None, SEED)
    assert open_checkpoint(newest.note, [key()])[0].size >= 1
    assert os.listdir(signing.data_dir / "keys").count("audit_signing_key") == 0
