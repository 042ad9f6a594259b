"""Lists of addresses, as people type them and mail programs copy them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as st

from home.recipients import split_addresses, split_domains, validate_addresses, validate_domains

A, B, C = "hanna@example.org", "bo@example.org", "ann.o'hara+jobs@mail.example.org"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n, ;\t\n", []),
        (A, [A]),
        (f"{A}\n{B}", [A, B]),
        (f"{A}\r\n\r\n{B}\r", [A, B]),
        (f"{A},{B}, {C}", [A, B, C]),
        (f"{A}; {B};", [A, B]),
        (f"{A} {B}", [A, B]),
        (f"{A}\t{B}", [A, B]),
        (f"{A}，{B}；{C}、{A}", [A, B, C]),
        (f"{A}، {B}؛ {C}", [A, B, C]),
        (f"{A}\nHANNA@Example.ORG", [A]),
        # Names.
        (f"Hanna Lie <{A}>", [A]),
        (f"Hanna Lie <{A}>, Bo Lind <{B}>", [A, B]),
        (f"Hanna Lie <{A}>; Bo Lind <{B}>;", [A, B]),
        (f"Hanna Lie <{A}> Bo Lind <{B}>", [A, B]),
        (f"Hanna Lie<{A}>", [A]),
        (f"<{A}>", [A]),
        (f"<{A}>, <{B}>", [A, B]),
        (f'"Lie, Hanna" <{A}>, "Lind; Bo" <{B}>', [A, B]),
        (f'"Hanna \\"HR\\" Lie" <{A}>', [A]),
        (f"Lie, Hanna <{A}>; Lind, Bo <{B}>", [A, B]),
        (f"Lie, Hanna <{A}>, Lind, Bo, Dr. <{B}>", [A, B]),
        (f"{A}, Lind, Bo <{B}>", [A, B]),
        (f"“Lie, Hanna” <{A}>", [A]),
        (f"„Lie, Hanna“ <{A}>", [A]),
        (f"«Lie, Hanna» <{A}>", [A]),
        (f"{A} <{A}>", [A]),
        (f"'{A}' <{A}>", [A]),
        (f'"{A}" <mailto:{A}>', [A]),
        (f"{A} (Lie, Hanna)", [A]),
        (f"Hanna @ HR <{A}>", [A]),
        # What stands around lists.
        (f"To: Hanna Lie <{A}>,\n\tBo Lind <{B}>", [A, B]),
        (f"Cc: {A}", [A]),
        (f"HR team: {A}, {B};", [A, B]),
        (f"- {A}\n• {B}\n* {C}", [A, B, C]),
        (f"1. {A}\n2) {B}\n10. {C}", [A, B, C]),
        (f"mailto:{A}", [A]),
        (f"mailto:{A}?subject=Jobs", [A]),
        (f"\ufeff{A}\u200b\n\u202a{B}\u202c", [A, B]),
        (f"\u00a0{A}\u00a0,\u2003{B}", [A, B]),
        # Hosts.
        ("hr@faß.de, hr@fass.de", ["hr@faß.de", "hr@fass.de"]),
        ("hr@faß.de\nhr@xn--fa-hia.de\nHR@FAẞ.de", ["hr@faß.de"]),
        ("hr@XN--FA-HIA.de", ["hr@faß.de"]),
        ("zoë@例え。テスト", ["zoë@例え.テスト"]),
        ('"a,b"@example.org', ['"a,b"@example.org']),
    ],
)
def test_split_addresses_understands_lists_of_mail_programs(text: str, found: list[str]) -> None:
    assert split_addresses(text) == found
    assert split_addresses("\n".join(found)) == found
    validate_addresses(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hanna", "“hanna”"),
        ("hanna, bo@example.org", "“hanna”"),
        ("hanna\nBo <bo@example.org>", "“hanna”"),
        ("hanna lie@example.org", "“hanna lie@example.org”"),
        ("Hanna Lie hanna@example.org", "“Hanna Lie hanna@example.org”"),
        ("hanna@example.org or bo@example.org", "“hanna@example.org or bo@example.org”"),
        ("bo@example.org <hanna@example.org>", "“bo@example.org <hanna@example.org>”"),
        ("bo@example.org Hanna <hanna@example.org>", "“bo@example.org Hanna <"),
        ("Hanna <>", "“Hanna <>”"),
        ("Hanna <hanna>", "“hanna”"),
        ("Hanna <hanna@example.org", "“Hanna <hanna@example.org”"),
        ('"Lie, Hanna <hanna@example.org', '“"Lie'),
        ("100%@a_b.example", "“100%@a_b.example”"),
        ("hr@i❤.ws", "“i❤.ws”"),
        ("hanna@", "“hanna@”"),
        ("<<<<", "“<<<<”"),
    ],
)
def test_list_that_can_be_read_in_two_ways_is_refused(text: str, named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_addresses(text)
    assert named in caught.value.messages[0]


@rules(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('ab@.<>"(),;: \n\t\\“”-é%ß'), max_size=60))
def test_understood_list_stays_the_same(text: str) -> None:
    try:
        validate_addresses(text)
    except ValidationError:
        return
    found = split_addresses(text)
    assert split_addresses("\n".join(found)) == found
    assert split_addresses("; ".join(found)) == found


@pytest.mark.parametrize("text", ["<" * 50_000, '"' * 49_999, "a," * 25_000, "(" * 50_000])
def test_long_list_takes_time_in_proportion_to_its_length(text: str) -> None:
    split_addresses(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("example.com", ["example.com"]),
        ("@Example.COM, other.test;third.test", ["example.com", "other.test", "third.test"]),
        ("faß.de fass.de", ["faß.de", "fass.de"]),
        ("faß.de\nxn--fa-hia.de\nFAẞ.DE", ["faß.de"]),
        ("\u200bexample.com", ["example.com"]),
    ],
)
def test_split_domains_returns_one_spelling_of_each(text: str, found: list[str]) -> None:
    assert split_domains(text) == found
    validate_domains(text)


@pytest.mark.parametrize(
    "text", ["example", "https://example.com", "a@b.example", "*.example", "i❤.ws"]
)
def test_text_that_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        validate_domains(text)
