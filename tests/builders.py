"""Facts for tests: each builder gives something valid; name only what the test is about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from leads_core.context import RequestContext
from leads_core.leads.schemas import LeadCreate

ANA_ID = UUID("0193f5a0-0000-7000-8000-0000000000bb")


def an_actor(**given: Any) -> RequestContext:
    """Ana, signed in, at her browser."""
    facts: dict[str, Any] = {
        "actor_kind": "user",
        "actor_id": ANA_ID,
        "actor_name": "Ana Díaz",
        "channel": "web",
        "ip_address": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "request_id": "req-1",
    }
    return RequestContext(**{**facts, **given})


def a_lead(**given: Any) -> LeadCreate:
    """A lead of one person at one company."""
    facts: dict[str, Any] = {"email": "ana@acme.com", "company_name": "Acme"}
    return LeadCreate.model_validate({**facts, **given})
