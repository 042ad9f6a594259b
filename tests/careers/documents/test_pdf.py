"""The PDF, read back by other libraries than the one that wrote it."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import resource
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest
from PIL import Image

from careers.applications.errors import Misconfigured, Permanent, Transient
from careers.documents import AnswerText, Branding, FileLine, pdf, render_pdf
from home.values.text import MARKS_ON_A_CHARACTER
from prove.soak.growth import slope
from tests.support.paperwork import PROSE, answering, document
from tests.support.pdfs import in_a_new_process, letters, text_of


@pytest.fixture(scope="module")
def made() -> bytes:
    return render_pdf(document())


def logo(kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 80), "#c02040").save(file, kind)
    return file.getvalue()


# ── What a reader, a screen reader and an archive find ──────────────────────────────────


def test_pdf_contains_all_content_of_the_document(made: bytes) -> None:
    text = letters(text_of(made))
    for words in (
        "Tidewater Instruments",
        "7KD4-93MX",
        "Gauge keeper",
        "Jane Miller",
        "Received 22 November 2026, 16:03 (Europe/Oslo, UTC+01:00)",
        "jane@example.org",
        "€72,000–€88,000 a year",
        "Why this job?",
        "In a few words.",
        "I like tides.",
        "And the sea.",
        "Gauges",
        "Not answered",
        "cv.pdf",
        "48 KB",
        "ab" * 32,
        "Mira Beck",
        "Page 1 of 1",
        document().digest[:4],
    ):
        assert letters(words) in text


def test_pdf_is_tagged_pdf_a_with_title(made: bytes) -> None:
    with pikepdf.open(io.BytesIO(made)) as file:
        assert str(file.Root.Lang) == "en"
        assert file.Root.MarkInfo.Marked is True
        assert file.Root.ViewerPreferences.DisplayDocTitle is True
        assert pikepdf.Name.Document == file.Root.StructTreeRoot.K[0].S
        assert [str(intent.S) for intent in file.Root.OutputIntents] == ["/GTS_PDFA1"]
        assert "/AF" not in file.Root
        with file.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
            assert metadata["dc:title"] == "Jane Miller: application for Gauge keeper"
            assert metadata["xmp:CreateDate"] == "2026-11-22T15:03:00Z"
        assert str(file.docinfo.Title) == "Jane Miller: application for Gauge keeper"
        assert str(file.docinfo.CreationDate) == "D:20261122150300+00'00"
        assert bytes(file.trailer.ID[0]) == document().digest.encode()


def test_pdf_has_headings_paragraphs_and_lists_in_its_structure(made: bytes) -> None:
    def walk(element: pikepdf.Object) -> Iterator[str]:
        if isinstance(element, pikepdf.Dictionary):
            if "/S" in element:
                yield str(element.S)
            yield from walk(element.get("/K"))
        elif isinstance(element, pikepdf.Array):
            for child in element:
                yield from walk(child)

    with pikepdf.open(io.BytesIO(made)) as file:
        kinds = list(walk(file.Root.StructTreeRoot.K))
    assert {kind: kinds.count(kind) for kind in ("/H1", "/H2", "/H3", "/L")} == {
        "/H1": 1,
        "/H2": 4,
        "/H3": 3,
        "/L": 1,
    }


def test_logo_is_not_interpolated_as_pdf_a_requires() -> None:
    content = render_pdf(document(branding=Branding("Tidewater", "#0e5c46", logo(), "image/png")))
    with pikepdf.open(io.BytesIO(content)) as file:
        images = file.pages[0].Resources.XObject
        assert [image.Interpolate for image in images.values()] == [False]


def test_every_font_is_embedded_from_our_files() -> None:
    words = "Łódź Ἀθήνα Київ Tiếng Việt مرحبا שלום — ½ ✓ →"
    with pikepdf.open(io.BytesIO(render_pdf(answering(words)))) as file:
        names = set()
        for page in file.pages:
            for font in page.Resources.Font.values():
                descendant = font.DescendantFonts[0]
                assert "/FontFile2" in descendant.FontDescriptor
                names.add(str(font.BaseFont).split("+")[1])
    assert all(name.startswith("careers-") for name in names)
    assert {name.split("-")[2] for name in names} >= {"latin", "greek", "cyrillic", "arabic"}


def test_text_in_several_scripts_can_be_extracted() -> None:
    words = ("Łódź Žižkov Ďáblice", "Ἀθήνα και θάλασσα", "Київ і море", "Tiếng Việt ở đây")
    text = letters(text_of(render_pdf(answering(*words))))
    assert all(letters(line) in text for line in words)


def test_pages_show_number_and_reference() -> None:
    pages = pypdf.PdfReader(io.BytesIO(render_pdf(answering(*[PROSE * 8] * 24)))).pages
    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        assert f"Page {number} of {len(pages)}" in text
        assert "7KD4-93MX" in text


# ── The same bytes ──────────────────────────────────────────────────────────────────────


def test_same_document_gives_the_same_bytes_after_others(made: bytes) -> None:
    render_pdf(answering("Другой текст", branding=Branding("Other", "#ffd400", logo(), "")))
    assert render_pdf(document()) == made


def test_same_document_gives_the_same_bytes_in_another_process_and_its_child(made: bytes) -> None:
    out = in_a_new_process(
        """
        import hashlib
        def made(): return hashlib.sha256(render_pdf(document())).hexdigest()
        print(made(), flush=True)
        child = os.fork()
        if not child:
            print(made(), flush=True)
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)
        print(made())
        """,
        PYTHONHASHSEED="77",
        TZ="Asia/Tokyo",
    )
    expected = hashlib.sha256(made).hexdigest()
    assert out.split() == [expected, expected, "0", expected]


def test_typesetter_is_replaced_after_a_day(made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pdf._typesetter()
    assert pdf._typesetter() is first
    monkeypatch.setattr(first, "made_at", first.made_at - pdf.FRESH)
    assert render_pdf(document()) == made
    assert pdf._typesetter() is not first


# ── Nothing from outside ────────────────────────────────────────────────────────────────


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that records every connection."""
    heard: list[bytes] = []

    class Note(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            heard.append(self.rfile.readline())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Note) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", heard
        listening.shutdown()
        thread.join()


