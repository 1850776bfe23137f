"""The one application: middleware in order, routers, error handlers; the one place that reads the feature flag."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette_compress import CompressMiddleware

from console import problems, telemetry
from console.assets import Assets
from console.error_pages import error_page
from console.live import Live
from console.middleware.access_log import AccessLogMiddleware
from console.middleware.body_limit import BodyLimitMiddleware
from console.middleware.cross_site import CrossSiteMiddleware
from console.middleware.refusals import RefusalsMiddleware
from console.middleware.request_context import RequestContextMiddleware
from console.middleware.security_headers import SecurityHeadersMiddleware
from console.rendering import Templates
from console.routes import api, events, pages
from console.routes.api import health
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.tokens import Tokens
from leads_core.audit.changes_feed import LogWatch
from leads_core.database import Database
from leads_core.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app on these settings. With ENABLE_LEAD_EXPLORER=false only the probes answer, and no data is touched."""
    settings = settings or load_settings()
    telemetry.set_up()
    if not settings.enable_lead_explorer:
        return _switched_off(settings)
    database = Database(settings)
    assets = Assets()
    app = FastAPI(
        title="Lead Explorer",
        version=telemetry.version(),
        summary="Sales leads, every change audited.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=_lifespan,
        middleware=_middleware(settings, database),
        redirect_slashes=False,
    )
    app.state.settings, app.state.database = settings, database
    app.state.templates, app.state.live = Templates(assets), Live(database)
    app.state.log_watch = LogWatch(database)
    problems.install(app, error_page)
    app.add_route("/static/{name}", assets.serve, include_in_schema=False)
    app.state.routers = (health.probes, health.router, events.router, *api.ROUTERS, *pages.ROUTERS)
    for router in app.state.routers:
        app.include_router(router)
    return app


def _switched_off(settings: Settings) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings
    app.include_router(health.probes)
    problems.install(app, _not_found)
    return app


async def _not_found(_request: Request, error: Exception) -> Response:
    return problems.response(error)


def _middleware(settings: Settings, database: Database) -> list[Middleware]:
    """From the outside in; console/middleware/__init__.py says why in this order."""
    sessions = Sessions(database, settings.signing_secret)
    return [
        Middleware(SecurityHeadersMiddleware),
        Middleware(RefusalsMiddleware),
        Middleware(AccessLogMiddleware),
        Middleware(
            RequestContextMiddleware,
            settings=settings,
            sessions=sessions,
            tokens=Tokens(database),
            answer=_answer,
        ),
        Middleware(CrossSiteMiddleware, answer=_answer, public_url=settings.public_url),
        Middleware(BodyLimitMiddleware),
        Middleware(CompressMiddleware),
    ]


async def _answer(request: Request, error: Exception) -> Response:
    """How an error outside the routes looks to whoever asked."""
    return await problems.answer(request, error, error_page)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    database: Database = app.state.database
    live: Live = app.state.live
    live.start()
    try:
        yield
    finally:
        await live.stop()
        await database.close()
