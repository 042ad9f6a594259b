"""A new release is deployed while people apply: old and new code run side by side.

The old release is this code. The new one is a copy of it with typical changes: a column that old
code does not know, changes to the tables around it, a new kind of step with its own task, and an
extra argument in every message. See "Upgrade" in ``docs/operations.md``. The upgrade from the
release before this one is in ``test_upgrade``.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.processes import until
from tests.support.servers import reserve_port
from tests.support.stack import DONE, ROOT, Receipt, Stack, shared_postgresql, shared_template

#: What the new release adds to each file: the text before which it comes, and the addition.
CHANGES = {
    "careers/applications/models.py": [
        ("    received_at = ", "    tide = models.CharField(max_length=9, null=True)\n"),
    ],
    "careers/pipeline/models.py": [
        (
            "    objects = StepQuerySet.as_manager()",
            '    tide = models.CharField(max_length=9, default="ebb", db_default="ebb")\n',
        ),
    ],
    "careers/pipeline/steps.py": [
        (
            "# fmt: off\nPROCESS",
            """\
def note_tide(step, before_send):
    return Outcome({"tide": step.tide})


register(
    StepDefinition(kind="tide", label="Note the tide", short_label="Tide", effect=note_tide)
)
""",
        ),
    ],
    "careers/pipeline/dispatch.py": [
        ('"step_id": step_id}, "task_id"', '"tide": "flood", '),
    ],
}
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "{latest}")]
    operations = [
        migrations.AddField("application", "tide", models.CharField(max_length=9, null=True)),
        migrations.AddField("stepevent", "tide", models.CharField(max_length=9, null=True)),
        migrations.AddField(
            "step", "tide", models.CharField(max_length=9, default="ebb", db_default="ebb")
        ),
    ]
"""


def new_release(directory: Path) -> Path:
    """The project's folder with all its code, one release later."""
    for name in ("careers", "home", "site"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, directory / name, ignore=ignored)
    for name in ("manage.py", "Procfile", "locale", "static", "templates"):
        (directory / name).symlink_to(ROOT / name)
    # A link would lead Python back to the old code.
    (directory / "manage.py").unlink()
    shutil.copy(ROOT / "manage.py", directory)
    for name, changes in CHANGES.items():
        path = directory / name
        text = path.read_text()
        for before, addition in changes:
            assert text.count(before) == 1, f"{name} has no one place before {before!r}"
            text = text.replace(before, addition + before)
        path.write_text(text)
    migrations = directory / "careers" / "migrations"
    texts = {path.stem: path.read_text() for path in migrations.glob("[0-9]*.py")}
    # The numbers are not in the order of the dependencies.
    depended = re.findall(r"""["']careers["'], ["'](\d+_\w+)["']""", "\n".join(texts.values()))
    (latest,) = texts.keys() - set(depended)
    (migrations / "0999_tide.py").write_text(MIGRATION.format(latest=latest))
    return directory


class Applying:
    """People apply at the old web process, one after the other."""

    def __init__(self, site: Stack) -> None:
        self.receipts: list[Receipt] = []
        self._site, self._done = site, threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._at_it = self._pool.submit(self._apply)

    def _apply(self) -> None:
        while not self._done.is_set():
            receipt = self._site.apply()
            self.receipts.append(receipt)
            while not (self._done.wait(0.2) or self._site.ended([receipt])):
                pass

    def go_on(self, further: int = 2) -> None:
        """Wait until some more people have applied."""
        goal = len(self.receipts) + further
        until(
            lambda: len(self.receipts) >= goal or self._at_it.done(), 120, "no application was sent"
        )

    def end(self) -> list[Receipt]:
        self._done.set()
        self._at_it.result(120)
        return self.receipts


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stack]:
    """The old release. Its web process runs, and the processes of the new one are configured.

    On PostgreSQL: a site on SQLite has one host and can be stopped for an upgrade.
    """
    code = new_release(tmp_path / "new")
    with Stack(
        shared_template(), tmp_path / "var", server=shared_postgresql(), preload=False
    ) as stack:
        stack.add("web-new", code=code, PORT=str(reserve_port()))
        for name in ("cpu-new", "io-new", "sweeper-new"):
            stack.add(name, code=code)
        stack.start("web")
        yield stack


def migrate(site: Stack) -> subprocess.CompletedProcess[str]:
    return site.manage("migrate", "--noinput", code=site.var.parent / "new")


