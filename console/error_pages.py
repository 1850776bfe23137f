"""Errors as people see them: what happened, what is safe, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console import problems
from console.rendering import Renderer

SENTENCES = {
    400: "What was sent could not be read. Nothing was changed.",
    401: "Your session has ended, or nobody is signed in here. Nothing was changed.",
    403: "Your role does not allow this. Nothing was changed. An administrator can give you another role.",
    404: "There is nothing at this address. It may have been typed wrongly.",
    405: "This address does not work that way. Nothing was changed.",
    413: "That is larger than what is taken here. Nothing was changed.",
    415: "A file or form of this type is not read here. Nothing was changed.",
    429: "Too many changes in a short time. Nothing was changed; wait a moment, then try again.",
    503: "The database does not answer right now. Nothing was lost: what you saved is saved.",
}
BROKEN = "Something broke on our side. Nothing was lost: what you saved is saved."
TITLES = {404: "Nothing here", 401: "Sign in first"}


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What the page of an error says."""

    status: int
    title: str
    sentence: str
    request_id: str | None


async def error_page(request: Request, error: Exception) -> Response:
    """The page of an error; nobody signed in is led to the sign-in, and back afterwards."""
    body, headers = problems.document(error)
    status = int(body["status"])
    if status == 401 and request.method == "GET" and "hx-request" not in request.headers:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?then={quote(here, safe='')}", 303)
    context = getattr(request.state, "context", None)
    words = ErrorWords(
        status=status,
        title=TITLES.get(status, str(body["title"])),
        sentence=SENTENCES.get(status) or (str(body["detail"]) if status < 500 else BROKEN),
        request_id=context.request_id if context is not None and status >= 500 else None,
    )
    headers = {name: value for name, value in headers.items() if name in {"Retry-After"}}
    render = Renderer(request.app.state.templates, request, getattr(request.state, "visitor", None))
    return render.page("errors/error.html", "main", status=status, headers=headers, problem=words)
