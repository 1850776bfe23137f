"""Receipts: each request's log line names the entries it wrote. One that is in no database was removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import orjson

from leads_core.audit.verification.evidence import Evidence
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.errors import Misconfigured

_BATCH = 1000
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHECKSUM = re.compile(r"[0-9a-f]{64}")


@runtime_checkable
class LooksUp(Protocol):
    """Evidence in which single entries can be looked up."""

    async def checksums(self, ids: list[str]) -> dict[str, bytes]:
        """The checksums of those of these entries that are there."""


class Receipts:
    """The receipts in a log as it was when this was made: what it names is committed by then."""

    def __init__(self, log_file: Path) -> None:
        self.log_file = log_file
        try:
            self.size = log_file.stat().st_size
        except OSError as error:
            raise Misconfigured(f"--receipts {log_file}: it cannot be read: {error.strerror}.") from error

    def __iter__(self) -> Iterator[tuple[str, str]]:
        left = self.size
        with self.log_file.open("rb") as file:
            for line in file:
                left -= len(line)
                if left < 0:
                    return
                yield from _receipts_in(line)


async def check(evidence: Evidence, receipts: Receipts, known: set[str], findings: Findings) -> int:
    """Look up every entry that the log names, but those that are known to be broken. Gives how many.

    Raises Misconfigured for a log that names none.
    """
    if not isinstance(evidence, LooksUp):
        raise Misconfigured("--receipts: receipts are held against the database, not against an export.")
    count = 0
    left = iter(receipts)
    while batch := dict(islice(left, _BATCH)):
        count += len(batch)
        there = await evidence.checksums(list(batch))
        for entry_id, checksum in batch.items():
            if entry_id not in known:
                _compare(entry_id, checksum, there.get(entry_id), findings)
    if not count:
        raise Misconfigured(
            f"--receipts {receipts.log_file}: no line of it names an entry. Give the log that the console writes."
        )
    return count


def _receipts_in(line: bytes) -> Iterator[tuple[str, str]]:
    """Id and checksum of each receipt. What is no JSON, as other programs' lines are not, is passed over."""
    start = line.find(b"{")
    if start < 0 or b'"entries"' not in line:
        return
    try:
        entries = orjson.loads(line[start:]).get("entries")
    except (ValueError, AttributeError):
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            entry_id, checksum = str(entry.get("id")), str(entry.get("checksum"))
            if _ID.fullmatch(entry_id) and _CHECKSUM.fullmatch(checksum):
                yield entry_id, checksum


def _compare(entry_id: str, checksum: str, there: bytes | None, findings: Findings) -> None:
    if there is None:
        findings.add(FindingKind.REMOVED, "The console's log has a receipt for it, and it is gone.", entry=entry_id)
    elif there.hex() != checksum:
        findings.add(
            FindingKind.EDITED, "Its checksum is not the one on the receipt in the console's log.",
            entry=entry_id, fields="checksum",
        )  # fmt: skip
