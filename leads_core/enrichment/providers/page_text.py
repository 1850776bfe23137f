"""Bytes of a page to text, and text from a page to a value that is safe to keep. Pure; the input is hostile."""

from __future__ import annotations

import codecs
import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

LINE, PARAGRAPH = 200, 1000
"""Characters of a value that are kept."""
MAX_TAGS = 10_000
MAX_FORMATTING_TAGS = 2_000
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]{0,20})")
# Tags that a parser opens again in each block until they are closed, as HTML asks it to.
_FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s{0,10}=\s{0,10}[\"']?\s{0,10}([a-z0-9_:-]{1,40})", re.IGNORECASE
)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-z0-9_:-]{1,40})", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Labels as browsers read them (WHATWG Encoding): Latin 1 means Windows-1252. Others are not taken from a page:
# UTF-7 and Python's own codecs would let it smuggle markup.
_CODECS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii", "windows-1252"), "cp1252"),
    "cp1252": "cp1252",
    **dict.fromkeys(("iso-8859-9", "latin5", "windows-1254"), "cp1254"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "chinese"), "gb18030"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "korean", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5"), "big5hkscs"),
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, 1253, 1255, 1256, 1257, 1258, 874)},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{name: name for name in ("koi8-r", "koi8-u", "euc-jp", "iso-2022-jp")},
}  # fmt: skip
_INVISIBLE = frozenset({"Cc", "Cs", "Cf", "Co", "Cn"})
_JOINERS = frozenset("\u200c\u200d")  # Persian words and emoji need them


def parsed(body: bytes, content_type: str) -> LexborHTMLParser:
    """The page as a tree, up to a number of tags that no home page needs.

    Building it takes time that grows with the square of nested tags: 400,000 of them fit into 2 MiB, and took minutes.
    """
    text = decoded(body, content_type).replace("\x00", "")
    formatting = 0
    for count, tag in enumerate(_TAG.finditer(text), start=1):
        formatting += tag[1].lower() in _FORMATTING
        if count > MAX_TAGS or formatting > MAX_FORMATTING_TAGS:
            text = text[: tag.start()]
            break
    return LexborHTMLParser(text)


def decoded(body: bytes, content_type: str) -> str:
    """The page's text, by its mark, the header, its own meta element, else UTF-8 if it is sound, else Windows-1252."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    header = _HEADER_CHARSET.search(content_type)
    meta = _META_CHARSET.search(body[:2048])
    labels = [header[1] if header else "", meta[1].decode("ascii") if meta else ""]
    codec_named = next((_CODECS[label.lower()] for label in labels if label.lower() in _CODECS), None)
    if codec_named:
        return body.decode(codec_named, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def safe_line(text: object, limit: int) -> str | None:
    """One line in NFC, cut at a word, without control, bidirectional and other invisible characters; None for none."""
    if not isinstance(text, str):
        return None
    seen = "".join(
        " " if letter.isspace() else letter
        for letter in text[: limit * 20]
        if letter.isspace() or letter in _JOINERS or unicodedata.category(letter) not in _INVISIBLE
    )
    line = unicodedata.normalize("NFC", " ".join(seen.split())).strip("\u200c\u200d ")
    if len(line) > limit:
        line = line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:-–") + "…"
    return line or None


def visible_text(page: LexborHTMLParser, limit: int) -> str:
    """What a reader sees, a line for each piece of text, up to limit characters. Takes scripts and styles out."""
    page.strip_tags(["script", "style", "noscript", "template"])
    return page.body.text(deep=True, separator="\n")[:limit] if page.body else ""


def letters_of(text: str) -> str:
    """Letters and digits alone, in lower case, without accents: what a name and its domain share."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())
