"""No false alarm: whatever honest people do at once, and whatever breaks meanwhile, verify finds nothing."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg

from leads_core.audit.log.sequencer import Sequencer
from leads_core.database import Database
from leads_core.settings import Settings
from tests.integration.audit.honest_life import OPERATIONS
from tests.integration.audit.soak import Soak
from tests.integration.trail_state import differences

#: SOAK_OPERATIONS=10000 for the whole proof: some minutes on two cores.
COUNT = int(os.environ.get("SOAK_OPERATIONS", "400"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
#: What the independent replay says of an entry whose writer was erased, honestly.
OF_ERASED_USERS = "does not say who or from where"
EVERYTHING = """
    SELECT (SELECT count(*) FROM audit_log) AS entries, (SELECT count(*) FROM audit_leaves) AS leaves,
           (SELECT count(*) FROM audit_pending) AS pending, (SELECT count(*) FROM audit_rejected) AS rejected,
           (SELECT size FROM audit_checkpoints ORDER BY number DESC LIMIT 1) AS signed
"""


async def test_honest_life_under_kills_raises_no_alarm(
    database: Database, settings: Settings, owner_url: str, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"audit_checkpoint_file": tmp_path / "checkpoints.jsonl"})
    soak = Soak(own, owner_url, operations=COUNT, seed=SEED, pause=2.0)

    result = await soak.run()
    await Sequencer(database, own).run_once()
    report = await soak.verified()
    everything = await owner.fetchrow(EVERYTHING)

    print(result.sentence(), dict(result.done), dict(result.refused), sep="\n")
    assert report.findings == ()
    assert [finding for one in result.reports for finding in one.findings] == []
    assert tuple(everything) == (report.entries, report.entries, 0, 0, report.entries)
    assert [each for each in await differences(owner, own.mac_keys[0]) if not each.endswith(OF_ERASED_USERS)] == []
    assert result.done.total() >= COUNT
    assert result.connections_cut > 0
    assert result.sequencers_killed > 0
    assert result.reports
    assert {*OPERATIONS} - {*result.done} == set()
