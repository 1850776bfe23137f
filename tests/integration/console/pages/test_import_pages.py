"""The first step of an import, where the file cannot even be looked at."""

from __future__ import annotations

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask


async def test_a_file_that_is_too_large_is_refused_where_it_was_chosen(browser: Ask) -> None:
    editor = await browser(Role.EDITOR)
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "300000000"}

    answer = await editor.post("/import", content=b"--x--\r\n", headers=headers)

    assert answer.status_code == 413
    assert "The file is larger than 64 MB. Split it and import the parts." in answer.text
    assert 'id="upload"' in answer.text
