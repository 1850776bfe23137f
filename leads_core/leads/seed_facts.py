"""Invented leads at real companies, skewed as real lists are. Pure: the same numbers give the same leads."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from leads_core.leads import normalising
from leads_core.leads.folding import search_text, sort_key

Item = TypeVar("Item")

FIRST_NAMES = (
    "Ana",
    "Jonas",
    "Marie",
    "Łukasz",
    "Sofia",
    "Noah",
    "Élodie",
    "Mateus",
    "Ingrid",
    "Søren",
    "Aisha",
    "Wei",
    "Priya",
    "Tomáš",
    "Yuki",
    "Olga",
    "Luca",
    "Emma",
    "Diego",
    "Zoë",
    "Hannah",
    "Oliver",
    "Fatima",
    "Björn",
    "Chloé",
    "Ivan",
    "Nadia",
    "Pedro",
    "Greta",
    "Samuel",
    "Leïla",
    "Marco",
    "Signe",
    "Andrei",
    "Clara",
    "Hugo",
    "Mina",
    "Elif",
    "Daniel",
    "Rosa",
)
LAST_NAMES = (
    "Müller",
    "Díaz",
    "Nowak",
    "Rossi",
    "Smith",
    "García",
    "Kowalska",
    "Jensen",
    "Dubois",
    "Silva",
    "Novák",
    "Øberg",
    "Tanaka",
    "Ivanova",
    "Meyer",
    "Johansson",
    "Chen",
    "Patel",
    "Brown",
    "Lopes",
    "Weber",
    "Martin",
    "Bianchi",
    "Schmidt",
    "Larsen",
    "Kim",
    "Popescu",
    "Fischer",
    "Moreau",
    "Santos",
    "Wagner",
    "Hansen",
    "Costa",
    "Petrov",
    "Keller",
    "Lambert",
    "Virtanen",
    "Murphy",
    "Yılmaz",
    "Horvat",
)
TITLES = ("Head of Sales", "Chief Technology Officer", "Buyer", "Founder", "Office Manager", "Product Lead", None, None)
INDUSTRIES = ("Software", "Manufacturing", "Retail", "Health care", "Logistics", "Finance", "Energy", None, None)
PLACES = (
    ("Berlin", "DE", "de"),
    ("Paris", "FR", "fr"),
    ("London", "GB", "en"),
    ("New York", "US", "en"),
    ("Madrid", "ES", "es"),
    ("Warszawa", "PL", "pl"),
    ("København", "DK", "da"),
    (None, None, None),
    ("São Paulo", "BR", "pt"),
    ("Zürich", "CH", "de"),
)
TAGS = ("newsletter", "trade fair", "partner", "webinar", "vip", "cold", "reseller", "pilot")
STAGES = ("new", "contacted", "qualified", "won", "lost")
SOURCES = ("import", "api", "quick_add", "form")
ENRICHMENTS = (
    ("pending", None, None),
    ("completed", "found", None),
    ("completed", "partial", None),
    ("completed", "nothing", None),
    ("failed", None, "The web site did not answer in time. Try again later."),
)
#: Every fifth or so lead is of a company alone, and has only its domain.
WITHOUT_EMAIL = 0.18


@dataclass(frozen=True, slots=True)
class Company:
    """A company's facts, normalised once."""

    name: str
    domain: str
    registrable_domain: str | None
    sort_key: str | None
    website: str


@dataclass(frozen=True, slots=True)
class Weighted:
    """Choices and their running weights."""

    items: Sequence[Any]
    up_to: Sequence[float]

    def pick(self, chance: Random) -> Any:
        return chance.choices(self.items, cum_weights=self.up_to)[0]


def weighted(items: Sequence[Any], weights: Sequence[float] | None = None) -> Weighted:
    """By the weights given, else as words are: the second half as often as the first, the third a third."""
    return Weighted(items, list(accumulate(weights or [1 / (place + 1) for place in range(len(items))])))


