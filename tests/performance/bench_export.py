"""How fast 100,000 leads go out, in which memory, and how a workbook of them is read again.

Run: python -m pytest tests/performance/bench_export.py -s
"""

from __future__ import annotations

import io
import resource
import time

from leads_core.context import acting_as
from leads_core.leads import seeding
from leads_core.leads.filters import LeadFilter
from leads_core.leads.ordering import Sort
from leads_core.paging import Cursors
from leads_core.transfer import checking, exporting
from leads_core.transfer.exporting import Counted, Format
from tests.builders import an_actor

LEADS = 100_000


async def test_bench_export_of_100_000_leads(database, settings):
    with acting_as(an_actor()):
        await seeding.seed(database.url, settings.mac_keys[0], an_actor(), LEADS, progress=lambda _done: None)
    kept = io.BytesIO()
    for as_format in (Format.JSONL, Format.CSV, Format.XLSX):
        before, began, size = _peak(), time.perf_counter(), 0
        pieces = exporting.export(
            database, LeadFilter(), Sort.parse(None), Cursors("secret"), as_format, counted := Counted()
        )
        async for piece in pieces:
            size += len(piece)
            if as_format is Format.XLSX:
                kept.write(piece)
        took = time.perf_counter() - began
        print(
            f"\n{as_format}: {counted.leads:,} leads, {size / 1e6:.0f} MB, {took:.1f} s, peak {before} -> {_peak()} MiB"
        )

    began = time.perf_counter()
    with await checking.opened(kept) as file:
        opened = time.perf_counter() - began
        table = await checking.recognise(file)
        recognised = time.perf_counter() - began
    print(f"\nread again: {table.total:,} rows, opened in {opened:.1f} s, recognised in {recognised:.1f} s")


def _peak() -> int:
    """Of this process so far, in MiB; what is kept of the workbook for reading counts too."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
