"""What a change sets: derived columns, and whose word each field is. Pure: the service locks and writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from leads_core.errors import Invalid
from leads_core.leads import normalising
from leads_core.leads.models import Lead
from leads_core.leads.schemas import EnrichmentStatus, LeadCreate, Source

Values = dict[str, Any]

#: What a machine may fill; never email and domain: an address that it finds is a suggestion.
FILLABLE = frozenset(
    {
        *("company_name", "contact_name", "job_title", "phone", "website", "linkedin_url"),
        *("industry", "employee_count", "city", "country", "language", "description"),
    }
)
BY_A_PERSON = {"source": "person"}
#: Out of the bin again; a lead that was merged stands for itself from then on.
RESTORED: Mapping[str, Any] = {"deleted_at": None, "deleted_by": None, "merged_into": None}


def values_of_new(wanted: LeadCreate, source: Source) -> Values:
    """The columns of a lead that does not exist yet; enrichment is pending."""
    values = wanted.columns()
    return {
        **values,
        **_derived({}, values),
        "source": source.value,
        "enrichment_status": EnrichmentStatus.PENDING.value,
        "provenance": {},
    }


def with_persons_values(lead: Lead, changes: Mapping[str, Any]) -> Values:
    """The columns to set when a person (or a token, or a file) gives these values; only what differs.

    What a machine filled becomes a person's word; what a person empties is never filled by a machine again.
    """
    before = {name: getattr(lead, name) for name in NORMALISED_TOGETHER}
    values = {**changes, **_derived(before, {**changes})}
    values = {name: value for name, value in values.items() if getattr(lead, name) != value}
    provenance = dict(lead.provenance)
    for name in values.keys() & FILLABLE:
        if values[name] is None:
            provenance[name] = BY_A_PERSON
        else:
            provenance.pop(name, None)
    if provenance != lead.provenance:
        values["provenance"] = provenance
    return values


def enrichment_begun(task_id: UUID) -> Values:
    """The columns of a lead whose enrichment has just been asked for."""
    return {
        "enrichment_status": EnrichmentStatus.IN_PROGRESS.value,
        "enrichment_outcome": None,
        "enrichment_error": None,
        "enrichment_task_id": task_id,
    }


def before_enrichment(lead: Lead) -> Values:
    """What a job keeps of the lead, so that it can be cancelled as if nobody had asked."""
    return {
        "status_before": lead.enrichment_status,
        "outcome_before": lead.enrichment_outcome,
        "error_before": lead.enrichment_error,
    }


def enrichment_cancelled(before: Mapping[str, Any]) -> Values:
    """The columns of a lead whose enrichment was cancelled while it waited; before is what the job kept."""
    status = before.get("status_before") or EnrichmentStatus.PENDING.value
    outcome = before.get("outcome_before")
    if (status == EnrichmentStatus.COMPLETED) != (outcome is not None):
        status, outcome = EnrichmentStatus.PENDING.value, None
    return {
        "enrichment_status": status,
        "enrichment_outcome": outcome,
        "enrichment_error": before.get("error_before"),
        "enrichment_task_id": None,
    }


def differs(lead: Lead, values: Mapping[str, Any]) -> bool:
    """Whether setting these columns would change anything."""
    return any(getattr(lead, name) != value for name, value in values.items())


def set_columns(lead: Lead, values: Mapping[str, Any]) -> None:
    """Set columns and bring the lists' own into step."""
    for name, value in values.items():
        setattr(lead, name, value)
    for name, value in list_columns(lead.email, lead.domain, lead.company_name, lead.contact_name).items():
        if getattr(lead, name) != value:
            setattr(lead, name, value)


def list_columns(email: str | None, domain: str | None, company_name: str | None, contact_name: str | None) -> Values:
    """search_text and the sort keys; never in an entry."""
    return {
        "search_text": normalising.search_text(email, domain, company_name, contact_name),
        "company_sort": normalising.sort_key(company_name),
        "contact_sort": normalising.sort_key(contact_name),
    }


def domain_columns(email: str | None, domain: str | None) -> Values:
    """registrable_domain, and the domain itself where only the email says it."""
    derived: Values = {}
    if domain is None and email is not None:
        host = normalising.domain_of_email(email)
        derived["domain"] = domain = None if normalising.is_free_mail(host) else host
    derived["registrable_domain"] = normalising.registrable_domain(domain) if domain else None
    return derived


NORMALISED_TOGETHER = ("email", "domain", "phone", "country")


def _derived(before: Mapping[str, Any], changes: Mapping[str, Any]) -> Values:
    """What follows from other fields: the domain from the email, its registrable part, the phone from the country."""
    after = {name: changes.get(name, before.get(name)) for name in NORMALISED_TOGETHER}
    derived = domain_columns(after["email"], after["domain"])
    if after["phone"] is not None and (changes.keys() & {"phone", "country"} or not before):
        derived["phone"] = _phone(after["phone"], after["country"])
    return derived


def _phone(text: str, country: str | None) -> str:
    if text.startswith("+"):
        return text  # as the schema left it: the country says nothing about such a number
    try:
        return normalising.normalise_phone(text, country)
    except ValueError as error:
        raise Invalid.of("phone", str(error)) from error
