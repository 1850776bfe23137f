"""Text made alike for finding and sorting: one function for the row, the query and the marking of a match.

Nothing in the database depends on a dictionary or a locale, so a dump restores anywhere.
"""

import unicodedata

SORT_KEY_LENGTH = 200
"""Characters of a sort key: a B-tree refuses rows beyond 2,700 bytes, and folding makes one character up to 18."""

_LETTERS_THAT_DO_NOT_DECOMPOSE = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)


def fold(text: str) -> str:
    """Without case, marks and compatibility forms: `Łódź ﬁn` gives `lodz fin`. Each character folds by itself."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    unmarked = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return unmarked.translate(_LETTERS_THAT_DO_NOT_DECOMPOSE)


def search_text(email: str | None, domain: str | None, company_name: str | None, contact_name: str | None) -> str:
    """What a search looks through. The newlines keep a match inside one field.

    The domain is there beside the email only when it is not the email's own host.
    """
    host = email.rpartition("@")[2] if email else None
    fields = (email, None if domain == host else domain, company_name, contact_name)
    return fold("\n".join(field for field in fields if field))


def sort_key(text: str | None) -> str | None:
    """What a name sorts by under the collation C: folded, one space between words, cut at SORT_KEY_LENGTH."""
    if text is None:
        return None
    return " ".join(fold(text).split())[:SORT_KEY_LENGTH].rstrip()


def escape_like(text: str) -> str:
    """Text as LIKE takes it literally, with `\\` as the escape. Fold first: folding makes `%` out of `％`."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