def test_markup_in_answers_is_text_and_loads_nothing(server: tuple[str, list[bytes]]) -> None:
    address, heard = server
    hostile = (
        f'<img src="{address}/a">',
        '<link rel="attachment" href="file:///etc/hostname">',
        f"<style>@import '{address}/b';</style>",
        f'<svg><image href="{address}/c"/></svg>',
    )
    content = render_pdf(
        document(
            name=hostile[0],
            job_title=hostile[1],
            applicant=((hostile[2], hostile[3]),),
            answers=(AnswerText(hostile[0], hostile, hostile[1]),),
            files=(FileLine(hostile[3], hostile[0], 1, "ab" * 32),),
        )
    )
    assert heard == []
    text = letters(text_of(content))
    assert all(letters(words) in text for words in hostile)
    with pikepdf.open(io.BytesIO(content)) as file:
        assert "/EmbeddedFiles" not in file.Root.get("/Names", pikepdf.Dictionary())


@pytest.mark.parametrize(
    "html",
    [
        '<img src="{}/x.png" alt="x">',
        '<img src="file:///etc/hostname" alt="x">',
        '<img src="careers:other" alt="x">',
        '<img src="data:image/png;base64,AAAA" alt="x">',
        '<link rel="stylesheet" href="{}/x.css">',
        '<link rel="attachment" href="file:///etc/hostname">',
        '<style>@import "{}/x.css";</style>',
        '<style>@font-face {{ font-family: x; src: url("file:///etc/hostname") }}</style>',
        '<object data="{}/x.svg" type="image/svg+xml"></object>',
    ],
)
def test_template_with_an_external_url_fails_permanently(
    html: str, server: tuple[str, list[bytes]]
) -> None:
    address, heard = server
    page = f'<html lang="en"><body>{html.format(address)}<p>Text</p></body></html>'
    with pytest.raises(Permanent) as raised:
        pdf._make(page, {}, document())
    assert raised.value.code == "pdf-outside"
    assert heard == []


