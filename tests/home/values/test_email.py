"""E-mail addresses as people type and paste them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from home.values import mail_address
from home.values.email import check, clean
from tests.support.whole_way import whole_way

ADDRESS = "ada@example.org"
#: Typed, and stored.
ADDRESSES = [
    (ADDRESS, ADDRESS),
    ("Ada.Lovelace+jobs@Example.ORG", "Ada.Lovelace+jobs@Example.ORG"),
    ("  ada@example.org\n", ADDRESS),
    ("\u200bada@example.org", ADDRESS),
    ("\ufeffada@example.org\u200e", ADDRESS),
    ("ada@exam\u200bple.org", ADDRESS),
    ("ada\u200d@exam\u2060ple.org", ADDRESS),
    ("ad\u00ada@example.org", ADDRESS),
    ("\u202aada@example.org\u202c", ADDRESS),
    ("ada@example.org\x00", ADDRESS),
    ("ada @ example.org", ADDRESS),
    ("ada@example. org", ADDRESS),
    ("ada@example.org.", ADDRESS),
    ("ada@example.org;", ADDRESS),
    ("ada@example.org,", ADDRESS),
    ("Ada Lovelace <ada@example.org>", ADDRESS),
    ('"Lovelace, Ada" <ada@example.org>;', ADDRESS),
    ("Ada <Countess> <ada@example.org>", ADDRESS),
    ("<ada@example.org>", ADDRESS),
    ("mailto:ada@example.org", ADDRESS),
    ("MAILTO:ada@example.org?subject=Hello%20you", ADDRESS),
    ("mailto:ada%40example.org", ADDRESS),
    ("<mailto:ada@example.org>", ADDRESS),
    ("Ada <mailto:ada@example.org>", ADDRESS),
    ("ada@example.org (Ada Lovelace)", ADDRESS),
    ("'ada@example.org'", ADDRESS),
    ("“ada@example.org”", ADDRESS),
    ("(ada@example.org)", ADDRESS),
    ("ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ", ADDRESS),
    ("ada＠example。org", ADDRESS),
    ("jean\u2011luc@example.org", "jean-luc@example.org"),
    ("jean–luc@mid−size.example", "jean-luc@mid-size.example"),
    ("o’brien@example.ie", "o'brien@example.ie"),
    ("ada١٢@example.org", "ada12@example.org"),
    ("jane@münchen.example.de", "jane@münchen.example.de"),
    ("jane@mu\u0308nchen.example.de", "jane@münchen.example.de"),
    ("user@faß.de", "user@faß.de"),
    ("jane@例え.jp", "jane@例え.jp"),
    ("jane@نامه\u200cای.com", "jane@نامه\u200cای.com"),
    ('"ada.lovelace"@example.org', '"ada.lovelace"@example.org'),
    ("ada@example.org <ada@example.org>", ADDRESS),
    ("'Ada@example.org' <ada@example.org>", ADDRESS),
    ("Ada (she) <ada@example.org> (work)", ADDRESS),
]
REFUSED = [
    ("ada", "“ada” has no @."),
    ("Ada Lovelace", "“Ada Lovelace” has no @."),
    ("@example.org", "Nothing stands before the @"),
    ("ada@", "Nothing stands after the @"),
    ("ada@example", "The end is missing after “example”"),
    ("a@example.org, b@example.org", "has more than one @"),
    ("Ada <a@example.org>, Bo <b@example.org>", "has more than one @"),
    ("a@example.org <b@example.org>", "has more than one @"),
    ("a@example.org (b@example.org)", "has more than one @"),
    ("mailto:a@example.org,b@example.org", "has more than one @"),
    ("ada@@example.org", "has more than one @"),
    ("ada lovelace@example.org", "has a space in it"),
    ("Dr. ada@example.org", "has a space in it"),
    ("1. ada@example.org", "has a space in it"),
    ("mailto:%ff@example.org", "is not an e-mail address"),
    ("ada@exam_ple.org", "is not an e-mail address"),
    ("ada@-example.org", "is not an e-mail address"),
]


@pytest.mark.parametrize(("typed", "stored"), ADDRESSES)
def test_pasted_address_is_understood(typed: str, stored: str) -> None:
    assert clean(typed) == stored
    check(stored)


@pytest.mark.parametrize(("typed", "problem"), REFUSED)
def test_error_says_what_is_wrong(typed: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        check(clean(typed))


@given(
    st.text(
        st.one_of(
            st.characters(exclude_categories=()),
            st.sampled_from("a@@.. <>\"'()[]“”,;:?%40mailto\u200d\u2013\uff20\u3002\u0661"),
        )
    )
)
def test_accepted_address_is_clean_already(typed: str) -> None:
    address = clean(typed)
    try:
        check(address)
    except ValidationError:
        return
    assert clean(address) == address


#: The envelope and the headers, where they differ from what is stored.
SENT = {
    "Ada.Lovelace+jobs@Example.ORG": "Ada.Lovelace+jobs@example.org",
    "jane@münchen.example.de": "jane@xn--mnchen-3ya.example.de",
    # The quotes belong to the spelling only.
    '"ada.lovelace"@example.org': "ada.lovelace@example.org",
    "user@faß.de": "user@xn--fa-hia.de",
    "jane@例え.jp": "jane@xn--r8jz45g.jp",
    "jane@نامه\u200cای.com": "jane@xn--mgba3gch31f060k.com",
}


def test_each_address_is_the_same_in_archive_and_document_and_gets_the_mails() -> None:
    wrong = {}
    for typed, stored in ADDRESSES:
        way = whole_way({"email": typed})
        address = SENT.get(stored, stored)
        found = [
            (way.application.shown_email, stored),
            (way.shown("fr")["email"], stored),
            (way.archived["applicant"]["email"], stored),
            (way.archived["answers"]["email"], stored),
            (stored in way.printed, True),
            (way.to_hr["Reply-To"].addresses[0].addr_spec, address),
            (way.to_applicant["To"].addresses[0].addr_spec, address),
            (way.application.email_uri, mail_address.uri(stored)),
        ]
        if differing := [pair for pair in found if pair[0] != pair[1]]:
            wrong[typed] = differing
    assert wrong == {}
