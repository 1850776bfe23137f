"""Put a coordinator that you have already behind Lead Explorer's remote provider. Copy it and change what is yours.

SECRET=... LEADS_URL=http://127.0.0.1:8000 COORDINATOR=our_package.coordinator uvicorn remote_coordinator:app
"""

import asyncio
import hashlib
import hmac
import json
import os
import time
from importlib import import_module

import httpx2
from fastapi import FastAPI, HTTPException, Request, Response

SECRET, LEADS_URL = os.environ["SECRET"].encode(), os.environ.get("LEADS_URL", "http://127.0.0.1:8000")
AT_ONCE_SECONDS = float(os.environ.get("AT_ONCE_SECONDS", "10"))
coordinator = import_module(os.environ["COORDINATOR"])
app, running = FastAPI(), set()


def signature(at: str, body: bytes) -> str:
    return "v1=" + hmac.new(SECRET, at.encode() + b"." + body, hashlib.sha256).hexdigest()


async def enriched(lead: dict) -> bytes:
    business = {"name": lead["company_name"], "domain": lead["domain"], "email": lead["email"]}
    found = (await asyncio.to_thread(coordinator.enrich_businesses_batch, [business], sources=None))[0]
    # Each finding: {"field": "industry", "value": "Toolmaking", "confidence": "high", "url": "https://..."}
    return json.dumps({"status": found["status"], "facts": found["facts"]}).encode()


async def call_back(task_id: str, work: asyncio.Task) -> None:
    body, at = await work, str(int(time.time()))
    headers = {"Content-Type": "application/json", "Lead-Explorer-Time": at}
    async with httpx2.AsyncClient() as client:
        address = f"{LEADS_URL}/api/v1/jobs/{task_id}/result"
        await client.post(address, content=body, headers={**headers, "Lead-Explorer-Signature": signature(at, body)})


@app.post("/enrich")
async def enrich(request: Request) -> Response:
    body, at = await request.body(), request.headers.get("lead-explorer-time", "")
    fits = hmac.compare_digest(signature(at, body), request.headers.get("lead-explorer-signature", ""))
    if not fits or abs(time.time() - int(at)) > 300:
        raise HTTPException(401, "This was not signed with our secret.")
    wanted = json.loads(body)
    work = asyncio.create_task(enriched(wanted["lead"]))
    await asyncio.wait({work}, timeout=AT_ONCE_SECONDS)
    if work.done():
        return Response(work.result(), media_type="application/json")
    running.add(later := asyncio.create_task(call_back(wanted["task_id"], work)))
    later.add_done_callback(running.discard)
    return Response(status_code=202)
