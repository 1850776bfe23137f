"""What the Quick-Add field says of the lines that were not added. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from console import wording
from leads_core.errors import IdentityTaken, Invalid
from leads_core.leads.schemas import LeadRead
from leads_core.leads.service import QuickAdded


@dataclass(frozen=True, slots=True)
class QuickError:
    """One line that was not added: why, and the lead that is in the way, if one is.

    news: what the line says and that lead leaves empty, as (label, value).
    """

    line: str
    message: str
    existing: LeadRead | None = None
    in_bin: bool = False
    news: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class QuickState:
    """What stands in the Quick-Add field, and what is said under it; added counts the lines that are leads now."""

    text: str = ""
    errors: Sequence[QuickError] = field(default_factory=tuple)
    added: int = 0


def what_stays(results: Sequence[QuickAdded], *, added: int = 0) -> QuickState:
    failed = [result for result in results if result.error]
    return QuickState("\n".join(result.text for result in failed), [_in_words(one) for one in failed], added)


def _in_words(result: QuickAdded) -> QuickError:
    match result.error:
        case IdentityTaken():
            return _duplicate(result)
        case Invalid() as invalid:
            return QuickError(result.text, invalid.errors[0].message)
        case other:
            return QuickError(result.text, str(other))


def _duplicate(result: QuickAdded) -> QuickError:
    if result.existing is None:
        return QuickError(result.text, "Somebody changed the lead with this name at the same moment. Try again.")
    news = [(wording.FIELDS[name], value) for name, value in result.news.items()]
    in_bin = result.existing.is_deleted
    return QuickError(result.text, "", result.existing, in_bin, () if in_bin else news)
