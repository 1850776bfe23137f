"""What the Content-Security-Policy refuses, and what a page must have, holds for every template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[3] / "console/templates"
SCRIPTS = Path(__file__).parents[3] / "console/static/js"
PAGES = sorted(TEMPLATES.rglob("*.html"))
MODULES = sorted(SCRIPTS.glob("*.js"))

FORBIDDEN = {
    "hx-on": re.compile(r"\bhx-on\b|\bhx-on[:-]"),
    "js: values": re.compile(r"[\"']\s*(js|javascript):", re.I),
    "event attributes": re.compile(r"\son[a-z]+\s*=", re.I),
    "inline style": re.compile(r"\sstyle\s*=|<style\b", re.I),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc=)", re.I),
    "trigger filters": re.compile(r"hx-trigger=\"[^\"]*\["),
    "hx-live": re.compile(r"\bhx-live\b"),
    "hx-boost": re.compile(r"\bhx-boost\b"),
    "safe": re.compile(r"\|\s*safe\b"),
    "autoescape off": re.compile(r"autoescape\s+false"),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_needs_inline_script_style_or_eval(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_script_writes_markup_or_evaluates_text(module: Path) -> None:
    text = module.read_text(encoding="utf-8")

    assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_htmx_link_and_form_works_without_a_script_too(page: Path) -> None:
    tags = re.findall(r"<(a|form)\b([^>]*\bhx-(?:get|post)=[^>]*)>", page.read_text(encoding="utf-8"))

    plain = {"a": "href=", "form": "action="}
    assert [attributes for tag, attributes in tags if plain[tag] not in attributes] == []
