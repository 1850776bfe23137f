"""A page as somebody reads it."""

from __future__ import annotations

from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser, LexborNode


def read(answer: Response, status: int = 200) -> LexborHTMLParser:
    """The page, answered with this status."""
    assert answer.status_code == status, answer.text
    return LexborHTMLParser(answer.text)


def words(node: LexborNode | None) -> str:
    """What stands in a part of it, that is there."""
    assert node is not None
    return " ".join(node.text(separator=" ", strip=False).split())
