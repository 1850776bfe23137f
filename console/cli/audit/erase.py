"""`leads audit erase`: forget a person, in a lead or as a user. It asks first."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from console.cli.surroundings import open_database
from console.wording import field_label, plural, value_in_words
from leads_core.accounts.schemas import UserRead
from leads_core.accounts.service import Accounts
from leads_core.database import Database
from leads_core.erasing import Erasing, Erasure, Foreseen
from leads_core.errors import Invalid
from leads_core.leads.schemas import LeadRead

WORD = "erase"
NOTHING = "Nothing was erased."
Flag = Annotated[bool, Parameter(negative="")]


async def erase(
    lead: UUID | None = None,
    *,
    user: str | None = None,
    part: Annotated[Sequence[str], Parameter("--part", negative="")] = ("person",),
    keep: Annotated[Sequence[str], Parameter("--keep", negative="")] = (),
    release_leads: Flag = False,
    yes: Flag = False,
    as_json: Annotated[bool, Parameter("--json", negative="")] = False,
) -> int:
    """Forget a person for ever: of a lead, or a user. It shows what will go and asks, unless --yes.

    Parameters
    ----------
    lead: the lead's id, live or in the bin.
    user: the email or id of a user to forget, instead of a lead.
    part: of the lead: person, text (description and notes) or data (all others); several times for several.
    keep: a field of these parts whose value stays, such as domain; several times for several.
    release_leads: the user's leads belong to nobody from then on.
    yes: do not ask.
    as_json: print the result as one JSON object.
    """
    if (lead is None) == (user is None):
        raise Invalid.of("lead", "Name either a lead by its id, or a user with --user.")
    async with open_database() as (_, database):
        if lead is not None:
            wanted = Erasure(frozenset(part), frozenset(keep))
            erased: LeadRead | UserRead | None = await _lead(database, lead, wanted, yes=yes)
        else:
            erased = await _user(database, user or "", release_leads=release_leads, yes=yes)
    if erased is None:
        print(NOTHING, file=sys.stderr)
        return 2
    _print(erased, as_json)
    return 0


async def _lead(database: Database, lead_id: UUID, wanted: Erasure, *, yes: bool) -> LeadRead | None:
    erasing = Erasing(database)
    foreseen = await erasing.foresee(lead_id, wanted)
    if not (yes or await _is_meant(_in_words(foreseen))):
        return None
    return await erasing.erase_lead(lead_id, wanted, if_version=foreseen.lead.version)


async def _user(database: Database, who: str, *, release_leads: bool, yes: bool) -> UserRead | None:
    accounts = Accounts(database)
    try:
        user = await accounts.get(UUID(who))
    except ValueError:
        user = await accounts.find(who)
    question = [f"{user.name}, {user.email or 'no email'}: name, email, and from where they came, in every entry."]
    if not (yes or await _is_meant(question)):
        return None
    return await Erasing(database).erase_user(user.id, release_leads=release_leads)


def _in_words(foreseen: Foreseen) -> Iterator[str]:
    yield f"{foreseen.lead.name}. What will go, and comes back from nowhere:"
    for field, value in foreseen.goes.items():
        yield f"  {field_label(field)}: {value_in_words(field, value)}"
    yield f"  These fields in {plural(foreseen.entries, 'entry', 'entries')} of the trail"
    yield f"  {plural(foreseen.facts, 'fact')} that enrichment found, kept answers, uploaded files that hold the person"
    yield "What will stay:"
    for field, value in foreseen.stays.items():
        yield f"  {field_label(field)}: {value_in_words(field, value)}"


async def _is_meant(question: Sequence[str] | Iterator[str]) -> bool:
    """Asks at the terminal. Raises Invalid where nobody can answer."""
    if not sys.stdin.isatty():
        raise Invalid.of("yes", "Nobody is there to be asked. Add --yes if it is meant.")
    print(*question, f"Type {WORD} to go on: ", sep="\n", end="", file=sys.stderr, flush=True)
    typed: str = await asyncio.to_thread(sys.stdin.readline)
    return typed.strip().lower() == WORD


def _print(erased: LeadRead | UserRead, as_json: bool) -> None:
    if isinstance(erased, UserRead):
        facts = {"id": str(erased.id), "name": erased.name, "disabled_at": str(erased.disabled_at)}
        print(json.dumps(facts) if as_json else f"User {erased.id} is erased.")
    else:
        print(erased.model_dump_json() if as_json else f"Lead {erased.id} is erased.")
