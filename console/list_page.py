"""What the page of the list says beside its rows: views, columns, orders, totals, and where each link leads. Pure.

Every link is made from the address itself, so a page can be copied, bookmarked and opened without a script.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from console import bulk_page, wording
from console.list_address import ListAddress
from console.list_filters import Chip, Group, chips_of, menu_of, outside_the_menu

EXPORT_PATH = "/api/v1/leads/export"
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
        order: str | None = None,
        mark: Callable[[str, str], list[tuple[str, bool]]] | None = None,
        counts: dict[str, int] | None = None,
    ) -> None:
        """total is (value, relation); older and newer are cursors; note says where the list is not what was asked for,
        order which order it has then;
        mark splits a text into (part, is a match)."""
        self._address = address
        self._total = total
        self._mark = mark
        self._counts = counts or {}
        self.note = note
        self._order = order or address.order
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
    def views(self) -> list[View]:
        here = frozenset(self._address.filters)
        return [
            View(label, ListAddress(pairs).canonical, frozenset(pairs) == here, self._count(label))
            for label, pairs in VIEWS
        ]

    @property
    def beside(self) -> list[tuple[str, str]]:
        """What the filter menu keeps: search, sort, and the filters it has no place for."""
        said = {"q": self.query, "sort": self._address.sort}
        return [*outside_the_menu(self._address), *((name, value) for name, value in said.items() if value)]

    @property
    def chips(self) -> list[Chip]:
        return chips_of(self._address)

    @property
    def menu(self) -> list[Group]:
        return menu_of(self._address)

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
        order = self._order
        field = order.removeprefix("-")
        if order in ORDERS:
            return ORDERS[order]
        return f"by {ORDER_FIELDS.get(field, field)}{', from Z to A' if order.startswith('-') else ''}"

    @property
    def newer_word(self) -> str:
        return "Newer" if self._order == "-created_at" else "Before"

    @property
    def older_word(self) -> str:
        return "Older" if self._order == "-created_at" else "Next"

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
    def bulk_actions(self) -> Sequence[bulk_page.BarAction]:
        """What can be done with many of these leads at once; in the bin nothing."""
        return () if self.in_bin else bulk_page.ACTIONS

    @property
    def bulk_query(self) -> str:
        """Which leads these are, whatever their order and page."""
        return self._address.url(sort="").partition("?")[2]

    @property
    def all_in_words(self) -> str:
        """Everything that matches: all 1,284 leads, all about 3.4 million leads."""
        words = self.total_words if self._total else ""
        few = words[:1].lower() + words[1:]
        return f"all {few} that match" if self._address.filters or self.query else f"all {few} leads"

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

    def _sort_link(self, column: str) -> SortLink:
        field = SORTS.get(column)
        if field is None:
            return SortLink(None, None)
        if self.in_bin and column == "added":
            field = "deleted_at"
        order = self._order
        first, second = (f"-{field}", field) if field in DESCENDING_FIRST else (field, f"-{field}")
        url = self._address.url(sort=second if order == first else first)
        if order.removeprefix("-") != field:
            return SortLink(url, None)
        return SortLink(url, "descending" if order.startswith("-") else "ascending")
