"""A company's own coordinator behind a URL: it is sent the lead, and answers at once or calls back.

docs/providers.md says what goes to and fro.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leads_core.enrichment.providers import AnswersLater, FoundFact, ProviderFailed, Subject
from leads_core.enrichment.providers.page_text import safe_line
from leads_core.enrichment.providers.signing import signed_headers
from leads_core.errors import OutgoingRefused
from leads_core.outgoing.own_service import post_to_own_service

SECONDS = 20.0
#: After a 202 the call-back has this long, then the coordinator is asked again.
CALL_BACK_SECONDS = 150.0
ACCEPTED = 202
LONGEST_VALUE = 4000

CONFIDENCE = {"exact": 100, "high": 95, "medium": 80, "low": 60}
"""Confidence as a word. What is `uncertain` is dropped."""

Inbox = Callable[[UUID], Awaitable["RemoteResult | None"]]
"""What was called back for a task; None when nothing was, yet."""


class RemoteFact(BaseModel):
    """One thing that the coordinator found. confidence: 0 to 100, or a word."""

    model_config = ConfigDict(extra="ignore")

    field: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")]
    value: Annotated[str, Field(max_length=LONGEST_VALUE)] | int | bool | None
    confidence: Annotated[int, Field(ge=0, le=100)] | Literal["exact", "high", "medium", "low", "uncertain"] = 80
    url: Annotated[str, Field(max_length=2048, pattern="^https?://")] | None = None


class RemoteResult(BaseModel):
    """What the coordinator sends, at once or as a call-back. message says why something is missing, for people."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["completed", "partially_completed", "failed"] = "completed"
    facts: Annotated[list[RemoteFact], Field(max_length=200)] = []
    message: Annotated[str, Field(max_length=500)] | None = None


class Remote:
    """Asks the coordinator at url. inbox looks whether it has called back."""

    name = "remote"
    fields: frozenset[str] = frozenset()
    seconds = SECONDS + 5

    def __init__(self, url: str, secret: str, inbox: Inbox, *, ca_file: Path | None = None) -> None:
        self._url = url
        self._secret = secret
        self._inbox = inbox
        self._ca_file = ca_file

    def applies_to(self, subject: Subject) -> bool:
        return True

    async def find(self, subject: Subject) -> list[FoundFact]:
        """Raises AnswersLater when the coordinator says that it will call back."""
        result = await self._inbox(subject.task_id) or await self._ask(subject)
        if result.status == "failed":
            raise ProviderFailed(result.message or "The coordinator found nothing out.")
        facts = [fact for one in result.facts if (fact := _fact(one)) is not None]
        if result.status == "partially_completed":
            raise ProviderFailed(result.message or "The coordinator could not ask all its sources.", facts=facts)
        return facts

    async def _ask(self, subject: Subject) -> RemoteResult:
        body = json.dumps({"task_id": str(subject.task_id), "lead": _lead(subject)}).encode()
        headers = signed_headers(self._secret, int(time.time()), body)
        try:
            answer = await post_to_own_service(
                self._url, body, headers, purpose=self.name, seconds=SECONDS, ca_file=self._ca_file
            )
        except OutgoingRefused as refused:
            raise ProviderFailed(str(refused), may_pass=refused.may_pass, provider_is_down=True) from refused
        if answer.status == ACCEPTED:
            raise AnswersLater("The coordinator has the question and has not called back yet.", CALL_BACK_SECONDS)
        if not 200 <= answer.status < 300:
            passing = answer.status in {408, 425, 429} or answer.status >= 500
            message = f"The coordinator answered with status {answer.status}."
            raise ProviderFailed(message, may_pass=passing, provider_is_down=passing)
        try:
            return RemoteResult.model_validate_json(answer.body)
        except ValidationError as error:
            raise ProviderFailed(f"The coordinator's answer could not be read: {_first(error)}.") from error


def _lead(subject: Subject) -> dict[str, Any]:
    names = ("domain", "registrable_domain", "email", "company_name", "website", "country")
    return {"id": str(subject.lead_id), **{name: getattr(subject, name) for name in names}}


def _fact(found: RemoteFact) -> FoundFact | None:
    confidence = found.confidence if isinstance(found.confidence, int) else CONFIDENCE.get(found.confidence)
    value = safe_line(found.value, LONGEST_VALUE) if isinstance(found.value, str) else found.value
    if confidence is None or value is None:
        return None
    return FoundFact(found.field, value, confidence, found.url)


def _first(error: ValidationError) -> str:
    broken = error.errors()[0]
    return f"{'.'.join(map(str, broken['loc'])) or 'the body'}: {broken['msg']}"
