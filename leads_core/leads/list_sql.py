"""The statements of a list without a search (docs/decisions/0006). Pure: text and parameters.

Each has one right plan whatever its parameters. Where it depends on how many leads there are, the statement itself
looks and goes one way or the other: a gate is a condition without columns, and what stands behind a closed one is
never started.
"""

# ruff: noqa: S608 - every piece is ours; what people give is a parameter
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leads_core.leads import facets
from leads_core.leads.conditions import Conditions, Driver, Values
from leads_core.leads.ordering import KEY_TYPES, Part
from leads_core.paging import Position

#: So many matches are gathered and sorted in any order; above, an index in the order asked for is walked.
FEW = 1_000
#: Totals are counted so far.
COUNTED = 10_000
#: Codes that hold one live lead in so many, or more, are met soon enough on a walk.
FREQUENT = 20

#: What any order needs of the leads that are gathered.
FEW_COLUMNS = ", ".join(f"l.{column}" for column in (*KEY_TYPES, "stage"))
#: Codes that exist, and how many live leads have each: exact, and the same in the whole statement.
COUNTS = "counts AS MATERIALIZED (SELECT facet, sum(n)::bigint AS n FROM lead_counts GROUP BY facet)"


@dataclass(slots=True)
class PageStatement:
    """Builds the statement of one page: which rows, in which order, from where, how many."""

    conditions: Conditions
    driver: Driver | None
    parts: tuple[Part, ...]
    position: Position
    rows: int
    values: Values
    #: Tables that gather the rows in `few` otherwise: by a search.
    gathered: tuple[str, ...] = ()

    def text(self, columns: str, *, total: bool) -> str:
        """Rows of total, total_capped, few, part and the columns; one row of nulls where no lead is left."""
        selects = [select for place in self._places() for select in self._selects(place)]
        tables = [COUNTS, *self._few_table()]
        counted, capped = self.total() if total else ("NULL::bigint", "NULL::boolean")
        few = "(SELECT count(*) FROM few)" if self._gathers else "NULL::bigint"
        return f"""
            WITH {", ".join(tables)}, page AS MATERIALIZED (
                SELECT row_number() OVER () AS place, part, id FROM (SELECT part, id FROM (
                    {" UNION ALL ".join(f"({select})" for select in selects)}) AS found LIMIT {self.rows}) AS found)
            SELECT total.*, page.part, {columns}
            FROM (SELECT {counted} AS total, {capped} AS total_capped, {few} AS few) AS total
            LEFT JOIN (page JOIN leads l ON l.id = page.id) ON true ORDER BY page.place"""

    def total(self) -> tuple[str, str]:
        """How many match, as an expression, and whether counting stopped there."""
        if self.gathered:
            return "(SELECT count(*) FROM few)", "false"
        codes, in_bin = self.conditions.codes, self.conditions.in_bin
        if self.driver is None and not in_bin and not self.conditions.tests_beside(None, codes=False):
            return (sum_of(codes) if codes else "(SELECT coalesce(sum(n), 0) FROM counts)::bigint"), "false"
        if self.driver is None and not in_bin and codes is None:
            return self._total_of_first()
        limit = COUNTED + 1
        source = self.rows_of_driver("l.id", limit)
        counted = f"(SELECT count(*) FROM (SELECT id FROM ({source}) AS r LIMIT {limit}) AS c)"
        if self._gathers:
            counted = f"(CASE WHEN {self._are_few} THEN (SELECT count(*) FROM few) ELSE {counted} END)"
        return f"least({counted}, {COUNTED})", f"{counted} > {COUNTED}"

    def size(self) -> str:
        """How many leads the driver alone gives, up to a cap."""
        source = self.rows_of_driver("l.id", COUNTED + 1, tested=False)
        return f"(SELECT count(*) FROM (SELECT FROM ({source}) AS r LIMIT {COUNTED + 1}) AS c)"

    def _total_of_first(self) -> tuple[str, str]:
        """Nothing narrows the list by an index: the newest rows are tested, and no more of them than we count."""
        test = all_of(self.conditions.tests_beside(None))
        first = (
            f"SELECT {test} AS hit FROM leads l WHERE {self.conditions.lives}"
            f" ORDER BY l.created_at DESC, l.id DESC LIMIT {COUNTED + 1}"
        )
        hits = f"(SELECT count(*) FILTER (WHERE hit) FROM ({first}) AS r)"
        return f"least({hits}, {COUNTED})", f"(SELECT count(*) FROM ({first}) AS r) > {COUNTED}"

    # The pieces of the page.

    def _places(self) -> list[int]:
        places = list(range(len(self.parts)))
        if self.position.backwards:
            places.reverse()
        if self.position.key is None:
            return places
        return places[places.index(self.position.part) :]

    def _selects(self, place: int) -> list[str]:
        part = self.parts[place]
        few = [self._from_few(place)] if self._gathers else []
        if self.conditions.in_bin or self.gathered:
            return few or [self._walk(place, [])]
        gate = [f"NOT {self._are_few}"] if self._gathers else []
        if part.is_by_creation and self.driver is not None and self.driver.is_by_creation:
            return [*few, self._by_driver(place, self.driver, gate)]
        if part.is_by_creation and (codes := self._codes_of(part)) is not None:
            return [*few, *self._by_codes(place, codes, gate)]
        return [*few, self._walk(place, gate)]

    @property
    def _gathers(self) -> bool:
        """Whether the matches may be so few that they are better gathered by the driver's index than met on a walk."""
        if self.gathered:
            return True
        if self.conditions.in_bin:
            return any(part.keys[0] != "deleted_at" for part in self.parts)
        by_creation = all(part.is_by_creation for part in self.parts)
        if self.driver is None:
            others = self.conditions.tests_beside(None, codes=False)
            return self.conditions.codes is not None and (bool(others) or not by_creation)
        in_order = self.driver.range_on == self.parts[0].keys[0] or (by_creation and self.driver.is_by_creation)
        return not in_order or bool(self.conditions.tests_beside(self.driver))

    @property
    def _are_few(self) -> str:
        return f"(SELECT count(*) <= {FEW} FROM few)"

    def _few_table(self) -> list[str]:
        if self.gathered or not self._gathers:
            return list(self.gathered)
        source = self.rows_of_driver(FEW_COLUMNS, FEW + 1)
        return [f"few AS MATERIALIZED (SELECT * FROM ({source}) AS gathered LIMIT {FEW + 1})"]

    def rows_of_driver(self, columns: str, limit: int, *, tested: bool = True) -> str:
        """The rows that the driver's index gives, tested; the order is only there to name that index."""
        lives, driver = self.conditions.lives, self.driver
        drives = driver is None and not self.conditions.in_bin
        by_creation = drives or (driver is not None and driver.is_by_creation)
        tests = self.conditions.tests_beside(driver, codes=not drives, by_creation=by_creation) if tested else []
        if drives:
            return self._each(self._existing(self.conditions.codes or ""), columns, tests, limit)
        if driver is None:
            order, driven = "l.deleted_at, l.id", []
        elif driver.equals is not None:
            return self._each((driver.values or "", driver.equals), columns, tests, limit)
        else:
            order = f"l.{driver.range_on}, l.id" if driver.range_on else f"l.{driver.leading}, l.created_at, l.id"
            driven = [driver.condition]
        where = all_of([lives, *driven, *tests])
        return f"SELECT {columns} FROM leads l WHERE {where} ORDER BY {order} LIMIT {limit}"

    def _each(
        self, of: tuple[str, str], columns: str, tests: list[str], limit: int, order: str = "l.created_at, l.id"
    ) -> str:
        """For each of the values the rows that have it, by creation."""
        values, equals = of
        source, where = "leads l", all_of([f"{equals} = v.value", *tests])
        if equals.startswith("t."):
            # The tags' table has the time of creation too, and by it the order. A lead with several of the tags is
            # given by the first of them alone.
            where += f" AND NOT l.tags && ({values})[1:v.place - 1]"
            source = "lead_tagging t JOIN leads l ON l.id = t.lead_id"
            where, order = (text.replace("l.created_at", "t.created_at") for text in (where, order))
            where, order = (text.replace("l.id", "t.lead_id") for text in (where, order))
        return f"""SELECT k.* FROM unnest({values}) WITH ORDINALITY AS v (value, place) CROSS JOIN LATERAL (
            SELECT {columns} FROM {source} WHERE {self.conditions.lives} AND {where}
            ORDER BY {order} LIMIT {limit}) AS k"""

    def _from_few(self, place: int) -> str:
        part = self.parts[place]
        where = all_of([self._are_few, *self._where(part), *self._beyond(place)])
        return f"SELECT {place} AS part, l.id FROM few l WHERE {where} ORDER BY {self._order(part)} LIMIT {self.rows}"

    def _walk(self, place: int, gate: list[str]) -> str:
        """Along the index in the order asked for, testing each row."""
        part = self.parts[place]
        in_order = self.driver if self.driver is not None and self.driver.range_on == part.keys[0] else None
        tests = self.conditions.tests_beside(in_order, by_creation=part.keys[0] == "created_at")
        driven = [in_order.condition] if in_order is not None else []
        where = all_of([*gate, self.conditions.lives, *self._where(part), *self._beyond(place), *driven, *tests])
        return f"SELECT {place} AS part, l.id FROM leads l WHERE {where} ORDER BY {self._order(part)} LIMIT {self.rows}"

    def _by_codes(self, place: int, codes: str, gate: list[str]) -> list[str]:
        """Codes that many leads have: a walk meets them soon. Others: the newest of each code, merged."""
        part = self.parts[place]
        tests = self.conditions.tests_beside(None, codes=False, by_creation=True)
        frequent = f"{sum_of(codes)} * {FREQUENT} >= (SELECT sum(n) FROM counts)"
        where = all_of(
            [*gate, frequent, self.conditions.lives, f"(l.facet = ANY ({codes})) IS TRUE", *self._beyond(place), *tests]
        )
        order = self._order(part)
        walk = f"SELECT {place} AS part, l.id FROM leads l WHERE {where} ORDER BY {order} LIMIT {self.rows}"
        each = self._each(self._existing(codes), "l.created_at, l.id", [*self._beyond(place), *tests], self.rows, order)
        closed = all_of([*gate, f"NOT coalesce({frequent}, false)"])
        merge = f"""SELECT {place} AS part, l.id FROM ({each} WHERE {closed}) AS l
            ORDER BY {order} LIMIT {self.rows}"""
        return [walk, merge]

    def _by_driver(self, place: int, driver: Driver, gate: list[str]) -> str:
        """The newest of each of the driver's values, merged."""
        part = self.parts[place]
        order = self._order(part)
        tests = [*self._beyond(place), *self.conditions.tests_beside(driver, by_creation=True)]
        tests += [f"(l.{part.where}) IS TRUE"] if part.where else []
        if driver.equals is None:
            where = all_of([*gate, self.conditions.lives, driver.condition, *tests])
            first = f"l.{driver.leading} {'DESC' if 'DESC' in order else 'ASC'}, " if driver.leading else ""
            return f"SELECT {place} AS part, l.id FROM leads l WHERE {where} ORDER BY {first}{order} LIMIT {self.rows}"
        each = self._each((driver.values or "", driver.equals), "l.created_at, l.id", tests, self.rows, order)
        return f"""SELECT {place} AS part, l.id FROM (SELECT * FROM ({each} WHERE {all_of(gate)}) AS m) AS l
            ORDER BY {order} LIMIT {self.rows}"""

    def _codes_of(self, part: Part) -> str | None:
        """The codes that drive this part: the filter's, and where the part is of one value, those that have it."""
        if part.coded is None:
            return self.conditions.codes
        dimension, value = part.coded
        place = frozenset({facets.DIMENSIONS[dimension].values.index(value)})
        allowed = {**self.conditions.allowed}
        allowed[dimension] = allowed.get(dimension, place) & place
        codes = facets.codes_for(allowed) if allowed[dimension] else []
        return self.values.add(codes, "smallint[]")

    def _existing(self, codes: str) -> tuple[str, str]:
        """Those of the codes that a live lead has, and the column that holds them."""
        return f"ARRAY (SELECT facet FROM counts WHERE n > 0 AND facet = ANY ({codes}))::smallint[]", "l.facet"

    def _where(self, part: Part) -> list[str]:
        return [f"l.{part.where}"] if part.where else []

    def _order(self, part: Part) -> str:
        return part.order(backwards=self.position.backwards)

    def _beyond(self, place: int) -> list[str]:
        if self.position.key is None or place != self.position.part:
            return []
        part = self.parts[place]
        key = [
            self.values.add(value, KEY_TYPES[column])
            for column, value in zip(part.keys, self.position.key, strict=True)
        ]
        return [part.beyond(key, backwards=self.position.backwards)]


def sum_of(codes: str) -> str:
    """How many live leads have one of the codes."""
    return f"(SELECT coalesce(sum(n) FILTER (WHERE facet = ANY ({codes})), 0) FROM counts)::bigint"


def sizes(conditions: Conditions, values: Values) -> str:
    """How many leads each driver gives, counted up to a cap; the codes' number last, exact. To choose the smallest."""
    counted = []
    for driver in conditions.drivers:
        statement = PageStatement(conditions, driver, (), Position(), 0, values)
        counted.append(statement.size())
    codes = sum_of(conditions.codes) if conditions.codes else "NULL"
    return f"WITH {COUNTS} SELECT {', '.join([*counted, codes])}"


def union(selects: Sequence[str]) -> str:
    """One after the other; under a LIMIT a later one is not started when those before fill it."""
    return " UNION ALL ".join(f"SELECT * FROM ({select}) AS piece" for select in selects)


def all_of(tests: Sequence[str]) -> str:
    return " AND ".join(tests) or "true"
