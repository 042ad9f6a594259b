"""Logging, and keeping secret parts of addresses out of the logs."""

from __future__ import annotations

import logging
import re

#: What follows these words in a path gives access to one application.
SECRET = re.compile(r"(?<=/)(received|withdraw|download)/[^/\s\"']+")


def masked(text: str) -> str:
    """``text`` without the secrets in paths."""
    return SECRET.sub(r"\1/…", text)


class MaskSecrets(logging.Filter):
    """Masks secrets in every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(masked(a) if isinstance(a, str) else a for a in record.args)
        if isinstance(record.msg, str):
            record.msg = masked(record.msg)
        return True


#: Django's setting. Log lines hold ids only, no personal data.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"masked": {"()": "careersite.logs.MaskSecrets"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["masked"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "celery": {"level": "INFO"},
        "fontTools": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "wagtail": {"level": "WARNING"},
        "weasyprint": {"level": "WARNING"},
    },
}
