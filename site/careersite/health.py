"""Liveness and readiness for load balancers and monitors."""

from __future__ import annotations

import threading
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers.operations import database, health
from careersite.proxies import is_from_this_machine

#: Set when this process must stop: it still serves for a while but wants no new requests.
stopping = threading.Event()
#: Migrations of this code that the database lacked at the last check; None before the first.
_lacking: list[str] | None = None


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process runs; nothing else is checked."""
    return HttpResponse("live\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if this process can accept applications, otherwise 503 with what is missing.

    Three things are needed: a process that is not about to stop, the database with all migrations
    of this code, and, if the database is a file on this machine, room on the disk. Callers on this
    machine also get the state of the pipeline, which may be down while the site is ready.
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
        # With a database on another machine, a full disk here stops no application.
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
            # The one finding that needs no database.
            facts["findings"] = [finding.as_json() for finding in health.disk()]
        return JsonResponse(facts, status=503)
    return JsonResponse(facts, status=503 if full else 200)


def _migrations_lacking() -> list[str]:
    """Ask for the migrations until they are there; then only check that the database answers."""
    global _lacking
    if _lacking == []:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    else:
        _lacking = database.missing_migrations()
    return _lacking
