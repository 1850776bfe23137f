"""Make console/static/css/tokens.css from the design tokens and the derived tokens declared here.

Run after a change of either: `python scripts/make_tokens.py`. A test fails while the stylesheet is out of date, and
while a pair of colours that stand on each other misses its contrast (WCAG 2.2: 4.5 for text, 3 for edges and marks).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DESIGN_TOKENS = ROOT / "console/static/design/tokens.json"
STYLESHEET = ROOT / "console/static/css/tokens.css"


@dataclass(frozen=True)
class Mix:
    """`percent` of one design colour over another (or over nothing: `transparent`), mixed in sRGB."""

    colour: str
    percent: int
    ground: str


Colour = str | Mix


def white(percent: int) -> Mix:
    return Mix("white", percent, "anthracite")


def deep(colour: str, percent: int) -> Mix:
    return Mix(colour, percent, "anthracite")


def pale(colour: str, percent: int) -> Mix:
    return Mix(colour, percent, "white")


# name: (light theme, dark theme)
DERIVED_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "bg": ("white", "anthracite"),
    "bg-bar": ("light-bg", white(4)),
    "bg-hover": ("light-bg", white(6)),
    "bg-press": ("border", white(12)),
    "bg-float": ("white", white(8)),
    "bg-field": ("white", white(3)),
    "bg-invert": ("anthracite", white(16)),
    "bg-invert-hover": (white(14), white(28)),
    "line": ("border", white(12)),
    "line-strong": (pale("neutral", 36), white(24)),
    "line-field": (pale("neutral", 86), white(42)),
    "line-invert": (white(28), white(28)),
    "quiet": (pale("neutral", 80), white(48)),
    "text": ("dark-text", white(86)),
    "text-strong": ("anthracite", "white"),
    "text-muted": (deep("neutral", 88), white(63)),
    "text-invert": ("white", "white"),
    "text-invert-muted": (white(74), white(74)),
    "action": ("synthesis-blue", "synthesis-blue"),
    "action-hover": (deep("synthesis-blue", 86), deep("synthesis-blue", 86)),
    "action-text": (deep("synthesis-blue", 90), pale("synthesis-blue", 52)),
    "ring": ("synthesis-blue", pale("synthesis-blue", 60)),
    "select": (pale("synthesis-blue", 7), deep("synthesis-blue", 22)),
    "select-hover": (pale("synthesis-blue", 11), deep("synthesis-blue", 28)),
    "danger": ("critical", "critical"),
    "danger-hover": (deep("critical", 86), deep("critical", 86)),
    "danger-text": (deep("critical", 88), pale("critical", 46)),
    "danger-tint": (pale("critical", 6), deep("critical", 15)),
    "warn": ("warning", "warning"),
    "warn-tint": (pale("warning", 14), deep("warning", 14)),
    "good": ("success", "success"),
    "good-tint": (pale("success", 11), deep("success", 18)),
    "good-mark": (pale("success", 26), deep("success", 26)),
    "mark": (pale("warning", 38), deep("warning", 42)),
    "skeleton": ("border", white(14)),
    "chart-1": (pale("neutral", 28), white(26)),
    "chart-2": (pale("neutral", 82), white(48)),
    "chart-3": ("dark-text", white(84)),
    "scrim": (Mix("anthracite", 44, "transparent"), Mix("anthracite", 44, "transparent")),
    "shadow-colour": (Mix("anthracite", 16, "transparent"), Mix("anthracite", 16, "transparent")),
}

# Every length is a step of the design's scale, a fraction or a sum of steps; the comment gives it in px.
DERIVED_LENGTHS: dict[str, tuple[str, str]] = {
    "hairline": ("calc(var(--space-xs) / 8)", "1: rules, borders"),
    "space-3xs": ("calc(var(--space-xs) / 4)", "2: rings, marks"),
    "space-2xs": ("calc(var(--space-xs) / 2)", "4: icon to word"),
    "space-snug": ("calc(var(--space-xs) * 0.75)", "6: inside small controls"),
    "space-cell": ("calc(var(--space-xs) * 1.5)", "12: cell padding"),
    "gutter": ("var(--space-md)", "24: page margin"),
    "radius-small": ("var(--space-2xs)", "4: tags"),
    "radius": ("calc(var(--space-xs) * 0.75)", "6: controls"),
    "radius-large": ("calc(var(--space-xs) * 1.25)", "10: what floats"),
    "radius-round": ("var(--space-3xl)", "80: pills"),
    "stroke": ("calc(var(--hairline) * 1.5)", "1.5: rings of dots"),
    "dot": ("var(--space-xs)", "8"),
    "icon": ("var(--space-sm)", "16"),
    "icon-small": ("var(--space-cell)", "12"),
    "target": ("var(--space-md)", "24: the smallest thing to hit"),
    "control": ("var(--space-lg)", "32: buttons, inputs"),
    "control-slim": ("calc(var(--space-md) + var(--space-2xs))", "28"),
    "row-compact": ("calc(var(--space-lg) + var(--space-2xs))", "36"),
    "row-roomy": ("calc(var(--space-lg) + var(--space-xs))", "40"),
    "row": ("var(--row-compact)", "a table row"),
    "bar": ("var(--space-xl)", "48: top bar, pager"),
    "u": ("var(--space-3xl)", "80: column unit"),
    "drawer": ("calc(var(--u) * 7)", "560"),
    "dialog": ("calc(var(--u) * 8)", "640"),
    "measure": ("calc(var(--u) * 9)", "720"),
    "form": ("calc(var(--u) * 12)", "960"),
    "page": ("calc(var(--u) * 18)", "1440"),
    "shadow": ("0 var(--space-2xs) var(--space-sm) var(--shadow-colour)", "menus"),
    "shadow-far": ("0 var(--space-xs) var(--space-xl) var(--shadow-colour)", "drawer, dialog, toast"),
}

MODES = """\
  :root[data-theme="light"] { color-scheme: light; }
  :root[data-theme="dark"] { color-scheme: dark; }
  :root[data-density="roomy"] { --row: var(--row-roomy); }
  @media (max-width: 1024px) { :root { --gutter: var(--space-sm); } }
  @media (pointer: coarse) { :root { --row: var(--row-roomy); } }
