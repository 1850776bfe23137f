"""A POST to the operator's own service: inside the network, but under every other rule."""

from __future__ import annotations

import asyncio
from asyncio import StreamWriter

import pytest

from leads_core.outgoing.failures import BodyRefused, ConnectionFailed, TookTooLong
from leads_core.outgoing.own_service import LONGEST_ANSWER, OwnServiceAnswer, post_to_own_service
from leads_core.outgoing.recording import RequestRecord
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import Answer, Behaviour, SeenRequest

Connected = list[tuple[str, int]]


async def post(internet: SmallInternet, *, seconds: float = 5.0) -> OwnServiceAnswer:
    url = f"http://127.0.0.1:{internet.web.http_port}/jobs"
    return await post_to_own_service(url, b"{}", {"Lead-Explorer-Time": "1"}, purpose="remote", seconds=seconds)


def serve(internet: SmallInternet, answer: Answer | Behaviour) -> None:
    internet.site("127.0.0.1", {"/jobs": answer})


async def test_answer_of_a_service_on_a_private_address_is_taken_and_told(
    internet: SmallInternet, requests_made: list[RequestRecord]
) -> None:
    serve(internet, Answer(b'{"ok":1}', content_type="application/json"))

    answer = await post(internet)

    assert (answer.status, answer.body) == (200, b'{"ok":1}')
    assert [(record.purpose, record.status, record.bytes) for record in requests_made] == [("remote", 200, 8)]
    assert internet.web.requests[0].headers["lead-explorer-time"] == "1"


async def test_redirect_of_the_service_is_not_followed(internet: SmallInternet, connected: Connected) -> None:
    serve(internet, Answer.redirect("http://10.0.0.1/", 307))

    assert (await post(internet)).status == 307
    assert connected == [("127.0.0.1", internet.web.http_port)]


async def test_service_is_not_asked_through_a_proxy_from_the_environment(
    internet: SmallInternet, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    serve(internet, Answer(b"{}"))

    await post(internet)

    assert connected == [("127.0.0.1", internet.web.http_port)]


async def test_answer_without_end_is_ended(internet: SmallInternet, requests_made: list[RequestRecord]) -> None:
    async def endless(_: SeenRequest, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    serve(internet, endless)

    with pytest.raises(BodyRefused, match=f"more than {LONGEST_ANSWER >> 20} MiB"):
        await post(internet)

    assert [record.error is not None for record in requests_made] == [True]


async def silent(_: SeenRequest, _writer: StreamWriter) -> None:
    await asyncio.Event().wait()


async def slow(_: SeenRequest, writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("behaviour", [silent, slow])
async def test_service_that_says_nothing_or_too_little_is_given_up(
    internet: SmallInternet, behaviour: Behaviour
) -> None:
    serve(internet, behaviour)

    with pytest.raises(TookTooLong, match=r"did not answer in 0\.3 s"):
        await post(internet, seconds=0.3)


async def test_service_that_is_not_there_is_said_so(internet: SmallInternet) -> None:
    with pytest.raises(ConnectionFailed):
        await post_to_own_service("http://127.0.0.1:1/", b"{}", {}, purpose="remote", seconds=5)
