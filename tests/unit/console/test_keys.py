"""The list of keys and what the scripts register are the same."""

from __future__ import annotations

import re
from pathlib import Path

import console
from console.assets import Assets
from console.rendering import Templates

SCRIPTS = Path(console.__file__).parent / "static" / "js"
REGISTERED = re.compile(r'\bonKey\("([^"]+)"')
LISTED = re.compile(r'data-key="([^"]+)"')
#: Heard where it closes something, not by the registry.
OWN = {"Esc"}


def registered() -> set[str]:
    return {keys for script in SCRIPTS.glob("*.js") for keys in REGISTERED.findall(script.read_text(encoding="utf-8"))}


def test_every_key_is_listed_and_every_listed_key_does_something() -> None:
    listed = LISTED.findall(Templates(Assets()).render("components/key_list.html"))

    assert sorted(listed) == sorted(registered() | OWN)


def test_a_key_that_begins_a_sequence_does_nothing_alone() -> None:
    keys = registered()

    first = {key.split(" ")[0] for key in keys if " " in key and not key.startswith(("Mod ", "Shift "))}

    assert first == {"g"}
    assert not first & keys
