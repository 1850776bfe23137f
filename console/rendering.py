"""A template whole, or the one block of it that HTMX asked for; after a form, that block or a redirect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console import wording
from console.assets import Assets
from console.undo_notice import Did
from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor

TEMPLATES = Path(__file__).parent / "templates"
#: Macros every template may call, as `ui.icon("plus")`. Each file may use those before it.
COMPONENTS = ("ui", "forms", "rows")
HEADERS = {"Vary": "HX-Request-Type", "Cache-Control": "no-store"}
THEMES = ("light", "dark")
THEME_COOKIE = "theme"


class Templates:
    """The environment of all pages: made once, used by every request."""

    def __init__(self, assets: Assets) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.globals.update(asset=assets.url, words=wording, permission=Permission)
        for name in COMPONENTS:
            self.environment.globals[name] = self.environment.get_template(f"components/{name}.html").module

    def render(self, template: str, block: str | None = None, **context: Any) -> str:
        """The template's HTML, or one block's. What a template names and nobody gave raises UndefinedError."""
        if block is None:
            return self.environment.get_template(template).render(context)
        html: str = render_block(self.environment, template, block, context)
        return html


class Renderer:
    """Answers one request: knows who is looking, in which theme, and whether HTMX wants a part."""

    def __init__(self, templates: Templates, request: Request, viewer: Visitor | None) -> None:
        self._templates = templates
        self._request = request
        self._user = viewer

    @property
    def wants_block(self) -> bool:
        """HTMX asked for a part of the page, to put it into the one that is open."""
        return self._request.headers.get("HX-Request-Type") == "partial"

    def page(
        self,
        template: str,
        block: str | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """The whole page, or only `block` of it where HTMX asked for a part."""
        wanted = block if self.wants_block else None
        html = self._templates.render(template, wanted, **{**self._shared(), **context})
        return HTMLResponse(html, status, headers={**HEADERS, **(headers or {})})

    def block_or_redirect(
        self,
        template: str,
        block: str,
        *,
        to: str,
        status: int = 200,
        events: Mapping[str, Mapping[str, Any]] | None = None,
        **context: Any,
    ) -> Response:
        """After a form that did its work: the block, with events for our scripts, or 303 to a page."""
        if not self.wants_block:
            return RedirectResponse(to, 303)
        return self.page(template, block, status=status, headers=_events(events), **context)

    def nothing_or_redirect(self, *, to: str, events: Mapping[str, Mapping[str, Any]] | None = None) -> Response:
        """After a form whose page shows the change by itself: no content, with events, or 303 to a page."""
        if not self.wants_block:
            return RedirectResponse(to, 303)
        return Response(status_code=204, headers=_events(events))

    def _shared(self) -> dict[str, Any]:
        theme = self._request.cookies.get(THEME_COOKIE)
        return {
            "user": self._user,
            "now": datetime.now(UTC),
            "theme": theme if theme in THEMES else None,
            "by_script": "HX-Request" in self._request.headers,
            "path": self._request.url.path,
            "here": _address(self._request),
            "did": self._did(),
        }

    def _did(self) -> Did | None:
        """What the form before this page did, for those who may undo it."""
        if self._user is None or not self._user.may(Permission.CHANGE_LEADS):
            return None
        return Did.read(self._request.url.path, self._request.query_params.multi_items())


def _events(events: Mapping[str, Mapping[str, Any]] | None) -> dict[str, str]:
    """Sent to the body: by then the element that asked may have been swapped away."""
    return (
        {"HX-Trigger": json.dumps({name: {"target": "body", **detail} for name, detail in events.items()})}
        if events
        else {}
    )


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def local_path(address: str | None, otherwise: str) -> str:
    """Where a form may send its sender back to: a path of this console, never another site."""
    if address and address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable():
        return address
    return otherwise
