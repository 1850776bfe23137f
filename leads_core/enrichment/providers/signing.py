"""How a remote provider and we know each other: HMAC-SHA256 over the time and the body, under a shared secret. Pure."""

from __future__ import annotations

import hmac
from hashlib import sha256

TIME_HEADER = "Lead-Explorer-Time"
SIGNATURE_HEADER = "Lead-Explorer-Signature"
#: A message that is older, or from further in the future, is not taken: somebody may be playing it again.
TOLERANCE_SECONDS = 300


def signature(secret: str, at: int, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of "<at>.<body>"; at is in seconds since 1970."""
    return "v1=" + hmac.new(secret.encode(), b"%d." % at + body, sha256).hexdigest()


def signed_headers(secret: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that go with a body."""
    return {TIME_HEADER: str(at), SIGNATURE_HEADER: signature(secret, at, body)}


def is_signed(secret: str, now: float, sent_at: str, given: str, body: bytes) -> bool:
    """Whether the body was signed with the secret, not long ago."""
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
        return False
    fits = hmac.compare_digest(signature(secret, int(sent_at), body).encode(), given.encode("utf-8", "replace"))
    return fits and abs(now - int(sent_at)) <= TOLERANCE_SECONDS
