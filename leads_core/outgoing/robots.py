"""What a site allows to be read by machines: robots.txt (RFC 9309), fetched through the guard."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic

from httpx2 import URL
from protego import Protego

from leads_core.outgoing.client import ROBOTS_NAME, UNSTATED, Limits, OutgoingClient
from leads_core.outgoing.failures import BodyRefused, ReadingForbidden, TooManyRedirects

KEPT_SECONDS = 3600.0
UNTOLD_KEPT_SECONDS = 60.0  # a site that could not tell is asked again sooner, so that a retry can help
MAX_HOSTS = 5000
LIMITS = Limits(seconds=5.0, max_bytes=500 << 10, cut=True)  # RFC 9309: at least 500 KiB are read
TYPES = ("text/plain", "text/html", "application/xhtml+xml", "text/x-robots", "text/robots", UNSTATED)
_USER_AGENT_LINE = re.compile(r"user[ -]?agent ?:? ?(?P<name>.*)", re.IGNORECASE)


@dataclass(slots=True)
class _Kept:
    """The rules of one host. None while they could not be told: the site is then left alone."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | None = None
    until: float = float("-inf")


class Robots:
    """Asks each host once an hour. One for each process: it keeps what hosts said."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def check(self, url: str, client: OutgoingClient, *, purpose: str) -> None:
        """Raises ReadingForbidden when url must not be read by us; and as OutgoingClient.get, when robots.txt cannot
        be reached at all (that is not kept)."""
        target = URL(url)
        kept = self._of(f"{target.scheme}://{target.netloc.decode('ascii')}")
        async with kept.lock:
            if kept.until < monotonic():
                kept.rules = await self._fetch(str(target.copy_with(raw_path=b"/robots.txt")), client, purpose)
                kept.until = monotonic() + (UNTOLD_KEPT_SECONDS if kept.rules is None else KEPT_SECONDS)
        if kept.rules is None:
            raise ReadingForbidden(target.host, may_pass=True)
        if not kept.rules.can_fetch(url, ROBOTS_NAME):
            raise ReadingForbidden(target.host)

    def _of(self, origin: str) -> _Kept:
        kept = self._kept.setdefault(origin, _Kept())
        self._kept.move_to_end(origin)
        if len(self._kept) > MAX_HOSTS:
            self._kept.popitem(last=False)
        return kept

    async def _fetch(self, url: str, client: OutgoingClient, purpose: str) -> Protego | None:
        try:
            answer = await client.get(url, purpose=purpose, accept=TYPES, limits=LIMITS)
        except (TooManyRedirects, BodyRefused):
            # RFC 9309 2.3.1.2: as if there were none
            return rules_of("")
        if answer.status == 429 or answer.status >= 500:
            return None
        return await asyncio.to_thread(rules_of, answer.body.decode("utf-8", "replace"))


def rules_of(text: str) -> Protego:
    """The rules of a robots.txt. Other machines' groups become one, so that a file of ten thousand names costs no more
    than its length."""
    return Protego.parse("\n".join(map(_with_few_names, text.splitlines())))


def _with_few_names(line: str) -> str:
    if not (found := _USER_AGENT_LINE.match(" ".join(line.partition("#")[0].split()))):
        return line
    name, ours = found["name"].lower(), ROBOTS_NAME.lower()
    return f"User-agent: {'*' if name == '*' else ours if name.split('/')[0] == ours else 'other'}"
