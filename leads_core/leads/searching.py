"""The statement of a search of three letters or more. Pure.

A scan of the trigram index is all or nothing, so it is given something small to be all of: leads lie in order of
arrival, and a bucket of arrivals is a short run of each posting list. Lazy stages under one LIMIT, each started only
when those before did not fill the page: (a) the newest thousand leads, tested; (b) the next four fine buckets; (c) the
coarse ones, one after the other, by their fine ones where a coarse one has too many hits.
The order is (bucket, created_at, id), which is by creation as far as arrival is.
"""

# ruff: noqa: S608 - every piece is ours; what people give is a parameter
from __future__ import annotations

from dataclasses import dataclass

from leads_core.leads import facets
from leads_core.leads.conditions import Conditions, Values, like
from leads_core.leads.driving import COUNTS, DriverRows, all_of, sum_of, union
from leads_core.leads.filters import LeadFilter
from leads_core.leads.list_sql import FEW, FEW_COLUMNS
from leads_core.leads.ordering import KEY_TYPES, Part
from leads_core.paging import Position, Total

WALKED = 1_000
FINE_AT_ONCE = 4
#: A coarse bucket with more hits is read by its fine ones.
COARSE_HITS = 500
#: What a filter narrows to so few leads is read whole and tested.
SMALL = 5_000

NEWEST, OLDEST = (
    f"(SELECT arrival FROM leads WHERE deleted_at IS NULL ORDER BY bucket {way}, created_at {way}, id {way} LIMIT 1)"
    for way in ("DESC", "ASC")
)
HIGHEST_BUCKET = (
    "(SELECT bucket FROM leads WHERE deleted_at IS NULL ORDER BY bucket DESC, created_at DESC, id DESC LIMIT 1)"
)


