"""Whether two names are likely one person's. Pure; names are compared without case and marks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from leads_core.leads.folding import fold

Similar = Literal["same", "similar", "part"]
"""The same words; an initial, a slip or another order; one of the two is only a part, `Mara` of `Mara Holt`."""

#: Local parts that a department reads, not a person.
DEPARTMENTS = frozenset(
    {
        *("admin", "billing", "business", "careers", "contact", "enquiries", "hello", "help", "hi", "hr", "info"),
        *("jobs", "kontakt", "mail", "marketing", "office", "press", "sales", "service", "shop", "support", "team"),
    }
)
_WORDS = re.compile(r"[^\W\d_]+")
_TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "herr", "frau", "dipl", "ing", "mme", "phd"})
_SLIP_FROM = 5
"""Letters of a word in which one wrong letter is more likely a slip than another name."""


@lru_cache(maxsize=1 << 14)
def words_of(name: str | None, email: str | None) -> tuple[str, ...]:
    """The words of a person's name, folded; of one who is not named those that the address says, `mara.holt@`."""
    if name:
        words = tuple(_WORDS.findall(fold(name)))
        return tuple(word for word in words if word not in _TITLES) or words
    local = (email or "").rpartition("@")[0].partition("+")[0]
    words = tuple(_WORDS.findall(fold(local)))
    return words if len(words) > 1 and not DEPARTMENTS & {*words} else ()


def similarity(mine: tuple[str, ...], theirs: tuple[str, ...]) -> Similar | None:
    """How alike two names are; None where they are different people's, or one of them has no name."""
    if not mine or not theirs:
        return None
    if sorted(mine) == sorted(theirs):
        return "same"
    short, long = sorted((mine, theirs), key=len)
    if len(short) == 1:
        return "part" if len(short[0]) > 2 and short[0] in long else _slip_alone(short, long)
    left = list(long)
    in_full = False
    for word in short:
        match = next((other for other in left if word == other), None)
        match = match or next((other for other in left if is_slip(word, other)), None)
        in_full = in_full or match is not None
        match = match or next((other for other in left if _is_initial(word, other)), None)
        if match is None:
            return None
        left.remove(match)
    return "similar" if in_full else None


def is_slip(one: str, other: str) -> bool:
    """Whether one letter more, less, or another, or two that changed places, is all that differs in a long word."""
    if min(len(one), len(other)) < _SLIP_FROM or abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    swapped = rest[1:2] + rest[:1] + rest[2:]
    return rest[1:] == other_rest[1:] or rest[1:] == other_rest or rest == other_rest[1:] or swapped == other_rest


def _slip_alone(short: tuple[str, ...], long: tuple[str, ...]) -> Similar | None:
    return "similar" if len(long) == 1 and is_slip(short[0], long[0]) else None


def _is_initial(one: str, other: str) -> bool:
    return min(len(one), len(other)) == 1 and one[0] == other[0]
