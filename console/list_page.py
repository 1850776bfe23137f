"""What the page of the list says beside its rows: views, columns, orders, totals, and where each link leads. Pure.

Every link is made from the address itself, so a page can be copied, bookmarked and opened without a script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID
from zlib import crc32

from markupsafe import Markup, escape

from console import wording
from console.away_page import Marks, mark_on
from console.filter_menu import FilterGroup
from console.list_address import ListAddress
from console.list_columns import STANDARD, Column, Columns, SortLink, due_in_words, sort_link
from console.list_fields import People
from console.list_filters import NOBODY, FilterChip, chips_of, menu_of, outside_the_menu
from leads_core.enrichment.queue_watch import JobNow
from leads_core.leads.rows import LeadRow

#: An owner whom nobody can name.
NOT_HERE = "Somebody who is not here any more"
EXPORT_PATH = "/api/v1/leads/export"
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
_UNMARKED = Markup("")


@dataclass(frozen=True, slots=True)
class RowsAround:
    """What the cells of every row need beside their lead. find marks what the search found; owners: id -> name."""

    now: datetime
    today: date
    in_bin: bool
    may_change: bool
    title_beside: bool
    find: Callable[[str], Markup | str]
    owners: Mapping[UUID, str]
    jobs: Mapping[UUID, JobNow]
    marks: Marks = field(default_factory=dict)

    def was(self, lead: LeadRow, name: str) -> Markup:
        """The attributes of a cell that others changed since this person looked last."""
        return mark_on(self.marks, lead.id, name, self.now) if self.marks else _UNMARKED

    @property
    def can_edit(self) -> bool:
        return self.may_change and not self.in_bin

    def owner_of(self, lead: LeadRow) -> str:
        return self.owners.get(lead.owner_id, NOT_HERE) if lead.owner_id else ""

    def due_in_words(self, due: date) -> str:
        return due_in_words(due, self.today)


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
        people: People = NOBODY,
        chosen: Columns = STANDARD,
        density: str = "compact",
        can_edit: bool = False,
        unfiltered: tuple[int, str] | None = None,
    ) -> None:
        """total is (value, relation), unfiltered that of the search alone; older and newer are cursors; note says
        where the list is not what was asked for, order which order it has then; mark splits a text into (part, is a
        match); chosen are the columns of whoever looks."""
        self._address = address
        self._total = total
        self._mark = mark
        self._people = people
        self.chosen = chosen
        self.density = density
        self._can_edit = can_edit
        self._unfiltered = unfiltered
        self.note = note
        self._order = order or address.order
        self.query = address.query
        self.in_bin = address.in_bin
        self.older = address.url(cursor=older) if older else None
        self.newer = address.url(cursor=newer) if newer else None

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a search keeps: the view, filters and sort."""
        beside = {"view": self._address.view, "sort": self._address.sort}
        return [*self._address.filters, *((name, value) for name, value in beside.items() if value)]

    @property
    def beside(self) -> list[tuple[str, str]]:
        """What the filter menu keeps: search, sort, the view, and what it has no second place for."""
        said = {"q": self.query, "sort": self._address.sort, "view": self._address.view}
        return [*outside_the_menu(self._address), *((name, value) for name, value in said.items() if value)]

    @property
    def chips(self) -> list[FilterChip]:
        return chips_of(self._address, self._people)

    @property
    def menu(self) -> list[FilterGroup]:
        return menu_of(self._address, self._people)

    @property
    def columns(self) -> list[Column]:
        return self.chosen.in_table(in_bin=self.in_bin, can_edit=self._can_edit)

    @property
    def rows_id(self) -> str:
        """Names this list in these columns: the same list read again is morphed row by row, another takes its place."""
        return f"rows-{crc32(repr((self._address.canonical, self.column_names)).encode()):x}"

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def around(
        self, *, now: datetime, owners: Mapping[UUID, str], jobs: Mapping[UUID, JobNow], marks: Marks | None = None
    ) -> RowsAround:
        """What the cells of each row need."""
        return RowsAround(
            now=now,
            today=now.astimezone(UTC).date(),
            in_bin=self.in_bin,
            may_change=self._can_edit,
            title_beside="title" not in self.chosen.names,
            find=self.marked,
            owners=owners,
            jobs=jobs,
            marks=marks or {},
        )

    @property
    def sorts(self) -> dict[str, SortLink]:
        return {column.name: sort_link(column.name, self._address, self._order) for column in self.columns}

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
            return f"{wording.plural(chips, 'filter')} {'is' if chips == 1 else 'are'} on as well.{self._without_them}"
        if self.query:
            return "Search looks at email, domain, company and contact."
        return "No lead has all of this at once."

    @property
    def _without_them(self) -> str:
        if self._unfiltered is None:
            return ""
        them = "it" if len(self.chips) == 1 else "them"
        if not self._unfiltered[0]:
            return f" Without {them}, no lead matches either."
        leads = "lead matches" if self._unfiltered[0] == 1 else "leads match"
        return f" Without {them}, {_within_a_sentence(self._unfiltered)} {leads} “{self.query}”."

    @property
    def people(self) -> People:
        """Who may own leads."""
        return self._people

    @property
    def bulk_query(self) -> str:
        """Which leads these are, whatever their order and page."""
        return self._address.url(sort="").partition("?")[2]

    @property
    def all_in_words(self) -> str:
        """Everything that matches: all 1,284 leads, all about 3.4 million leads."""
        few = _within_a_sentence(self._total) if self._total else ""
        return f"all {few} that match" if self._address.filters or self.query else f"all {few} leads"

    @property
    def export_url(self) -> str:
        return self._address.url(path=EXPORT_PATH)

    @property
    def export_columns(self) -> str:
        """The fields of the columns that are shown."""
        return self.chosen.exported(in_bin=self.in_bin)

    def marked(self, text: str) -> Markup | str:
        """The text with what the search found marked."""
        if not self.query or self._mark is None:
            return text
        parts = self._mark(text, self.query)
        return Markup("").join(Markup("<mark>{}</mark>").format(part) if hit else escape(part) for part, hit in parts)


def _within_a_sentence(total: tuple[int, str]) -> str:
    words = wording.total_in_words(*total)
    return words[:1].lower() + words[1:]
