"""The small internet, the guard opened for it, and a lead to ask about."""

from uuid import UUID

import pytest

from leads_core.enrichment.providers import Subject
from tests.servers.fixtures import dns_server, guard, internet, requests_made, web_server

__all__ = ["dns_server", "guard", "internet", "requests_made", "web_server"]


@pytest.fixture
def subject() -> Subject:
    return Subject(UUID(int=7), UUID(int=8), "brandt-werkzeuge.de", "brandt-werkzeuge.de", None, None, None, None)
