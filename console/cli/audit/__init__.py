"""`leads audit`: verify the trail, prove an entry, keep a checkpoint, export, erase."""

from __future__ import annotations

from cyclopts import App

#: Verb, where it stands, its line in `leads audit --help`.
COMMANDS: tuple[tuple[str, str, str], ...] = ()

audit = App(name="audit", help="Verify the trail, prove an entry, keep a checkpoint, export, erase.")
for name, place, line in COMMANDS:
    audit.command(place, name=name, help=line)
