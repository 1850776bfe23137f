"""The form under the table: what to do, with what, and with which leads. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from console.forms import Form
from leads_core.errors import Invalid
from leads_core.leads.bulk import Wanted
from leads_core.leads.bulk_actions import FIELDS, Asked, BulkAction
from leads_core.leads.filters import LeadFilter

ALL = "all"
EXPORT = "export"
#: Days from today; None takes the date away.
RELATIVE: dict[str, int | None] = {"today": 0, "tomorrow": 1, "week": 7, "month": 30, "none": None}
NOTHING = "none"


def asked_of(form: Form, me: UUID | None) -> Asked:
    """`do` names the action, after a colon its value: set_stage:won, set_owner:me. Raises Invalid.

    Without a value it stands in a field of its own (tags, follow_up_on, owner_id). Enter in one of these sends no
    button: `do` is empty, and the field that was filled says what is meant.
    """
    name, _, given = (form.text("do") or _typed(form)).partition(":")
    try:
        action = BulkAction(name)
    except ValueError:
        raise Invalid.of("do", "Choose what to do with them.") from None
    field = FIELDS.get(action)
    return Asked.parsed(action, {field: _value(form, field, given, me)} if field else {})


def wanted_of(form: Form, me: UUID | None) -> Wanted:
    """The ticked leads with the versions the page showed, or everything that the filter in `query` matches."""
    if form.text("scope") == ALL:
        return LeadFilter.from_query(parse_qs(form.text("query")), me=me)
    try:
        seen = {UUID(lead_id): int(version) for lead_id, _, version in map(_parted, _seen(form))}
        return {lead_id: seen.get(lead_id) for lead_id in map(UUID, form.all("id"))}
    except ValueError:
        raise Invalid.of("id", "Choose leads in the table.") from None


def _typed(form: Form) -> str:
    if form.text("tags").strip():
        return BulkAction.ADD_TAGS
    return BulkAction.SET_FOLLOW_UP if form.text("follow_up_on") else ""


def _value(form: Form, field: str, given: str, me: UUID | None) -> Any:
    match field:
        case "owner_id":
            chosen = given or form.text("owner_id")
            if not chosen:
                raise Invalid.of("owner_id", "Choose an owner, or nobody.")
            return {"me": str(me), NOTHING: None}.get(chosen, chosen)
        case "tags":
            tags = [tag for tag in form.text("tags").split(",") if tag.strip()]
            if not tags:
                raise Invalid.of("tags", "Type a tag.")
            return tags
        case "follow_up_on":
            return _day(given, form.text("follow_up_on"))
    return given


def _day(given: str, typed: str) -> str | None:
    if not given and not typed:
        raise Invalid.of("follow_up_on", "Choose a date.")
    if given not in RELATIVE:
        return typed
    days = RELATIVE[given]
    return None if days is None else str(_today() + timedelta(days=days))


def _today() -> date:
    return datetime.now(UTC).date()


def _seen(form: Form) -> list[str]:
    return [pair for text in form.all("seen") for pair in text.split()]


def _parted(pair: str) -> tuple[str, str, str]:
    return pair.partition(":")
