"""A bare WSGI function that returns the same bytes each time: the floor of any page cache."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CONTENT = Path(os.environ["BENCH_CONTENT"]).read_bytes()
HEADERS = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(CONTENT)))]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer every request with ``BENCH_CONTENT``."""
    start_response("200 OK", HEADERS)
    return [CONTENT]
