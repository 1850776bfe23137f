"""What a page says of its company in microdata (itemprop of schema.org). Pure."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads_core.enrichment.providers.gathered import Gathered, add_email
from leads_core.enrichment.providers.page_text import LINE, safe_line
from leads_core.enrichment.providers.structured_data import INDUSTRIES, ORGANIZATIONS
from leads_core.leads.normalising import normalise_country, normalise_phone

_ADDRESS = ("streetAddress", "postalCode", "addressLocality", "addressCountry")


def read_microdata(page: LexborHTMLParser, found: Gathered) -> None:
    """The first organization that is marked up on the page and belongs to nothing else there."""
    for node in page.css("[itemscope][itemtype]")[:50]:
        kind = (node.attributes.get("itemtype") or "").strip().rstrip("/").rpartition("/")[2]
        if kind in ORGANIZATIONS | INDUSTRIES.keys() and not node.attributes.get("itemprop"):
            _read(node, found, INDUSTRIES.get(kind))
            return


def _read(node: LexborNode, found: Gathered, industry: str | None) -> None:
    parts = {name: _value(node, name) for name in _ADDRESS}
    found.add("company_name", _value(node, "legalName") or _value(node, "name"), 85)
    found.add("city", parts["addressLocality"], 80)
    found.add_read("country", normalise_country, parts["addressCountry"], 80)
    place = " ".join(part for part in (parts["postalCode"], parts["addressLocality"]) if part)
    if parts["streetAddress"]:
        whole = ", ".join(part for part in (parts["streetAddress"], place, parts["addressCountry"]) if part)
        found.add("address", safe_line(whole, 300), 80)
    country = found.dialled_in()
    found.add_read("phone", lambda text: normalise_phone(text, country), _value(node, "telephone"), 80)
    add_email((_value(node, "email") or "").removeprefix("mailto:"), found, 75)
    found.add("industry", industry, 65)


def _value(node: LexborNode, name: str) -> str | None:
    """The property's text, or what its content attribute or link says."""
    for one in node.css(f'[itemprop~="{name}"]')[:5]:
        if not _belongs_to(one, node):
            continue
        stated = one.attributes.get("content") or (one.attributes.get("href") if name == "email" else None)
        if text := safe_line(stated or one.text(deep=True, separator=" "), LINE):
            return text
    return None


def _belongs_to(one: LexborNode, node: LexborNode) -> bool:
    """Whether a property is node's own or its address's, not that of a review, a member or a product within it."""
    above = one.parent
    while above is not None and above.mem_id != node.mem_id:
        if "itemscope" in above.attributes and above.attributes.get("itemprop") not in {"address", "contactPoint"}:
            return False
        above = above.parent
    return True
