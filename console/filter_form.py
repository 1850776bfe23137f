"""What the forms of the filter menu send, said as an address says it. Pure.

A form cannot write `!won`, nor two bounds from one choice. So beside a filter's own values it sends what is meant:
`stage.op=not` (is, not, empty, filled), `tag.add=vip` (one more value), `tag.keep=!cold` (a value that another chip
says), `created.when=7d..` (from..to, none, or dates for the two fields beside it) and `created.was=dates` (what was
chosen when the form was made).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from console.list_fields import BY_NAME, FIELDS, Field
from leads_core.leads.filters import NONE
from leads_core.leads.normalising import normalise_country

Pair = tuple[str, str]
MEANT = (".op", ".add", ".keep", ".when", ".was")
DATES = "dates"


def is_from_form(pairs: Iterable[Pair]) -> bool:
    """Whether a form says what is meant in its own way."""
    return any(name.endswith(MEANT) and _field_of(name) is not None for name, _ in pairs)


def as_address(pairs: Sequence[Pair]) -> list[Pair]:
    """The same in the words of an address; what is none of a form's stays as it is."""
    if not is_from_form(pairs):
        return list(pairs)
    said: list[Pair] = [pair for pair in pairs if pair[0] not in BY_NAME and not pair[0].endswith(MEANT)]
    for field in FIELDS:
        own = [pair for pair in pairs if pair[0] in field.names]
        meant = [(name.rpartition(".")[2], value) for name, value in pairs if _field_of(name) is field]
        said += (_days if field.kind == "days" else _values)(field, own, meant) if meant else own
    return said


def _values(field: Field, own: list[Pair], meant: list[Pair]) -> list[Pair]:
    chosen = [value for _, value in own if value and value != "any"]
    chosen += [_normal(field, value) for what, value in meant if what == "add" and value]
    match dict(meant).get("op"):
        case "empty":
            chosen = [NONE]
        case "filled":
            chosen = [f"!{NONE}"]
        case "not":
            chosen = [f"!{value}" for value in chosen]
        case _:
            pass
    return [(field.name, value) for value in [*chosen, *(value for what, value in meant if what == "keep")]]


def _days(field: Field, own: list[Pair], meant: list[Pair]) -> list[Pair]:
    """A choice from the list wins over the dates beside it; so does taking it back."""
    said = dict(meant)
    when, was = said.get("when", ""), said.get("was", "")
    if when == DATES or when == was == "":
        return [pair for pair in own if pair[0] != field.name and pair[1]]
    if not when:
        return []
    if when in {NONE, f"!{NONE}"}:
        return [(field.name, when)]
    start, _, end = when.partition("..")
    bounds = {f"{field.name}_from": start, f"{field.name}_to": end}
    return [(name, value) for name, value in bounds.items() if value]


def _normal(field: Field, text: str) -> str:
    """A country by its name; what is no country stays as it was typed, and the list says so."""
    if field.name == "country":
        with suppress(ValueError):
            return normalise_country(text)
    return text


def _field_of(name: str) -> Field | None:
    """Which filter `stage.op` speaks of."""
    first = name.partition(".")[0]
    return next((field for field in FIELDS if field.name == first), None) if "." in name else None
