"""Whether a page is a company's, or the place holder of a registrar, host or dealer in domains. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from leads_core.enrichment.providers.page_text import parsed, visible_text
from leads_core.leads.normalising import registrable_domain

DEALERS = frozenset(
    {"sedo.com", "sedoparking.com", "parkingcrew.net", "parkingcrew.com", "bodis.com", "afternic.com", "dan.com",
     "hugedomains.com", "above.com", "uniregistry.com", "undeveloped.com", "buydomains.com", "domainmarket.com",
     "parklogic.com", "skenzo.com", "voodoo.com", "namebright.com", "atom.com", "brandbucket.com", "efty.com",
     "parkingpage.namecheap.com", "domainname.shop", "nicsell.com", "squadhelp.com", "parked.com", "cashparking.com"}
)  # fmt: skip
_PHRASES = re.compile(
    r"""domain\s(?:name\s)?(?:\S+\s)?(?:is|may\sbe)\s(?:for\ssale|parked|available\sfor)|buy\sthis\sdomain|this\sdomain\sis\sregistered
    |[a-z0-9-]\.[a-z]{2,10}\sis\sfor\ssale|first\sand\sbest\ssource\sfor\sall\sof\sthe\sinformation|sponsored\slistings\sdisplayed
    |parked\s(?:free|domain|page)|domain\sparking|domain\shas\s(?:expired|recently\sbeen\sregistered)|future\shome\sof
    |(?:website|site|page)\s(?:is\s)?(?:under\sconstruction|coming\ssoon)|inquire\sabout\sthis\sdomain
    |domain\s(?:\S+\s)?(?:steht|ist)\s(?:zum\sverkauf|zu\sverkaufen|geparkt|registriert)|hier\sentsteht\seine\s(?:neue\s)?(?:internetpr|website|webseite|homepage)
    |(?:ce\s)?(?:nom\sde\s)?domaine\s(?:\S+\s)?(?:est\s|a\s[ée]t[ée]\s)?(?:[àa]\svendre|r[ée]serv|enregistr)|site\sen\sconstruction
    |dominio\s(?:\S+\s)?(?:est[áa]\s)?(?:en\sventa|a\sla\sventa|aparcado)|dominio\s(?:\S+\s)?(?:[èe]\s)?in\svendita|sito\sin\s(?:costruzione|allestimento)
    |dit\sdomein\sis\s(?:te\skoop|geregistreerd|gereserveerd)|domena\s(?:jest\s)?na\ssprzeda|домен\s(?:продается|продаётся|припаркован)
    |このドメイン(?:は|名)|ドメインが取得|(?:サイト|ページ)は(?:現在)?(?:、)?(?:準備中|工事中)|域名(?:出售|正在出售|已过期)|(?:网站|網站)(?:正在)?(?:建设中|建設中)
    |(?:홈페이지|사이트)(?:는|가)?\s?준비\s?중|welcome\sto\s(?:nginx|centos)|apache2?\s(?:debian|ubuntu|centos)?\s?default\spage|\bit\sworks!|iis\swindows\sserver
    |web\sserver's\sdefault\spage|default\sweb\s(?:site\s)?page|index\sof\s/|account\ssuspended|plesk|cpanel
    """,
    re.IGNORECASE | re.VERBOSE,
)
SHORT = 1500
"""Characters of visible text: a company that deals in domains says more than a place holder does."""


def is_parked(body: bytes, *, content_type: str = "") -> bool:
    """Whether the page says in its title or in a short text that nobody lives here, or shows a dealer's frame."""
    page = parsed(body, content_type)
    title_node = page.css_first("title")
    if title_node and _PHRASES.search(" ".join(title_node.text(deep=True)[:500].split())):
        return True
    framed = (node.attributes.get("src") or "" for node in page.css("iframe[src], frame[src], script[src]")[:100])
    if any(_site(source) in DEALERS for source in framed):
        return True
    visible = " ".join(visible_text(page, SHORT * 20).split())
    return len(visible) <= SHORT and bool(_PHRASES.search(visible))


def _site(url: str) -> str | None:
    try:
        return registrable_domain(urlsplit(url).hostname or "")
    except ValueError:
        return None
