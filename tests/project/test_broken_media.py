"""Broken pictures, documents, fonts, links, embeds and settings: every page comes without them."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from bs4 import BeautifulSoup
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageFile
from wagtail.documents import get_document_model
from wagtail.documents.forms import get_document_form
from wagtail.images import get_image_model
from wagtail.images.forms import get_image_form

from careers.applications.models import Application
from careers.pipeline.effects.render_pdf import branding
from home import pictures
from home.caching import ENDS_WITHIN
from home.models import PlainPage, SiteSettings
from tests.support import media
from tests.support.applying import apply_for, send
from tests.support.media import PARTLY, REFERENCES, USABLE
from tests.support.people import ada, logged_in

pytestmark = [
    pytest.mark.django_db,
    # Wagtail leaves the file open that it makes a rendition in.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KINDS = list(media.pictures())
#: What a page shows in place of a picture that Wagtail can't read.
NOT_FOUND = "not-found"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    yield
    gc.collect()


@pytest.fixture
def application(job: Any) -> Application:
    return apply_for(job)


@pytest.fixture
def pages(application: Application, client: Client) -> Any:
    """A function that gets a page of each template; the answers by address."""
    job = application.page
    front = job.get_parent().get_parent()
    plain = front.add_child(instance=PlainPage(title="Privacy", slug="privacy"))

    def get() -> dict[str, Any]:
        addresses = ["/", "/careers/", job.url, plain.url, "/there-is-no-such-page/"]
        addresses += [f"/received/{application.receipt_secret}/", "/jobs.atom"]
        found = {address: client.get(address) for address in addresses}
        return found | {"a refused form": send(client, job, email="not an address")}

    return get


def show_everywhere(image: Any, application: Application) -> None:
    """Put a picture into each place that can hold one."""
    SiteSettings.objects.update(logo=image, dark_logo=image)
    block = [{"type": "picture", "value": {"image": image.pk, "alt_text": "A buoy"}}]
    block[0]["value"] = {"image": block[0]["value"], "caption": "In the harbour"}
    job = application.page
    for page in (job, job.get_parent().get_parent(), PlainPage.objects.get()):
        page.body = block
        if page == job:
            page.share_image = image
        page.save()


# ── Pages ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_page_with_broken_picture_is_shown_without_it(
    pages: Any, application: Application, kind: str
) -> None:
    show_everywhere(media.stored(kind), application)
    answers = pages()
    for address, answer in answers.items():
        expected = {"/there-is-no-such-page/": 404, "a refused form": 422}.get(address, 200)
        assert (address, answer.status_code) == (address, expected)
        assert NOT_FOUND not in answer.content.decode(), address
    assert 'value="not an address"' in answers["a refused form"].content.decode()
    if kind in PARTLY:
        return
    # The picture is tried again soon, and the page is not kept longer.
    ends = answers[application.page.url].wsgi_request.META.get(ENDS_WITHIN)
    assert ends == (None if kind in USABLE else pictures.RETRY_AFTER)
    page = BeautifulSoup(answers[application.page.url].content, "html.parser")
    masthead, figure = page.select_one(".masthead__home"), page.select_one("figure.picture")
    shared = page.select_one('meta[property="og:image"]')["content"]
    if kind in USABLE:
        assert masthead.select_one("img")["alt"] == "Tidewater Instruments"
        assert figure.get_text(strip=True) == "In the harbour"
        assert "/media/images/" in shared
    else:
        assert masthead.get_text(strip=True) == "Tidewater Instruments"
        assert masthead.select_one("img") is None
        assert figure is None
        assert "/share/" in shared
    assert bool(branding(application).logo) == (kind in USABLE)


def test_16_bit_grey_picture_keeps_its_light_tones(job: Any) -> None:
    made = pictures.content(media.stored("16-bit grey PNG"), "max-100x100|format-jpeg")
    with Image.open(io.BytesIO(made)) as shown:
        low, high = shown.convert("L").getextrema()
    assert low < 10
    assert high > 245


def test_lost_file_of_a_rendition_is_written_again(client: Client, job: Any) -> None:
    SiteSettings.objects.update(logo=media.stored("CMYK JPEG"))
    before = client.get("/").content
    (lost,) = get_image_model().objects.get().renditions.all()
    content = Path(lost.file.path).read_bytes()
    Path(lost.file.path).write_bytes(b"")
    assert client.get("/").content == before
    assert Path(lost.file.path).read_bytes() == content


# ── Text, embeds, documents, settings ───────────────────────────────────────────────────


@pytest.mark.parametrize("reference", REFERENCES)
def test_text_with_broken_reference_is_shown_without_it(
    pages: Any, application: Application, reference: str
) -> None:
    text = f"<p>Before {REFERENCES[reference]}</p><p>After</p>"
    media.stored("CMYK JPEG")
    SiteSettings.objects.update(privacy_notice=text)
    job = application.page
    job.body = [{"type": "paragraph", "value": text}]
    job.save()
    for address, answer in pages().items():
        assert answer.status_code in (200, 404, 422), address
        assert "youtu" not in answer.content.decode()
    page = pages()[job.url].content.decode()
    shown = BeautifulSoup(page, "html.parser").select("main .prose")
    assert len(shown) == 2
    for text_shown in shown:
        assert "Before words" in text_shown.get_text()
        assert "After" in text_shown.get_text()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("accent_colour", value) for value in ("", "red", "#0e5c4", "#gggggg", "#0e5c46\n")),
        *(("time_zone", value) for value in ("", "Mars/Olympus", "Europe", "../../etc", "\x00")),
        ("organisation_url", "javascript:alert(1)"),
        ("contact_email", "nobody"),
    ],
)
def test_unusable_setting_gives_way_to_its_default(
    pages: Any, application: Application, client: Client, setting: str, value: str
) -> None:
    SiteSettings.objects.update(**{setting: value})
    job = application.page
    if setting == "time_zone":
        type(job).objects.update(time_zone=value, closes_at="2999-01-01T00:00Z")
    for address, answer in pages().items():
        assert answer.status_code in (200, 404, 422), address
    for address in ("/theme.css", "/icon.svg", f"/share/{job.job_key}.png"):
        assert client.get(address).status_code == 200, address
    assert branding(application).colour == "#0e5c46"


def lose(path: Path, way: str) -> None:
    path.unlink()
    if way == "empty":
        path.write_bytes(b"")
    elif way == "a directory":
        path.mkdir()
    elif way == "a link to itself":
        path.symlink_to(path)


@pytest.mark.parametrize("way", ["missing", "empty", "a directory", "a link to itself"])
def test_document_without_its_file_is_not_found(client: Client, way: str) -> None:
    document = get_document_model().objects.create(
        title="Terms", file=SimpleUploadedFile("terms.pdf", b"%PDF-1.7 startxref")
    )
    lose(Path(document.file.path), way)
    answer = client.get(document.url)
    assert answer.status_code == (200 if way == "empty" else 404)
    if way != "empty":
        assert "masthead" in answer.content.decode()


@pytest.mark.parametrize(
    "name", ["", "../terms.pdf", "documents/terms.pdf\x00", "a" * 300 + ".pdf"]
)
def test_document_with_an_unusable_file_name_is_not_found(
    client: Client, job: Any, name: str
) -> None:
    model = get_document_model()
    document = model.objects.create(title="Terms", file=SimpleUploadedFile("terms.pdf", b"x"))
    model.objects.update(file=name)
    document.refresh_from_db()
    address = f"/documents/{document.pk}/{quote(document.filename)}"
    assert client.get(address).status_code == 404


def test_document_is_served_without_asking_whether_its_file_exists(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = get_document_model().objects.create(
        title="Terms", file=SimpleUploadedFile("terms.pdf", b"%PDF-1.7 startxref")
    )
    monkeypatch.setattr(FileSystemStorage, "exists", None)
    answer = client.get(document.url)
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 startxref"


# ── The admin ───────────────────────────────────────────────────────────────────────────


def test_admin_pages_show_broken_pictures(application: Application) -> None:
    images = [media.stored(kind) for kind in KINDS]
    show_in = application.page
    show_in.body = [{"type": "picture", "value": {"image": {"image": one.pk}}} for one in images]
    show_in.save()
    admin = logged_in(ada())
    addresses = ["/admin/images/", "/admin/images/?layout=list", "/admin/images/chooser/"]
    addresses += [f"/admin/pages/{show_in.pk}/edit/", "/admin/reports/site-history/"]
    for one in images:
        names = ("images:edit", "images:delete", "images_chooser:chosen")
        addresses += [reverse(f"wagtail{name}", args=[one.pk]) for name in names]
        preview = admin.get(f"/admin/images/{one.pk}/preview/original/")
        assert preview.status_code in (200, 404), one.title
    for address in addresses:
        assert admin.get(address).status_code == 200, address


def upload(kind: str) -> SimpleUploadedFile:
    name, content = media.pictures()[kind]
    return SimpleUploadedFile(name, content or b"")


@pytest.mark.parametrize("kind", KINDS)
def test_only_usable_picture_is_accepted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # WeasyPrint sets it when it is imported.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    form = get_image_form(get_image_model())({"title": "x"}, {"file": upload(kind)}, user=ada())
    assert ("file" not in form.errors) == (kind in USABLE)
    assert all(len(words.split()) > 4 for words in form.errors.get("file", []))


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("images:add_multiple", "files[]"),
        ("images_chooser:create", "image-chooser-upload-file"),
        ("images:edit", "file"),
    ],
)
def test_each_way_to_upload_refuses_a_damaged_picture_in_words(address: str, field: str) -> None:
    image = media.stored("16-bit grey PNG")
    arguments = [image.pk] if address == "images:edit" else []
    data = {"title": "x", "image-chooser-upload-title": "x", field: upload("cut-off JPEG")}
    answer = logged_in(ada()).post(reverse(f"wagtail{address}", args=arguments), data)
    assert answer.status_code == 200
    assert "This picture is damaged or incomplete." in answer.content.decode()
    assert get_image_model().objects.count() == 1


@pytest.mark.parametrize(
    ("name", "content", "is_accepted"),
    [
        ("terms.pdf", b"%PDF-1.7\n" + b"x" * 9000 + b"startxref\n9\n%%EOF\n", True),
        ("terms.PDF", b"\xef\xbb\xbf%PDF-1.4\nstartxref\n0\n%%EOF", True),
        ("cut.pdf", b"%PDF-1.7\n" + b"x" * 9000, False),
        ("text.pdf", b"This is no PDF.", False),
        ("text.docx", b"This is no document.", False),
        ("cut.zip", b"PK\x03\x04" + bytes(400), False),
        ("empty.zip", b"PK\x05\x06" + bytes(18), True),
        ("page.rtf", b"<html>", False),
        ("page.rtf", b"{\\rtf1 x}", True),
        ("any.txt", b"\xff\xfe\x00", True),
        ("any.csv", b"a;b", True),
    ],
)
def test_document_is_accepted_if_it_is_what_its_name_says(
    name: str, content: bytes, is_accepted: bool
) -> None:
    form = get_document_form(get_document_model())(
        {"title": "x"}, {"file": SimpleUploadedFile(name, content)}, user=ada()
    )
    assert ("file" not in form.errors) == is_accepted


def test_embeds_are_never_fetched(monkeypatch: Any) -> None:
    monkeypatch.setattr(requests, "get", None)
    answer = logged_in(ada()).post(
        "/admin/embeds/chooser/upload/", {"embed-chooser-url": "https://youtu.be/x"}
    )
    assert "Cannot find an embed for this URL." in answer.content.decode()
