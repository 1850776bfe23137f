"""What the name servers say of a lead's domain: does it exist, has it mail, whose, and how is that mail protected."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dns.rdata
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.txtbase import TXTBase

from leads_core.enrichment.providers import FoundFact, ProviderFailed, Subject
from leads_core.errors import OutgoingRefused
from leads_core.outgoing.client import OutgoingClient
from leads_core.outgoing.failures import NameDoesNotExist, NoNameServer

MAIL_PROVIDERS = (
    ("Google Workspace", ("google.com", "googlemail.com")),
    ("Microsoft 365", ("outlook.com", "office365.us", "partner.outlook.cn")),
    ("Zoho Mail", ("zoho.com", "zoho.eu", "zoho.in", "zohomail.com")),
    ("Proton Mail", ("protonmail.ch", "proton.me")),
    ("Fastmail", ("messagingengine.com",)),
    ("Apple iCloud", ("icloud.com",)),
    ("Yandex 360", ("yandex.net", "yandex.ru")),
    ("Mimecast", ("mimecast.com", "mimecast.co.za")),
    ("Proofpoint", ("pphosted.com", "ppe-hosted.com")),
    ("Barracuda", ("barracudanetworks.com",)),
    ("Cisco Secure Email", ("iphmx.com",)),
    ("Amazon WorkMail", ("amazonaws.com", "awsapps.com")),
    ("Rackspace Email", ("emailsrvr.com",)),
    ("GoDaddy", ("secureserver.net",)),
    ("OVHcloud", ("ovh.net",)),
    ("IONOS", ("ionos.com", "ionos.de", "kundenserver.de", "1and1.com", "perfora.net")),
    ("Strato", ("rzone.de",)),
    ("Hostinger", ("hostinger.com",)),
    ("Gandi", ("gandi.net",)),
    ("Infomaniak", ("infomaniak.ch",)),
    ("Migadu", ("migadu.com",)),
    ("mailbox.org", ("mailbox.org",)),
    ("Tuta", ("tutanota.de",)),
    ("Tencent Exmail", ("qq.com",)),
    ("Alibaba Mail", ("aliyun.com",)),
)
SPF_ENDS = {"-all": "strict (-all)", "~all": "soft (~all)", "?all": "neutral (?all)", "+all": "open (+all)"}
DMARC_POLICIES = frozenset({"none", "quarantine", "reject"})


class Dns:
    """Asks for A, MX, SPF and DMARC of the domain."""

    name = "dns"
    fields = frozenset({"resolves", "has_mail", "mail_provider", "spf", "dmarc"})

    def __init__(self, client: OutgoingClient) -> None:
        self._client = client

    def applies_to(self, subject: Subject) -> bool:
        return subject.domain is not None

    def about(self, subject: Subject) -> str | None:
        return subject.domain

    async def find(self, subject: Subject) -> list[FoundFact]:
        """Fails only when the domain does not exist or cannot be asked about; one missing record fails nothing."""
        assert subject.domain is not None  # noqa: S101 - applies_to
        domain = subject.domain
        try:
            addresses = await self._records(domain, "A") or await self._records(domain, "AAAA")
            mail = await self._records(domain, "MX")
        except OutgoingRefused as refused:
            raise ProviderFailed(
                str(refused), may_pass=refused.may_pass, provider_is_down=isinstance(refused, NoNameServer)
            ) from refused
        facts = [FoundFact("resolves", "yes" if addresses else "no", 100), *_mail_facts(mail)]
        spf, dmarc = await asyncio.gather(self._texts(domain), self._texts(f"_dmarc.{domain}"))
        if not dmarc and subject.registrable_domain not in {None, domain}:
            # RFC 7489 6.6.3: a name without a policy of its own is under the registered domain's
            dmarc = await self._texts(f"_dmarc.{subject.registrable_domain}")
        facts += [FoundFact("spf", _spf(spf), 100)] if spf is not None else []
        facts += [FoundFact("dmarc", _dmarc(dmarc), 100)] if dmarc is not None else []
        return facts

    async def _records(self, name: str, kind: str) -> Sequence[dns.rdata.Rdata]:
        return await self._client.lookup(name, kind, purpose=self.name)

    async def _texts(self, name: str) -> list[str] | None:
        """The TXT records at name, [] when there are none; None when nobody could say."""
        try:
            records = await self._records(name, "TXT")
        except NameDoesNotExist:
            return []
        except OutgoingRefused:
            return None
        return [b"".join(record.strings).decode("ascii", "ignore") for record in records if isinstance(record, TXTBase)]


def _mail_facts(records: Sequence[dns.rdata.Rdata]) -> list[FoundFact]:
    servers = sorted((record for record in records if isinstance(record, MX)), key=lambda record: record.preference)
    hosts = [server.exchange.to_text(omit_final_dot=True).lower() for server in servers]
    if not any(host not in {"", "."} for host in hosts):  # RFC 7505: a lone dot says that there is no mail
        return [FoundFact("has_mail", "no", 90)]
    provider = mail_provider(hosts)
    return [FoundFact("has_mail", "yes", 100), *([FoundFact("mail_provider", provider, 95)] if provider else [])]


def mail_provider(hosts: Sequence[str]) -> str | None:
    """Who runs these mail servers, in order of preference; None for one that is not known."""
    for host in hosts:
        for provider, domains in MAIL_PROVIDERS:
            if any(host == domain or host.endswith(f".{domain}") for domain in domains):
                return provider
    return None


def _spf(texts: Sequence[str]) -> str:
    policies = [text.lower().split() for text in texts if text.lower().split()[:1] == ["v=spf1"]]
    if not policies:
        return "missing"
    if len(policies) > 1:
        return "broken (several)"
    return next((SPF_ENDS[term] for term in policies[0] if term in SPF_ENDS), "present")


def _dmarc(texts: Sequence[str]) -> str:
    for text in texts:
        tags = dict(part.strip().lower().split("=", 1) for part in text.split(";") if "=" in part)
        if {name.strip(): value.strip() for name, value in tags.items()}.get("v") == "dmarc1":
            policy = tags.get("p", "").strip()
            return policy if policy in DMARC_POLICIES else "broken"
    return "missing"
