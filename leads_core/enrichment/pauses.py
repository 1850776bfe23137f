"""A provider that keeps failing by itself is left alone for a while, by all workers: the circuit breaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, DateTime, Integer, Table, Text, text

from leads_core.database import C_TEXT, Base, Database

provider_pauses = Table(
    "provider_pauses",
    Base.metadata,
    Column("provider", C_TEXT, primary_key=True),
    Column("strikes", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("struck_at", DateTime(timezone=True), nullable=False),
    Column("paused_until", DateTime(timezone=True)),
)

#: So many failures in a row, none further apart than MEMORY, begin a pause.
STRIKES = 5
FIRST_PAUSE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 900
#: A job waits for the end of a pause that is shorter than this; of a longer one it says so and ends.
WORTH_WAITING_FOR = timedelta(minutes=2)

STRIKE = text(f"""
    INSERT INTO provider_pauses AS p (provider, strikes, reason, struck_at)
    VALUES (:provider, 1, :reason, clock_timestamp())
    ON CONFLICT (provider) DO UPDATE SET
        strikes = CASE WHEN p.struck_at > clock_timestamp() - interval '1 hour' THEN p.strikes + 1 ELSE 1 END,
        reason = excluded.reason, struck_at = excluded.struck_at,
        paused_until = CASE WHEN p.strikes + 1 >= {STRIKES} AND p.struck_at > clock_timestamp() - interval '1 hour'
            THEN clock_timestamp() + make_interval(secs => least({LONGEST_PAUSE_SECONDS},
                 {FIRST_PAUSE_SECONDS} * power(2, least(p.strikes + 1 - {STRIKES}, 10)))) END
""")  # noqa: S608
LIFT = text("DELETE FROM provider_pauses WHERE provider = :provider")
STANDING = text("SELECT provider, strikes, reason, paused_until, clock_timestamp() AS now FROM provider_pauses")


@dataclass(frozen=True, slots=True)
class Pause:
    """How often a provider failed in a row and why; until when it is left alone, as the database's clock has it."""

    provider: str
    strikes: int
    reason: str
    paused_until: datetime | None
    remaining: timedelta

    @property
    def stands(self) -> bool:
        return self.remaining > timedelta(0)

    @property
    def is_worth_waiting_for(self) -> bool:
        return self.remaining < WORTH_WAITING_FOR

    @property
    def sentence(self) -> str:
        until = f"{self.paused_until:%H:%M} UTC" if self.paused_until else "later"
        return f"{self.provider.capitalize()} is paused until {until}, after {self.strikes} failures: {self.reason}"


async def standing(database: Database) -> Mapping[str, Pause]:
    """Every provider that has failed by itself since it last answered, by name; few, and most often none."""
    async with database.transaction() as session:
        rows = (await session.execute(STANDING)).all()
    return {row.provider: Pause(row.provider, row.strikes, row.reason, row.paused_until, _left(row)) for row in rows}


async def strike(database: Database, provider: str, reason: str) -> None:
    """The provider failed by itself once more. After STRIKES in a row it is paused, each time twice as long."""
    async with database.transaction() as session:
        await session.execute(STRIKE, {"provider": provider, "reason": reason})


async def lift(database: Database, provider: str) -> None:
    """The provider answered: all is forgiven."""
    async with database.transaction() as session:
        await session.execute(LIFT, {"provider": provider})


def _left(row: object) -> timedelta:
    until, now = getattr(row, "paused_until", None), getattr(row, "now", None)
    return until - now if until and now else timedelta(0)
