"""The enrichment queue: what waits and runs, what failed and why, how each provider did; and to cancel a lead's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from console.dependencies import Config, CurrentVisitor, GuardedRoute, Pool, Render, requires
from console.enrichment_page import providers_context, queue_context
from console.forms import SentForm
from console.lead_page import Problem
from console.routes.pages.bulk import BulkDesk
from console.routes.pages.lead import Desk
from leads_core.accounts.permissions import Permission
from leads_core.enrichment import cancelling
from leads_core.enrichment.queue_watch import failed_leads
from leads_core.errors import Conflict, Invalid, NotFound
from leads_core.leads import bulk
from leads_core.leads.bulk_actions import Asked, BulkAction

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

PATH = "/enrichment"
TEMPLATE = "enrichment/index.html"


class QueueDesk:
    """What the routes of the page share."""

    def __init__(self, pool: Pool, who: CurrentVisitor, render: Render, config: Config) -> None:
        self.pool = pool
        self._config = config
        self.render = render
        self._can_retry = who.may(Permission.CHANGE_LEADS)

    async def page(self, *, status: int = 200, problem: Problem | None = None) -> Response:
        """The page; where a script asks for a part, the queue alone."""
        context = await queue_context(self.pool, datetime.now(UTC))
        if not self.render.wants_block:
            context |= await providers_context(self.pool, self._config)
        return self.render.page(TEMPLATE, "queue", status=status, can_retry=self._can_retry, problem=problem, **context)


Queue = Annotated[QueueDesk, Depends(QueueDesk)]
Bulk = Annotated[BulkDesk, Depends(BulkDesk)]


@router.get(PATH)
@requires(Permission.READ_LEADS)
async def index(desk: Queue) -> Response:
    return await desk.page()


@router.post("/enrichment/retry")
@requires(Permission.CHANGE_LEADS)
async def retry(form: SentForm, desk: Queue, jobs: Bulk) -> Response:
    """Enrich again what failed for this reason, or without one everything that failed: one job for all of them."""
    async with desk.pool.reader() as reader:
        ids = await failed_leads(reader, form.text("reason") or None, bulk.LARGEST)
    try:
        job = await bulk.start(desk.pool, Asked(BulkAction.ENRICH), ids)
    except Invalid:
        return jobs.refused(Invalid.of("reason", "None of them failed any more: they were tried again already."), form)
    if desk.render.wants_block:
        return await jobs.show(job.id, brief=True)
    return RedirectResponse(f"/jobs/{job.id}", 303)


@router.post("/leads/{lead_id}/enrichment/cancel")
@requires(Permission.CHANGE_LEADS)
async def cancel(lead_id: UUID, form: SentForm, desk: Desk) -> Response:
    """End the lead's enrichment while it waits; the status from before comes back."""
    lead = await desk.leads.get(lead_id, deleted=None)
    try:
        if lead.enrichment_task_id is None:
            raise NotFound("job", lead_id)
        await cancelling.cancel(desk.pool, lead.enrichment_task_id)
    except (NotFound, Conflict) as error:
        sentence = "Nothing waits for this lead any more." if isinstance(error, NotFound) else str(error)
        if form.text("then"):
            return await desk.done(lead, toast={"text": f"Not cancelled. {sentence}"}, then=form.text("then"))
        return await desk.panel(lead, status=409, problem=Problem("Not cancelled", sentence))
    lead = await desk.leads.get(lead_id, deleted=None)
    return await desk.done(lead, toast={"text": "The enrichment was cancelled."}, then=form.text("then"))
