"""Random leads for list tests, with many ties and nulls, over many buckets; and the obvious statement for a filter."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.database import new_id
from leads_core.leads.folding import search_text, sort_key
from leads_core.leads.schemas import EnrichmentOutcome, EnrichmentStatus, Source, Stage

START = datetime(2026, 1, 1, tzinfo=UTC)
COMPANIES = ("Acme", "acme", "Éclair", "Eclair", "Ørsted", "Łódź Fabryka", "100% Sure", "a_b Ltd", None, "Zebra")
PEOPLE = ("Ana Díaz", "Bo", "Ćevap", None, None)
DOMAINS = ("acme.com", "careers.acme.com", "example.org", "zebra.io", None)
TAGS = ("vip", "fair", "Über", "cold")
COUNTRIES = ("DE", "FR", None)
#: Arrivals lie in runs of fine buckets, across the border of coarse ones, with empty ones between.
BUCKETS = (*range(8), *range(12, 16), *range(44, 52), 70, 200)


def some_leads(count: int, owners: Sequence[UUID], seed: int) -> list[dict[str, Any]]:
    """Columns of leads; every value is frequent somewhere, and most combinations exist."""
    chance = random.Random(seed)  # noqa: S311 - test data, the same each time
    return [_a_lead(number, owners, chance) for number in range(count)]


def _a_lead(number: int, owners: Sequence[UUID], chance: random.Random) -> dict[str, Any]:
    company, person, domain = chance.choice(COMPANIES), chance.choice(PEOPLE), chance.choice(DOMAINS)
    email = f"p{number:05}@{domain or 'mail.example.net'}" if chance.random() < 0.7 or not domain else None
    if email is None:
        domain = f"d{number:05}.{domain}"
    status = chance.choice(tuple(EnrichmentStatus)).value
    created = START + timedelta(hours=chance.randrange(400))
    bucket = chance.choice(BUCKETS)
    return {
        "id": new_id(),
        "email": email,
        "domain": domain,
        "registrable_domain": ".".join(domain.split(".")[-2:]) if domain else None,
        "company_name": company,
        "contact_name": person,
        "tags": chance.sample(TAGS, chance.choice((0, 0, 1, 2))),
        "stage": chance.choices(tuple(Stage), (70, 20, 6, 3, 1))[0].value,
        "owner_id": chance.choice((*owners, None)),
        "country": chance.choice(COUNTRIES),
        "follow_up_on": chance.choice((None, None, date(2026, 3, 1) + timedelta(days=chance.randrange(20)))),
        "source": chance.choice(tuple(Source)).value,
        "is_manual": chance.random() < 0.3,
        "enrichment_status": status,
        "enrichment_outcome": chance.choice(tuple(EnrichmentOutcome)).value if status == "completed" else None,
        "enriched_at": created + timedelta(minutes=chance.randrange(500)) if status == "completed" else None,
        "version": 1,
        "created_at": created,
        "updated_at": created + timedelta(hours=chance.randrange(50)),
        "updated_by": chance.choice((*owners, None)),
        "deleted_at": created + timedelta(days=chance.randrange(30)) if chance.random() < 0.1 else None,
        "arrival": bucket * 65_536 + chance.randrange(65_536),
        "search_text": search_text(email, domain, company, person),
        "company_sort": sort_key(company),
        "contact_sort": sort_key(person),
    }


async def insert(owner: asyncpg.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write leads as they are, each with an entry to stand on; past the service, because lists look at rows alone."""
    entries = [
        (new_id(), "lead", row["id"], row["version"], "CREATE", "system", "cli", START, 1, json.dumps({}), b"", b"")
        for row in rows
    ]
    columns = ["id", "subject_kind", "subject_id", "seq", "action", "actor_kind", "channel", "occurred_at", "v"]
    columns += ["parts", "checksum", "mac"]
    await owner.copy_records_to_table("audit_log", records=entries, columns=columns)
    names = list(rows[0])
    await owner.copy_records_to_table(
        "leads", records=[tuple(row[name] for name in names) for row in rows], columns=names
    )
    checks = [(row["id"], row["updated_at"] + timedelta(hours=5)) for row in rows if row["enriched_at"]]
    await owner.copy_records_to_table("enrichment_checks", records=checks, columns=["lead_id", "checked_at"])


STAGES = "'{new,contacted,qualified,won,lost}'::text[]"


def obvious_order(field: str, *, descending: bool) -> str:
    """Without a value last; ties the sort's way, among those without a value newest first."""
    way = "DESC" if descending else "ASC"
    newest = "created_at DESC, id DESC"
    by_name = "{0} " + way + " NULLS LAST, CASE WHEN {0} IS NOT NULL THEN id END " + way + ", id DESC"
    created, number = (f"CASE WHEN domain IS NOT NULL THEN {column} END {way}" for column in ("created_at", "id"))
    orders = {
        "company_name": by_name.format("company_sort"),
        "contact_name": by_name.format("contact_sort"),
        "email": f"email {way} NULLS LAST, {newest}",
        "domain": f"domain {way} NULLS LAST, {created}, {number}, {newest}",
        "follow_up_on": f"follow_up_on {way} NULLS LAST,"
        f" CASE WHEN follow_up_on IS NOT NULL THEN id END {way}, {newest}",
        "stage": f"array_position({STAGES}, stage) {way}, {newest}",
        "search": f"bucket {way}, created_at {way}, id {way}",
    }
    return orders.get(field, f"{field} {way}, id {way}")
