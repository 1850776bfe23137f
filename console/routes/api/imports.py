"""POST /api/v1/leads/import: a file becomes a job, or, with dry_run, the plan of one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.dependencies import CurrentVisitor, GuardedRoute, Leads, Pool, requires
from console.routes.api.answers import encoded, json_answer
from console.routes.api.examples import ANSWERS
from console.routes.api.jobs import job_document
from console.uploading import MULTIPART, SentFile, Upload
from leads_core import idempotency
from leads_core.accounts.permissions import Permission
from leads_core.accounts.visitor import Visitor
from leads_core.database import Database
from leads_core.idempotency import Answer, KeyedRequest, fingerprint
from leads_core.jobs import queue
from leads_core.transfer import checking, importing, uploads
from leads_core.transfer.delimited import ENCODINGS

router = APIRouter(prefix="/api/v1/leads", route_class=GuardedRoute, tags=["import and export"])

YES_OR_NO: dict[str, Any] = {"type": "boolean", "default": False}
DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV, TSV or XLSX, up to 64 MiB.",
                        },
                        "existing": {"enum": ["fill", "overwrite", "leave"], "default": "fill"},
                        "is_manual": YES_OR_NO,
                        "enrich": YES_OR_NO,
                        "columns": {"type": "string", "description": 'JSON: {"name in the file": "field of a lead"}'},
                        "dry_run": YES_OR_NO,
                        "sheet": {"type": "string", "description": "Of a workbook; the first by default."},
                        "encoding": {"enum": list(ENCODINGS), "description": "Recognised by default."},
                        "delimiter": {"enum": [",", ";", "tab", "|"], "description": "Recognised by default."},
                        "has_names": {"type": "boolean", "description": "Whether the first row holds names."},
                        "tags": {"type": "string", "description": "Added to each lead, commas between them."},
                        "stage": {"type": "string", "description": "Of each row that says none."},
                        "owner_id": {"type": "string", "format": "uuid", "description": "Of each row that says none."},
                        "source_detail": {"type": "string", "description": "Of each new lead."},
                    },
                }
            }
        },
    }
}


@router.post("/import", status_code=202, responses=ANSWERS, openapi_extra=DOCUMENTED)
@requires(Permission.CHANGE_LEADS, body=MULTIPART)
async def import_leads(request: Request, upload: SentFile, pool: Pool, leads: Leads, who: CurrentVisitor) -> Response:
    """Start an import (202 with the job), or with dry_run count what it would do (200) and change nothing."""
    options = upload.options()
    with closing(await checking.opened(upload.file)) as file:
        table = await checking.recognise(file, options.read_as)
        columns = checking.columns_for(table, options.columns)
        if upload.says_yes("dry_run"):
            plan = await checking.plan(leads, file, table, options)
            return json_answer({**asdict(plan), "total": table.total, "columns": columns})

        async def produce() -> Answer:
            job_id = await importing.start(pool, uploads.reading(file), options, table.total)
            async with pool.transaction() as session:
                job = await queue.find(session, job_id)
            assert job is not None  # noqa: S101 - started in this transaction
            headers = {"Location": f"/api/v1/jobs/{job_id}", "Content-Type": "application/json"}
            return Answer(202, headers, encoded(job_document(job)))

        return await _once(request, upload, pool, who, produce)


async def _once(request: Request, upload: Upload, pool: Database, who: Visitor, produce: Any) -> Response:
    """Idempotency-Key for a body that is not kept in memory: the file counts by its hash."""
    keyed = None
    key = request.headers.get("idempotency-key")
    if key is not None and who.actor_id is not None:
        fields = [part.encode(errors="replace") for pair in sorted(upload.fields.items()) for part in pair]
        print_of = fingerprint(await upload.digest(), upload.name.encode(errors="replace"), *fields)
        keyed = KeyedRequest(who.actor_id, request.method, request.url.path, key, print_of)
    kept = await idempotency.answer_once(pool, keyed, produce)
    return Response(kept.body, kept.status, dict(kept.headers))
