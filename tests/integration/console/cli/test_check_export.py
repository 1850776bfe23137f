"""`leads audit check-export`, as somebody types it who holds a file."""

from __future__ import annotations

import json
import os
import sys
from asyncio import create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from leads_core.audit import export_lookup
from leads_core.database import Database
from leads_core.leads.schemas import Source
from leads_core.leads.service import LeadService
from leads_core.settings import Settings
from tests.builders import a_lead

pytestmark = pytest.mark.usefixtures("acting")

COLUMNS = "company_name,domain,email,contact_name,stage,created_at,updated_at,id"
EXPORT = ("export", "--where", "stage=new", "--columns", COLUMNS)


@pytest.fixture
def folder(settings: Settings) -> Path:
    """Where the app's keys are."""
    return settings.data_dir


async def leads_command(*words: str, url: str, folder: Path) -> tuple[int, bytes, str]:
    """Exit status, stdout, stderr."""
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(folder)}
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "console.cli", *words), stdout=-1, stderr=-1, env=environment
    )
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out, error.decode()


@pytest.fixture
async def exported(leads: LeadService, owner_url: str, folder: Path, tmp_path: Path) -> Path:
    """A file with one lead."""
    await leads.create(a_lead(), source=Source.FORM)
    _, out, _ = await leads_command(*EXPORT, url=owner_url, folder=folder)
    file = tmp_path / "leads.csv"
    file.write_bytes(out)
    return file


async def test_a_file_says_who_exported_it(exported: Path, owner_url: str, folder: Path) -> None:
    status, out, _ = await leads_command("audit", "check-export", str(exported), url=owner_url, folder=folder)

    assert status == 0
    assert "Leads exported by" in out.decode()
    assert "(system, cli, local)" in out.decode()
    assert f"1 row as csv, stage=new, columns {COLUMNS}. Entry" in out.decode()


@pytest.mark.parametrize("place", [0, 100, -1])
async def test_one_changed_byte_is_noticed(exported: Path, owner_url: str, folder: Path, place: int) -> None:
    _change_a_byte(exported, place)

    status, out, _ = await leads_command("audit", "check-export", str(exported), url=owner_url, folder=folder)

    assert status == 1
    assert "No export had these bytes" in out.decode()
    assert "The file was changed since it was exported, or it was not exported here." in out.decode()


async def test_the_same_bytes_exported_twice_are_two_exports(exported: Path, owner_url: str, folder: Path) -> None:
    await leads_command("export", "--columns", COLUMNS, url=owner_url, folder=folder)
    status, out, _ = await leads_command("audit", "check-export", str(exported), "--json", url=owner_url, folder=folder)
    answer = json.loads(out)

    assert (status, answer["ok"], len(answer["sha256"])) == (0, True, 64)
    assert [(found["filter"], found["rows"], found["complete"]) for found in answer["exports"]] == [
        ("stage=new", 1, True),
        ("", 1, True),
    ]
    assert answer["exports"][0]["ended_at"].endswith("Z")


async def test_a_reader_that_leaves_early_is_in_the_trail(
    leads: LeadService, owner: asyncpg.Connection, owner_url: str, folder: Path
) -> None:
    await leads_command("seed", "--count", "2500", url=owner_url, folder=folder)
    environment = {**os.environ, "DATABASE_URL": owner_url, "DATA_DIR": str(folder)}
    words = (sys.executable, "-m", "console.cli", "export")
    process = await create_subprocess_exec(*words, stdout=-1, env=environment)
    assert process.stdout is not None
    await process.stdout.read(100)
    process.stdout._transport.close()  # type: ignore[attr-defined]
    await process.wait()

    ended = await owner.fetchval(
        "SELECT parts #>> '{data,1,complete,1}' FROM audit_log WHERE action = 'EXPORT' ORDER BY id DESC LIMIT 1"
    )
    assert ended == "false"


async def test_a_claim_that_is_not_as_we_write_entries_convinces_nobody(
    exported: Path, owner: asyncpg.Connection, owner_url: str, folder: Path
) -> None:
    await owner.execute("""
        SET session_replication_role = replica;
        UPDATE audit_log SET parts = jsonb_set(parts, '{data,1,rows,1}', '7')
        WHERE action = 'EXPORT' AND parts #> '{data,1,rows}' IS NOT NULL;
        SET session_replication_role = DEFAULT
    """)

    status, out, _ = await leads_command("audit", "check-export", str(exported), url=owner_url, folder=folder)

    assert status == 1
    assert "claims this file, but it is not as Lead Explorer writes entries" in out.decode()


async def test_a_file_that_is_not_there_is_status_2(owner_url: str, folder: Path) -> None:
    status, _, error = await leads_command("audit", "check-export", "nowhere.csv", url=owner_url, folder=folder)

    assert status == 2
    assert "nowhere.csv: No such file or directory." in error


async def test_the_exports_of_a_file_are_found_by_an_index(database: Database, owner: asyncpg.Connection) -> None:
    async with rolled_back(owner):
        # Among a handful of entries the index of their actions is as cheap; among millions it is not.
        await owner.execute("DROP INDEX ix_audit_log_action; SET LOCAL enable_seqscan = off")
        plan = await owner.fetch(f"EXPLAIN {export_lookup.ENTRIES_OF_FILE}".replace("$1", "'00'"))

    plan_text = "\n".join(row[0] for row in plan)
    assert "ix_audit_log_export_sha256" in plan_text
    assert "Seq Scan" not in plan_text


@asynccontextmanager
async def rolled_back(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """What is done inside has not happened afterwards."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


def _change_a_byte(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
