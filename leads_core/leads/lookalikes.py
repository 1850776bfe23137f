"""Addresses and domains that are easily taken for each other, by their spelling alone. Pure.

What looks like a domain is generated, not searched for: a few hundred spellings are looked up in an index, however
many leads there are. A rule that goes one way is written both ways, so that a pair is found from either lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
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
#: Letters that are taken for each other, as one: w is vv, m is rn, d is cl.
_CLASSES = str.maketrans({"1": "l", "i": "l", "0": "o", "5": "s", "m": "n", "d": "l", "w": "v"})
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
    if len(shown) >= SHORTEST:
        for other in (*_mistaken(shown), *_drawn_alike(shown)):
            found.setdefault(f"{_ascii(other)}.{ending}", "typo")
        for other in _with_additions(shown):
            found.setdefault(f"{_ascii(other)}.{ending}", "addition")
    for other_ending in _ENDINGS:
        found.setdefault(f"{label}.{other_ending}", "ending")
    found.pop(domain, None)
    return MappingProxyType(found)


def may_look_alike(one: str, other: str) -> bool:
    """False for two domains of which neither looks like the other: quick, so that few are looked at more closely."""
    labels = [_unicode(domain.partition(".")[0]) for domain in (one, other)]
    begins = labels[0].startswith(labels[1]) or labels[1].startswith(labels[0])
    return begins or _skeleton(labels[0]) == _skeleton(labels[1])


@lru_cache(maxsize=1 << 14)
def _skeleton(shown: str) -> str:
    """The same for all names that are one slip apart, and for some more."""
    plain = fold("".join(_CONFUSABLE.get(letter, letter) for letter in shown))
    bones = _single(plain.replace("-", "").translate(_CLASSES))
    for pair, one in (("ae", "a"), ("oe", "o"), ("ue", "u"), ("cl", "l"), ("rn", "n")):
        bones = bones.replace(pair, one)
    return _single(bones)


def _single(text: str) -> str:
    return "".join(letter for letter, _ in groupby(text))


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


def _drawn_alike(shown: str) -> Iterator[str]:
    """The same with letters of other scripts, or without marks: `аcme` (а is Cyrillic), `mueller`, `muller`."""
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


def _ascii(shown: str) -> str:
    """As it stands in a domain. Whether anybody may register it does not matter: it is only looked up."""
    return shown if shown.isascii() else f"xn--{shown.encode('punycode').decode()}"


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
