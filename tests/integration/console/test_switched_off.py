from __future__ import annotations

from pathlib import Path

import pytest
from httpx2 import AsyncClient

from console.app import create_app
from leads_core.settings import Settings
from tests.integration.console.conftest import client


@pytest.fixture
def off(tmp_path: Path) -> AsyncClient:
    """The product switched off, with no database at all behind it."""
    return client(create_app(Settings(enable_lead_explorer=False, data_dir=tmp_path)))


@pytest.mark.parametrize("path", ["/", "/leads", "/sign-in", "/api/v1/leads", "/api/v1/leads/health", "/events"])
async def test_pages_api_and_live_updates_are_gone(off: AsyncClient, path: str) -> None:
    assert (await off.get(path)).status_code == 404
    assert (await off.post(path)).status_code == 404


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_the_probes_stay_and_say_so(off: AsyncClient, path: str) -> None:
    answer = await off.get(path)

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "enabled": False})
