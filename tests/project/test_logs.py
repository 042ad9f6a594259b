"""What people send cannot forge, split or hide a line of the log."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from careersite.logs import MaskingFormatter, formatter, requests_have_ids
from home import log_ids


def line(*args: object, exc_info: Any = None) -> str:
    record = logging.LogRecord("site", logging.INFO, "", 1, "GET %s", args, exc_info)
    record.created = 0
    return MaskingFormatter("{asctime} {message}", style="{").format(record)


def test_json_line_holds_the_ids_of_request_and_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    record = logging.LogRecord("site", logging.INFO, "", 1, "a %s", ("b\nc \u202e",), None)
    record.created = record.msecs = 0
    with log_ids.noted(request="r-1"), log_ids.noted(step=5, application=None):
        written = formatter(format="").format(record)
    assert written.isascii()
    assert "\n" not in written
    assert json.loads(written) == {
        "at": "1970-01-01T00:00:00.000Z",
        "level": "INFO",
        "logger": "site",
        "message": "a b\nc \u202e",
        "request": "r-1",
        "step": 5,
    }
    assert log_ids.current() == {}


@pytest.mark.parametrize(("given", "kept"), [("abcdef-12345", True), ("short", False), ("", False)])
def test_request_is_named_by_the_proxy_or_by_the_site(given: str, kept: bool) -> None:
    seen: list[Any] = []
    request = RequestFactory().get("/", headers={"X-Request-ID": given})
    requests_have_ids(lambda _request: seen.append(log_ids.current()["request"]) or HttpResponse())(
        request
    )
    assert (seen == [given]) is kept
    assert len(seen[0]) >= 8


@pytest.mark.parametrize(
    "text",
    ["\n2030-01-01 forged", "\r\n", "\x1b[2K\x1b[1A", "\x85", "\u2028", "\u202e", "\x00", "\u2066"],
    ids=ascii,
)
def test_text_stays_on_its_line(text: str) -> None:
    written = line(f"/a{text}b")
    assert written.isprintable()
    assert written.split(" ", 2)[2].startswith("GET /a\\")


def test_words_of_every_language_stay_readable() -> None:
    assert line("/Été/שלום/日本/").endswith("GET /Été/שלום/日本/")


def test_traceback_keeps_its_lines() -> None:
    try:
        raise ValueError("wrong")
    except ValueError as error:
        written = line("/", exc_info=(ValueError, error, error.__traceback__))
    assert len(written.splitlines()) > 2


def test_times_are_in_utc() -> None:
    assert line("/").startswith("1970-01-01 00:00:00,")


def test_every_handler_writes_the_same_format() -> None:
    logging_settings: Any = settings.LOGGING
    formats = logging_settings["formatters"]
    assert list(formats) == ["line"]
    assert re.match(r"\{asctime\} \{levelname\} \{name\} \{message\}$", formats["line"]["format"])
    assert {handler["formatter"] for handler in logging_settings["handlers"].values()} == {"line"}
