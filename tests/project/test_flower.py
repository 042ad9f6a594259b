"""Who may see Flower, and how they get there."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from careersite.flower import let_in
from tests.support import people
from tests.support.factories import HeartbeatFactory
from tests.support.signing_in import with_app

pytestmark = pytest.mark.django_db

PROXY = "10.0.0.1"


@pytest.fixture
def ask(settings: Any) -> Callable[..., Any]:
    """The site's answer to the proxy about a person's request."""
    settings.TRUSTED_PROXIES = [ip_network(PROXY)]
    settings.FLOWER_PASSWORD = "known to the proxy only"

    def asked(person: Any = None, uri: str = "/flower/tasks", remote: str = PROXY) -> Any:
        client = Client()
        if person is not None:
            client.force_login(person)
        headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Uri": uri}
        return client.get("/flower/pass", headers=headers, REMOTE_ADDR=remote)

    return asked


@pytest.mark.parametrize("who", [people.ada, people.otto])
def test_proxy_gets_the_password_for_people_with_permission(
    who: Any, ask: Callable[..., Any]
) -> None:
    response = ask(who())
    kind, credentials = response["Authorization"].split()
    assert (response.status_code, response.content, kind) == (200, b"", "Basic")
    assert b64decode(credentials) == b"admin:known to the proxy only"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("uri", "then"),
    [
        ("/flower/task/1?x=2", "/flower/task/1%3Fx%3D2"),
        ("//elsewhere.example/flower/", "/flower/"),
        ("", "/flower/"),
    ],
)
def test_anonymous_visitor_is_redirected_to_the_login(
    uri: str, then: str, ask: Callable[..., Any]
) -> None:
    response = ask(uri=uri)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={then}")
    assert "Authorization" not in response


@pytest.mark.parametrize("who", [lambda: people.bob(None), people.charlie])
def test_person_without_permission_sees_the_missing_permission(
    who: Any, ask: Callable[..., Any]
) -> None:
    response = ask(who())
    assert response.status_code == 403
    assert "so it is for operators" in response.content.decode()
    assert "Authorization" not in response


def test_deactivated_person_is_redirected_to_the_login(ask: Callable[..., Any]) -> None:
    otto = people.otto()
    assert ask(otto).status_code == 200
    otto.is_active = False
    otto.save()
    assert ask(otto).status_code == 302


@pytest.mark.parametrize("remote", ["192.0.2.1", "127.0.0.1"])
def test_only_the_proxy_gets_the_password(remote: str, ask: Callable[..., Any]) -> None:
    response = ask(people.ada(), remote=remote)
    assert response.status_code == 403
    assert "TRUSTED_PROXIES" in response.content.decode()
    assert "Authorization" not in response


# ── Without a proxy ─────────────────────────────────────────────────────────────────────


def test_flower_without_a_proxy_answers_with_a_page_that_redirects(
    client: Client, settings: Any
) -> None:
    settings.SITE_URL = "http://127.0.0.1:8000"
    settings.FLOWER_URL = "http://127.0.0.1:5555/flower/"
    assert client.get("/flower/")["Location"] == "/admin/login/?next=/flower/"
    client.force_login(people.otto())
    # Another program may hold the port and would see the session's cookie.
    answer = client.get("/flower/")
    assert (answer.status_code, b"Flower is not running" in answer.content) == (503, True)
    HeartbeatFactory(kind="flower", name="flower@here", queues="")
    for page in ("", "task/0123-ab"):
        response = client.get(f"/flower/{page}")
        text = response.content.decode()
        # A redirect right after the login would break on the policy for forms.
        assert response.status_code == 200
        assert f'content="0; url=http://127.0.0.1:5555/flower/{page}"' in text
        assert f'href="http://127.0.0.1:5555/flower/{page}"' in text


def test_flower_page_needs_permission(client: Client) -> None:
    client.force_login(people.bob(None))
    assert client.get("/flower/").status_code == 403


@pytest.mark.parametrize(
    "flower", ["http://127.0.0.1:5555/flower/", "https://careers.example.com/flower/"]
)
def test_missing_proxy_rule_for_flower_is_reported(
    flower: str, client: Client, settings: Any
) -> None:
    """No redirect to the visitor's own machine, and no redirect loop."""
    settings.SITE_URL = "https://careers.example.com"
    settings.FLOWER_URL = flower
    client.force_login(people.ada())
    response = client.get("/flower/")
    assert response.status_code == 404
    assert "Configure the proxy in front of this site to pass /flower/" in response.content.decode()


# ── Flower's own port ───────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def _keep_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction is on it."""
    monkeypatch.setattr("careersite.flower.close_old_connections", lambda: None)


class Handler:
    """What ``let_in`` uses of Tornado's handler."""

    def __init__(self, client: Client | None = None, **headers: str) -> None:
        cookies = dict(client.cookies.items()) if client else {}
        self.request = SimpleNamespace(headers=headers, cookies=cookies)
        self.current_user: Any = None
        self.answer: Any = None

    def get_current_user(self) -> None:
        self.answer = "password compared"

    def redirect(self, where: str) -> None:
        self.answer = where

    def set_status(self, status: int) -> None:
        self.answer = status

    def finish(self, text: str) -> None:
        pass


def asked(handler: Handler) -> Any:
    async_to_sync(let_in)(handler)
    return handler.answer


def test_flower_lets_in_the_session_of_a_person_with_permission() -> None:
    handler = Handler(people.logged_in(people.otto()))
    assert asked(handler) is None
    assert handler.current_user


@pytest.mark.parametrize("who", [people.charlie, None])
def test_flower_refuses_everybody_else(who: Any) -> None:
    client = people.logged_in(who()) if who else None
    assert asked(Handler(client)) == 401
    assert asked(Handler(Client())) == 401


def test_flower_refuses_a_session_without_the_second_factor() -> None:
    otto = people.otto()
    client = people.logged_in(otto)
    with_app(otto)
    assert asked(Handler(client)) == 401


def test_flower_sends_a_visitor_to_the_sign_in_page(settings: Any) -> None:
    settings.SITE_URL = "http://localhost:8000"
    where = "http://localhost:8000/admin/login/?next=/flower/"
    assert asked(Handler(None, **{"Sec-Fetch-Mode": "navigate"})) == where


@pytest.mark.parametrize(("takes", "answer"), [(True, "password compared"), (False, 401)])
def test_flower_takes_its_password_only_behind_a_proxy(
    settings: Any, takes: bool, answer: Any
) -> None:
    settings.FLOWER_TAKES_PASSWORD = takes
    assert asked(Handler(None, Authorization="Basic x")) == answer
