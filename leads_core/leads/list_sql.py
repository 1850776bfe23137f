"""The statements of a list without a search (docs/decisions/0006). Pure: text and parameters.

Each has one right plan whatever its parameters. Where it depends on how many leads there are, the statement itself
looks and goes one way or the other: a gate is a condition without columns, and what stands behind a closed one is
never started.
"""

# ruff: noqa: S608 - every piece is ours; what people give is a parameter
from __future__ import annotations

from dataclasses import dataclass

from leads_core.leads import facets
from leads_core.leads.conditions import Conditions, Driver, Values, coded_tests
from leads_core.leads.driving import COUNTED, COUNTS, PLACES, DriverRows, Way, all_of, sum_of, union
from leads_core.leads.ordering import KEY_TYPES, Part
from leads_core.paging import Position

#: So many matches are gathered and sorted in any order; above, an index in the order asked for is walked.
FEW = 1_000
#: So many rows are looked at for a total that no index gives.
TESTED = 5_000
#: Codes that hold one live lead in so many, or more, are met soon enough on a walk.
FREQUENT = 20

#: What any order needs of the leads that are gathered.
FEW_COLUMNS = ", ".join(f"l.{column}" for column in (*KEY_TYPES, "stage"))


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
        counted = self._total() if total else "SELECT NULL::bigint AS n, NULL::boolean AS capped"
        few = "(SELECT count(*) FROM few)" if self._gathers else "NULL::bigint"
        return f"""
            WITH {", ".join(tables)}, page AS MATERIALIZED (
                SELECT row_number() OVER () AS place, part, id FROM (
                    {union(selects)} LIMIT {self.rows}) AS found)
            SELECT total.*, {few} AS few, page.part, {columns} FROM ({counted}) AS total (total, total_capped)
            LEFT JOIN (page JOIN leads l ON l.id = page.id) ON true ORDER BY page.place"""

    def _total(self) -> str:
        """A row of how many match, and whether counting stopped there."""
        if self.gathered:
            return "SELECT count(*), false FROM few"
        drives = self.driver is not None or self.conditions.in_bin
        tests = self.conditions.tests_beside(self.driver, codes=drives or not self.conditions.is_coded)
        if not drives and not tests:
            everything = "(SELECT coalesce(sum(n), 0) FROM counts)::bigint"
            return f"SELECT {sum_of(self.conditions.codes) if self.conditions.is_coded else everything}, false"
        if not tests:
            counted = f"(SELECT {self._driven.size()} AS size) AS counted"
            return f"SELECT least(size, {COUNTED}), size > {COUNTED} FROM {counted}"
        return self._total_of_tested(tests)

    def _total_of_tested(self, tests: list[str]) -> str:
        """Each row must be looked at: only so many of the driver's are (of all leads, newest first, without one)."""
        hit = f"({all_of(tests)}) IS TRUE AS hit"
        if self.driver is None and not self.conditions.is_coded and not self.conditions.in_bin:
            limit = f"ORDER BY l.created_at DESC, l.id DESC LIMIT {TESTED + 1}"
            source = f"SELECT {hit} FROM leads l WHERE {self.conditions.lives} {limit}"
        else:
            source = self._driven.rows(hit, TESTED + 1, tested=False)
        counted = f"""SELECT count(*) FILTER (WHERE hit) AS n, count(*) > {TESTED} AS capped
            FROM (SELECT hit FROM ({source}) AS r LIMIT {TESTED + 1}) AS c"""
        if not self._gathers:
            return counted
        return f"""SELECT count(*), false FROM few HAVING {self._are_few}
            UNION ALL SELECT * FROM ({counted}) AS counted WHERE NOT {self._are_few}"""

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
            tested = len(self.parts) > 1 and not self._codes_alone
            return self.conditions.is_coded and (tested or not by_creation)
        in_order = self.driver.range_on == self.parts[0].keys[0] or (by_creation and self.driver.is_by_creation)
        return not in_order or len(self.parts) > 1

    @property
    def _codes_alone(self) -> bool:
        """Whether the codes drive and say everything: then their number is known."""
        codes_drive = self.driver is None and self.conditions.is_coded and not self.conditions.in_bin
        return codes_drive and not self.conditions.tests_beside(None, codes=False)

    @property
    def _driven(self) -> DriverRows:
        return DriverRows(self.conditions, self.driver)

    @property
    def _are_few(self) -> str:
        if self._codes_alone and not self.gathered:
            return f"({sum_of(self.conditions.codes)} <= {FEW})"
        return f"(SELECT count(*) <= {FEW} FROM few)"

    def _few_table(self) -> list[str]:
        if self.gathered or not self._gathers:
            return list(self.gathered)
        source = self._driven.rows(FEW_COLUMNS, FEW + 1)
        gate = self._are_few if self._codes_alone else "true"
        return [f"few AS MATERIALIZED (SELECT * FROM ({source}) AS gathered WHERE {gate} LIMIT {FEW + 1})"]

    def _from_few(self, place: int) -> str:
        part = self.parts[place]
        where = all_of([self._are_few, *self._where(part), *self._beyond(place)])
        return f"SELECT {place} AS part, l.id FROM few l WHERE {where} ORDER BY {self._order(part)} LIMIT {self.rows}"

    def _walk(self, place: int, gate: list[str]) -> str:
        """Along the index in the order asked for, testing each row."""
        part = self.parts[place]
        in_order = self.driver if self.driver is not None and self.driver.range_on == part.keys[0] else None
        driven = [in_order.condition] if in_order is not None else []
        tests = self.conditions.tests_beside(in_order)
        where = all_of([*gate, self.conditions.lives, *self._where(part), *self._beyond(place), *driven, *tests])
        return f"SELECT {place} AS part, l.id FROM leads l WHERE {where} ORDER BY {self._order(part)} LIMIT {self.rows}"

    def _by_codes(self, place: int, codes: str, gate: list[str]) -> list[str]:
        """Codes that many leads have: a walk meets them soon. Others: the newest of each code, merged."""
        part, created = self.parts[place], self.conditions.created
        tests = self.conditions.tests_beside(None, codes=False, created=False)
        order = self._order(part)
        frequent = f"{sum_of(codes)} * {FREQUENT} >= (SELECT sum(n) FROM counts)"
        within = [created.condition] if created else []
        having = coded_tests(self._allowed_in(part), self.values)
        where = all_of([*gate, frequent, self.conditions.lives, *having, *self._beyond(place), *within, *tests])
        walk = f"SELECT {place} AS part, l.id FROM leads l WHERE {where} ORDER BY {order} LIMIT {self.rows}"
        each = self._driven.each(
            self._driven.existing(codes), PLACES, tests, self.rows, within=created, way=self._way(place)
        )
        closed = all_of([*gate, f"NOT coalesce({frequent}, false)"])
        merge = f"""SELECT {place} AS part, l.id FROM ({each} WHERE {closed}) AS l
            ORDER BY {order} LIMIT {self.rows}"""
        return [walk, merge]

    def _by_driver(self, place: int, driver: Driver, gate: list[str]) -> str:
        """The newest of each of the driver's values, merged."""
        part = self.parts[place]
        order = self._order(part)
        own = [f"(l.{part.where}) IS TRUE"] if part.where else []
        if driver.equals is not None:
            tests = [*own, *self.conditions.tests_beside(driver, created=False)]
            of, created = (driver.values or "", driver.equals), self.conditions.created
            each = self._driven.each(of, PLACES, tests, self.rows, within=created, way=self._way(place))
            return f"""SELECT {place} AS part, l.id FROM ({each} WHERE {all_of(gate)}) AS l
                ORDER BY {order} LIMIT {self.rows}"""
        tests = [*self._beyond(place), *own, *self.conditions.tests_beside(driver)]
        where = all_of([*gate, self.conditions.lives, driver.condition, *tests])
        first = f"l.{driver.leading} {'DESC' if 'DESC' in order else 'ASC'}, " if driver.leading else ""
        return f"SELECT {place} AS part, l.id FROM leads l WHERE {where} ORDER BY {first}{order} LIMIT {self.rows}"

    def _codes_of(self, part: Part) -> str | None:
        """The codes that drive this part: the filter's, and where the part is of one value, those that have it."""
        if part.coded is None:
            return self.conditions.codes if self.conditions.is_coded else None
        allowed = self._allowed_in(part)
        return self.values.add(facets.codes_for(allowed), "smallint[]")

    def _allowed_in(self, part: Part) -> dict[str, frozenset[int]]:
        """What the filter allows, and of the part's own value."""
        if part.coded is None:
            return self.conditions.allowed
        dimension, value = part.coded
        place = frozenset({facets.DIMENSIONS[dimension].values.index(value)})
        return {**self.conditions.allowed, dimension: self.conditions.allowed.get(dimension, place) & place}

    def _where(self, part: Part) -> list[str]:
        return [f"l.{part.where}"] if part.where else []

    def _order(self, part: Part) -> str:
        return part.order(backwards=self.position.backwards)

    def _beyond(self, place: int) -> list[str]:
        key = self._key(place)
        return [self.parts[place].beyond(key, backwards=self.position.backwards)] if key else []

    def _way(self, place: int) -> Way:
        """The part's order by creation, and the key that the page begins past."""
        return Way("DESC" in self._order(self.parts[place]), tuple(self._key(place)))

    def _key(self, place: int) -> list[str]:
        """The key that the page begins past, as parameters; nothing in another part than the key's."""
        if self.position.key is None or place != self.position.part:
            return []
        columns = self.parts[place].keys
        return [self.values.add(value, KEY_TYPES[name]) for name, value in zip(columns, self.position.key, strict=True)]
