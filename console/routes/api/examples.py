"""The problems that any address may answer, with an example each, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from console import problems
from console.problems import Kind


class FieldProblem(BaseModel):
    """One broken rule: where, and what to do."""

    field: str
    message: str


class Problem(BaseModel):
    """An RFC 9457 document. Some kinds carry more: `existing_id` and `links` (409), `current` (412)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


EXAMPLES: dict[Kind, str] = {
    problems.MALFORMED: "body: Send valid JSON in UTF-8.",
    problems.UNAUTHENTICATED: "Sign in, or send a token: Authorization: Bearer le_...",
    problems.FORBIDDEN: "This needs the right to change leads.",
    problems.NOT_FOUND: "There is no lead 0193f5a0-0000-7000-8000-0000000000aa.",
    problems.DUPLICATE: "A lead with this email exists already.",
    problems.GONE: "The answer kept for this Idempotency-Key was erased.",
    problems.STALE_VERSION: "The lead was changed meanwhile.",
    problems.TOO_LARGE: "More than 1,048,576 bytes were sent.",
    problems.UNSUPPORTED_TYPE: "Send the body as application/json.",
    problems.INVALID: "email: An address has one @ sign.",
    problems.RATE_LIMITED: "Too many changes in a short time. Try again in 1 s.",
    problems.UNAVAILABLE: "The database does not answer. Nothing was changed; try again.",
}


def _answer(kind: Kind, detail: str) -> dict[str, Any]:
    example = {"type": f"/problems/{kind.slug}", "title": kind.title, "status": kind.status, "detail": detail}
    return {
        "description": kind.title,
        "content": {problems.MEDIA_TYPE: {"schema": Problem.model_json_schema(), "example": example}},
    }


ANSWERS: dict[int | str, dict[str, Any]] = {kind.status: _answer(kind, detail) for kind, detail in EXAMPLES.items()}
