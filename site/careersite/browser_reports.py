"""Reports of browsers about what the Content-Security-Policy blocked.

Anybody can send them, and extensions of browsers cause many. So they are counted, never believed:
the log names the directive and the part of the site, and no address, browser or page of a visitor.
Both formats are read: CSP Level 2 (``report-uri``) and the Reporting API (``report-to``).
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from careersite.bodies import announced_length

log = logging.getLogger(__name__)

#: The most bytes of a request, and the most reports in it that are counted.
MAX_BYTES, MAX_REPORTS = 16 * 1024, 20
#: The requests a minute that one process reads; it refuses further ones unread.
MAX_A_MINUTE = 120
#: Only these names reach the log.
DIRECTIVES = frozenset(
    f"{name}{suffix}"
    for name, suffixes in {
        "script-src": ("", "-elem", "-attr"),
        "style-src": ("", "-elem", "-attr"),
        **{f"{kind}-src": ("",) for kind in ("connect", "default", "font", "frame", "img")},
        **{f"{kind}-src": ("",) for kind in ("manifest", "media", "object", "worker")},
        **dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), ("",)),
    }.items()
    for suffix in suffixes
)
EXTENSIONS = ("chrome-extension", "moz-extension", "safari-web-extension")

_counts: Counter[tuple[str, str]] = Counter()
_read: Counter[int] = Counter()
_lock = threading.Lock()


@csrf_exempt
@require_POST
@never_cache
def receive(request: HttpRequest) -> HttpResponse:
    """Count the reports in a request.

    Returns:
        204; 413 for a body over ``MAX_BYTES``, 429 over ``MAX_A_MINUTE``, 400 for anything else
        that is no report.
    """
    if not 0 < announced_length(request) <= MAX_BYTES:
        return HttpResponse(status=413)
    if not _has_room():
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    found = _reports(sent)
    for report in found:
        _count(report)
    return HttpResponse(status=204 if found else 400)


def _has_room() -> bool:
    minute = int(monotonic() // 60)
    with _lock:
        if minute not in _read:
            _read.clear()
        _read[minute] += 1
        return _read[minute] <= MAX_A_MINUTE


def _reports(sent: Any) -> list[dict[str, Any]]:
    """The reports of a request, in the words of the older format."""
    if isinstance(sent, dict):
        sent = [{"type": "csp-violation", "body": sent.get("csp-report")}]
    if not isinstance(sent, list):
        return []
    bodies = [
        item.get("body")
        for item in sent[:MAX_REPORTS]
        if isinstance(item, dict) and item.get("type") == "csp-violation"
    ]
    return [body for body in bodies if isinstance(body, dict)]


def _count(report: dict[str, Any]) -> None:
    def text(*names: str) -> str:
        return next((value for name in names if isinstance(value := report.get(name), str)), "")

    if text("source-file", "sourceFile").startswith(EXTENSIONS):
        return
    directive = text("effective-directive", "effectiveDirective", "violated-directive").split(" ")[
        0
    ]
    if directive not in DIRECTIVES:
        directive = "unknown"
    try:
        path = urlsplit(text("document-uri", "documentURL")).path
    except ValueError:
        path = ""
    part = "the admin" if path.startswith("/admin/") else "public pages"
    with _lock:
        _counts[directive, part] += 1
        count = _counts[directive, part]
    # 1, 10, 100 …: a flood of reports must not fill the log.
    if str(count).strip("0") == "1":
        log.warning("browsers blocked %s on %s: report %d of this process", directive, part, count)
