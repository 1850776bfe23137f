"""Rows by the index of one condition: the pieces that lists and searches are made of. Pure: text."""

# ruff: noqa: S608 - every piece is ours; what people give is a parameter
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leads_core.leads.conditions import Conditions, Driver

#: Totals are counted so far.
COUNTED = 10_000
#: Codes that exist, and how many live leads have each: exact, and the same in the whole statement.
COUNTS = "counts AS MATERIALIZED (SELECT facet, sum(n)::bigint AS n FROM lead_counts GROUP BY facet)"
#: What a place in the order of creation is.
PLACES = "l.created_at, l.id"


@dataclass(frozen=True, slots=True)
class Way:
    """Which way along the order of creation, and the place (as parameters) to begin past."""

    newest_first: bool = False
    key: tuple[str, ...] = ()


FORWARDS = Way()


@dataclass(frozen=True, slots=True)
class DriverRows:
    """What the driver gives: a condition's own index, the bin's, or, without one, the codes'."""

    conditions: Conditions
    driver: Driver | None

    def rows(self, columns: str, limit: int, *, tested: bool = True) -> str:
        """The rows that the driver's index gives, tested; the order is only there to name that index."""
        lives, driver = self.conditions.lives, self.driver
        drives = driver is None and not self.conditions.in_bin
        each = self.existing(self.conditions.codes) if drives else None
        if driver is not None and driver.equals is not None:
            each = driver.values or "", driver.equals
        tests = self.conditions.tests_beside(driver, codes=not drives, created=each is None) if tested else []
        if each is not None:
            return self.each(each, columns, tests, limit, within=self.conditions.created if tested else None)
        source = "leads l"
        if driver is None:
            order, driven = "l.deleted_at, l.id", []
        elif driver.beside:
            source = "enrichment_checks c JOIN leads l ON l.id = c.lead_id"
            order, driven = "c.checked_at", [driver.beside]
        else:
            order = f"l.{driver.range_on}, l.id" if driver.range_on else "l.created_at, l.id"
            order = f"l.{driver.leading}, {order}" if driver.leading else order
            driven = [driver.condition]
        where = all_of([lives, *driven, *tests])
        return f"SELECT {columns} FROM {source} WHERE {where} ORDER BY {order} LIMIT {limit}"

    def each(
        self,
        of: tuple[str, str],
        columns: str,
        tests: list[str],
        limit: int,
        *,
        within: Driver | None,
        way: Way = FORWARDS,
    ) -> str:
        """For each of the values the rows that have it, by creation, within a range of it.

        Bounds on both sides stand for the equality, and the column leads the order: then no index but the one that
        begins with it will do. With an equality the planner may walk all leads by creation and test each.
        """
        values, equals = of
        alias = equals.partition(".")[0]
        number = "t.lead_id" if alias == "t" else "l.id"
        newest_first, key = way.newest_first, way.key
        past = f"({equals}, {alias}.created_at, {number}) {'<' if newest_first else '>'} (v.value, {', '.join(key)})"
        lower, upper = f"{equals} >= v.value", f"{equals} <= v.value"
        if within is not None and within.start:
            lower = f"({equals}, {alias}.created_at) >= (v.value, {within.start})"
        if within is not None and within.end:
            upper = f"({equals}, {alias}.created_at) < (v.value, {within.end})"
        bounds = [past if key and not newest_first else lower, past if key and newest_first else upper]
        order = "DESC" if newest_first else "ASC"
        source = f"leads l WHERE {self.conditions.lives} AND"
        if alias == "t":
            columns, source = self._by_tag(values, columns, tests)
        return f"""SELECT k.* FROM unnest({values}) WITH ORDINALITY AS v (value, place) CROSS JOIN LATERAL (
            SELECT {columns} FROM {source} {all_of([*bounds, *tests])}
            ORDER BY {equals} {order}, {alias}.created_at {order}, {number} {order} LIMIT {limit}) AS k"""

    def _by_tag(self, values: str, columns: str, tests: list[str]) -> tuple[str, str]:
        """The tags' table has live leads only, and the time of creation too: often it is enough alone."""
        several = self.driver is not None and self.driver.several
        alone = {PLACES: "t.created_at, t.lead_id AS id", "1": "1"}.get(columns)
        if alone is not None and not several and not tests:
            return alone, "lead_tagging t WHERE"
        source = f"lead_tagging t JOIN leads l ON l.id = t.lead_id WHERE {self.conditions.lives} AND"
        # A lead with several of the tags is given by the first of them alone.
        first = f" NOT l.tags && ({values})[1:v.place - 1] AND" if several else ""
        return columns, source + first

    def size(self, limit: int = COUNTED) -> str:
        """How many leads the driver alone gives, counted up to one more than the limit."""
        source = self.rows("1", limit + 1, tested=False)
        return f"(SELECT count(*) FROM (SELECT FROM ({source}) AS r LIMIT {limit + 1}) AS c)"

    def existing(self, codes: str) -> tuple[str, str]:
        """Those of the codes that a live lead has, and the column that holds them."""
        return f"ARRAY (SELECT facet FROM counts WHERE n > 0 AND facet = ANY ({codes}))::smallint[]", "l.facet"


def sum_of(codes: str) -> str:
    """How many live leads have one of the codes."""
    return f"(SELECT coalesce(sum(n) FILTER (WHERE facet = ANY ({codes})), 0) FROM counts)::bigint"


def sizes(conditions: Conditions) -> str:
    """How many leads each driver gives, counted up to a cap; the codes' number last, exact. To choose the smallest."""
    counted = [DriverRows(conditions, driver).size() for driver in conditions.drivers]
    codes = sum_of(conditions.codes) if conditions.is_coded else "NULL"
    return f"WITH {COUNTS}, typed AS ({conditions.values.typed}) SELECT {', '.join([*counted, codes])}"


def union(selects: Sequence[str]) -> str:
    """One after the other; under a LIMIT a later one is not started when those before fill it."""
    return " UNION ALL ".join(f"SELECT * FROM ({select}) AS piece" for select in selects)


def all_of(tests: Sequence[str]) -> str:
    return " AND ".join(tests) or "true"
