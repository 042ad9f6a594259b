"""A site of the previous release is upgraded while people apply, on SQLite and PostgreSQL.

The old release is the code and the data of ``tests.support.previous``, the new one is this code.
``test_deploy`` shows what a later release may change; this test shows that the last one did so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.previous import MIGRATIONS, previous_release
from tests.support.processes import until
from tests.support.servers import reserve_port
from tests.support.stack import (
    DONE,
    ROOT,
    Receipt,
    Stack,
    Template,
    a_cv,
    shared_postgresql,
    shared_template,
)

OLD = ("web-old", "cpu-old", "io-old", "sweeper-old")
NEW = ("web", "cpu", "io", "sweeper")
#: A seeded job with custom questions of several types.
JOB_WITH_QUESTIONS = "firmware-engineer"

#: What operators of the old release have in the tables that the upgrade changes.
OLD_RECORDS = """
from django.utils import timezone
from careers.pipeline.enqueue import create_mails
from careers.pipeline.models import Notice, ScheduledRun
now = timezone.now()
notice = Notice.objects.create(
    kind="digest", key="digest-of-old", created_at=now,
    facts={
        "date": "2026-01-01", "jobs": [], "held_back": 0, "steps": [], "attention": [],
        "findings": [], "path": "/admin/tasks/",
    },
)
create_mails(notice, ["operator@example.org"], at=now, actor="sweeper")
ScheduledRun.objects.create(
    task="careers.check_archive", started_at=now, ended_at=now, error="OSError",
    findings=[{"code": "archive-lost", "level": "critical", "message": "3 files are lost."}],
)
"""
#: A person replaces an unconfirmed mail with the code that runs it. ``%s`` is the step.
SEND_AGAIN = """
from django.contrib.auth import get_user_model
from careers.pipeline.actions import send_again
from careers.pipeline.models import Step
again = send_again(Step.objects.get(pk=%s), get_user_model().objects.first())
print("again", again.pk)
"""
#: How the new release reads a replaced mail and the questions of a page.
READ_BY_NEW = """
from careers.jobs.models import JobPage
from careers.pipeline.attention import REPLACED
from careers.pipeline.models import Step
print("replaced", sorted(Step.objects.filter(REPLACED.query).values_list("pk", flat=True)))
print("questions", len(JobPage.objects.get(slug=%r, locale__language_code="en").questions))
"""


# On PostgreSQL only: each run seeds the old release anew, and a rolling deploy needs two processes
# on one database server.
@pytest.fixture(params=["postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    """The old release with its demo company; its processes are configured beside the new ones."""
    code = previous_release(tmp_path / "old")
    (tmp_path / "template").mkdir()
    template = Template(tmp_path / "template", code)
    server = shared_postgresql() if request.param == "postgresql" else ""
    with Stack(template, tmp_path / "var", server=server) as stack:
        # Each release serves its own static files.
        (tmp_path / "var-new").mkdir()
        (tmp_path / "var-new" / "static").symlink_to(shared_template().static)
        for name in OLD:
            stack.add(name, code=code, PORT=str(reserve_port()), PIPELINE_RERING_AFTER="3")
        for name in NEW:
            stack.add(name, VAR_DIR=str(tmp_path / "var-new"))
        yield stack


def migrations(site: Stack, app: str) -> list[str]:
    rows = site.query("SELECT name FROM django_migrations WHERE app = %s", app)
    return sorted(row["name"] for row in rows)


def shell(site: Stack, script: str, code: Path = ROOT) -> str:
    """Run a script by ``manage.py shell`` and return what it prints."""
    done = site.manage("shell", "-v0", "-c", script, code=code)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def field_names(site: Stack, port: int) -> list[str]:
    """The fields of the form on the page of the job with questions."""
    status, _headers, body = site.get(f"/careers/{JOB_WITH_QUESTIONS}/", port=port)
    assert status == 200
    form = body.decode().partition('action="/apply/')[2].partition("</form>")[0]
    return re.findall(r' name="([^"]+)"', form)


def unconfirmed_mail(site: Stack, port: int) -> tuple[Receipt, int]:
    """An application whose mail to HR stays unconfirmed, and the step of that mail."""
    site.smtp.mode = "close_after_dot"
    receipt = site.apply(port=port)
    site.wait_for_end([receipt], 180)
    site.smtp.mode = "ok"
    step = site.step(receipt, "mail_hr")
    assert step["state"] == "uncertain"
    return receipt, step["id"]


def send_again(site: Stack, step: int, code: Path) -> int:
    return int(re.findall(r"again (\d+)", shell(site, SEND_AGAIN % step, code))[0])


@pytest.mark.timeout(900)
def test_upgrade_from_the_previous_release_keeps_data_and_loses_nothing(site: Stack) -> None:
    old_code = site.var.parent / "old"
    for app, last in MIGRATIONS.items():
        assert migrations(site, app)[-1] == last
    site.start(*OLD)
    old, new = int(site["web-old"].environ["PORT"]), site.port

    # The old release works, and its people leave data in all tables that the upgrade changes.
    receipts = [site.apply(port=old), site.apply(port=old)]
    site.wait_for_end(receipts, 180)
    fields = field_names(site, old)
    shell(site, OLD_RECORDS, old_code)
    _before, replaced_before = unconfirmed_mail(site, old)
    again_before = send_again(site, replaced_before, old_code)
    _during, replaced_during = unconfirmed_mail(site, old)
    (identity,) = site.query("SELECT identity FROM careers_lineage")

    done = site.manage("migrate", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    for app in MIGRATIONS:
        files = sorted(p.stem for p in (ROOT / app / "migrations").glob("[0-9]*.py"))
        assert migrations(site, app) == files

    # 0011: the same rows, under the names of the new code.
    assert site.query("SELECT identity FROM careers_lineage") == [identity]
    assert site.query("SELECT key FROM careers_notice WHERE key = 'digest-of-old'")
    # 0013: what the last scheduled runs found.
    found = {row["code"]: row for row in site.query("SELECT * FROM careers_finding")}
    assert {"archive-lost", "schedule-failed.careers.check_archive"} <= found.keys()
    facts = found["archive-lost"]["facts"]
    assert (json.loads(facts) if isinstance(facts, str) else facts) == {"count": 3}
    # 0016, 0017: which step replaced which.
    rows = site.query("SELECT id, replaced_by_id FROM careers_step WHERE replaced_by_id > 0")
    assert rows == [{"id": replaced_before, "replaced_by_id": again_before}]

    # Old code on new tables: it takes applications, runs steps, and replaces mails.
    receipts.append(site.apply(port=old))
    assert site.get("/health/ready", port=old)[0] == 200
    send_again(site, replaced_during, old_code)
    site.wait_for_end(receipts, 180)

    # The new web process runs; old workers run its steps.
    site.start("web")
    receipts += [site.apply(port=new), site.apply(port=new)]
    site.wait_for_end(receipts, 180)
    assert all(site.states(receipt) == DONE for receipt in receipts)
    for receipt in receipts:
        assert [site.get(receipt.location, port=at)[0] for at in (old, new)] == [200, 200]
    # 0014, 0015: the questions are the same.
    assert field_names(site, new) == fields
    seen = shell(site, READ_BY_NEW % JOB_WITH_QUESTIONS)
    assert f"replaced {[replaced_before, replaced_during]}" in seen
    assert re.search(r"questions [1-9]", seen)

    # 0022: a form that comes to both releases is mailed to HR once, whichever gets it first.
    for first, second in ((old, new), (new, old)):
        form: dict[str, Any] = {"email": f"both-{first}@example.org", "cv": a_cv("Both")}
        twice = [site.apply(port=port, **form) for port in (first, second)]
        assert [receipt.status for receipt in twice] == [303, 303]
        # The old release stores no sender, so the new one can't give its receipt to anybody.
        assert (twice[0].location == twice[1].location) is (second == old)
        site.wait_for_end(twice, 180)
        mails = site.query(
            "SELECT s.state FROM careers_step s JOIN careers_application a"
            " ON a.id = s.application_id WHERE a.email = %s AND s.kind = 'mail_hr' ORDER BY s.id",
            form["email"],
        )
        assert [row["state"] for row in mails] == ["succeeded", "cancelled"][: len(mails)]

    # New workers replace the old ones; the old web process still dispatches to them.
    site.start("cpu", "io", "sweeper")
    site.stop("cpu-old", "io-old", "sweeper-old")
    receipts += [site.apply(port=old), site.apply(port=new)]
    site.wait_for_end(receipts, 180)
    site.stop("web-old")

    assert {receipt.status for receipt in receipts} == {303}
    assert all(site.states(receipt) == DONE for receipt in receipts)
    times = site.query(
        "SELECT step_id, count(*) AS n FROM careers_stepevent WHERE to_state = 'succeeded'"
        " GROUP BY step_id"
    )
    assert set(Counter(row["n"] for row in times)) == {1}
    assert site.smtp.doubles() == []
    assert all(len(site.smtp.mails(to=receipt.email)) == 1 for receipt in receipts)
    until(lambda: site.smtp.mails(to="operator@example.org"), 120, "no mail to the operator")
    assert len(site.smtp.mails(to="operator@example.org")) == 1
