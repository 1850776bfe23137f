"""What the database refuses is taken away, each guard by itself: a missing guard is a finding, before anything else is.

Every statement is undone in the same test: the database is the next test's too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from leads_core.audit.verification.guard_check import CONSTRAINTS, DENIED, TRIGGERS
from leads_core.errors import LeadExplorerError
from tests.integration.audit.verification.tampering import Found, Scene

RIGHTS = [(table, right) for table, rights in DENIED.items() for right in rights]


@pytest.mark.parametrize("trigger", TRIGGERS)
async def test_a_trigger_is_switched_off(scene: Scene, trigger: str) -> None:
    table = await _table_of(scene, trigger)

    async with _undone(
        scene.owner,
        f"ALTER TABLE {table} DISABLE TRIGGER {trigger}",
        f"ALTER TABLE {table} ENABLE TRIGGER {trigger}",
    ):
        assert await scene.found() == [Found("guard", None, trigger)]


@pytest.mark.parametrize("trigger", TRIGGERS)
async def test_a_trigger_is_dropped(scene: Scene, trigger: str) -> None:
    table = await _table_of(scene, trigger)
    made = await _definition(scene, trigger)

    async with _undone(scene.owner, f"DROP TRIGGER {trigger} ON {table}", made):
        assert await scene.found() == [Found("guard", None, trigger)]


async def test_a_trigger_fires_on_replicas_only(scene: Scene) -> None:
    async with _undone(
        scene.owner,
        "ALTER TABLE audit_log ENABLE REPLICA TRIGGER audit_log_only_grows",
        "ALTER TABLE audit_log ENABLE TRIGGER audit_log_only_grows",
    ):
        assert await scene.found() == [Found("guard", None, "audit_log_only_grows")]


async def test_a_triggers_condition_lets_everything_pass(scene: Scene) -> None:
    """It is there, it is on, and it never fires."""
    made = await _definition(scene, "audit_leaves_only_grows")
    never = made.replace("FOR EACH ROW", "FOR EACH ROW WHEN (false)")
    drop = "DROP TRIGGER audit_leaves_only_grows ON audit_leaves"

    async with _undone(scene.owner, f"{drop}; {never}", f"{drop}; {made}"):
        assert await scene.found() == [Found("guard", None, "audit_leaves_only_grows")]


@pytest.mark.parametrize("function", ["audit_refuse_change", "audit_refuse_all_but_erasure", "leads_version_rises"])
async def test_a_triggers_function_does_nothing_any_more(scene: Scene, function: str) -> None:
    """Each trigger that calls it is named."""
    made = await scene.owner.fetchval("SELECT pg_get_functiondef($1::regproc)", function)

    async with _undone(
        scene.owner,
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        made,
    ):
        found = await scene.found()

    calling = {name for name, definition in TRIGGERS.items() if f" {function}()" in definition}
    assert {each.subject for each in found} == calling
    assert {each.kind for each in found} == {"guard"}


@pytest.mark.parametrize("constraint", ["leads_version_has_an_entry"])
async def test_the_foreign_key_is_dropped(scene: Scene, constraint: str) -> None:
    async with _undone(
        scene.owner,
        f"ALTER TABLE leads DROP CONSTRAINT {constraint}",
        f"ALTER TABLE leads ADD CONSTRAINT {constraint} {CONSTRAINTS[constraint][1]}",
    ):
        assert await scene.found() == [Found("guard", None, constraint)]


async def test_the_foreign_key_is_not_valid(scene: Scene) -> None:
    """It holds new rows only: what was put in before it was made is not looked at."""
    key = "leads_version_has_an_entry"

    drop, add = f"ALTER TABLE leads DROP CONSTRAINT {key}", f"ALTER TABLE leads ADD CONSTRAINT {key}"

    async with _undone(
        scene.owner,
        f"{drop}; {add} {CONSTRAINTS[key][1]} NOT VALID",
        f"ALTER TABLE leads VALIDATE CONSTRAINT {key}",
    ):
        assert await scene.found() == [Found("guard", None, key)]


async def test_the_foreign_keys_triggers_are_switched_off(scene: Scene) -> None:
    async with _undone(scene.owner, "ALTER TABLE leads DISABLE TRIGGER ALL", "ALTER TABLE leads ENABLE TRIGGER ALL"):
        assert {(each.kind, each.subject) for each in await scene.found()} == {
            ("guard", "leads_version_has_an_entry"),
            ("guard", "leads_version_rises"),
        }


@pytest.mark.parametrize(("table", "right"), RIGHTS, ids=[f"{right} {table}" for table, right in RIGHTS])
async def test_the_app_is_granted_a_right(scene: Scene, table: str, right: str) -> None:
    async with _undone(
        scene.owner, f"GRANT {right} ON {table} TO leads_app", f"REVOKE {right} ON {table} FROM leads_app"
    ):
        assert await scene.found() == [Found("guard", None, f"{table}, right of leads_app")]


async def test_the_app_is_granted_a_column(scene: Scene) -> None:
    async with _undone(
        scene.owner, "GRANT UPDATE (mac) ON audit_log TO leads_app", "REVOKE UPDATE (mac) ON audit_log FROM leads_app"
    ):
        assert await scene.found() == [Found("guard", None, "audit_log, right of leads_app")]


async def test_everybody_is_granted_a_right(scene: Scene) -> None:
    """PUBLIC is the app too."""
    async with _undone(scene.owner, "GRANT DELETE ON leads TO PUBLIC", "REVOKE DELETE ON leads FROM PUBLIC"):
        assert await scene.found() == [Found("guard", None, "leads, right of leads_app")]


async def test_a_policy_hides_an_entry_from_the_app(scene: Scene) -> None:
    """Row security would show a trail without it; verification reads all rows or none, and says so."""
    entry = scene.history.entry(scene.history.acme, 2)

    async with _undone(
        scene.owner,
        f"""ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
            CREATE POLICY hides ON audit_log TO leads_app USING (id <> '{entry}')""",
        "DROP POLICY hides ON audit_log; ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY",
    ):
        with pytest.raises(LeadExplorerError):
            await scene.found()


async def test_a_table_of_the_same_name_lies_before_ours(scene: Scene) -> None:
    """An empty one in a schema that comes first for the app's role: verification reads ours."""
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    await scene.edit_part(entry, "data", "stage", "lost")

    async with _undone(
        scene.owner,
        """CREATE SCHEMA leads_app; CREATE TABLE leads_app.audit_log (LIKE public.audit_log);
           GRANT USAGE ON SCHEMA leads_app TO leads_app; GRANT ALL ON leads_app.audit_log TO leads_app""",
        "DROP SCHEMA leads_app CASCADE",
    ):
        assert await scene.found() == [Found("edited", entry, acme, "stage")]


