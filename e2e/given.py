"""What is there before a story begins, put there over the API in the name of whoever sits at the page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


def a_lead(page: Page, **fields: Any) -> dict[str, Any]:
    """A lead with these fields; the lead as the API answered."""
    answer = page.context.request.post("/api/v1/leads", data=fields)
    assert answer.status == 201, answer.text()
    lead: dict[str, Any] = answer.json()
    return lead


def by_form(page: Page, **fields: str) -> None:
    """A lead that came by the form, without enrichment."""
    answer = page.context.request.post("/leads", form={"enrich": "false", **fields}, max_redirects=0)
    assert answer.status == 303, answer.text()


def a_change(page: Page, lead: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The lead after somebody changed these fields elsewhere."""
    answer = page.context.request.patch(f"/api/v1/leads/{lead['id']}", data=fields)
    assert answer.status == 200, answer.text()
    changed: dict[str, Any] = answer.json()
    return changed


def in_the_bin(page: Page, **fields: Any) -> dict[str, Any]:
    """A lead with these fields that was deleted."""
    lead = a_lead(page, **fields)
    answer = page.context.request.delete(f"/api/v1/leads/{lead['id']}")
    assert answer.ok, answer.text()
    return lead


def companies(page: Page, names: list[str], **fields: Any) -> None:
    """A lead for each name, the last one newest."""
    for name in names:
        a_lead(page, company_name=name, domain=f"{name.lower().replace(' ', '-')}.example.com", **fields)
