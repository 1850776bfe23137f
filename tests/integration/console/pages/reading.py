"""A page as somebody reads it."""

from __future__ import annotations

from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser, LexborNode


def status_of(answer: Response) -> int:
    """What was answered: to a page's own script a refusal says so in a header."""
    return int(answer.headers.get("X-Refused", answer.status_code))


def read(answer: Response, status: int = 200) -> LexborHTMLParser:
    """The page, answered with this status."""
    assert status_of(answer) == status, answer.text
    return LexborHTMLParser(answer.text)


def words(node: LexborNode | None) -> str:
    """What stands in a part of it, that is there."""
    assert node is not None
    return " ".join(node.text(separator=" ", strip=False).split())
