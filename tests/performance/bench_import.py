"""How fast 100,000 leads come in, and again. Run: python -m pytest tests/performance/bench_import.py -s"""

from __future__ import annotations

import gc
import io
import time

from leads_core.context import acting_as
from leads_core.jobs import queue
from leads_core.jobs.models import JobKind
from leads_core.jobs.worker import in_the_name_of
from leads_core.transfer import uploads
from leads_core.transfer.import_options import ImportOptions
from leads_core.transfer.importing import ImportHandler

ROWS = 100_000
LINE = "Acme {n} GmbH,Person {n},person{n}@acme{n}.com,+49 30 {n:07},Berlin,DE,{n}"


async def test_bench_import_of_100_000_rows(database, acting):
    content = "\n".join(
        ["company,contact,email,phone,city,country,employees", *(LINE.format(n=n) for n in range(ROWS))]
    )

    first = await _seconds_to_import(database, content.encode())
    again = await _seconds_to_import(database, content.encode())

    print(
        f"\n{ROWS:,} rows: {first:.1f} s, {ROWS / first:,.0f} rows/s; again: {again:.1f} s, {ROWS / again:,.0f} rows/s"
    )


async def _seconds_to_import(database, content: bytes) -> float:
    file = io.BytesIO(content)

    async def read(size: int) -> bytes:
        return file.read(size)

    async with database.transaction() as session:
        job_id = await queue.start(session, JobKind.IMPORT, priority=0, wanted=ImportOptions().document())
        await uploads.keep(session, job_id, read)
    began = time.perf_counter()
    async with database.transaction() as session:
        job = await queue.take(session, job_id)
    assert job is not None
    gc.freeze()  # as a worker does
    with acting_as(in_the_name_of(job)):
        await ImportHandler(database).run(job)
    return time.perf_counter() - began
