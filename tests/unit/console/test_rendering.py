"""Pages whole or in blocks."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from console.assets import Assets
from console.rendering import Renderer, Templates, local_path


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(Assets())


def asked(path: str = "/sign-in", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw, "server": ("x", 80)}
    )


PROBLEM = {"title": "Nothing here", "sentence": "<script>", "status": 404, "request_id": None}


def test_without_htmx_the_whole_page_comes(templates: Templates) -> None:
    answer = Renderer(templates, asked(), None).page("errors/error.html", "main", problem=PROBLEM)

    assert bytes(answer.body).startswith(b"<!doctype html>")
    assert answer.headers["vary"] == "HX-Request-Type"


def test_htmx_gets_the_block_it_asked_for(templates: Templates) -> None:
    renderer = Renderer(templates, asked(hx_request_type="partial"), None)

    body = bytes(renderer.page("errors/error.html", "main", problem=PROBLEM).body).decode()

    assert "<!doctype" not in body
    assert "Nothing here" in body


def test_htmx_restoring_history_gets_the_whole_page(templates: Templates) -> None:
    renderer = Renderer(templates, asked(hx_request_type="full"), None)

    assert b"<!doctype" in bytes(renderer.page("errors/error.html", "main", problem=PROBLEM).body)


def test_values_are_escaped(templates: Templates) -> None:
    body = bytes(Renderer(templates, asked(), None).page("errors/error.html", problem=PROBLEM).body).decode()

    assert "&lt;script&gt;" in body


def test_a_value_that_nobody_gave_is_an_error_and_no_blank(templates: Templates) -> None:
    with pytest.raises(UndefinedError):
        Renderer(templates, asked(), None).page("errors/error.html")


def test_after_a_form_a_browser_without_scripts_is_sent_on(templates: Templates) -> None:
    answer = Renderer(templates, asked(), None).block_or_redirect("errors/error.html", "main", to="/leads/1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/leads/1")


def test_after_a_form_htmx_gets_the_block_and_the_events(templates: Templates) -> None:
    renderer = Renderer(templates, asked(hx_request_type="partial"), None)

    answer = renderer.block_or_redirect(
        "errors/error.html", "main", to="/leads/1", events={"toast": {"text": "É"}}, problem=PROBLEM
    )

    assert answer.status_code == 200
    assert answer.headers["hx-trigger"] == '{"toast": {"target": "body", "text": "\\u00c9"}}'


def test_the_theme_comes_from_its_cookie_and_only_known_ones_count(templates: Templates) -> None:
    dark = Renderer(templates, asked(cookie="theme=dark"), None).page("errors/error.html", problem=PROBLEM)
    odd = Renderer(templates, asked(cookie='theme="><b'), None).page("errors/error.html", problem=PROBLEM)

    assert b'<html lang="en" data-theme="dark">' in bytes(dark.body)
    assert b'<html lang="en">' in bytes(odd.body)


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "/\\evil.example", "", None, "/a\nb"])
def test_nobody_is_sent_to_another_site(address: str | None) -> None:
    assert local_path(address, "/leads") == "/leads"


def test_a_path_of_the_console_is_kept() -> None:
    assert local_path("/leads?stage=won", "/leads") == "/leads?stage=won"
