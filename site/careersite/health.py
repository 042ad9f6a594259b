"""Signs of life for load balancers and monitors."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers.pipeline import health


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nobody else."""
    return HttpResponse("live\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Applications can be taken: the database answers. Nothing else is needed for that.

    Callers on this machine are also told of the pipeline, which may be down while the site
    is ready.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        facts: dict[str, Any] = {"database": True}
        if request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not request.headers.get(
            "X-Forwarded-For"
        ):
            facts |= health.check().as_json()
    except DatabaseError as error:
        return JsonResponse({"database": False, "error": type(error).__name__}, status=503)
    return JsonResponse(facts)
