"""Seen: what others changed until the moment the page showed is news no more, on none of this person's devices."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.responses import Response

from console.dependencies import CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.forms import SentForm
from console.rendering import local_path
from leads_core.accounts.last_seen import see
from leads_core.accounts.permissions import Permission

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.post("/leads/seen")
@requires(Permission.READ_LEADS)
async def seen(form: SentForm, pool: Pool, who: CurrentVisitor, render: Render) -> Response:
    await see(pool, who.user_id, _moment(form.text("until")))
    return render.nothing_or_redirect(to=local_path(form.text("then"), "/leads"), events={"leads-changed": {}})


def _moment(said: str) -> datetime:
    """The page's own moment; one that cannot be read, or says no zone, is now."""
    try:
        until = datetime.fromisoformat(said)
    except ValueError:
        return datetime.now(UTC)
    return until if until.tzinfo else datetime.now(UTC)
