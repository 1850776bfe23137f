"""Forms as browsers send them, read into what the schemas take; and values written back as a form shows them.

Present but empty is null, absent stays, a checkbox has a hidden `false` before it, tags are one field split at commas,
and the hidden field `version` is the form's If-Match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.requests import Request

from leads_core.errors import Invalid, Malformed
from leads_core.leads.schemas import LeadFields, LeadRead

MOST_FIELDS = 200
#: What a form of a lead may say; anything else in it is read by name or passed over.
LEAD_FIELDS = tuple(LeadFields.model_fields)
CHECKBOXES = frozenset({"is_manual"})
FOREIGN_VERSION = -1


@dataclass(frozen=True, slots=True)
class Form:
    """Every field of a form, in the order in which it came."""

    pairs: Sequence[tuple[str, str]]

    def text(self, name: str, otherwise: str = "") -> str:
        """The field's last value: a ticked box comes after its hidden `false`."""
        return next((value for given, value in reversed(self.pairs) if given == name), otherwise)

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.pairs if given == name]

    def ticked(self, name: str, *, otherwise: bool = False) -> bool:
        return self.text(name, "true" if otherwise else "false") == "true"

    def has(self, name: str) -> bool:
        return any(given == name for given, _ in self.pairs)

    @property
    def version(self) -> int | None:
        """The version this form was made from; None when it does not say. Anything odd matches no lead."""
        text = self.text("version")
        if not text:
            return None
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else FOREIGN_VERSION

    @property
    def lead_texts(self) -> dict[str, str]:
        """The lead's fields as they were typed."""
        return {name: self.text(name) for name in LEAD_FIELDS if self.has(name)}

    @property
    def lead_values(self) -> dict[str, Any]:
        """The lead's fields as the schemas take them."""
        return {name: _given(name, text) for name, text in self.lead_texts.items()}


@dataclass(slots=True)
class FormState:
    """A form to be shown: what stands in its fields, and what is wrong with them."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None


async def read_form(request: Request, *, most: int = MOST_FIELDS) -> Form:
    """The body as a form. Raises Malformed when it is not UTF-8 or has more than `most` fields."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        parts = (await request.form(max_fields=most, max_files=0)).multi_items()
        return Form([(name, value) for name, value in parts if isinstance(value, str)])
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise Malformed.of("body", f"Send a form in UTF-8 with at most {most:,} fields.") from None
    return Form(pairs)


async def _usual_form(request: Request) -> Form:
    return await read_form(request)


SentForm = Annotated[Form, Depends(_usual_form)]


def errors_by_field(error: Invalid) -> dict[str, str]:
    """The first message for each field."""
    found: dict[str, str] = {}
    for broken in error.errors:
        found.setdefault(broken.field, broken.message)
    return found


def lead_as_texts(lead: LeadRead) -> dict[str, str]:
    """The lead's fields as a form shows them."""
    return {name: as_text(getattr(lead, name)) for name in LEAD_FIELDS}


def as_text(value: Any) -> str:
    """One value as a form's field holds it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ", ".join(str(item) for item in value)
        case Enum():
            return str(value.value)
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _given(name: str, text: str) -> Any:
    if name == "tags":
        return [tag.strip() for tag in text.split(",") if tag.strip()]
    if name in CHECKBOXES:
        return text == "true"
    return text if text.strip() else None
