"""Without a script: the page after a form carries the request that did it, and offers to undo that. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from leads_core import context

DID, UNDID = "did", "undid"
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Did:
    """What was done just before this page: by which request, whether as an undo; back is the page without this."""

    request_id: str
    is_undo: bool
    back: str

    @classmethod
    def read(cls, path: str, pairs: Iterable[tuple[str, str]]) -> Self | None:
        """From a page's address; None where nothing was done."""
        given = list(pairs)
        name, value = next(((name, value) for name, value in given if name in {DID, UNDID}), ("", ""))
        if not value or len(value) > LONGEST or not value.isprintable():
            return None
        rest = urlencode([pair for pair in given if pair[0] not in {DID, UNDID}])
        return cls(value, name == UNDID, f"{path}?{rest}" if rest else path)


def done_address(path: str, *, is_undo: bool = False) -> str:
    """The page at this address, with the notice that the request at hand did something."""
    added = urlencode({UNDID if is_undo else DID: context.current().request_id})
    return f"{path}{'&' if '?' in path else '?'}{added}"
