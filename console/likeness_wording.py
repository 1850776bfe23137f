"""Why two leads are likely one, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

LIKELIHOODS = {"very likely": "Very likely", "likely": "Likely", "possible": "Possible"}


def reasons_in_words(reasons: Sequence[str], lead: Any, other: Any) -> str:
    """`Same phone +49 30 901820 · similar name`; said of the other as it is seen from the lead."""
    said = [REASONS[reason](lead, other) if reason in REASONS else reason.replace("_", " ") for reason in reasons]
    text = " · ".join(said)
    return text[:1].upper() + text[1:]


def _mailbox(lead: Any, other: Any) -> str:
    tagged = next((one.email for one in (lead, other) if one.email and "+" in one.email.partition("@")[0]), None)
    return f"same mailbox, {tagged} is an address with a tag" if tagged else "same mailbox, Gmail passes over dots"


def _domains(lead: Any, other: Any) -> str:
    return f"{other.registrable_domain} looks like {lead.registrable_domain}"


REASONS: Mapping[str, Callable[[Any, Any], str]] = {
    "mailbox": _mailbox,
    "phone": lambda _lead, other: f"same phone, {other.phone}",
    "shared_phone": lambda _lead, other: f"same phone, {other.phone}, another name",
    "same_name": lambda _lead, _other: "same name",
    "similar_name": lambda _lead, _other: "similar name",
    "part_of_name": lambda _lead, _other: "one name is part of the other",
    "nobody_named": lambda _lead, _other: "same company, nobody named in either",
    "lookalike_address": lambda lead, other: f"same address but for the domain, {_domains(lead, other)}",
    "lookalike_domain": _domains,
    "domain_addition": lambda lead, other: f"{other.registrable_domain} is {lead.registrable_domain} with an addition",
    "domain_ending": lambda lead, other: f"same domain but for the ending, {other.registrable_domain}",
}
