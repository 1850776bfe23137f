"""One server and one small internet for the run; before each test no leads; after each test nothing has broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from e2e import internet
from e2e.faults import Faults
from e2e.people import LAUNCH, Person, arrive
from e2e.server import RunningServer, running_server
from tests.servers.small_internet import small_internet_in_a_thread

WINDOW = {"width": 1440, "height": 900}
NewContext = Callable[..., BrowserContext]

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return LAUNCH


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`leads up`, whose enrichment sees the small internet and nothing else."""
    with small_internet_in_a_thread(tmp_path_factory.mktemp("internet")) as sites:
        internet.build(sites)
        with running_server(**sites.environment) as running:
            yield running


@pytest.fixture(scope="session")
def rosa(browser: Browser, server: RunningServer) -> Person:
    """The first administrator, who came by the link that `leads up` printed."""
    assert server.first_link
    return arrive(browser, server.first_link, "Rosa Engel", "rosa@example.com")


@pytest.fixture(scope="session")
def idris(browser: Browser, server: RunningServer) -> Person:
    """A second person, who may change leads."""
    link = server.leads("user", "add", "idris@example.com", "--name", "Idris Bello")["sign_in_link"]
    return arrive(browser, link, "Idris Bello", "idris@example.com")


@pytest.fixture(autouse=True)
def _no_leads(server: RunningServer) -> None:
    server.forget_leads()


@pytest.fixture(autouse=True)
def faults(server: RunningServer) -> Iterator[Faults]:
    """Every browser of every test is watched; the server's log as well."""
    watching = Faults()
    start = server.log.stat().st_size
    yield watching
    assert watching.seen == []
    assert server.errors_logged(start) == []


@pytest.fixture
def window(browser: Browser, server: RunningServer, faults: Faults) -> Iterator[NewContext]:
    """Opens a browser of its own: `window(rosa)`, `window(script=False)`. Watched, and closed at the end."""
    opened: list[BrowserContext] = []

    def open_window(person: Person | None = None, *, script: bool = True, **options: Any) -> BrowserContext:
        context = browser.new_context(
            base_url=server.url,
            viewport=options.pop("viewport", WINDOW),
            java_script_enabled=script,
            storage_state=person.state if person else None,
            **options,
        )
        context.set_default_timeout(10_000)
        faults.watch(context)
        opened.append(context)
        return context

    yield open_window
    for context in opened:
        context.close()


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def script(request: pytest.FixtureRequest) -> bool:
    """The story is walked twice: with JavaScript, and with it switched off."""
    return bool(request.param)


@pytest.fixture
def page(window: NewContext, rosa: Person) -> Page:
    """Rosa's browser, with JavaScript."""
    return window(rosa).new_page()


@pytest.fixture
def any_page(window: NewContext, rosa: Person, script: bool) -> Page:
    """Rosa's browser, once with JavaScript and once without."""
    return window(rosa, script=script).new_page()
