"""Logging, and keeping secret parts of addresses out of the logs."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from careersite.settings import env
from home import log_ids

#: What follows these words in a path gives access to one application or account. A path may be
#: quoted in another address, and PostgreSQL names the value that breaks a unique constraint.
SECRET = re.compile(
    r"(?P<before>(?:(?<![a-z])|(?<=%2F))(?:received|withdraw|download)(?:/|%2F)"
    # The link to a new password; the pages beside it have no dash in their names.
    r"|forgotten(?:/|%2F)(?=[0-9a-z]+-)"
    r"|\(receipt_secret\)=\()"
    r"[^/\s\"'%?#&)]+",
    re.IGNORECASE,
)

#: Characters that end a line, steer a terminal or reverse text, with what is written for them.
CONTROLS = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (
        *(code for code in range(0x20) if chr(code) != "\t"),
        *range(0x7F, 0xA0),
        0x061C,
        *(0x200E, 0x200F, 0x2028, 0x2029),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
}


def masked(text: str) -> str:
    """``text`` without the secrets in paths."""
    return SECRET.sub(r"\g<before>…", text)


class MaskingFormatter(logging.Formatter):
    """Masks secrets in every log line, wherever they come from: message, argument or traceback.

    A message is one line (OWASP, Logging cheat sheet, "Data sanitization"): servers decode paths,
    so ``/%0A2030-01-01 …`` would write a line that looks like one of ours. Times are in UTC.
    """

    converter = staticmethod(time.gmtime)  # type: ignore[assignment]

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging's name
        record.message = record.message.translate(CONTROLS)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonFormatter(MaskingFormatter):
    """One JSON object for each line: ``at``, ``level``, ``logger``, ``message`` and the ids."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            **log_ids.current(),
        }
        if record.exc_info:
            line["traceback"] = masked(self.formatException(record.exc_info))
        # JSON escapes what ends a line or steers a terminal.
        return json.dumps(line)


def formatter(**options: str) -> logging.Formatter:
    """The formatter that LOG_FORMAT names."""
    if env.given("LOG_FORMAT") == "json":
        return JsonFormatter()
    return MaskingFormatter(options["format"], style="{")


def requests_have_ids(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Name the request in its log lines: by the proxy's ``X-Request-ID``, or by an id of ours."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        name = given if re.fullmatch(r"[A-Za-z0-9_.-]{8,64}", given) else uuid4().hex
        with log_ids.noted(request=name):
            return get_response(request)

    return middleware


#: Django's setting. Log lines hold ids only, no personal data.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "careersite.logs.formatter",
            "format": "{asctime} {levelname} {name} {message}",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "celery": {"level": "INFO"},
        # Named without handlers, so that Django's own handlers, which mask nothing, are removed.
        "django": {"level": "INFO"},
        "django.server": {"level": "INFO", "propagate": True},
        "fontTools": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "wagtail": {"level": "WARNING"},
        "weasyprint": {"level": "WARNING"},
    },
}
