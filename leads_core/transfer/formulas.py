"""Cells that a spreadsheet would run as a formula: armed with an apostrophe on the way out, disarmed on the way in.

armed() then disarmed() gives every text back exactly, so that an export can be imported again. Pure.
"""

from __future__ import annotations

import re

# The full-width forms too: some spreadsheets in East Asian languages run them.
_WOULD_RUN = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
# A telephone number or a plain number runs nothing.
_ONLY_A_NUMBER = re.compile(r"[+-]?\d[\d .,]*")


def armed(cell: str) -> str:
    """The cell as a spreadsheet shows it without running it."""
    return f"'{cell}" if _WOULD_RUN.match(cell) and not _ONLY_A_NUMBER.fullmatch(cell) else cell


def disarmed(cell: str) -> str:
    """The cell without the apostrophe that armed() set before it."""
    return cell[1:] if cell.startswith("'") and _WOULD_RUN.match(cell) and armed(cell[1:]) == cell else cell
