"""A body costs no more than its length, whatever its sender says about it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from careersite import bodies
from tests.support import people
from tests.support.editing import page_form

pytestmark = pytest.mark.django_db

BOUNDARY = "b" * 20
#: A part without a name: Django skips it before it counts.
NAMELESS = f'--{BOUNDARY}\r\nContent-Disposition: form-data; filename="x"\r\n\r\n\r\n'


def field(name: str, value: str) -> str:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


def send(address: str, body: str, charset: str = "utf-8") -> Any:
    client = Client(raise_request_exception=False)
    content_type = f"multipart/form-data; boundary={BOUNDARY}; charset={charset}"
    whole = f"{body}--{BOUNDARY}--\r\n".encode()
    return client.generic("POST", address, whole, content_type=content_type)


@pytest.fixture(params=["/received/", "/admin/login/", "/apply/"])
def address(request: Any, job: Any) -> str:
    return str(job.apply_url) if request.param == "/apply/" else str(request.param)


@pytest.mark.parametrize("charset", ["zlib", "idna", "undefined", "utf-7", "unicode_escape"])
def test_form_in_any_charset_is_answered(address: str, charset: str) -> None:
    text = r"+2AA-\ud800"
    body = field("email", f"a@example.org{text}") + field("reference", f"7KD4-93M{text}")
    assert send(address, body, charset).status_code < 500


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7"])
def test_texts_are_read_as_utf_8_whatever_the_sender_says(charset: str) -> None:
    request = RequestFactory().generic(
        "POST",
        "/",
        f"{field('name', 'a-é')}--{BOUNDARY}--",
        content_type=f"multipart/form-data; boundary={BOUNDARY}; charset={charset}",
    )
    read = bodies.bodies_are_bounded(lambda request: HttpResponse(request.POST["name"]))
    assert read(request).getvalue().decode() == "a-é"  # type: ignore[attr-defined]


def test_parts_without_names_count(address: str) -> None:
    assert send(address, NAMELESS * 100 + field("reference", "x")).status_code in (200, 422)
    assert send(address, NAMELESS * 1100).status_code in (400, 413)


@pytest.mark.parametrize("content_type", ["multipart/form-data", bodies.URLENCODED])
def test_only_a_signed_in_editor_may_send_many_fields(job: Any, content_type: str) -> None:
    edit = f"/admin/pages/{job.pk}/edit/"
    many = {f"x{number}": "1" for number in range(1100)}

    def status(client: Client, address: str, fields: dict[str, str]) -> int:
        if content_type == bodies.URLENCODED:
            return client.post(address, urlencode(fields), content_type=content_type).status_code
        return client.post(address, fields).status_code

    for address in ("/admin/login/", "/received/", job.apply_url):
        assert status(Client(), address, many) in (400, 413), address
    editor = people.logged_in(people.ada())
    assert status(editor, edit, page_form(job) | many) == 302
    assert status(editor, "/admin/login/", many) == 400


def test_limit_of_fields_is_high_for_editors_of_pages_only(settings: Any) -> None:
    settings.PUBLIC_FORM_MAX_FIELDS = 5

    def limit(user: Any, address: str) -> int:
        request = RequestFactory().post(address)
        if user is not None:
            request.user = user
        return bodies.most_fields(request)

    ada, charlie = people.ada(), people.charlie()
    assert limit(ada, "/admin/pages/7/edit/") == 20_000
    for user in (None, AnonymousUser(), charlie):
        assert limit(user, "/admin/pages/7/edit/") == 5
    for address in ("/", "/fr/apply/", "/admin/login/", "/admin/pages", "/x/admin/pages/7/edit/"):
        assert limit(ada, address) == 5, address


def test_editor_learns_that_a_page_is_too_large(job: Any, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5
    editor = people.logged_in(people.ada())
    edit = f"/admin/pages/{job.pk}/edit/"
    answer = editor.post(edit, page_form(job))
    assert answer.status_code == 413
    assert "what you entered is still in the editor" in answer.content.decode()
    saved = editor.post(edit, page_form(job), headers={"accept": "application/json"})
    assert saved.status_code == 400
    # Wagtail's editor shows the message of an error only with a code that it knows.
    assert saved.json()["error_code"] == "validation_error"
    assert saved.json()["error_message"].startswith("Not saved: the page is too large.")


def test_mark_between_two_pieces_counts(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 0
    pieces = [b"x--", b"bo", b"und", b"--bound--bou", b"nd"]

    class Source:
        def read(self) -> bytes:
            return pieces.pop(0)

    parts = bodies.CountedParts(Source(), "bound", fields=0)
    for _piece in range(4):
        parts.read()
    with pytest.raises(TooManyFieldsSent):
        parts.read()


def test_body_over_the_limit_is_refused_unread(job: Any) -> None:
    for address in ("/received/", "/admin/login/", "/browser-reports/"):
        answer = Client().post(address, {"a": "b"}, headers={"content-length": "50000000"})
        assert answer.status_code == 413, address


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; a*=nope''%41",
        "text/html; a*=idna''%ff",
        "a/b; charset=punycode",
        "; charset=zlib",
    ],
)
def test_any_content_type_is_no_error_of_the_server(content_type: str) -> None:
    environ = RequestFactory().get("/?q=b-%C3%A9").environ | {"CONTENT_TYPE": content_type}
    with pytest.raises((ValueError, LookupError, TooManyFieldsSent)):
        WSGIRequest(dict(environ))
    assert bodies.Handler.request_class(environ).GET["q"] == "b-é"
