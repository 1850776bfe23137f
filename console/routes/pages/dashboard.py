"""The front page: what today brought, what is due, and how a period went."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.dashboard_page import PERIODS, dashboard, period_of
from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, Render, requires
from leads_core.accounts.permissions import Permission
from leads_core.paging import Cursors

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/")
@requires(Permission.READ_LEADS)
async def index(request: Request, pool: Pool, config: Config, who: CurrentVisitor, render: Render) -> Response:
    period, now = period_of(request.query_params.get("days")), datetime.now(UTC)
    async with pool.reader() as reader:
        shown = await dashboard(reader, period, now, me=who.user_id, cursors=Cursors(config.signing_secret))
    return render.page("dashboard/index.html", "dashboard", board=shown, periods=PERIODS, now=now)
