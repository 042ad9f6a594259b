"""Logs show that a receipt was opened, but not which one."""

from __future__ import annotations

import datetime as dt
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from gunicorn.config import Config

from careersite.gunicorn import QuietLogger, access_log_format
from careersite.logs import MaskSecrets, masked

SECRET = "Zm9vYmFyYmF6cXV4"


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (f"/received/{SECRET}/", "/received/…/"),
        (f"/fr/received/{SECRET}/application.pdf", "/fr/received/…/application.pdf"),
        ("/careers/firmware-engineer/", "/careers/firmware-engineer/"),
        ("/admin/applications/A7KD-93MX/", "/admin/applications/A7KD-93MX/"),
    ],
)
def test_masked_hides_the_secret_in_a_path(path: str, logged: str) -> None:
    assert masked(path) == logged


def test_access_log_holds_no_personal_data() -> None:
    environ = {
        "REMOTE_ADDR": "203.0.113.9",
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/received/{SECRET}/?name=Ann",
        "PATH_INFO": f"/received/{SECRET}/",
        "QUERY_STRING": "name=Ann",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": "https://mail.example/ann",
        "HTTP_USER_AGENT": "Ann's phone",
    }
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    request = SimpleNamespace(headers=[])
    atoms = QuietLogger(Config()).atoms(response, request, environ, dt.timedelta(seconds=1))
    line = access_log_format % atoms
    assert '"GET /received/…/" 200' in line
    assert not any(word in line for word in ("Ann", "203.0.113", "mail.example", SECRET))


@pytest.mark.django_db
def test_django_log_hides_the_secret_in_a_path(client: Client, caplog: Any) -> None:
    caplog.handler.addFilter(MaskSecrets())
    with caplog.at_level(logging.WARNING):
        assert client.get(f"/received/{SECRET}/").status_code == 404
    assert "/received/…/" in caplog.text
    assert SECRET not in caplog.text
    assert "masked" in settings.LOGGING["handlers"]["console"]["filters"]
