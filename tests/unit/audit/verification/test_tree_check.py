"""The tree that is built block by block is the tree of RFC 9162, at every size."""

from __future__ import annotations

from hashlib import sha256

import pytest

from leads_core.audit.record.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of
from leads_core.audit.verification.tree_check import FAN, Tree, places_of

SIZE = 3 * FAN + 5
CHECKSUMS = [sha256(str(number).encode()).digest() for number in range(SIZE)]


def blocks() -> dict[tuple[int, int], bytes]:
    hashes = [leaf_hash(checksum) for checksum in CHECKSUMS]
    return {(1, index): root_of(hashes[index * FAN : (index + 1) * FAN]) for index in range(SIZE // FAN)}


def test_the_root_is_right_at_every_size() -> None:
    tree, frontier = Tree(), Frontier()
    assert tree.root() == EMPTY_ROOT
    for checksum in CHECKSUMS:
        tree.extend([checksum])
        frontier.append(leaf_hash(checksum))

        assert (tree.size, tree.root()) == (frontier.size, frontier.root())


@pytest.mark.parametrize("step", [1, 7, 255, 256, 257, SIZE])
def test_it_does_not_matter_in_which_pieces_the_leaves_come(step: int) -> None:
    tree = Tree()
    for start in range(0, SIZE, step):
        tree.extend(CHECKSUMS[start : start + step])

    assert tree.root() == root_of(leaf_hash(checksum) for checksum in CHECKSUMS)


def test_blocks_of_the_second_level_are_the_roots_of_their_leaves() -> None:
    leaves = [sha256(number.to_bytes(4, "big")).digest() for number in range(FAN * FAN)]
    tree = Tree({})

    tree.extend(leaves)

    assert (len(tree.missing_blocks), tree.missing_blocks[-1]) == (FAN + 1, (2, 0))
    kept = Tree({(2, 0): tree.root()})
    kept.extend(leaves)
    assert (kept.wrong_blocks, (2, 0) in kept.missing_blocks) == ([], False)


def test_kept_blocks_that_are_right_are_used_up() -> None:
    kept = blocks()
    tree = Tree(kept)

    tree.extend(CHECKSUMS)

    assert (kept, tree.wrong_blocks, tree.missing_blocks) == ({}, [], [])


def test_a_wrong_and_a_missing_block_are_named() -> None:
    kept = blocks()
    kept[1, 1] = bytes(32)
    del kept[1, 2]
    tree = Tree(kept)

    tree.extend(CHECKSUMS)

    assert (places_of(tree.wrong_blocks), places_of(tree.missing_blocks)) == (["block 1/1"], ["block 1/2"])
