"""The list's address: which filters, which search, which order, which page; and the addresses beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from console.filter_form import as_address, is_from_form
from console.list_fields import BY_NAME

PATH = "/leads"
Pairs = Sequence[tuple[str, str]]


class ListAddress:
    """What the address of the list says. Unknown and empty parameters are left out: a page never fails over them.

    view names the view that was opened; the filters stand in the address all the same.
    """

    def __init__(self, parameters: Iterable[tuple[str, str]]) -> None:
        given = [(name, value.strip()) for name, value in parameters]
        #: Whether a form sent it as forms can, so that the address can be said shorter.
        self.is_rough = any(value in {"", "any"} for _, value in given) or is_from_form(given)
        given = as_address(given)
        self.filters: Pairs = tuple(dict.fromkeys((n, v) for n, v in given if n in BY_NAME and v and v != "any"))
        self.query, self.sort, self.cursor, self.view = (
            next((value for name, value in given if name == wanted and value), "")
            for wanted in ("q", "sort", "cursor", "view")
        )

    @property
    def in_bin(self) -> bool:
        return ("deleted", "true") in self.filters

    @property
    def order(self) -> str:
        """The order in force: the address's, or the place's own."""
        return self.sort or ("-deleted_at" if self.in_bin else "-created_at")

    @property
    def says_nothing(self) -> bool:
        """Whether it is the list's bare address."""
        return not (self.state or self.cursor or self.view)

    @property
    def state(self) -> Pairs:
        """Which leads in which order: what a view keeps."""
        said = {"q": self.query, "sort": self.sort}
        return (*self.filters, *((name, value) for name, value in said.items() if value))

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
        if self.view and path == PATH:
            pairs.insert(0, ("view", self.view))
        if cursor:
            pairs.append(("cursor", cursor))
        return f"{path}?{urlencode(pairs)}" if pairs else path

    @property
    def canonical(self) -> str:
        """The same address without what says nothing."""
        return self.url(cursor=self.cursor)
