"""Pass over the log: leaves without a gap, blocks, and the root at the size of every checkpoint, wherever it stands."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from leads_core.audit.verification.checkpoint_check import FILE, TABLE, Claim
from leads_core.audit.verification.evidence import Evidence
from leads_core.audit.verification.findings import FindingKind, Findings
from leads_core.audit.verification.tree_check import Tree

Progress = Callable[[str, int], None]
"""Told now and then what is being read, and how many of it so far."""


@dataclass(slots=True)
class LogSeen:
    """What the pass noted. Sizes count leaves; a hole is (first, last) of the missing indexes.

    bad are the checkpoints whose root is not the tree's, good_until the size of the last one before them that is
    right. beyond are those that sign more leaves than there are; unchecked those behind a hole. filed_only are in the
    file and not in the table, its newest line aside; table_only counts those that are in the table, and not in the file
    though it has newer ones.
    """

    leaves: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    twice: int = 0
    good_until: int = 0
    bad: list[Claim] = field(default_factory=list)
    bad_count: int = 0
    beyond: list[Claim] = field(default_factory=list)
    unchecked: list[Claim] = field(default_factory=list)
    filed_only: list[Claim] = field(default_factory=list)
    table_only: int = 0
    newest_line_only: bool = False
    wrong_blocks: list[tuple[int, int]] = field(default_factory=list)
    missing_blocks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many leaves are known to be missing: holes, and what is signed beyond the last leaf."""
        return sum(last - first + 1 for first, last in self.holes) + self.missing_at_end

    @property
    def missing_at_end(self) -> int:
        """How many leaves the largest checkpoint signs beyond the last one that is there."""
        return max((claim.size - self.leaves for claim in self.beyond), default=0)


class _Reader:
    """The tree as leaves come in, and the claims held against it."""

    def __init__(self, seen: LogSeen, findings: Findings, tree: Tree) -> None:
        self._seen = seen
        self._findings = findings
        self._tree = tree
        self._at_size: list[Claim] = []
        self._not_filed = 0

    def leaves(self, batch: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """The batch in order, with a note of what is missing."""
        seen, expected = self._seen, self._seen.leaves
        if batch[0][0] == expected and batch[-1][0] == expected + len(batch) - 1:
            seen.leaves += len(batch)
            return list(batch)
        kept = []
        for index, checksum in batch:
            if index < seen.leaves:
                seen.twice += 1
                continue
            if index > seen.leaves:
                seen.holes.append((seen.leaves, index - 1))
            seen.leaves = index + 1
            kept.append((index, checksum))
        return kept

    def claim(self, claim: Claim) -> None:
        """The tree has this size now, or there are no more leaves."""
        if self._at_size and claim.size != self._at_size[0].size:
            self.settle()
        if len(self._at_size) < 100:
            self._at_size.append(claim)
        seen = self._seen
        if claim.size > seen.leaves:
            seen.beyond = [*seen.beyond[:99], claim]
        elif seen.holes:
            seen.unchecked = [*seen.unchecked[:99], claim]
        elif claim.size != self._tree.size:
            pass  # out of its order, because a column says another size than the note: a finding already
        elif claim.root != self._tree.root():
            seen.bad_count += 1
            if len(seen.bad) < 100:
                seen.bad.append(claim)
        elif not seen.bad:
            seen.good_until = claim.size

    def settle(self) -> None:
        """All claims of one size are known: two roots are a fork; the places must agree."""
        claims, self._at_size = self._at_size, []
        if not claims:
            return
        first = claims[0]
        other = next((claim for claim in claims if claim.root != first.root), None)
        if other is not None:
            self._findings.add(
                FindingKind.FORK,
                f"It and {other.place} are signed for the same size, {first.size}, and have different roots.",
                subject=first.place,
            )
            self._seen.bad = [claim for claim in self._seen.bad if claim not in claims]
        filed = [claim for claim in claims if claim.origin == FILE]
        noted = any(claim.origin == TABLE for claim in claims)
        if filed and not noted and first.size <= self._seen.leaves and first not in self._seen.bad:
            if filed[-1].is_newest_line:
                self._seen.newest_line_only = True
            elif len(self._seen.filed_only) < 100:
                self._seen.filed_only.append(filed[0])
        elif noted and not filed:
            self._not_filed += 1
        if filed:
            self._seen.table_only, self._not_filed = self._seen.table_only + self._not_filed, 0


async def check_log(
    evidence: Evidence, claims: AsyncGenerator[Claim], findings: Findings, progress: Progress
) -> LogSeen:
    """Read all leaves once, and every claim at its size."""
    seen = LogSeen()
    blocks = await evidence.blocks()
    tree = Tree(blocks)
    reader = _Reader(seen, findings, tree)
    claim = await anext(claims, None)
    async with aclosing(evidence.leaves()) as batches:
        async for batch in batches:
            rows = reader.leaves(batch)
            progress("leaves", seen.leaves)
            start = 0
            while start < len(rows):
                end = len(rows)
                if claim is not None and not seen.holes:
                    end = min(end, start + max(0, claim.size - tree.size))
                if not seen.holes:
                    tree.extend([checksum for _, checksum in rows[start:end]])
                start = end
                while claim is not None and claim.size <= tree.size and not seen.holes:
                    reader.claim(claim)
                    claim = await anext(claims, None)
    while claim is not None:
        reader.claim(claim)
        claim = await anext(claims, None)
    reader.settle()
    if not seen.holes:
        seen.wrong_blocks, seen.missing_blocks = tree.wrong_blocks, tree.missing_blocks
        seen.wrong_blocks += list(blocks or ())
    return seen


async def roots_with(evidence: Evidence, wanted: Sequence[Claim], mended: Mapping[int, bytes]) -> bool:
    """Whether these claims hold once the leaves at some indexes have other checksums, or are put in where missing."""
    tree, left = Tree(), sorted(wanted, key=lambda claim: claim.size)
    async with aclosing(evidence.leaves()) as batches:
        async for batch in batches:
            for index, checksum in batch:
                while tree.size < index and tree.size in mended:
                    tree.extend([mended[tree.size]])
                    if not _hold(tree, left):
                        return False
                if tree.size != index:
                    return False
                tree.extend([mended.get(index, checksum)])
                if not _hold(tree, left):
                    return False
    while left and tree.size in mended:
        tree.extend([mended[tree.size]])
        if not _hold(tree, left):
            return False
    return not left


def _hold(tree: Tree, left: list[Claim]) -> bool:
    while left and left[0].size == tree.size:
        if left.pop(0).root != tree.root():
            return False
    return True
