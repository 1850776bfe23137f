"""`leads user` and `leads token`: who may come in, and with what."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from cyclopts import App, Parameter

from console.cli.surroundings import open_database
from leads_core.accounts.permissions import Role, Scope
from leads_core.accounts.schemas import SignInLink, TokenRead, UserRead
from leads_core.accounts.service import Accounts
from leads_core.accounts.tokens import Tokens
from leads_core.audit.trail import now
from leads_core.errors import NotFound
from leads_core.settings import Settings

user = App(name="user", help="Add, list and disable users; give out sign-in links.")
token = App(name="token", help="Create, list and revoke API tokens.")

AsJson = Annotated[bool, Parameter("--json", negative="")]


@user.command(name="add")
async def add_user(email: str, *, role: Role = Role.EDITOR, name: str | None = None, as_json: AsJson = False) -> None:
    """Add a user and print a link that signs them in once, within 24 hours.

    Parameters
    ----------
    email: what they sign in with.
    role: viewer (reads), editor (changes leads) or admin.
    name: shown in the trail; the email's first part if none is given.
    """
    async with open_database() as (settings, database):
        accounts = Accounts(database)
        added = await accounts.add(name or email.partition("@")[0], role, email=email)
        link = await accounts.sign_in_link(added.id)
    address = _address(settings, link)
    _print({"id": added.id, "email": added.email, "role": added.role, "sign_in_link": address}, as_json, address)


@user.command(name="list")
async def list_users(*, as_json: AsJson = False) -> None:
    """Every user, disabled ones too."""
    async with open_database() as (_, database):
        users = await Accounts(database).list()
    _print({"items": [asdict(one) for one in users]}, as_json, *map(_user_line, users))


@user.command(name="disable")
async def disable_user(who: str, *, as_json: AsJson = False) -> None:
    """Shut a user out: sessions end, links and tokens work no more.

    Parameters
    ----------
    who: the user's email or id.
    """
    async with open_database() as (_, database):
        accounts = Accounts(database)
        disabled = await accounts.disable((await _find(accounts, who)).id)
    _print(asdict(disabled), as_json, f"{disabled.name} is disabled.")


@user.command(name="sign-in-link")
async def sign_in_link(who: str | None = None, *, as_json: AsJson = False) -> None:
    """Print a link that signs a user in once, within 24 hours.

    Parameters
    ----------
    who: the user's email or id; the first administrator if none is given.
    """
    async with open_database() as (settings, database):
        accounts = Accounts(database)
        found = await _find(accounts, who)
        link = await accounts.sign_in_link(found.id)
    address = _address(settings, link)
    facts = {"id": found.id, "email": found.email, "sign_in_link": address, "expires_at": link.expires_at}
    _print(facts, as_json, address)


@token.command(name="create")
async def create_token(
    name: str = "script",
    *,
    user: str | None = None,
    scopes: Annotated[Sequence[str], Parameter(("--scopes", "--scope"))] = (Scope.LEADS_READ.value,),
    expires_in_days: int | None = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token and print it. It is shown this once.

    Parameters
    ----------
    name: shown in the trail.
    user: the owner's email or id; the first administrator if none is given.
    scopes: leads:read, leads:write, audit:read; several by commas or by repeating.
    expires_in_days: without it the token holds until it is revoked.
    """
    wanted = [_scope(part.strip()) for text in scopes for part in text.split(",") if part.strip()]
    end = None if expires_in_days is None else now() + timedelta(days=expires_in_days)
    async with open_database() as (_, database):
        owner = await _find(Accounts(database), user)
        made = await Tokens(database).create(owner.id, name, wanted, expires_at=end)
    _print(asdict(made), as_json, made.token)


@token.command(name="list")
async def list_tokens(*, as_json: AsJson = False) -> None:
    """Every token, revoked ones too; never the secret."""
    async with open_database() as (_, database):
        tokens = await Tokens(database).list()
    _print({"items": [asdict(one) for one in tokens]}, as_json, *map(_token_line, tokens))


@token.command(name="revoke")
async def revoke_token(token_id: UUID, *, as_json: AsJson = False) -> None:
    """End a token at once.

    Parameters
    ----------
    token_id: as `leads token list` shows it.
    """
    async with open_database() as (_, database):
        revoked = await Tokens(database).revoke(token_id)
    _print(asdict(revoked), as_json, f"{revoked.name} is revoked.")


async def _find(accounts: Accounts, who: str | None) -> UserRead:
    """The user with this email or id; the first administrator, made if need be, where none is named."""
    if who is None:
        return await accounts.first_administrator()
    try:
        user_id = UUID(who)
    except ValueError:
        return await accounts.find(who)
    return await accounts.get(user_id)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise NotFound("scope", f"{text} (choose from {', '.join(Scope)})") from None


def _address(settings: Settings, link: SignInLink) -> str:
    from console.cli.server import address_of  # noqa: PLC0415 - brings in the web server; most commands need none

    return address_of(settings) + link.path


def _user_line(one: UserRead) -> str:
    state = "disabled" if one.is_disabled else one.role
    return f"{one.id}  {state:8}  {one.email or '(no email yet)'}  {one.name}"


def _token_line(one: TokenRead) -> str:
    state = "revoked" if one.revoked_at else "expires " + _plain(one.expires_at) if one.expires_at else "valid"
    return f"{one.id}  {state}  {one.prefix}...  {','.join(one.scopes)}  {one.name}"


def _print(facts: dict[str, Any], as_json: bool, *lines: str) -> None:
    sys.stdout.write(json.dumps(facts, default=_plain) + "\n" if as_json else "".join(f"{line}\n" for line in lines))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
