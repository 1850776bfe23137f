"""Saved views: made, changed, put in order and taken away, in the name of whoever asks.

An own view is seen and changed by its owner alone. A shared one is seen by all, changed by its owner and by
administrators, and stays with the others when its owner is erased. What a view says is never in the trail: it changes
no lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor
from leads_core.database import Database, new_id
from leads_core.errors import FieldError, Forbidden, Invalid, NotFound
from leads_core.leads.filters import LeadFilter
from leads_core.leads.folding import fold
from leads_core.leads.normalising import clean_text
from leads_core.leads.ordering import Sort
from leads_core.saved_views.models import OWN_NAME, SHARED_NAME, SavedView

NAME_LIMIT = 60
QUERY_LIMIT = 2_000
#: So many views stand beside a list at most; counting and showing more would help nobody.
MOST = 50

NO_NAME = "Give the view a name."
TAKEN = "You have a view of this name. Choose another name."
SHARED_TAKEN = "There is a shared view of this name. Choose another name."
TOO_MANY = f"There are {MOST} such views. Delete one that you no longer need."
NOT_SHARING = "Your role may not share views. Keep it as your own."
NOT_YOURS = "This view is somebody else's. Its owner or an administrator may change it."

Direction = Literal["left", "right"]


class SavedViews:
    """Changes the views that `who` may change."""

    def __init__(self, database: Database, who: Visitor) -> None:
        self._database = database
        self._who = who

    async def create(self, name: str, query: str, *, is_shared: bool = False) -> UUID:
        """Keep this state of the list under a name. Raises Invalid (name, query), Forbidden (sharing)."""
        shown, said = checked_name(name), checked_query(query, self._who.user_id)
        at = datetime.now(UTC)
        async with self._database.transaction() as session:
            place = await self._next_place(session, is_shared=is_shared)
            view = SavedView(
                id=new_id(),
                owner_id=self._who.user_id,
                name=shown,
                name_key=fold(shown),
                query=said,
                is_shared=is_shared,
                place=place,
                created_at=at,
                updated_at=at,
            )
            session.add(view)
            await _flush(session)
            return view.id

    async def change(
        self, view_id: UUID, *, name: str | None = None, query: str | None = None, is_shared: bool | None = None
    ) -> None:
        """Give it another name or state, or share it; what is None stays. Raises NotFound, Forbidden, Invalid."""
        async with self._database.transaction() as session:
            view = await self._locked(session, view_id)
            if name is not None:
                view.name = checked_name(name)
                view.name_key = fold(view.name)
            if query is not None:
                view.query = checked_query(query, self._who.user_id)
            if is_shared is not None and is_shared != view.is_shared:
                view.place = await self._next_place(session, is_shared=is_shared)
                # Nobody's view stays shared; one that its owner takes back is theirs.
                view.is_shared, view.owner_id = is_shared, view.owner_id or self._who.user_id
            view.updated_at = datetime.now(UTC)
            await _flush(session)

    async def move(self, view_id: UUID, direction: Direction) -> None:
        """One place to the left or right among its kind; at the end nothing happens. Raises NotFound, Forbidden."""
        async with self._database.transaction() as session:
            moved = await self._locked(session, view_id)
            kind = SavedView.is_shared if moved.is_shared else self._own()
            in_order = select(SavedView).where(kind).order_by(SavedView.place, SavedView.id).with_for_update()
            views = list((await session.scalars(in_order)).all())
            at = views.index(moved)
            to = at + (-1 if direction == "left" else 1)
            if 0 <= to < len(views):
                views[at], views[to] = views[to], views[at]
            for place, view in enumerate(views):
                view.place = place

    async def delete(self, view_id: UUID) -> None:
        """Take it away; the leads in it stay. Raises NotFound, Forbidden."""
        async with self._database.transaction() as session:
            await session.delete(await self._locked(session, view_id))

    async def _locked(self, session: AsyncSession, view_id: UUID) -> SavedView:
        seen = select(SavedView).where(SavedView.id == view_id, or_(SavedView.is_shared, self._own()))
        view = await session.scalar(seen.with_for_update())
        if view is None:
            raise NotFound("view", view_id)
        if not may_change(self._who, view.owner_id):
            raise Forbidden(NOT_YOURS)
        return view

    def _own(self) -> ColumnElement[bool]:
        return and_(SavedView.owner_id == self._who.user_id, ~SavedView.is_shared)

    async def _next_place(self, session: AsyncSession, *, is_shared: bool) -> int:
        if is_shared and not self._who.may(Permission.CHANGE_LEADS):
            raise Forbidden(NOT_SHARING)
        kind = SavedView.is_shared if is_shared else self._own()
        number, last = (await session.execute(select(func.count(), func.max(SavedView.place)).where(kind))).one()
        if number >= MOST:
            raise Invalid.of("name", TOO_MANY)
        return 0 if last is None else int(last) + 1


def may_change(who: Visitor, owner_id: UUID | None) -> bool:
    """Whether a view of this owner is theirs to change: an own one, or any for administrators."""
    return owner_id == who.user_id or who.may(Permission.MANAGE_USERS)


def checked_name(name: str) -> str:
    """The name as it is kept. Raises Invalid."""
    try:
        found = clean_text(name, limit=NAME_LIMIT)
    except ValueError as error:
        raise Invalid.of("name", str(error)) from None
    if found is None:
        raise Invalid.of("name", NO_NAME)
    return found


def checked_query(query: str, me: UUID) -> str:
    """The state of a list as an address says it, without what says nothing of it. Raises Invalid."""
    try:
        pairs = parse_qsl(query, errors="strict", max_num_fields=100)
    except ValueError:
        raise Invalid.of("query", "This state of the list cannot be kept: its address is no address.") from None
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    orders = parameters.pop("sort", [])
    try:
        wanted = LeadFilter.from_query(parameters, me=me)
        if parameters.keys() & {"cursor", "limit", "total"} or len(orders) > 1:
            raise Invalid.of("query", "A view keeps filters, a search and one order, not a page.")
        Sort.parse(orders[0] if orders else None, in_bin=wanted.deleted)
    except Invalid as error:
        raise Invalid([FieldError("query", f"{one.field}: {one.message}") for one in error.errors]) from None
    kept = urlencode(pairs)
    if len(kept) > QUERY_LIMIT:
        raise Invalid.of("query", "This state of the list is too long to be kept. Take some filters off.")
    return kept


async def forget_views(session: AsyncSession, user_id: UUID) -> None:
    """A person is erased: their own views go, shared ones stay and are nobody's."""
    await session.execute(delete(SavedView).where(SavedView.owner_id == user_id, ~SavedView.is_shared))
    await session.execute(update(SavedView).where(SavedView.owner_id == user_id).values(owner_id=None))


async def _flush(session: AsyncSession) -> None:
    """Raises Invalid where the name is taken."""
    try:
        await session.flush()
    except IntegrityError as error:
        names: Sequence[tuple[str, str]] = ((OWN_NAME, TAKEN), (SHARED_NAME, SHARED_TAKEN))
        for index, message in names:
            if index in str(error.orig):
                raise Invalid.of("name", message) from None
        raise
