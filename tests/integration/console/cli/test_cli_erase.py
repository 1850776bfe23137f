"""`leads audit erase`, as an operator types it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

import asyncpg
import pytest

from leads_core.accounts.permissions import Role
from leads_core.accounts.service import Accounts
from leads_core.context import SYSTEM_ACTOR_ID
from leads_core.database import Database
from leads_core.leads.schemas import LeadRead, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.integration.console.cli.test_cli_leads import leads_command

pytestmark = pytest.mark.usefixtures("acting")


@pytest.fixture
async def zoe(leads: LeadService, acting: object) -> LeadRead:
    return await leads.create(a_lead(email="zoe@acme.com", contact_name="Zoë", notes="lentils"), source=Source.FORM)


async def test_a_person_is_erased_in_the_name_of_the_system(
    leads: LeadService, zoe: LeadRead, owner_url: str, tmp_path: Path
) -> None:
    status, out, _ = await leads_command(
        "audit", "erase", str(zoe.id), "--part", "person", "--part", "text", "--yes", "--json",
        url=owner_url, folder=tmp_path,
    )  # fmt: skip

    erased = await leads.get(zoe.id)
    assert (status, json.loads(out)["id"]) == (0, str(zoe.id))
    assert (erased.email, erased.contact_name, erased.notes, erased.domain) == (None, None, None, "acme.com")
    assert erased.erased_by == SYSTEM_ACTOR_ID


async def test_a_user_is_erased_by_email(
    database: Database, owner: asyncpg.Connection, owner_url: str, tmp_path: Path
) -> None:
    sancho = await Accounts(database).add("Sancho", Role.EDITOR, email="sancho@example.com")

    status, out, _ = await leads_command(
        "audit", "erase", "--user", "sancho@example.com", "--yes", url=owner_url, folder=tmp_path
    )

    assert (status, out) == (0, f"User {sancho.id} is erased.\n")
    assert await owner.fetchval("SELECT name FROM users WHERE id = $1", sancho.id) == "Erased user"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["{lead}"], "Add --yes"),
        ([], "either a lead"),
        (["{lead}", "--user", "x@y.z", "--yes"], "either a lead"),
        (["{lead}", "--part", "everything", "--yes"], "no part of a lead"),
        (["--user", "nobody@example.com", "--yes"], "no user"),
    ],
)
async def test_what_is_unclear_erases_nothing(
    leads: LeadService, zoe: LeadRead, owner_url: str, tmp_path: Path, words: list[str], says: str
) -> None:
    typed = [word.format(lead=zoe.id) for word in words]

    status, out, error = await leads_command("audit", "erase", *typed, url=owner_url, folder=tmp_path)

    assert (status, out) == (2, "")
    assert says in error
    assert await leads.get(zoe.id) == zoe


@pytest.mark.parametrize(("typed", "status"), [("erase\n", 0), ("yes\n", 2)])
async def test_at_a_terminal_it_shows_what_will_go_and_asks(
    leads: LeadService, zoe: LeadRead, owner_url: str, tmp_path: Path, typed: str, status: int
) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console.cli", "audit", "erase", str(zoe.id),
        stdin=theirs, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "DATABASE_URL": owner_url, "DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    _, error = await process.communicate()
    os.close(ours)
    os.close(theirs)

    assert process.returncode == status
    assert "Email: zoe@acme.com" in error.decode()
    assert "Notes: lentils" in error.decode().partition("What will stay")[2]
    assert ((await leads.get(zoe.id)).erased_at is not None) == (status == 0)
