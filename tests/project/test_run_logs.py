"""Logs show that a receipt was opened, but not which one."""

from __future__ import annotations

import datetime as dt
import io
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string
from gunicorn.config import Config

from careersite.gunicorn import QuietLogger, access_log_format
from careersite.logs import MaskingFormatter, masked

SECRET = "Zm9vYmFyYmF6cXV4"


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (f"/received/{SECRET}/", "/received/…/"),
        (f"/fr/received/{SECRET}/application.pdf", "/fr/received/…/application.pdf"),
        (f"?next=%2freceived%2f{SECRET}%2f", "?next=%2freceived%2f…%2f"),
        ("/received/", "/received/"),
        ("Applications received / done", "Applications received / done"),
        (f"/admin/sign-in/forgotten/1f-{SECRET}/", "/admin/sign-in/forgotten/…/"),
        ("/admin/sign-in/forgotten/sent/", "/admin/sign-in/forgotten/sent/"),
        ("/careers/firmware-engineer/", "/careers/firmware-engineer/"),
        ("/admin/applications/A7KD-93MX/", "/admin/applications/A7KD-93MX/"),
    ],
)
def test_masked_hides_the_secret_in_a_path(path: str, logged: str) -> None:
    assert masked(path) == logged


@pytest.fixture
def gunicorn_log() -> Iterator[tuple[QuietLogger, io.StringIO]]:
    """gunicorn's logger as our configuration sets it up, and what it writes."""
    config = Config()
    config.set("accesslog", "-")
    config.set("access_log_format", access_log_format)
    logger, written = QuietLogger(config), io.StringIO()
    logs = [logging.getLogger(name) for name in ("gunicorn.access", "gunicorn.error")]
    handlers = [logger._get_gunicorn_handler(log) for log in logs]
    for handler in handlers:
        handler.setStream(written)
    yield logger, written
    for log, handler in zip(logs, handlers, strict=True):
        log.removeHandler(handler)


def test_access_log_holds_no_personal_data(
    gunicorn_log: tuple[QuietLogger, io.StringIO],
) -> None:
    logger, written = gunicorn_log
    environ = {
        "REMOTE_ADDR": "203.0.113.9",
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/received/{SECRET}/?name=Ann",
        "PATH_INFO": f"/received/{SECRET}/",
        "QUERY_STRING": "name=Ann",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": f"https://mail.example/ann?/received/{SECRET}/",
        "HTTP_USER_AGENT": "Ann's phone",
    }
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    request = SimpleNamespace(headers=[])
    logger.access(response, request, environ, dt.timedelta(seconds=1))
    line = written.getvalue()
    assert '"GET /received/…/" 200' in line
    assert not any(word in line for word in ("Ann", "203.0.113", "mail.example", SECRET))


def test_error_log_of_gunicorn_hides_the_secret(
    gunicorn_log: tuple[QuietLogger, io.StringIO],
) -> None:
    logger, written = gunicorn_log
    try:
        raise ValueError(f"no page at received/{SECRET}/")
    except ValueError:
        logger.exception("Error handling request %s", f"/received/{SECRET}/?x=1")
    assert "Error handling request /received/…/?x=1" in written.getvalue()
    assert "ValueError: no page at received/…/" in written.getvalue()
    assert SECRET not in written.getvalue()


class _Request:
    def __repr__(self) -> str:
        return f"<WSGIRequest: GET '/received/{SECRET}/'>"


@pytest.mark.parametrize(
    ("message", "args"),
    [
        (f"Not Found: /received/{SECRET}/", ()),
        ("Not Found: %s", (f"/fr/received/{SECRET}/application.pdf",)),
        ("Failed: %r", (_Request(),)),
        ("Failed: %(path)s", ({"path": f"/received/{SECRET}/"},)),
        ("Failed: %s", ([f"received/{SECRET}/"],)),
        ("Failed: %s", (ValueError(f"/received/{SECRET}/"),)),
        ("Failed: %s", (f"/login/?next=%2Freceived%2F{SECRET}%2F",)),
        ("Failed: %s", (f"DETAIL: Key (receipt_secret)=({SECRET}) already exists.",)),
    ],
)
def test_secret_is_hidden_wherever_a_log_line_holds_it(message: str, args: Any) -> None:
    made = settings.LOGGING["formatters"]["line"]
    formatter = import_string(made["()"])(format=made["format"])
    assert isinstance(formatter, MaskingFormatter)
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, message, args, None)
    assert SECRET not in formatter.format(record)
    try:
        raise LookupError(f"/received/{SECRET}/")
    except LookupError:
        record.exc_info = sys.exc_info()
    record.stack_info = f"at /received/{SECRET}/"
    text = formatter.format(record)
    assert SECRET not in text
    assert "LookupError: /received/…/" in text


def test_every_handler_masks() -> None:
    """Django adds handlers of its own, unless its loggers are configured."""
    assert all(handler["formatter"] == "line" for handler in settings.LOGGING["handlers"].values())
    for name in ("django", "django.server", "django.request", "celery", "celery.task"):
        kinds = {type(handler).__module__ for handler in logging.getLogger(name).handlers}
        assert kinds <= {"_pytest.logging"}, name
        assert logging.getLogger(name).propagate, name
