"""The one exception to a trail that only grows: a part becomes its digest, through one function, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from leads_core.audit.record import entry as record
from leads_core.database import asyncpg_url, connect
from leads_core.leads.schemas import LeadRead, LeadUpdate, Source
from leads_core.leads.service import LeadService
from tests.builders import a_lead
from tests.conftest import in_database

ROOT = Path(__file__).parents[3]

ERASE = "SELECT audit_erase_parts($1, $2, $3)"
DIGEST = "ab" * 32
OF_LEAD = "WHERE subject_id = $1"

#: What even the table's owner is refused, on an entry whose person part is open and whose origin is erased.
REFUSED = {
    "change another column": "UPDATE audit_log SET action = 'DELETE' WHERE id = $1",
    "erase and change another column": """UPDATE audit_log SET seq = seq + 1,
        parts = jsonb_set(parts, '{person}', to_jsonb(repeat('ab', 32))) WHERE id = $1""",
    "erase and change the checksum": r"""UPDATE audit_log SET checksum = '\x00',
        parts = jsonb_set(parts, '{person}', to_jsonb(repeat('ab', 32))) WHERE id = $1""",
    "change a value": "UPDATE audit_log SET parts = jsonb_set(parts, '{person,1,email,1}', '\"x@y.z\"') WHERE id = $1",
    "write an integer as a fraction": """UPDATE audit_log
        SET parts = jsonb_set(parts, '{data,1,employee_count,1}', '50.0') WHERE id = $1""",
    "change a salt": "UPDATE audit_log SET parts = jsonb_set(parts, '{person,0}', '\"salt\"') WHERE id = $1",
    "erase one part and change another": """UPDATE audit_log SET parts = jsonb_set(
        jsonb_set(parts, '{person}', to_jsonb(repeat('ab', 32))), '{data,1,city}', '[null, "Rome"]') WHERE id = $1""",
    "bring an erased part back": """UPDATE audit_log SET parts = jsonb_set(parts, '{origin}', '["salt", {}]')
        WHERE id = $1""",
    "change a digest": """UPDATE audit_log SET parts = jsonb_set(parts, '{origin}', to_jsonb(repeat('cd', 32)))
        WHERE id = $1""",
    "remove a part": "UPDATE audit_log SET parts = parts - 'person' WHERE id = $1",
    "remove an erased part": "UPDATE audit_log SET parts = parts - 'origin' WHERE id = $1",
    "add a part": 'UPDATE audit_log SET parts = parts || \'{"text": ["salt", {}]}\' WHERE id = $1',
    "add an erased part": """UPDATE audit_log SET parts = parts || jsonb_build_object('text', repeat('ab', 32))
        WHERE id = $1""",
    "put something else than a digest": """UPDATE audit_log SET parts = jsonb_set(parts, '{person}', '"erased"')
        WHERE id = $1""",
    "put a digest in capitals": """UPDATE audit_log SET parts = jsonb_set(parts, '{person}', to_jsonb(repeat('AB', 32)))
        WHERE id = $1""",
    "put a digest and a newline": """UPDATE audit_log
        SET parts = jsonb_set(parts, '{person}', to_jsonb(repeat('ab', 32) || chr(10))) WHERE id = $1""",
    "put null": "UPDATE audit_log SET parts = jsonb_set(parts, '{person}', 'null') WHERE id = $1",
    "put no parts": "UPDATE audit_log SET parts = '{}' WHERE id = $1",
    "put a list for the parts": "UPDATE audit_log SET parts = '[]' WHERE id = $1",
    "write it once more as it is": "UPDATE audit_log SET parts = parts WHERE id = $1",
    "remove the entry": "DELETE FROM audit_log WHERE id = $1",
}


@pytest.fixture
async def app_role(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection with the app's rights."""
    connection = await connect(asyncpg_url(owner_url))
    yield connection
    await connection.close()


@pytest.fixture
async def lead(leads: LeadService, acting: object) -> LeadRead:
    return await leads.create(a_lead(employee_count=50), source=Source.FORM)


async def entry_of(owner: asyncpg.Connection, lead: LeadRead) -> dict[str, Any]:
    row = dict(await owner.fetchrow(f"SELECT * FROM audit_log {OF_LEAD} ORDER BY seq LIMIT 1", lead.id))
    return {**row, "parts": json.loads(row["parts"])}


def checksum_of(entry: dict[str, Any]) -> bytes:
    names = record.EntryRecord.__dataclass_fields__
    return record.checksum(record.EntryRecord(**{name: entry[name] for name in names}))


async def test_the_function_puts_a_digest_in_the_place_of_a_part_and_the_checksum_still_holds(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead
) -> None:
    before = await entry_of(owner, lead)
    digests = {name: record.digest(before["parts"][name]) for name in ("person", "origin")}

    changed = await app_role.fetchval(ERASE, [before["id"]] * 2, list(digests), list(digests.values()))

    after = await entry_of(owner, lead)
    assert changed == 1
    assert after == {**before, "parts": {**before["parts"], **digests}}
    assert checksum_of(after) == after["checksum"]


async def test_erasing_once_more_changes_nothing(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead
) -> None:
    entry = await entry_of(owner, lead)
    wanted = ([entry["id"]], ["person"], [record.digest(entry["parts"]["person"])])

    assert [await app_role.fetchval(ERASE, *wanted) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("part", "digest"),
    [
        ("person", "erased"),
        ("person", DIGEST.upper()),
        ("person", DIGEST[:-1]),
        ("person", f"{DIGEST}\n"),
        ("person", None),
        ("text", DIGEST),
        ("origin", "cd" * 32),
    ],
    ids=["no digest", "capitals", "too short", "newline", "null", "a part that is not there", "an erased part"],
)
async def test_the_function_gives_no_part_anything_but_its_first_digest(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead, part: str, digest: str | None
) -> None:
    before = await _with_erased_origin(app_role, owner, lead)

    with pytest.raises(asyncpg.RestrictViolationError, match="only becomes its digest"):
        await app_role.execute(ERASE, [before["id"]], [part], [digest])

    assert await entry_of(owner, lead) == before


