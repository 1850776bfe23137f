"""Fixtures over the servers. Import them by name in a conftest.py: `from tests.servers.fixtures import internet`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from leads_core.outgoing.client import OutgoingClient
from leads_core.outgoing.recording import RequestRecord, recorded_requests
from tests.servers.dns_server import DnsServer
from tests.servers.small_internet import SmallInternet
from tests.servers.web_server import WebServer

_watchers: list[list[tuple[str, int]]] = []


def _note_connection(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and event == "socket.connect" and isinstance(arguments[1], tuple):
        for watcher in _watchers:
            watcher.append(arguments[1][:2])


sys.addaudithook(_note_connection)


@pytest.fixture
async def internet(tmp_path: Path) -> AsyncIterator[SmallInternet]:
    async with SmallInternet(tmp_path) as running:
        yield running


@pytest.fixture
def dns_server(internet: SmallInternet) -> DnsServer:
    return internet.names


@pytest.fixture
def web_server(internet: SmallInternet) -> WebServer:
    return internet.web


@pytest.fixture
async def requests_made() -> AsyncIterator[list[RequestRecord]]:
    """Every request that was made or refused in the test."""
    with recorded_requests() as records:
        yield records


@pytest.fixture
async def guard(internet: SmallInternet) -> AsyncIterator[OutgoingClient]:
    """The guard, opened for the small internet and for nothing else."""
    async with OutgoingClient(
        nameservers=internet.nameservers,
        loopback=internet.loopback,
        ca_file=internet.ca_file,
    ) as client:
        yield client


@pytest.fixture
def connected() -> Iterator[list[tuple[str, int]]]:
    """Every (address, port) that this process connected a socket to, seen below every library."""
    seen: list[tuple[str, int]] = []
    _watchers.append(seen)
    yield seen
    _watchers.remove(seen)
