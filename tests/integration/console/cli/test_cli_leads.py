"""`leads seed`, `leads import`, `leads export`, as an operator types them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from leads_core.database import Database

pytestmark = pytest.mark.usefixtures("database")


async def leads_command(*words: str, url: str, folder: Path) -> tuple[int, str, str]:
    """Exit status, stdout, stderr."""
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.cli", *words), stdout=-1, stderr=-1, env=environment
    )
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def test_seed_makes_leads_and_says_how_many(owner_url: str, owner: asyncpg.Connection, tmp_path: Path) -> None:
    status, out, _ = await leads_command("seed", "--count", "120", "--json", url=owner_url, folder=tmp_path)

    assert status == 0
    assert json.loads(out) == {"created": 120, "updated": 0, "unchanged": 0, "rejected": 0, "differed": 0, "rows": []}
    assert await owner.fetchval("SELECT count(*) FROM leads") == 120


async def test_what_is_exported_can_be_imported_and_changes_nothing(owner_url: str, tmp_path: Path) -> None:
    await leads_command("seed", "--count", "30", url=owner_url, folder=tmp_path)

    status, out, _ = await leads_command("export", "--sort", "email", url=owner_url, folder=tmp_path)
    rows = list(csv.DictReader(io.StringIO(out.removeprefix("\ufeff"))))
    file = tmp_path / "leads.csv"
    file.write_text(out, encoding="utf-8")
    again, result, _ = await leads_command("import", str(file), "--json", url=owner_url, folder=tmp_path)

    assert (status, len(rows)) == (0, 30)
    assert again == 0
    assert json.loads(result)["unchanged"] == 30


async def test_import_brings_in_a_file_and_names_refused_rows(
    owner_url: str, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "new.csv"
    file.write_text("company_name,email\nAcme,ana@acme.com\nBroken,not an email\n", encoding="utf-8")

    planned, plan, _ = await leads_command("import", str(file), "--dry-run", "--json", url=owner_url, folder=tmp_path)
    assert await owner.fetchval("SELECT count(*) FROM leads") == 0
    status, out, _ = await leads_command("import", str(file), "--json", url=owner_url, folder=tmp_path)

    assert (planned, status) == (1, 1)
    assert [json.loads(text)["created"] for text in (plan, out)] == [1, 1]
    assert json.loads(out)["rows"][0]["field"] == "email"
    assert await owner.fetchval("SELECT channel FROM audit_log WHERE action = 'CREATE'") == "import"


async def test_export_takes_the_apis_filters(owner_url: str, database: Database, tmp_path: Path) -> None:
    await leads_command("seed", "--count", "50", url=owner_url, folder=tmp_path)

    _, out, _ = await leads_command(
        "export", "--format", "jsonl", "--where", "stage=new", "--where", "stage=lost", url=owner_url, folder=tmp_path
    )
    wrong, _, error = await leads_command("export", "--where", "stag=new", url=owner_url, folder=tmp_path)

    async with database.reader() as reader:
        expected = await reader.fetchval("SELECT count(*) FROM leads WHERE stage IN ('new', 'lost')")
    assert len(out.splitlines()) == expected > 0
    assert wrong == 2
    assert "query.stag" in error
