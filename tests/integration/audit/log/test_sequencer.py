"""Entries become leaves, leaves are signed: once each, whatever else happens."""

from __future__ import annotations

from leads_core.audit.log.sequencer import Sequencer
from leads_core.leads.models import Source
from tests.builders import a_lead


async def test_what_was_committed_is_taken_and_signed(database, settings, leads, acting, owner) -> None:
    await leads.create(a_lead(), source=Source.API)
    await leads.create(a_lead(email="bo@acme.com"), source=Source.API)

    done = await Sequencer(database, settings).run_once()

    assert (done.taken, done.rejected, done.checkpoint_number) == (2, 0, 1)
