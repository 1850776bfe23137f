"""Colours, sizes and durations stand in tokens.css only, which is made from the design tokens."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
SHEETS = sorted(path for path in (ROOT / "console/static/css").rglob("*.css") if path.name != "tokens.css")

COMMENT = re.compile(r"/\*.*?\*/", re.S)
MEDIA = re.compile(r"@(media|container)[^{]*\{")
RAW_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![^{};]*\{)|\b(rgb|rgba|hsl|hsla|oklch|oklab|lab|lch|hwb|color)\(")
NAMED_COLOUR = re.compile(r":[^;{}]*(?<![\w-])(black|white|red|green|blue|grey|gray|orange|yellow)(?![\w-])")
RAW_LENGTH = re.compile(r"(?<![\w.-])\d*\.?\d+(px|rem|em|pt|ch|ex|cm|mm|in|ms|s)\b")

# Contrast on the page's own ground and on the worst ground each may stand on (WCAG 2.2: text 4.5, edges and marks 3).
TEXT = [
    ("text", "bg"),
    ("text", "bg-press"),
    ("text", "select-hover"),
    ("text", "warn-tint"),
    ("text", "good-tint"),
    ("text-strong", "mark"),
    ("text-strong", "warn-tint"),
    ("text-strong", "good-tint"),
    ("text-strong", "danger-tint"),
    ("text-muted", "bg"),
    ("text-muted", "bg-bar"),
    ("text-muted", "bg-press"),
    ("text-muted", "bg-float"),
    ("text-muted", "select"),
    ("text-muted", "good-tint"),
    ("action-text", "bg"),
    ("action-text", "danger-tint"),
    ("danger-text", "bg"),
    ("danger-text", "danger-tint"),
    ("text-invert", "action"),
    ("text-invert", "action-hover"),
    ("text-invert", "bg-invert"),
    ("text-invert", "bg-invert-hover"),
    ("text-invert-muted", "bg-invert"),
]
EDGES = [
    ("line-field", "bg"),
    ("line-field", "bg-field"),
    ("line-field", "bg-float"),
    ("quiet", "bg"),
    ("ring", "bg"),
    ("ring", "bg-float"),
    ("ring", "select"),
]
# Marks that a word beside them says too: only what would be lost to nobody's reading.
DOTS = [("danger", "bg")]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tokens", ROOT / "scripts/make_tokens.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def rules(sheet: Path) -> str:
    return MEDIA.sub("{", COMMENT.sub("", sheet.read_text(encoding="utf-8")))


def test_tokens_css_is_what_the_script_makes(maker: ModuleType) -> None:
    written = maker.STYLESHEET.read_text(encoding="utf-8")

    assert written == maker.stylesheet(maker.design_tokens())


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_no_stylesheet_holds_a_raw_colour_length_or_duration(sheet: Path) -> None:
    found = [pattern.search(rules(sheet)) for pattern in (RAW_COLOUR, NAMED_COLOUR, RAW_LENGTH)]

    assert [match.group() for match in found if match] == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_token_that_a_stylesheet_names_is_declared(sheet: Path, maker: ModuleType) -> None:
    text = sheet.read_text(encoding="utf-8")
    declared = set(re.findall(r"(--[\w-]+):", maker.STYLESHEET.read_text(encoding="utf-8"))) | set(
        re.findall(r"(--[\w-]+):", "".join(other.read_text(encoding="utf-8") for other in SHEETS))
    )

    assert set(re.findall(r"var\((--[\w-]+)", text)) - declared == set()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("upper", "ground"), TEXT)
def test_text_is_legible_on_every_ground_it_stands_on(maker: ModuleType, upper: str, ground: str, dark: bool) -> None:
    assert maker.contrast(maker.design_tokens(), upper, ground, dark=dark) >= 4.5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("upper", "ground"), EDGES + DOTS)
def test_edges_and_rings_can_be_seen(maker: ModuleType, upper: str, ground: str, dark: bool) -> None:
    assert maker.contrast(maker.design_tokens(), upper, ground, dark=dark) >= 3


def test_a_raw_value_would_be_found() -> None:
    assert RAW_COLOUR.search("a { color: #0066ff; }")
    assert RAW_LENGTH.search("a { padding: 3px; }")
    assert RAW_LENGTH.search("a { transition: all 0.2s; }")
    assert NAMED_COLOUR.search("a { color: white; }")
