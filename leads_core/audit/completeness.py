"""Completeness as a figure: how many entries there should be, and how many there are, by the door leads came in by.

A lead's version is the number of its entries, so the leads themselves say how many to expect. Counted are the leads
that changed last (1,000 live ones, 200 in the bin): the same cost at ten leads and at ten million, in one statement and
so in one snapshot, without a false alarm beside busy writers. The whole trail is what a verification counts
(docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import asyncpg

#: How a lead may come in: its source, in the order people see them.
DOORS = ("quick_add", "form", "api", "import")
LIVE, BINNED = 1000, 200
COVERS = f"the {LIVE:,} leads that changed last, and the {BINNED} that came into the bin last"

#: By ix_leads_live_updated, ix_leads_bin, and each lead's entries by audit_log_subject_id_seq_key. Only the versions
#: that a lead has had count: an entry too many makes up for none.
BY_DOOR = f"""
    WITH newest AS (
        (SELECT id, version, source FROM leads WHERE deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT {LIVE})
        UNION ALL
        (SELECT id, version, source FROM leads WHERE deleted_at IS NOT NULL
         ORDER BY deleted_at DESC, id DESC LIMIT {BINNED})),
    counted AS (
        SELECT source, version, (SELECT count(*) FROM audit_log e
                                 WHERE e.subject_id = newest.id AND e.seq BETWEEN 1 AND newest.version) AS found
        FROM newest)
    SELECT source, count(*) AS leads, sum(version)::bigint AS expected, sum(found)::bigint AS found
    FROM counted GROUP BY source
"""  # noqa: S608 - our own numbers
LAST_WRITE = "SELECT occurred_at FROM audit_log ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Door:
    """One door: of so many leads, entries expected (the sum of their versions) and found."""

    leads: int = 0
    entries_expected: int = 0
    entries_found: int = 0

    @property
    def is_complete(self) -> bool:
        return self.entries_expected == self.entries_found


@dataclass(frozen=True)
class Completeness:
    """Every door, those without a lead too, and when the trail was last written."""

    doors: Mapping[str, Door]
    last_write: datetime | None

    @cached_property
    def total(self) -> Door:
        """All doors together."""
        doors = self.doors.values()
        return Door(
            sum(door.leads for door in doors),
            sum(door.entries_expected for door in doors),
            sum(door.entries_found for door in doors),
        )

    @property
    def is_complete(self) -> bool:
        return all(door.is_complete for door in self.doors.values())


async def completeness(reader: asyncpg.Connection) -> Completeness:
    """Whether every version of the leads that changed last has its entry, by door."""
    rows = await reader.fetch(BY_DOOR)
    found = {row["source"]: Door(row["leads"], row["expected"], row["found"]) for row in rows}
    return Completeness({**dict.fromkeys(DOORS, Door()), **found}, await reader.fetchval(LAST_WRITE))
