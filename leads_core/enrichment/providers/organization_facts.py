"""The company that a page's JSON-LD speaks of, as facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from leads_core.enrichment.providers.gathered import Gathered, add_email, add_profile, company_of, host_of
from leads_core.enrichment.providers.page_text import LINE, PARAGRAPH, safe_line
from leads_core.enrichment.providers.structured_data import INDUSTRIES, Node, objects, organizations, texts, types_of
from leads_core.leads.normalising import normalise_country, normalise_phone

_RANGE = re.compile(r"(\d{1,7})\s*(?:-|–|to|bis|à)\s*(\d{1,7})")
_DATE = re.compile(r"(?:1[5-9]|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")


def read_organization(scripts: Iterable[str], found: Gathered) -> None:
    """What these scripts say of the page's own company. One that lives at another domain gives suggestions only."""
    home = company_of(host_of(found.url))

    def rank(node: Node) -> tuple[int, int]:
        hosts = {company_of(host_of(text, base=found.url)) for text in texts(node.get("url"))} - {""}
        return (0 if home in hosts else 1 if not hosts else 2, 0 if texts(node.get("name")) else 1)

    own = min(organizations(scripts), key=rank, default=None)
    if own is not None:
        found.foreign = rank(own)[0] == 2
        _read(own, found)
        found.foreign = False


def _read(node: Node, found: Gathered) -> None:
    for name in texts(node.get("name"))[:1]:
        found.add("company_name", safe_line(name, LINE), 90)
    _read_address(node, found)
    country = found.dialled_in()
    contact_phones = [text for point in objects(node.get("contactPoint")) for text in texts(point.get("telephone"))]
    phones = [(text, 90) for text in texts(node.get("telephone"))] + [(text, 80) for text in contact_phones]
    for phone, confidence in phones:
        found.add_read("phone", lambda text: normalise_phone(text, country), safe_line(phone, 50), confidence)
    for text in texts(node.get("description"))[:1]:
        found.add("description", safe_line(text, PARAGRAPH), 70)
    for date in texts(node.get("foundingDate"))[:1]:
        if matched := _DATE.match(date.strip()):
            found.add("founded_on", matched[0], 85)
    for address in texts(node.get("email"))[:3]:
        add_email(address.removeprefix("mailto:"), found, 80)
    for profile in texts(node.get("sameAs")):
        add_profile(profile.strip(), found, linkedin=95)
    _read_employees(node.get("numberOfEmployees"), found)
    named = [safe_line(text, LINE) for text in texts(node.get("industry"))[:1]]
    by_type = [INDUSTRIES[kind] for kind in sorted(types_of(node)) if kind in INDUSTRIES]
    for industry, confidence in [(text, 85) for text in named] + [(text, 70) for text in by_type]:
        found.add("industry", industry, confidence)


def _read_address(node: Node, found: Gathered) -> None:
    for address in objects(node.get("address"))[:1]:
        parts = {key: safe_line(next(iter(texts(address.get(key))), None), LINE) for key in _ADDRESS_PARTS}
        found.add("city", parts["addressLocality"], 85)
        found.add_read("country", normalise_country, parts["addressCountry"], 85)
        place = " ".join(part for part in (parts["postalCode"], parts["addressLocality"]) if part)
        whole = ", ".join(part for part in (parts["streetAddress"], place, parts["addressCountry"]) if part)
        if parts["streetAddress"]:
            found.add("address", safe_line(whole, 300), 85)
    if isinstance(text := node.get("address"), str):
        found.add("address", safe_line(text, 300), 75)


_ADDRESS_PARTS = ("streetAddress", "postalCode", "addressLocality", "addressCountry")


def _read_employees(value: Any, found: Gathered) -> None:
    for item in objects(value)[:1]:
        low, high = (next(iter(texts(item.get(key))), "") for key in ("minValue", "maxValue"))
        value = item.get("value") or (f"{low}-{high}" if low and high else None)
    for text in texts(value)[:1]:
        digits = re.sub(r"(?<=\d)[,.' \u00a0](?=\d{3}(?!\d))", "", text.strip()[:40])
        if re.fullmatch(r"[0-9]{1,7}", digits) and int(digits):
            found.add("employee_count", int(digits), 85)
        elif matched := _RANGE.search(digits):
            found.add("employee_range", f"{int(matched[1])}–{int(matched[2])}", 80)
