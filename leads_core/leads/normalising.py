"""Every value of a lead in one spelling, before it is compared or stored. Pure; each output normalises to itself.

What cannot be one raises ValueError with a sentence that says what to do; a schema shows it under the field.
The annotated types at the end read blank text as null.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from leads_core.leads.addresses import (
    EMAIL_LIMIT,
    PHONE_LIMIT,
    WEB_ADDRESS_LIMIT,
    normalise_email,
    normalise_linkedin_url,
    normalise_phone,
    normalise_web_address,
)
from leads_core.leads.codes import COUNTRY_NAMES, LANGUAGE_NAMES, OTHER_COUNTRY_NAMES, OTHER_LANGUAGE_NAMES
from leads_core.leads.domains import (
    DOMAIN_LIMIT,
    domain_of_email,
    is_free_mail,
    normalise_domain,
    registrable_domain,
    shown,
)
from leads_core.leads.folding import escape_like, fold, search_text, sort_key

__all__ = [
    "COUNTRY_NAMES",
    "LANGUAGE_NAMES",
    "Country",
    "Domain",
    "Email",
    "Language",
    "Line",
    "LinkedInAddress",
    "Paragraphs",
    "Phone",
    "Tags",
    "WebAddress",
    "clean_text",
    "domain_of_email",
    "escape_like",
    "fold",
    "is_free_mail",
    "normalise_country",
    "normalise_domain",
    "normalise_email",
    "normalise_language",
    "normalise_linkedin_url",
    "normalise_phone",
    "normalise_tags",
    "normalise_web_address",
    "registrable_domain",
    "search_text",
    "sort_key",
]

TAG_LIMIT = 50
TAGS_LIMIT = 50

_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\n\u2028\u2029]")
# Besides white space: the byte order mark and the zero-width space that copied text brings along at its ends.
_BLANK = "\ufeff\u200b"


def clean_text(value: str, *, limit: int, multiline: bool = False) -> str | None:
    """Text in NFC, trimmed, with newline as its only line end; None when nothing is left.

    In a single line, tabs and line ends become spaces. Raises ValueError for other control characters, U+0000
    and lone surrogates among them, and above `limit` characters.
    """
    if not (value.isascii() and value.isprintable()):
        value = value.replace("\r\n", "\n").replace("\r", "\n")
        refused = _REFUSED.search(value)
        if refused:
            raise ValueError(f"The character U+{ord(refused[0]):04X} cannot be kept. Remove it.")
        value = unicodedata.normalize("NFC", value if multiline else _BREAKS.sub(" ", value))
    value = _trimmed(value)
    if len(value) > limit:
        raise ValueError(f"At most {limit:,} characters fit here; these are {len(value):,}.")
    return value or None


def normalise_country(text: str) -> str:
    """ISO 3166-1 alpha-2 from a code or a country's English or own name. Raises ValueError, with the nearest name."""
    code = text.strip().upper()
    return code if code in COUNTRY_NAMES else _code_of(text, _country_codes(), COUNTRY_NAMES, "country")


def normalise_language(text: str) -> str:
    """ISO 639-1 from a code, a tag such as en-US, or a language's English or own name. Raises ValueError."""
    code = re.split(r"[-_]", text.strip().lower(), maxsplit=1)[0]
    return code if code in LANGUAGE_NAMES else _code_of(text, _language_codes(), LANGUAGE_NAMES, "language")


def normalise_tags(tags: Iterable[str]) -> list[str]:
    """Trimmed tags, blank ones dropped, the first spelling of each kept whatever its case.

    Raises ValueError for a comma, for more than 50 tags, and for one of more than 50 characters.
    """
    kept: dict[str, str] = {}
    for tag in tags:
        cleaned = clean_text(tag, limit=TAG_LIMIT)
        if cleaned is not None:
            if "," in cleaned:
                raise ValueError(f"{shown(cleaned)} has a comma. Make it two tags.")
            kept.setdefault(unicodedata.normalize("NFC", cleaned.casefold()), cleaned)
    if len(kept) > TAGS_LIMIT:
        raise ValueError(f"At most {TAGS_LIMIT} tags fit on a lead; these are {len(kept)}.")
    return list(kept.values())


