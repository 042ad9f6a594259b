"""Headers of every response."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory

from careersite.middleware import public_pages_are_cacheable
from tests.support import people
from tests.support.signing_in import send_password

ISOLATED = {
    "Content-Security-Policy",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Accept-Language", None),
        ("Accept-Language, Cookie", "Cookie"),
        ("Cookie, accept-language", "Cookie"),
        ("Accept-Encoding", "Accept-Encoding"),
        (None, None),
    ],
)
def test_responses_do_not_vary_by_accept_language(before: str | None, after: str | None) -> None:
    headers = {"Vary": before} if before else {}
    get = public_pages_are_cacheable(lambda request: HttpResponse(headers=headers))
    assert get(RequestFactory().get("/")).headers.get("Vary") == after


def policy(response: Any) -> dict[str, set[str]]:
    """A response's policy: the sources of each directive."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: set(sources) for name, *sources in parts}


def read(response: Any) -> bytes:
    """The bytes of a file, which is closed then."""
    return b"".join(response.streaming_content)


@pytest.fixture
def secure(settings: Any) -> None:
    """What production has: HSTS needs https."""
    settings.SECURE_HSTS_SECONDS = 31536000


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> None:
    """One static file and one picture."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    picture = tmp_path / "media/images/pixel.svg"
    picture.parent.mkdir(parents=True)
    picture.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    static = tmp_path / "static/css"
    static.mkdir(parents=True)
    (static / "base.css").write_text("a {}")
    settings.STATIC_ROOT = str(tmp_path / "static")
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.mark.django_db
def test_every_kind_of_response_has_the_security_headers(
    secure: None, files: None, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    staff = Client()
    staff.force_login(people.ada())
    expected = {
        "/": 200,
        "/careers": 301,
        "/never-there/": 404,
        "/robots.txt": 200,
        "/sitemap.xml": 200,
        "/theme.css": 200,
        "/icon.svg": 200,
        "/favicon.ico": 302,
        "/health/live": 200,
        "/browser-reports/": 405,
        "/static/css/base.css": 200,
        "/static/never.css": 404,
        "/media/images/pixel.svg": 200,
        "/media/images/never.png": 404,
        "/admin/": 302,
        "/admin/login/": 200,
        "/documents/1/x.pdf": 404,
    }
    answers = {path: client.get(path, secure=True) for path in expected}
    assert {path: answer.status_code for path, answer in answers.items()} == expected
    answers["bad host"] = client.get("/", secure=True, headers={"Host": "evil.example.org"})
    answers["no token"] = Client(enforce_csrf_checks=True).post("/admin/login/", secure=True)
    answers["staff"] = staff.get("/admin/", secure=True)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("home.theme.icon", fail)
    answers["server error"] = client.get("/icon.svg", secure=True)
    statuses = [answers[name].status_code for name in ("bad host", "no token", "server error")]
    assert statuses == [400, 403, 500]
    for path in ("/static/css/base.css", "/media/images/pixel.svg"):
        read(answers[path])
    unframed = [name for name, answer in answers.items() if "frame-ancestors" not in policy(answer)]
    assert unframed == []
    missing = {name: ISOLATED - set(answer.headers) for name, answer in answers.items()}
    assert {name: lacking for name, lacking in missing.items() if lacking} == {}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/careers/", "/admin/login/", "/theme.css", "/received/x/"])
def test_trace_is_refused(client: Client, job: Any, path: str) -> None:
    assert client.trace(path).status_code == 405


@pytest.mark.django_db
def test_cookies_are_lax_and_the_session_is_hidden_from_scripts(home: Any) -> None:
    cookies = send_password(Client(), people.ada().username, people.PASSWORD).cookies
    session = cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert {cookie["samesite"] for cookie in cookies.values()} == {"Lax"}
    assert {cookie["path"] for cookie in cookies.values()} == {"/"}


@pytest.mark.django_db
def test_public_pages_allow_only_own_files_in_no_frame(client: Client, home: object) -> None:
    response = client.get("/")
    allowed = policy(response)
    assert allowed["default-src"] == allowed["frame-ancestors"] == {"'none'"}
    assert allowed["script-src"] == allowed["style-src"] == allowed["form-action"] == {"'self'"}
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_admin_runs_no_inline_script(client: Client, home: object) -> None:
    client.force_login(people.ada())
    response = client.get("/admin/")
    allowed = policy(response)
    assert allowed["script-src"] == {"'self'"}
    assert allowed["default-src"] == {"'none'"}
    # The editor shows previews.
    assert allowed["frame-ancestors"] == {"'self'"}
    assert response["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.django_db
def test_uploaded_picture_runs_no_script_and_may_be_shown_by_other_sites(
    client: Client, files: None, home: Any
) -> None:
    response = client.get("/media/images/pixel.svg")
    read(response)
    assert policy(response)["default-src"] == {"'none'"}
    assert "sandbox" in policy(response)
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get("/")["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.django_db
def test_policies_name_the_endpoint_for_reports(client: Client, home: object) -> None:
    response = client.get("/")
    assert policy(response)["report-uri"] == {"/browser-reports/"}
    assert policy(response)["report-to"] == {"reports"}
    assert response["Reporting-Endpoints"] == 'reports="/browser-reports/"'
