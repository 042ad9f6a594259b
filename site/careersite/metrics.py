"""The pipeline's state for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from careers.operations import health, service_answers
from careers.operations.health import Health
from careers.operations.models import ScheduledRun, ServiceAnswer
from careers.pipeline.states import State
from careersite.proxies import is_from_this_machine


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer only programs on this machine, and requests with ``METRICS_TOKEN``."""
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
    return HttpResponse(
        generate_latest(PipelineCollector(found)), content_type=CONTENT_TYPE_PLAIN_0_0_4
    )


class PipelineCollector(Collector):
    """The numbers of one health check; codes and counts only, never a name.

    It belongs to no registry. The numbers come from the database, so every web process answers the
    same, and nothing is counted in memory.
    """

    def __init__(self, found: Health) -> None:
        self.found = found

    def collect(self) -> Iterator[Metric]:
        found = self.found
        yield _gauge("applications", "Applications that are kept.", {(): found.applications})
        yield _gauge(
            "steps",
            "Steps by kind and state.",
            {
                (kind, state.value): by_state.get(state.value, 0)
                for kind, by_state in found.steps.items()
                for state in State
            },
            labels=["kind", "state"],
        )
        yield _gauge(
            "steps_needing_attention", "Steps that wait for a person.", {(): found.needs_attention}
        )
        yield _gauge(
            "oldest_ready_seconds",
            "How long the oldest step that could run has waited.",
            {(): found.oldest_ready_seconds or 0},
        )
        yield _gauge(
            "queue_waiting_steps",
            "Steps that wait for a worker, by queue.",
            {(queue.name,): queue.waiting for queue in found.queues},
            labels=["queue"],
        )
        yield _gauge(
            "queue_oldest_ready_seconds",
            "How long the oldest step that could run has waited, by queue.",
            {(queue.name,): queue.oldest_seconds or 0 for queue in found.queues},
            labels=["queue"],
        )
        yield _gauge(
            "workers_gone",
            "Workers that gave no sign of life in the last day and did not stop in order.",
            {(): len(found.processes.gone)},
        )
        yield _gauge(
            "workers_without_broker",
            "Workers that run and have no connection to the broker.",
            {(): len(found.processes.cut_off)},
        )
        yield from self._services()
        seen = [min(beat.seen_at, found.at) for beat in found.sweepers]
        served = Counter(
            queue for worker in found.workers for queue in worker.queues.split(",") if queue
        )
        yield _gauge(
            "workers",
            "Workers that are alive, by the queue that they serve.",
            {(queue,): served[queue] for queue in sorted({"cpu", "io"} | served.keys())},
            labels=["queue"],
        )
        yield _gauge(
            "sweeper_seen_seconds",
            "Since the last heartbeat of a sweeper; missing when none is alive.",
            {(): (found.at - seen[0]).total_seconds()} if seen else {},
        )
        yield _gauge(
            "finding",
            "What is not as it should be; /admin/tasks/ explains it.",
            {(finding.code, finding.level): 1 for finding in found.findings},
            labels=["code", "level"],
        )

    def _services(self) -> Iterator[Metric]:
        rows = list(ServiceAnswer.objects.all())
        yield _gauge(
            "service_up",
            "1 if the last answer of a service was good.",
            {(row.name,): float(service_answers.is_well(row)) for row in rows},
            labels=["service"],
        )
        yield _gauge(
            "service_good_seconds",
            "Since the last good answer of a service; missing when there was none.",
            {
                (row.name,): max(0.0, (self.found.at - row.good_at).total_seconds())
                for row in rows
                if row.good_at is not None
            },
            labels=["service"],
        )
        runs = ScheduledRun.objects.exclude(ended_at=None)
        yield _gauge(
            "schedule_ended_seconds",
            "Since the last run of a scheduled task ended.",
            {
                (run.task,): max(0.0, (self.found.at - run.ended_at).total_seconds())
                for run in runs
                if run.ended_at is not None
            },
            labels=["task"],
        )


def _gauge(
    name: str, text: str, samples: dict[tuple[str, ...], float], labels: Sequence[str] = ()
) -> Metric:
    family = GaugeMetricFamily(f"careers_{name}", text, labels=labels)
    for values, number in samples.items():
        family.add_metric(values, number)
    return family


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
