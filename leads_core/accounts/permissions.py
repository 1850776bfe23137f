"""Who may do what: one table of roles (people) and scopes (tokens).

A token never does more than its owner may: what it may do is what both its scopes and its owner's role allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Permission(StrEnum):
    """One thing that may be allowed."""

    READ_LEADS = "read leads"
    CHANGE_LEADS = "change leads"
    READ_ORIGINS = "read IP addresses and user agents in the trail"
    READ_TRAIL = "read the trail over all leads"
    ERASE = "erase a person"
    MANAGE_USERS = "manage users"
    MANAGE_TOKENS = "manage everybody's tokens"


class Role(StrEnum):
    """What a person is in this console."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token is for."""

    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    AUDIT_READ = "audit:read"


Permissions = frozenset[Permission]

_READ = frozenset({Permission.READ_LEADS, Permission.READ_TRAIL})
_CHANGE = _READ | {Permission.CHANGE_LEADS}

OF_ROLE: dict[Role, Permissions] = {
    Role.VIEWER: _READ,
    Role.EDITOR: _CHANGE,
    Role.ADMIN: frozenset(Permission),
}

OF_SCOPE: dict[Scope, Permissions] = {
    Scope.LEADS_READ: frozenset({Permission.READ_LEADS}),
    Scope.LEADS_WRITE: frozenset({Permission.READ_LEADS, Permission.CHANGE_LEADS}),
    Scope.AUDIT_READ: frozenset({Permission.READ_TRAIL, Permission.READ_ORIGINS}),
}


def of_person(role: Role) -> Permissions:
    """What somebody with this role may do."""
    return OF_ROLE[role]


def of_token(owner: Role, scopes: Iterable[Scope]) -> Permissions:
    """What a token may do: its scopes, as far as its owner's role reaches. Nothing without scopes."""
    granted = frozenset().union(*(OF_SCOPE[scope] for scope in scopes))
    return granted & OF_ROLE[owner]
