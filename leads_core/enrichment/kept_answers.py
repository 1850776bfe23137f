"""What a provider said of a domain, kept for a while: a second lead there costs no second question.

One row for each provider and what it was asked about. Whoever claims the row asks; others who want the same meanwhile
wait for that answer. A claim lapses by itself, so a killed worker holds up nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, DateTime, Index, Table, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.audit.record.entry import parse_timestamp, timestamp
from leads_core.database import C_TEXT, Base, Database
from leads_core.enrichment.merging import Fact

provider_answers = Table(
    "provider_answers",
    Base.metadata,
    Column("provider", C_TEXT, primary_key=True),
    Column("about", C_TEXT, primary_key=True),
    Column("domain", C_TEXT),
    Column("facts", JSONB),
    Column("failure", Text),
    Column("good_until", DateTime(timezone=True)),
    Column("claimed_until", DateTime(timezone=True)),
    Index("ix_provider_answers_domain", "domain"),
)

FOUND_FOR = "1 day"
FAILED_FOR = "1 hour"
#: Longer than any provider may take to answer.
CLAIM_SECONDS = 40
POLL_SECONDS = 0.1

THIS = "provider = :provider AND about = :about"
CLAIM = text("""
    INSERT INTO provider_answers AS kept (provider, about, domain, claimed_until)
    VALUES (:provider, :about, :domain, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (provider, about) DO UPDATE SET claimed_until = excluded.claimed_until
        WHERE coalesce(kept.claimed_until <= clock_timestamp(), true)
          AND (coalesce(kept.good_until <= clock_timestamp(), true) OR :found_too
               OR (:failed_too AND kept.failure IS NOT NULL))
    RETURNING true
""")
KEPT = text(f"""
    SELECT facts, failure FROM provider_answers
    WHERE {THIS} AND coalesce(claimed_until <= clock_timestamp(), true) AND good_until > clock_timestamp()
""")  # noqa: S608
KEEP = text(f"""
    UPDATE provider_answers SET facts = :facts, failure = :failure, claimed_until = NULL,
           good_until = clock_timestamp() + CAST(CAST(:kept_for AS text) AS interval)
    WHERE {THIS}
""").bindparams(bindparam("facts", type_=JSONB))  # noqa: S608
RELEASE = text(f"UPDATE provider_answers SET claimed_until = NULL WHERE {THIS}")  # noqa: S608
FORGET = text("""
    DELETE FROM provider_answers
    WHERE coalesce(good_until <= clock_timestamp(), true) AND coalesce(claimed_until <= clock_timestamp(), true)
""")
FORGET_DOMAIN = text("DELETE FROM provider_answers WHERE domain = :domain")


@dataclass(frozen=True, slots=True)
class Question:
    """What makes two questions one: the provider, and what it is asked about. By its domain an answer is forgotten."""

    provider: str
    about: str
    domain: str | None

    @property
    def key(self) -> dict[str, str]:
        return {"provider": self.provider, "about": self.about}


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was given: facts, or why there were none."""

    facts: tuple[Fact, ...]
    failure: str | None


async def claim(
    database: Database, question: Question, *, past: Sequence[str] = (), patience: float = CLAIM_SECONDS
) -> KeptAnswer | None:
    """The kept answer; None when the caller is to ask, and then to keep() or release().

    past: "found", "failed": kept answers of these kinds are not good enough, a fresh one is wanted. While somebody
    else asks the same, this waits, at most patience seconds, and then lets the caller ask by itself.
    """
    wanted = {**question.key, "domain": question.domain, "seconds": CLAIM_SECONDS}
    until = time.monotonic() + patience
    stale = {"found_too": "found" in past, "failed_too": "failed" in past}
    while True:
        async with database.transaction() as session:
            if await session.scalar(CLAIM, {**wanted, **stale}):
                return None
            row = (await session.execute(KEPT, question.key)).one_or_none()
        if row is not None:
            return KeptAnswer(tuple(_read(fact) for fact in row.facts or ()), row.failure)
        if time.monotonic() > until:
            return None
        # Somebody asks just now: their answer is as fresh as ours would be.
        stale = {"found_too": False, "failed_too": False}
        await asyncio.sleep(POLL_SECONDS)


async def keep(database: Database, question: Question, facts: Sequence[Fact], failure: str | None) -> None:
    """Give the answer to whoever asks the same: for a day, or for an hour when it failed."""
    values = {"facts": [_written(fact) for fact in facts], "failure": failure}
    kept_for = FOUND_FOR if failure is None else FAILED_FOR
    async with database.transaction() as session:
        await session.execute(KEEP, {**question.key, **values, "kept_for": kept_for})


async def release(database: Database, question: Question) -> None:
    """Nobody asks any more, and there is no answer: the next one asks."""
    async with database.transaction() as session:
        await session.execute(RELEASE, question.key)


async def forget_about(session: AsyncSession, domain: str) -> None:
    """Remove what was kept of a domain, with a person who is forgotten."""
    await session.execute(FORGET_DOMAIN, {"domain": domain})


async def forget_old(database: Database) -> None:
    """Remove what is not good any more. For a scheduled task."""
    async with database.transaction() as session:
        await session.execute(FORGET)


def _written(fact: Fact) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in Fact.__slots__} | {"fetched_at": timestamp(fact.fetched_at)}


def _read(written: Mapping[str, Any]) -> Fact:
    return Fact(**{**written, "fetched_at": parse_timestamp(written["fetched_at"])})
