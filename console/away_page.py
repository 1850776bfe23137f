"""What the list says of changes since somebody looked last: a line above it, and a mark on each changed cell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup

from console import wording
from leads_core.leads.since_away import Mark, News

Marks = Mapping[UUID, Mapping[str, Mark]]


@dataclass(frozen=True, slots=True)
class NewsPart:
    """One kind of change: so many leads, and where they stand."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Away:
    """The line: since when, what, everything together, and up to when it speaks."""

    since: datetime
    parts: Sequence[NewsPart]
    url: str
    now: datetime

    @property
    def until(self) -> str:
        return self.now.isoformat()


def away_of(news: News, now: datetime) -> Away | None:
    """The line for this news; None without any."""
    if not news:
        return None
    since = news.since.isoformat().replace("+00:00", "Z")
    by_others = {"updated_by": "!me", "sort": "-updated_at"}
    more = "+" if news.more else ""

    def part(n: int, words: str, **filters: str) -> list[NewsPart]:
        return [NewsPart(f"{wording.number(n)}{more} {words}", _url(filters | by_others))] if n else []

    return Away(
        news.since,
        [
            *part(news.new, "new", created_from=since),
            *part(news.enriched, "enriched", enriched_from=since, created_to=since),
            *part(news.changed, "changed", updated_from=since, created_to=since),
        ],
        _url({"updated_from": since} | by_others),
        now,
    )


def mark_on(marks: Marks, lead_id: UUID, field: str, now: datetime) -> Markup:
    """The attributes of a cell whose field others changed: who, when, and what was before, for eyes and ears.

    Empty for any other cell.
    """
    mark = marks.get(lead_id, {}).get(field)
    if mark is None:
        return Markup("")
    before = wording.value_in_words(field, mark.before) or "empty"
    said = f"{mark.by or 'Somebody'} changed this {wording.ago(mark.at, now)}. Before: {before}"
    return Markup(' data-was title="{0}" aria-description="{0}"').format(said)


def _url(filters: Mapping[str, str]) -> str:
    return f"/leads?{urlencode(filters)}"