@pytest.mark.timeout(900)
def test_rolling_deploy_loses_no_application_and_repeats_no_step(site: Stack) -> None:
    """Migrate, start the new web, return to the old web once, then replace the workers."""
    site.start("cpu", "io", "sweeper")
    site.form_address()
    at_old = Applying(site)
    try:
        at_old.go_on()
        done = migrate(site)
        assert done.returncode == 0, done.stderr
        # Old code on new tables.
        at_old.go_on()
        assert site.get("/health/ready")[0] == 200

        # The new web process runs; no worker supports all of its messages yet.
        site.start("web-new")
        port = int(site["web-new"].environ["PORT"])
        assert site.get("/health/ready", port=port)[0] == 200
        at_new = [site.apply(port=port), site.apply(port=port)]
        until(
            lambda: all(
                site.states(receipt) | {"tide": ""} == {**DONE, "tide": ""} for receipt in at_new
            ),
            120,
            "old workers did not do what they know",
        )
        # Old workers skip what they do not know, and none of them fails.
        at_old.go_on()
        for receipt in at_new:
            step = site.step(receipt, "tide")
            assert (step["state"], step["attempts"]) in {("sent", 0), ("queued", 0)}
            assert [site.get(receipt.location, port=at)[0] for at in (port, site.port)] == [200] * 2

        # Roll back: the new web process stops; only old code runs.
        site.stop("web-new")
        at_old.go_on()
        assert {site.step(receipt, "tide")["attempts"] for receipt in at_new} == {0}

        # Roll forward: new workers replace the old ones. The old web still dispatches to them.
        site.start("cpu-new", "io-new", "sweeper-new")
        site.stop("cpu", "io", "sweeper")
        at_old.go_on()
        site.wait_for_end(at_new, 120)
        assert all(site.states(receipt) == DONE | {"tide": "succeeded"} for receipt in at_new)
    finally:
        receipts = at_old.end()

    assert {receipt.status for receipt in [*receipts, *at_new]} == {303}
    site.wait_for_end(receipts, 240)
    assert all(site.states(receipt) == DONE for receipt in receipts)
    # Each step succeeded once by its history, each mail was sent once by the mail server's ledger.
    times = site.query(
        "SELECT step_id, count(*) AS n FROM careers_stepevent WHERE to_state = 'succeeded'"
        " GROUP BY step_id"
    )
    assert Counter(row["n"] for row in times) == {1: 4 * len(receipts) + 5 * len(at_new)}
    assert site.smtp.doubles() == []
    assert all(len(site.smtp.mails(to=receipt.email)) == 1 for receipt in [*receipts, *at_new])


def waiting(site: Stack, mode: str = "AccessExclusiveLock") -> bool:
    """Whether a statement waits for a lock; by default, one of the migration."""
    return bool(
        site.query(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            mode,
        )
    )


def test_migration_waiting_for_a_lock_does_not_block_the_site(site: Stack) -> None:
    """A report reads for minutes. The migration waits for it; applicants wait only briefly."""
    import psycopg

    site.form_address()
    with (
        ThreadPoolExecutor(1) as pool,
        contextlib.closing(psycopg.connect(site.database)) as report,
    ):
        report.execute("SELECT count(*) FROM careers_application")
        migrating = pool.submit(migrate, site)
        until(
            lambda: waiting(site) or migrating.done(), 120, "the migration never asked for its lock"
        )
        # Applications succeed while it waits: the migration gives up its lock before they time out.
        assert site.apply().status == 303
        until(lambda: not waiting(site) or migrating.done(), 120, "the migration did not give way")
        assert not migrating.done(), migrating.result()
        report.rollback()
        done = migrating.result(120)
    assert done.returncode == 0, done.stderr
    assert "A table is in use. The migration tries again in 3 s." in done.stderr
    assert site.query("SELECT tide FROM careers_step LIMIT 1") == [{"tide": "ebb"}]


def test_migration_that_deadlocks_with_the_site_is_tried_again(
    site: Stack,
) -> None:
    """The migration locks applications and then steps; the site locks them in the other order."""
    import psycopg

    site.form_address()
    with (
        ThreadPoolExecutor(2) as pool,
        contextlib.closing(psycopg.connect(site.database)) as between,
        contextlib.closing(psycopg.connect(site.database)) as reader,
    ):
        # The table between the two holds the migration until the site waits; the site waits first.
        between.execute("SELECT count(*) FROM careers_stepevent")
        reader.execute("SELECT count(*) FROM careers_step")
        migrating = pool.submit(migrate, site)
        until(
            lambda: waiting(site) or migrating.done(), 120, "the migration never asked for its lock"
        )
        reading = pool.submit(reader.execute, "SELECT count(*) FROM careers_application")
        until(lambda: waiting(site, "AccessShareLock") or reading.done(), 60, "no statement waits")
        between.rollback()
        assert reading.result(60).fetchone() == (0,)
        reader.rollback()
        done = migrating.result(120)
    assert done.returncode == 0, done.stderr
    assert "A table is in use. The migration tries again in 3 s." in done.stderr
