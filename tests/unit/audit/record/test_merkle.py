"""The tree against the published roots and proofs, and against RFC 9162's own recursive definitions."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads_core.audit.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    Subtree,
    consistency_subtrees,
    full_subtrees,
    inclusion_subtrees,
    is_prefix,
    leaf_hash,
    node_hash,
    root_by_inclusion,
    root_of,
)

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "audit_record.json").read_text())
PUBLISHED = VECTORS["merkle_published"]
LOG = VECTORS["log"]
#: Every size up to here is tried with every index and every smaller size.
SIZES = range(131)

published_leaves = [leaf_hash(bytes.fromhex(data)) for data in PUBLISHED["leaf_data_hex"]]
log_leaves = [leaf_hash(sha256(f"leaf {n}".encode()).digest()) for n in range(LOG["size"])]


@cache
def subtree(start: int, end: int) -> bytes:
    """RFC 9162, 2.1.1, as it is written there."""
    if end - start == 1:
        return log_leaves[start]
    middle = start + largest_power_below(end - start)
    return node_hash(subtree(start, middle), subtree(middle, end))


def largest_power_below(width: int) -> int:
    power = 1
    while power * 2 < width:
        power *= 2
    return power


def path(index: int, start: int, end: int) -> list[bytes]:
    """RFC 9162, 2.1.3.1: PATH(m, D_n)."""
    if end - start == 1:
        return []
    middle = start + largest_power_below(end - start)
    if index < middle:
        return [*path(index, start, middle), subtree(middle, end)]
    return [*path(index, middle, end), subtree(start, middle)]


def subproof(old: int, start: int, end: int, whole: bool) -> list[bytes]:
    """RFC 9162, 2.1.4.1: SUBPROOF(m, D_n, b), old counted from the first leaf of all."""
    if old == end:
        return [] if whole else [subtree(start, end)]
    middle = start + largest_power_below(end - start)
    if old <= middle:
        return [*subproof(old, start, middle, whole), subtree(middle, end)]
    return [*subproof(old, middle, end, False), subtree(start, middle)]


def hashes_of(subtrees: list[Subtree]) -> list[bytes]:
    return [subtree(*one) for one in subtrees]


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def root_at(size: int) -> bytes:
    return subtree(0, size) if size else EMPTY_ROOT


def test_root_of_nothing_is_the_published_one() -> None:
    assert Frontier().root() == root_of([]) == bytes.fromhex(PUBLISHED["empty_root"])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_certificate_transparency_tests(size: int) -> None:
    assert root_of(published_leaves[:size]).hex() == PUBLISHED["roots"][size - 1]


@pytest.mark.parametrize("proof", PUBLISHED["inclusion"], ids=lambda proof: f"{proof['index']} of {proof['size']}")
def test_published_inclusion_proofs_come_to_the_root(proof: dict[str, Any]) -> None:
    root = root_by_inclusion(proof["index"], proof["size"], published_leaves[proof["index"]], unhex(proof["path"]))

    assert root.hex() == PUBLISHED["roots"][proof["size"] - 1]


@pytest.mark.parametrize("proof", PUBLISHED["consistency"], ids=lambda proof: f"{proof['old']} of {proof['size']}")
def test_published_consistency_proofs_hold(proof: dict[str, Any]) -> None:
    old, new = (bytes.fromhex(PUBLISHED["roots"][proof[name] - 1]) for name in ("old", "size"))

    assert is_prefix(proof["old"], old, proof["size"], new, unhex(proof["path"]))


@pytest.mark.parametrize("size", LOG["roots"], ids=int)
def test_roots_of_the_log_are_the_published_ones(size: str) -> None:
    assert root_of(log_leaves[: int(size)]).hex() == LOG["roots"][size]


@pytest.mark.parametrize("proof", LOG["inclusion"], ids=lambda proof: f"{proof['index']} of {proof['size']}")
def test_inclusion_proofs_of_the_log_are_the_published_ones(proof: dict[str, Any]) -> None:
    made = hashes_of(inclusion_subtrees(proof["index"], proof["size"]))

    assert made == unhex(proof["path"])


@pytest.mark.parametrize("proof", LOG["consistency"], ids=lambda proof: f"{proof['old']} of {proof['size']}")
def test_consistency_proofs_of_the_log_are_the_published_ones(proof: dict[str, Any]) -> None:
    made = hashes_of(consistency_subtrees(proof["old"], proof["size"]))

    assert made == unhex(proof["path"])


@pytest.mark.parametrize("size", SIZES)
def test_a_growing_tree_has_the_root_of_the_definition(size: int) -> None:
    frontier = Frontier()
    for leaf in log_leaves[:size]:
        frontier.append(leaf)

    assert frontier.root() == root_at(size)
    assert list(frontier.roots) == hashes_of(full_subtrees(size))
    assert Frontier(size, frontier.roots).root() == root_at(size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_leafs_inclusion_proof_is_that_of_the_definition_and_comes_to_the_root(size: int) -> None:
    for index in range(size):
        proof = hashes_of(inclusion_subtrees(index, size))

        assert proof == path(index, 0, size)
        assert root_by_inclusion(index, size, log_leaves[index], proof) == root_at(size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_smaller_trees_consistency_proof_is_that_of_the_definition_and_holds(size: int) -> None:
    for old in range(1, size + 1):
        proof = hashes_of(consistency_subtrees(old, size))

        assert proof == subproof(old, 0, size, True)
        assert is_prefix(old, root_at(old), size, root_at(size), proof)


@pytest.mark.parametrize("size", SIZES[2:])
def test_a_proof_of_another_leaf_or_place_comes_to_another_root(size: int) -> None:
    for index in range(size):
        proof = hashes_of(inclusion_subtrees(index, size))
        another = (index + 1) % size

        assert root_by_inclusion(index, size, log_leaves[another], proof) != root_at(size)
        if len(inclusion_subtrees(another, size)) == len(proof):
            assert root_by_inclusion(another, size, log_leaves[index], proof) != root_at(size)


@pytest.mark.parametrize("size", SIZES[2:])
def test_a_consistency_proof_with_any_hash_changed_missing_or_added_does_not_hold(size: int) -> None:
    for old in range(1, size):
        proof = hashes_of(consistency_subtrees(old, size))
        wrong = [
            *([*proof[:n], EMPTY_ROOT, *proof[n + 1 :]] for n in range(len(proof))),
            proof[:-1],
            [*proof, EMPTY_ROOT],
        ]

        assert not any(is_prefix(old, root_at(old), size, root_at(size), one) for one in wrong)
        assert not is_prefix(old, EMPTY_ROOT, size, root_at(size), proof)
        assert not is_prefix(old, root_at(old), size, EMPTY_ROOT, proof)


def test_nothing_is_a_prefix_of_everything_and_a_tree_of_itself() -> None:
    assert is_prefix(0, EMPTY_ROOT, 5, root_at(5), [])
    assert is_prefix(5, root_at(5), 5, root_at(5), [])
    assert not is_prefix(0, root_at(1), 5, root_at(5), [])
    assert not is_prefix(5, root_at(4), 5, root_at(5), [])


def test_a_longer_tree_is_no_prefix_of_a_shorter_one() -> None:
    assert not is_prefix(6, root_at(6), 5, root_at(5), hashes_of(consistency_subtrees(5, 6)))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (9, 3)])
def test_no_leaf_outside_the_tree_has_a_proof(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_subtrees(index, size)


@pytest.mark.parametrize(("old", "size"), [(0, 3), (-1, 3), (4, 3)])
def test_no_tree_that_is_no_prefix_has_a_proof(old: int, size: int) -> None:
    with pytest.raises(IndexError):
        consistency_subtrees(old, size)


@pytest.mark.parametrize(
    "change", [lambda proof: proof[:-1], lambda proof: [*proof, EMPTY_ROOT]], ids=["short", "long"]
)
def test_an_inclusion_proof_of_another_length_is_refused(change: Any) -> None:
    with pytest.raises(ValueError, match="has 3 hashes"):
        root_by_inclusion(2, 7, log_leaves[2], change(hashes_of(inclusion_subtrees(2, 7))))


def test_a_frontier_of_another_number_of_roots_is_refused() -> None:
    with pytest.raises(ValueError, match="3 full subtrees, not 1"):
        Frontier(7, [EMPTY_ROOT])


@given(st.integers(1, 2**60), st.data())
def test_proofs_of_any_log_are_as_long_as_its_depth_at_most(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))

    assert len(inclusion_subtrees(index, size)) <= (size - 1).bit_length()
    assert len(consistency_subtrees(first, size)) <= (size - 1).bit_length() + 1
    assert [end - start for start, end in full_subtrees(size)] == sorted(
        (end - start for start, end in full_subtrees(size)), reverse=True
    )
    assert sum(end - start for start, end in full_subtrees(size)) == size
