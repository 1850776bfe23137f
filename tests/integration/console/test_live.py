from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from console.live import Live, Message
from leads_core.database import Database
from leads_core.leads.schemas import LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")


@pytest.fixture
async def live(database: Database) -> AsyncIterator[Live]:
    live = Live(database)
    live.start()
    async with asyncio.timeout(10):
        await live.listening.wait()
    yield live
    await live.stop()


async def next_of(stream: AsyncIterator[Message]) -> Message:
    async with asyncio.timeout(10):
        return await anext(stream)


async def test_every_open_stream_hears_of_a_change_once_a_transaction(live: Live, leads: LeadService) -> None:
    streams = [live.stream(None) for _ in range(3)]
    waiting = [asyncio.create_task(next_of(stream)) for stream in streams]
    await asyncio.sleep(0)

    lead = await leads.create(a_lead(), source=Source.FORM)
    messages = await asyncio.gather(*waiting)

    assert {message.data for message in messages} == {json.dumps({"ids": [str(lead.id)]})}
    assert len({message.id for message in messages}) == 1


async def test_a_stream_that_broke_is_told_what_it_missed(live: Live, leads: LeadService) -> None:
    stream = live.stream(None)
    first = asyncio.create_task(next_of(stream))
    await asyncio.sleep(0)
    lead = await leads.create(a_lead(), source=Source.FORM)
    seen = await first
    await stream.aclose()

    await leads.update(lead.id, LeadUpdate(city="Bonn"))
    other = await leads.create(a_lead(email="bo@acme.com"), source=Source.FORM)
    missed = await next_of(live.stream(seen.id))

    assert set(json.loads(missed.data)["ids"]) == {str(lead.id), str(other.id)}


async def test_a_lost_listener_comes_back_and_has_the_pages_read_afresh(
    live: Live, leads: LeadService, owner: asyncpg.Connection
) -> None:
    stream = live.stream(None)
    first = asyncio.create_task(next_of(stream))
    await asyncio.sleep(0)
    await leads.create(a_lead(), source=Source.FORM)
    await first

    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'leads-listener' AND datname = current_database()"
    )

    assert json.loads((await next_of(stream)).data) == {"many": True}


async def test_stopping_ends_every_stream(live: Live) -> None:
    waiting = asyncio.create_task(anext(live.stream(None), None))
    await asyncio.sleep(0)

    await live.stop()

    assert await waiting is None
