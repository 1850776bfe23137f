"""Which pages a home page links to that say most of a company: imprint, contact, about. Pure; the page is hostile."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from urllib.parse import unquote, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads_core.enrichment.providers.gathered import company_of, host_of
from leads_core.enrichment.providers.page_text import parsed

MAX_LINKS = 1500
LONGEST_TEXT = 40
"""Characters of a link's text: a sentence that speaks of a contact is no link to the contact page."""


class Kind(StrEnum):
    """The surest first."""

    IMPRINT = "imprint"
    CONTACT = "contact"
    ABOUT = "about"


@dataclass(frozen=True, slots=True)
class InnerPage:
    """A page that the home page links to, and what it seems to be."""

    kind: Kind
    url: str


_WORDS = {
    Kind.IMPRINT: """
        impressum · imprint · anbieterkennzeichnung · legal notice · legal information · company information ·
        mentions légales · informations légales · aviso legal · informação legal · informações legais · note legali ·
        dati societari · colofon · bedrijfsgegevens · nota prawna · dane firmy · реквизиты · impresszum · künye ·
        imprint und kontakt · 特定商取引法に基づく表記 · 运营主体 · 사업자정보 · στοιχεία εταιρείας
    """,
    Kind.CONTACT: """
        contact · contact us · contacts · contact details · get in touch · kontakt · kontakta oss · kontakt os ·
        kontakt oss · kontaktieren sie uns · so erreichen sie uns · anfahrt und kontakt · contacto · contáctenos ·
        contáctanos · contactez nous · nous contacter · coordonnées · contatti · contattaci · contato · fale conosco ·
        contactos · contacte · contacteer ons · neem contact op · kontakty · kontakti · kontaktai · контакты ·
        контакти · контакт · связаться с нами · επικοινωνία · iletişim · bize ulaşın · yhteystiedot · ota yhteyttä ·
        kapcsolat · elérhetőség · liên hệ · hubungi kami · संपर्क करें · संपर्क · お問い合わせ · お問合せ · アクセス ·
        联系我们 · 聯絡我們 · 聯繫我們 · 문의하기 · 연락처 · 오시는길 · اتصل بنا · تواصل معنا · צור קשר · יצירת קשר ·
        ติดต่อเรา
    """,
    Kind.ABOUT: """
        about · about us · our company · company · who we are · our story · über uns · ueber uns · wir über uns ·
        unternehmen · das unternehmen · firma · à propos · a propos · qui sommes nous · entreprise · l entreprise ·
        notre histoire · sobre nosotros · quiénes somos · nosotros · empresa · la empresa · chi siamo · azienda ·
        l azienda · quem somos · sobre nós · sobre · a empresa · over ons · het bedrijf · o nas · o firmie · o nás ·
        o společnosti · o компании · о компании · о нас · о фирме · про нас · про компанію · за нас · σχετικά με εμάς ·
        η εταιρεία · ποιοι είμαστε · hakkımızda · kurumsal · om oss · om os · om företaget · tietoa meistä · meistä ·
        yritys · rólunk · cégünkről · despre noi · apie mus · par mums · meist · giới thiệu · về chúng tôi ·
        tentang kami · हमारे बारे में · 会社概要 · 会社案内 · 会社情報 · 企業情報 · 关于我们 · 公司简介 · 關於我們 ·
        회사소개 · من نحن · عن الشركة · אודות · เกี่ยวกับเรา
    """,
}
_FILE = re.compile(r"\.(?!(?:html?|php\d?|aspx?|jsp|shtml|xhtml|cfm|do)\Z)[a-z][a-z0-9]{1,4}\Z", re.IGNORECASE)
_EXTENSION = re.compile(r"\.[a-z0-9]{2,5}\Z", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[\W_]+")
_FIRST_WITHOUT_SPACES = "\u0590"  # from here on many scripts are written without spaces or inflect by prefix


def inner_pages(body: bytes, *, url: str, content_type: str = "") -> list[InnerPage]:
    """At most one page of each kind, under the registered domain of the page at url, in the order of Kind."""
    page = parsed(body, content_type)
    found: dict[str, dict[Kind, int]] = {}
    for address, text in _links(page, url):
        points = found.setdefault(address, dict.fromkeys(Kind, 0))
        for kind in Kind:
            points[kind] = max(points[kind], _points_of_text(text, kind) + _points_of_address(address, kind))
    chosen: list[InnerPage] = []
    for kind in Kind:
        taken = {page.url for page in chosen}
        best = max((one for one in found if one not in taken), key=lambda one: found[one][kind], default=None)
        if best is not None and found[best][kind]:
            chosen.append(InnerPage(kind, best))
    return chosen


def _links(page: LexborHTMLParser, url: str) -> Iterator[tuple[str, str]]:
    base_node = page.css_first("base[href]")
    base = _joined(url, base_node.attributes.get("href") or "") if base_node else url
    for node in islice(iter(page.css("a[href], area[href]")), MAX_LINKS):
        address = _own_page(_joined(base, (node.attributes.get("href") or "").strip()[:2048]), url)
        if address:
            yield address, _plain(_text_of(node))


def _own_page(address: str, home: str) -> str | None:
    """The address without its fragment, by the home page's scheme; None for the home page and for others' pages."""
    try:
        parts, at_home = urlsplit(address), urlsplit(home)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or port not in {None, 80, 443} or parts.username is not None:
        return None
    if company_of(host_of(address)) != company_of(host_of(home)) or _FILE.search(parts.path):
        return None
    if (parts.hostname, parts.path.rstrip("/"), parts.query) == (at_home.hostname, at_home.path.rstrip("/"), ""):
        return None
    scheme = at_home.scheme if parts.hostname == at_home.hostname and port is None else parts.scheme
    return parts._replace(scheme=scheme, path=parts.path or "/", fragment="").geturl()


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def _text_of(node: LexborNode) -> str:
    text = node.text(deep=True, separator=" ")[:200].strip()
    image = node.css_first("img[alt]")
    return (
        text
        or (node.attributes.get("aria-label") or node.attributes.get("title") or "")[:200]
        or ((image.attributes.get("alt") or "")[:200] if image else "")
    )


def _plain(text: str) -> str:
    """Lower case, words parted by one space, Latin letters without their accents."""
    letters = "".join(
        letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not "\u0300" <= letter <= "\u036f"
    )
    return _NOT_LETTERS.sub(" ", unicodedata.normalize("NFC", letters)).strip()


def _points_of_text(text: str, kind: Kind) -> int:
    if not text or len(text) > LONGEST_TEXT:
        return 0
    words = _PLAIN_WORDS[kind]
    if text in words:
        return 3
    return 2 if any(_stands_in(word, text) for word in words) else 0


def _points_of_address(address: str, kind: Kind) -> int:
    path = urlsplit(address).path.rstrip("/")
    segments = [_plain(unquote(segment, errors="ignore")) for segment in _EXTENSION.sub("", path).split("/")]
    words = _PLAIN_WORDS[kind]
    if segments[-1] in words or segments[-1].replace(" ", "") in _CLOSED_WORDS[kind]:
        return 2
    return 1 if len(segments[-1]) <= LONGEST_TEXT and any(_stands_in(word, segments[-1]) for word in words) else 0


def _stands_in(word: str, text: str) -> bool:
    if word in _SAID_OF_OTHERS_TOO:
        return False
    return word in text if word >= _FIRST_WITHOUT_SPACES else f" {word} " in f" {text} "


#: Alone they are a link to the page about this company; among others (`Register your company`) to anything.
_SAID_OF_OTHERS_TOO = frozenset(
    {"company", "firma", "unternehmen", "entreprise", "empresa", "nosotros", "azienda", "sobre", "yritys", "kurumsal",
     "meist", "colofon"}
)  # fmt: skip
_PLAIN_WORDS = {kind: frozenset(_plain(word) for word in words.split("·")) for kind, words in _WORDS.items()}
_CLOSED_WORDS = {kind: frozenset(word.replace(" ", "") for word in words) for kind, words in _PLAIN_WORDS.items()}
