"""One value, one sequence of bytes: RFC 8785 (JCS), narrowed to what every language reads alike."""

import json
import re

LARGEST_INTEGER = 2**53 - 1

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)


class NotCanonical(ValueError):
    """The value has no canonical form, so nothing may be hashed over it."""


def canon(value: object) -> bytes:
    """The canonical JSON of null, booleans, integers, strings, and lists and objects of them, in UTF-8.

    Raises NotCanonical for fractions, integers beyond 2^53-1 either way, U+0000, lone surrogates, object keys
    other than [a-z][a-z0-9_]*, and every other type: tuples too, since they come back from a database as lists.
    """
    try:
        _check(value)
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate is no character") from error
    except RecursionError as error:
        raise NotCanonical("nested too deeply, or inside itself") from error


def _check(value: object) -> None:
    # Most frequent types first: this walk runs over every part of every entry.
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
