"""Whether the database still refuses what it should: triggers, keys and the lack of rights of the app's role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import asyncpg

from leads_core.database import APP_ROLE

_ONLY_GROW = ("audit_leaves", "audit_blocks", "audit_checkpoints", "audit_rejected", "audit_verifications")
_ROW = "CREATE TRIGGER {name} BEFORE {events} ON public.{table} FOR EACH ROW EXECUTE FUNCTION {function}()"
_STATEMENT = "CREATE TRIGGER {name} BEFORE TRUNCATE ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"


def _row(table: str, name: str, events: str, function: str = "audit_refuse_change") -> tuple[str, str]:
    return name, _ROW.format(name=name, table=table, events=events, function=function)


def _truncate(table: str) -> tuple[str, str]:
    name = f"{table}_is_not_truncated"
    return name, _STATEMENT.format(name=name, table=table, function="audit_refuse_change")


#: Trigger -> its definition, as PostgreSQL prints it.
TRIGGERS: Mapping[str, str] = dict(
    (
        _row("audit_log", "audit_log_only_grows", "DELETE OR UPDATE", "audit_refuse_all_but_erasure"),
        _truncate("audit_log"),
        _row("audit_pending", "audit_pending_is_not_changed", "UPDATE"),
        _truncate("audit_pending"),
        *(_row(table, f"{table}_only_grows", "DELETE OR UPDATE") for table in _ONLY_GROW),
        *(_truncate(table) for table in _ONLY_GROW),
        _row("leads", "leads_version_rises", "UPDATE", "leads_version_rises"),
    )
)
#: Function -> SHA-256 of its body. Who changes one in a migration writes the new digest here.
BODIES: Mapping[str, str] = {
    "audit_refuse_change": "aad40f82dd9a975a81f01372e563ba3de5f0cec67373c79811c67a3d5a5d0ef7",
    "audit_refuse_all_but_erasure": "853b70db89e0a86a345d27feaa6984a68a7806c27c79be2b00c5d833c25773d4",
    "leads_version_rises": "6049d009d6f80d8d3f094c1526ef307412f1d0ab1fbb15bdce718a5697fa8b14",
}
#: Constraint -> its table and definition.
CONSTRAINTS: Mapping[str, tuple[str, str]] = {
    "leads_version_has_an_entry": (
        "leads",
        "FOREIGN KEY (id, version) REFERENCES audit_log(subject_id, seq)",
    ),
    "audit_log_pkey": ("audit_log", "PRIMARY KEY (id)"),
    "audit_log_subject_id_seq_key": ("audit_log", "UNIQUE (subject_id, seq)"),
    "audit_leaves_pkey": ("audit_leaves", "PRIMARY KEY (leaf_index)"),
    "audit_leaves_entry_id_key": ("audit_leaves", "UNIQUE (entry_id)"),
}
#: Table -> what the app's role must not be able to do there.
DENIED: Mapping[str, tuple[str, ...]] = {
    "audit_log": ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"),
    "audit_pending": ("UPDATE", "TRUNCATE", "TRIGGER"),
    **dict.fromkeys(_ONLY_GROW, ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")),
    "leads": ("DELETE", "TRUNCATE", "TRIGGER"),
}

_TRIGGERS = """
    SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, p.proname, p.prosrc
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
"""
#: enforced: PostgreSQL 18 knows keys that are not. quiet: a key's own triggers that were switched off.
_CONSTRAINTS = """
    SELECT k.conname, c.relname, pg_get_constraintdef(k.oid), k.convalidated,
           coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
           EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled IN ('D', 'R')) AS quiet,
           coalesce((SELECT i.indisvalid AND i.indisunique FROM pg_index i WHERE i.indexrelid = k.conindid), true)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::regnamespace
"""
_RIGHTS = """
    SELECT d.relname, d.right FROM unnest($1::text[], $2::text[]) AS d (relname, "right")
    WHERE has_table_privilege($3::name, format('public.%I', d.relname), d.right)
       OR d.right = 'UPDATE' AND has_any_column_privilege($3::name, format('public.%I', d.relname), 'UPDATE')
"""
_ROLE = """
    SELECT r.rolsuper, EXISTS (
        SELECT FROM pg_class c WHERE c.oid = 'public.audit_log'::regclass AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
    FROM pg_roles r WHERE r.rolname = $1
"""
_SESSION_OWNS = """
    SELECT pg_has_role(session_user, relowner, 'MEMBER') FROM pg_class WHERE oid = 'public.audit_log'::regclass
"""


async def missing(connection: asyncpg.Connection) -> Sequence[tuple[str, str]]:
    """(what, sentence) for each guard that is not in place."""
    triggers = {name: rest for name, *rest in await connection.fetch(_TRIGGERS)}
    constraints = {name: rest for name, *rest in await connection.fetch(_CONSTRAINTS)}
    found = [(name, said) for name, wanted in TRIGGERS.items() if (said := _of_trigger(wanted, triggers.get(name)))]
    found += [
        (name, said) for name, wanted in CONSTRAINTS.items() if (said := _of_constraint(wanted, constraints.get(name)))
    ]
    return [*found, *await _rights(connection)]


async def notices(connection: asyncpg.Connection) -> Sequence[str]:
    """What weakens the guards, without being a finding."""
    if await connection.fetchval(_SESSION_OWNS):
        return [
            "DATABASE_URL is the owner's address: the app lays the owner's rights down, but could take them up again. "
            "Give it an address of its own."
        ]
    return []


def _of_trigger(wanted: str, there: list[str] | None) -> str | None:
    if there is None:
        return "The trigger is gone."
    definition, enabled, function, body = there
    if enabled not in {"O", "A"}:
        return "The trigger is switched off."
    if definition != wanted or sha256(body.encode()).hexdigest() != BODIES.get(function):
        return "The trigger, or its function, is another one than it was."
    return None


def _of_constraint(wanted: tuple[str, str], there: list[object] | None) -> str | None:
    if there is None:
        return "The constraint is gone."
    table, definition, validated, enforced, quiet, valid = there
    if (table, str(definition).removesuffix(" NOT VALID").replace("public.", "")) != wanted:
        return "The constraint is another one than it was."
    if not validated or not valid:
        return "The constraint was never checked against the rows that are there."
    if not enforced or quiet:
        return "The constraint is switched off."
    return None


async def _rights(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    role = await connection.fetchrow(_ROLE, APP_ROLE)
    if role is None:
        return [(f"role {APP_ROLE}", "The app's role is gone.")]
    is_superuser, owns = role
    if is_superuser or owns:
        return [(f"role {APP_ROLE}", "The app's role has the rights of the tables' owner, or of a superuser.")]
    pairs = [(table, right) for table, rights in DENIED.items() for right in rights]
    tables, rights = zip(*pairs, strict=True)
    return [
        (f"{table}, right of {APP_ROLE}", f"The app's role has the right {right}, which it must not have.")
        for table, right in await connection.fetch(_RIGHTS, tables, rights, APP_ROLE)
    ]
