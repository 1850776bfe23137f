"""The list's address as a person sees it: filters as chips, views, sorts, and the links that change them. Pure.

Every link is made from the address itself, so a page can be copied, bookmarked and opened without a script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from urllib.parse import urlencode

from markupsafe import Markup, escape

from console import wording
from leads_core.leads.codes import COUNTRY_NAMES

PATH = "/leads"
EXPORT_PATH = "/api/v1/leads/export"
OWNERS = {"me": "me", "none": "nobody"}

#: Filters the address knows: name -> label of the chip.
FILTERS = {
    "deleted": "Leads",
    "is_manual": "Leads",
    "stage": "Stage",
    "enrichment_status": "Enrichment",
    "enrichment_outcome": "Enrichment gave",
    "source": "Source",
    "owner": "Owner",
    "tag": "Tag",
    "domain": "Domain",
    "registrable_domain": "Company domain",
    "country": "Country",
    "has_email": "Leads",
    "created_from": "Added from",
    "created_to": "Added until",
    "updated_from": "Changed from",
    "updated_to": "Changed until",
    "follow_up_from": "Follow up from",
    "follow_up_to": "Follow up until",
}
#: Chips of these read without "is": Leads added by hand, Added from 1 Jan 2026.
WITHOUT_OPERATOR = {"deleted", "is_manual", "has_email"} | {n for n in FILTERS if n.endswith(("_from", "_to"))}
#: Filters with a place in the menu; the others come by links and stay as they are.
IN_MENU = ("is_manual", "stage", "enrichment_status", "source", "owner", "deleted", "tag")
WORDS = {
    "deleted": {"true": "in the bin", "false": "not in the bin"},
    "is_manual": {"true": "added by hand", "false": "not added by hand"},
    "has_email": {"true": "with an email", "false": "without an email"},
    "owner": OWNERS,
    "stage": wording.STAGES,
    "enrichment_status": wording.STATUSES,
    "enrichment_outcome": wording.OUTCOMES,
    "source": wording.SOURCES,
    "country": COUNTRY_NAMES,
}
VIEWS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("All leads", ()),
    ("Added by hand", (("is_manual", "true"),)),
    ("Enrichment failed", (("enrichment_status", "failed"),)),
    ("Won", (("stage", "won"),)),
    ("Bin", (("deleted", "true"),)),
)
SORTS = {
    "company": "company_name",
    "domain": "domain",
    "contact": "contact_name",
    "email": "email",
    "stage": "stage",
    "added": "created_at",
}
DESCENDING_FIRST = frozenset({"created_at", "updated_at", "deleted_at"})
ORDERS = {
    "-created_at": "newest first",
    "created_at": "oldest first",
    "-updated_at": "last changed first",
    "updated_at": "longest unchanged first",
    "-deleted_at": "last deleted first",
    "deleted_at": "first deleted first",
}
ORDER_FIELDS = {
    "company_name": "company",
    "contact_name": "contact",
    "email": "email",
    "domain": "domain",
    "stage": "stage",
    "follow_up_on": "follow-up",
}

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, in words, and the address without it."""

    field: str
    operator: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class View:
    """A named filter above the table."""

    label: str
    url: str
    current: bool
    count: str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; `name` is its class."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class SortLink:
    """Where a column's head leads, and what it says of the order now."""

    url: str | None
    aria: Literal["ascending", "descending"] | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One tick of the filter menu."""

    value: str
    word: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One filter of the menu."""

    name: str
    label: str
    type: Literal["checkbox", "radio"]
    choices: Sequence[Choice]


