"""The log's tree as the database keeps it: leaves, and above them the roots of full blocks of 256, 256^2, ... leaves.

With the blocks a root costs at most 255 rows of each level, whatever the log's size.
"""

from __future__ import annotations

import asyncpg

from leads_core.audit.record.merkle import Frontier, leaf_hash, root_of

FAN_BITS = 8
FAN = 1 << FAN_BITS
#: So many leaves are read and added one by one; more are had faster by their blocks.
AT_ONCE = 5_000

SIZE = "SELECT coalesce(max(leaf_index) + 1, 0) FROM audit_leaves"
LEAVES = "SELECT checksum FROM audit_leaves WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index"
BLOCKS = """SELECT block_index, hash FROM audit_blocks WHERE level = $1 AND block_index >= $2 AND block_index < $3
            ORDER BY block_index"""


class BrokenLog(Exception):
    """Leaves are missing where there should be some."""


class GrowingTree:
    """The right edge of the tree: of each level the hashes in the block that is not full yet."""

    def __init__(self, size: int, levels: list[list[bytes]]) -> None:
        self.size = size
        self._levels = levels or [[]]

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf, given as its hash. Gives the blocks that it filled: level, block index, hash."""
        self.size += 1
        self._levels[0].append(leaf)
        filled: list[tuple[int, int, bytes]] = []
        level = 0
        while len(self._levels[level]) == FAN:
            block = root_of(self._levels[level])
            self._levels[level] = []
            level += 1
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(block)
            filled.append((level, (self.size >> FAN_BITS * level) - 1, block))
        return filled

    def root(self) -> bytes:
        """The root of the whole tree."""
        roots = [root for level in reversed(self._levels) for root in _frontier(level).roots]
        return Frontier(self.size, roots).root()


async def size_of_log(connection: asyncpg.Connection) -> int:
    """How many leaves there are."""
    return int(await connection.fetchval(SIZE))


async def tree_at(connection: asyncpg.Connection, size: int) -> GrowingTree:
    """The tree of the first size leaves. Raises BrokenLog when one of the leaves it needs is not there."""
    levels: list[list[bytes]] = []
    while not levels or size >> FAN_BITS * len(levels):
        level = len(levels)
        end = size >> FAN_BITS * level
        levels.append(await hashes(connection, level, end >> FAN_BITS << FAN_BITS, end))
    return GrowingTree(size, levels)


async def root_at(connection: asyncpg.Connection, size: int) -> bytes:
    """The root of the first size leaves. Raises BrokenLog."""
    return (await tree_at(connection, size)).root()


async def grown_to(connection: asyncpg.Connection, tree: GrowingTree, size: int) -> GrowingTree:
    """The tree of the first size leaves, which begins with this one. Raises BrokenLog."""
    if size - tree.size > AT_ONCE:
        return await tree_at(connection, size)
    for leaf in await hashes(connection, 0, tree.size, size):
        tree.append(leaf)
    return tree


async def hashes(connection: asyncpg.Connection, level: int, start: int, end: int) -> list[bytes]:
    """The hashes of one level, start to end: of leaves at level 0, of full blocks above.

    A block that is not kept is computed from what lies below it. Raises BrokenLog when leaves are missing.
    """
    if start == end:
        return []
    if level == 0:
        rows = await connection.fetch(LEAVES, start, end)
        if len(rows) != end - start:
            raise BrokenLog(f"Of the leaves {start} to {end - 1} the log has only {len(rows)}")
        return [leaf_hash(row["checksum"]) for row in rows]
    kept = {row["block_index"]: row["hash"] for row in await connection.fetch(BLOCKS, level, start, end)}
    return [
        kept[index] if index in kept else root_of(await hashes(connection, level - 1, index * FAN, (index + 1) * FAN))
        for index in range(start, end)
    ]


def _frontier(level: list[bytes]) -> Frontier:
    frontier = Frontier()
    for block in level:
        frontier.append(block)
    return frontier
