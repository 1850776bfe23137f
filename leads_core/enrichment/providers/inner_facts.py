"""What the pages behind a home page add to it. Pure; the pages are hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise

from leads_core.enrichment.providers import FoundFact
from leads_core.enrichment.providers.gathered import Gathered, add_email, company_of, country_of_domain, host_of
from leads_core.enrichment.providers.legal_forms import has_legal_form
from leads_core.enrichment.providers.page_facts import country_of_phone, facts_of_page
from leads_core.enrichment.providers.page_links import Kind
from leads_core.enrichment.providers.page_text import LINE, letters_of, parsed, safe_line, visible_text
from leads_core.leads.normalising import normalise_phone

#: Title, description and language of an inner page are the page's, not the company's.
FIELDS = frozenset(
    {"company_name", "phone", "email", "address", "city", "country", "linkedin_url", "social_profile", "industry",
     "founded_on", "employee_count", "employee_range"}
)  # fmt: skip
_SUREST = frozenset({"phone", "email", "address"})
SURER = 25
"""What an imprint or a contact page adds to the confidence in how a company can be reached, up to SUREST."""
SUREST = 97
MAX_TEXT = 100_000
_PHONE_WORDS = """
    tel · tele · telefon · telefono · telefonie · telefone · teléfono · telefoon · telefonnummer · telefonszám ·
    telephone · téléphone · phone · fon · ruf · rufnummer · call · call us · tlf · tfn · puh · puhelin · mobile · mob ·
    тел · телефон · τηλ · τηλέφωνο · 電話 · 電話番号 · 电话 · 電話 · 전화 · 대표전화 · هاتف · טלפון · โทร · điện thoại
"""
_PHONE = re.compile(
    rf"(?<!\w)(?:{'|'.join(re.escape(word.strip()) for word in _PHONE_WORDS.split('·'))})"
    r"\s{0,3}[.:：]{0,2}\s{0,5}(\(?[+＋0-9][0-9\s()/.\-–]{5,24}[0-9])",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{1,120}\.[A-Za-z]{2,24}(?![\w-])")
# Two lines, as most of Europe writes an address: `Wolfhager Straße 88` or `3, rue de l'Aspic`, then `34117 Kassel`.
_HOUSE = r"\d{1,4}\s?[a-zA-Z]?"
_STREET = re.compile(
    rf"[^\W\d_][^\d|@]{{2,60}}\s{_HOUSE}(?:\s?[-/–]\s?{_HOUSE})?|\d{{1,4}}(?:\s(?:bis|ter))?,?\s[^\W\d_][^\d|@]{{3,60}}"
)
_POSTAL_CODE = r"(?:[A-Z]{1,2}[\s-])?(?:\d\d-\d{3}|\d{3}\s\d\d|\d{4}\s[A-Z]{2}|\d{4,6})"
_PLACE = re.compile(rf"{_POSTAL_CODE}\s([^\W\d_][^\d,;:|@()]{{1,40}})(?:\([A-Z]{{2}}\))?")


def facts_of_inner_page(
    body: bytes, *, kind: Kind, url: str, content_type: str = "", country: str | None = None
) -> list[FoundFact]:
    """What an inner page says of the company, in FIELDS. country as for facts_of_page."""
    facts = facts_of_page(body, url=url, content_type=content_type, country=country)
    if kind is not Kind.ABOUT:
        found = Gathered(url)
        _read_text(visible_text(parsed(body, content_type), MAX_TEXT), found, country or country_of_domain(url))
        facts = [*facts, *found.facts()]
    return [_weighed(fact, kind) for fact in facts if fact.field in FIELDS]


def merged(home: Iterable[FoundFact], inner: Iterable[FoundFact]) -> list[FoundFact]:
    """The surest of each field, whichever page it stands on; the home page's among equals."""
    best: dict[tuple[str, object], FoundFact] = {}
    for fact in (*home, *inner):
        key = (fact.field, fact.value if fact.field == "social_profile" else None)
        held = best.get(key)
        if held is None or _rank(held) < _rank(fact):
            best[key] = fact
    return list(best.values())[:80]


def _rank(fact: FoundFact) -> tuple[bool, int]:
    return not fact.suggestion_only, fact.confidence


def _weighed(fact: FoundFact, kind: Kind) -> FoundFact:
    if kind is Kind.ABOUT or fact.field not in _SUREST:
        return fact
    return replace(fact, confidence=min(fact.confidence + SURER, SUREST))


def _read_text(text: str, found: Gathered, country: str | None) -> None:
    lines = [line for raw in text.splitlines()[:4000] if (line := safe_line(raw, LINE))]
    own = letters_of(company_of(host_of(found.url)).partition(".")[0])
    named = (line for line in lines if len(line) <= 80 and has_legal_form(line) and _is_named(own, line))
    found.add("company_name", next(named, None), 80)
    for street, place in pairwise(lines):
        if _STREET.fullmatch(street) and (matched := _PLACE.fullmatch(place)) and matched[1][0].isupper():
            found.add("address", f"{street}, {place}", 60)
            found.add("city", matched[1].strip(), 65)
            break
    for matched in islice(_PHONE.finditer(text), 1):
        found.add_read("phone", lambda text: normalise_phone(text, country), safe_line(matched[1], 50), 60)
        found.add("country", country_of_phone(found.value("phone")), 55)
    for matched in islice(_EMAIL.finditer(text), 20):
        add_email(matched[0], found, 55, of_others=45)


def _is_named(own: str, name: str) -> bool:
    """Whether a company's name begins as its domain does: an imprint names its lawyer and its web agency, too."""
    letters = letters_of(name)
    first = letters_of(name.split(" ", maxsplit=1)[0])
    return len(own) >= 3 and (letters.startswith(own) or (len(first) >= 3 and own.startswith(first)))
