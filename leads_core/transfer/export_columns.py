"""The columns of an export of leads: all, or those that somebody names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from leads_core.errors import Invalid

#: Those of a file that nobody chose columns for; they can be imported again.
COLUMNS = (
    *("company_name", "domain", "email", "contact_name", "job_title", "phone", "website", "linkedin_url", "industry"),
    *("employee_count", "city", "country", "language", "description", "notes", "tags", "stage", "owner_id"),
    *("follow_up_on", "is_manual", "source", "source_detail", "enrichment_status", "enrichment_outcome"),
    *("enriched_at", "created_at", "updated_at", "id"),
)
#: What can be asked for besides.
CHOOSABLE = (*COLUMNS, "deleted_at")


def named_columns(given: Iterable[str]) -> tuple[str, ...] | None:
    """Names as they were given, several in one with commas between; each once. None where nothing is given.

    Raises Invalid (`query.columns`) that names the first unknown one.
    """
    texts = list(given)
    if not texts:
        return None
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip())
    if unknown := next((name for name in names if name not in CHOOSABLE), None):
        raise Invalid.of("query.columns", f"There is no column “{unknown[:60]}”. There are: {', '.join(CHOOSABLE)}.")
    if not names:
        raise Invalid.of("query.columns", "Name a column, or leave this out for all.")
    return tuple(names)


def picked(lead: Any, columns: Sequence[str]) -> dict[str, Any]:
    """These of a lead's fields, in this order."""
    return {name: getattr(lead, name) for name in columns}
