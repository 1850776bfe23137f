"""The log's name and keys: set from outside, or made once; none is ever replaced unseen."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from leads_core.audit.log.keys import list_keys, log_name, public_keys_file, signing_keys, verifier_keys
from leads_core.audit.record.signed_note import SigningKey
from leads_core.errors import Misconfigured
from leads_core.settings import Settings

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text())["signing_keys"]
NAME = "leads.example.com/audit"
SEEDS = [vector["seed_hex"] for vector in VECTORS]
VKEYS = [vector["vkey"] for vector in VECTORS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def settings_in(folder: Path, **given: Any) -> Settings:
    return Settings(data_dir=folder, **given)


def test_a_name_is_made_once(folder: Path) -> None:
    name = log_name(settings_in(folder))

    assert log_name(settings_in(folder)) == name
    assert name.startswith("lead-explorer-")
    assert stat.S_IMODE((folder / "keys" / "audit_log_name").stat().st_mode) == 0o600


def test_a_name_that_is_set_is_the_name(folder: Path) -> None:
    assert log_name(settings_in(folder, audit_log_name=NAME)) == NAME
    assert not (folder / "keys").exists()


@pytest.mark.parametrize("name", ["", "a name", "a+name", "line\nbreak"])
def test_a_name_that_no_note_can_bear_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_LOG_NAME: give the log a name"):
        log_name(settings_in(folder, audit_log_name=name))


def test_keys_that_are_set_are_spelled_as_published(folder: Path) -> None:
    settings = settings_in(folder, audit_log_name=NAME, audit_signing_key=",".join(SEEDS))

    assert [str(key.verifier) for key in signing_keys(settings)] == VKEYS


def test_a_key_is_made_once_and_its_public_half_listed(folder: Path) -> None:
    (key,) = signing_keys(settings_in(folder))

    assert signing_keys(settings_in(folder)) == (key,)
    assert verifier_keys(settings_in(folder)) == (key.verifier,)
    assert stat.S_IMODE((folder / "keys" / "audit_signing_key").stat().st_mode) == 0o600


def test_asking_for_public_keys_makes_no_key(folder: Path) -> None:
    assert verifier_keys(settings_in(folder)) == ()
    assert not (folder / "keys").exists()


def test_an_old_public_key_stays_listed_when_the_key_changes(folder: Path) -> None:
    signing_keys(settings_in(folder, audit_log_name=NAME, audit_signing_key=SEEDS[0]))

    signing_keys(settings_in(folder, audit_log_name=NAME, audit_signing_key=SEEDS[1]))

    assert [str(key) for key in verifier_keys(settings_in(folder))] == VKEYS


def test_a_key_that_is_gone_is_not_made_anew(folder: Path) -> None:
    signing_keys(settings_in(folder))
    (folder / "keys" / "audit_signing_key").unlink()

    with pytest.raises(Misconfigured, match="is gone, though keys of this log are known"):
        signing_keys(settings_in(folder))
    assert not (folder / "keys" / "audit_signing_key").exists()


def test_a_key_that_is_gone_is_missed_while_the_process_runs(folder: Path) -> None:
    settings = settings_in(folder)
    signing_keys(settings)
    (folder / "keys" / "audit_signing_key").unlink()

    with pytest.raises(Misconfigured, match="is gone"):
        signing_keys(settings)


def test_a_machine_that_trusts_given_keys_makes_none_of_its_own(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_SIGNING_KEY is not set"):
        signing_keys(settings_in(folder, audit_public_keys=VKEYS[0]))


def test_a_signing_key_that_is_not_trusted_is_named_with_what_to_add(folder: Path) -> None:
    settings = settings_in(folder, audit_log_name=NAME, audit_signing_key=SEEDS[1], audit_public_keys=VKEYS[0])

    with pytest.raises(Misconfigured) as refused:
        signing_keys(settings)

    assert VKEYS[1] in str(refused.value)
    assert VKEYS[0] not in str(refused.value)


@pytest.mark.parametrize("seed", ["", "xyz", SEEDS[0][:-1], f"{SEEDS[0]},abcd"])
def test_a_malformed_key_is_refused_without_being_shown(folder: Path, seed: str) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_SIGNING_KEY: write 64 hex digits") as refused:
        signing_keys(settings_in(folder, audit_signing_key=seed or ","))

    assert SEEDS[0] not in str(refused.value)


def test_a_malformed_public_key_is_refused_by_where_it_stands(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_PUBLIC_KEYS: 'nonsense' is no verifier key"):
        verifier_keys(settings_in(folder, audit_public_keys="nonsense"))

    public_keys_file(settings_in(folder)).parent.mkdir()
    public_keys_file(settings_in(folder)).write_text("nonsense\n")
    with pytest.raises(Misconfigured, match="audit_public_keys: 'nonsense' is no verifier key"):
        verifier_keys(settings_in(folder))


def test_several_public_keys_are_separated_by_spaces(folder: Path) -> None:
    settings = settings_in(folder, audit_public_keys=" ".join(VKEYS))

    assert [str(key) for key in verifier_keys(settings)] == VKEYS


def test_listing_a_key_again_changes_nothing(folder: Path) -> None:
    settings = settings_in(folder)
    key = SigningKey(NAME, bytes.fromhex(SEEDS[0])).verifier
    list_keys(settings, [key])
    before = public_keys_file(settings).stat().st_mtime_ns

    list_keys(settings, [key])

    assert public_keys_file(settings).stat().st_mtime_ns == before
