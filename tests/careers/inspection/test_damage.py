"""Files with bytes changed or missing: the child always answers, with a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careers.inspection import pool
from tests.support.papers import (
    JPEG,
    JS,
    PNG,
    locked_pdf,
    make_docx,
    make_odt,
    make_pdf,
    make_zip,
    odt_parts,
)

ORIGINALS = {
    "PDF": make_pdf(f"/OpenAction{JS}", "", "<</EF<</F 4 0 R>>/F(a)>>"),
    "locked PDF": locked_pdf(make_pdf(), "", 6),
    "DOCX": make_docx(),
    "ODT": make_odt(),
    "compressed ODT": make_zip(odt_parts()),
    "JPEG": JPEG,
    "PNG": PNG,
}


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(ORIGINALS[draw(st.sampled_from(sorted(ORIGINALS)))])
    places = st.integers(0, len(content) - 1)
    for at, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=12)):
        content[at] = value
    start, end = sorted(draw(st.tuples(places, places)))
    match draw(st.sampled_from(["", "cut", "gap", "twice"])):
        case "cut":
            del content[end:]
        case "gap":
            del content[start : min(end, start + 40)]
        case "twice":
            content[start:start] = content[start : min(end, start + 400)]
    return bytes(content)


@settings(max_examples=150, deadline=None)
@given(content=damaged())
def test_damaged_file_gets_a_verdict(content: bytes) -> None:
    found = pool.SERVER.run("judge", content)
    assert found is not None, "the child ended"
    # A changed size may ask for more memory than a child has.
    assert found[0].get("failed", "MemoryError") == "MemoryError"
    if "content_type" in found[0]:
        shown = pool.SERVER.run(
            "pages", content, content_type=found[0]["content_type"], first=0, count=1
        )
        assert shown is not None, "the child ended"
        assert shown[0].get("failed", "MemoryError") == "MemoryError"


@pytest.mark.parametrize("job", ["judge", "pages"])
def test_child_answers_noise(job: str) -> None:
    for start in (b"", b"%PDF-1.7", b"PK\x03\x04", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        for content_type in ("application/pdf", "image/png", "no/type"):
            asked = {"content_type": content_type, "first": 0, "count": 1}
            found = pool.SERVER.run(job, start + bytes(range(256)), **asked)
            assert found is not None
            assert "refused" in found[0]
