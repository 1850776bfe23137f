"""What a list shall show, read from query parameters into frozen values. Pure.

A filter given twice means any of; a leading `!` means not, and each `!` excludes; `none` is no value at all.
`..._from` and `..._to` include what they name: a date its whole day (UTC), a timestamp its instant, and a relative day
(relative_days.py) what it is on the day of asking.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from leads_core.errors import FieldError, Invalid
from leads_core.leads import facets
from leads_core.leads.normalising import clean_text, fold, normalise_country, normalise_domain
from leads_core.leads.relative_days import or_relative
from leads_core.leads.schemas import EnrichmentOutcome, EnrichmentStatus, Source, Stage
from leads_core.parameters import ParameterReader, day, moment, one_of

Value = TypeVar("Value")
Parameters = Mapping[str, str | Sequence[str]]

#: They stand beside the filters in an address, and say nothing of which leads.
PAGING_PARAMETERS = frozenset({"limit", "cursor", "sort", "total"})
SEARCH_LIMIT = 200
#: What stands in an address for no value: `owner=none`, `country=!none`.
NONE = "none"
#: What a trigram index can find: three letters or digits in a row.
_THREE_LETTERS = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of some values, and none of others. None among them is a lead without a value."""

    any_of: tuple[Any, ...] = ()
    none_of: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.any_of or self.none_of)

    def positions(self, values: Sequence[Any]) -> frozenset[int]:
        """The places of the allowed ones among all values there are."""
        allowed = self.any_of or values
        return frozenset(place for place, value in enumerate(values) if value in allowed and value not in self.none_of)


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` on, and before `end`; either may be open."""

    start: Any = None
    end: Any = None

    def __bool__(self) -> bool:
        return self.start is not None or self.end is not None


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads. Without anything: all that are not in the bin."""

    is_manual: Choice = field(default_factory=Choice)
    stage: Choice = field(default_factory=Choice)
    enrichment_status: Choice = field(default_factory=Choice)
    enrichment_outcome: Choice = field(default_factory=Choice)
    source: Choice = field(default_factory=Choice)
    has_email: Choice = field(default_factory=Choice)
    owner: Choice = field(default_factory=Choice)
    tag: Choice = field(default_factory=Choice)
    domain: Choice = field(default_factory=Choice)
    registrable_domain: Choice = field(default_factory=Choice)
    country: Choice = field(default_factory=Choice)
    updated_by: Choice = field(default_factory=Choice)
    has_follow_up: Choice = field(default_factory=Choice)
    created: Range = field(default_factory=Range)
    updated: Range = field(default_factory=Range)
    follow_up: Range = field(default_factory=Range)
    enriched: Range = field(default_factory=Range)
    checked: Range = field(default_factory=Range)
    deleted: bool = False
    q: str | None = None

    @classmethod
    def from_query(
        cls, parameters: Parameters, *, me: UUID | None = None, lenient: bool = False, today: date | None = None
    ) -> LeadFilter:
        """Read filters by their names; me is who `owner=me` means, today the day of `today` (of the clock, in UTC).

        Raises Invalid, with fields such as `query.stage`, for values no lead can have and for unknown names: a
        mistyped filter must not widen a list. lenient (for pages) passes over unknown names and empty values.
        """
        reader = _Reader(_as_lists(parameters, lenient=lenient), me, today or datetime.now(UTC).date())
        found = reader.filter()
        unknown = [] if lenient else [name for name in reader.left if name not in PAGING_PARAMETERS]
        errors = [*reader.errors, *(FieldError(f"query.{name}", UNKNOWN) for name in unknown)]
        if errors:
            raise Invalid(errors)
        return found

    def coded(self) -> dict[str, frozenset[int]]:
        """The filters that the facet answers: dimension -> allowed positions."""
        found = {
            name: choice.positions(facets.DIMENSIONS[name].values)
            for name in ("has_email", "is_manual", "stage", "source")
            if (choice := getattr(self, name))
        }
        if self.enrichment_status or self.enrichment_outcome:
            found["status"] = _status_positions(self.enrichment_status, self.enrichment_outcome)
        return found

    @property
    def pattern(self) -> str | None:
        """The search as the leads' search_text holds it: folded."""
        return fold(self.q) if self.q else None

    @property
    def is_short_search(self) -> bool:
        """Too short for the search index: the list is then of companies that begin so."""
        return self.pattern is not None and _THREE_LETTERS.search(self.pattern) is None

    def digest(self) -> str:
        """The same for the same filter: what a cursor is bound to."""
        given = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        return hashlib.sha256(json.dumps(given, default=str, sort_keys=True).encode()).hexdigest()


UNKNOWN = "There is no such filter. Check its spelling, or leave it out."


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Choice | Range) else value


def _status_positions(status: Choice, outcome: Choice) -> frozenset[int]:
    """A completed enrichment stands in the code by its outcome."""
    outcomes = {member.value for member in EnrichmentOutcome}
    as_status = [EnrichmentStatus.COMPLETED.value if value in outcomes else value for value in facets.STATUSES]
    as_outcome = [value if value in outcomes else None for value in facets.STATUSES]
    places = range(len(facets.STATUSES))
    return frozenset(
        place for place in places if _allows(status, as_status[place]) and _allows(outcome, as_outcome[place])
    )


def _allows(choice: Choice, value: Any) -> bool:
    return (not choice.any_of or value in choice.any_of) and value not in choice.none_of


def _as_lists(parameters: Parameters, *, lenient: bool) -> dict[str, list[str]]:
    lists = {name: [given] if isinstance(given, str) else list(given) for name, given in parameters.items()}
    if lenient:
        lists = {name: [text for text in given if text.strip()] for name, given in lists.items()}
    return {name: given for name, given in lists.items() if given}


class _Reader(ParameterReader):
    """Takes one filter after the other out of the parameters and gathers what is wrong with them."""

    def __init__(self, left: dict[str, list[str]], me: UUID | None, today: date) -> None:
        super().__init__(left)
        self.me = me
        self._day = or_relative(day, today)
        self._moment = or_relative(moment, today, as_times=True)

    def filter(self) -> LeadFilter:
        return LeadFilter(
            is_manual=self._choice("is_manual", _yes_or_no),
            stage=self._choice("stage", one_of(Stage)),
            enrichment_status=self._choice("enrichment_status", one_of(EnrichmentStatus)),
            enrichment_outcome=self._choice("enrichment_outcome", one_of(EnrichmentOutcome)),
            source=self._choice("source", one_of(Source)),
            has_email=self._choice("has_email", _yes_or_no),
            owner=self._choice("owner", _or_none(self._user)),
            tag=self._choice("tag", _or_none(_text)),
            domain=self._choice("domain", _or_none(normalise_domain)),
            registrable_domain=self._choice("registrable_domain", _or_none(normalise_domain)),
            country=self._choice("country", _or_none(normalise_country)),
            updated_by=self._choice("updated_by", self._user),
            has_follow_up=self._choice("follow_up", _only_none),
            created=self._range("created", self._moment),
            updated=self._range("updated", self._moment),
            follow_up=self._range("follow_up", self._day),
            enriched=self._range("enriched", self._moment),
            checked=self._range("checked", self._moment),
            deleted=self.once("deleted", _yes_or_no) or False,
            q=self.once("q", lambda text: clean_text(text, limit=SEARCH_LIMIT)),
        )

    def _choice(self, name: str, read: Callable[[str], Any]) -> Choice:
        any_of: list[Any] = []
        none_of: list[Any] = []
        for text in self.left.pop(name, []):
            excluded = text.startswith("!")
            value = self.read(name, read, text[1:] if excluded else text)
            (none_of if excluded else any_of).append(value)
        return Choice(_unique(any_of), _unique(none_of))

    def _range(self, name: str, read: Callable[[str], tuple[Any, Any]]) -> Range:
        start, end = self.once(f"{name}_from", read), self.once(f"{name}_to", read)
        return Range(start and start[0], end and end[1])

    def _user(self, text: str) -> UUID:
        if text == "me":
            if self.me is None:
                raise ValueError("Nobody is signed in who could be meant by me: give the user's id.")
            return self.me
        try:
            return UUID(text)
        except ValueError:
            raise ValueError("Give me or the id of a user.") from None


def _or_none(read: Callable[[str], Value]) -> Callable[[str], Value | None]:
    """Reads `none` as no value at all."""
    return lambda text: None if text == NONE else read(text)


def _only_none(text: str) -> None:
    if text != NONE:
        raise ValueError("Give none or !none; a day goes into follow_up_from and follow_up_to.")


def _unique(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _yes_or_no(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("Give true or false.")
    return text == "true"


def _text(text: str) -> str:
    cleaned = clean_text(text, limit=SEARCH_LIMIT)
    if cleaned is None:
        raise ValueError("Give a value, or leave the filter out.")
    return cleaned
