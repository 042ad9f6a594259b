"""What people send cannot forge, split or hide a line of the log."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.conf import settings

from careersite.logs import MaskingFormatter


def line(*args: object, exc_info: Any = None) -> str:
    record = logging.LogRecord("site", logging.INFO, "", 1, "GET %s", args, exc_info)
    record.created = 0
    return MaskingFormatter("{asctime} {message}", style="{").format(record)


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
