"""Domain errors as answers: one table of statuses, RFC 9457 documents for scripts, pages for people."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leads_core import errors
from leads_core.leads.schemas import field_error

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
PageOf: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: /problems/<slug>."""

    slug: str
    status: int
    title: str


MALFORMED = Kind("malformed-body", 400, "The body could not be read")
UNAUTHENTICATED = Kind("unauthenticated", 401, "Sign in first")
FORBIDDEN = Kind("forbidden", 403, "Not allowed")
NOT_FOUND = Kind("not-found", 404, "Not found")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "Not with this method")
DUPLICATE = Kind("duplicate", 409, "Already a lead")
STALE_VERSION = Kind("stale-version", 412, "Changed by somebody else")
TOO_LARGE = Kind("too-large", 413, "Too large")
UNSUPPORTED_TYPE = Kind("unsupported-type", 415, "This type is not read here")
INVALID = Kind("invalid", 422, "Not valid")
SORT_TOO_BROAD = Kind("sort-too-broad", 422, "Too many to sort")
KEY_REUSED = Kind("key-reused", 422, "Idempotency-Key used for something else")
JOB_RUNNING = Kind("job-running", 409, "A worker has this job")
JOB_ENDED = Kind("job-ended", 409, "This job has ended")
STILL_RUNNING = Kind("still-running", 409, "Something still runs")
MERGED = Kind("merged", 409, "Merged into another lead")
ERASED = Kind("erased", 409, "This person was erased")
GONE = Kind("erased", 410, "This answer was erased")
RATE_LIMITED = Kind("rate-limited", 429, "Too many changes")
UNAVAILABLE = Kind("unavailable", 503, "Not available right now")
BROKEN = Kind("internal", 500, "Something broke on our side")


class MethodNotAllowed(errors.LeadExplorerError):
    """The address exists, but not for this method."""

    def __init__(self, method: str) -> None:
        super().__init__(f"This address does not take {method}.")


class Fault(errors.LeadExplorerError):
    """Something of ours broke; its cause is the exception. Answered as 500, with the headers of every answer."""


#: First match wins: subclasses stand before their parents.
TABLE: tuple[tuple[type[errors.LeadExplorerError], Kind], ...] = (
    (errors.Malformed, MALFORMED),
    (errors.Invalid, INVALID),
    (errors.NotFound, NOT_FOUND),
    (errors.IdentityTaken, DUPLICATE),
    (errors.StaleVersion, STALE_VERSION),
    (errors.AlreadyMerged, MERGED),
    (errors.Erased, ERASED),
    (errors.JobEnded, JOB_ENDED),
    (errors.JobRunning, JOB_RUNNING),
    (errors.KeyReused, KEY_REUSED),
    (errors.StillRunning, STILL_RUNNING),
    (errors.Gone, GONE),
    (errors.SortTooBroad, SORT_TOO_BROAD),
    (errors.TooLarge, TOO_LARGE),
    (errors.UnsupportedType, UNSUPPORTED_TYPE),
    (errors.Unauthenticated, UNAUTHENTICATED),
    (errors.Forbidden, FORBIDDEN),
    (errors.RateLimited, RATE_LIMITED),
    (errors.Unavailable, UNAVAILABLE),
    (errors.Conflict, STILL_RUNNING),
    (MethodNotAllowed, METHOD_NOT_ALLOWED),
)


def kind_of(error: Exception) -> Kind:
    """The kind of problem that an error is."""
    return next((kind for cause, kind in TABLE if isinstance(error, cause)), BROKEN)


def document(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    """The RFC 9457 document of an error, and the headers that go with it."""
    kind = kind_of(error)
    detail = str(error) if kind is not BROKEN else "It is in the log under this request's number. Nothing was changed."
    body: dict[str, Any] = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        **_facts(error),
    }
    return body, _headers(error)


def response(error: Exception) -> JSONResponse:
    """The error as a script reads it."""
    body, headers = document(error)
    return JSONResponse(body, body["status"], headers, MEDIA_TYPE)


def _facts(error: Exception) -> dict[str, Any]:
    match error:
        case errors.Invalid():
            return {"errors": [{"field": broken.field, "message": broken.message} for broken in error.errors]}
        case errors.IdentityTaken():
            message = "A lead in the bin has it." if error.in_bin else "Another lead has it."
            existing = str(error.existing_id)
            return {
                "existing_id": existing,
                "in_bin": error.in_bin,
                "links": {"open": f"/leads/{existing}"},
                "errors": [{"field": error.field, "message": message}],
            }
        case errors.AlreadyMerged():
            return {"merged_into": str(error.into), "links": {"open": f"/leads/{error.into}"}}
        case errors.StaleVersion():
            return {"current": error.current.model_dump(mode="json")}
        case errors.SortTooBroad():
            return {"total": {"value": error.total, "relation": "at_least"}}
        case _:
            return {}


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case errors.RateLimited():
            return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
        case errors.Unavailable():
            return {"Retry-After": "2"}
        case errors.Unauthenticated():
            return {"WWW-Authenticate": 'Bearer realm="leads"'}
        case errors.StaleVersion():
            return {"ETag": f'"{error.current.version}"'}
        case _:
            return {}


def of_validation(error: RequestValidationError, request: Request) -> errors.LeadExplorerError:
    """FastAPI's findings in our words. Never echoes what was sent: it may hold what JSON cannot."""
    found = error.errors()
    if any(item["loc"][0] == "path" for item in found):
        return errors.NotFound("page", request.url.path)
    if any(item["type"] in {"json_invalid", "bytes_invalid"} for item in found):
        return errors.Malformed.of("body", "Send valid JSON in UTF-8.")
    return errors.Invalid([field_error(item) for item in found])


async def answer(request: Request, error: Exception, page_of: PageOf) -> Response:
    """A document for scripts, a page for people."""
    if request.url.path.startswith(("/api/", "/events")):
        return response(error)
    return await page_of(request, error)


def install(app: FastAPI, page_of: PageOf) -> None:
    """Answer every error that a route raises."""

    async def on_domain_error(request: Request, error: Exception) -> Response:
        if kind_of(error) is BROKEN:
            context = request.state.context
            log.error("request_broke", request_id=context.request_id, exc_info=error.__cause__ or error)
        return await answer(request, error, page_of)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        return await answer(request, of_validation(cast(RequestValidationError, error), request), page_of)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        return await answer(request, of_http(cast(HTTPException, error), request), page_of)

    app.add_exception_handler(errors.LeadExplorerError, on_domain_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)


def of_http(error: HTTPException, request: Request) -> Exception:
    """The framework's own refusal as one of our errors."""
    if isinstance(error.__cause__, errors.LeadExplorerError):
        return error.__cause__  # the framework calls whatever goes wrong while it reads a body a 400
    match error.status_code:
        case 404:
            return errors.NotFound("page", request.url.path)
        case 413:
            return errors.TooLarge(1024 * 1024)
        case 400:
            return errors.Malformed.of("body", "Send valid JSON, or a valid form, in UTF-8.")
        case 405:
            return MethodNotAllowed(request.method)
        case _:
            return errors.Invalid.of("request", str(error.detail))