"""


def design_tokens() -> dict[str, Any]:
    tokens: dict[str, Any] = json.loads(DESIGN_TOKENS.read_text(encoding="utf-8"))
    return tokens


def stylesheet(tokens: dict[str, Any]) -> str:
    """The whole text of tokens.css."""
    lines = [
        "/* Made by scripts/make_tokens.py. Change console/static/design/tokens.json or the script, then run it. */",
        "@layer tokens {",
        "  :root {",
        "    color-scheme: light dark;",
        *_section("Design tokens", [*_colours(tokens), *_type(tokens), *_spaces_and_times(tokens)]),
        *_section("Derived lengths, px", [f"--{n}: {value}; /* {px} */" for n, (value, px) in DERIVED_LENGTHS.items()]),
        *_section("Derived colours", [f"--{name}: {_themed(*pair)};" for name, pair in DERIVED_COLOURS.items()]),
        "  }",
        MODES.rstrip("\n"),
        "}",
    ]
    return "\n".join(lines) + "\n"


def contrast(tokens: dict[str, Any], upper: str, ground: str, *, dark: bool) -> float:
    """WCAG contrast of two derived colours in a theme, 1 to 21."""
    lighter, darker = sorted((_luminance(_rgb(tokens, name, dark=dark)) for name in (upper, ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _section(title: str, declarations: list[str]) -> list[str]:
    return ["", f"    /* {title} */", *(f"    {line}" for line in declarations)]


def _colours(tokens: dict[str, Any]) -> list[str]:
    return [f"--color-{name}: {token['$value']};" for name, token in tokens["color"].items() if name != "$type"]


def _type(tokens: dict[str, Any]) -> list[str]:
    family = ", ".join(f'"{name}"' if " " in name else name for name in tokens["font"]["family"]["$value"])
    scale = {name: token["$value"] for name, token in tokens["font"]["scale"].items() if name != "$type"}
    return [
        f"--font-family: {family};",
        "--font-mono: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;",
        "--weight-regular: 400;",
        "--weight-medium: 500;",
        "--weight-strong: 600;",
        *(
            f"--type-{name}: {step['fontWeight']} {step['fontSize']}/{step['lineHeight']} var(--font-family);"
            for name, step in scale.items()
        ),
    ]


def _spaces_and_times(tokens: dict[str, Any]) -> list[str]:
    names = {"space": "space", "duration": "duration", "easing": "ease"}
    return [
        f"--{prefix}-{name}: {token['$value']};"
        for group, prefix in names.items()
        for name, token in tokens[group].items()
        if name != "$type"
    ]


def _themed(light: Colour, dark: Colour) -> str:
    return _css(light) if light == dark else f"light-dark({_css(light)}, {_css(dark)})"


def _css(colour: Colour) -> str:
    if isinstance(colour, str):
        return f"var(--color-{colour})"
    ground = colour.ground if colour.ground == "transparent" else f"var(--color-{colour.ground})"
    return f"color-mix(in srgb, var(--color-{colour.colour}) {colour.percent}%, {ground})"


def _rgb(tokens: dict[str, Any], name: str, *, dark: bool) -> tuple[float, ...]:
    colour = DERIVED_COLOURS[name][dark]
    if isinstance(colour, str):
        return _design_rgb(tokens, colour)
    share = colour.percent / 100
    pairs = zip(_design_rgb(tokens, colour.colour), _design_rgb(tokens, colour.ground), strict=True)
    return tuple(share * over + (1 - share) * under for over, under in pairs)


def _design_rgb(tokens: dict[str, Any], name: str) -> tuple[float, ...]:
    return tuple(int(part, 16) / 255 for part in re.findall("..", tokens["color"][name]["$value"].lstrip("#")))


def _luminance(rgb: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


if __name__ == "__main__":
    STYLESHEET.write_text(stylesheet(design_tokens()), encoding="utf-8")
