"""Each value has one spelling, and what cannot have one is refused in words."""

import sys
import unicodedata
from collections.abc import Callable
from typing import Annotated

import idna
import pytest
from email_validator import validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from leads_core.leads import addresses, domains, normalising
from leads_core.leads.normalising import (
    Country,
    Domain,
    Email,
    Line,
    Paragraphs,
    Phone,
    Tags,
    clean_text,
    fold,
    is_free_mail,
    normalise_domain,
    normalise_email,
    normalise_phone,
    normalise_tags,
    normalise_web_address,
    registrable_domain,
)

anything = st.text(st.characters(), max_size=60)
labels = st.from_regex(r"[a-zA-Z0-9_üßİ-]{1,12}", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join) | st.sampled_from(
    ["www.acme.com", "www.www.com", "Bücher.de", "foo.github.io", "a--b.com", "acme.com.", "ab--cd.com", "xn--p1ai.com"]
)
addresses_like = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "http://", "HTTPS://", "//"]),
    hosts,
    st.sampled_from(["", ":80", ":8443"]),
    anything,
)
emails_like = st.builds("{}@{}".format, st.from_regex(r"[a-zA-Z0-9_+.!'é-]{1,12}", fullmatch=True), hosts)


class Lead(BaseModel):
    email: Email = None
    domain: Domain = None
    phone: Phone = None
    country: Country = None
    company_name: Annotated[str | None, Line(10)] = None
    notes: Annotated[str | None, Paragraphs(20)] = None
    tags: Tags = []


