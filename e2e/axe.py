"""axe-core on a page as it stands, in one theme or both."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

SOURCE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text(encoding="utf-8")
#: Everything of WCAG 2.2 AA and axe's good practice; the size of targets is off in axe unless asked for.
RUN = """async () => {
  const found = await axe.run(document, { rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] })
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.replaceAll("\\n", " ")}`))
}"""

Theme = Literal["light", "dark"]


def violations(page: Page, themes: tuple[Theme, ...] = ("light", "dark")) -> str:
    """What axe finds, a line each, with the theme it was found in; empty is good. The page stays in the last theme."""
    found: list[str] = []
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(SOURCE)
    for theme in themes:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += [f"{theme}: {line}" for line in page.evaluate(RUN)]
    return "\n".join(found)


def scrolls_sideways(page: Page) -> bool:
    """Whether the page as a whole is wider than its window."""
    wider: bool = page.evaluate("document.scrollingElement.scrollWidth > document.documentElement.clientWidth")
    return wider
