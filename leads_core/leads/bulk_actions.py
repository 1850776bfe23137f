"""What can be done with many leads at once, and what each action needs to know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from leads_core.errors import FieldError, Invalid
from leads_core.leads.models import audited
from leads_core.leads.schemas import LeadUpdate, parsed


class BulkAction(StrEnum):
    """What is done to each lead."""

    SET_STAGE = "set_stage"
    SET_OWNER = "set_owner"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    SET_FOLLOW_UP = "set_follow_up"
    DELETE = "delete"
    RESTORE = "restore"
    ENRICH = "enrich"
    CANCEL_ENRICHMENT = "cancel_enrichment"


#: The field that an action sets; the others need no value.
FIELDS: Mapping[BulkAction, str] = {
    BulkAction.SET_STAGE: "stage",
    BulkAction.SET_OWNER: "owner_id",
    BulkAction.ADD_TAGS: "tags",
    BulkAction.REMOVE_TAGS: "tags",
    BulkAction.SET_FOLLOW_UP: "follow_up_on",
}
_NEEDED = {
    BulkAction.SET_STAGE: "Send a stage: new, contacted, qualified, won or lost.",
    BulkAction.SET_OWNER: "Send the id of a user, or null for nobody.",
    BulkAction.ADD_TAGS: "Send the tags to add.",
    BulkAction.REMOVE_TAGS: "Send the tags to remove.",
    BulkAction.SET_FOLLOW_UP: "Send a date as 2026-11-24, or null for none.",
}
#: Null is a value for these: nobody, no date.
_CLEARED_BY_NULL = {BulkAction.SET_OWNER, BulkAction.SET_FOLLOW_UP}


@dataclass(frozen=True, slots=True)
class Asked:
    """An action with the value it sets. source: the bulk job whose enrichments are cancelled, and no others."""

    action: BulkAction
    value: Any = None
    source: UUID | None = None

    @property
    def field(self) -> str:
        """The field that is set; empty for an action that sets none."""
        return FIELDS.get(self.action, "")

    @property
    def owner(self) -> UUID | None:
        """Whom the leads are given to, if anybody."""
        return self.value if self.action is BulkAction.SET_OWNER else None

    @classmethod
    def parsed(cls, action: BulkAction, values: Mapping[str, Any]) -> Asked:
        """With the value under today's rules. Raises Invalid that names `values` or the value in it."""
        name = FIELDS.get(action)
        if name is None:
            if values:
                raise Invalid.of("values", "This action takes no values. Leave them out.")
            return cls(action)
        if name not in values or (not values[name] and action not in _CLEARED_BY_NULL):
            raise Invalid.of(f"values.{name}", _NEEDED[action])
        try:
            given = parsed(LeadUpdate, values, "values").changes()
        except Invalid as error:
            raise Invalid([FieldError(each.field, each.message) for each in error.errors]) from None
        if others := given.keys() - {name}:
            raise Invalid.of(f"values.{min(others)}", f"This action sets {name} alone. Leave the others out.")
        return cls(action, given[name])

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> Asked:
        """As a job keeps it."""
        action, source = BulkAction(wanted["action"]), wanted.get("source")
        if source:
            return cls(action, source=UUID(source))
        name = FIELDS.get(action)
        return cls.parsed(action, {name: wanted.get("values", {}).get(name)} if name else {})

    def document(self) -> dict[str, Any]:
        """What a job keeps."""
        values = {"values": {self.field: audited(self.value)}} if self.field else {}
        return {"action": self.action.value, **values, **({"source": str(self.source)} if self.source else {})}
