"""Each list statement against the obvious one, on random leads: same rows, same order, page by page both ways."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from leads_core.database import Database
from leads_core.errors import SortTooBroad
from leads_core.leads import searching
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import BIN_FIELDS, LIVE_FIELDS, Sort
from leads_core.leads.queries import TOO_BROAD, page_of_leads
from leads_core.paging import Cursors, Page, Total
from tests.integration.leads import list_data

CURSORS = Cursors("a secret for tests")
OWNERS = (UUID("0193f5a0-0000-7000-8000-00000000000a"), UUID("0193f5a0-0000-7000-8000-00000000000b"))
ME = OWNERS[0]

CHECKED = "(SELECT checked_at FROM enrichment_checks WHERE lead_id = leads.id)"

#: Each filter as an address has it, and the obvious condition.
FILTERS: tuple[tuple[dict[str, list[str]], str], ...] = (
    ({}, "true"),
    ({"stage": ["won"]}, "stage = 'won'"),
    ({"stage": ["lost", "won"]}, "stage IN ('lost', 'won')"),
    ({"stage": ["!new"]}, "stage <> 'new'"),
    ({"is_manual": ["true"]}, "is_manual"),
    ({"has_email": ["false"]}, "email IS NULL"),
    ({"has_email": ["true"]}, "email IS NOT NULL"),
    ({"source": ["import", "api"]}, "source IN ('import', 'api')"),
    ({"enrichment_status": ["completed"]}, "enrichment_status = 'completed'"),
    ({"enrichment_status": ["!completed"]}, "enrichment_status <> 'completed'"),
    ({"enrichment_outcome": ["partial"]}, "enrichment_outcome = 'partial'"),
    ({"enrichment_outcome": ["!found"]}, "enrichment_outcome IS DISTINCT FROM 'found'"),
    ({"enrichment_status": ["failed", "completed"], "enrichment_outcome": ["!nothing"]},
     "enrichment_status IN ('failed', 'completed') AND enrichment_outcome IS DISTINCT FROM 'nothing'"),
    ({"owner": ["me"]}, f"owner_id = '{ME}'"),
    ({"owner": ["none"]}, "owner_id IS NULL"),
    ({"owner": ["none", "me"]}, f"(owner_id IS NULL OR owner_id = '{ME}')"),
    ({"owner": ["!none"]}, "owner_id IS NOT NULL"),
    ({"owner": ["!me"]}, f"owner_id IS DISTINCT FROM '{ME}'"),
    ({"tag": ["vip"]}, "'vip' = ANY (tags)"),
    ({"tag": ["none"]}, "tags = '{}'"),
    ({"tag": ["none", "vip"], "stage": ["new"]}, "(tags = '{}' OR 'vip' = ANY (tags)) AND stage = 'new'"),
    ({"tag": ["!none"], "country": ["!none"]}, "tags <> '{}' AND country IS NOT NULL"),
    ({"tag": ["vip", "Über"]}, "tags && '{vip,Über}'"),
    ({"tag": ["vip", "!cold"]}, "tags && '{vip}' AND NOT tags && '{cold}'"),
    ({"domain": ["acme.com"]}, "domain = 'acme.com'"),
    ({"domain": ["!acme.com"]}, "domain IS DISTINCT FROM 'acme.com'"),
    ({"registrable_domain": ["acme.com", "zebra.io"]}, "registrable_domain IN ('acme.com', 'zebra.io')"),
    ({"country": ["de"]}, "country = 'DE'"),
    ({"country": ["DE", "FR"]}, "country IN ('DE', 'FR')"),
    ({"country": ["!DE"]}, "country IS DISTINCT FROM 'DE'"),
    ({"country": ["none"]}, "country IS NULL"),
    ({"country": ["none", "DE"]}, "(country IS NULL OR country = 'DE')"),
    ({"domain": ["none"]}, "domain IS NULL"),
    ({"registrable_domain": ["!none", "!acme.com"]}, "registrable_domain <> 'acme.com'"),
    ({"updated_by": ["me"]}, f"updated_by = '{ME}'"),
    ({"updated_by": ["!me"], "updated_from": ["2026-01-08"]},
     f"updated_by IS DISTINCT FROM '{ME}' AND updated_at >= '2026-01-08Z'"),
    ({"updated_by": ["!me"], "updated_from": ["2026-01-08"], "created_to": ["2026-01-05"]},
     f"updated_by IS DISTINCT FROM '{ME}' AND updated_at >= '2026-01-08Z' AND created_at < '2026-01-06Z'"),
    ({"follow_up": ["none"]}, "follow_up_on IS NULL"),
    ({"follow_up": ["!none"], "owner": ["me"]}, f"follow_up_on IS NOT NULL AND owner_id = '{ME}'"),
    ({"follow_up": ["none"], "follow_up_to": ["2026-03-06"]}, "false"),
    ({"created_from": ["2026-01-03"], "created_to": ["2026-01-05"]},
     "created_at >= '2026-01-03Z' AND created_at < '2026-01-06Z'"),
    ({"created_to": ["2026-01-03T05:00:00Z"]}, "created_at <= '2026-01-03T05:00Z'"),
    ({"updated_from": ["2026-01-10T00:00:00+01:00"]}, "updated_at >= '2026-01-09T23:00Z'"),
    ({"enriched_to": ["2026-01-10"]}, "enriched_at < '2026-01-11Z'"),
    ({"enriched_to": ["2026-01-10"], "stage": ["new"]}, "enriched_at < '2026-01-11Z' AND stage = 'new'"),
    ({"checked_to": ["2026-01-10"]}, f"{CHECKED} < '2026-01-11Z'"),
    ({"checked_from": ["2026-01-10"], "checked_to": ["2026-01-12"], "owner": ["me"]},
     f"{CHECKED} >= '2026-01-10Z' AND {CHECKED} < '2026-01-13Z' AND owner_id = '{ME}'"),
    ({"follow_up_from": ["2026-03-05"], "follow_up_to": ["2026-03-06"]},
     "follow_up_on BETWEEN '2026-03-05' AND '2026-03-06'"),
    ({"stage": ["new"], "owner": ["me"]}, f"stage = 'new' AND owner_id = '{ME}'"),
    ({"stage": ["won"], "owner": ["me"], "tag": ["vip"]},
     f"stage = 'won' AND owner_id = '{ME}' AND 'vip' = ANY (tags)"),
    ({"stage": ["new"], "tag": ["vip", "fair"], "created_from": ["2026-01-02"]},
     "stage = 'new' AND tags && '{vip,fair}' AND created_at >= '2026-01-02Z'"),
    ({"stage": ["new"], "created_from": ["2026-01-02"]}, "stage = 'new' AND created_at >= '2026-01-02Z'"),
    ({"stage": ["lost"], "country": ["!FR"]}, "stage = 'lost' AND country IS DISTINCT FROM 'FR'"),
    ({"country": ["DE"], "updated_from": ["2026-01-05"], "is_manual": ["false"]},
     "country = 'DE' AND updated_at >= '2026-01-05Z' AND NOT is_manual"),
    ({"stage": ["won"], "enrichment_outcome": ["found"], "enrichment_status": ["pending"]}, "false"),
    ({"q": ["ac"]}, "company_sort LIKE 'ac%'"),
    ({"q": ["É"], "stage": ["new"]}, "company_sort LIKE 'e%' AND stage = 'new'"),
)  # fmt: skip


@pytest.fixture(scope="module")
async def thousands(pools: Database, owner: asyncpg.Connection, emptying: str) -> Database:
    """2,400 random leads, some in the bin."""
    await owner.execute(emptying)
    for place, person in enumerate(OWNERS):
        await owner.execute(
            "INSERT INTO users (id, email, name, role, version, created_at) VALUES ($1, $2, $2, 'editor', 1, now())",
            person,
            f"u{place}@example.com",
        )
    await list_data.insert(owner, list_data.some_leads(2_400, OWNERS, seed=7))
    await owner.execute("ANALYZE")
    return pools


SEARCHES: tuple[tuple[dict[str, list[str]], str], ...] = (
    ({"q": ["acme"]}, "search_text LIKE '%acme%'"),
    ({"q": ["P0012"]}, "search_text LIKE '%p0012%'"),
    ({"q": ["p00"]}, "search_text LIKE '%p00%'"),
    ({"q": ["p0999"]}, "search_text LIKE '%p0999%'"),
    ({"q": ["nobody at all"]}, "false"),
    ({"q": ["éclair"]}, "search_text LIKE '%eclair%'"),
    ({"q": ["100% s"]}, r"search_text LIKE '%100\% s%'"),
    ({"q": ["a_b Ltd"]}, r"search_text LIKE '%a\_b ltd%'"),
    ({"q": ["zebra"], "stage": ["won"]}, "search_text LIKE '%zebra%' AND stage = 'won'"),
    ({"q": ["zebra"], "stage": ["won", "lost"]}, "search_text LIKE '%zebra%' AND stage IN ('won', 'lost')"),
    ({"q": ["p01"], "stage": ["new"], "is_manual": ["false"]},
     "search_text LIKE '%p01%' AND stage = 'new' AND NOT is_manual"),
    ({"q": ["acme"], "owner": ["me"]}, f"search_text LIKE '%acme%' AND owner_id = '{ME}'"),
    ({"q": ["acme"], "tag": ["vip", "cold"], "source": ["api"]},
     "search_text LIKE '%acme%' AND tags && '{vip,cold}' AND source = 'api'"),
    ({"q": ["p00"], "country": ["!DE"]}, "search_text LIKE '%p00%' AND country IS DISTINCT FROM 'DE'"),
    ({"q": ["p00"], "created_from": ["2026-01-05"]}, "search_text LIKE '%p00%' AND created_at >= '2026-01-05Z'"),
)  # fmt: skip


def described(value: Any) -> str:
    return "&".join(f"{name}={','.join(given)}" for name, given in value.items()) if isinstance(value, dict) else ""


@pytest.mark.parametrize(("address", "condition"), FILTERS, ids=described)
async def test_every_filter_in_every_order_is_as_the_obvious_statement_says(
    thousands: Database, owner: asyncpg.Connection, address: dict[str, list[str]], condition: str
) -> None:
    wanted = LeadFilter.from_query(address, me=ME)
    fields = ("company_name",) if wanted.is_short_search else LIVE_FIELDS
    ways = (False,) if wanted.is_short_search else (True, False)

    for sort in (Sort(field, way) for field in fields for way in ways):
        expected = await obvious(owner, f"deleted_at IS NULL AND {condition}", sort)
        assert await forwards(thousands, wanted, sort, len(expected)) == expected, str(sort)
        assert await backwards(thousands, wanted, sort, len(expected)) == expected, str(sort)


@pytest.mark.parametrize(("address", "condition"), FILTERS, ids=described)
async def test_the_total_is_exact_below_ten_thousand(
    thousands: Database, owner: asyncpg.Connection, address: dict[str, list[str]], condition: str
) -> None:
    expected = await obvious(owner, f"deleted_at IS NULL AND {condition}", Sort())

    for sort in (Sort(), Sort("company_name", descending=False)):
        page = await a_page(thousands, LeadFilter.from_query(address, me=ME), sort, None, 50)
        assert page.total is not None
        assert (page.total.value, page.total.relation) == (len(expected), "exact")


@pytest.mark.parametrize("field", BIN_FIELDS)
async def test_the_bin_is_listed_in_every_order(thousands: Database, owner: asyncpg.Connection, field: str) -> None:
    for address, condition in (*FILTERS[:12], FILTERS[-2], SEARCHES[0], SEARCHES[8]):
        wanted = LeadFilter.from_query({**address, "deleted": ["true"]}, me=ME)
        for sort in (Sort(field, descending=True), Sort(field, descending=False)):
            expected = await obvious(owner, f"deleted_at IS NOT NULL AND {condition}", sort)
            assert await forwards(thousands, wanted, sort, len(expected)) == expected
            assert await backwards(thousands, wanted, sort, len(expected)) == expected


@pytest.mark.parametrize(
    ("small", "walked", "coarse_hits"),
    [
        pytest.param(searching.SMALL, searching.WALKED, searching.COARSE_HITS, id="as it is"),
        pytest.param(10, searching.WALKED, searching.COARSE_HITS, id="no filter is narrow"),
        pytest.param(10, 30, 15, id="as with far more leads"),
    ],
)
@pytest.mark.parametrize(("address", "condition"), SEARCHES, ids=described)
async def test_every_search_is_as_the_obvious_statement_says(
    thousands: Database,
    owner: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    address: dict[str, list[str]],
    condition: str,
    small: int,
    walked: int,
    coarse_hits: int,
) -> None:
    for limit, value in {"SMALL": small, "WALKED": walked, "COARSE_HITS": coarse_hits}.items():
        monkeypatch.setattr(searching, limit, value)
    wanted = LeadFilter.from_query(address, me=ME)

    for sort in (Sort(), Sort("created_at", descending=False)):
        expected = await obvious(owner, f"deleted_at IS NULL AND {condition}", Sort("search", sort.descending))
        assert await forwards(thousands, wanted, sort, len(expected)) == expected
        assert await backwards(thousands, wanted, sort, len(expected)) == expected


@pytest.mark.parametrize(("address", "condition"), SEARCHES[1:4] + SEARCHES[8:9], ids=described)
async def test_a_search_of_few_hits_is_sorted_in_any_order(
    thousands: Database, owner: asyncpg.Connection, address: dict[str, list[str]], condition: str
) -> None:
    wanted = LeadFilter.from_query(address)

    for sort in (Sort("company_name", descending=False), Sort("email"), Sort("updated_at"), Sort("stage")):
        expected = await obvious(owner, f"deleted_at IS NULL AND {condition}", sort)
        assert await forwards(thousands, wanted, sort, len(expected)) == expected
        assert await backwards(thousands, wanted, sort, len(expected)) == expected


async def test_a_search_too_broad_to_be_sorted_is_refused_or_shown_newest_first(thousands: Database) -> None:
    wanted, sort = LeadFilter.from_query({"q": "acme"}), Sort("company_name")

    with pytest.raises(SortTooBroad):
        await a_page(thousands, wanted, sort, None, 50)

    newest = await a_page(thousands, wanted, Sort(), None, 50)
    async with thousands.reader() as reader:
        shown = await page_of_leads(reader, wanted, sort, None, 50, cursors=CURSORS, when_too_broad="newest")
        following = await page_of_leads(
            reader, wanted, sort, shown.next_cursor, 50, cursors=CURSORS, when_too_broad="newest"
        )
    assert shown.items == newest.items
    assert shown.note == TOO_BROAD
    assert following.items == (await a_page(thousands, wanted, Sort(), newest.next_cursor, 50)).items


async def test_a_search_that_ended_by_itself_has_an_exact_total(thousands: Database, owner: asyncpg.Connection) -> None:
    wanted = LeadFilter.from_query({"q": "p0012"})
    expected = await obvious(owner, "deleted_at IS NULL AND search_text LIKE '%p0012%'", Sort())

    whole = await a_page(thousands, wanted, Sort(), None, 50)
    first = await a_page(thousands, wanted, Sort(), None, 4)
    last = first
    while last.next_cursor:
        last = await a_page(thousands, wanted, Sort(), last.next_cursor, 4)

    assert whole.total == last.total == Total(len(expected))
    assert first.total is not None
    assert first.total.relation == "about"


async def test_a_search_that_goes_on_says_about_how_many(thousands: Database, owner: asyncpg.Connection) -> None:
    for term in ("acme", "zebra", "p00"):
        expected = len(await obvious(owner, f"deleted_at IS NULL AND search_text LIKE '%{term}%'", Sort()))

        page = await a_page(thousands, LeadFilter.from_query({"q": term}), Sort(), None, 50)

        assert page.total is not None
        assert page.total.relation == "about"
        assert expected / 3 < page.total.value < expected * 3


async def obvious(owner: asyncpg.Connection, condition: str, sort: Sort) -> list[UUID]:
    order = list_data.obvious_order(sort.field, descending=sort.descending)
    return [row["id"] for row in await owner.fetch(f"SELECT id FROM leads WHERE {condition} ORDER BY {order}")]


async def a_page(database: Database, wanted: LeadFilter, sort: Sort, cursor: str | None, limit: int) -> Page[Any]:
    async with database.reader() as reader:
        return await page_of_leads(reader, wanted, sort, cursor, limit, cursors=CURSORS)


async def forwards(database: Database, wanted: LeadFilter, sort: Sort, expected: int) -> list[UUID]:
    limit = page_limit(expected)
    page = await a_page(database, wanted, sort, None, limit)
    assert page.previous_cursor is None
    ids = [lead.id for lead in page.items]
    while page.next_cursor:
        page = await a_page(database, wanted, sort, page.next_cursor, limit)
        ids += [lead.id for lead in page.items]
    return ids


async def backwards(database: Database, wanted: LeadFilter, sort: Sort, expected: int) -> list[UUID]:
    limit = page_limit(expected)
    page = await a_page(database, wanted, sort, None, limit)
    if page.last_cursor is None:
        return [lead.id for lead in page.items]
    page = await a_page(database, wanted, sort, page.last_cursor, limit)
    assert page.next_cursor is None
    ids = [lead.id for lead in page.items]
    while page.previous_cursor:
        page = await a_page(database, wanted, sort, page.previous_cursor, limit)
        ids = [lead.id for lead in page.items] + ids
    return ids


def page_limit(expected: int) -> int:
    """About four pages, of a size that divides nothing."""
    return max(3, expected // 3 - 1)
