"""The back office, health and sweeper with a million applications beside a thousand, on PostgreSQL.

Each row is the CPU time of an address or a function in the large database, divided by that in the
small one: of this process and of its PostgreSQL backend together. ``plans`` says how PostgreSQL
reads the large tables for each address.

    python -m bench.panel 1000 1000000     # prints the rows, then the plans
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.rows import Row

SMALL, LARGE = 1_000, 1_000_000
TARGET = 2.0
#: Milliseconds of CPU that a poll may take which finds nothing new.
POLL = 5.0
ROUNDS = 7
TASKS, APPLICATIONS = "/admin/tasks/", "/admin/applications/"
#: What is measured, by its name; addresses of the admin.
ADDRESSES = {
    "task status": TASKS,
    "refresh of the task status": f"{TASKS}results/",
    "task status: needs attention": f"{TASKS}?state=attention",
    "task status: waiting": f"{TASKS}?state=under-way",
    "task status: running": f"{TASKS}?state=running",
    "task status: done in 24 hours": f"{TASKS}?state=done-today",
    "task status: bounced": f"{TASKS}?state=came-back",
    "task status: done": f"{TASKS}?state=succeeded",
    "task status: cancelled": f"{TASKS}?state=cancelled",
    "task status: failed to archive": f"{TASKS}?state=failed&kind=archive",
    "task status: mails to HR": f"{TASKS}?kind=mail_hr",
    "task status: one job": f"{TASKS}?job={{job}}",
    "task status: search by reference": f"{TASKS}?q={{reference}}",
    "task status: search by part of a reference": f"{TASKS}?q={{part}}",
    "task status: search by task id": f"{TASKS}?q={{task}}",
    "task status: search by Message-ID": f"{TASKS}?q={{message}}",
    "task status: after 1,000 rows": f"{TASKS}?after={{middle}}",
    "one task": f"{TASKS}{{reference}}/",
    "mails to operators": f"{TASKS}alerts/",
    "applications": APPLICATIONS,
    "applications: last of the pages": f"{APPLICATIONS}?p=40",
    "applications: after 1,000 rows": f"{APPLICATIONS}?after={{middle}}",
    "applications: one job": f"{APPLICATIONS}?job={{job}}",
    "applications: stage": f"{APPLICATIONS}?review_stage=interview",
    "applications: language": f"{APPLICATIONS}?language=fr",
    "applications: quarantined": f"{APPLICATIONS}?quarantined=true",
    "applications: tests": f"{APPLICATIONS}?is_test=true",
    "applications: received": (
        f"{APPLICATIONS}?received_at_from=2020-01-01&received_at_to={{day}}"
    ),
    "applications: by name": f"{APPLICATIONS}?ordering=name",
    "applications: by stage": f"{APPLICATIONS}?ordering=review_stage",
    "applications: by job": f"{APPLICATIONS}?ordering=job",
    "applications: search by name": f"{APPLICATIONS}?q={{name}}",
    "applications: search by e-mail": f"{APPLICATIONS}?q={{email}}",
    "applications: search by a frequent word": f"{APPLICATIONS}?q=jane",
    "one application": f"{APPLICATIONS}{{reference}}/",
    "access log": f"{APPLICATIONS}access-log/",
    "access log: one applicant": f"{APPLICATIONS}access-log/?applicant={{email}}",
    "access log: a colleague": f"{APPLICATIONS}access-log/?person=robin",
    "access log: changes of the stage": f"{APPLICATIONS}access-log/?act=stage",
    "admin home page": "/admin/",
    "metrics": "/metrics",
}
#: The large tables. Everything else stays small, however many applications there are.
LARGE_TABLES = (
    "careers_application",
    "careers_applicationfile",
    "careers_applicationterms",
    "careers_applicationview",
    "careers_consentrecord",
    "careers_idempotencykey",
    "careers_step",
    "careers_stepevent",
)


def rows(small: int = SMALL, large: int = LARGE) -> list[Row]:
    """Make both databases, measure in them, and drop them."""
    from tests.support import postgresql

    found: list[dict[str, float]] = []
    with postgresql.server() as server:
        for size in (small, large):
            url = postgresql.new_database(server)
            try:
                found.append(_in_child("fill", url, str(size)))
            finally:
                postgresql.drop_database(server, url)
    return compared(found[0], found[1], large)


def compared(small: dict[str, float], large: dict[str, float], size: int) -> list[Row]:
    """The rows of two measurements, in milliseconds of CPU by name."""
    of = f"{size:,} applications"
    found = [
        Row(f"{name}, {of} beside a thousand", large[name] / small[name], TARGET, "times the CPU")
        for name in small
    ]
    poll = large["poll of the task status without news"]
    return [*found, Row(f"poll without news, {of}", poll, POLL, "ms of CPU")]


def _in_child(*arguments: str) -> dict[str, Any]:
    """Run this module with another database: Django connects to one for its whole life."""
    environ = {**os.environ, "DATABASE_URL": arguments[1]}
    environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    command = [sys.executable, "-m", "bench.panel", *arguments]
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# ── In the child ────────────────────────────────────────────────────────────────────────


def fill(size: int) -> None:
    """Migrate the database and fill it."""
    from django.core.management import call_command
    from django.db import connection

    from bench import million

    call_command("migrate", verbosity=0)
    million.fill(connection, size)


def measure() -> dict[str, float]:
    """Milliseconds of CPU for each address and function, by name."""
    from careers.operations import health, sweeper, tally
    from careers.pipeline.transitions import db_now

    client, facts = _client()
    found = {
        name: _cpu(lambda address=address: _get(client, address.format(**facts)))  # type: ignore[misc]
        for name, address in ADDRESSES.items()
    }
    version = _get(client, f"{TASKS}results/")["ETag"]
    found["poll of the task status without news"] = _cpu(
        lambda: _get(client, f"{TASKS}results/", {"If-None-Match": version}, 304)
    )
    found |= {
        "health": _cpu(health.check),
        "numbers of steps": _cpu(lambda: tally.read(db_now())),
        "sweeper": _cpu(_sweep(sweeper)),
        "claim": _cpu(sweeper.due),
    }
    return found


def _sweep(sweeper: Any) -> Callable[[], None]:
    def once() -> None:
        sweeper.set_back_future_times()
        sweeper.release_expired_leases()
        sweeper.release_forgotten_waiters()
        sweeper.requeue_unanswered()
        sweeper.forgotten()

    return once


def _client() -> tuple[Any, dict[str, Any]]:
    """An administrator's browser, and what the addresses name."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.http import QueryDict
    from django.test import Client

    from careers.applications.models import Application
    from careers.backoffice import paging, polling
    from careers.jobs.models import JobPage
    from careers.pipeline.models import Step
    from home.models import SiteSettings

    # No poll may fall into the next period.
    polling.OLDEST = 10**9
    user, _made = get_user_model().objects.get_or_create(
        username="bench", defaults={"email": "b@example.com", "is_superuser": True}
    )
    settings.METRICS_TOKEN = "bench"
    site = SiteSettings.of_default_site()
    SiteSettings.objects.filter(pk=site.pk).update(two_factors=False)
    client = Client(SERVER_NAME="localhost", HTTP_AUTHORIZATION="Bearer bench")
    client.force_login(user)
    first, last = (Application.objects.order_by(order).first() for order in ("pk", "-pk"))
    if first is None or last is None:
        raise RuntimeError("the database has no applications")
    one = Application.objects.filter(pk__gte=(first.pk + last.pk) // 2).order_by("pk")[0]
    mail = Step.objects.get(application=one, kind="mail_hr")
    return client, {
        "reference": one.reference,
        "part": one.reference[5:8],
        "name": one.name.replace(" ", "+"),
        "email": one.email,
        "middle": paging.continuation(one.pk, QueryDict()),
        "job": JobPage.objects.get(pk=one.page_id).pk,
        "day": first.received_at.date(),
        "task": mail.celery_task_id,
        "message": mail.result.get("message_id", "<none@example.com>"),
    }


def _get(
    client: Any, address: str, headers: dict[str, str] | None = None, status: int = 200
) -> Any:
    response = client.get(address, headers=headers or {})
    if response.status_code != status:
        raise RuntimeError(f"{address} answers {response.status_code}")
    return response


def _cpu(work: Callable[[], object]) -> float:
    """The median CPU time of some work, in milliseconds, in this process and in PostgreSQL."""
    work()
    times = []
    for _round in range(ROUNDS):
        began, began_there = time.process_time(), _backend()
        work()
        times.append(time.process_time() - began + _backend() - began_there)
    return sorted(times)[ROUNDS // 2] * 1000


def _backend() -> float:
    """Seconds of CPU that our PostgreSQL backend has used (proc(5)); it is on this machine."""
    from django.db import connection

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


# ── Plans ───────────────────────────────────────────────────────────────────────────────

_SCAN = re.compile(r"(?:Parallel )?((?:Seq|Index Only|Index|Bitmap Heap) Scan)\b(.*?)\s+\(cost")


def plans() -> dict[str, list[str]]:
    """How each address reads the large tables: “table: kind of scan”, by name."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, facts = _client()
    found = {}
    for name, address in ADDRESSES.items():
        with CaptureQueriesContext(connection) as statements:
            _get(client, address.format(**facts))
        found[name] = sorted({scan for one in statements for scan in _scans(one["sql"])})
    return found


def _scans(statement: str) -> Iterator[str]:
    from django.db import connection

    if not statement.startswith(("SELECT", "(SELECT")):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}".replace("%", "%%"))
        plan = [line for (line,) in cursor.fetchall()]
    for line in plan:
        scan = _SCAN.search(line)
        table = scan and re.search(r"on (\w+)", scan[2])
        if scan and table and table[1] in LARGE_TABLES:
            index = re.search(r"using (\w+)", scan[2])
            yield f"{table[1]}: {index[1] if index else scan[1]}"


if __name__ == "__main__":
    import django

    if sys.argv[1:2] == ["fill"]:
        django.setup()
        fill(int(sys.argv[3]))
        print(json.dumps(measure()))
    elif sys.argv[1:2] == ["measure"]:
        django.setup()
        print(json.dumps(measure()))
    elif sys.argv[1:2] == ["plans"]:
        django.setup()
        print(json.dumps(plans()))
    else:
        from bench.rows import table

        print("\n".join(table(rows(*map(int, sys.argv[1:3])))))
