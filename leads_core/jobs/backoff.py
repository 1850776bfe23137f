"""How long to wait before the next attempt: exponential, capped, with jitter so that many do not come at once."""

from __future__ import annotations

import random

#: Attempts in all, the first included.
ATTEMPTS = 3


def delay(attempt: int, *, base: float = 1.0, cap: float = 60.0) -> float:
    """Seconds to wait after this attempt (1, 2, ...): between half and one and a half times base * 4^(attempt-1)."""
    return float(min(cap, base * 4 ** (attempt - 1)) * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret


class Retry(Exception):
    """Not over yet: the job wants another attempt after delay seconds. The text says why, for people."""

    def __init__(self, delay: float, reason: str) -> None:
        super().__init__(reason)
        self.delay = delay