# ── Time, memory, log ───────────────────────────────────────────────────────────────────


def seconds(*paragraphs: str) -> float:
    before = time.process_time()
    render_pdf(answering(*paragraphs))
    return time.process_time() - before


@pytest.fixture(scope="module")
def prose_seconds() -> float:
    prose = (PROSE * 300)[:20_000]
    return min(seconds(prose) for _ in range(3))


@pytest.mark.parametrize("letter", ["x", "W", "ب", "a\u00a0", "a\u00ad", "/"])
def test_endless_word_is_rendered_in_less_than_ten_times_the_time_of_prose(
    letter: str, prose_seconds: float
) -> None:
    # Without break opportunities, the time grows with the square: 15 to 90 times that of prose.
    assert seconds((letter * 20_000)[:20_000]) < 10 * prose_seconds


def test_endless_word_is_printed_completely() -> None:
    # These letters are not in the header or footer of a page.
    word = "".join("αβγδεζηθικ"[int(digit)] for number in range(2_000) for digit in f"{number:05d}")
    assert "".join(re.findall("[α-κ]", text_of(render_pdf(answering(word))))) == word


def test_many_emoji_take_seconds() -> None:
    """Each emoji is an image in the PDF."""
    assert seconds("👋🎉🚀" * 6_666) < 15


def test_many_combining_marks_are_rendered_quickly() -> None:
    assert seconds("a" + "\u0301" * 100_000) < 3


def test_rendering_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        render_pdf(
            document(
                language="de",
                branding=Branding("Tidewater", "#ffd400", logo(), "image/png"),
                answers=(AnswerText("Łódź?", ("Ἀθήνα", "Київ", "مرحبا", "שלום", "x" * 3_000)),),
            )
        )
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_characters_without_a_font_are_counted_but_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        render_pdf(answering("So \uabc0\uabc1 old"))
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "This machine has no font for 2 characters of the PDF of 7KD4-93MX; install the Noto fonts"
    ]


def test_memory_stays_flat_over_many_documents() -> None:
    """Later documents add no memory. The first do: caches fill, and allocators reach their size
    only after some seventy documents (Python 3.13: 16 MB between the 35th and the 75th, and then
    nothing more)."""
    out = in_a_new_process(
        """
        import json
        from careers.documents import Branding
        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
        def some(start, stop):
            for n in range(start, stop):
                colour = f"#{n * 2654435761 % 2**24:06x}"
                render_pdf(answering(f"{n} " + PROSE * 9, branding=Branding("T", colour)))
            return resident()
        some(0, 85)
        print(json.dumps([[n, some(n, n + 5)] for n in range(85, 125, 5)]))
        """
    )
    megabytes_a_document = slope([(float(number), size) for number, size in json.loads(out)])
    assert 25 * megabytes_a_document < 2.5


# ── Letterhead ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_logo_is_drawn_with_alternative_text(kind: str) -> None:
    branding = Branding("Tidewater", "#0e5c46", logo(kind), f"image/{kind.lower()}")
    with pikepdf.open(io.BytesIO(render_pdf(document(branding=branding)))) as file:
        images = file.pages[0].get_images()
        assert [(image.Width, image.Height) for image in images.values()] == [(320, 80)]


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n"])
def test_invalid_logo_is_replaced_by_the_name(content: bytes) -> None:
    branding = Branding("Tidewater", "#0e5c46", content, "image/png")
    made = render_pdf(document(branding=branding))
    assert "Tidewater" in text_of(made).splitlines()
    with pikepdf.open(io.BytesIO(made)) as file:
        assert len(file.pages[0].get_images()) == 0


# ── Errors ──────────────────────────────────────────────────────────────────────────────


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def set_(*args: object) -> None:
        raise error

    monkeypatch.setattr(pdf.Typesetter, "set", set_)


def test_full_disk_raises_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, OSError(28, "No space left on device"))
    with pytest.raises(Transient) as raised:
        render_pdf(document())
    assert raised.value.code == "pdf-machine"


