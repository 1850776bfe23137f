"""Which leads are likely one: by mailbox, phone, name, and domains that are taken for each other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from leads_core.leads.likeness import Likeness, likeness_of
from leads_core.leads.lookalikes import lookalikes_of, mailbox_of, may_look_alike, same_mailbox
from leads_core.leads.normalising import registrable_domain
from leads_core.leads.similar_names import similarity, words_of


@dataclass(frozen=True)
class ALead:
    email: str | None = None
    registrable_domain: str | None = None
    company_name: str | None = None
    contact_name: str | None = None
    phone: str | None = None


def lead(email: str | None = None, name: str | None = None, *, domain: str | None = None, phone: str = "") -> ALead:
    return ALead(email, domain or registrable_domain((email or "").rpartition("@")[2]), None, name, phone or None)


def likeness(
    mine: ALead, theirs: ALead, *, same_company: bool = False, is_switchboard: bool = False
) -> Likeness | None:
    found = [
        likeness_of(*pair, same_company=same_company, is_switchboard=is_switchboard)
        for pair in ((mine, theirs), (theirs, mine))
    ]
    assert found[0] == found[1], "it depends on which of the two is asked"
    return found[0]


def reasons(mine: ALead, theirs: ALead) -> set[str]:
    found = likeness(mine, theirs)
    return set(found.reasons) if found else set()


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("acme.com", "acrne.com", "typo"),
        ("acme.com", "acmee.com", "typo"),
        ("vvoodland.com", "woodland.com", "typo"),
        ("googol.com", "go0gol.com", "typo"),
        ("globalist.com", "g1obalist.com", "typo"),
        ("blue-sky.com", "bluesky.com", "typo"),
        ("abbott.com", "abott.com", "typo"),
        ("acme.com", "xn--cme-5cd.com", "typo"),
        ("muller.de", "xn--mller-kva.de", "typo"),
        ("mueller.de", "xn--mller-kva.de", "typo"),
        ("acme.com", "acme-inc.com", "addition"),
        ("acme.com", "acmegroup.com", "addition"),
        ("acme.com", "acme.de", "ending"),
        ("acme.com", "acme.co.uk", "ending"),
    ],
)
def test_a_domain_that_is_taken_for_another_is_found_from_either(one: str, other: str, rule: str) -> None:
    assert (lookalikes_of(one).get(other), lookalikes_of(other).get(one)) == (rule, rule)


@settings(max_examples=40, deadline=None)
@given(label=some.from_regex(r"[a-z0-9üöа][a-z0-9]{2,9}[a-z0-9é]", fullmatch=True))
def test_what_looks_alike_is_not_passed_over_before_it_is_looked_at(label: str) -> None:
    domain = f"{label if label.isascii() else 'xn--' + label.encode('punycode').decode()}.com"

    assert [other for other in lookalikes_of(domain) if not may_look_alike(domain, other)] == []


@pytest.mark.parametrize("other", ["acne.com", "ajax.com", "acme-berlin.com", "acmé", "cme.com"])
def test_another_domain_is_not(other: str) -> None:
    assert other not in lookalikes_of("acme.com")


def test_a_short_name_has_only_other_endings_and_no_domain_has_too_many() -> None:
    assert set(lookalikes_of("ibm.com").values()) == {"ending"}
    assert max(len(lookalikes_of(f"{name}.com")) for name in ("acme", "a" * 63, "sparkling-cloud-solutions")) < 600


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max+news@acme.com", "max@acme.com"),
        ("max+a@acme.com", "max+b@acme.com"),
        ("m.a.x@gmail.com", "max@gmail.com"),
        ("max.holt+x@gmail.com", "maxholt@googlemail.com"),
    ],
)
def test_spellings_of_one_mailbox_are_very_likely_one_lead(one: str, other: str) -> None:
    found = likeness(lead(one), lead(other))

    assert mailbox_of(one) == mailbox_of(other)
    assert found is not None
    assert (found.reasons[0], found.likelihood) == ("mailbox", "very likely")


def test_dots_count_everywhere_but_at_gmail() -> None:
    assert mailbox_of("m.ax@acme.com") != mailbox_of("max@acme.com")


def test_the_spellings_that_are_looked_up_lead_to_the_plain_address_and_to_tagged_ones() -> None:
    spellings, tagged = same_mailbox("max+news@acme.com")

    assert (spellings, tagged) == ({"max@acme.com"}, "max+")
    assert "maxholt@gmail.com" in same_mailbox("max.holt@gmail.com")[0]
    assert "max.holt@gmail.com" in same_mailbox("maxholt@gmail.com")[0]
    assert len(same_mailbox(f"{'a' * 64}@gmail.com")[0]) < 600


@pytest.mark.parametrize(
    ("mine", "theirs", "alike"),
    [
        ("Mara Holt", "mara holt", "same"),
        ("Holt, Mara", "Mara Holt", "same"),
        ("Dr. Mara Holt", "Mara Holt", "same"),
        ("Mára Hölt", "Mara Holt", "same"),
        ("M. Holt", "Mara Holt", "similar"),
        ("Mara Jane Holt", "Mara Holt", "similar"),
        ("Jonathan Brandt", "Jonathon Brandt", "similar"),
        ("Mara", "Mara Holt", "part"),
        ("Mara Holt", "Idris Bello", None),
        ("Mara Holt", "Mara Bello", None),
        ("M. H.", "Mara Holt", None),
        ("Ana Diaz", "Ava Diaz", None),
        (None, "Mara Holt", None),
    ],
)
def test_names_are_likely_one_persons(mine: str | None, theirs: str | None, alike: str | None) -> None:
    both = words_of(mine, None), words_of(theirs, None)

    assert (similarity(*both), similarity(*both[::-1])) == (alike, alike)


def test_who_is_not_named_is_called_as_the_address_says() -> None:
    assert words_of(None, "mara.holt+x@acme.com") == ("mara", "holt")
    assert words_of(None, "info@acme.com") == words_of(None, "mh@acme.com") == ()


def test_colleagues_are_not_alike() -> None:
    assert reasons(lead("mara@acme.com", "Mara Holt"), lead("idris@acme.com", "Idris Bello")) == set()


def test_the_same_name_elsewhere_is_somebody_else() -> None:
    assert reasons(lead("mara@acme.com", "Mara Holt"), lead("mara@other.com", "Mara Holt")) == set()


def test_the_same_name_at_one_company_is_alike() -> None:
    assert reasons(lead("mara@acme.com", "Mara Holt"), lead("m.holt@acme.com", "M. Holt")) == {"similar_name"}
    assert reasons(lead("mara.holt@acme.com"), lead("mh@acme.com", "Mara Holt")) == {"same_name"}


def test_a_company_that_nobody_is_named_for_is_there_twice() -> None:
    assert reasons(lead("info@acme.com"), lead(domain="acme.com")) == {"nobody_named"}
    assert reasons(lead("mara@acme.com", "Mara Holt"), lead(domain="acme.com")) == set()
    assert reasons(lead("info@acme.com"), lead("sales@acme.com")) == set()


def test_a_phone_speaks_for_one_lead_and_less_where_two_people_are_named() -> None:
    phone = "+4930901820"
    one, other = lead("mara@acme.com", "Mara Holt", phone=phone), lead("idris@acme.com", "Idris Bello", phone=phone)

    assert reasons(one, lead(domain="acme.de", phone=phone)) >= {"phone"}
    assert reasons(one, other) == {"shared_phone"}
    assert likeness(one, other, is_switchboard=True) is None


def test_a_look_alike_domain_counts_with_the_same_address_or_name_or_with_nobody_named() -> None:
    mara = lead("mara@acme.com", "Mara Holt")

    assert "lookalike_address" in reasons(mara, lead("mara@acrne.com"))
    assert reasons(mara, lead("m.holt@acrne.com", "M. Holt")) == {"similar_name", "lookalike_domain"}
    assert reasons(mara, lead(domain="acrne.com")) == {"lookalike_domain"}
    assert reasons(mara, lead("idris@acrne.com", "Idris Bello")) == set()


def test_each_further_reason_makes_it_likelier() -> None:
    one = likeness(lead("a@acme.com", "Mara Holt"), lead("b@acme.com", "Mara Holt"))
    more = likeness(lead("a@acme.com", "Mara Holt", phone="+49301"), lead("b@acme.com", "Mara Holt", phone="+49301"))

    assert one is not None
    assert more is not None
    assert more.score > one.score
