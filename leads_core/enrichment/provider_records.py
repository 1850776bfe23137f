"""How providers did within 30 days: what they gave, from the jobs; what people made of it, from the trail.

Bounded: the newest LOOKUPS that ended, and the newest CHANGES that people made in the console and over the API.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from leads_core.audit import trail
from leads_core.audit.models import Action
from leads_core.enrichment.merging import normalised
from leads_core.leads.changing import FILLABLE

LOOKUPS = 10_000
#: Of each of the two doors.
CHANGES = 5_000
SINCE = timedelta(days=30)
CORRECTED = "CORRECTED"

# By ix_jobs_enrichments_ended.
LOOKED_UP = f"""
    WITH newest AS (
        SELECT result FROM (
            {
    " UNION ALL ".join(
        f"(SELECT result, finished_at FROM jobs WHERE kind = 'enrichment' AND state = '{state}'"
        f" AND finished_at > $1 ORDER BY finished_at DESC LIMIT {LOOKUPS})"
        for state in ("completed", "failed")
    )
}
        ) AS ended ORDER BY finished_at DESC LIMIT {LOOKUPS}),
    said AS (
        SELECT one ->> 'name' AS provider, (one ->> 'facts')::int AS facts, one ->> 'error' AS error,
               (one ->> 'milliseconds')::int AS milliseconds, coalesce(one -> 'used', '[]') AS used
        FROM newest, jsonb_array_elements(newest.result -> 'providers') AS one)
    SELECT provider, count(*) AS lookups, count(milliseconds) AS asked, count(*) FILTER (WHERE facts > 0) AS found,
           count(*) FILTER (WHERE error IS NOT NULL) AS failed, sum(facts) AS facts,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY milliseconds) AS median,
           percentile_disc(0.95) WITHIN GROUP (ORDER BY milliseconds) AS slowest,
           jsonb_agg(used) FILTER (WHERE used <> '[]') AS used,
           (SELECT count(*) FROM newest) AS of
    FROM said GROUP BY provider
"""  # noqa: S608
# By ix_audit_log_channel. One row for each field that a person changed or a suggestion that they waved away.
CHANGED = f"""
    WITH entry AS (
        {
    " UNION ALL ".join(
        f"(SELECT id, subject_kind, subject_id, action, parts FROM audit_log"
        f" WHERE channel = '{channel}' AND id >= $1 ORDER BY id DESC LIMIT {CHANGES})"
        for channel in ("web", "api")
    )
}),
    part AS (
        SELECT entry.subject_id, entry.action, one.value -> 1 AS content
        FROM entry, jsonb_each(entry.parts) AS one
        WHERE entry.subject_kind = 'lead' AND entry.action IN ('UPDATE', 'REVERT', 'DISMISS')
          AND one.key <> 'origin' AND jsonb_typeof(one.value) = 'array')
    SELECT part.subject_id AS lead_id, part.action, change.key AS field, change.value -> 0 AS was,
           change.value -> 1 AS becomes, part.content -> 'provenance' -> 0 -> change.key ->> 'source' AS source
    FROM part, jsonb_each(part.content) AS change
    WHERE change.key = ANY($2)
"""  # noqa: S608
# What a machine filled and a person changed, counted; and each change beside every fact of that field. A suggestion
# that was taken over is an UPDATE to what a fact says; one that was waved away stands in a DISMISS.
MADE_OF_IT = f"""
    WITH change AS MATERIALIZED ({CHANGED})
    SELECT '{CORRECTED}' AS what, source, field, count(*) AS times, NULL::jsonb AS value, NULL::jsonb AS meant
    FROM change
    WHERE action IN ('UPDATE', 'REVERT') AND was <> 'null' AND source <> 'person'
    GROUP BY source, field
    UNION ALL
    SELECT change.action, fact.source, change.field, 1, fact.value,
           CASE WHEN change.action = 'DISMISS' THEN change.was ELSE change.becomes END
    FROM change JOIN lead_facts AS fact ON fact.lead_id = change.lead_id AND fact.field = change.field
    WHERE change.action = 'DISMISS' OR (change.action = 'UPDATE' AND change.becomes <> 'null')
"""  # noqa: S608


@dataclass(slots=True)
class OfField:
    """What became of what a provider said of one field."""

    filled: int = 0
    accepted: int = 0
    dismissed: int = 0
    corrected: int = 0


@dataclass(slots=True)
class ProviderRecord:
    """One provider. lookups: leads it had an answer for; asked: those for which it was asked afresh, not from memory.

    Times are of those that were asked, in milliseconds; None where none was.
    """

    provider: str
    lookups: int = 0
    asked: int = 0
    found: int = 0
    failed: int = 0
    facts: int = 0
    median: int | None = None
    slowest: int | None = None
    fields: dict[str, OfField] = field(default_factory=lambda: defaultdict(OfField))

    @property
    def in_all(self) -> OfField:
        """Over all fields."""
        names = OfField.__slots__
        return OfField(**{name: sum(getattr(one, name) for one in self.fields.values()) for name in names})


@dataclass(frozen=True, slots=True)
class Records:
    """Every provider that was asked, by name; lookups: how many look-ups this is of."""

    providers: Sequence[ProviderRecord]
    lookups: int

    @property
    def is_cut(self) -> bool:
        """Whether there were more look-ups within the time."""
        return self.lookups >= LOOKUPS


async def provider_records(reader: asyncpg.Connection) -> Records:
    """How every provider did."""
    since = trail.now() - SINCE
    records: dict[str, ProviderRecord] = {}
    looked_up = await reader.fetch(LOOKED_UP, since)
    for row in looked_up:
        records[row["provider"]] = record = _record_of(row)
        for used in json.loads(row["used"] or "[]"):
            for name in used:
                record.fields[name].filled += 1
    await _add_what_people_did(reader, since, records)
    return Records([records[name] for name in sorted(records)], looked_up[0]["of"] if looked_up else 0)


async def _add_what_people_did(reader: asyncpg.Connection, since: datetime, to: dict[str, ProviderRecord]) -> None:
    """Accepted, dismissed, corrected; also of a provider that was not asked within the time."""
    for row in await reader.fetch(MADE_OF_IT, _first_id(since), sorted(FILLABLE)):
        if row["what"] == CORRECTED:
            _of(to, row["source"], row["field"]).corrected += row["times"]
        elif _says(row["field"], json.loads(row["value"]), json.loads(row["meant"])):
            one = _of(to, row["source"], row["field"])
            if row["what"] == Action.DISMISS:
                one.dismissed += 1
            else:
                one.accepted += 1


def _of(records: dict[str, ProviderRecord], provider: str, name: str) -> OfField:
    return records.setdefault(provider, ProviderRecord(provider)).fields[name]


def _says(name: str, value: Any, meant: Any) -> bool:
    """Whether a fact, as the lead would hold it, is what was taken over or waved away."""
    return bool(value == meant or normalised(name, value) == meant)


def _first_id(at: datetime) -> UUID:
    """The smallest UUIDv7 of this time: entries before it are older."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _record_of(row: Mapping[str, Any]) -> ProviderRecord:
    names = ("provider", "lookups", "asked", "found", "failed", "facts", "median", "slowest")
    return ProviderRecord(**{name: row[name] for name in names})
