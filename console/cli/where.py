"""`--where name=value`: a filter on the command line, by the names that the API gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from leads_core.errors import Invalid

Where = Annotated[Sequence[str], Parameter("--where", negative="")]


def parameters_of(where: Sequence[str]) -> dict[str, list[str]]:
    """Query parameters, as if they had come in an address. Raises Invalid for one without an equals sign."""
    parameters: dict[str, list[str]] = {}
    for given in where:
        name, equals, value = given.partition("=")
        if not equals:
            raise Invalid.of("where", f"{given!r} is no filter. Give name=value, such as stage=won.")
        parameters.setdefault(name, []).append(value)
    return parameters
