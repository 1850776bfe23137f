"""Which browser, on what, as its owner would say it."""

from __future__ import annotations

import pytest

from console.device_wording import device_in_words

GECKO = "Gecko/20100101 Firefox/140.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) {GECKO}", "Firefox 140 on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) {GECKO}", "Firefox 140 on Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.4 Safari/605.1.15", "Safari 18 on Mac"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) {WEBKIT} Version/18.4", "Safari 18 on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome 138 on Android"),
        ("curl/8.5.0", "curl 8.5.0"),
        ("unknown", "A browser that does not say which"),
        (None, "A browser that does not say which"),
    ],
)
def test_browser_and_system_are_named(user_agent: str | None, words: str) -> None:
    assert device_in_words(user_agent) == words
