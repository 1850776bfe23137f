"""API tokens: shown once, stored as SHA-256 (they are random, so no slow hash is needed)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from leads_core.accounts import trail_entries
from leads_core.accounts.models import ApiToken, User
from leads_core.accounts.permissions import OF_ROLE, OF_SCOPE, Role, Scope, of_token
from leads_core.accounts.schemas import NewToken, TokenRead, name_of
from leads_core.accounts.visitor import Visitor
from leads_core.audit import trail
from leads_core.database import Database, faults_in_words, new_id
from leads_core.errors import Invalid, NotFound

MARK = "le_"
SHOWN = 10
LONGEST = 200

# By api_tokens_secret_hash_key and users_pkey: the one statement that every request of a script costs.
LOOK_UP = """
    SELECT t.id AS token_id, t.name AS token_name, t.scopes, u.id, u.name, u.email, u.role,
           t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute' AS unseen
    FROM api_tokens t JOIN users u ON u.id = t.user_id
    WHERE t.secret_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
      AND u.disabled_at IS NULL
"""
USED = text("""
    UPDATE api_tokens SET last_used_at = now()
    WHERE id = :id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
""")


class Tokens:
    """Keys for scripts, in the name of the current context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, owner_id: UUID, name: str, scopes: Iterable[Scope], *, expires_at: datetime | None = None
    ) -> NewToken:
        """Make a token for this user. Raises Invalid (no scope, one beyond the owner's role, a past end), NotFound."""
        wanted = tuple(sorted(set(scopes)))
        secret = MARK + secrets.token_urlsafe(32)
        at = trail.now()
        async with self._database.transaction() as session:
            owner = await session.get(User, owner_id, with_for_update={"read": True, "key_share": True})
            if owner is None or owner.disabled_at is not None:
                raise NotFound("user", owner_id)
            _check(Role(owner.role), wanted, expires_at, at)
            token = ApiToken(
                id=new_id(),
                user_id=owner_id,
                name=name_of(name),
                secret_hash=_hash(secret),
                prefix=secret[:SHOWN],
                scopes=list(wanted),
                version=1,
                created_at=at,
                expires_at=expires_at,
            )
            await trail_entries.append_state(session, token, None, trail_entries.values_of_token(token), at)
            session.add(token)
        return NewToken(token.id, token.name, secret, wanted, expires_at)

    async def list(self, owner_id: UUID | None = None) -> list[TokenRead]:
        """Every token, or one user's; newest first, revoked ones too."""
        wanted = select(ApiToken).order_by(ApiToken.id.desc())
        if owner_id is not None:
            wanted = wanted.where(ApiToken.user_id == owner_id)
        async with self._database.transaction() as session:
            return [TokenRead.of(token) for token in await session.scalars(wanted)]

    async def revoke(self, token_id: UUID, *, owner_id: UUID | None = None) -> TokenRead:
        """End a token; one that ended before stays as it is. Raises NotFound (also for another owner's)."""
        async with self._database.transaction() as session:
            token = await session.get(ApiToken, token_id, with_for_update=True)
            if token is None or owner_id not in {None, token.user_id}:
                raise NotFound("token", token_id)
            if token.revoked_at is None:
                before, at = trail_entries.values_of_token(token), trail.now()
                token.revoked_at, token.version = at, token.version + 1
                await trail_entries.append_state(session, token, before, trail_entries.values_of_token(token), at)
            return TokenRead.of(token)

    async def visitor_of(self, secret: str) -> Visitor | None:
        """Whose token this is, if it is valid: one statement, and another once a minute to note its use."""
        if not secret.startswith(MARK) or len(secret) > LONGEST:
            return None
        async with self._database.reader() as connection:
            row = await connection.fetchrow(LOOK_UP, _hash(secret))
        if row is None:
            return None
        if row["unseen"]:
            with faults_in_words():
                async with self._database.engine.begin() as writer:
                    await writer.execute(USED, {"id": row["token_id"]})
        return _visitor(row)


def _check(owner: Role, scopes: tuple[Scope, ...], expires_at: datetime | None, at: datetime) -> None:
    if not scopes:
        raise Invalid.of("scopes", f"Choose at least one of {', '.join(Scope)}.")
    for scope in scopes:
        if not OF_SCOPE[scope] <= OF_ROLE[owner]:
            raise Invalid.of("scopes", f"{scope} reaches beyond the owner's role, {owner}.")
    if expires_at is not None and expires_at <= at:
        raise Invalid.of("expires_at", "Choose an end in the future.")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _visitor(row: Any) -> Visitor:
    role, scopes = Role(row["role"]), tuple(Scope(scope) for scope in row["scopes"])
    return Visitor(
        kind="token",
        user_id=row["id"],
        name=row["name"],
        email=row["email"],
        role=role,
        permissions=of_token(role, scopes),
        token_id=row["token_id"],
        token_name=row["token_name"],
        scopes=scopes,
    )
