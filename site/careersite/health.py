"""Signs of life for load balancers and monitors."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers.operations import health, probes
from careersite.proxies import is_from_this_machine

#: Set when this process was told to stop: it serves on for a while, but is to get no more.
stopping = threading.Event()
#: Migrations of this code that the database lacked when it was last asked; None before.
_lacking: list[str] | None = None


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nobody else."""
    return HttpResponse("live\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Applications can be taken here: 200. Otherwise 503, and which of what it takes is missing.

    It takes a process that is not about to stop, the database with all migrations of this code,
    and, where the database is a file here, room on the disk. Callers on this machine are also
    told of the pipeline, which may be down while the site is ready.
    """
    if stopping.is_set():
        return JsonResponse({"stopping": True}, status=503)
    here = is_from_this_machine(request)
    facts: dict[str, Any] = {}
    try:
        if lacking := _migrations_lacking():
            facts = {"database": True, "migrations": False}
            if here:
                facts["error"] = f"The database lacks {lacking[0]}. Run manage.py migrate."
            return JsonResponse(facts, status=503)
        facts = {"database": True}
        # Elsewhere a full disk of ours keeps nobody from reading a job page and applying.
        full = connection.vendor == "sqlite" and any(
            finding.code == "disk-full" for finding in health.disk()
        )
        if full:
            facts["disk"] = False
        if here:
            facts |= health.check().as_json()
    except DatabaseError as error:
        facts |= {"database": False, "error": type(error).__name__}
        if here:
            # What can be told without the database.
            facts["findings"] = [asdict(finding) for finding in health.disk()]
        return JsonResponse(facts, status=503)
    return JsonResponse(facts, status=503 if full else 200)


def _migrations_lacking() -> list[str]:
    """Asks the database, in one way or another; once they are there they stay."""
    global _lacking
    if _lacking == []:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    else:
        _lacking = probes.missing_migrations()
    return _lacking
