"""The Merkle tree of the log, RFC 9162 section 2.1: leaf hashes in, roots and proofs out. Pure.

A subtree is named by its leaves: (start, end), end excluded. Which subtrees a proof is made of follows from index and
size alone; their roots come from wherever the caller keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

Subtree: TypeAlias = tuple[int, int]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """32 bytes: the hash of one leaf. In our log its data is an entry's checksum, 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """32 bytes: the hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, kept as the roots of its full subtrees: at most one for each power of two."""

    __slots__ = ("_roots", "size")

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        """size leaves, whose full subtrees from left to right (see full_subtrees) have these roots."""
        self.size = size
        self._roots = list(roots)
        if len(self._roots) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} full subtrees, not {len(self._roots)}")

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The roots of its full subtrees, from left to right: what the next Frontier of this size starts from."""
        return tuple(self._roots)

    def append(self, leaf: bytes) -> None:
        """Add a leaf, given as its hash."""
        self.size += 1
        trailing, roots = self.size, self._roots
        while not trailing & 1:
            leaf = sha256(b"\x01" + roots.pop() + leaf).digest()
            trailing >>= 1
        roots.append(leaf)

    def root(self) -> bytes:
        """The root of everything appended so far."""
        if not self._roots:
            return EMPTY_ROOT
        *lefts, root = self._roots
        for left in reversed(lefts):
            root = node_hash(left, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of these leaves, given as their hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def full_subtrees(size: int) -> list[Subtree]:
    """The largest full aligned subtrees of the first size leaves, from left to right."""
    found: list[Subtree] = []
    start = 0
    for power in reversed(range(size.bit_length())):
        if size >> power & 1:
            found.append((start, start + (1 << power)))
            start += 1 << power
    return found


def inclusion_subtrees(index: int, size: int) -> list[Subtree]:
    """The subtrees whose roots are the inclusion proof of a leaf, from leaf to root. RFC 9162, 2.1.3.1.

    Raises IndexError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise IndexError(f"there is no leaf {index} in a tree of {size}")
    path: list[Subtree] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_subtrees(first: int, second: int) -> list[Subtree]:
    """The subtrees whose roots prove that a tree of first leaves is a prefix of one of second. RFC 9162, 2.1.4.1.

    Raises IndexError unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise IndexError(f"{first} leaves are no prefix of {second}")
    path: list[Subtree] = []
    start, end, whole = 0, second, True
    while end != first:
        middle = start + _largest_power_below(end - start)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    if not whole:
        path.append((start, end))
    return path[::-1]


def root_by_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a leaf's hash and its inclusion proof come to. Raises ValueError for a proof of another length."""
    subtrees = inclusion_subtrees(index, size)
    if len(subtrees) != len(proof):
        raise ValueError(f"the proof of leaf {index} of {size} has {len(subtrees)} hashes, not {len(proof)}")
    root = leaf
    for (start, _), sibling in zip(subtrees, proof, strict=True):
        root = node_hash(root, sibling) if start > index else node_hash(sibling, root)
    return root


def is_prefix(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the first tree is a prefix of the second. RFC 9162, 2.1.4.2."""
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    if not 0 < first < second or not proof:
        return False
    hashes = list(proof) if first & (first - 1) else [first_root, *proof]
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and (old, new) == (first_root, second_root)


def _largest_power_below(width: int) -> int:
    return 1 << (width - 1).bit_length() - 1
