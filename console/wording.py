"""Machine values in human words: states, fields, numbers, times. Pure; the same value always reads the same.

The sentences of the trail stand in trail_wording.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from leads_core.audit.record.entry import parse_timestamp
from leads_core.leads.codes import COUNTRY_NAMES, LANGUAGE_NAMES

NBSP = "\u00a0"

STAGES = {"new": "New", "contacted": "Contacted", "qualified": "Qualified", "won": "Won", "lost": "Lost"}
SOURCES = {"quick_add": "Quick-Add", "form": "Form", "api": "API", "import": "Import"}
STATUSES = {"pending": "Pending", "in_progress": "In progress", "completed": "Completed", "failed": "Failed"}
OUTCOMES = {"found": "Found", "partial": "Partial", "nothing": "Nothing found"}
CHANNELS = {"web": "Web", "api": "API", "import": "Import", "cli": "Command line", "worker": "Worker"}
ROLES = {"viewer": "viewer", "editor": "editor", "admin": "administrator"}

#: Every field of a lead, in the order in which people read them.
FIELDS = {
    "company_name": "Company",
    "domain": "Domain",
    "contact_name": "Contact",
    "job_title": "Job title",
    "email": "Email",
    "phone": "Phone",
    "website": "Website",
    "linkedin_url": "LinkedIn",
    "industry": "Industry",
    "employee_count": "Employees",
    "city": "City",
    "country": "Country",
    "language": "Language",
    "description": "Description",
    "stage": "Stage",
    "owner_id": "Owner",
    "follow_up_on": "Follow up on",
    "tags": "Tags",
    "notes": "Notes",
    "is_manual": "Added by hand",
    "source": "Source",
    "source_detail": "Where from",
    "registrable_domain": "Company domain",
    "enrichment_status": "Enrichment",
    "enrichment_outcome": "Enrichment gave",
    "enrichment_error": "Enrichment said",
    "enrichment_task_id": "Enrichment job",
    "enriched_at": "Enriched at",
    "merged_into": "Merged into",
}
#: What providers find beside the lead's own fields.
FACTS = {
    "mail_host": "Mail host",
    "mail_provider": "Mail host",
    "mx": "Mail servers",
    "has_mail": "Has mail",
    "spf": "SPF",
    "dmarc": "DMARC",
    "resolves": "Domain resolves",
    "address": "Address",
    "founded_on": "Founded",
    "generator": "Site made with",
    "social_profile": "Social profile",
    "title": "Title of the site",
    "employee_range": "Employees, from to",
    "email_kind": "Kind of address",
    "parked": "Domain is parked",
    "redirects_to": "Site leads to",
    "site_shows": "Site shows",
}
YES_OR_NO = {"yes": "Yes", "no": "No"}
#: What providers say in words of their own: theirs stay where none stands here.
FACT_VALUES: dict[str, Mapping[str, str]] = {
    "resolves": YES_OR_NO,
    "has_mail": YES_OR_NO,
    "parked": YES_OR_NO,
    "email_kind": {
        "person": "One person's",
        "role": "A department's",
        "free mail": "Private, at a mail service",
        "disposable": "Thrown away after use",
    },
    "spf": {
        "strict (-all)": "Strict (-all)",
        "soft (~all)": "Soft (~all)",
        "neutral (?all)": "Neutral (?all)",
        "open (+all)": "Open (+all)",
        "present": "There, without an end",
        "missing": "None",
        "broken (several)": "Broken: there are several",
    },
    "dmarc": {
        "none": "Watches only (none)",
        "quarantine": "To spam (quarantine)",
        "reject": "Refuses (reject)",
        "missing": "None",
        "broken": "Broken",
    },
    "site_shows": {
        "a gate that keeps machines out": "A gate that keeps machines out",
        "a login": "A login",
        "an error": "An error",
        "maintenance work": "Maintenance work",
    },
}
#: How browsers call themselves, the most particular first: every one of them also claims to be others.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "HeadlessChrome": "Chrome",
    "Chrome": "Chrome",
    "Version": "Safari",
}
#: Whoever waits no longer than this is not told so: it would be said and over.
SHORT_WAIT = timedelta(seconds=10)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WORDS_BY_FIELD: dict[str, Mapping[str, str]] = {
    **FACT_VALUES,
    "stage": STAGES,
    "source": SOURCES,
    "enrichment_status": STATUSES,
    "enrichment_outcome": OUTCOMES,
    "country": COUNTRY_NAMES,
    "language": LANGUAGE_NAMES,
}


@dataclass(frozen=True, slots=True)
class State:
    """An enrichment's dot (`key`), its word, and what is worth adding in muted letters."""

    key: str
    word: str
    detail: str = ""


