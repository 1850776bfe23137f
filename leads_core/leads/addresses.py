"""Emails, phone numbers and web addresses: one spelling for each, and a sentence for what is none."""

import re
import unicodedata
from urllib.parse import quote

import phonenumbers
from email_validator import validate_email

from leads_core.leads.domains import (
    domain_of_email,
    registrable_domain,
    scheme_of,
    shown,
    split_address,
)

EMAIL_LIMIT = 254
PHONE_LIMIT = 50
WEB_ADDRESS_LIMIT = 2048

_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_EMAIL = re.compile(
    rf"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:{_LABEL}\.)+(?!(?:arpa|invalid|local|localhost|onion|test)\Z)[a-z]{{2,63}}"
)
_PHONE_SIGNS = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]+(?:(?:ext|x|#)[.:]?\s*\d{1,7})?", re.IGNORECASE)
_ENOUGH_DIGITS = 7
_KEPT_IN_PATHS = "/?#[]@!$&'()*+,;=:-._~%"


def normalise_email(text: str) -> str:
    """An address in NFC and lower case, as email-validator accepts it (RFC 5321, 5322 and 6531; no DNS look-up).

    Raises ValueError with a sentence that says what is wrong.
    """
    lowered = text.lower() if text.isascii() else ""
    if len(lowered) <= EMAIL_LIMIT and _PLAIN_EMAIL.fullmatch(lowered):
        return lowered
    return _validated(text.strip())


def normalise_phone(text: str, country: str | None = None) -> str:
    """E.164 where the number begins with + or its country (ISO 3166-1 alpha-2) is known, else as typed.

    An extension stays behind it (`+493012345678 ext. 12`). Raises ValueError below 7 digits.
    """
    text = " ".join(text.split())
    if sum(letter.isdecimal() for letter in text) < _ENOUGH_DIGITS:
        raise ValueError("A phone number has at least 7 digits. Leave it empty if you do not know it.")
    if len(text) > PHONE_LIMIT:
        raise ValueError("A phone number has at most 50 characters. Put the rest into the notes.")
    # Two numbers, or words beside one, stay as typed: the library would keep one number and drop the rest.
    if (not text.startswith(("+", "＋")) and country is None) or not _PHONE_SIGNS.fullmatch(text.replace("＋", "+", 1)):
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{written} ext. {number.extension}" if number.extension else written


def normalise_web_address(text: str) -> str:
    """`Acme.com/Über uns` gives `https://acme.com/%C3%9Cber%20uns`. http and https only, no credentials.

    Raises ValueError with a sentence that says the remedy.
    """
    text = text.strip()
    host, port, rest = split_address(text)
    rest = quote(rest, safe=_KEPT_IN_PATHS)
    address = f"{scheme_of(text) or 'https'}://{host}{':' * bool(port)}{port}{'' if rest == '/' else rest}"
    if len(address) > WEB_ADDRESS_LIMIT:
        raise ValueError(f"A web address has at most {WEB_ADDRESS_LIMIT:,} characters.")
    return address


def normalise_linkedin_url(text: str) -> str:
    """A web address at linkedin.com. Raises ValueError for others."""
    address = normalise_web_address(text)
    if registrable_domain(split_address(address)[0]) != "linkedin.com":
        raise ValueError("A LinkedIn page begins with https://www.linkedin.com/. Put other pages under website.")
    return address


def _validated(text: str) -> str:
    wrong = _what_is_wrong(text)
    if wrong is not None:
        raise ValueError(wrong)
    try:
        address = validate_email(text, check_deliverability=False).normalized
        lowered = unicodedata.normalize("NFC", address.lower())
        # Lower case may be longer, or another character: what is stored must itself be an address.
        stable = lowered == address or validate_email(lowered, check_deliverability=False).normalized == lowered
    except (ValueError, IndexError) as error:
        raise ValueError(_without_validators_words(text)) from error
    if not stable:
        raise ValueError(_without_validators_words(text))
    return lowered


def _what_is_wrong(text: str) -> str | None:
    local, _, host = text.rpartition("@")
    checks = (
        (not text, "The email is missing. Type it, such as name@acme.com."),
        (len(text) > EMAIL_LIMIT, f"An address has at most {EMAIL_LIMIT} characters."),
        ("@" not in text, f"{shown(text)} has no @ sign. An address looks like name@acme.com."),
        (text.count("@") == 2, "Two @ signs. An address has one."),
        (text.count("@") > 2, "Several @ signs. An address has one."),
        (any(letter.isspace() for letter in text), "A space inside. An address has none."),
        (not local, "The name before the @ sign is missing, as in name@acme.com."),
        (not host, "The domain after the @ sign is missing, as in name@acme.com."),
        (".." in text, "Two dots in a row. An address has one at a time."),
    )
    return next((sentence for is_so, sentence in checks if is_so), None)


def _without_validators_words(text: str) -> str:
    host = text.rpartition("@")[2]
    if "." not in host and domain_of_email(f"name@{host}.com") is not None:
        return f"{shown(host)} has no ending. Did you mean {host}.com?"
    if host.lower().endswith((".test", ".local", ".localhost", ".invalid", ".onion", ".arpa")):
        return f"{shown(host)} is no place on the internet that mail can reach."
    return f"{shown(text)} is no address that mail can reach. One looks like name@acme.com."