@cache
def companies() -> tuple[Company, ...]:
    """The companies in leads_core/leads/companies.csv."""
    text = files("leads_core.leads").joinpath("companies.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(company for row in rows if (company := _company(row["company_name"], row["domain"])))


def _company(name: str, domain: str) -> Company | None:
    """None for the few whose domain is one that many share (gov.uk)."""
    clean = normalising.clean_text(name, limit=200) or domain
    try:
        host = normalising.normalise_domain(domain)
    except ValueError:
        return None
    website = normalising.normalise_web_address(f"https://{host}")
    return Company(clean, host, normalising.registrable_domain(host), sort_key(clean), website)


class Inventor:
    """Makes the columns of one lead after the other. owners: users who may own leads."""

    def __init__(self, seed: int, owners: Sequence[UUID]) -> None:
        self._chance = Random(seed)  # noqa: S311 - invented people, no secrets
        self._companies = weighted(companies(), [1 / (place + 20) for place in range(len(companies()))])
        self._first, self._last = weighted(FIRST_NAMES), weighted(LAST_NAMES)
        self._handles = {
            name: normalising.fold(name).encode("ascii", "ignore").decode() for name in FIRST_NAMES + LAST_NAMES
        }
        self._places, self._tags = weighted(PLACES), weighted(TAGS)
        self._stages = weighted(STAGES, (70, 18, 7, 2, 3))
        self._sources = weighted(SOURCES, (60, 22, 12, 6))
        self._enrichments = weighted(ENRICHMENTS, (55, 25, 8, 7, 5))
        self._owners = weighted([None, *owners], [1.5, *(1 / (place + 1) for place in range(len(owners)))])

    def lead(self, number: int, created_at: datetime) -> dict[str, Any]:
        """Column -> value, as the service would write it. number makes email and domain unique."""
        chance, company = self._chance, self._companies.pick(self._chance)
        city, country, language = self._places.pick(chance)
        source = self._sources.pick(chance)
        status, outcome, error = self._enrichments.pick(chance)
        values: dict[str, Any] = {
            **self._identity(company, number),
            "website": company.website if chance.random() < 0.4 else None,
            "industry": chance.choice(INDUSTRIES),
            "employee_count": int(chance.paretovariate(0.6)) % 200_000 if chance.random() < 0.5 else None,
            "city": city,
            "country": country,
            "language": language,
            "tags": sorted({self._tags.pick(chance) for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))}),
            "stage": self._stages.pick(chance),
            "owner_id": self._owners.pick(chance),
            "follow_up_on": (created_at + timedelta(days=chance.randrange(1, 90))).date()
            if chance.random() < 0.15
            else None,
            "source": source,
            "source_detail": f"seed.csv, row {number}" if source == "import" else None,
            "is_manual": source in {"quick_add", "form"},
            "enrichment_status": status,
            "enrichment_outcome": outcome,
            "enrichment_error": error,
            "enriched_at": created_at if outcome in {"found", "partial"} else None,
        }
        return values

    def _identity(self, company: Company, number: int) -> dict[str, Any]:
        chance = self._chance
        if chance.random() < WITHOUT_EMAIL:
            domain = f"{chance.choice(('shop', 'app', 'go', 'team'))}{number}.{company.domain}"
            text = search_text(None, domain, company.name, None)
            return {**self._of(company, domain), "email": None, "contact_name": None, "search_text": text}
        first, last = self._first.pick(chance), self._last.pick(chance)
        email, person = f"{self._handles[first]}.{self._handles[last]}{number}@{company.domain}", f"{first} {last}"
        return {
            **self._of(company, company.domain),
            "email": email,
            "contact_name": person,
            "job_title": chance.choice(TITLES),
            "contact_sort": _person_sort(person),
            "search_text": search_text(email, company.domain, company.name, person),
        }

    def _of(self, company: Company, domain: str) -> dict[str, Any]:
        return {
            "domain": domain,
            "registrable_domain": company.registrable_domain,
            "company_name": company.name,
            "company_sort": company.sort_key,
        }


@cache
def _person_sort(person: str) -> str | None:
    return sort_key(person)
