"""The filters of a list, each in one place: name in the address, label, kind, words of its values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from console import wording
from leads_core.leads.codes import COUNTRY_NAMES

#: ticks: any of a few values. people: any of the users. flag: yes or no. text: any of many values. days: from and to.
Kind = Literal["ticks", "people", "flag", "text", "days"]


@dataclass(frozen=True, slots=True)
class People:
    """Id -> name of those who can own leads, and which of them is looking."""

    names: Mapping[str, str] = field(default_factory=dict)
    me: str = ""

    @property
    def choices(self) -> Mapping[str, str]:
        """Whom a filter can be set to: oneself first, whoever looks."""
        return {"me": "Me", **{key: name for key, name in self.names.items() if key != self.me}}


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One filter. words: what its values are called; as a flag, what its chip says.

    label: in the menu; chip: on the chip, where that is another word. may_be_empty: whether a lead may be without it.
    """

    name: str
    label: str
    kind: Kind
    words: Mapping[str, str] = field(default_factory=dict)
    chip: str = ""
    may_be_empty: bool = False
    empty: str = "empty"
    filled: str = "not empty"

    @property
    def on_chip(self) -> str:
        return self.chip or self.label

    @property
    def names(self) -> tuple[str, ...]:
        """Its parameters in the address."""
        ends = (f"{self.name}_from", f"{self.name}_to") if self.kind == "days" else ()
        return ends if self.kind == "days" and not self.may_be_empty else (self.name, *ends)

    def word(self, value: str, people: People) -> str:
        """One value as a person reads it."""
        if self.kind == "people":
            return "me" if value == "me" else people.names.get(value, "somebody who left")
        return self.words.get(value, value)


FIELDS: tuple[Field, ...] = (
    Field("stage", "Stage", "ticks", wording.STAGES),
    Field("enrichment_status", "Enrichment", "ticks", wording.STATUSES),
    Field("source", "Source", "ticks", wording.SOURCES),
    Field("is_manual", "Added", "flag", {"true": "added by hand", "false": "not added by hand"}, "Leads"),
    Field("owner", "Owner", "people", may_be_empty=True, empty="nobody", filled="somebody"),
    Field("tag", "Tag", "text", may_be_empty=True),
    Field("country", "Country", "text", COUNTRY_NAMES, may_be_empty=True),
    Field("follow_up", "Follow-up", "days", may_be_empty=True),
    Field("created", "Added on", "days", chip="Added"),
    Field("updated", "Changed on", "days", chip="Changed"),
    Field("updated_by", "Changed by", "people"),
    Field("domain", "Domain", "text", may_be_empty=True),
    Field("registrable_domain", "Company domain", "text", may_be_empty=True),
    Field("enriched", "Values found on", "days", chip="Values found"),
    Field("checked", "Looked up on", "days", chip="Last looked up"),
    Field("enrichment_outcome", "Enrichment gave", "ticks", wording.OUTCOMES),
    Field("has_email", "Email", "flag", {"true": "with an email", "false": "without an email"}, "Leads"),
    Field("deleted", "Where", "flag", {"true": "in the bin", "false": "not in the bin"}, "Leads"),
)
#: What a flag's choices are called in the menu.
FLAG_CHOICES: Mapping[str, Mapping[str, str]] = {
    "is_manual": {"any": "Any", "true": "By hand", "false": "Not by hand"},
    "has_email": {"any": "Any", "true": "With", "false": "Without"},
    "deleted": {"any": "Live leads", "true": "In the bin"},
}
BY_NAME: Mapping[str, Field] = {name: one for one in FIELDS for name in one.names}