class JobInProgress(Protocol):
    """What is said of an enrichment that has not ended."""

    @property
    def state(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def next_attempt_at(self) -> datetime | None: ...
    @property
    def error(self) -> str | None: ...


def enrichment_state(
    status: str, outcome: str | None, error: str | None, job: JobInProgress | None = None, now: datetime | None = None
) -> State:
    """How the enrichment of a lead stands; with its job also whether it still waits, or is tried again when and why."""
    if status == "in_progress" and job is not None and now is not None:
        if job.state == "retrying":
            return State("retrying", "Tries again", retrying(job.error, job.next_attempt_at, now))
        if job.state == "queued" and now - job.created_at > SHORT_WAIT:
            return State("pending", "Waiting", "for its turn")
    if status == "completed" and outcome in {"partial", "nothing"}:
        return State(outcome, STATUSES["completed"], error or {"partial": "in part", "nothing": "nothing new"}[outcome])
    return State(status, STATUSES.get(status, status), (error or "") if status == "failed" else "")


def field_label(field: str) -> str:
    """`job_title` is Job title; a field nobody named keeps its own words."""
    return FIELDS.get(field) or FACTS.get(field) or field.replace("_", " ").capitalize()


def field_in_sentence(field: str) -> str:
    """The label in the middle of a sentence: job title, but LinkedIn."""
    label = field_label(field)
    return label if label in {"LinkedIn", "SPF", "DMARC"} else label[:1].lower() + label[1:]


def country_name(code: str | None) -> str:
    """`DK` is Denmark; a code that no table knows stays as it is."""
    return COUNTRY_NAMES.get(code, code) if code else ""


def value_in_words(field: str, value: Any) -> str:
    """A field's value as a person reads it. Empty text for nothing."""
    match value:
        case None:
            words = ""
        case bool():
            words = "Yes" if value else "No"
        case list() | tuple():
            words = ", ".join(str(item) for item in value)
        case int():
            words = number(value)
        case datetime():
            words = full_time(value)
        case date():
            words = day(value)
        case _:
            words = WORDS_BY_FIELD.get(field, {}).get(str(value)) or _stored_time(field, str(value))
    return words


def number(value: int) -> str:
    """1284 is 1,284."""
    return f"{value:,}"


def short_number(value: int) -> str:
    """For narrow places: 1,284 up to 99,999, then 412 k and 5.1 M."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (100_000, "k")):
        if value >= size:
            unit = 1_000 if letter == "k" else size
            shown = f"{value / unit:.1f}".removesuffix(".0") if value < 10 * unit else f"{value / unit:.0f}"
            return f"{shown}{NBSP}{letter}"
    return number(value)


def count_in_words(value: int, relation: str) -> str:
    """A total for narrow places: 1,284 · 10,000+ · about 3.4 M."""
    shown = short_number(value)
    return {"exact": shown, "at_least": f"{shown}+"}.get(relation, f"about {shown}")


def total_in_words(value: int, relation: str) -> str:
    """How many, as honestly as it is known: 1,284 · More than 10,000 · About 3.4 million."""
    if relation == "exact":
        return number(value)
    if relation == "at_least":
        return f"At least {number(value)}"
    if value >= 1_000_000:
        return f"About {value / 1_000_000:.1f}".removesuffix(".0") + " million"
    step = 10 ** max(0, len(str(value)) - 2)
    return f"About {number(round(value / step) * step)}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 lead`, `1,284 leads`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def short_time(at: datetime, now: datetime) -> str:
    """just now, 14:31 UTC, Yesterday, 21 Nov, 21 Nov 2025. A script turns it into the viewer's zone."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    if timedelta() <= now - at < timedelta(minutes=1):
        return "just now"
    if at.date() == now.date():
        return f"{at:%H:%M} UTC"
    if at.date() == now.date() - timedelta(days=1):
        return "Yesterday"
    return day(at.date(), now.date())


def exact_time(at: datetime, now: datetime) -> str:
    """As short_time, but with the minute on every day: Yesterday, 14:31 UTC."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    short = short_time(at, now)
    return short if short == "just now" or short.endswith("UTC") else f"{short}, {at:%H:%M} UTC"


def ago(at: datetime, now: datetime) -> str:
    """12 minutes ago within the hour, then as exact_time: for histories."""
    minutes = int((now - at).total_seconds() // 60)
    return plural(minutes, "minute") + " ago" if 0 < minutes < 60 else exact_time(at, now)


def duration(seconds: float) -> str:
    """0.4 s, 48 s, 5 min, 3 h, 2 days: one unit, as precise as it matters."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}".removesuffix(".0") + f"{NBSP}s"
    for size, unit, up_to in ((1, "s", 90), (60, "min", 5_400), (3_600, "h", 172_800)):
        if seconds < up_to:
            return f"{seconds / size:.0f}{NBSP}{unit}"
    return f"{seconds / 86_400:.0f}{NBSP}days"


def milliseconds(value: int | None) -> str:
    """0.04 s, 1.6 s, never less than 0.01 s; nothing where nothing was measured."""
    if value is None:
        return ""
    return f"{max(10, value) / 1000:.2f}{NBSP}s" if value < 100 else duration(value / 1000)


def retrying(reason: str | None, next_at: datetime | None, now: datetime) -> str:
    """Website: acme.com did not answer in 10 s. Next try in 48 s."""
    said = (reason or "It did not work.").rstrip(".") + "."
    source, colon, rest = said.partition(": ")
    if colon and source.isalpha() and source.islower():
        said = f"{'DNS' if source == 'dns' else source.capitalize()}: {rest}"
    left = (next_at - now).total_seconds() if next_at else 0
    return f"{said} Next try {f'in {duration(left)}' if left > 0 else 'now'}."


def full_time(at: datetime) -> str:
    """24 Nov 2026, 14:31:02 UTC."""
    at = at.astimezone(UTC)
    return f"{day(at.date())}, {at:%H:%M:%S} UTC"


def recorded_time(text: str | None) -> datetime | None:
    """A time as the trail and provenance write it; None for none, and for what is no such time."""
    try:
        return parse_timestamp(text) if text else None
    except ValueError:
        return None


def machine_time(at: datetime) -> str:
    """For datetime attributes: 2026-11-24T14:31:02Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def day(value: date, now: date | None = None) -> str:
    """21 Nov 2026; without the year when it is this one."""
    year = "" if now is not None and value.year == now.year else f" {value.year}"
    return f"{value.day} {MONTHS[value.month - 1]}{year}"


def agent_in_words(user_agent: str) -> str:
    """A browser's name and version, or a script's: Firefox 140, curl 8.5.0."""
    for token, name in BROWSERS.items():
        if found := re.search(rf"\b{token}/(\d+)", user_agent):
            return f"{name} {found[1]}"
    product, _, rest = user_agent.partition("/")
    return f"{product} {rest.split()[0]}" if rest.split() and len(product) <= 30 else user_agent[:30]


def initials(name: str) -> str:
    """Rosa Engel is RE."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def _stored_time(field: str, text: str) -> str:
    """Times and days in the trail are text; anything else stays as it was written."""
    if not (field.endswith(("_at", "_on"))):
        return text
    try:
        return full_time(datetime.fromisoformat(text)) if "T" in text else day(date.fromisoformat(text))
    except ValueError:
        return text
