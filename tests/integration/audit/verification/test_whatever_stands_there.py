"""Whatever somebody writes into the rows, a verification says so. It neither breaks off nor passes."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import orjson
import pytest

from leads_core.audit.verification import statements
from leads_core.audit.verification.entry_check import recomputed as checksum_of_row
from tests.integration.audit.verification.tampering import Scene

PARTS: list[Any] = [
    7,
    "text",
    None,
    [],
    {"data": None},
    {"data": 1e300},
    {"data": []},
    {"data": ["salt"]},
    {"data": ["salt", []]},
    {"data": ["salt", {"stage": "won"}]},
    {"data": ["salt", {"stage": ["new", "won", "lost"]}]},
    {"data": ["salt", {"stage": [{"a": []}, [[[]]]]}]},
    {"data": ["salt", {"provenance": [7, {"city": 7}]}]},
    {"data": ["salt", {"provenance": [None, []]}], "person": "digest"},
    {"origin": ["salt", {"actor_name": 7}], "unheard of": ["salt", {"": [None, None]}]},
    {"origin": "0" * 64, "data": ["salt", {"no_such_field": [None, 1]}]},
]


@pytest.mark.parametrize("parts", PARTS, ids=[json.dumps(parts)[:40] for parts in PARTS])
@pytest.mark.parametrize("recomputed", [False, True], ids=["as it is", "checksum made anew"])
async def test_parts_of_any_shape(scene: Scene, parts: Any, recomputed: bool) -> None:
    acme = scene.history.acme
    entry = scene.history.entry(acme, 2)
    if recomputed and not isinstance(parts, dict):
        pytest.skip("There is no checksum of it.")

    await scene.edit(entry, parts=parts)
    if recomputed:
        await _sum_up(scene, entry)

    found = await scene.found()
    assert [(each.entry, each.subject) for each in found] == [(entry, acme)]
    assert found[0].kind in {"edited", "forged", "malformed"}


@pytest.mark.parametrize("provenance", ["7", "[]", "[1]", '"text"', "null", '{"city": 7}', '{"": {}}'])
async def test_provenance_of_any_shape(scene: Scene, provenance: str) -> None:
    bo = scene.history.bo
    await scene.sql(f"UPDATE leads SET provenance = '{provenance}'::jsonb WHERE id = '{bo}'")
    assert [(each.kind, each.subject, each.field) for each in await scene.found()] == [
        ("lead_changed", bo, "provenance")
    ]

    await scene.edit_part(scene.history.entry(bo, 2), "data", "stage", "lost")
    assert {each.subject for each in await scene.found()} == {bo}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET occurred_at = 'infinity' WHERE id = $1",
        "UPDATE audit_log SET occurred_at = '4000-01-01 BC' WHERE id = $1",
        "UPDATE audit_log SET seq = -2147483648 WHERE id = $1",
        "UPDATE audit_log SET seq = 2147483647 WHERE id = $1",
        "UPDATE audit_log SET seq = NULL WHERE id = $1",
        "UPDATE audit_log SET subject_id = NULL WHERE id = $1",
        "UPDATE audit_log SET subject_id = NULL, seq = NULL WHERE id = $1",
        "UPDATE audit_log SET id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' WHERE id = $1",
        "UPDATE audit_log SET checksum = '', mac = '' WHERE id = $1",
        "UPDATE audit_log SET request_id = repeat('x', 100000) WHERE id = $1",
        "UPDATE audit_leaves SET leaf_index = 9223372036854775807 WHERE entry_id = $1",
        "UPDATE audit_leaves SET checksum = decode(repeat('00', 32), 'hex') WHERE entry_id = $1",
        "UPDATE audit_blocks SET hash = decode(repeat('00', 32), 'hex') WHERE $1::uuid IS NOT NULL",
        "INSERT INTO audit_blocks SELECT 99, 9223372036854775807, decode(repeat('00', 32), 'hex') WHERE $1 <> $1::uuid"
        " OR true",
        "UPDATE audit_checkpoints SET size = -1 WHERE number = 2 AND $1::uuid IS NOT NULL",
        "UPDATE audit_checkpoints SET size = 9223372036854775807 WHERE number = 2 AND $1::uuid IS NOT NULL",
        "UPDATE audit_checkpoints SET number = -number WHERE $1::uuid IS NOT NULL",
        "UPDATE audit_checkpoints SET note = '' WHERE number = 2 AND $1::uuid IS NOT NULL",
        "UPDATE audit_checkpoints SET note = repeat('a b\n', 9) WHERE number = 2 AND $1::uuid IS NOT NULL",
        "UPDATE leads SET version = 2147483647 WHERE id = (SELECT subject_id FROM audit_log WHERE id = $1)",
        "UPDATE leads SET created_at = '-infinity' WHERE id = (SELECT subject_id FROM audit_log WHERE id = $1)",
    ],
)
async def test_columns_of_any_value(scene: Scene, statement: str) -> None:
    await scene.sql(statement, UUID(scene.history.entry(scene.history.acme, 2)))

    assert await scene.found() != []


async def _sum_up(scene: Scene, entry: str) -> None:
    """The checksum of parts that no honest code would take one of."""
    [row] = await scene.owner.fetch(statements.ENTRY + "WHERE e.id = $1::text::uuid", entry)
    try:
        checksum = checksum_of_row(row, orjson.loads(row[12]))
    except (TypeError, ValueError, AttributeError):
        checksum = bytes(32)
    await scene.edit(entry, checksum=checksum)
