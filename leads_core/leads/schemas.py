"""A lead as it comes in (create, update) and goes out (read): form, JSON, file and code alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from leads_core.errors import FieldError, Invalid
from leads_core.leads.normalising import (
    Country,
    Domain,
    Email,
    Language,
    Line,
    LinkedInAddress,
    Paragraphs,
    Phone,
    Tags,
    WebAddress,
)

Schema = TypeVar("Schema", bound=BaseModel)


class Stage(StrEnum):
    """How far a lead has come."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    WON = "won"
    LOST = "lost"


class Source(StrEnum):
    """The door a lead came by."""

    QUICK_ADD = "quick_add"
    FORM = "form"
    API = "api"
    IMPORT = "import"


class EnrichmentStatus(StrEnum):
    """Where the search for what is missing stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class EnrichmentOutcome(StrEnum):
    """What a completed enrichment gave; partial: some providers failed."""

    FOUND = "found"
    PARTIAL = "partial"
    NOTHING = "nothing"


#: A PostgreSQL integer.
Count = Annotated[int, Field(ge=0, le=2_147_483_647)]

NO_IDENTITY = PydanticCustomError("no_identity", "A lead needs an email or a domain. Fill in one of them.")


class LeadFields(BaseModel):
    """What people, files and scripts may say of a lead. Unknown and read-only fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    email: Email = None
    domain: Domain = None
    company_name: Annotated[str | None, Line(200)] = None
    contact_name: Annotated[str | None, Line(200)] = None
    job_title: Annotated[str | None, Line(200)] = None
    phone: Phone = None
    website: WebAddress = None
    linkedin_url: LinkedInAddress = None
    industry: Annotated[str | None, Line(200)] = None
    employee_count: Count | None = None
    city: Annotated[str | None, Line(200)] = None
    country: Country = None
    language: Language = None
    description: Annotated[str | None, Paragraphs(5000)] = None
    notes: Annotated[str | None, Paragraphs(20_000)] = None
    tags: Tags = Field(default_factory=list)
    stage: Stage = Stage.NEW
    owner_id: UUID | None = None
    follow_up_on: date | None = None
    is_manual: bool = False

    @model_validator(mode="before")
    @classmethod
    def _no_tags_is_an_empty_list(cls, given: Any) -> Any:
        return {**given, "tags": []} if isinstance(given, dict) and given.get("tags", ...) is None else given


class LeadCreate(LeadFields):
    """A lead to be added: an email or a domain is enough."""

    source_detail: Annotated[str | None, Line(1000)] = None

    @model_validator(mode="after")
    def _has_an_identity(self) -> Self:
        if self.email is None and self.domain is None:
            raise NO_IDENTITY
        return self

    def columns(self) -> dict[str, Any]:
        """Column -> value."""
        return {**{name: getattr(self, name) for name in LeadCreate.model_fields}, "stage": self.stage.value}


class LeadUpdate(LeadFields):
    """Changes of a lead: what is absent stays, null clears."""

    def changes(self) -> dict[str, Any]:
        """Column -> value, of the fields that were given."""
        changes = self.model_dump(exclude_unset=True)
        return {**changes, "stage": self.stage.value} if "stage" in changes else changes


class LeadRead(BaseModel):
    """A lead as everybody sees it; frozen, never a row of the database."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: UUID
    email: str | None
    domain: str | None
    registrable_domain: str | None
    company_name: str | None
    contact_name: str | None
    job_title: str | None
    phone: str | None
    website: str | None
    linkedin_url: str | None
    industry: str | None
    employee_count: int | None
    city: str | None
    country: str | None
    language: str | None
    description: str | None
    notes: str | None
    tags: list[str]
    stage: Stage
    owner_id: UUID | None
    follow_up_on: date | None
    source: Source
    source_detail: str | None
    is_manual: bool
    enrichment_status: EnrichmentStatus
    enrichment_outcome: EnrichmentOutcome | None
    enrichment_task_id: UUID | None
    enrichment_error: str | None
    enriched_at: datetime | None
    provenance: dict[str, Any]
    version: int
    created_at: datetime
    created_by: UUID | None
    updated_at: datetime
    updated_by: UUID | None
    deleted_at: datetime | None
    deleted_by: UUID | None
    erased_at: datetime | None
    erased_by: UUID | None
    merged_into: UUID | None = None

    @classmethod
    def of(cls, lead: Any) -> LeadRead:
        """The read model of a row."""
        return cls.model_validate(lead)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def name(self) -> str:
        """What people call this lead: its company, else its person, else its address."""
        return self.company_name or self.contact_name or self.email or self.domain or "Erased lead"

    @property
    def etag(self) -> str:
        """The version in quotes: a strong validator."""
        return f'"{self.version}"'


def parsed(schema: type[Schema], given: Any, prefix: str = "") -> Schema:
    """A schema's value, or Invalid that names each field (under prefix, such as `leads.3`) and the remedy."""
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid([field_error(item, prefix) for item in found]) from None


SENTENCES = {
    "extra_forbidden": "There is no such field to write. Leave it out.",
    "missing": "This is needed.",
    "int_parsing": "Give a whole number.",
    "int_type": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "bool_parsing": "Give true or false.",
    "uuid_parsing": "Give an id, such as 0193f5a0-0000-7000-8000-0000000000ab.",
}


def field_error(found: Mapping[str, Any], prefix: str = "") -> FieldError:
    """One of Pydantic's findings in our words: `email`, `leads.3.email` or `query.stage`, and what to do."""
    places = [str(part) for part in found["loc"] if part != "body"]
    if found["type"] == "no_identity":
        places.append("email")
    field = ".".join([prefix, *places] if prefix else places)
    return FieldError(field or "body", _sentence(found))


def _sentence(found: Mapping[str, Any]) -> str:
    kind = str(found["type"])
    if kind in SENTENCES:
        return SENTENCES[kind]
    if kind.startswith("date_"):
        return "Give a day, such as 2026-12-24."
    if kind.startswith(("greater_than", "less_than")):
        return f"{str(found['msg']).replace('Input should be', 'Give a number')}."
    if kind == "enum":
        return f"{str(found['msg']).replace('Input should be', 'Give').replace(chr(39), '')}."
    message = str(found["msg"]).removeprefix("Value error, ")
    return message if message.endswith((".", "!", "?")) else f"{message}."
