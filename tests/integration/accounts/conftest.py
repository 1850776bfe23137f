"""Somebody with a password, and the door."""

from __future__ import annotations

import pytest

from leads_core import context
from leads_core.accounts.permissions import Role
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.sessions import Sessions
from leads_core.accounts.signing_in import SigningIn
from leads_core.accounts.tokens import Tokens
from leads_core.context import RequestContext
from leads_core.database import Database
from tests.builders import an_actor

PASSWORD = "correct horse battery"


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


@pytest.fixture
def tokens(database: Database) -> Tokens:
    return Tokens(database)


@pytest.fixture
def sessions(database: Database) -> Sessions:
    return Sessions(database, "a secret of the tests")


@pytest.fixture
def door(database: Database, sessions: Sessions) -> SigningIn:
    return SigningIn(database, sessions, tries_a_minute=0)


@pytest.fixture
def stranger() -> RequestContext:
    """A browser in which nobody is signed in."""
    return an_actor(actor_kind="anonymous", actor_id=None, actor_name=None)


@pytest.fixture
async def admin(accounts: Accounts) -> UserRead:
    with context.acting_as(an_actor()):
        return await accounts.add("Ana Díaz", Role.ADMIN, email="ana@example.com", password=PASSWORD)


@pytest.fixture
async def editor(accounts: Accounts) -> UserRead:
    with context.acting_as(an_actor()):
        return await accounts.add("Ed", Role.EDITOR, email="ed@example.com", password=PASSWORD)