def outcome(read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except ValueError:
        return ValueError


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("https://www.Acme.com/about", "acme.com"),
        ("https://careers.acme.com", "careers.acme.com"),
        ("acme.com:8080/x?y#z", "acme.com"),
        ("//acme.com", "acme.com"),
        ("Acme.com.", "acme.com"),
        ("www.www.acme.com", "acme.com"),
        ("www.com", "www.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
        ("faß.de", "xn--fa-hia.de"),
        ("acme。com", "acme.com"),
        ("www.github.io", "github.io"),
        ("foo.github.io", "foo.github.io"),
    ],
)
def test_domain_has_one_spelling(typed: str, domain: str) -> None:
    assert normalise_domain(typed) == domain


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("acme", "“acme” has no ending. Did you mean acme.com?"),
        ("acme.cmo", "“acme.cmo” ends in .cmo, which is no ending of a domain. Check how it is spelled."),
        ("co.uk", "“co.uk” is an ending that many share. Put the name before it, as in acme.co.uk."),
        ("1.1.1.1", "“1.1.1.1” is an IP address. Type a domain, such as acme.com."),
        ("http://[::1]/", "“[::1]” is an IP address. Type a domain, such as acme.com."),
        ("１.１.１.①", "“１.１.１.①” is an IP address. Type a domain, such as acme.com."),
        ("0x7f.1", "“0x7f.1” is an IP address. Type a domain, such as acme.com."),
        ("2130706433", "“2130706433” is an IP address. Type a domain, such as acme.com."),
        (
            "https://ana:pw@acme.com",
            "A user name or an @ sign does not belong here. Type the domain alone, such as acme.com.",
        ),
        ("javascript:alert(1)", "A web address begins with https:// or http://, or is a domain such as acme.com."),
        ("ftp://acme.com", "A web address begins with https:// or http://, or is a domain such as acme.com."),
        ("acme.com:99999", "“acme.com:99999” has a port that is no number up to 65535. Leave it out."),
        ("a_b.com", "“a_b.com” is no domain. One is letters, digits and hyphens, such as acme.com."),
        ("a.onion", "“a.onion” ends in .onion, which is no ending of a domain. Check how it is spelled."),
        ("acme.com\\@evil.com", "A web address has no backslash. Use / instead."),
        ("a." * 126 + "com", "A domain has at most 253 characters."),
        ("https://", "The domain is missing. Type it, such as acme.com."),
    ],
)
def test_what_is_no_domain_is_refused_with_a_remedy(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        normalise_domain(typed)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("domain", "registrable"),
    [
        ("careers.acme.com", "acme.com"),
        ("a.b.acme.co.uk", "acme.co.uk"),
        ("foo.github.io", "foo.github.io"),
        ("github.io", "github.io"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("co.uk", None),
        ("acme.corp", None),
    ],
)
def test_registrable_domain_is_what_somebody_registered(domain: str, registrable: str | None) -> None:
    assert registrable_domain(domain) == registrable


def test_free_mail_says_nothing_about_a_company() -> None:
    assert all(map(is_free_mail, ["gmail.com", "gmx.de", "hey.com", "outlook.com", "mail.yahoo.co.jp"]))
    assert not any(map(is_free_mail, ["acme.com", "mail.acme.com", None]))


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ana@www.acme.com", "acme.com"),
        ("ana@bücher.de", "xn--bcher-kva.de"),
        ("ana@gmail.com", "gmail.com"),
        ("a@x.corp", None),
    ],
)
def test_domain_of_an_email_is_its_host(email: str, domain: str | None) -> None:
    assert normalising.domain_of_email(email) == domain


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("Ana.Diaz@ACME.com", "ana.diaz@acme.com"),
        (" ana+news@acme.com ", "ana+news@acme.com"),
        ("É@acme.com", "é@acme.com"),
        ("e\u0301@acme.com", "é@acme.com"),
        ("ana@BÜCHER.de", "ana@bücher.de"),
        ("ana@xn--bcher-kva.de", "ana@bücher.de"),
        ("o'neil@acme.com", "o'neil@acme.com"),
    ],
)
def test_email_has_one_spelling(typed: str, email: str) -> None:
    assert normalise_email(typed) == email


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("a@@acme.com", "Two @ signs. An address has one."),
        ("a@b@c@acme.com", "Several @ signs. An address has one."),
        ("ana", "“ana” has no @ sign. An address looks like name@acme.com."),
        ("ana@acme", "“acme” has no ending. Did you mean acme.com?"),
        ("a na@acme.com", "A space inside. An address has none."),
        ("@acme.com", "The name before the @ sign is missing, as in name@acme.com."),
        ("ana@", "The domain after the @ sign is missing, as in name@acme.com."),
        ("a..b@acme.com", "Two dots in a row. An address has one at a time."),
        ("ana@acme.test", "“acme.test” is no place on the internet that mail can reach."),
        ("ana@[127.0.0.1]", "“ana@[127.0.0.1]” is no address that mail can reach. One looks like name@acme.com."),
        ("a" * 250 + "@acme.com", "An address has at most 254 characters."),
        ("", "The email is missing. Type it, such as name@acme.com."),
    ],
)
def test_what_is_no_email_is_refused_with_a_remedy(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        normalise_email(typed)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("typed", "country", "phone"),
    [
        ("+49 30 1234567", None, "+49301234567"),
        ("030 / 123 45 67", "DE", "+49301234567"),
        ("(650) 253-0000", "US", "+16502530000"),
        ("030 1234567 ext. 12", "DE", "+49301234567 ext. 12"),
        ("＋49 30 1234567", None, "+49301234567"),
        ("030 1234567", None, "030 1234567"),
        ("030 1234567 ask  for Ana", "DE", "030 1234567 ask for Ana"),
        ("+1 650 253 0000 / +1 650 253 0001", "US", "+1 650 253 0000 / +1 650 253 0001"),
        ("+999 1234567", None, "+999 1234567"),
        ("1234567", "ZZ", "1234567"),
    ],
)
def test_phone_is_e164_where_its_country_is_known(typed: str, country: str | None, phone: str) -> None:
    assert normalise_phone(typed, country) == phone


def test_phone_below_seven_digits_or_beyond_fifty_signs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 7 digits\. Leave it empty if you do not know it\."):
        normalise_phone("12-34-56")
    with pytest.raises(ValueError, match="at most 50 characters"):
        normalise_phone("1" * 51)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Acme.com", "https://acme.com"),
        ("acme.com/Über uns", "https://acme.com/%C3%9Cber%20uns"),
        ("HTTP://www.acme.com:80/", "http://www.acme.com"),
        ("https://acme.com:8443/?q=a b#c", "https://acme.com:8443/?q=a%20b#c"),
        ("https://acme.com/<script>", "https://acme.com/%3Cscript%3E"),
    ],
)
def test_web_address_has_one_spelling(typed: str, address: str) -> None:
    assert normalise_web_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "JavaScript://acme.com/%0aalert(1)",
        "https://a:b@acme.com",
        "data:text/html,x",
        "acme.com/" + "ü" * 1000,
        "http:acme.com",
    ],
)
def test_web_address_of_another_kind_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        normalise_web_address(typed)


