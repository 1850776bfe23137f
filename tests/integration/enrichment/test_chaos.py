"""Whatever is killed and falls over: every lead has an end, no job is lost, nothing is applied twice."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import asyncpg
import pytest

from leads_core.audit.log.sequencer import Sequencer
from leads_core.audit.verification.sources import DatabaseSource
from leads_core.audit.verification.verifier import Trusted, verify
from leads_core.database import Database, asyncpg_url
from leads_core.embedded_postgres import EmbeddedPostgres
from leads_core.settings import Settings
from tests.conftest import migrate
from tests.integration.enrichment.chaos import Chaos
from tests.integration.trail_state import differences
from tests.servers.small_internet import SmallInternet

#: CHAOS_LEADS=500 for the whole proof: about a minute on two cores.
LEADS = int(os.environ.get("CHAOS_LEADS", "120"))
KILLS = max(3, LEADS // 40)
SEED = int(os.environ.get("CHAOS_SEED", "1"))

ENDS = """
    SELECT enrichment_status, count(*) AS leads, count(*) FILTER (WHERE enrichment_error IS NOT NULL) AS with_reason
    FROM leads GROUP BY enrichment_status
"""
JOBS = """
    SELECT count(*) AS jobs, count(DISTINCT lead_id) AS leads, count(finished_at) AS ended,
           count(*) FILTER (WHERE attempt > 1) AS tried_again
    FROM jobs WHERE kind = 'enrichment'
"""
# Adding is one entry, the end of its enrichment another.
APPLIED_OFTEN = """
    SELECT subject_id FROM audit_log WHERE subject_kind = 'lead' GROUP BY subject_id
    HAVING array_agg(action ORDER BY seq) <> ARRAY['CREATE', 'ENRICH']
"""
FACTS_OFTEN = "SELECT lead_id FROM lead_facts GROUP BY lead_id, source, field HAVING count(*) > 1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, as safe as the real one, that may crash."""
    running = EmbeddedPostgres(tmp_path / "server").start()
    yield running
    running.remove()


@pytest.fixture
async def own(server: EmbeddedPostgres, tmp_path: Path) -> Settings:
    await migrate(server.owner_url)
    return Settings(database_url=server.url, data_dir=tmp_path, rate_limit=0, public_url="http://test")


async def test_every_lead_has_an_end_although_workers_are_killed_and_the_database_crashes(
    server: EmbeddedPostgres, own: Settings, internet: SmallInternet
) -> None:
    began = time.monotonic()
    chaos = Chaos(server, own, internet, LEADS, KILLS, Random(SEED))  # noqa: S311 - no secret

    await chaos.run()

    lasted = time.monotonic() - began
    owner = await asyncpg.connect(asyncpg_url(server.owner_url))
    ends = {row["enrichment_status"]: (row["leads"], row["with_reason"]) for row in await owner.fetch(ENDS)}
    jobs = dict(await owner.fetchrow(JOBS))
    print(f"{LEADS} leads in {lasted:.0f} s: {chaos.killed} kills, 1 crash, {chaos.cut} connections cut,")
    print(f"{dict(chaos.refused)}, {ends}, {jobs}")
    assert (chaos.crashed, chaos.killed > 0, chaos.cut > 0) == (1, True, True)
    assert ends.keys() <= {"completed", "failed"}
    assert sum(leads for leads, _ in ends.values()) == LEADS
    assert len(set(ends["failed"])) == 1, "a failed lead says why"
    assert (jobs["jobs"], jobs["leads"], jobs["ended"]) == (LEADS, LEADS, LEADS)
    assert await owner.fetch(APPLIED_OFTEN) == []
    assert await owner.fetch(FACTS_OFTEN) == []
    assert await differences(owner, own.mac_keys[0]) == []
    await owner.close()
    await _sign_the_rest(own)
    report = await verify(DatabaseSource(server.owner_url), Trusted.of(own))
    assert (report.findings, report.leads) == ((), LEADS)


async def _sign_the_rest(own: Settings) -> None:
    database = Database(own, pool_size=2)
    await Sequencer(database, own).run_once()
    await database.close()
