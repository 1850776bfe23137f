"""What must never happen in a browser, whatever the story: an error in the console, a CSP report, a 5xx."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, WebError

#: The browser's own line for any answer from 400 on. A story may lead to a page of such a status; a script asks for
#: nothing that comes with one.
OWN_LINE = "Failed to load resource: the server responded with a status of 4"


class Faults:
    """Collects what went wrong in every page of the contexts it watches."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._pages: set[str] = set()

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._thrown)
        context.on("response", self._answer)

    def _console(self, message: ConsoleMessage) -> None:
        is_of_page = message.text.startswith(OWN_LINE) and message.location["url"] in self._pages
        if message.type in {"error", "warning"} and not is_of_page:
            self.seen.append(f"{message.type}: {message.text} ({_address(message.page)})")

    def _thrown(self, error: WebError) -> None:
        self.seen.append(f"thrown: {error.error} ({_address(error.page)})")

    def _answer(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._pages.add(response.url)
        if response.status >= 500:
            self.seen.append(f"{response.status}: {response.request.method} {response.url}")


def _address(page: Page | None) -> str:
    return page.url if page else "no page"
