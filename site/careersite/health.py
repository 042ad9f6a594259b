"""Signs of life for load balancers and monitors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers.pipeline import health
from careersite.proxies import is_from_this_machine


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
        if is_from_this_machine(request):
            facts |= health.check().as_json()
    except DatabaseError as error:
        facts = {"database": False, "error": type(error).__name__}
        if is_from_this_machine(request):
            # What can be told without the database.
            facts["findings"] = [asdict(finding) for finding in health.disk()]
        return JsonResponse(facts, status=503)
    return JsonResponse(facts)
