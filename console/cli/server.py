"""`leads up`: everything in one go. `leads serve`: the console alone, for a process manager."""

from __future__ import annotations

import asyncio
import gc
import http.client
import signal
import socket
import sys
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

import uvicorn

from console.cli.database import upgrade
from console.cli.supervisor import Child, Supervisor, environment_with
from console.cli.surroundings import open_database, settings_at_a_database
from leads_core.accounts.service import Accounts
from leads_core.embedded_postgres import EmbeddedPostgres
from leads_core.errors import Misconfigured
from leads_core.settings import Settings, load_settings

#: Seconds that open requests have to finish when the console is told to stop.
GRACEFUL = 5


def up() -> int:
    """Start everything: embedded PostgreSQL (unless DATABASE_URL), migrations, console and worker.

    Ctrl-C stops it. Exit status: 0 stopped, 2 could not start.
    """
    _end_on_signals()
    settings = load_settings()
    with ExitStack() as stack:
        server = None
        if settings.enable_lead_explorer and settings.database_url is None:
            server = stack.enter_context(EmbeddedPostgres(settings.data_dir))
            settings.database_url, settings.database_owner_url = server.url, server.owner_url
        listener = stack.enter_context(listen(settings.host, settings.port))
        if settings.enable_lead_explorer:
            upgrade(settings.database_owner_url or settings.database_url or "")
        first_link = asyncio.run(_first_sign_in_link(settings)) if settings.enable_lead_explorer else None
        return _supervise(settings, server, listener, first_link)


def serve(*, fd: int | None = None) -> None:
    """Run the console alone, on HOST and PORT. Run `leads migrate` before it and `leads worker` beside it.

    Parameters
    ----------
    fd: a listening socket that was handed down, used in place of HOST and PORT.
    """
    from console.app import create_app  # noqa: PLC0415 - `up` starts faster without it

    _end_on_signals()
    settings = load_settings()
    with ExitStack() as stack:
        if settings.enable_lead_explorer:
            settings = stack.enter_context(settings_at_a_database(settings))
        listener = stack.enter_context(listen(settings.host, settings.port) if fd is None else socket.socket(fileno=fd))
        config = uvicorn.Config(
            create_app(settings),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # the request context reads X-Forwarded-For, from trusted proxies only
            server_header=False,
            timeout_graceful_shutdown=GRACEFUL,
        )
        # What was loaded stays: the garbage collector would hold up a page to look through all of it again.
        gc.freeze()
        uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Misconfigured, in words, when the address is taken or is none of ours."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        other = f"PORT={port % 65535 + 1} make run"
        raise Misconfigured(
            f"Port {port} on {host} cannot be used ({error.strerror}). Choose another, for example: {other}"
        ) from error
    return listener


def address_of(settings: Settings) -> str:
    """Where a person opens the console."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}"


async def _first_sign_in_link(settings: Settings) -> str | None:
    """Where the first administrator signs in, while nobody has ever done so."""
    async with open_database(settings) as (_, database):
        link = await Accounts(database).first_sign_in_link()
    return address_of(settings) + link.path if link else None


def _supervise(
    settings: Settings, server: EmbeddedPostgres | None, listener: socket.socket, first_link: str | None
) -> int:
    # The owner's address stays here: console and worker have the app's rights only.
    environment = environment_with(**({"DATABASE_URL": settings.database_url} if settings.database_url else {}))
    environment.pop("DATABASE_OWNER_URL", None)
    # The key that signs the log is the worker's alone.
    without_key = {name: value for name, value in environment.items() if name != "AUDIT_SIGNING_KEY"}
    console = Child("console", ("serve", "--fd", str(listener.fileno())), without_key, (listener.fileno(),))
    worker = Child("worker", ("worker",), environment)
    supervisor = Supervisor(
        [console, worker] if settings.enable_lead_explorer else [console],
        lambda: _keep_alive(server),
    )
    supervisor.start()
    try:
        status = _wait_until_ready(supervisor, settings)
        if status is None:
            print(f"Lead Explorer runs at {address_of(settings)} (Ctrl-C stops it)", flush=True)
            if first_link:
                print(f"Nobody has signed in yet. This link does it, once: {first_link}", flush=True)
        while status is None:
            status = supervisor.turn()
    finally:
        supervisor.stop()
    if supervisor.is_stopping:
        print("Lead Explorer has stopped.", flush=True)
    return status


def _keep_alive(server: EmbeddedPostgres | None) -> None:
    if server is not None and server.revive():
        print("PostgreSQL had ended by itself; it runs again.", file=sys.stderr)


def _wait_until_ready(supervisor: Supervisor, settings: Settings) -> int | None:
    """Until the console answers. An exit status when it could not start, or a signal came before."""
    host = address_of(settings.model_copy(update={"public_url": None})).removeprefix("http://")
    status = None
    while status is None and not _answers(host):
        status = supervisor.turn()
    return status


def _answers(host: str) -> bool:
    connection = http.client.HTTPConnection(host, timeout=0.5)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end_on_signals() -> None:
    """uvicorn raises the signal again after its orderly stop; that must end this process quietly, with status 0."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