def test_read_only_temporary_directory_raises_transient() -> None:
    """Fonts are read from temporary files, and here their disk is read-only."""
    output = in_a_new_process(
        """
        import tempfile
        from careers.applications.errors import Transient
        writable, tempfile.tempdir = tempfile.gettempdir(), "/sys"
        try:
            render_pdf(document())
        except Transient as error:
            print(error.code)
        tempfile.tempdir = writable
        print(render_pdf(document())[:5].decode())
        """
    )
    assert output.split() == ["pdf-machine", "%PDF-"]


def test_document_over_the_memory_limit_fails_permanently_and_alone(
    settings: Any, monkeypatch: pytest.MonkeyPatch, made: bytes
) -> None:
    settings.PDF_MEMORY_LIMIT = 150
    before = resource.getrlimit(resource.RLIMIT_DATA)

    def eat(*_args: object) -> None:
        eaten = []
        while True:
            eaten.append(bytearray(2**20))

    with monkeypatch.context() as patch:
        patch.setattr(pdf.Typesetter, "set", eat)
        with pytest.raises(Permanent) as raised:
            render_pdf(document())
    assert raised.value.code == "pdf-memory"
    assert "150 MB" in raised.value.public
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert os.getpid() not in pdf._typesetters
    assert render_pdf(document()) == made


@pytest.mark.parametrize("error", [ValueError("Jane"), IndexError("Jane"), RecursionError()])
def test_bug_of_weasyprint_raises_permanent_without_quotes(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing(monkeypatch, error)
    with pytest.raises(Permanent) as raised:
        render_pdf(document())
    assert raised.value.code == "pdf-unrenderable"
    assert raised.value.__suppress_context__
    assert "Jane" not in raised.value.public + caplog.text
    assert f"{type(error).__name__} at test_pdf.py:" in caplog.text


def test_soft_time_limit_is_not_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class TimeIsUp(Exception):
        """Like Celery's SoftTimeLimitExceeded, a direct subclass of Exception."""

    failing(monkeypatch, TimeIsUp())
    with pytest.raises(TimeIsUp):
        render_pdf(document())


def test_stylesheet_with_an_external_url_fails_permanently(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stylesheet = tmp_path / "print.css"
    stylesheet.write_text('@font-face { font-family: x; src: url("http://127.0.0.1:9/x") }')
    find = pdf.finders.find
    monkeypatch.setattr(pdf, "_typesetters", {})
    monkeypatch.setattr(
        pdf.finders,
        "find",
        lambda name, **how: stylesheet if name == pdf.STYLESHEET else find(name, **how),
    )
    with pytest.raises(Permanent) as raised:
        render_pdf(document())
    assert raised.value.code == "pdf-outside"


def test_missing_fonts_raise_misconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_typesetters", {})
    monkeypatch.setattr(pdf.fonts, "files", list)
    with pytest.raises(Misconfigured) as raised:
        render_pdf(document())
    assert raised.value.code == "pdf-assets"


def test_importing_the_package_does_not_import_weasyprint() -> None:
    out = in_a_new_process("import sys; print('weasyprint' in sys.modules, 'PIL' in sys.modules)")
    assert out.split()[0] == "False"


def test_fonts_of_a_killed_process_are_deleted_by_the_next(tmp_path: Path) -> None:
    """A worker replaces its children after some hundred tasks, without a normal exit."""
    program = """
        render_pdf(document())
        print(len(list(__import__("pathlib").Path(os.environ["TMPDIR"]).glob("*/weasyprint-*"))))
        os._exit(0)
    """
    # The output must be flushed, because the process is killed.
    found = [
        in_a_new_process(program, TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1") for _ in range(2)
    ]
    assert found == ["1\n", "1\n"]


def test_pdf_holds_the_letters_that_were_typed_and_few_marks() -> None:
    typed = "\u202aÉlodie\u200b Ωμέγα Юлия 李小龍 김철수 = 45\u202f000 €" + "\u0317" * 200
    made = text_of(render_pdf(answering(typed)))
    assert letters("Élodie Ωμέγα Юлия 李小龍 김철수 = 45000 €") in letters(made)
    assert made.count("\u0317") <= MARKS_ON_A_CHARACTER
