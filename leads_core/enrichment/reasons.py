"""Why enrichments failed, without the names in it: what happened to many leads is one reason. Pure."""

from __future__ import annotations

import re

#: Told apart from a number such as 2.5: a name ends in a word, an address has four numbers.
_NAME = re.compile(r"(?<![\w.])(?:[^\s@]+@)?(?:(?:[\w-]+\.)+[^\W\d_][\w-]*|(?:\d+\.){3}\d+)(?::\d+)?(?![\w])")
_NAME_ONLY_EXISTS = re.compile(r"^(?:the site)(?= does not exist| exists, but)")
_UNTIL = re.compile(r"until \d\d:\d\d UTC, after \d+ failures")
#: Where nothing was kept of why.
UNKNOWN = "The reason was not kept."


def reason_of(error: str | None) -> str:
    """The sentence with `the site` for names and addresses, so that the same trouble reads the same for every lead."""
    if not error:
        return UNKNOWN
    return "; ".join(dict.fromkeys(_part(part) for part in error.split("; ")))


def _part(sentence: str) -> str:
    bare = _UNTIL.sub("for a while, after several failures", _NAME.sub("the site", sentence))
    bare = _NAME_ONLY_EXISTS.sub("the domain", bare)
    return bare[:1].upper() + bare[1:]