async def test_a_rule_swallows_what_is_to_be_logged(scene: Scene) -> None:
    """Entry and pending row are one statement: with the one goes the other, and no lead changes without its entry."""
    async with _undone(
        scene.owner,
        "CREATE RULE swallow AS ON INSERT TO audit_pending DO INSTEAD NOTHING",
        "DROP RULE swallow ON audit_pending",
    ):
        with pytest.raises(IntegrityError, match="leads_version_has_an_entry"):
            await scene.change(scene.history.acme, city="Köln")
        # A statement prepared under the rule stays as empty as it was: PostgreSQL knows of nothing to prepare it anew.
        await scene.verification.database.engine.dispose()

        assert await scene.found() == []


async def test_a_trigger_of_a_strangers_changes_entries_as_they_are_written(scene: Scene) -> None:
    """What is stored is not what the app said: the sequencer refuses it, and it is found."""
    acme = scene.history.acme

    async with _undone(
        scene.owner,
        """CREATE FUNCTION blame() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN NEW.actor_id := '0193f5a0-0000-7000-8000-00000000dead'; RETURN NEW; END $$;
           CREATE TRIGGER blame BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION blame()""",
        "DROP TRIGGER blame ON audit_log; DROP FUNCTION blame()",
    ):
        await scene.change(acme, city="Köln")
        await scene.verification.sequence()
    (row,) = await scene.rows("SELECT entry_id FROM audit_rejected")

    assert await scene.found() == [Found("edited", str(row["entry_id"]), acme, "actor_id")]


async def _table_of(scene: Scene, trigger: str) -> str:
    return str(await scene.owner.fetchval("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = $1", trigger))


async def _definition(scene: Scene, trigger: str) -> str:
    return str(await scene.owner.fetchval("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = $1", trigger))


@asynccontextmanager
async def _undone(owner: asyncpg.Connection, statement: str, undo: str) -> AsyncIterator[None]:
    await owner.execute(statement)
    try:
        yield
    finally:
        await owner.execute(undo)
