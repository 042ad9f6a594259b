"""The back office, health and sweeper with a million applications beside a thousand, on PostgreSQL.

Each row is the CPU time of an address or a function in the large database, divided by that in the
small one: of this process and of its PostgreSQL backend together. ``plans`` says how PostgreSQL
reads the large tables for each address.

    python -m bench.panel                   # 1,000 and 1,000,000 applications
    python -m bench.panel 1000 41000
    python -m bench.panel --markdown        # also replaces the tables in docs/performance.md
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.rows import Row

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- applications: begin -->", "<!-- applications: end -->"
SMALL, LARGE = 1_000, 1_000_000
TARGET = 2.0
#: Milliseconds of CPU that a poll may take which finds nothing new.
POLL = 5.0
ROUNDS = 7
#: The poll, which has a target of its own.
POLLED = "poll of the task status without news"
#: What ``live.js`` sends.
LIVE = {"X-Requested-With": "XMLHttpRequest", "X-Live": "1"}
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
    few, many = take(small, large)
    return compared(few["cpu"], many["cpu"], large)


def take(*sizes: int) -> list[dict[str, Any]]:
    """What each size costs, and how it is read; see ``measure`` and ``plans``."""
    from tests.support import postgresql

    found = []
    with postgresql.with_extension("pg_trgm") as server:
        for size in sizes:
            url = postgresql.new_database(server)
            try:
                found.append(_in_child("fill", url, str(size)))
            finally:
                postgresql.drop_database(server, url)
    return found


def compared(small: dict[str, float], large: dict[str, float], size: int) -> list[Row]:
    """The rows of two measurements, in milliseconds of CPU by name."""
    of = f"{size:,} applications"
    found = [
        Row(f"{name}, {of} beside a thousand", large[name] / small[name], TARGET, "times the CPU")
        for name in small
        if name != POLLED
    ]
    poll = large[POLLED]
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
    version = _get(client, f"{TASKS}results/", LIVE)["ETag"]
    found[POLLED] = _cpu(
        lambda: _get(client, f"{TASKS}results/", LIVE | {"If-None-Match": version}, 304)
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
        # The popular one of ``bench.million``.
        "job": JobPage.objects.order_by("pk").values_list("pk", flat=True)[0],
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


def plans() -> dict[str, dict[str, Any]]:
    """How each address reads the large tables, by name.

    Returns:
        For each name ``buffers``, the pages of the database that all statements read; ``indexes``;
        and ``whole``, the sequential scans of large tables with the rows that they read.
    """
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, facts = _client()
    addresses = ADDRESSES | {POLLED: f"{TASKS}results/"}
    found: dict[str, dict[str, Any]] = {}
    for name, address in addresses.items():
        url, headers = address.format(**facts), {}
        if name == POLLED:
            headers = LIVE | {"If-None-Match": _get(client, url, LIVE)["ETag"]}
        _get(client, url)
        with CaptureQueriesContext(connection) as statements:
            _get(client, url, headers, 304 if headers else 200)
        read = [_explained(one["sql"]) for one in statements]
        nodes = [node for plan in read if plan for node in _nodes(plan)]
        found[name] = {
            "buffers": sum(_buffers(plan) for plan in read if plan),
            "indexes": sorted({index for node in nodes if (index := _index(node))}),
            "whole": sorted({whole for node in nodes if (whole := _whole(node))}),
        }
    return found


def _explained(statement: str) -> dict[str, Any]:
    from django.db import connection

    if not statement.startswith(("SELECT", "(SELECT")):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}".replace("%", "%%")
        )
        plan: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any], table: str = "") -> Iterator[dict[str, Any]]:
    """A plan and all below it; an index that is read as a bitmap gets the name of its table."""
    plan.setdefault("Relation Name", table)
    yield plan
    for below in plan.get("Plans", ()):
        bitmap = plan["Node Type"] in ("Bitmap Heap Scan", "BitmapAnd", "BitmapOr")
        yield from _nodes(below, plan["Relation Name"] if bitmap else "")


def _buffers(plan: dict[str, Any]) -> int:
    return int(plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0))


def _index(node: dict[str, Any]) -> str:
    return node.get("Index Name", "") if node["Relation Name"] in LARGE_TABLES else ""


def _whole(node: dict[str, Any]) -> str:
    """A sequential scan that was executed."""
    table, loops = node["Relation Name"], node.get("Actual Loops", 0)
    if "Seq Scan" not in node["Node Type"] or table not in LARGE_TABLES or not loops:
        return ""
    rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * loops
    return f"{rows:,.0f} rows of {table}, sequentially"


# ── The document ────────────────────────────────────────────────────────────────────────


def tables(sizes: list[int], found: list[dict[str, Any]]) -> list[str]:
    """The tables of docs/performance.md: what each address costs, and how it is read."""
    heads = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| ms of CPU | {heads} | × | |", f"|---|{'---:|' * (len(sizes) + 1)}---|"]
    for name in found[0]["cpu"]:
        cpu = [one["cpu"][name] for one in found]
        times = cpu[-1] / cpu[0]
        met = cpu[-1] <= POLL if name == POLLED else times <= TARGET
        costs = " | ".join(f"{one:.1f}" for one in cpu)
        lines.append(f"| {name} | {costs} | {times:.1f} | {'met' if met else 'MISSED'} |")
    lines += ["", f"| at {sizes[-1]:,} | buffers | read by |", "|---|---:|---|"]
    for name, plan in found[-1]["plans"].items():
        read = [*(f"`{index}`" for index in plan["indexes"]), *plan["whole"]]
        lines.append(f"| {name} | {plan['buffers']:,} | {', '.join(read) or 'small tables'} |")
    return lines


def write_tables(document: Path, lines: list[str]) -> None:
    """Put the tables between the two marks of a document."""
    before, _begin, rest = document.read_text().partition(BEGIN)
    _old, _end, after = rest.partition(END)
    document.write_text("\n".join([before + BEGIN, *lines, END + after]))


if __name__ == "__main__":
    import django

    if sys.argv[1:2] in (["fill"], ["measure"]):
        django.setup()
        if sys.argv[1] == "fill":
            fill(int(sys.argv[3]))
        print(json.dumps({"cpu": measure(), "plans": plans()}))
    else:
        sizes = [int(size) for size in sys.argv[1:] if size.isdecimal()] or [SMALL, LARGE]
        lines = tables(sizes, take(*sizes))
        print("\n".join(lines))
        if "--markdown" in sys.argv:
            write_tables(DOCUMENT, lines)
