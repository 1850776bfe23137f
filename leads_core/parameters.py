"""Read the parameters of an address: each by its name, with what is wrong gathered instead of raised. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from leads_core.errors import FieldError

Value = TypeVar("Value")


class ParameterReader:
    """Takes one parameter after the other out of `left`; errors name each as `query.<name>`."""

    def __init__(self, left: dict[str, list[str]]) -> None:
        self.left = left
        self.errors: list[FieldError] = []

    def once(self, name: str, read: Callable[[str], Value]) -> Value | None:
        """The value of a parameter that may be given once; None where it is absent or cannot be read."""
        given = self.left.pop(name, [])
        if len(given) > 1:
            self.errors.append(FieldError(f"query.{name}", "Give this once."))
        return self.read(name, read, given[0]) if given else None

    def read(self, name: str, read: Callable[[str], Value], text: str) -> Value | None:
        """What `read` makes of the text; its ValueError becomes an error of this parameter, and None."""
        try:
            return read(text)
        except ValueError as error:
            self.errors.append(FieldError(f"query.{name}", str(error)))
            return None


def unknown_among(given: Iterable[str], known: Container[str]) -> list[FieldError]:
    """An error for each name that is no parameter of this address."""
    return [FieldError(f"query.{name}", "There is no such parameter.") for name in given if name not in known]


def one_of(members: Iterable[Any]) -> Callable[[str], str]:
    """Reads one of these words, as it is written."""
    allowed = [str(member) for member in members]

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"Give one of {', '.join(allowed)}.")
        return text

    return read


def day(text: str) -> tuple[date, date]:
    """The first day that belongs to it, and the first after it."""
    try:
        first = date.fromisoformat(text)
        return first, first + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ValueError("Give a date such as 2026-11-24.") from None


def moment(text: str) -> tuple[datetime, datetime]:
    """The first instant that belongs to it, and the first after it. Without a zone, UTC is meant."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            first, after = day(text)
            return datetime.combine(first, time(), UTC), datetime.combine(after, time(), UTC)
        instant = datetime.fromisoformat(text)
        instant = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
        return instant, instant + timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise ValueError("Give a date such as 2026-11-24, or a time such as 2026-11-24T18:35:04Z.") from None
