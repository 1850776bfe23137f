"""A browser's name for itself as people say it: Firefox 140 on Windows. Pure."""

from __future__ import annotations

from console.wording import agent_in_words

#: The first that is found counts: Android says Linux too, iPhones say Mac OS X.
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


def device_in_words(user_agent: str | None) -> str:
    """Browser and system, as far as the browser says them."""
    if not user_agent or user_agent == "unknown":
        return "A browser that does not say which"
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), None)
    browser = agent_in_words(user_agent)
    return f"{browser} on {system}" if system else browser
