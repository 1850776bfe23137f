"""Passwords, hashed with argon2id (OWASP's smaller setting: 19 MiB, 2 passes). Never on the event loop."""

from __future__ import annotations

import asyncio
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from leads_core.errors import Invalid

SHORTEST = 12
LONGEST = 1024
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Two at a time in one process: more would only wait for a core, with 19 MiB each.
_AT_ONCE = asyncio.Semaphore(2)


async def hash_of(password: str) -> str:
    """The argon2id hash of a new password. Raises Invalid when it is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid.of("password", f"Choose a password of {SHORTEST} to {LONGEST:,} characters.")
    async with _AT_ONCE:
        return await asyncio.to_thread(_HASHER.hash, _bytes_of(password))


async def is_right(password: str, stored: str | None) -> bool:
    """Whether this is the password. Takes as long when nothing is stored, so that nobody learns who has an account."""
    async with _AT_ONCE:
        return await asyncio.to_thread(_verify, _bytes_of(password[:LONGEST]), stored)


def _verify(password: bytes, stored: str | None) -> bool:
    try:
        return _HASHER.verify(stored or _of_nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    return _HASHER.hash(b"nobody has this password")


def _bytes_of(password: str) -> bytes:
    """The same password however a keyboard composes its letters. A lone surrogate breaks nothing."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
