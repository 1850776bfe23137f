"""Two leads that are one: which should stay, which value of each field, and what that sets. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from leads_core.errors import FieldError, Invalid
from leads_core.leads import changing, normalising
from leads_core.leads.schemas import LeadFields, LeadUpdate, parsed
from leads_core.leads.similar_names import similarity, words_of

Side = Literal["mine", "theirs", "both"]
"""Of the lead that stays, of the one that is merged into it, or the two together."""

#: What is chosen, in the order in which people read it; where a lead came from stays with each.
MERGEABLE = tuple(LeadFields.model_fields)
#: What can be had from both.
JOINABLE = frozenset({"tags", "notes"})
#: Lost is an end, not a distance: against it the later word counts.
_STAGES = {"new": 0, "contacted": 1, "qualified": 2, "won": 3}
_FULLER_BY = 2
"""Fields that the younger lead must have more of, to be the one that stays."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_PROVENANCE = "provenance"
_EMPTY: tuple[Any, ...] = (None, [], False)

Changes = Mapping[str, datetime]
"""Field -> when it was last changed."""


class Mergeable(Protocol):
    """A row of the table, or a lead as everybody sees it: every field of MERGEABLE, and these."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def provenance(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which two leads differ, and the side that is proposed."""

    field: str
    mine: Any
    theirs: Any
    proposed: Side

    @property
    def can_join(self) -> bool:
        return self.field in JOINABLE and bool(self.mine) and bool(self.theirs)


@dataclass(frozen=True, slots=True)
class Merge:
    """What somebody decided: a side for each field, or a value of their own. What is not decided goes as proposed.

    versions: lead -> the version that was looked at.
    """

    sides: Mapping[str, Side] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        errors = [
            FieldError(f"take.{name}", "Only tags and notes can be had from both. Choose mine or theirs.")
            for name, side in self.sides.items()
            if side == "both" and name not in JOINABLE
        ]
        errors += [
            FieldError(f"take.{name}", "Choose a side or give a value, not both.")
            for name in sorted(self.sides.keys() & self.values.keys())
        ]
        if errors:
            raise Invalid(errors)


def stays_first(one: Mergeable, other: Mergeable) -> bool:
    """Whether the first of two should stay: the one with clearly more in it, else the older."""
    ahead = _filled(one) - _filled(other)
    if abs(ahead) >= _FULLER_BY:
        return ahead > 0
    return (one.created_at, one.id) <= (other.created_at, other.id)


def choices(keep: Mergeable, other: Mergeable, changed: Sequence[Changes] = ({}, {})) -> list[Choice]:
    """The fields in which they differ, each with a sensible side. changed: of keep, of other."""
    email: Side | None = None
    found = []
    for name in MERGEABLE:
        mine, theirs = _value(keep, name), _value(other, name)
        if mine == theirs:
            continue
        side = _proposed(name, keep, other, changed)
        if name == "email":
            email = side
        if name == "domain" and email is not None and (theirs if email == "theirs" else mine):
            side = email  # the two belong together
        found.append(Choice(name, mine, theirs, side))
    return found


def merged(keep: Mergeable, other: Mergeable, wanted: Merge, changed: Sequence[Changes] = ({}, {})) -> changing.Values:
    """The columns to set in the lead that stays; {} where it stays as it is. A value brings its provenance.

    Raises Invalid where the leads together hold more than fits, or the lead would be left without email and domain.
    """
    sides = {choice.field: choice.proposed for choice in choices(keep, other, changed)} | dict(wanted.sides)
    provenance = dict(keep.provenance)
    values: changing.Values = {}
    for name, side in sides.items():
        if name in wanted.values or side == "mine":
            continue
        if side == "theirs":
            values[name] = getattr(other, name)
            _take_source(provenance, name, other, values[name])
        else:
            values |= parsed(LeadUpdate, {name: _joined(name, _value(keep, name), _value(other, name))}).changes()
    if wanted.values:
        values |= dict(wanted.values)
        for name in wanted.values:
            _take_word(provenance, name, wanted.values[name])
    values = {name: _plain(value) for name, value in values.items() if _plain(value) != _value(keep, name)}
    if values.keys() & {"email", "domain"}:
        email, domain = (values.get(name, getattr(keep, name)) for name in ("email", "domain"))
        values |= changing.domain_columns(email, domain)
        if email is None and values.get("domain", domain) is None:
            raise Invalid.of("take.email", "Without email and domain it is no lead. Take one of the two.")
    if provenance != keep.provenance:
        values[_PROVENANCE] = provenance
    return values