def test_linkedin_page_lies_at_linkedin() -> None:
    assert normalising.normalise_linkedin_url("de.linkedin.com/in/ana") == "https://de.linkedin.com/in/ana"
    with pytest.raises(ValueError, match=r"begins with https://www\.linkedin\.com/"):
        normalising.normalise_linkedin_url("https://linkedin.com.evil.com/in/ana")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("de", "DE"),
        ("Germany", "DE"),
        ("DEUTSCHLAND", "DE"),
        ("U.S.A.", "US"),
        ("UK", "GB"),
        ("Türkiye", "TR"),
        ("cote d’ivoire", "CI"),
        ("日本", "JP"),
    ],
)
def test_country_is_known_by_code_and_by_names(typed: str, code: str) -> None:
    assert normalising.normalise_country(typed) == code


@pytest.mark.parametrize(
    ("read", "typed", "sentence"),
    [
        (normalising.normalise_country, "Germny", "“Germny” is no country we know. Did you mean Germany?"),
        (
            normalising.normalise_country,
            "Zz",
            "“Zz” is no country we know. Type its English name or its code of two letters.",
        ),
        (normalising.normalise_language, "Frensh", "“Frensh” is no language we know. Did you mean French?"),
    ],
)
def test_unknown_country_or_language_names_the_nearest(read: Callable[[str], str], typed: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        read(typed)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("typed", "code"), [("en-US", "en"), ("pt_BR", "pt"), ("German", "de"), ("deutsch", "de"), ("中文", "zh")]
)
def test_language_is_known_by_code_tag_and_names(typed: str, code: str) -> None:
    assert normalising.normalise_language(typed) == code


def test_every_country_and_language_is_found_by_its_own_name() -> None:
    assert len(normalising.COUNTRY_NAMES) == 249
    assert all(normalising.normalise_country(name) == code for code, name in normalising.COUNTRY_NAMES.items())
    assert all(normalising.normalise_language(name) == code for code, name in normalising.LANGUAGE_NAMES.items())


def test_tags_keep_the_first_spelling_of_each() -> None:
    assert normalise_tags([" Hot ", "hot", "", "É", "e\u0301", "cold"]) == ["Hot", "É", "cold"]


@pytest.mark.parametrize("tags", [["a,b"], ["x" * 51], [str(n) for n in range(51)]], ids=["comma", "long", "many"])
def test_tags_beyond_their_limits_are_refused(tags: list[str]) -> None:
    with pytest.raises(ValueError):
        normalise_tags(tags)


def test_text_is_trimmed_composed_and_has_one_line_end() -> None:
    assert clean_text("\ufeff e\u0301\r\nb\rc\td \u200b", limit=20, multiline=True) == "é\nb\nc\td"
    assert clean_text("a\r\nb\tc\u2028d", limit=20) == "a b c d"
    assert clean_text(" \u00a0\n", limit=20) is None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("a\0", "The character U+0000 cannot be kept. Remove it."),
        ("\x1b[1m", "The character U+001B cannot be kept. Remove it."),
        ("\x85", "The character U+0085 cannot be kept. Remove it."),
        ("\ud800", "The character U+D800 cannot be kept. Remove it."),
        ("x" * 21, "At most 20 characters fit here; these are 21."),
    ],
)
@pytest.mark.parametrize("multiline", [True, False])
def test_text_that_cannot_be_kept_is_refused(typed: str, sentence: str, multiline: bool) -> None:
    with pytest.raises(ValueError) as refused:
        clean_text(typed, limit=20, multiline=multiline)

    assert str(refused.value) == sentence


def test_bidi_controls_are_kept() -> None:
    assert clean_text("\u202etomorrow", limit=20) == "\u202etomorrow"


