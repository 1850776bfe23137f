"""What a page's own script is refused is no error in the browser's console; everybody else gets the status."""

from __future__ import annotations

import pytest

from leads_core.accounts.permissions import Role
from tests.integration.console.conftest import Ask

SCRIPT = {"HX-Request": "true"}


@pytest.mark.parametrize(("path", "status"), [("/leads/quick-add", 422), ("/leads/no-such-lead/delete", 404)])
async def test_a_script_reads_the_status_of_a_refusal_in_a_header(browser: Ask, path: str, status: int) -> None:
    rosa = await browser(Role.EDITOR)

    asked = await rosa.post(path, data={"text": "acme"}, headers=SCRIPT)
    sent = await rosa.post(path, data={"text": "acme"})

    assert (asked.status_code, asked.headers["X-Refused"]) == (200, str(status))
    assert (sent.status_code, "X-Refused" in sent.headers) == (status, False)


async def test_the_api_answers_with_the_status_itself(script: Ask) -> None:
    answer = await (await script(Role.EDITOR)).post("/api/v1/leads", json={"email": "acme"}, headers=SCRIPT)

    assert answer.status_code == 422
    assert "X-Refused" not in answer.headers


async def test_what_is_not_refused_is_as_it_was(browser: Ask) -> None:
    answer = await (await browser(Role.EDITOR)).get("/leads", headers=SCRIPT)

    assert answer.status_code == 200
    assert "X-Refused" not in answer.headers