class ListAddress:
    """What the address of the list says. Unknown and empty parameters are left out: a page never fails over them."""

    def __init__(self, parameters: Iterable[tuple[str, str]]) -> None:
        given = [(name, value.strip()) for name, value in parameters]
        self.filters: Pairs = tuple(dict.fromkeys((n, v) for n, v in given if n in FILTERS and v and v != "any"))
        self.query = next((value for name, value in given if name == "q" and value), "")
        self.sort = next((value for name, value in given if name == "sort" and value), "")
        self.cursor = next((value for name, value in given if name == "cursor" and value), "")
        self.has_empties = any(not value for _, value in given)

    @property
    def in_bin(self) -> bool:
        return ("deleted", "true") in self.filters

    @property
    def order(self) -> str:
        """The order in force: the address's, or the place's own."""
        return self.sort or ("-deleted_at" if self.in_bin else "-created_at")

    def url(
        self,
        *,
        filters: Pairs | None = None,
        query: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        path: str = PATH,
    ) -> str:
        """This address with something changed. Any change but the cursor's leads to the first page."""
        pairs = list(self.filters if filters is None else filters)
        chosen = {"q": self.query if query is None else query, "sort": self.sort if sort is None else sort}
        pairs += [(name, value) for name, value in chosen.items() if value]
        if cursor:
            pairs.append(("cursor", cursor))
        return f"{path}?{urlencode(pairs)}" if pairs else path

    @property
    def canonical(self) -> str:
        """The same address without what says nothing."""
        return self.url(cursor=self.cursor)


