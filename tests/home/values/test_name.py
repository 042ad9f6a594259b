"""Names of people in every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.bidi import FSI, PDI
from home.values.name import clean, shown
from tests.support.whole_way import text_of, whole_way

#: Typed, and stored.
NAMES = [
    ("Ada Lovelace", "Ada Lovelace"),
    ("  Ada  Lovelace ", "Ada Lovelace"),
    ("Ada\u00a0Lovelace", "Ada Lovelace"),
    ("Ada\nLovelace", "Ada Lovelace"),
    ("\ufeffAda \u200bLove\u200blace", "Ada Lovelace"),
    ("Love\u00adlace", "Lovelace"),
    ("\u200eAda\u200f", "Ada"),
    ("\u202eecalevoL\u202c", "ecalevoL"),
    ("Ada\ufe0f", "Ada"),
    ("Zoë O’Brien", "Zoë O’Brien"),
    ("Zoe\u0308 O'Brien", "Zoë O'Brien"),
    ("María-José Carreño Quiñones", "María-José Carreño Quiñones"),
    ("Nguye\u0302\u0303n Thi\u0323", "Nguyễn Thị"),
    ("Łukasz Żółw", "Łukasz Żółw"),
    ("Þórður Ægir", "Þórður Ægir"),
    ("Ólafía ß", "Ólafía ß"),
    ("李小龍", "李小龍"),
    ("山田\u3000太郎", "山田 太郎"),
    ("渡邉\U000e0100", "渡邉\U000e0100"),
    ("김\u3164철수", "김 철수"),
    ("عبد الرحمن", "عبد الرحمن"),
    ("\u200fعبد الرحمن\u200f", "عبد الرحمن"),
    ("علی\u200cرضا", "علی\u200cرضا"),
    ("שרה כהן", "שרה כהן"),
    ("श्री\u200dमती", "श्री\u200dमती"),
    ("ശ്രീ", "ശ്രീ"),
    ("சுப்ரமணியன்", "சுப்ரமணியன்"),
    ("สมชาย\u200b ใจดี", "สมชาย ใจดี"),
    ("សុខ\u200bសាន្ត", "សុខសាន្ត"),
    ("བསྟན་འཛིན།", "བསྟན་འཛིན།"),
    ("Ελένη Παπαδοπούλου", "Ελένη Παπαδοπούλου"),
    ("Юлия Ёлкина", "Юлия Ёлкина"),
    ("Յոհաննես", "Յոհաննես"),
    ("ⴰⵎⴰⵣⵉⵖ", "ⴰⵎⴰⵣⵉⵖ"),
    ("X Æ A-12 🚀", "X Æ A-12 🚀"),
    ("O", "O"),
    ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    ("<b>Ada</b>", "<b>Ada</b>"),
    ("Lovelace, Ada", "Lovelace, Ada"),
    ('Ada "Bo" \\ L', 'Ada "Bo" \\ L'),
    ("Ada <bo@example.org>, Cy", "Ada <bo@example.org>, Cy"),
    ("Ada\r\nBcc: bo@example.org", "Ada Bcc: bo@example.org"),
    ("Ada: Bo; (Cy) [D] @E.", "Ada: Bo; (Cy) [D] @E."),
    ("{{ Ada }} %s {0}", "{{ Ada }} %s {0}"),
    ("Ada 💩 Zoë שרה", "Ada 💩 Zoë שרה"),
    ("A" + "\u0315" * 100, "A" + "\u0315" * 8),
    ("\u200b", ""),
    ("\u2800\u3164", ""),
    ("\u0301\u0489", ""),
    ("\u202e\u2066 \u00a0", ""),
]


@pytest.mark.parametrize(("typed", "stored"), NAMES)
def test_name_keeps_what_can_be_seen(typed: str, stored: str) -> None:
    assert clean(typed) == stored


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("Ada", "Ada"),
        ("שרה", f"{FSI}שרה{PDI}"),
        # Stored by an earlier release.
        ("\u3164", "(no name)"),
        ("\u202e\u200b", "(no name)"),
    ],
)
def test_shown_name_is_never_empty(stored: str, text: str) -> None:
    assert shown(stored) == text


@given(st.text(st.characters(exclude_categories=())))
def test_clean_name_is_clean_already(typed: str) -> None:
    name = clean(typed)
    assert clean(name) == name
    assert name == name.strip()
    assert len(name.splitlines()) <= 1


#: Among other words these are isolated.
RIGHT_TO_LEFT = {"عبد الرحمن", "علی\u200cرضا", "שרה כהן", "Ada 💩 Zoë שרה"}


def test_each_name_is_the_same_in_archive_document_and_mails() -> None:
    wrong = {}
    for typed, stored in NAMES:
        if not stored:
            continue
        way = whole_way({"name": typed})
        shown_name = f"{FSI}{stored}{PDI}" if stored in RIGHT_TO_LEFT else stored
        reply_to = way.to_hr["Reply-To"].addresses[0]
        found = [
            (way.application.name, stored),
            (way.application.shown_name, shown_name),
            (way.archived["applicant"]["name"], stored),
            (way.archived["answers"]["name"], stored),
            (stored in way.printed, True),
            (way.to_hr["Subject"], f"Application for Gauge keeper: {shown_name}"),
            (f"{shown_name} has applied for Gauge keeper." in text_of(way.to_hr), True),
            (reply_to.display_name, stored),
            (reply_to.addr_spec, "ada@example.org"),
            # It may be somebody else's address.
            (len(stored) > 3 and stored in text_of(way.to_applicant), False),
        ]
        if differing := [pair for pair in found if pair[0] != pair[1]]:
            wrong[typed] = differing
    assert wrong == {}
