"""A lead as it comes in (create, update) and goes out (read): form, JSON, file and code alike."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leads_core.leads import normalising
from leads_core.leads.normalising import Line, Paragraphs


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
