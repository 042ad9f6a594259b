"""Addresses: where a mail to them goes, which are the same, and which are refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from home.values.email import check
from home.values.mail_address import (
    for_people,
    is_international,
    key,
    spellings,
    stored,
    to_ascii,
    uri,
)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("jane@faß.de", "jane@xn--fa-hia.de"),
        ("Jane.Miller@Example.org", "Jane.Miller@example.org"),
        ("zoë@faß.de", "zoë@xn--fa-hia.de"),
        ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
        ('"a b"@example.org', '"a b"@example.org'),
        ('"a@b"@example.org', '"a@b"@example.org'),
        ("a..b.@docomo.example", '"a..b."@docomo.example'),
        (".a@docomo.ne.jp", '".a"@docomo.ne.jp'),
        ('"a..b"@docomo.ne.jp', '"a..b"@docomo.ne.jp'),
        ("a.b@docomo.ne.jp", "a.b@docomo.ne.jp"),
        ("x@[192.0.2.1]", "x@[192.0.2.1]"),
    ],
)
def test_address_is_sent_to_its_own_host(typed: str, sent: str) -> None:
    assert to_ascii(typed) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "a@",
        "@a",
        "a",
        "a b@c.d",
        "a@b@c.d",
        "a,b@c.d",
        "<a@b.c>",
        "a@b..ü",
        "a\n@b.c",
        '"a"b"@c.d',
        '"a\\"@c.d',
        "a\x00@b.c",
        "a\u202eb@c.d",
        "a@i❤.ws",
        "a:b@c.d",
        "a(b)@c.d",
    ],
)
def test_text_that_no_mail_can_be_sent_to_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        to_ascii(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HR@Example.org", " hr@example.ORG "),
        ("hr@faß.de", "HR@xn--fa-hia.DE"),
        ("hr@FAẞ.de", "hr@faß.de"),
        ("hr@ΣΊΣΥΦΟΣ.gr", "hr@σίσυφοσ.gr"),
        ("ÅSA@example.org", "a\u030asa@example.org"),
        ("hr@bu\u0308cher.example", "hr@BÜCHER.example"),
        ("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        ("a.b.@docomo.ne.jp", '"A.B."@DOCOMO.ne.jp'),
        ("jane.miller@example.org", '"jane.mi\\ller"@example.org'),
        ('"a,b"@example.org', '"a\\,\\B"@example.org'),
        ('"a\\\\b c"@example.org', '"a\\\\b\\ c"@example.org'),
        ("no address", "NO ADDRESS"),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert key(one) == key(other) == key(key(one))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("anna@x.example", {"anna@x.example", '"anna"@x.example'}),
        ('"Anna"@X.example', {"anna@x.example", '"anna"@x.example'}),
        ("a..b@docomo.ne.jp", {"a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'}),
        ('"a b"@x.example', {'"a b"@x.example'}),
        (
            "anna@faß.de",
            {
                "anna@faß.de",
                "anna@xn--fa-hia.de",
                '"anna"@faß.de',
                '"anna"@xn--fa-hia.de',
            },
        ),
        ("anna@a..ü", {"anna@a..ü", '"anna"@a..ü'}),
        ("@x.example", {"@x.example"}),
        ("no address", {"no address"}),
    ],
)
def test_spellings_have_the_key_with_and_without_quotes(typed: str, found: set[str]) -> None:
    assert spellings(typed) == found
    assert {key(one) for one in found} == {key(typed)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hr@faß.de", "hr@fass.de"),
        ("hr@σίσυφος.gr", "hr@σίσυφοσ.gr"),
        ("straße@example.org", "strasse@example.org"),
        ("mıke@example.org", "mike@example.org"),
        ("mike@mıcrosoft.example", "mike@microsoft.example"),
        ("hr@example.org", "hr@example.com"),
        ("ab@example.org", '"a b"@example.org'),
        ("ab@example.org", '"a\\"b"@example.org'),
        ("@example.org", '""@example.org'),
    ],
)
def test_different_addresses_have_different_keys(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "address",
    [
        "jane@example.org",
        "Jane.O'Hara+jobs@mail.example.org",
        '"jane.miller"@example.org',
        "jane@[192.0.2.1]",
        "a..b@docomo.ne.jp",
        "a.@ezweb.ne.jp",
        ".a@au.com",
        "-a..b..@mail.ezweb.ne.jp",
        '"a..b"@example.org',
        "jane@localhost",
        "jane@faß.de",
        "jane@xn--fa-hia.de",
        "jane@ශ්\u200dරී.lk",
        "zoë@example.org",
        "用户@例え.テスト",
        "अजय@उदाहरण.भारत",
    ],
)
def test_address_that_mail_can_reach_is_accepted(address: str) -> None:
    check(address)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("jane@i❤.ws", "There can’t be a mail server “i❤.ws”."),
        ("jane@faß..de", "There can’t be a mail server “faß..de”."),
        ("jane@℀.example", "There can’t be a mail server “℀.example”."),
        ("a..b@example.org", "“a..b@example.org” has an extra dot before the @."),
        (".a@example.org", "has an extra dot before the @."),
        ("a.@gmail.com", "has an extra dot before the @."),
        ("a..b@one.jp", "has an extra dot before the @."),
        ("jane@faß", "The end is missing after “faß”"),
        ("zoë,@example.org", "is not an e-mail address"),
        ("jane\u3000miller@example.org", "is not an e-mail address"),
        ("jane\r\nBcc: x@example.org", "has a space in it"),
        ("jane\u202e@example.org", "is not an e-mail address"),
        ("jane@a_b.example", "is not an e-mail address"),
        ("a" * 320 + "@example.org", "is not an e-mail address"),
    ],
)
def test_address_that_mail_can_not_reach_is_refused(address: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check(address)
    assert problem in caught.value.messages[0]


def test_address_is_international_by_what_stands_before_the_at() -> None:
    assert is_international("zoë@example.org")
    assert not is_international("zoe@faß.de")


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("ada+jobs@example.org", "mailto:ada%2Bjobs@example.org"),
        ("jane@faß.de", "mailto:jane@xn--fa-hia.de"),
        ("zoë@example.org", "mailto:zo%C3%AB@example.org"),
        ("a?b&c=d@example.org", "mailto:a%3Fb%26c%3Dd@example.org"),
        ("no address", "mailto:no%20address"),
    ],
)
def test_link_writes_to_the_host_of_the_address(address: str, link: str) -> None:
    assert uri(address) == link


@pytest.mark.parametrize(
    ("address", "column"),
    [
        ("jane@faß.de", "jane@xn--fa-hia.de"),
        ("jane@σίσυφος.gr", "jane@xn--kxa6ajbbmh.gr"),
        ("zoë@ශ්\u200dරී.lk", "zoë@xn--10cl1a0b660p.lk"),
        ("jane@bücher.example", "jane@bücher.example"),
        ("jane@xn--fa-hia.de", "jane@xn--fa-hia.de"),
        ("Jane@Fass.de", "Jane@Fass.de"),
        ("jane@faß..de", "jane@faß..de"),
        ("no address", "no address"),
        ("j" * 245 + "@faß.de", "j" * 245 + "@faß.de"),  # too long for the column
    ],
)
def test_stored_address_is_for_the_same_person(address: str, column: str) -> None:
    assert stored(address, limit=254) == column
    assert key(column) == key(address)
    assert key(for_people(column)) == key(address)


@pytest.mark.parametrize(
    "address", ["jane@faß.de", "jane@ΣΊΣΥΦΟΣ.gr", "zoë@ශ්\u200dරී.lk", "j@bü.de"]
)
def test_previous_release_spells_the_stored_host_as_it_is(address: str) -> None:
    _local, _at, name = stored(address, limit=254).rpartition("@")
    assert name.encode("idna").decode() == to_ascii(address).rpartition("@")[2]
