"""Which columns a person wants in the list, in which order and how wide, and how dense its rows are."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from console.dependencies import CurrentVisitor, GuardedRoute, Pool, requires
from console.forms import Form, SentForm
from console.list_columns import Columns
from console.rendering import local_path
from leads_core.accounts.permissions import Permission
from leads_core.accounts.preferences import preferences_of, set_preference

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

DENSITIES = ("compact", "roomy")
STEPS = {"left": -1, "right": 1}


@router.post("/leads/columns")
@requires(Permission.READ_LEADS)
async def choose(form: SentForm, who: CurrentVisitor, pool: Pool) -> Response:
    """Keep what the form says and show the list again: HTMX follows the redirect as a browser without a script does."""
    async with pool.transaction() as session:
        kept = await preferences_of(session, who.user_id)
        columns = _as_wanted(Columns.read(kept.get("columns")), form)
        await set_preference(session, who.user_id, "columns", columns.kept if columns.is_own else None)
        if form.text("density") in DENSITIES:
            await set_preference(session, who.user_id, "density", form.text("density"))
    return RedirectResponse(local_path(form.text("then"), "/leads"), 303)


def _as_wanted(columns: Columns, form: Form) -> Columns:
    """Everything as laid out now, the standard, or ticks (all, or one that came or went), widths and a column moved."""
    if form.has("reset"):
        return Columns.read(None)
    if form.has("layout"):
        return Columns.of(_pair(part) for part in form.text("layout").split(",") if part)
    ticked = form.all("column") or [*columns.names, *form.all("show")]
    wanted = columns.only([name for name in ticked if name not in form.all("hide")])
    sizes = (size.partition(" ") for size in form.all("width"))
    wanted = _moved(wanted.resized({name: step for step, _, name in sizes}), form.text("move"))
    return columns if wanted.kept == columns.kept else wanted


def _moved(columns: Columns, move: str) -> Columns:
    """`left email` and `right email`: one place; `before stage email`: the email to where the stage is now."""
    match move.split(" "):
        case [way, name] if way in STEPS:
            return columns.moved(name, STEPS[way])
        case ["before", other, name]:
            return columns.placed(name, other)
        case _:
            return columns


def _pair(part: str) -> tuple[str, int | None]:
    """`email:240`: a column and how wide it is; `email:` is as wide as usual."""
    name, _, width = part.partition(":")
    return name, int(width) if width.isascii() and width.isdigit() and len(width) < 6 else None
