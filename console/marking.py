"""Which letters of a text a search found. Pure; by the same folding that the search itself uses."""

from __future__ import annotations

from leads_core.leads.folding import fold


def marked_parts(text: str, query: str) -> list[tuple[str, bool]]:
    """The text in parts, each with whether it is a match: `Amélia` and `mel` give A, mél (a match), ia."""
    wanted = fold(query.strip())
    if not wanted:
        return [(text, False)]
    folded, places = _folded(text)
    parts: list[tuple[str, bool]] = []
    done = 0
    at = folded.find(wanted)
    while at >= 0:
        start, end = places[at], places[at + len(wanted) - 1] + 1
        if start >= done:
            parts += [(text[done:start], False), (text[start:end], True)]
            done = end
        at = folded.find(wanted, at + len(wanted))
    return [part for part in [*parts, (text[done:], False)] if part[0]]


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its letters the place of the letter it came from."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        found = fold(letter)
        letters.append(found)
        places += [place] * len(found)
    return "".join(letters), places
