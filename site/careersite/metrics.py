"""The pipeline's state for Prometheus, in its text format 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers.operations import health
from careers.operations.health import Health
from careers.pipeline.states import State
from careersite.proxies import is_from_this_machine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For programs on this machine, and for whoever shows ``METRICS_TOKEN``; nobody else."""
    shown = request.headers.get("Authorization", "")
    if not is_from_this_machine(request):
        if not shown or not settings.METRICS_TOKEN:
            raise Http404
        if not constant_time_compare(shown, f"Bearer {settings.METRICS_TOKEN}"):
            return _plain("The token is not the one in METRICS_TOKEN.\n", status=403)
    try:
        found = health.check()
    except DatabaseError as error:
        return _plain(f"The database does not answer: {type(error).__name__}.\n", status=503)
    return HttpResponse("".join(lines(found)), content_type=CONTENT_TYPE)


def lines(found: Health) -> Iterator[str]:
    """One family of numbers after the other; codes and counts only, never a name."""
    yield from _family("applications", "Applications that are kept.", [({}, found.applications)])
    yield from _family(
        "steps",
        "Steps by kind and state.",
        [
            ({"kind": kind, "state": state.value}, by_state.get(state.value, 0))
            for kind, by_state in found.steps.items()
            for state in State
        ],
    )
    yield from _family(
        "steps_needing_attention", "Steps that wait for a person.", [({}, found.needs_attention)]
    )
    yield from _family(
        "oldest_ready_seconds",
        "How long the oldest step that could run has waited.",
        [({}, found.oldest_ready_seconds or 0)],
    )
    served = Counter(
        queue for worker in found.workers for queue in worker.queues.split(",") if queue
    )
    yield from _family(
        "workers",
        "Workers that are alive, by the queue that they serve.",
        [({"queue": queue}, served[queue]) for queue in sorted({"cpu", "io"} | served.keys())],
    )
    yield from _family(
        "sweeper_seen_seconds",
        "Since the last sign of life of a sweeper; missing when none is alive.",
        [({}, max(0.0, (found.at - beat.seen_at).total_seconds())) for beat in found.sweepers[:1]],
    )
    yield from _family(
        "finding",
        "What is not as it should be, as /admin/tasks/ says it in words.",
        [({"code": finding.code, "level": finding.level}, 1) for finding in found.findings],
    )


def _family(name: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP careers_{name} {text}\n# TYPE careers_{name} gauge\n"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels.items())
        yield f"careers_{name}{f'{{{inside}}}' if inside else ''} {value:g}\n"


def _escaped(word: str) -> str:
    return word.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