async def test_a_call_of_which_one_part_is_refused_changes_no_entry(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, leads: LeadService, lead: LeadRead
) -> None:
    await leads.update(lead.id, LeadUpdate(city="Rome"))
    ids = [row["id"] for row in await owner.fetch(f"SELECT id FROM audit_log {OF_LEAD} ORDER BY seq", lead.id)]
    before = await entry_of(owner, lead)

    with pytest.raises(asyncpg.RestrictViolationError):
        await app_role.execute(ERASE, ids, ["person", "person"], [DIGEST, DIGEST])

    assert await entry_of(owner, lead) == before


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
async def test_even_the_owner_may_not(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead, statement: str
) -> None:
    before = await _with_erased_origin(app_role, owner, lead)

    with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
        await owner.execute(statement, before["id"])

    assert await entry_of(owner, lead) == before


async def test_the_app_may_not_erase_without_the_function(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead
) -> None:
    before = await entry_of(owner, lead)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_role.execute(
            "UPDATE audit_log SET parts = jsonb_set(parts, '{person}', to_jsonb($1::text))",
            record.digest(before["parts"]["person"]),
        )

    assert await entry_of(owner, lead) == before


async def test_the_app_may_not_even_with_the_right_to_update(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead
) -> None:
    """A right given by mistake is not enough: the trigger lets only the table's owner erase."""
    before = await entry_of(owner, lead)
    await owner.execute("GRANT UPDATE ON audit_log TO leads_app")
    try:
        with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
            await app_role.execute(
                "UPDATE audit_log SET parts = jsonb_set(parts, '{person}', to_jsonb($1::text)) WHERE id = $2",
                record.digest(before["parts"]["person"]),
                before["id"],
            )
    finally:
        await owner.execute("REVOKE UPDATE ON audit_log FROM leads_app")

    assert await entry_of(owner, lead) == before


async def test_what_the_caller_puts_into_its_search_path_does_not_get_in(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead
) -> None:
    """Temporary tables shadow those of a function that looks names up; this one names its table whole."""
    entry = await entry_of(owner, lead)
    digest = record.digest(entry["parts"]["person"])
    await app_role.execute("CREATE TEMP TABLE audit_log (id uuid, parts jsonb)")
    await app_role.execute("INSERT INTO pg_temp.audit_log VALUES ($1, $2)", entry["id"], json.dumps(entry["parts"]))

    await app_role.execute(f"""
        CREATE TEMP TABLE pg_class (oid oid, relowner oid);
        CREATE TEMP VIEW jsonb_each AS SELECT 'person' AS key, 'null'::jsonb AS value;
        SET search_path = pg_temp, public, pg_catalog;
        SELECT public.audit_erase_parts(ARRAY['{entry["id"]}']::uuid[], ARRAY['person'], ARRAY['{digest}']);
        DROP TABLE pg_temp.pg_class;
    """)

    assert (await entry_of(owner, lead))["parts"] == {**entry["parts"], "person": digest}
    assert json.loads(await app_role.fetchval("SELECT parts FROM pg_temp.audit_log")) == entry["parts"]


async def test_only_the_app_may_call_the_function_and_its_search_path_is_pinned(owner: asyncpg.Connection) -> None:
    function = "audit_erase_parts(uuid[], text[], text[])"

    rights = await owner.fetchval("SELECT proacl::text FROM pg_proc WHERE oid = $1::regprocedure", function)
    pinned = await owner.fetch(
        "SELECT proname, prosecdef, proconfig FROM pg_proc WHERE proname = ANY($1) ORDER BY proname",
        ["audit_erase_parts", "audit_refuse_all_but_erasure"],
    )

    assert "leads_app=X" in rights
    assert not any(grant.startswith("=") for grant in rights.strip("{}").split(","))
    assert [tuple(row) for row in pinned] == [
        ("audit_erase_parts", True, ["search_path=pg_catalog, pg_temp"]),
        ("audit_refuse_all_but_erasure", False, ["search_path=pg_catalog, pg_temp"]),
    ]


async def test_going_back_takes_the_exception_away_and_leaves_the_guard(server_url: str) -> None:
    name = f"leads_erasure_{os.getpid()}"
    server = await asyncpg.connect(asyncpg_url(server_url))
    await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await server.execute(f'CREATE DATABASE "{name}"')
    config = Config(str(ROOT / "alembic.ini"), attributes={"url": in_database(server_url, name)})
    try:
        await asyncio.to_thread(command.upgrade, config, "audit_erasure")
        await asyncio.to_thread(command.downgrade, config, "audit_open_log")
        there = await asyncpg.connect(asyncpg_url(in_database(server_url, name)))
        guard = await there.fetchval(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'audit_log_only_grows'"
        )
        functions = await there.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'audit_%eras%'")
        await there.close()
    finally:
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await server.close()

    assert "BEFORE DELETE OR UPDATE" in guard
    assert guard.endswith("EXECUTE FUNCTION audit_refuse_change()")
    assert functions == 0


async def _with_erased_origin(
    app_role: asyncpg.Connection, owner: asyncpg.Connection, lead: LeadRead
) -> dict[str, Any]:
    entry = await entry_of(owner, lead)
    await app_role.execute(ERASE, [entry["id"]], ["origin"], [record.digest(entry["parts"]["origin"])])
    return await entry_of(owner, lead)
