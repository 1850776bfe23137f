"""The front door: to the leads, until there is a dashboard."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse

from console.dependencies import GuardedRoute, requires
from leads_core.accounts.permissions import Permission

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/")
@requires(Permission.READ_LEADS)
async def index() -> RedirectResponse:
    return RedirectResponse("/leads", 303)
