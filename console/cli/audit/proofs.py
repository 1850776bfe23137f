"""`leads audit prove` and `check-proof`: one entry, shown to somebody who has nothing but the log's public key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from cyclopts import Parameter

from console.cli.audit.proof_wording import in_words
from console.cli.surroundings import open_database
from leads_core.audit.log.inclusion_proof import BadProof, InclusionProof, ProvenEntry
from leads_core.audit.log.keys import verifier_keys
from leads_core.audit.log.proving import VERIFY
from leads_core.audit.log.proving import prove as prove_entry
from leads_core.audit.record.signed_note import VerifierKey
from leads_core.errors import Conflict, Invalid, Misconfigured

AsJson = Annotated[bool, Parameter("--json", negative="")]
Parts = Annotated[Sequence[str], Parameter("--disclose", negative="")]
Keys = Annotated[Sequence[str], Parameter("--public-key", negative="")]

#: More than any proof of ours: an entry's largest parts are two texts of some thousand characters.
LARGEST = 16_000_000


async def prove(
    entry: UUID, *, disclose: Parts = (), checkpoint: int | None = None, output: Path | None = None
) -> None:
    """Write the proof of one entry to stdout, for somebody outside to check with `leads audit check-proof`.

    Parameters
    ----------
    entry: the entry's id, as the trail shows it.
    disclose: a part to show: origin (who and from where), person, text or data; several times for several.
    checkpoint: the number of the checkpoint to prove it under; the newest if none is given.
    output: the file to write instead of stdout; `.tlog-proof` is its usual ending.
    """
    async with open_database() as (settings, database):
        async with database.reader() as reader:
            proof = await prove_entry(reader, entry, disclose=disclose, checkpoint=checkpoint)
        _refuse_if_wrong(proof, verifier_keys(settings))
    if output is None:
        print(proof.text(), end="")
    else:
        _write(output, proof.text())


def check_proof(file: Path, *, public_key: Keys = (), as_json: AsJson = False) -> int:
    """Say what a proof shows. It needs nothing but the file and the key. Exit status 1: it proves nothing.

    Parameters
    ----------
    file: the proof.
    public_key: the log's verifier key, name+hash+key; several times after a change of keys.
    as_json: print the result as one JSON object.
    """
    keys, text = _keys(public_key), _text(file)
    try:
        proven = InclusionProof.parse(text).check(keys)
    except BadProof as error:
        print(json.dumps({"ok": False, "reason": str(error)}) if as_json else f"Not proven. {error}")
        return 1
    print(json.dumps(_document(proven)) if as_json else in_words(proven))
    return 0


def _refuse_if_wrong(proof: InclusionProof, keys: Sequence[VerifierKey]) -> None:
    """No proof leaves that whoever gets it would refuse. Without a public key here, that is theirs to see."""
    try:
        if keys:
            proof.check(keys)
    except BadProof as error:
        raise Conflict(f"The proof would not hold. {error} {VERIFY}") from error


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise Misconfigured(f"{output}: {error.strerror}.") from error


def _keys(texts: Sequence[str]) -> list[VerifierKey]:
    if not texts:
        raise Invalid.of("public-key", "Give the log's verifier key, as its keeper published it: name+hash+key.")
    try:
        return [VerifierKey.parse(text) for text in texts]
    except ValueError as error:
        raise Invalid.of("public-key", f"{error}.") from error


def _text(file: Path) -> str:
    """The file's text; line ends that a mail program changed are read as they were."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(LARGEST)
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}.") from error


def _document(proven: ProvenEntry) -> dict[str, Any]:
    return {
        "ok": True,
        "record": proven.record,
        "shown": proven.shown,
        "withheld": proven.withheld,
        "index": proven.index,
        "log_name": proven.checkpoint.log_name,
        "size": proven.checkpoint.size,
        "signed_by": [str(key) for key in proven.signed_by],
    }
