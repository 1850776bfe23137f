"""API tokens: shown once, stored hashed, never mightier than their owner."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from leads_core.accounts.permissions import Permission, Role, Scope
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.tokens import Tokens
from leads_core.audit.models import Action
from leads_core.audit.trail import now
from leads_core.errors import Invalid, NotFound
from tests.integration.accounts.trail_of import entries_about

pytestmark = pytest.mark.usefixtures("acting")


async def test_a_token_is_its_own_actor_with_what_its_scopes_allow(tokens: Tokens, admin: UserRead) -> None:
    made = await tokens.create(admin.id, "CRM sync", [Scope.LEADS_WRITE])

    visitor = await tokens.visitor_of(made.token)
    assert visitor is not None
    assert (visitor.kind, visitor.actor_id, visitor.actor_name) == ("token", made.id, "CRM sync")
    assert visitor.user_id == admin.id
    assert visitor.permissions == {Permission.READ_LEADS, Permission.CHANGE_LEADS}


async def test_the_secret_is_stored_nowhere(tokens: Tokens, admin: UserRead, owner: asyncpg.Connection) -> None:
    made = await tokens.create(admin.id, "CRM sync", [Scope.LEADS_READ])

    stored = str(await owner.fetch("SELECT * FROM api_tokens")) + str(await owner.fetch("SELECT * FROM audit_log"))
    assert made.token.startswith("le_")
    assert made.token not in stored
    assert made.token[:10] in stored
    assert made.token[11:] not in stored


async def test_a_token_is_made_and_revoked_in_the_trail(
    tokens: Tokens, admin: UserRead, owner: asyncpg.Connection
) -> None:
    made = await tokens.create(admin.id, "CRM sync", [Scope.LEADS_READ, Scope.AUDIT_READ])
    await tokens.revoke(made.id)
    await tokens.revoke(made.id)

    created, revoked = await entries_about(owner, made.id)
    assert (created["action"], created["seq"], created["new"]["scopes"]) == (
        Action.CREATE,
        1,
        ["audit:read", "leads:read"],
    )
    assert (revoked["action"], revoked["seq"], set(revoked["new"])) == (Action.UPDATE, 2, {"revoked_at"})


async def test_a_revoked_a_lapsed_and_a_foreign_token_is_nobody(
    tokens: Tokens, admin: UserRead, owner: asyncpg.Connection
) -> None:
    revoked = await tokens.create(admin.id, "revoked", [Scope.LEADS_READ])
    lapsed = await tokens.create(admin.id, "lapsed", [Scope.LEADS_READ], expires_at=now() + timedelta(days=1))
    await tokens.revoke(revoked.id)
    await owner.execute("UPDATE api_tokens SET expires_at = now() - interval '1 second' WHERE id = $1", lapsed.id)

    for secret in (revoked.token, lapsed.token, "le_nothing", "", "le_" + "x" * 10_000, "le_\ud800", "Bearer"):
        assert await tokens.visitor_of(secret) is None


async def test_a_disabled_owner_takes_the_token_along(
    accounts: Accounts, tokens: Tokens, admin: UserRead, editor: UserRead
) -> None:
    made = await tokens.create(editor.id, "script", [Scope.LEADS_WRITE])

    await accounts.disable(editor.id)

    assert await tokens.visitor_of(made.token) is None
    with pytest.raises(NotFound):
        await tokens.create(editor.id, "another", [Scope.LEADS_READ])


async def test_a_token_shrinks_with_its_owners_role(
    accounts: Accounts, tokens: Tokens, admin: UserRead, editor: UserRead
) -> None:
    made = await tokens.create(editor.id, "script", [Scope.LEADS_WRITE])

    await accounts.set_role(editor.id, Role.VIEWER)

    visitor = await tokens.visitor_of(made.token)
    assert visitor is not None
    assert visitor.permissions == {Permission.READ_LEADS}


@pytest.mark.parametrize("scopes", [[], [Scope.AUDIT_READ]])
async def test_a_token_without_scope_or_beyond_its_owner_is_refused(
    tokens: Tokens, editor: UserRead, scopes: list[Scope]
) -> None:
    with pytest.raises(Invalid):
        await tokens.create(editor.id, "script", scopes)

    assert await tokens.list() == []


async def test_nobody_revokes_anothers_token(tokens: Tokens, admin: UserRead, editor: UserRead) -> None:
    made = await tokens.create(admin.id, "script", [Scope.LEADS_READ])

    with pytest.raises(NotFound):
        await tokens.revoke(made.id, owner_id=editor.id)

    assert [token.id for token in await tokens.list(admin.id)] == [made.id]
    assert await tokens.list(editor.id) == []
    assert await tokens.visitor_of(made.token) is not None


async def test_a_use_is_noted_at_most_once_a_minute(tokens: Tokens, admin: UserRead) -> None:
    made = await tokens.create(admin.id, "script", [Scope.LEADS_READ])

    await tokens.visitor_of(made.token)
    [first] = await tokens.list()
    await tokens.visitor_of(made.token)
    [second] = await tokens.list()

    assert first.last_used_at is not None
    assert second.last_used_at == first.last_used_at
