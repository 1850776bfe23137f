"""Addresses and domains that are easily taken for each other, by their spelling alone. Pure.

What looks like a domain is generated, not searched for: a few hundred spellings are looked up in an index, however
many leads there are. A rule that goes one way is written both ways, so that a pair is found from either lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

import idna

from leads_core.leads.folding import fold

#: What one hand-written or printed letter is taken for. Each pair counts both ways.
_LETTERS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("1", "l"), ("1", "i"), ("i", "l"), ("0", "o"), ("5", "s"))
#: Endings that companies have beside each other.
_ENDINGS = (
    "com", "net", "org", "io", "co", "ai", "app", "dev", "eu", "de", "at", "ch", "fr", "it", "es", "nl", "be", "pl",
    "cz", "se", "dk", "no", "fi", "pt", "us", "ca", "in", "biz", "info", "co.uk", "com.au", "com.br",
)  # fmt: skip
#: What companies put behind their name where the name alone is taken.
_ADDITIONS = ("inc", "corp", "group", "llc", "ltd", "gmbh", "ag", "co", "hq", "global", "app")
#: Letters of other scripts that are drawn like Latin ones.
_CONFUSABLE = {
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ј": "j", "ѕ": "s", "ԁ": "d",
    "ӏ": "l", "һ": "h", "ο": "o", "α": "a", "ν": "v", "ı": "i", "ɡ": "g",
}  # fmt: skip
#: How a mark is written out where there is none.
_WRITTEN_OUT = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ø", "oe"), ("å", "aa"))
_MARKED = {"a": "äáàâå", "c": "ç", "e": "éèê", "i": "í", "n": "ñ", "o": "öóôø", "u": "üú", "l": "ł", "s": "š", "z": "ž"}
_GOOGLE = ("gmail.com", "googlemail.com")
#: Dots in a Gmail address say nothing; of longer ones only so many spellings are looked up.
_MOST_DOTTED = 200
#: A shorter name has too much that looks like it.
SHORTEST = 4


@lru_cache(maxsize=1024)
def lookalikes_of(domain: str) -> Mapping[str, str]:
    """Registrable domains that look like this one -> the rule: typo, addition or ending. Itself is none of them."""
    label, _, ending = domain.partition(".")
    found: dict[str, str] = {}
    shown = _unicode(label)
    if len(label) >= SHORTEST:
        for other in (*_mistaken(label), *_in_other_scripts(shown)):
            found.setdefault(f"{other}.{ending}", "typo")
        for other in _with_additions(label):
            found.setdefault(f"{other}.{ending}", "addition")
    for other_ending in _ENDINGS:
        found.setdefault(f"{label}.{other_ending}", "ending")
    found.pop(domain, None)
    return MappingProxyType(found)


def same_mailbox(email: str) -> tuple[set[str], str]:
    """Other spellings of an address that its mail server takes for the same: (addresses, beginning of tagged ones).

    `max+news@acme.com` is `max@acme.com`; the beginning is that of all tagged ones, `max+`. Dots count for nothing
    at Gmail.
    """
    local, _, host = email.rpartition("@")
    plain = local.partition("+")[0] or local
    spellings = {f"{plain}@{host}"}
    if host in _GOOGLE:
        for google in _GOOGLE:
            spellings |= {f"{each}@{google}" for each in _dotted(plain.replace(".", ""))}
            spellings.add(f"{plain}@{google}")
    spellings.discard(email)
    return spellings, f"{plain}+"


def mailbox_of(email: str) -> str:
    """What all spellings of an address have in common."""
    local, _, host = email.rpartition("@")
    plain = local.partition("+")[0] or local
    return f"{plain.replace('.', '')}@{_GOOGLE[0]}" if host in _GOOGLE else f"{plain}@{host}"


def _mistaken(label: str) -> Iterator[str]:
    """One slip away: a letter taken for another, a letter doubled or single, a hyphen more or less."""
    for pair in _LETTERS:
        for one, other in (pair, pair[::-1]):
            at = label.find(one)
            while at >= 0:
                yield label[:at] + other + label[at + len(one) :]
                at = label.find(one, at + 1)
            if label.count(one) > 1:
                yield label.replace(one, other)
    for at, letter in enumerate(label):
        if at and label[at - 1] == letter:
            yield label[:at] + label[at + 1 :]
        elif letter.isalnum():
            yield label[:at] + letter + label[at:]
        if at and "-" not in (letter, label[at - 1]):
            yield f"{label[:at]}-{label[at:]}"
    if "-" in label:
        yield label.replace("-", "")


def _with_additions(label: str) -> Iterator[str]:
    for addition in _ADDITIONS:
        yield f"{label}-{addition}"
        yield f"{label}{addition}"
        bare = label.removesuffix(addition).rstrip("-")
        if bare != label and len(bare) >= SHORTEST:
            yield bare


def _in_other_scripts(shown: str) -> Iterator[str]:
    """The same drawn with letters of other scripts, or without marks: `аcme` (а is Cyrillic), `mueller`, `muller`."""
    for written in _drawn_alike(shown):
        try:
            yield idna.encode(written).decode()
        except idna.IDNAError:
            continue


def _drawn_alike(shown: str) -> Iterator[str]:
    latin = "".join(_CONFUSABLE.get(letter, letter) for letter in shown)
    if latin != shown:
        yield latin
    if (folded := fold(latin)) != latin:
        yield folded
    for marked, plain in _WRITTEN_OUT:
        if marked in shown:
            yield shown.replace(marked, plain)
        if plain in shown:
            yield shown.replace(plain, marked)
    for at, letter in enumerate(shown):
        for other in (*(each for each, like in _CONFUSABLE.items() if like == letter), *_MARKED.get(letter, "")):
            yield shown[:at] + other + shown[at + 1 :]


def _unicode(label: str) -> str:
    try:
        return idna.decode(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label


def _dotted(letters: str) -> Iterator[str]:
    """With no dot, one and two of them."""
    yield letters
    places = range(1, len(letters))
    yield from (f"{letters[:at]}.{letters[at:]}" for at in places)
    two = (
        f"{letters[:first]}.{letters[first:second]}.{letters[second:]}" for first in places for second in places
        if first < second
    )  # fmt: skip
    for _, each in zip(range(_MOST_DOTTED), two, strict=False):
        yield each
