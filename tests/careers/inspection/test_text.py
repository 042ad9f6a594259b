"""The words of a file, read in a child process for the search."""

from __future__ import annotations

import pytest
import weasyprint

from careers.inspection import text, text_of
from careers.inspection.verdicts import DOCX, JPEG, ODT, PDF, Refused
from careers.search.terms import terms_of
from careers.search.words import words
from tests.support.papers import (
    document,
    docx_parts,
    make_cv,
    make_picture,
    make_zip,
    odt_parts,
)

#: As programs write it: words that lines divide, ligatures, scripts with and without spaces.
PAGE = """
<p style="width: 60px">internatio&shy;nalization of full-stackdevelopment and Fußgängerzone</p>
<p>ﬁnance — ASP.NET, C# — シニアソフトウェアエンジニア — +44 20 7946 0018</p>
"""
FOUND = ["internationalization", "stackdevelopment", "finance", "fussgangerzone"]
FOUND += [".net", "c#", "エンジニア", "020 7946 0018"]


def test_words_of_a_pdf_are_found() -> None:
    terms = terms_of(text_of(weasyprint.HTML(string=PAGE).write_pdf(), PDF))
    missed = [typed for typed in FOUND if not all(word.within(terms) for word in words(typed))]
    assert missed == []


def test_words_of_office_files_are_read() -> None:
    docx = make_zip(docx_parts(body=document("<w:p><w:r><w:t>Élodie</w:t></w:r></w:p>")))
    assert text_of(docx, DOCX) == "Élodie"
    assert text_of(make_zip(odt_parts("<text:p>Élodie</text:p>")), ODT) == "Élodie"


def test_picture_has_no_words() -> None:
    assert text_of(make_picture(), JPEG) == ""


def test_words_of_a_pdf_are_cut_at_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    many = "\n".join(f"line {number}" for number in range(40))
    monkeypatch.setattr(text, "CHARACTERS", 50)
    assert len(text.read(make_cv(many), PDF)) == 50
    monkeypatch.setattr(text, "CPU", 0)
    assert text.read(make_cv(many), PDF) == ""


def test_locked_pdf_is_refused() -> None:
    with pytest.raises(Refused):
        text_of(make_cv(password="x"), PDF)
