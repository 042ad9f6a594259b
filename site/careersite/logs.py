"""Logging, and keeping secret parts of addresses out of the logs."""

from __future__ import annotations

import logging
import re

#: What follows these words in a path gives access to one application. A path may be quoted in
#: another address, and PostgreSQL names the value that breaks a unique constraint.
SECRET = re.compile(
    r"(?P<before>(?:(?<![a-z])|(?<=%2F))(?:received|withdraw|download)(?:/|%2F)"
    r"|\(receipt_secret\)=\()"
    r"[^/\s\"'%?#&)]+",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """``text`` without the secrets in paths."""
    return SECRET.sub(r"\g<before>…", text)


class MaskingFormatter(logging.Formatter):
    """Masks secrets in every log line, wherever they come from: message, argument or traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


#: Django's setting. Log lines hold ids only, no personal data.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "careersite.logs.MaskingFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
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