class ListPage:
    """Everything the template of the list says beside the rows."""

    def __init__(
        self,
        address: ListAddress,
        *,
        total: tuple[int, str] | None,
        older: str | None,
        newer: str | None,
        note: str | None = None,
        mark: Callable[[str, str], list[tuple[str, bool]]] | None = None,
        counts: dict[str, int] | None = None,
    ) -> None:
        """total is (value, relation); older and newer are cursors; note says where the list is not what was asked for;
        mark splits a text into (part, is a match)."""
        self._address = address
        self._total = total
        self._mark = mark
        self._counts = counts or {}
        self.note = note
        self.query = address.query
        self.in_bin = address.in_bin
        self.older = address.url(cursor=older) if older else None
        self.newer = address.url(cursor=newer) if newer else None

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a search keeps: filters and sort."""
        sort = [("sort", self._address.sort)] if self._address.sort else []
        return [*self._address.filters, *sort]

    @property
    def beside(self) -> list[tuple[str, str]]:
        """What the filter menu keeps: search, sort, and the filters it has no place for."""
        others = [(name, value) for name, value in self._address.filters if not _in_menu(name, value)]
        said = {"q": self.query, "sort": self._address.sort}
        return others + [(name, value) for name, value in said.items() if value]

    @property
    def views(self) -> list[View]:
        here = frozenset(self._address.filters)
        return [
            View(label, ListAddress(pairs).canonical, frozenset(pairs) == here, self._count(label))
            for label, pairs in VIEWS
        ]

    @property
    def chips(self) -> list[Chip]:
        """One chip for each field and direction: "Stage is New or Won"."""
        groups: dict[tuple[str, bool], list[str]] = {}
        for name, value in self._address.filters:
            groups.setdefault((name, value.startswith("!")), []).append(value)
        return [self._chip(name, values, negated) for (name, negated), values in groups.items()]

    @property
    def menu(self) -> list[Group]:
        return [
            self._group("stage", "checkbox", wording.STAGES),
            self._group("enrichment_status", "checkbox", wording.STATUSES),
            self._group("source", "checkbox", wording.SOURCES),
            self._group("is_manual", "radio", {"any": "Any", "true": "By hand", "false": "Not by hand"}, label="Added"),
            self._group("owner", "radio", {"any": "Anybody’s", "me": "Mine", "none": "Nobody’s"}),
            self._group("deleted", "radio", {"any": "Live leads", "true": "In the bin"}, label="Where"),
        ]

    @property
    def tag(self) -> str:
        return next((value for name, value in self._address.filters if name == "tag" and value[0] != "!"), "")

    @property
    def columns(self) -> list[Column]:
        labels = {
            "company": "Company",
            "domain": "Domain",
            "contact": "Contact",
            "email": "Email",
            "stage": "Stage",
            "enrichment": "Enrichment",
            "country": "Country",
            "source": "Source",
            "added": "Deleted" if self.in_bin else "Added",
        }
        columns = [Column(name, label) for name, label in labels.items()]
        return [*columns, Column("restore", "Restore")] if self.in_bin else columns

    @property
    def sorts(self) -> dict[str, SortLink]:
        return {column.name: self._sort_link(column.name) for column in self.columns}

    @property
    def order_in_words(self) -> str:
        order = self._address.order
        field = order.removeprefix("-")
        if order in ORDERS:
            return ORDERS[order]
        return f"by {ORDER_FIELDS.get(field, field)}{', from Z to A' if order.startswith('-') else ''}"

    @property
    def newer_word(self) -> str:
        return "Newer" if self._address.order == "-created_at" else "Before"

    @property
    def older_word(self) -> str:
        return "Older" if self._address.order == "-created_at" else "Next"

    @property
    def total_words(self) -> str:
        return wording.total_in_words(*self._total) if self._total else "Not counted"

    @property
    def total_noun(self) -> str:
        one = self._total is not None and self._total[0] == 1
        noun = "lead" if one else "leads"
        return f"{noun} match{'es' if one else ''}" if self._address.filters or self.query else noun

    @property
    def without_filters(self) -> str:
        return self._address.url(filters=())

    @property
    def without_query(self) -> str:
        return self._address.url(query="")

    @property
    def blank_sentence(self) -> str:
        chips = len(self.chips)
        if self.query and chips:
            return f"{wording.plural(chips, 'filter')} {'is' if chips == 1 else 'are'} on as well."
        if self.query:
            return "Search looks at email, domain, company and contact."
        return "No lead has all of this at once."

    @property
    def export_url(self) -> str:
        return self._address.url(path=EXPORT_PATH)

    def marked(self, text: str) -> Markup | str:
        """The text with what the search found marked."""
        if not self.query or self._mark is None:
            return text
        parts = self._mark(text, self.query)
        return Markup("").join(Markup("<mark>{}</mark>").format(part) if hit else escape(part) for part, hit in parts)

    def _count(self, label: str) -> str | None:
        return wording.short_number(self._counts[label]) if label in self._counts else None

    def _chip(self, name: str, values: list[str], negated: bool) -> Chip:
        shown = [_value_in_words(name, value.lstrip("!")) for value in values]
        operator = "" if name in WITHOUT_OPERATOR else "is not" if negated else "is"
        rest = [pair for pair in self._address.filters if pair[0] != name or pair[1] not in values]
        return Chip(FILTERS[name], operator, " or ".join(shown), self._address.url(filters=rest))

    def _group(
        self, name: str, kind: Literal["checkbox", "radio"], words: dict[str, str], label: str | None = None
    ) -> Group:
        chosen = {value for filter_name, value in self._address.filters if filter_name == name} or {"any"}
        return Group(
            name,
            label or FILTERS[name],
            kind,
            [Choice(value, word, value in chosen) for value, word in words.items()],
        )

    def _sort_link(self, column: str) -> SortLink:
        field = SORTS.get(column)
        if field is None:
            return SortLink(None, None)
        if self.in_bin and column == "added":
            field = "deleted_at"
        order = self._address.order
        first, second = (f"-{field}", field) if field in DESCENDING_FIRST else (field, f"-{field}")
        url = self._address.url(sort=second if order == first else first)
        if order.removeprefix("-") != field:
            return SortLink(url, None)
        return SortLink(url, "descending" if order.startswith("-") else "ascending")


def _value_in_words(name: str, value: str) -> str:
    if name.endswith(("_from", "_to")):
        try:
            return wording.day(date.fromisoformat(value[:10]))
        except ValueError:
            return value
    return WORDS.get(name, {}).get(value, value)


def _in_menu(name: str, value: str) -> bool:
    return name in IN_MENU and not value.startswith("!") and (name in {"tag"} or value in WORDS.get(name, {}))
