"""The table of roles and scopes."""

from __future__ import annotations

import pytest

from leads_core.accounts.permissions import OF_ROLE, OF_SCOPE, Permission, Role, Scope, of_person, of_token
from leads_core.accounts.visitor import Visitor, require
from leads_core.database import new_id
from leads_core.errors import Forbidden, Unauthenticated


def test_each_role_may_what_the_one_below_may_and_more() -> None:
    assert OF_ROLE[Role.VIEWER] < OF_ROLE[Role.EDITOR] < OF_ROLE[Role.ADMIN] == frozenset(Permission)


def test_a_viewer_changes_nothing() -> None:
    assert of_person(Role.VIEWER) == {Permission.READ_LEADS, Permission.READ_TRAIL}


def test_only_an_administrator_reads_origins_erases_and_manages() -> None:
    assert of_person(Role.ADMIN) - of_person(Role.EDITOR) == {
        Permission.READ_ORIGINS,
        Permission.ERASE,
        Permission.MANAGE_USERS,
        Permission.MANAGE_TOKENS,
    }


@pytest.mark.parametrize("role", Role)
def test_a_token_never_does_more_than_its_owner_or_its_scopes(role: Role) -> None:
    allowed = of_token(role, Scope)

    assert allowed <= OF_ROLE[role]
    assert allowed <= frozenset().union(*OF_SCOPE.values())
    assert of_token(role, []) == frozenset()


def test_no_token_manages_or_erases() -> None:
    assert not of_token(Role.ADMIN, Scope) & {Permission.ERASE, Permission.MANAGE_USERS, Permission.MANAGE_TOKENS}


def test_who_is_nobody_must_sign_in_and_who_may_not_is_told_what() -> None:
    viewer = Visitor("user", new_id(), "Vi", None, Role.VIEWER, of_person(Role.VIEWER))

    assert require(viewer, Permission.READ_LEADS) is viewer
    with pytest.raises(Unauthenticated):
        require(None, Permission.READ_LEADS)
    with pytest.raises(Forbidden, match="change leads"):
        require(viewer, Permission.CHANGE_LEADS)
