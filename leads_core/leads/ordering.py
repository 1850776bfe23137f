"""The orders of a list. Leads without a value come last whichever way, so an order may have several parts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from leads_core.errors import Invalid
from leads_core.leads.facets import STAGES

#: What a cursor's key can hold, as the database names its type.
KEY_TYPES = {
    "id": "uuid",
    "bucket": "integer",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "deleted_at": "timestamptz",
    "company_sort": "text",
    "contact_sort": "text",
    "email": "text",
    "domain": "text",
    "follow_up_on": "date",
}
LIVE_FIELDS = (
    "created_at",
    "updated_at",
    "company_name",
    "contact_name",
    "email",
    "domain",
    "follow_up_on",
    "stage",
)
BIN_FIELDS = (*LIVE_FIELDS, "deleted_at")


@dataclass(frozen=True, slots=True)
class Sort:
    """A field of the lead, and which way."""

    field: str = "created_at"
    descending: bool = True

    @classmethod
    def parse(cls, text: str | None, *, in_bin: bool = False) -> Sort:
        """`-created_at`, `company_name`. Without one: newest first, in the bin last deleted first. Raises Invalid."""
        if text is None:
            return cls("deleted_at") if in_bin else cls()
        allowed = BIN_FIELDS if in_bin else LIVE_FIELDS
        name = text.removeprefix("-")
        if name not in allowed:
            raise Invalid.of("query.sort", f"Give one of {', '.join(allowed)}, with - before it for descending.")
        return cls(name, text.startswith("-"))

    def __str__(self) -> str:
        return f"-{self.field}" if self.descending else self.field


@dataclass(frozen=True, slots=True)
class Part:
    """One run of rows: those that `where` admits, by their keys, all in one direction.

    prefix: a column that is the same in all of them and leads the index that holds them in this order.
    coded: the dimension and value that say the same as `where`, so that the facet's index can give the rows.
    """

    keys: tuple[str, ...]
    descending: bool
    where: str | None = None
    prefix: str | None = None
    coded: tuple[str, Any] | None = None

    @property
    def is_by_creation(self) -> bool:
        """Whether every index that ends in (created_at, id) gives its rows in this order."""
        return self.keys == ("created_at", "id") and (self.where is None or self.coded is not None)

    def order(self, *, backwards: bool, of: str = "l") -> str:
        """What stands after ORDER BY."""
        way = "DESC" if self.descending != backwards else "ASC"
        columns = self.keys if self.prefix is None else (self.prefix, *self.keys)
        return ", ".join(f"{of}.{column} {way}" for column in columns)

    def beyond(self, key: Sequence[str], *, backwards: bool, of: str = "l") -> str:
        """The rows past the key, whose values are given as parameters."""
        sign = "<" if self.descending != backwards else ">"
        return f"({', '.join(f'{of}.{column}' for column in self.keys)}) {sign} ({', '.join(key)})"


def parts_of(sort: Sort, valued: Iterable[str] = (), empty: Iterable[str] = ()) -> tuple[Part, ...]:
    """The order's parts, first to last. Ties go the sort's way; leads without the value are newest first.

    valued: columns that the filter lets be null in no lead; empty: in every lead. A part of other leads would only be
    searched in vain.
    """
    vain = {f"{column} IS NULL" for column in valued} | {f"{column} IS NOT NULL" for column in empty}
    return tuple(part for part in _parts_of(sort) if part.where not in vain)


def _parts_of(sort: Sort) -> tuple[Part, ...]:
    newest = ("created_at", "id")
    match sort.field:
        case "company_name" | "contact_name":
            column = "company_sort" if sort.field == "company_name" else "contact_sort"
            return (
                Part((column, "id"), sort.descending, where=f"{column} IS NOT NULL"),
                Part(("id",), True, where=f"{column} IS NULL", prefix=column),
            )
        case "email":
            return (
                Part(("email",), sort.descending, where="email IS NOT NULL"),
                Part(newest, True, where="email IS NULL", coded=("has_email", False)),
            )
        case "domain":
            return (
                Part(("domain", *newest), sort.descending, where="domain IS NOT NULL"),
                Part(newest, True, where="domain IS NULL", prefix="domain"),
            )
        case "follow_up_on":
            return (
                Part(("follow_up_on", "id"), sort.descending, where="follow_up_on IS NOT NULL"),
                Part(newest, True, where="follow_up_on IS NULL"),
            )
        case "stage":
            stages = reversed(STAGES) if sort.descending else STAGES
            return tuple(Part(newest, True, where=f"stage = '{stage}'", coded=("stage", stage)) for stage in stages)
        case field:
            return (Part((field, "id"), sort.descending),)


#: The order of a search: by bucket, newest first within it.
SEARCH_PARTS = (Part(("bucket", "created_at", "id"), True),)
OLDEST_FIRST_SEARCH_PARTS = (Part(("bucket", "created_at", "id"), False),)
