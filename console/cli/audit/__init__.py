"""`leads audit`: verify the trail, prove an entry, keep a checkpoint, export, erase."""

from __future__ import annotations

from cyclopts import App

#: Verb, where it stands, its line in `leads audit --help`.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("verify", "console.cli.audit.verify:verify", "Recompute the trail and name what is not as it was written."),
    ("checkpoint", "console.cli.audit.checkpoint:checkpoint", "Print the newest checkpoint, to keep it elsewhere."),
    ("keys", "console.cli.audit.checkpoint:public_keys", "Print the log's public keys."),
    ("reopen", "console.cli.audit.reopen:reopen", "Go on under a new name after a backup was restored."),
    ("prove", "console.cli.audit.proofs:prove", "Write the proof of one entry, for somebody outside."),
    ("check-proof", "console.cli.audit.proofs:check_proof", "Check such a proof, with nothing but the public key."),
    ("export", "console.cli.audit.export:export", "Write the trail as JSON Lines, for a verification elsewhere."),
    ("check-export", "console.cli.audit.exports:check_export", "Say who exported a file, and whether it is unchanged."),
    ("erase", "console.cli.audit.erase:erase", "Forget a person for ever, of a lead or a user. It asks first."),
)

audit = App(name="audit", help="Verify the trail, prove an entry, keep a checkpoint, export, erase.")
for name, place, line in COMMANDS:
    audit.command(place, name=name, help=line)
