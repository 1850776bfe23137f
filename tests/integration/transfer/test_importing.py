from __future__ import annotations

from tests.integration.transfer.conftest import COMPANIES, counts


async def test_the_companies_come_in_and_the_same_file_again_writes_nothing(run_import, rows):
    content = COMPANIES.read_bytes()

    first = await run_import(content, file_name="companies.csv")
    entries = await rows("SELECT count(*) n FROM audit_log")
    again = await run_import(content, file_name="companies.csv")

    assert (first.state, first.error, counts(first)) == ("completed", None, (2458, 0, 0, 1))
    assert (again.state, counts(again)) == ("completed", (0, 0, 2458, 1))
    assert await rows("SELECT count(*) n FROM audit_log") == entries == [{"n": 2458}]
