"""One value, one sequence of bytes: RFC 8785 (JCS), narrowed to what every language reads alike."""

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

import orjson

LARGEST_INTEGER = 2**53 - 1

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
#: Names that were found to be keys, so that each is looked at once: an application has few.
_known_keys: set[str] = set()
_KNOWN_KEYS_LIMIT = 4096


class NotCanonical(ValueError):
    """The value has no canonical form, so nothing may be hashed over it."""


def canon(value: object) -> bytes:
    """The canonical JSON of null, booleans, integers, strings, and lists and objects of them, in UTF-8.

    Raises NotCanonical for fractions, integers beyond 2^53-1 either way, U+0000, lone surrogates, object keys
    other than [a-z][a-z0-9_]*, and every other type: tuples too, since they come back from a database as lists.
    """
    # Every part of every entry comes along here. The quick way takes what is certain and gives the same bytes; the
    # long way looks at all else, and it alone refuses.
    try:
        written = orjson.dumps(value, option=_OPTIONS)
        if b"\\u0000" not in written and _are_plain((value,)):
            return written
    except (orjson.JSONEncodeError, RecursionError):
        pass
    return _canon_the_long_way(value)


def _are_plain(values: Iterable[Any]) -> bool:
    """Whether all types are JSON's own and all keys are keys. False is no verdict yet."""
    for value in values:
        kind = type(value)
        if kind is str or value is None or kind is int or kind is bool:
            continue
        if kind is list:
            if not _are_plain(value):
                return False
        elif kind is not dict or not _are_keys(value) or not _are_plain(value.values()):
            return False
    return True


def _are_keys(names: Collection[Any]) -> bool:
    if not _known_keys.issuperset(names):
        if not all(type(name) is str and _KEY.fullmatch(name) for name in names):
            return False
        if len(_known_keys) < _KNOWN_KEYS_LIMIT:
            _known_keys.update(names)
    return True


def _canon_the_long_way(value: object) -> bytes:
    try:
        _check(value)
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate is no character") from error
    except RecursionError as error:
        raise NotCanonical("nested too deeply, or inside itself") from error


def _check(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise NotCanonical("U+0000 cannot be stored")
    elif value is None or value is True or value is False:
        pass
    elif isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise NotCanonical("an integer beyond 2^53-1 is written as a string")
    elif type(value) is list:
        for item in value:
            _check(item)
    elif type(value) is dict:
        for key, item in value.items():
            if not isinstance(key, str) or _KEY.fullmatch(key) is None:
                raise NotCanonical(f"{key!r} is no key: a key is [a-z][a-z0-9_]*")
            _check(item)
    else:
        raise NotCanonical(f"{type(value).__name__} has no canonical form")
