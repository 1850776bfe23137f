"""A name server and a web server that know of each other: an internet of a few sites, for tests that enrich."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from tests.servers.dns_server import DnsServer
from tests.servers.web_server import Pages, WebServer

ADDRESS = "127.0.0.2"
"""Where every site of the small internet lives, as far as the name server says."""


class SmallInternet:
    """`names` and `web`, and the settings that lead the guard to them.

    folder is where the CA's certificate is written, for ENRICHMENT_CA_FILE.
    """

    def __init__(self, folder: Path) -> None:
        self.names = DnsServer()
        self.web = WebServer()
        self.ca_file = folder / "small-internet-ca.pem"

    def site(self, host: str, pages: Pages, *, certificate: trustme.LeafCert | None = None) -> None:
        """A site and its A record."""
        self.names.add(host, "A", ADDRESS)
        self.web.site(host, pages, certificate=certificate)

    @property
    def nameservers(self) -> list[str]:
        return [self.names.address]

    @property
    def loopback(self) -> dict[str, str]:
        """The constructor's and the settings' form: address let through -> where it connects."""
        return {
            f"{ADDRESS}:80": f"127.0.0.1:{self.web.http_port}",
            f"{ADDRESS}:443": f"127.0.0.1:{self.web.https_port}",
        }

    @property
    def environment(self) -> Mapping[str, str]:
        """For a process of its own: worker or `leads up` under test."""
        return {
            "ENRICHMENT_NAMESERVERS": ",".join(self.nameservers),
            "ENRICHMENT_LOOPBACK": ",".join(f"{at}={to}" for at, to in self.loopback.items()),
            "ENRICHMENT_CA_FILE": str(self.ca_file),
        }

    async def __aenter__(self) -> Self:
        self.web.authority.cert_pem.write_to_path(self.ca_file)
        await self.names.__aenter__()
        await self.web.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.web.__aexit__(kind, error, trace)
        await self.names.__aexit__(kind, error, trace)


@contextmanager
def small_internet_in_a_thread(folder: Path) -> Iterator[SmallInternet]:
    """For tests without an event loop of their own (a browser's). Sites may be added while it runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="small internet", daemon=True)
    thread.start()
    internet = SmallInternet(folder)
    asyncio.run_coroutine_threadsafe(internet.__aenter__(), loop).result()
    try:
        yield internet
    finally:
        asyncio.run_coroutine_threadsafe(internet.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