@dataclass(slots=True)
class SearchStatement:
    """Builds the statement of one page of hits."""

    wanted: LeadFilter
    conditions: Conditions
    part: Part
    position: Position
    rows: int
    values: Values

    def __post_init__(self) -> None:
        self.pattern = self.values.add(like(self.wanted), "text")
        self.newest_first = self.part.descending != self.position.backwards
        self.order = self.part.order(backwards=self.position.backwards)
        self.tests = all_of([f"l.search_text LIKE {self.pattern}", *self.conditions.tests_beside(None)])
        self.beyond = self._beyond()
        self.tables, self.selects = self._stages()

    # Slots for what is derived once.
    pattern: str = ""
    newest_first: bool = True
    order: str = ""
    tests: str = ""
    beyond: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    selects: tuple[str, ...] = ()

    def text(self, columns: str) -> str:
        """Rows of live leads, newest and oldest arrival, ordinal on the walk, and the columns; one row if no hits."""
        return f"""
            WITH {", ".join(self.tables)}, page AS MATERIALIZED (
                SELECT row_number() OVER () AS place, ordinal, id FROM (
                    {union(self.selects)} LIMIT {self.rows}) AS found)
            SELECT stock.*, page.ordinal, {columns}
            FROM (SELECT (SELECT sum(n) FROM counts)::bigint AS live, {NEWEST} AS newest, {OLDEST} AS oldest) AS stock
            LEFT JOIN (page JOIN leads l ON l.id = page.id) ON true ORDER BY page.place"""

    def gathered(self) -> tuple[str, ...]:
        """The tables that gather the hits for another order, up to one more than are sorted."""
        return (
            *self.tables[1:],
            f"hits AS MATERIALIZED (SELECT id FROM ({union(self.selects)} LIMIT {FEW + 1}) AS found)",
            f"few AS MATERIALIZED (SELECT {FEW_COLUMNS} FROM hits JOIN leads l ON l.id = hits.id)",
        )

    def _beyond(self) -> tuple[str, ...]:
        if self.position.key is None:
            return ()
        kinds = [KEY_TYPES[column] for column in self.part.keys]
        key = [self.values.add(value, kind) for value, kind in zip(self.position.key, kinds, strict=True)]
        return (self.part.beyond(key, backwards=self.position.backwards),)

    def _stages(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        tables, small, closed = self._small()
        walk = all_of([*closed, self.conditions.lives, *self.beyond])
        walking = (
            f"""walk AS MATERIALIZED (SELECT row_number() OVER () AS place, walked.* FROM (
                SELECT l.bucket, l.created_at, l.id, ({self.tests}) IS TRUE AS hit FROM leads l WHERE {walk}
                ORDER BY {self.order} LIMIT {WALKED}) AS walked)""",
            f"edge AS MATERIALIZED (SELECT bucket, created_at, id FROM walk WHERE place = {WALKED})",
        )
        walked = f"SELECT place AS ordinal, id FROM walk WHERE hit ORDER BY place LIMIT {self.rows}"
        return (COUNTS, *tables, *walking), (*small, walked, self._fine(), self._coarse())

    def _small(self) -> tuple[list[str], list[str], list[str]]:
        """What reads a narrow filter whole: tables that say whether it is narrow, selects, and gates for the stages."""
        tables: list[str] = []
        selects: list[str] = []
        closed: list[str] = []
        for driver in [*self.conditions.drivers[:1], *([None] if self.conditions.is_coded else [])]:
            rows = DriverRows(self.conditions, driver)
            size = rows.size(SMALL) if driver is not None else sum_of(self.conditions.codes)
            table = f"small_{len(tables)}"
            tables.append(f"{table} AS MATERIALIZED (SELECT {size} <= {SMALL} AS is_small)")
            gate = f"(SELECT is_small FROM {table})"
            source = rows.rows("l.id, l.bucket, l.created_at, l.search_text", SMALL + 1)
            where = all_of([*closed, gate, f"l.search_text LIKE {self.pattern}", *self.beyond])
            selects.append(
                f"SELECT NULL::bigint AS ordinal, l.id FROM (SELECT * FROM ({source}) AS r OFFSET 0) AS l"
                f" WHERE {where} ORDER BY {self.order} LIMIT {self.rows}"
            )
            closed.append(f"NOT {gate}")
        return tables, selects, closed

    def _fine(self) -> str:
        """The four fine buckets from where the walk ended."""
        last = (
            f"greatest(edge.bucket - {FINE_AT_ONCE - 1}, 0), -1"
            if self.newest_first
            else f"edge.bucket + {FINE_AT_ONCE - 1}"
        )
        sign = "<" if self.newest_first else ">"
        past = f"((l.bucket, l.created_at, l.id) {sign} (edge.bucket, edge.created_at, edge.id)) IS TRUE"
        return f"""SELECT NULL::bigint AS ordinal, k.id FROM edge
            CROSS JOIN LATERAL generate_series(edge.bucket, {last}) AS fine (n)
            CROSS JOIN LATERAL ({self._newest_of(self._hits_of_fine("fine.n", past))}) AS k"""

    def _coarse(self) -> str:
        """The coarse buckets beyond, one after the other."""
        if self.newest_first:
            first = f"edge.bucket - {FINE_AT_ONCE}"
            series = f"generate_series(({first}) / {facets.FINE_IN_COARSE}, 0, -1)"
            past, within = f"(l.bucket <= {first}) IS TRUE", "c.n * 16 + 15, c.n * 16, -1"
        else:
            first = f"edge.bucket + {FINE_AT_ONCE}"
            series = f"generate_series(({first}) / {facets.FINE_IN_COARSE}, {HIGHEST_BUCKET} / {facets.FINE_IN_COARSE})"
            past, within = f"(l.bucket >= {first}) IS TRUE", "c.n * 16, c.n * 16 + 15"
        by_fine = self._newest_of(self._hits_of_fine("fine.n", past))
        return f"""SELECT NULL::bigint AS ordinal, k.id FROM edge
            CROSS JOIN LATERAL {series} AS c (n) CROSS JOIN LATERAL (
                WITH near AS MATERIALIZED ({self._hits(self._coarse_tags(), past)} LIMIT {COARSE_HITS + 1})
                SELECT * FROM (SELECT l.id FROM near l WHERE (SELECT count(*) FROM near) <= {COARSE_HITS}
                    ORDER BY {self.order} LIMIT {self.rows}) AS whole
                UNION ALL
                SELECT * FROM (
                    SELECT f.id FROM generate_series({within}) AS fine (n) CROSS JOIN LATERAL ({by_fine}) AS f
                    WHERE (SELECT count(*) FROM near) > {COARSE_HITS}) AS parted) AS k
            WHERE {first} >= 0"""

    def _hits_of_fine(self, bucket: str, past: str) -> str:
        return self._hits(f"ARRAY[{facets.FINE} + {bucket}]", past)

    def _hits(self, tags: str, past: str) -> str:
        return f"""SELECT l.bucket, l.created_at, l.id FROM leads l
            WHERE {self.conditions.lives} AND lead_tags(l.bucket, l.facet) @> {tags} AND {self.tests} AND {past}"""

    def _newest_of(self, hits: str) -> str:
        """OFFSET 0: else the planner would walk the order and test each row."""
        return f"SELECT l.id FROM ({hits} OFFSET 0) AS l ORDER BY {self.order} LIMIT {self.rows}"

    def _coarse_tags(self) -> str:
        """The filter's own values within the coarse bucket, where it allows one of a kind; else the bucket itself."""
        tags = facets.single_tags(self.conditions.allowed)
        if not tags:
            return f"ARRAY[{facets.COARSE} + c.n]"
        first = f"{facets.SCOPED} + c.n * {facets.TAGS_IN_COARSE}"
        return f"ARRAY[{', '.join(f'{first} + {tag}' for tag in tags)}]"


@dataclass(frozen=True, slots=True)
class Passed:
    """How much of the whole a page of hits has gone past, to guess how many there are."""

    hits: int
    share: float


def estimated(passed: Passed, *, live: int) -> Total:
    """About how many, in two digits; never fewer than were seen."""
    guess = min(live, round(passed.hits / passed.share)) if passed.share > 0 else live
    places = max(len(str(guess)) - 2, 0)
    return Total(max(round(guess, -places), passed.hits + 1), "about")