@dataclass(frozen=True, slots=True)
class Line:
    """A single line, as in Annotated[str | None, Line(200)]: cleaned text of at most so many characters."""

    limit: int

    multiline = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any) -> Any:
            return clean_text(value, limit=self.limit, multiline=self.multiline) if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "maxLength": self.limit}


class Paragraphs(Line):
    """Text that keeps its tabs and line ends."""

    __slots__ = ()

    multiline = True


def _optional(read: Callable[[str], str], limit: int) -> BeforeValidator:
    """Blank text is null. The limit is checked before anything costly looks at the text, and again by `read`."""

    def validated(value: Any) -> Any:
        cleaned = clean_text(value, limit=limit) if isinstance(value, str) else value
        return read(cleaned) if isinstance(cleaned, str) else cleaned

    return BeforeValidator(validated)


def _list_of_tags(value: Any) -> Any:
    is_list_of_text = isinstance(value, list | tuple) and all(isinstance(tag, str) for tag in value)
    return normalise_tags(value) if is_list_of_text else value


def _as(**schema: Any) -> Any:
    return Field(json_schema_extra=schema)


_EMAIL = _optional(normalise_email, EMAIL_LIMIT)
Email: TypeAlias = Annotated[str | None, _EMAIL, _as(format="email", maxLength=EMAIL_LIMIT)]
# A whole URL may be typed; the domain inside is checked against its own limit.
_DOMAIN = _optional(normalise_domain, WEB_ADDRESS_LIMIT)
Domain: TypeAlias = Annotated[str | None, _DOMAIN, _as(examples=["acme.com"], maxLength=DOMAIN_LIMIT)]
Phone: TypeAlias = Annotated[str | None, _optional(normalise_phone, PHONE_LIMIT), _as(maxLength=PHONE_LIMIT)]
WebAddress: TypeAlias = Annotated[
    str | None, _optional(normalise_web_address, WEB_ADDRESS_LIMIT), _as(format="uri", maxLength=WEB_ADDRESS_LIMIT)
]
LinkedInAddress: TypeAlias = Annotated[
    str | None, _optional(normalise_linkedin_url, WEB_ADDRESS_LIMIT), _as(format="uri", maxLength=WEB_ADDRESS_LIMIT)
]
Country: TypeAlias = Annotated[str | None, _optional(normalise_country, 100), _as(examples=["DE"])]
Language: TypeAlias = Annotated[str | None, _optional(normalise_language, 100), _as(examples=["de"])]
Tags: TypeAlias = Annotated[list[str], BeforeValidator(_list_of_tags), _as(maxItems=TAGS_LIMIT)]


def _trimmed(text: str) -> str:
    while text != (text := text.strip().strip(_BLANK)):
        pass
    return text


def _code_of(text: str, codes: Mapping[str, str], names: Mapping[str, str], what: str) -> str:
    wanted = sort_key(text) or ""
    if wanted in codes:
        return codes[wanted]
    near = get_close_matches(wanted[:60], codes, n=1, cutoff=0.75)
    guess = f" Did you mean {names[codes[near[0]]]}?" if near else " Type its English name or its code of two letters."
    raise ValueError(f"{shown(text.strip())} is no {what} we know.{guess}")


@cache
def _country_codes() -> dict[str, str]:
    return _by_name(COUNTRY_NAMES, OTHER_COUNTRY_NAMES)


@cache
def _language_codes() -> dict[str, str]:
    return _by_name(LANGUAGE_NAMES, OTHER_LANGUAGE_NAMES)


def _by_name(names: Mapping[str, str], others: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {sort_key(name) or "": code for code, name in (*others, *names.items())}
