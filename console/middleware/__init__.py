"""What happens to every request before a route sees it: plain ASGI, one concern each. From the outside in:

1. SecurityHeaders   adds the headers to every answer, also to those of the layers below
2. Refusals          a refusal that a page's script asked for is no error in the browser's console
3. AccessLog         writes one line when the answer is out, also for those of the layers below
4. RequestContext    who and whence: request id, client address, session or token
5. CrossSite         refuses what another site made a browser send
6. BodyLimit         counts the body while it is read
7. the app           compression, routers, error handlers

The list that FastAPI takes as `middleware` is in this order; add_middleware would turn it round.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

AnswerTo: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]
"""How an error looks to whoever asked: a problem document under /api/, else a page."""
