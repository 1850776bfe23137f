"""robots.txt is fetched through the guard and respected, also one that misbehaves."""

from __future__ import annotations

from asyncio import StreamWriter, gather, sleep

import pytest

from leads_core.errors import OutgoingRefused
from leads_core.outgoing import robots as robots_module
from leads_core.outgoing.client import Limits, OutgoingClient, OutgoingResponse
from leads_core.outgoing.failures import AddressRefused, ReadingForbidden, TookTooLong
from leads_core.outgoing.robots import Robots, rules_of
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, SeenRequest

PAGE = b"<title>Acme</title>"
FORBIDS_ALL = b"User-agent: *\nDisallow: /"


def plain(text: bytes, status: int = 200) -> Answer:
    return Answer(text, status, "text/plain")


async def read(guard: OutgoingClient, robots: Robots, url: str = "https://acme.example/") -> OutgoingResponse:
    async def allowed(hop: str) -> None:
        await robots.check(hop, guard, purpose="robots")

    return await guard.get(url, purpose="website", before_each=allowed)


@pytest.mark.parametrize("status", [404, 410, 403, 401])
async def test_site_without_robots_file_may_be_read(
    internet: SmallInternet, guard: OutgoingClient, status: int
) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": plain(FORBIDS_ALL, status)})

    assert (await read(guard, Robots())).body == PAGE


async def test_site_that_forbids_reading_is_left_alone(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": plain(FORBIDS_ALL)})

    with pytest.raises(ReadingForbidden, match=r"acme\.example does not allow automated reading\.") as refused:
        await read(guard, Robots())

    assert not refused.value.may_pass
    assert internet.web.requests_of("acme.example", "/") == []


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("User-agent: LeadExplorer\nDisallow: /\n\nUser-agent: *\nDisallow:", False),
        ("User-agent: LEADEXPLORER/1.0\nDisallow: /", False),
        ("User-agent: LeadExplorer\nAllow: /\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: OtherBot\nDisallow: /", True),
        ("User-agent: OtherBot\nUser-agent: *\nDisallow: /", False),
        ("User-agent: OtherBot\nUser-agent: LeadExplorer\nDisallow: /", False),
        ("USER AGENT *\r\nDisallow: /", False),
        ("useragent : *\rdisallow : /", False),
        ("User-agent: *\nDisallow: /private", True),
        ("User-agent: *\nDisallow: /*", False),
        ("User-agent: *\nDisallow: /\nAllow: /$", True),
        ("\ufeffUser-agent: *\nDisallow: /private", True),
        ("<html><body>Not found</body></html>", True),
        ("\x00\x01\x02", True),
        ("", True),
    ],
)
def test_rules_are_read_as_the_standard_says(text: str, allowed: bool) -> None:
    assert rules_of(text).can_fetch("https://acme.example/", "LeadExplorer") is allowed


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_site_that_cannot_tell_is_left_alone_for_now(
    internet: SmallInternet, guard: OutgoingClient, status: int
) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": plain(b"", status)})

    with pytest.raises(ReadingForbidden, match="cannot say now") as refused:
        await read(guard, Robots())

    assert refused.value.may_pass
    assert internet.web.requests_of("acme.example", "/") == []


async def test_robots_file_is_asked_for_once_an_hour_even_by_many_at_once(
    internet: SmallInternet, guard: OutgoingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": plain(b"")})
    robots, now = Robots(), 1000.0
    monkeypatch.setattr(robots_module, "monotonic", lambda: now)

    await gather(*(read(guard, robots) for _ in range(5)))
    now += 3599
    await read(guard, robots)
    asked_within_the_hour = len(internet.web.requests_of("acme.example", "/robots.txt"))
    now += 2
    await read(guard, robots)

    assert asked_within_the_hour == 1
    assert len(internet.web.requests_of("acme.example", "/robots.txt")) == 2


async def test_each_host_and_scheme_has_rules_of_its_own(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": plain(FORBIDS_ALL)})
    internet.site("www.acme.example", {"/": PAGE})
    robots = Robots()

    answer = await read(guard, robots, "https://www.acme.example/")
    with pytest.raises(ReadingForbidden):
        await read(guard, robots)

    assert answer.body == PAGE


async def test_rules_of_a_redirects_target_hold_too(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": Answer.redirect("https://other.example/")})
    internet.site("other.example", {"/": PAGE, "/robots.txt": plain(FORBIDS_ALL)})

    with pytest.raises(ReadingForbidden, match=r"other\.example"):
        await read(guard, Robots())

    assert internet.web.requests_of("other.example", "/") == []


async def test_endless_robots_file_is_read_to_its_limit(internet: SmallInternet, guard: OutgoingClient) -> None:
    async def endless(_: SeenRequest, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + FORBIDS_ALL + b"\n")
        while True:
            writer.write(b"# more\n" * 10000)
            await writer.drain()

    internet.site("acme.example", {"/": PAGE, "/robots.txt": endless})

    with pytest.raises(ReadingForbidden):
        await read(guard, Robots())


async def test_robots_file_that_redirects_in_a_circle_counts_as_none(
    internet: SmallInternet, guard: OutgoingClient
) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": Answer.redirect("/robots.txt")})

    assert (await read(guard, Robots())).body == PAGE


async def test_robots_file_that_is_a_picture_counts_as_none(internet: SmallInternet, guard: OutgoingClient) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": Answer(FORBIDS_ALL, content_type="image/png")})

    assert (await read(guard, Robots())).body == PAGE


async def test_robots_file_that_redirects_to_a_private_address_is_not_followed(
    internet: SmallInternet, guard: OutgoingClient, connected: list[tuple[str, int]]
) -> None:
    internet.site("acme.example", {"/": PAGE, "/robots.txt": Answer.redirect("http://10.0.0.1/robots.txt")})

    with pytest.raises(AddressRefused):
        await read(guard, Robots())

    assert connected == [("127.0.0.1", internet.web.https_port)]


async def test_robots_file_that_never_comes_is_given_up(
    internet: SmallInternet, guard: OutgoingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: SeenRequest, writer: StreamWriter) -> None:
        await sleep(60)

    monkeypatch.setattr(robots_module, "LIMITS", Limits(seconds=0.2, cut=True))
    internet.site("acme.example", {"/": PAGE, "/robots.txt": silent})

    with pytest.raises(TookTooLong) as refused:
        await read(guard, Robots())

    assert refused.value.may_pass


async def test_site_that_was_down_is_asked_again_at_once(internet: SmallInternet, guard: OutgoingClient) -> None:
    robots = Robots()
    with pytest.raises(OutgoingRefused):
        await read(guard, robots)
    internet.site("acme.example", {"/": PAGE})

    assert (await read(guard, robots)).body == PAGE


def test_robots_file_of_many_names_and_rules_costs_no_more_than_its_length() -> None:
    names = "".join(f"User-agent: bot{n}\n" for n in range(10000))
    rules = "".join(f"Disallow: /{n}*a*b\n" for n in range(10000))

    parsed = rules_of(names + rules + names)

    assert len(parsed._user_agents) == 1
    assert parsed.can_fetch("https://acme.example/" + "a" * 2000, "LeadExplorer")
