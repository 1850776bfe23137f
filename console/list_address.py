"""The list's address: which filters, which search, which order, which page; and the addresses beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

PATH = "/leads"

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
    "enriched_from": "Values found from",
    "enriched_to": "Values found until",
}

Pairs = Sequence[tuple[str, str]]


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
