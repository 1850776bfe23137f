"""What the dns provider says of a domain, asked of a real name server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from leads_core.enrichment.providers import ProviderFailed, Subject
from leads_core.enrichment.providers.dns import Dns, mail_provider
from leads_core.outgoing.client import OutgoingClient
from leads_core.outgoing.recording import RequestRecord
from tests.servers.dns_server import DnsServer

DOMAIN = "brandt-werkzeuge.de"


async def found(guard: OutgoingClient, subject: Subject) -> dict[str, Any]:
    return {fact.field: fact.value for fact in await Dns(guard).find(subject)}


async def test_domain_with_protected_mail_is_described(
    dns_server: DnsServer, guard: OutgoingClient, subject: Subject, requests_made: list[RequestRecord]
) -> None:
    dns_server.add(DOMAIN, "A", "8.8.8.8")
    dns_server.add(DOMAIN, "MX", "20 alt1.aspmx.l.google.com.", "10 aspmx.l.google.com.")
    dns_server.add(DOMAIN, "TXT", '"google-site-verification=x"', '"v=spf1 include:_spf.google" ".com ~all"')
    dns_server.add(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=reject; rua=mailto:x@y.de"')

    assert await found(guard, subject) == {
        "resolves": "yes",
        "has_mail": "yes",
        "mail_provider": "Google Workspace",
        "spf": "soft (~all)",
        "dmarc": "reject",
    }
    assert {record.url for record in requests_made} >= {f"dns:{DOMAIN}?type=MX", f"dns:_dmarc.{DOMAIN}?type=TXT"}


async def test_domain_without_mail_is_said_so(dns_server: DnsServer, guard: OutgoingClient, subject: Subject) -> None:
    dns_server.add(DOMAIN, "AAAA", "2606:4700::1")
    dns_server.add(DOMAIN, "MX", "0 .")

    assert await found(guard, subject) == {"resolves": "yes", "has_mail": "no", "spf": "missing", "dmarc": "missing"}


async def test_policy_of_the_registered_domain_holds_below_it(
    dns_server: DnsServer, guard: OutgoingClient, subject: Subject
) -> None:
    dns_server.add(f"careers.{DOMAIN}", "MX", "10 careers.mail.protection.outlook.com.")
    dns_server.add(f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1;p=quarantine"')

    facts = await found(guard, replace(subject, domain=f"careers.{DOMAIN}"))

    assert (facts["resolves"], facts["mail_provider"], facts["dmarc"]) == ("no", "Microsoft 365", "quarantine")


async def test_domain_that_does_not_exist_fails_for_good(guard: OutgoingClient, subject: Subject) -> None:
    with pytest.raises(ProviderFailed, match=r"brandt-werkzeuge\.de does not exist\.") as failed:
        await Dns(guard).find(subject)

    assert not failed.value.may_pass


async def test_failure_of_the_name_server_may_pass(
    dns_server: DnsServer, guard: OutgoingClient, subject: Subject
) -> None:
    dns_server.fail(DOMAIN)

    with pytest.raises(ProviderFailed, match="could not answer") as failed:
        await Dns(guard).find(subject)

    assert failed.value.may_pass


async def test_one_record_that_nobody_can_tell_loses_none_of_the_others(
    dns_server: DnsServer, guard: OutgoingClient, subject: Subject
) -> None:
    dns_server.add(DOMAIN, "A", "8.8.8.8")
    dns_server.fail(f"_dmarc.{DOMAIN}")

    assert await found(guard, subject) == {"resolves": "yes", "has_mail": "no", "spf": "missing"}


def test_lead_without_a_domain_is_nothing_to_ask_about(subject: Subject) -> None:
    assert not Dns(OutgoingClient()).applies_to(replace(subject, domain=None))


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("mail.protonmail.ch", "Proton Mail"),
        ("mx.zoho.eu", "Zoho Mail"),
        ("notgoogle.com", None),
        ("google.com.evil.example", None),
    ],
)
def test_mail_provider_is_known_by_its_servers(host: str, provider: str | None) -> None:
    assert mail_provider([host]) == provider
