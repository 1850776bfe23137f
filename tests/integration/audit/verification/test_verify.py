"""Verification of an honest trail finds nothing, by whatever door it was written and however it is read."""

from __future__ import annotations

import pytest

from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")


async def test_an_honest_trail_is_clean(leads: LeadService, verification) -> None:
    ana = await leads.create(a_lead(), source=Source.FORM)
    await leads.update(ana.id, LeadUpdate(stage="qualified", notes="called"))
    await leads.delete(ana.id)
    await leads.restore(ana.id)
    await leads.create(a_lead(email="bo@acme.com"), source=Source.API, enrich=True)
    await verification.sequence()

    report = await verification.report()

    print(report)
    assert (report.findings, report.ok, report.entries, report.leads, report.leaves) == ((), True, 5, 2, 5)