def _proposed(name: str, keep: Mergeable, other: Mergeable, changed: Sequence[Changes]) -> Side:
    mine, theirs = _value(keep, name), _value(other, name)
    if mine in _EMPTY or theirs in _EMPTY:
        return "theirs" if mine in _EMPTY else "mine"
    if name in JOINABLE and _fits(name, mine, theirs):
        return "both"
    return "theirs" if _prefers_theirs(name, keep, other, changed) else "mine"


def _prefers_theirs(name: str, keep: Mergeable, other: Mergeable, changed: Sequence[Changes]) -> bool:
    """Of two values that both say something; where none is better, the one that stays keeps its own."""
    mine, theirs = _value(keep, name), _value(other, name)
    one: Any
    two: Any
    match name:
        case "email":
            one, two = _email_rank(mine), _email_rank(theirs)
        case "domain" | "owner_id":
            one, two = 0, 0
        case "stage" if "lost" not in (mine, theirs):
            one, two = _STAGES[mine], _STAGES[theirs]
        case "follow_up_on":
            one, two = theirs, mine  # the sooner: nobody is forgotten
        case "contact_name" if similarity(words_of(mine, None), words_of(theirs, None)) in {"similar", "part"}:
            one, two = len(mine), len(theirs)  # a name in full before its initials
        case _:
            one, two = _word_rank(keep, name, changed[0]), _word_rank(other, name, changed[1])
    return bool(two > one)


def _word_rank(lead: Mergeable, name: str, changed: Changes) -> tuple[bool, datetime]:
    """A person's word before a machine's, then the later."""
    return not _is_machines(lead, name), changed.get(name, _LONG_AGO)


def _take_source(provenance: dict[str, Any], name: str, other: Mergeable, value: Any) -> None:
    """The source of a value that comes from the other lead; what is left empty on purpose no machine fills."""
    source = other.provenance.get(name)
    provenance.pop(name, None)
    if source is not None:
        provenance[name] = source
    elif value is None and name in changing.FILLABLE:
        provenance[name] = changing.BY_A_PERSON


def _take_word(provenance: dict[str, Any], name: str, value: Any) -> None:
    provenance.pop(name, None)
    if value is None and name in changing.FILLABLE:
        provenance[name] = changing.BY_A_PERSON


def _joined(name: str, mine: Any, theirs: Any) -> Any:
    if name == "tags":
        return [*mine, *(tag for tag in theirs if tag not in mine)]
    return "\n\n".join(text for text in (mine, theirs) if text)


def _fits(name: str, mine: Any, theirs: Any) -> bool:
    try:
        parsed(LeadUpdate, {name: _joined(name, mine, theirs)})
    except Invalid:
        return False
    return True


def _email_rank(email: str) -> tuple[bool, bool]:
    """An address at a company before one of free mail, a plain one before one with a tag."""
    local, _, host = email.rpartition("@")
    return not normalising.is_free_mail(host), "+" not in local


def _is_machines(lead: Mergeable, name: str) -> bool:
    source = lead.provenance.get(name)
    return source is not None and source != changing.BY_A_PERSON


def _filled(lead: Mergeable) -> int:
    return sum(_value(lead, name) not in _EMPTY for name in MERGEABLE)


def _value(lead: Mergeable, name: str) -> Any:
    return _plain(getattr(lead, name))


def _plain(value: Any) -> Any:
    """Stages as text, whether they come from the table or from a schema."""
    return str(value) if isinstance(value, str) else value
