"""What is believed of a request's sender."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.middleware.client import UNKNOWN, USER_AGENT_LIMIT, Proxies, parsed, request_id_of, user_agent_of

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (PROXY, "", PROXY),
        (PROXY, "198.51.100.1", "198.51.100.1"),
        (PROXY, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (PROXY, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (PROXY, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (PROXY, "198.51.100.1:4711", "198.51.100.1"),
        (PROXY, "[2001:DB8::1]:4711", "2001:db8::1"),
        (PROXY, "198.51.100.1, not an address", PROXY),
        ("fd00::5", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (None, "198.51.100.1", UNKNOWN),
        ("/run/socket", "", UNKNOWN),
    ],
)
def test_a_forwarded_address_counts_only_as_far_as_our_own_proxies_vouch_for_it(
    peer: str | None, forwarded_for: str, client: str
) -> None:
    assert Proxies(("10.0.0.0/8", "fd00::/8")).client_of(peer, forwarded_for) == client


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("fe80::1%eth0", "fe80::1"),
        (" 198.51.100.1 ", "198.51.100.1"),
    ],
)
def test_an_address_has_one_spelling(text: str, address: str) -> None:
    assert str(parsed(text)) == address


@pytest.mark.parametrize("text", [None, "", "unknown", "1.2.3", "[", "testclient", "1.2.3.4, 5.6.7.8"])
def test_what_is_no_address_is_none(text: str | None) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (None, UNKNOWN),
        (b"", UNKNOWN),
        (b" \x01 ", UNKNOWN),
        (b"Mozilla/5.0\r\n\x1b[31m\x00", "Mozilla/5.0[31m"),
        ("Tür/1".encode(), "Tür/1"),
        ("Tür/1".encode("latin-1"), "Tür/1"),
        ("a\u202eb".encode(), "ab"),
        (b"x" * 600, "x" * USER_AGENT_LIMIT),
    ],
)
def test_a_user_agent_is_one_clean_line(header: bytes | None, text: str) -> None:
    assert user_agent_of(header) == text


@given(st.binary(max_size=700))
def test_whatever_a_client_calls_itself_can_be_recorded(header: bytes) -> None:
    text = user_agent_of(header)

    assert 0 < len(text) <= USER_AGENT_LIMIT
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    text.encode()


@pytest.mark.parametrize("header", [None, "", "short", "x" * 65, "with space in it", "line\nbreak-in-it"])
def test_a_request_id_that_does_not_look_like_one_is_not_taken(header: str | None) -> None:
    assert request_id_of(header) is None
