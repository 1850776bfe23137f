"""What an email address says by itself: a department's or a person's, free, disposable, perhaps a name. No network."""

from __future__ import annotations

import re
from functools import cache

from disposable_email_domains import blocklist

from leads_core.enrichment.providers import FoundFact, Subject
from leads_core.leads.normalising import is_free_mail, registrable_domain

#: Local parts that a department reads, RFC 2142's and what companies use beside them, in the languages of our leads.
_ROLE_WORDS = """
    abuse accounting accounts admin administration administrator ap ar billing bonjour booking bookings buchhaltung
    business career careers commercial compliance contact contacto contact-us contatti contato customercare customers
    customerservice desk dpo einkauf enquiries enquiry events facturacion finance ftp hallo hello help helpdesk hi hola
    hostmaster hr info information inquiries inquiry invest investor investors invoice invoices it jobs kontakt legal
    list mail mailbox management marketing media news newsletter no-reply noc noreply office ops order orders partner
    partners partnerships people personal postmaster pr presse press privacy procurement purchasing reception
    recepcion recruiting recruitment registrar reservations root sales secretariat security service services shop
    sklep soporte support talent team tech technical usenet vendas ventas verkauf vertrieb webmaster welcome work www
    zakupy
"""
ROLES = frozenset(_ROLE_WORDS.split())
_SEPARATORS = re.compile(r"[._-]+")
_NAME_WORD = re.compile(r"[^\W\d_]+")
_NAME_WORDS = range(2, 4)
GUESSED = 30
"""Confidence of a name that was read from an address: a guess, never filled in."""


class Email:
    """Reads the address alone, so it never fails and needs nobody's answer."""

    name = "email"
    fields = frozenset({"contact_name", "email_kind"})
    asks_nobody = True

    def applies_to(self, subject: Subject) -> bool:
        return subject.email is not None

    async def find(self, subject: Subject) -> list[FoundFact]:
        assert subject.email is not None  # noqa: S101 - applies_to
        local, _, host = subject.email.rpartition("@")
        kind = kind_of(local, host)
        guess = name_in(local) if kind in {"person", "free mail"} else None
        facts = [FoundFact("email_kind", kind, 95)]
        return facts + ([FoundFact("contact_name", guess, GUESSED, suggestion_only=True)] if guess else [])


def kind_of(local: str, host: str) -> str:
    """`disposable`, `role` (a department's), `free mail`, or `person` at a company."""
    if _is_disposable(host):
        return "disposable"
    if is_role(local):
        return "role"
    return "free mail" if is_free_mail(host) else "person"


def is_role(local: str) -> bool:
    """Whether a department reads this address: `info`, `sales-emea`, `jobs.berlin`, `billing+acme`."""
    plain = local.partition("+")[0]
    return plain in ROLES or _SEPARATORS.split(plain)[0] in ROLES


def name_in(local: str) -> str | None:
    """`ana.maria-diaz` gives `Ana Maria Diaz`; None where the parts do not look like a first and a last name."""
    words = _SEPARATORS.split(local.partition("+")[0])
    if len(words) not in _NAME_WORDS or not all(_NAME_WORD.fullmatch(word) for word in words):
        return None
    if len(words[0]) < 2 or len(words[-1]) < 2:  # an initial is no name
        return None
    return " ".join(word.capitalize() for word in words)


@cache
def _disposable() -> frozenset[str]:
    return frozenset(blocklist)


def _is_disposable(host: str) -> bool:
    return host in _disposable() or registrable_domain(host) in _disposable()
