"""Stylesheet and scripts: joined, named by content, cached for ever."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.assets import CACHE, LAYERS, URL, Assets

CSS = {"tokens.css": "t {}", "reset.css": "r {}", "base.css": "b {}", "layout.css": "l {}", "print.css": "p {}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "css/components").mkdir(parents=True)
    (tmp_path / "js/vendor").mkdir(parents=True)
    for name, text in CSS.items():
        (tmp_path / "css" / name).write_text(text)
    (tmp_path / "css/components/chip.css").write_text("c {}")
    (tmp_path / "js/vendor/library.min.js").write_text("var library")
    (tmp_path / "js/all.js").write_text('import "./one.js"\nimport { two } from "./two.js"\n')
    (tmp_path / "js/one.js").write_text('import { two } from "./two.js"\nimport("./later.js")\n')
    (tmp_path / "js/later.js").write_text("export const later = 1\n")
    (tmp_path / "js/two.js").write_text("export const two = 2\n")
    return tmp_path


def text_of(assets: Assets, name: str) -> str:
    asset = assets.find(assets.url(name).removeprefix(URL))
    assert asset is not None
    return asset.content.decode()


def test_sheets_are_joined_in_layer_order(folder: Path) -> None:
    text = text_of(Assets(folder), "console.css")

    assert text == LAYERS + "\n".join(["t {}", "r {}", "b {}", "l {}", "c {}", "p {}"])


def test_remarks_stay_behind(folder: Path) -> None:
    (folder / "js/one.js").write_text('// Why.\nimport { two } from "./two.js"\n  // And why.\nconst at = "http://x"\n')
    (folder / "css/components/chip.css").write_text("/* Why,\n   in two lines */\nc {\n  d: e;\n}")
    assets = Assets(folder)

    assert re.sub(r"-\w+\.js", ".js", text_of(assets, "one.js")) == (
        'import { two } from "./two.js"\nconst at = "http://x"\n'
    )
    assert "\nc {\nd: e;\n}" in text_of(assets, "console.css")
    assert "Why" not in text_of(assets, "console.css")


def test_a_changed_file_has_a_new_address_and_so_have_its_importers(folder: Path) -> None:
    before = Assets(folder)
    (folder / "js/two.js").write_text("export const two = 3\n")
    after = Assets(folder)

    assert [name for name in ("all.js", "one.js", "two.js") if before.url(name) == after.url(name)] == []
    assert before.url("library.min.js") == after.url("library.min.js")


def test_modules_find_each_other_by_their_hashed_names(folder: Path) -> None:
    assets = Assets(folder)

    for module in ("all.js", "one.js"):
        for name in re.findall(r'"\./([^"]+)"', text_of(assets, module)):
            assert assets.find(name) is not None


def test_a_name_that_no_file_has_fails_at_once(folder: Path) -> None:
    with pytest.raises(KeyError):
        Assets(folder).url("missing.js")


def test_the_console_serves_its_own_files_for_ever() -> None:
    assets = Assets()

    assert re.fullmatch(r"/static/console-[0-9a-f]{10}\.css", assets.url("console.css"))
    assert assets.url("htmx-4.0.1.min.js").endswith(".js")
    assert "immutable" in CACHE
