"""The log's tree, built again from its leaves, block by block. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from leads_core.audit.record.merkle import EMPTY_ROOT, Frontier, node_hash

FAN = 256


class Tree:
    """A tree that only grows; its root can be asked for at any size, and each full block is held against the kept ones.

    blocks is (level, block_index) -> hash, or None where none are to be checked; what was right is taken out of it.
    """

    def __init__(self, blocks: dict[tuple[int, int], bytes] | None = None) -> None:
        self.size = 0
        self._full = Frontier()
        self._block: list[bytes] = []
        self._above: list[list[bytes]] = []
        self._blocks = blocks
        self.wrong_blocks: list[tuple[int, int]] = []
        self.missing_blocks: list[tuple[int, int]] = []

    def extend(self, checksums: Sequence[bytes]) -> None:
        """Add leaves, given as the checksums of their entries."""
        start = 0
        while start < len(checksums):
            piece = checksums[start : start + FAN - len(self._block)]
            self._block += [sha256(b"\0" + checksum).digest() for checksum in piece]
            start += len(piece)
            self.size += len(piece)
            if len(self._block) == FAN:
                root = _root_of_block(self._block)
                self._block = []
                self._full.append(root)
                if self._blocks is not None:
                    self._note_block(1, self.size // FAN - 1, root)

    def root(self) -> bytes:
        """The root of everything added so far."""
        small = Frontier()
        for leaf in self._block:
            small.append(leaf)
        if not self._full.size:
            return small.root() if self._block else EMPTY_ROOT
        root = self._full.root()
        return root if not self._block else _join(self._full, small.root())

    def _note_block(self, level: int, index: int, root: bytes) -> None:
        assert self._blocks is not None  # noqa: S101 - the caller looked
        kept = self._blocks.pop((level, index), None)
        if kept is None:
            self.missing_blocks.append((level, index))
        elif kept != root:
            self.wrong_blocks.append((level, index))
        if len(self._above) < level:
            self._above.append([])
        self._above[level - 1].append(root)
        if len(self._above[level - 1]) == FAN:
            block, self._above[level - 1] = self._above[level - 1], []
            self._note_block(level + 1, index // FAN, _root_of_block(block))


def places_of(blocks: Mapping[tuple[int, int], bytes] | Sequence[tuple[int, int]]) -> list[str]:
    """Blocks by name: `block 1/3` is the fourth of level 1."""
    return [f"block {level}/{index}" for level, index in sorted(blocks)]


def _root_of_block(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [
            sha256(b"\1" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]  # fmt: skip
    return hashes[0]


def _join(full: Frontier, right: bytes) -> bytes:
    for left in reversed(full.roots):
        right = node_hash(left, right)
    return right
