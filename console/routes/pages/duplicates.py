"""Leads that are likely one: all pairs, two of them side by side, the merge, and the word that they are not one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console import lead_page
from console.dependencies import GuardedRoute, requires
from console.forms import SentForm
from console.lead_page import Problem
from console.likeness_wording import reasons_in_words
from console.merge_page import MergeView, SentChoice, merge_view
from console.rendering import local_path
from console.routes.pages.lead import LeadDesk
from console.trail_wording import fields_in_words
from leads_core.accounts.permissions import Permission
from leads_core.accounts.service import Accounts
from leads_core.audit.last_changes import last_changes
from leads_core.errors import AlreadyMerged, Erased, IdentityTaken, Invalid, NotFound, StaleVersion
from leads_core.leads import kept_apart, likely_duplicates
from leads_core.leads.merging import MERGEABLE
from leads_core.leads.schemas import LeadRead
from leads_core.paging import USUAL_PAGE, Cursors, Page

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

#: So many entries may wait for the worker before the page says that it has not seen everything yet.
USUAL_DELAY = 200


T = TypeVar("T")
#: Reads a page of a list of pairs.
Pages = Callable[..., Awaitable[Page[T]]]


class MergeDesk(LeadDesk):
    """What the routes of two leads share, beside what those of one have."""

    async def pair(self, lead_id: UUID, other_id: UUID) -> tuple[LeadRead, LeadRead] | Response:
        """Two live leads to be merged; else the page that says why that cannot be."""
        leads = [await self.leads.get(each, deleted=None) for each in (lead_id, other_id)]
        if lead_id == other_id:
            raise NotFound("lead to merge it with", other_id)
        for lead in leads:
            if lead.is_deleted:
                return await self.panel(lead, status=409, problem=Problem("Not merged", "It is in the bin by now."))
            if lead.erased_at:
                sentence = "This person was erased. The lead is not merged."
                return await self.panel(lead, status=409, problem=Problem("Not merged", sentence))
        return leads[0], leads[1]

    async def page(self, reader: asyncpg.Connection, request: Request, pages: Pages[T]) -> Page[T]:
        """The page that the address means; the first where its cursor means nothing."""
        cursors, cursor = Cursors(self.config.signing_secret), request.query_params.get("cursor") or None
        try:
            return await pages(reader, cursor, USUAL_PAGE, cursors=cursors)
        except Invalid:
            return await pages(reader, None, USUAL_PAGE, cursors=cursors)

    def pairs(self, page: Page[Any], path: str, pairs: Sequence[tuple[Any, str]], *, behind: int = 0) -> Response:
        """Pairs, each with what is said of it."""
        cursors = (page.previous_cursor, page.next_cursor)
        newer, older = (f"{path}?cursor={cursor}" if cursor else None for cursor in cursors)
        return self.render.page(
            "duplicates/index.html",
            "pairs",
            pairs=pairs,
            path=path,
            newer=newer,
            older=older,
            behind=behind,
            can_edit=Permission.CHANGE_LEADS in self.who.permissions,
        )

    async def view(
        self, pair: tuple[LeadRead, LeadRead], sent: SentChoice | None = None, new: frozenset[str] = frozenset()
    ) -> MergeView:
        async with self.pool.transaction() as session:
            changed = await last_changes(session, [lead.id for lead in pair])
        names = {str(user.id): user.name for user in await Accounts(self.pool).list()}
        return merge_view(*pair, [changed.get(lead.id, {}) for lead in pair], names, sent, new)

    async def side_by_side(
        self,
        pair: tuple[LeadRead, LeadRead],
        *,
        status: int = 200,
        sent: SentChoice | None = None,
        problem: Problem | None = None,
        new: frozenset[str] = frozenset(),
    ) -> Response:
        view = await self.view(pair, sent, new)
        return self.render.page("duplicates/merge.html", status=status, merge=view, problem=problem)


Desk = Annotated[MergeDesk, Depends(MergeDesk)]


@router.get("/duplicates")
@requires(Permission.READ_LEADS)
async def index(request: Request, desk: Desk) -> Response:
    """Every pair that nobody has decided on, the likeliest first."""
    async with desk.pool.reader() as reader:
        page = await desk.page(reader, request, likely_duplicates.page_of_pairs)
        behind = await likely_duplicates.entries_behind(reader)
    return desk.pairs(
        page,
        "/duplicates",
        [(pair, reasons_in_words(pair.reasons, pair.lead, pair.other)) for pair in page.items],
        behind=behind if behind > USUAL_DELAY else 0,
    )


@router.get("/duplicates/apart")
@requires(Permission.READ_LEADS)
async def apart(request: Request, desk: Desk) -> Response:
    """Every pair of which somebody said that it is none, the newest word first."""
    async with desk.pool.reader() as reader:
        page = await desk.page(reader, request, kept_apart.page_kept_apart)
    people = {user.id: user.name for user in await Accounts(desk.pool).list()} if page.items else {}
    return desk.pairs(
        page,
        "/duplicates/apart",
        [
            (pair, "you" if pair.by == desk.who.user_id else (pair.by and people.get(pair.by)) or "somebody")
            for pair in page.items
        ],
    )


@router.get("/leads/{lead_id}/merge/{other_id}")
@requires(Permission.CHANGE_LEADS)
async def ask(lead_id: UUID, other_id: UUID, desk: Desk) -> Response:
    """Both side by side, with a sensible choice in each field."""
    pair = await desk.pair(lead_id, other_id)
    return pair if isinstance(pair, Response) else await desk.side_by_side(pair)


@router.post("/leads/{lead_id}/merge/{other_id}")
@requires(Permission.CHANGE_LEADS)
async def merge(lead_id: UUID, other_id: UUID, form: SentForm, desk: Desk) -> Response:
    sent = SentChoice.of(form)
    keep, other = (lead_id, other_id) if sent.stays == "first" else (other_id, lead_id)
    try:
        kept, _ = await desk.leads.merge(keep, other, sent.merge(lead_id, other_id))
    except AlreadyMerged as error:
        problem = Problem("Not merged: this was done already", str(error), f"/leads/{error.into}")
        return await desk.panel(await desk.leads.get(error.lead_id, deleted=None), status=409, problem=problem)
    except (StaleVersion, IdentityTaken, Invalid, Erased) as error:
        return await _refused(desk, lead_id, other_id, sent, error)
    return await desk.done(kept)


@router.post("/leads/{lead_id}/apart/{other_id}")
@requires(Permission.CHANGE_LEADS)
async def keep_apart(lead_id: UUID, other_id: UUID, form: SentForm, desk: Desk) -> Response:
    """Not a duplicate: remembered, not asked again. With `again` it is taken back."""
    if form.ticked("again"):
        await kept_apart.ask_again(desk.pool, lead_id, other_id)
        said = "It is asked about again."
    else:
        await kept_apart.dismiss(desk.pool, lead_id, other_id)
        said = "Kept apart. Nobody is asked about these two again."
    to = local_path(form.text("then"), f"/leads/{lead_id}")
    if not desk.render.wants_block:
        return RedirectResponse(to, 303)
    if form.text("then"):
        return desk.render.nothing_or_redirect(to=to, events={"toast": {"text": said}})
    return await desk.done(await desk.leads.get(lead_id, deleted=None), toast={"text": said})


async def _refused(
    desk: MergeDesk,
    lead_id: UUID,
    other_id: UUID,
    sent: SentChoice,
    error: StaleVersion | IdentityTaken | Invalid | Erased,
) -> Response:
    """The page again with what was chosen; where a lead changed, with what changed since."""
    pair = await desk.pair(lead_id, other_id)
    if isinstance(pair, Response):
        return pair
    match error:
        case StaleVersion():
            who, new = await _changed_since(desk, pair, sent)
            sentence = f"{who} The lines that are new are marked. What you chose is kept; look, then merge."
            problem = Problem(f"{error.current.name} changed meanwhile", sentence)
            return await desk.side_by_side(pair, status=412, sent=sent, problem=problem, new=new)
        case IdentityTaken():
            sentence = f"Another lead has this {error.field} already. Choose the other {error.field}."
            problem = Problem("Not merged", sentence, f"/leads/{error.existing_id}")
            return await desk.side_by_side(pair, status=409, sent=sent, problem=problem)
        case Invalid():
            problem = Problem("Not merged", error.errors[0].message)
            return await desk.side_by_side(pair, status=422, sent=sent, problem=problem)
    return await desk.side_by_side(pair, status=409, sent=sent, problem=Problem("Not merged", str(error)))


async def _changed_since(
    desk: MergeDesk, pair: tuple[LeadRead, LeadRead], sent: SentChoice
) -> tuple[str, frozenset[str]]:
    """Who changed what since the page was opened, and these fields."""
    said, new = [], set()
    for lead, version in zip(pair, sent.versions, strict=True):
        for entry in await lead_page.entries_since(lead.id, version, desk.pool) if version else []:
            fields = [name for name in MERGEABLE if name in entry.new_values]
            new |= set(fields)
            if fields:
                who = "Enrichment" if entry.channel == "worker" else entry.actor_name or "Somebody"
                said.append(f"{who} changed {fields_in_words(fields)}.")
    return " ".join(dict.fromkeys(said)) or "It was changed.", frozenset(new)
