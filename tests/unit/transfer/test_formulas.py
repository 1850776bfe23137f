from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leads_core.transfer.formulas import armed, disarmed


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(1)", "\t=1", "\r=1", "＝1", "'=1"])
def test_what_a_spreadsheet_would_run_is_armed(cell):
    assert armed(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Acme", "+49 30 123456", "-12.5", "ana@acme.com", "", "'s-Hertogenbosch"])
def test_what_runs_nothing_stays_as_it_is(cell):
    assert armed(cell) == cell


@given(st.text(alphabet="'=+-@ab1 \t＝") | st.text())
@example("''=1")
def test_armed_and_disarmed_is_the_same_text(cell):
    assert disarmed(armed(cell)) == cell
    assert disarmed(cell) in {cell, cell[1:]}
