"""How many requests are under way at once, counted where the connections arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from leads_core.outgoing.client import Limits, OutgoingClient, OutgoingResponse
from leads_core.outgoing.failures import TookTooLong
from leads_core.outgoing.places import AT_ONE_HOST, IN_ALL
from leads_core.outgoing.robots import Robots
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, SeenRequest, send

PAGE = b"<title>Acme</title>"


class Held:
    """A page that is answered when the test lets go. `at_once` is how many wait for it, `peak` the most so far."""

    def __init__(self) -> None:
        self.at_once = self.peak = 0
        self._changed = asyncio.Condition()
        self._let_go = asyncio.Event()

    async def __call__(self, _request: SeenRequest, writer: asyncio.StreamWriter) -> None:
        await self._count(1)
        await self._let_go.wait()
        await self._count(-1)
        await send(writer, Answer(PAGE))

    async def until(self, at_once: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.at_once == at_once)

    def let_go(self) -> None:
        self._let_go.set()

    async def _count(self, more: int) -> None:
        async with self._changed:
            self.at_once += more
            self.peak = max(self.peak, self.at_once)
            self._changed.notify_all()


@pytest.fixture
def held() -> Held:
    return Held()


def begun(work: Coroutine[Any, Any, OutgoingResponse]) -> asyncio.Task[OutgoingResponse]:
    return asyncio.ensure_future(work)


async def test_one_host_is_asked_for_two_pages_at_once_and_another_does_not_wait_for_it(
    internet: SmallInternet, guard: OutgoingClient, held: Held
) -> None:
    internet.site("acme.example", {f"/{n}": held for n in range(6)})
    internet.site("other.example", {"/": PAGE})
    reading = [begun(guard.get(f"http://acme.example/{n}", purpose="website")) for n in range(6)]
    await held.until(AT_ONE_HOST)

    for _ in range(3):
        await guard.get("https://other.example/", purpose="website")

    assert internet.web.connections == AT_ONE_HOST + 3
    held.let_go()
    assert [answer.body for answer in await asyncio.gather(*reading)] == [PAGE] * 6
    assert (AT_ONE_HOST, held.peak) == (2, 2)


async def test_no_more_than_forty_hosts_are_asked_at_once(
    internet: SmallInternet, guard: OutgoingClient, held: Held
) -> None:
    hosts = [f"acme-{n}.example" for n in range(IN_ALL + 5)]
    for host in (*hosts, "other.example"):
        internet.site(host, {"/": PAGE if host == "other.example" else held})
    reading = [begun(guard.get(f"http://{host}/", purpose="website")) for host in hosts]
    await held.until(IN_ALL)

    async with OutgoingClient(nameservers=internet.nameservers, loopback=internet.loopback) as elsewhere:
        for _ in range(3):
            await elsewhere.get("http://other.example/", purpose="website")

    assert internet.web.connections == IN_ALL + 3
    held.let_go()
    await asyncio.gather(*reading)
    assert (IN_ALL, held.peak) == (40, 40)


async def test_waiting_for_a_place_does_not_count_towards_the_time_limit(
    internet: SmallInternet, guard: OutgoingClient, held: Held
) -> None:
    internet.site("acme.example", {"/held": held, "/": Answer.redirect("/page"), "/page": PAGE})
    reading = [begun(guard.get("http://acme.example/held", purpose="website")) for _ in range(2)]
    await held.until(2)
    waiting = begun(guard.get("http://acme.example/", purpose="website", limits=Limits(seconds=1.5)))

    await asyncio.wait([waiting], timeout=2)
    assert not waiting.done()
    held.let_go()

    assert (await waiting).body == PAGE
    await asyncio.gather(*reading)


async def test_time_limit_runs_on_once_there_is_a_place(
    internet: SmallInternet, guard: OutgoingClient, held: Held
) -> None:
    async def says_nothing(_request: SeenRequest, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    internet.site("acme.example", {"/held": held, "/": says_nothing})
    reading = [begun(guard.get("http://acme.example/held", purpose="website")) for _ in range(2)]
    await held.until(2)
    waiting = begun(guard.get("http://acme.example/", purpose="website", limits=Limits(seconds=0.3)))
    await asyncio.sleep(0)
    held.let_go()

    with pytest.raises(TookTooLong, match=r"did not answer in 0\.3 s"):
        await waiting
    await asyncio.gather(*reading)


async def test_the_wait_of_a_robots_file_does_not_count_for_its_page_either(
    internet: SmallInternet, guard: OutgoingClient, held: Held
) -> None:
    internet.site("acme.example", {"/held": held, "/": PAGE})
    reading = [begun(guard.get("http://acme.example/held", purpose="website")) for _ in range(2)]
    await held.until(2)

    async def allowed(url: str) -> None:
        await Robots().check(url, guard, purpose="website")

    limits = Limits(seconds=1.5)
    waiting = begun(guard.get("http://acme.example/", purpose="website", limits=limits, before_each=allowed))
    await asyncio.wait([waiting], timeout=2)
    assert not waiting.done()
    held.let_go()

    assert (await waiting).body == PAGE
    await asyncio.gather(*reading)


async def test_place_of_a_request_that_is_given_up_is_free_again(
    internet: SmallInternet, guard: OutgoingClient, held: Held
) -> None:
    internet.site("acme.example", {"/held": held, "/": PAGE})
    reading = [begun(guard.get("http://acme.example/held", purpose="website")) for _ in range(2)]
    queueing = [begun(guard.get("http://acme.example/held", purpose="website")) for _ in range(3)]
    await held.until(2)

    for task in (*queueing, *reading):
        task.cancel()
    await asyncio.gather(*queueing, *reading, return_exceptions=True)

    assert (await guard.get("http://acme.example/", purpose="website")).body == PAGE
    assert internet.web.connections == 3