def test_schema_reads_blank_as_null_and_normalises_the_rest() -> None:
    lead = Lead.model_validate(
        {
            "email": " ANA@acme.com",
            "domain": "",
            "phone": " ",
            "country": "germany",
            "company_name": " Acme\t",
            "notes": "a\r\nb",
            "tags": ["a", "A"],
        }
    )

    assert lead == Lead.model_construct(
        email="ana@acme.com", domain=None, phone=None, country="DE", company_name="Acme", notes="a\nb", tags=["a"]
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", 1),
        ("email", "\ud800"),
        ("company_name", "x" * 11),
        ("company_name", ["x"]),
        ("notes", "\0"),
        ("tags", "a,b"),
        ("tags", [1]),
        ("domain", "acme"),
        ("phone", "12"),
    ],
)
def test_schema_names_the_field_it_refuses(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Lead.model_validate({field: value})

    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_schema_tells_the_limits_to_readers_of_the_api() -> None:
    properties = Lead.model_json_schema()["properties"]

    assert (
        properties["company_name"]["maxLength"],
        properties["email"]["maxLength"],
        properties["tags"]["maxItems"],
    ) == (10, 254, 50)


READERS: list[Callable[[str], object]] = [
    normalise_domain,
    normalise_email,
    normalise_phone,
    lambda text: normalise_phone(text, "DE"),
    normalise_web_address,
    normalising.normalise_linkedin_url,
    normalising.normalise_country,
    normalising.normalise_language,
    lambda text: normalise_tags([text]),
    lambda text: clean_text(text, limit=40),
    lambda text: clean_text(text, limit=40, multiline=True),
    normalising.sort_key,
    fold,
    normalising.domain_of_email,
]


@given(
    anything | addresses_like | emails_like | st.from_regex(r"\+?[0-9 ()x/-]{7,20}", fullmatch=True),
    st.sampled_from(READERS),
)
@example("a@" + "xn--" + "a" * 60 + ".com", normalise_email)
@example("\u0130@acme.com", normalise_email)
@example("www.xn--www-.com", normalise_domain)
def test_normalising_twice_changes_nothing_and_only_refuses_in_words(text: str, read: Callable[[str], object]) -> None:
    once = outcome(read, text)

    if isinstance(once, str):
        assert read(once) == once
    if isinstance(once, list):
        assert normalise_tags(once) == once


@given(hosts)
def test_plain_domains_are_encoded_as_idna_does(text: str) -> None:
    if domains._PLAIN.fullmatch(text.lower()) and text.isascii():
        assert domains._encoded(text) == idna.encode(text, uts46=True, std3_rules=True).decode()


@given(hosts)
def test_plain_domains_give_what_the_long_way_gives(text: str) -> None:
    if domains._is_plain(text.lower()) and text.isascii():
        assert normalise_domain(text) == domains.split_address(text)[0]


@given(
    st.builds(
        "{}@{}".format,
        st.from_regex(r"[a-zA-Z0-9_+.-]{1,12}", fullmatch=True),
        st.from_regex(r"([a-zA-Z0-9-]{1,8}\.){1,3}(com|de|test|onion|arpa|x1|museum)", fullmatch=True),
    )
)
def test_plain_emails_give_what_the_validator_gives(text: str) -> None:
    if addresses._PLAIN_EMAIL.fullmatch(text.lower()):
        assert normalise_email(text) == validate_email(text, check_deliverability=False).normalized.lower()


def test_every_character_folds_to_what_folds_no_further() -> None:
    letters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    folded = [fold(letter) for letter in letters]

    assert [fold(text) for text in folded] == folded
    assert not any(unicodedata.combining(letter) for text in folded for letter in text)


@given(st.text(), st.text())
def test_each_character_folds_by_itself(left: str, right: str) -> None:
    assert fold(left + right) == fold(left) + fold(right)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("ﬁn", "fin"),
        ("Đorđe", "dorde"),
        ("İstanbul", "istanbul"),
        ("ısı", "isi"),
    ],
)
def test_fold_drops_case_marks_and_forms(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_search_text_has_a_line_for_each_field_and_the_domain_when_it_is_another() -> None:
    assert normalising.search_text("ana@acme.com", "acme.com", "Acmé", "Ana") == "ana@acme.com\nacme\nana"
    assert normalising.search_text("ana@gmail.com", "acme.com", None, None) == "ana@gmail.com\nacme.com"
    assert normalising.search_text(None, "acme.com", None, "Ana") == "acme.com\nana"
    assert normalising.search_text(None, None, None, None) == ""


def test_sort_key_fits_into_an_index() -> None:
    assert normalising.sort_key("  Éa  b ") == "ea b"
    assert normalising.sort_key(None) is None
    assert len((normalising.sort_key("\ufdfa" * 200) or "").encode()) < 2_000


def test_like_takes_signs_literally() -> None:
    assert normalising.escape_like(r"100%_a\b") == r"100\%\_a\\b"
