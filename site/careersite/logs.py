"""What logs may not hold: the part of an address that only one applicant knows."""

from __future__ import annotations

import logging
import re

#: What follows these in a path opens somebody's application.
SECRET = re.compile(r"(?<=/)(received|withdraw|download)/[^/\s\"']+")


def masked(text: str) -> str:
    """``text`` without secrets in paths."""
    return SECRET.sub(r"\1/…", text)


class MaskSecrets(logging.Filter):
    """Masks them in whatever Django or we have to say about a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(masked(a) if isinstance(a, str) else a for a in record.args)
        if isinstance(record.msg, str):
            record.msg = masked(record.msg)
        return True
