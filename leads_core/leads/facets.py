"""The facet: one small number for the five things that lists filter by most, so that one index serves them all.

Positions are fixed for ever: the generated column leads.facet and its indexes hold them. A new value takes the next
free place of its dimension (source, status and stage have eight each).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from leads_core.leads.schemas import EnrichmentOutcome, EnrichmentStatus, Source, Stage

#: Where enrichment stands, with how it ended in place of `completed`.
STATUSES = (
    EnrichmentStatus.PENDING.value,
    EnrichmentStatus.IN_PROGRESS.value,
    EnrichmentOutcome.FOUND.value,
    EnrichmentOutcome.PARTIAL.value,
    EnrichmentOutcome.NOTHING.value,
    EnrichmentStatus.FAILED.value,
)
STAGES = (Stage.NEW.value, Stage.CONTACTED.value, Stage.QUALIFIED.value, Stage.WON.value, Stage.LOST.value)
SOURCES = (Source.QUICK_ADD.value, Source.FORM.value, Source.API.value, Source.IMPORT.value)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One part of the code: its values by position, the bits it takes, and its first tag within a coarse bucket."""

    values: tuple[object, ...]
    shift: int
    places: int
    first_tag: int


DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(
    {
        "has_email": Dimension((False, True), shift=0, places=2, first_tag=0),
        "source": Dimension(SOURCES, shift=1, places=8, first_tag=24),
        "status": Dimension(STATUSES, shift=4, places=8, first_tag=16),
        "stage": Dimension(STAGES, shift=7, places=8, first_tag=8),
        "is_manual": Dimension((False, True), shift=10, places=2, first_tag=2),
    }
)

#: Fine buckets (65,536 arrivals each), coarse ones (16 fine), then the tags of facet values, 64 for each coarse bucket.
FINE, COARSE, SCOPED = 1_000_000, 2_000_000, 10_000_000
FINE_IN_COARSE, TAGS_IN_COARSE = 16, 64

Positions = Mapping[str, frozenset[int]]
"""Dimension -> the positions that a filter allows. A dimension that is absent allows all."""


def encode(*, has_email: bool, source: str, status: str, stage: str, is_manual: bool) -> int:
    """The code of a lead; status is the outcome where enrichment is completed. Raises ValueError for unknown values."""
    given = {"has_email": has_email, "source": source, "status": status, "stage": stage, "is_manual": is_manual}
    return sum(DIMENSIONS[name].values.index(value) << DIMENSIONS[name].shift for name, value in given.items())


def decode(code: int) -> dict[str, object]:
    """Dimension -> value. Raises IndexError for a code that no lead can have."""
    return {name: dimension.values[position(code, name)] for name, dimension in DIMENSIONS.items()}


def position(code: int, dimension: str) -> int:
    """Where in its dimension the code stands."""
    part = DIMENSIONS[dimension]
    return (code >> part.shift) & (part.places - 1)


def matches(code: int, allowed: Positions) -> bool:
    """Whether a lead with this code passes."""
    return all(position(code, name) in positions for name, positions in allowed.items())


def codes_for(allowed: Positions) -> list[int]:
    """Every code that passes, in order; at most 480."""
    ranges = [sorted(allowed.get(name, frozenset(range(len(part.values))))) for name, part in DIMENSIONS.items()]
    shifts = [part.shift for part in DIMENSIONS.values()]
    return sorted(
        sum(place << shift for place, shift in zip(places, shifts, strict=True)) for places in product(*ranges)
    )


def single_tags(allowed: Positions) -> list[int]:
    """The tags, counted from a coarse bucket's first, of those dimensions that allow one value only."""
    return [DIMENSIONS[name].first_tag + next(iter(places)) for name, places in allowed.items() if len(places) == 1]


def _case(column: str, values: Iterable[object]) -> str:
    arms = " ".join(f"WHEN '{value}' THEN {place}" for place, value in enumerate(values))
    return f"CASE {column} {arms} END"


def facet_sql() -> str:
    """The expression of the generated column."""
    at = {name: dimension.shift for name, dimension in DIMENSIONS.items()}
    status = _case("coalesce(enrichment_outcome, enrichment_status)", STATUSES)
    return (
        f"((is_manual::integer << {at['is_manual']}) + ({_case('stage', STAGES)} << {at['stage']})"
        f" + ({status} << {at['status']}) + ({_case('source', SOURCES)} << {at['source']})"
        f" + (email IS NOT NULL)::integer)::smallint"
    )


def tags_sql() -> str:
    """The body of lead_tags(bucket, facet): the tags under which a lead stands in the search index."""
    scoped = ",\n        ".join(
        f"{SCOPED} + bucket / {FINE_IN_COARSE} * {TAGS_IN_COARSE}"
        f" + {part.first_tag} + ((facet >> {part.shift}) & {part.places - 1})"
        for part in DIMENSIONS.values()
    )
    return f"""ARRAY[
        {FINE} + bucket,
        {COARSE} + bucket / {FINE_IN_COARSE},
        {scoped}]"""
