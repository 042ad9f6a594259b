"""A function of ``home.values`` leaves what it has returned as it is when it gets it again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from careers.search.folding import fold
from home.recipients import split_addresses, validate_addresses
from home.values import country, email, host, link, mail_address, name, number, phone, text

#: Text of any characters, and often those that one of the functions decides on.
WILD = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(
            "\u200b\u200c\u200d\u200e\u200f\u202e\u034f\xad \t\n.,;:@<>\"'()[]+-/%#*0123789abXßς٣３"
            "\ufe0e\ufe0f\u20e3\u0301\u0323\u0f73\u05d0\u0591\u0639\u0e01\u2126\u212a\u1100\u1161\u11a8"
            "،。＠．\u6f22\u1820\u180b\u2adc\u0958\u3164\u2800\ufeff\ud83d\U0001f469\U0001f3f4\U000e0067"
            "\U000e0100"
        ),
    ),
    max_size=40,
)
#: What people and programs put together to an address, a link, a number or a name.
PARTS = st.lists(
    st.sampled_from(
        [
            *("a@b.de", "@", "ß", "xn--fa-hia", "mailto:", "tel:", "https://", "www.b.de", "%40"),
            *("'", "’", "‘", '"', "“", "”", "(", ")", "<", ">", " ", ",", ".", ";", ":", "1", "45"),
            *("\u200d", "\ufe0f", "0\u20e3", "-", "–", "+", "/", "ext.", "Ada", "é", "e\u0301"),
        ]
    ),
    max_size=12,
).map("".join)


def _number(typed: str) -> str:
    written = number.read(typed)
    return number.exact(written.numbers[0]) if written else ""


def _addresses(typed: str) -> str:
    found = split_addresses(typed)
    try:
        validate_addresses(typed)
    except ValidationError:
        return ""
    return "\n".join(found)


def _exact(typed: str) -> str:
    return number.exact(Decimal(typed)) if typed else typed


#: A function, and the one that must keep its results; mostly the same.
TWICE: list[tuple[Callable[[str], str], Callable[[str], str]]] = [
    (function, function)
    for function in (
        text.clean,
        lambda typed: text.clean(typed, lines=True),
        lambda typed: text.one_line(typed, 10),
        text.without_unseen,
        text.narrow,
        text.plain,
        name.clean,
        phone.clean,
        phone.digits,
        email.clean,
        mail_address.key,
        mail_address.for_people,
        lambda typed: mail_address.stored(typed, 254),
        host.to_unicode,
        lambda typed: link.read(typed) or "",
        number.plain,
        _addresses,
        country.meant,
        fold,
    )
] + [(_number, _exact)]


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize(("first", "second"), TWICE, ids=range(len(TWICE)))
@given(typed=st.one_of(WILD, PARTS))
def test_second_cleaning_changes_nothing(
    first: Callable[[str], str], second: Callable[[str], str], typed: str
) -> None:
    cleaned = first(typed)
    assert second(cleaned) == cleaned
