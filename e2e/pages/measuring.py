"""What a page costs: bytes over the wire, requests, what jumped about, and how long until an answer is painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Request

#: Sums what jumped without anybody having asked for it, from the first paint on.
OBSERVE_SHIFTS = """() => {
  window.shifted = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value
  }).observe({ type: "layout-shift", buffered: true })
}"""
#: Begins to wait for the next change of the table, and says when it stood on the screen.
AWAIT_PAINT = """() => {
  window.painted = new Promise((done) => {
    const table = document.getElementById("lead-page")
    const seen = new MutationObserver(() => {
      seen.disconnect()
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - window.began)))
    })
    seen.observe(table.parentElement, { childList: true, subtree: true, characterData: true })
  })
  const start = () => { window.began = performance.now() }
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, start, { capture: true, once: true })
}"""


def watch_shifts(page: Page) -> None:
    """Sum layout shifts from here on, in every page that this tab opens."""
    page.add_init_script(f"({OBSERVE_SHIFTS})()")


def shifted(page: Page) -> float:
    """The sum of the layout shifts (CLS, without a unit) that nobody asked for."""
    return float(page.evaluate("window.shifted"))


def bytes_of(page: Page, address: str) -> int:
    """Bytes over the wire, heads and bodies as they were compressed, of a page opened with an empty cache."""
    received: list[Request] = []

    def note(request: Request) -> None:
        received.append(request)

    page.on("requestfinished", note)
    page.goto(address, wait_until="load")
    page.remove_listener("requestfinished", note)
    sizes = [request.sizes() for request in received if "/events" not in request.url]
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)


@contextmanager
def requests_made(page: Page) -> Iterator[list[str]]:
    """The requests that begin meanwhile, as "GET /leads"."""
    seen: list[str] = []

    def note(request: Request) -> None:
        seen.append(f"{request.method} {request.url.partition('://')[2].partition('/')[2]}")

    page.on("request", note)
    yield seen
    page.remove_listener("request", note)


def milliseconds_to_paint(page: Page, act: Callable[[], None]) -> float:
    """From the key or the pointer that goes down in `act` until the table's answer is painted."""
    page.evaluate(AWAIT_PAINT)
    act()
    return float(page.evaluate("window.painted"))
