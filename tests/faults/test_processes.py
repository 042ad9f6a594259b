"""Processes die, freeze, stop and hang at every point of every step.

The same must always hold: a receipt has a row; what can be repeated is repeated; a mail that may
have been sent is not sent again and is shown as unconfirmed, and no other mail is. The tests count
the rows, the bucket's directory and the mail server's ledger.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import secrets
import signal
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.faulty_site import FaultySite
from tests.support.faulty_workers import POINTS
from tests.support.messages import celery_client, drained, wait_for_messages
from tests.support.processes import Process, until
from tests.support.stack import DONE, ROOT, Receipt, Stack, a_cv, column

PATIENCE = 180  # seconds; ends a hang
MAILS = ("mail_applicant", "mail_hr")
#: Points at which a mail may have been sent, because the row has the phase.
UNCONFIRMED = ("sending", "after_sending", "after", "recording")
LIMITS = {"PIPELINE_SOFT_LIMIT": "40", "PIPELINE_HARD_LIMIT": "45", "PIPELINE_LEASE": "50"}
#: For steps that may take as long as the test needs.
NO_HURRY = {"PIPELINE_SOFT_LIMIT": "200", "PIPELINE_HARD_LIMIT": "210", "PIPELINE_LEASE": "220"}
#: Which step met which point, by the step's id.
Plan = Mapping[int, tuple[str, str]]


def one_each(
    faulty: FaultySite,
    receipts: Collection[Receipt],
    victim: str,
    kinds: Collection[str] = tuple(POINTS),
    without: Collection[str] = (),
) -> dict[int, tuple[str, str]]:
    """Assign a point to each step: the first point of each kind to the first application."""
    planned = {}
    there = {step["kind"] for step in faulty.stack.steps(next(iter(receipts)))}
    # Without a virus scanner there is no such step.
    for kind in (kind for kind in kinds if kind in there):
        points = [point for point in POINTS[kind] if point not in without]
        assert len(points) <= len(receipts)
        for receipt, point in zip(receipts, points, strict=False):
            step_id = faulty.stack.step(receipt, kind)["id"]
            (faulty.plan / f"{kind}.{point}.{victim}.0.{step_id}").touch()
            planned[step_id] = kind, point
    return planned


def met(faulty: FaultySite, planned: Plan) -> list[int]:
    """The steps that have reached their point."""
    left = {int(file.name.split(".")[4]) for file in faulty.plan.iterdir()}
    return [step_id for step_id in planned if step_id not in left]


def expire(stack: Stack, step_ids: Collection[int]) -> None:
    """Let the leases and waits of these steps end."""
    stack.query(
        "UPDATE careers_step SET lease_until = started_at WHERE state = 'started'"
        f" AND token = 1 AND id IN ({','.join(map(str, step_ids)) or 'NULL'})"
    )


def assert_ended_as_promised(
    stack: Stack, receipts: Collection[Receipt], planned: Plan, *, unsent: Collection[str] = ()
) -> None:
    """Exactly the steps that reached a point of doubt are unconfirmed; all others are done.

    Args:
        unsent: points at which the mail server certainly has no mail.
    """
    for receipt in receipts:
        for step in stack.steps(receipt):
            kind, point = planned.get(step["id"], (step["kind"], ""))
            unclear = kind in MAILS and point in UNCONFIRMED
            expected = "uncertain" if unclear else "succeeded"
            assert (kind, point, step["state"]) == (kind, point, expected)
            if kind == "mail_applicant":
                mails = len(stack.smtp.mails(to=receipt.email))
                assert (point, mails) == (point, 0 if point in unsent else 1)
        files = stack.files(receipt)
        assert Counter(file["kind"] for file in files) == {"cv": 1, "pdf": 1, "manifest": 1}
        assert {file["object_key"] for file in files} <= set(stack.object_keys())
        assert not any(file["stored"] for file in files)
    assert stack.smtp.doubles() == []


@pytest.fixture
def faulty(_faulty: FaultySite) -> Iterator[FaultySite]:
    """The site whose processes can be killed at chosen points, with an empty plan.

    No worker and no sweeper runs yet. The limits leave a busy machine enough time to make a PDF. A
    test may start more processes of a kind; they end with the test.
    """
    stack = _faulty.stack
    before, environ = set(stack.parts), dict(stack.environ)
    stack.environ.update(LIMITS)

    def end_all() -> None:
        for name in ("cpu", "io", "sweeper"):
            if name in stack.parts:
                stack[name].kill()
        for file in _faulty.plan.iterdir():
            file.unlink()

    end_all()
    stack.smtp.mode = "ok"
    stack.start("broker", "archive", "web")
    stack.form_address()
    yield _faulty
    end_all()
    stack.environ.clear()
    stack.environ.update(environ)
    for name in set(stack.parts) - before - {"web", "cpu", "io", "sweeper"}:
        stack.parts.pop(name).kill()


@pytest.fixture
def stack(faulty: FaultySite) -> Stack:
    return faulty.stack


# ── Killed, frozen, stopped ─────────────────────────────────────────────────────────────


def test_worker_killed_at_any_point_loses_no_step_and_repeats_no_mail(
    faulty: FaultySite, stack: Stack
) -> None:
    """``kill -9`` of a pool child, once at each point of each kind of step: 29 deaths."""
    receipts, before = stack.apply_many(8), len(stack.smtp.mails())
    planned = one_each(faulty, receipts, "child")
    assert len(planned) == 29
    stack.start("cpu", "io", "sweeper")

    def over() -> bool:
        expire(stack, met(faulty, planned))
        return len(met(faulty, planned)) == len(planned) and stack.ended(receipts)

    until(over, PATIENCE, "it did not end", pause=0.3)
    assert_ended_as_promised(stack, receipts, planned, unsent=["sending"])
    assert len(stack.smtp.mails()) - before == 2 * len(receipts) - 2


def test_worker_resumed_after_its_lease_changes_nothing(faulty: FaultySite, stack: Stack) -> None:
    """SIGSTOP at each point of each kind; another worker takes over; SIGCONT when all is done. The
    fence keeps a worker that was frozen before the point of no return from sending. (A worker that
    is frozen inside a transaction holds SQLite's only lock: then all others wait, and nothing is
    lost.)
    """
    do_not_hurry(stack)
    receipts = stack.apply_many(7)
    planned: dict[int, tuple[str, str]] = {}
    zombies = []

    def freeze(*kinds: str) -> None:
        mine = one_each(faulty, receipts, "hold", kinds, without=["recording"])
        zombies.append(herd(stack, mine))
        until(lambda: len(met(faulty, mine)) == len(mine), PATIENCE, "a process is not frozen")
        expire(stack, mine.keys())
        planned.update(mine)

    freeze("render_pdf", "mail_applicant")
    stack.start("cpu", "sweeper")
    until(
        lambda: stack.counts(receipts)["render_pdf"] == {"succeeded": len(receipts)},
        PATIENCE,
        "no worker made the PDFs",
    )
    stack["sweeper"].kill()
    freeze("archive", "mail_hr")
    stack.start("io", "sweeper")
    stack.wait_for_end(receipts, PATIENCE)
    before = [stack.steps(receipt) for receipt in receipts]

    for zombie in zombies:
        zombie.thaw()
        until(lambda zombie=zombie: not zombie.running, PATIENCE, "a zombie did not end")
        assert zombie.returncode == 0
    assert [stack.steps(receipt) for receipt in receipts] == before
    # A process frozen past the point of no return sends when it resumes: the only mail of its step.
    assert_ended_as_promised(stack, receipts, planned)
    assert len(planned) == 25


def do_not_hurry(stack: Stack) -> None:
    """Let the processes that start from now on take as long as the test needs for a step."""
    stack.environ.update(NO_HURRY)
    stack.preloads.add(stack.environ)


def herd(stack: Stack, planned: Plan) -> Process:
    """A process for each of these steps; returns their parent."""
    arguments = [f"{kind}={step_id}" for step_id, (kind, _point) in planned.items()]
    stack.parts["zombies"] = zombies = Process(
        "zombies",
        ["python", "-m", "tests.support.zombies", *arguments],
        environ=stack.environ,
        log=stack.var / "log" / "zombies.log",
        cwd=ROOT,
        preloaded=stack.preloads.find(stack.environ),
    )
    zombies.start()
    return zombies


def test_worker_stopped_at_any_point_returns_its_step(faulty: FaultySite, stack: Stack) -> None:
    """SIGTERM, as in a deployment, while a step is at each point of each kind and has too little
    time to finish. The rows are returned at once, not when the lease ends; a mail that may have
    been sent is unconfirmed at once. Nothing counts as a failure.
    """
    do_not_hurry(stack)
    receipts, before = stack.apply_many(7), len(stack.smtp.mails())
    wait_for_messages(stack, receipts, PATIENCE)
    planned: dict[int, tuple[str, str]] = {}

    def stop(*kinds: str) -> None:
        mine = one_each(faulty, receipts, "busy", kinds, without=["recording"])
        worker = one_worker_for_all(stack)
        stack.redis().flushall()
        app = celery_client(stack)
        for step_id, (kind, _point) in mine.items():
            app.send_task(f"careers.{kind}", kwargs={"step_id": step_id}, queue="io")
        worker.until(
            lambda: len(met(faulty, mine)) == len(mine), PATIENCE, "a process is not at its point"
        )
        worker.stop(PATIENCE)
        for step_id, (kind, point) in mine.items():
            (step,) = stack.query("SELECT * FROM careers_step WHERE id = %s", step_id)
            expected = "uncertain" if kind in MAILS and point in UNCONFIRMED else "queued"
            if point in ("unclaimed", "recorded"):
                expected = {"unclaimed": step["state"], "recorded": "succeeded"}[point]
                assert step["state"] in ("queued", "sent", "succeeded")
            assert (kind, point, step["state"]) == (kind, point, expected)
        planned.update(mine)

    stop("render_pdf", "mail_applicant")
    stack.start("cpu", "sweeper")
    until(
        lambda: stack.counts(receipts)["render_pdf"] == {"succeeded": len(receipts)},
        PATIENCE,
        "no worker made the PDFs",
    )
    for name in ("cpu", "sweeper"):
        stack[name].kill()
    stop("archive", "mail_hr")
    stack.start("cpu", "io", "sweeper")
    stack.wait_for_end(receipts, PATIENCE)
    assert_ended_as_promised(stack, receipts, planned, unsent=["sending"])
    assert len(stack.smtp.mails()) - before == 2 * len(receipts) - 2
    assert {step["error_class"] for receipt in receipts for step in stack.steps(receipt)} <= {
        "",
        "unknown",
    }


def one_worker_for_all(stack: Stack) -> Process:
    """A worker with many children for all queues, and with a short soft shutdown."""
    argv, environ = stack._command("io")
    argv[argv.index("-c") + 1] = "14"
    argv[argv.index("-n", argv.index("worker")) + 1] = "held@%h"
    stack.parts["held"] = worker = Process(
        "held",
        argv,
        environ={**environ, "FAULT_SOFT_SHUTDOWN": "1"},
        log=stack.var / "log" / "held.log",
        cwd=ROOT,
        preloaded=stack.preloads.find(environ),
    )
    worker.start()
    return worker


def test_workers_stopped_and_then_killed_lose_no_step(stack: Stack) -> None:
    """SIGTERM, then SIGKILL before they can finish, several times."""
    stack.start("cpu", "io", "sweeper")
    receipts = []
    for _time in range(3):
        receipts += stack.apply_many(3)
        for name in ("cpu", "io"):
            stack[name].signal(signal.SIGTERM)
        with contextlib.suppress(AssertionError):
            until(lambda: not stack["io"].running, 1, "it takes its time")
        for name in ("cpu", "io"):
            stack[name].kill()
        stack.query("UPDATE careers_step SET lease_until = started_at WHERE state = 'started'")
        stack.start("cpu", "io")
    stack.wait_for_end(receipts, PATIENCE)
    ends = Counter(state for receipt in receipts for state in stack.states(receipt).values())
    # One may have been killed right after its point of no return.
    assert ends["succeeded"] + ends["uncertain"] == 4 * len(receipts)
    assert ends["uncertain"] <= 2 * 3
    assert stack.smtp.doubles() == []


# ── The web server ──────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def faulty_web(stack: Stack) -> Iterator[None]:
    """Replace the web server by one that can be killed at chosen points."""
    stack["web"].kill()
    argv, environ = stack._command("web")
    argv = [word.replace("careersite.wsgi", "tests.support.faulty_web") for word in argv]
    web = Process(
        "web",
        argv,
        environ=environ,
        log=stack.var / "log" / "web.log",
        cwd=ROOT,
        preloaded=stack.preloads.find(environ),
    )
    web.start()
    try:
        web.until(lambda: answers(stack), PATIENCE, "the web server is not ready")
        yield
    finally:
        web.kill()
        stack.start("web")


def answers(stack: Stack) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return stack.get("/health/live")[0] == 200
    return False


@pytest.mark.parametrize("sweeps", [False, True], ids=["dispatched", "sweeper only"])
def test_web_server_killed_around_commit_leaves_one_application(
    faulty: FaultySite, stack: Stack, sweeps: bool
) -> None:
    """``kill -9`` before COMMIT, after it, and before the answer is sent and the messages are
    published. The applicant sends the same form again: one application, one receipt, one mail. The
    sweeper finds a step without a message, also when nothing is sent again.
    """
    stack.start("cpu", "io", "sweeper")
    with faulty_web(stack):
        people = {point: f"{secrets.token_hex(4)}@example.org" for point in POINTS_OF_WEB}
        cvs = {point: a_cv(point) for point in people}
        for point, email in people.items():
            (faulty.plan / f"web.{point}.child.0").touch()
            with pytest.raises((OSError, http.client.HTTPException)):
                stack.apply(email=email, cv=cvs[point])
            until(lambda: answers(stack), PATIENCE, "the web server did not come back")
        assert list(faulty.plan.iterdir()) == []
        rows = {
            point: [
                row["receipt_secret"]
                for row in stack.query(
                    "SELECT receipt_secret FROM careers_application WHERE email = %s", email
                )
            ]
            for point, email in people.items()
        }
        assert {point: len(found) for point, found in rows.items()} == {
            "written": 0,
            "committed": 1,
            "answered": 1,
        }
        if sweeps:
            receipts = [
                Receipt(303, f"/received/{rows[point][0]}/", 0, people[point])
                for point in ("committed", "answered")
            ]
        else:
            receipts = [stack.apply(email=email, cv=cvs[point]) for point, email in people.items()]
            for receipt, point in zip(receipts, people, strict=True):
                assert receipt.status == 303
                assert rows[point] in ([], [receipt.secret])
                assert stack.apply(email=receipt.email, cv=cvs[point]).secret == receipt.secret
        stack.wait_for_end(receipts, PATIENCE)
    assert [stack.states(receipt) for receipt in receipts] == [DONE] * len(receipts)
    assert [len(stack.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * len(receipts)
    assert stack.smtp.doubles() == []


POINTS_OF_WEB = ("written", "committed", "answered")


# ── Many processes, or a missing one ────────────────────────────────────────────────────


def test_two_sweepers_and_four_workers_with_fifty_messages_claim_each_step_once(
    stack: Stack,
) -> None:
    for name in ("cpu-2", "io-2", "sweeper-2"):
        stack.add(name)
    receipts = stack.apply_many(3)
    wait_for_messages(stack, receipts, PATIENCE)
    stack.redis().flushall()
    app = celery_client(stack)
    steps = [step for receipt in receipts for step in stack.steps(receipt)]
    for _time in range(50):
        for step in steps:
            queue = "cpu" if step["kind"] == "render_pdf" else "io"
            app.send_task(f"careers.{step['kind']}", kwargs={"step_id": step["id"]}, queue=queue)
    stack.start("cpu", "io", "sweeper", "cpu-2", "io-2", "sweeper-2")
    stack.wait_for_end(receipts, PATIENCE)
    until(lambda: drained(stack), PATIENCE, "the messages were not taken")

    assert [stack.states(receipt) for receipt in receipts] == [DONE] * len(receipts)
    assert {step["token"] for receipt in receipts for step in stack.steps(receipt)} == {1}
    ids = ",".join(str(step["id"]) for step in steps)
    started = stack.query(
        f"SELECT step_id FROM careers_stepevent WHERE to_state = 'started' AND step_id IN ({ids})"
    )
    assert Counter(row["step_id"] for row in started) == {step["id"]: 1 for step in steps}
    assert [len(stack.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * len(receipts)
    assert stack.smtp.doubles() == []


def test_missing_sweeper_raises_an_alert_and_only_delays_steps(stack: Stack) -> None:
    """Messages are lost and nothing dispatches again. The site reports it, to operators too,
    because the schedule also checks. With a sweeper all steps are done.
    """
    stack.query("UPDATE home_sitesettings SET operators = 'ops@example.org'")
    receipt = stack.apply()
    wait_for_messages(stack, [receipt], PATIENCE)
    stack.redis().flushall()
    stack.query(
        "UPDATE careers_heartbeat SET seen_at = '2026-01-01 00:00:00' WHERE kind = 'sweeper'"
    )
    stack.start("cpu", "io")
    assert set(stack.states(receipt).values()) == {"sent", "waiting"}
    levels = {fault["code"]: fault["level"] for fault in stack.status()["findings"]}
    assert levels["no-sweeper"] == "critical"
    assert stack.manage("pipeline_status").returncode == 1

    def opened() -> list[dict]:
        return stack.query(
            "SELECT s.state FROM careers_notice n"
            f" LEFT JOIN careers_step s ON s.{column('alert')} = n.id"
            " WHERE n.code = 'no-sweeper' AND n.kind = 'alert' ORDER BY n.id DESC"
        )

    try:
        celery_client(stack).send_task("careers.watch", queue="io")
        until(opened, PATIENCE, "the schedule did not alert")
        stack.query("UPDATE careers_notice SET created_at = '2026-01-01 00:00:00'")
        celery_client(stack).send_task("careers.watch", queue="io")
        until(lambda: opened()[0]["state"] == "succeeded", PATIENCE, "operators got no mail")
    finally:
        stack.query("UPDATE home_sitesettings SET operators = ''")
    stack.start("sweeper")
    stack.wait_for_end([receipt], PATIENCE)
    assert stack.states(receipt) == DONE
    assert len(stack.smtp.mails(to=receipt.email)) == 1
    assert "no-sweeper" not in {fault["code"] for fault in stack.status()["findings"]}


# ── Crashes and lack of resources ────────────────────────────────────────────────────────────


def test_application_that_crashes_its_worker_fails_alone_with_the_reason(
    faulty: FaultySite, stack: Stack
) -> None:
    """A PDF that never ends, one that ignores its time limit, one that uses up the memory and one
    that crashes the process: each fails after its fifth attempt. HR gets a mail about each of them,
    and the applications behind them in the queue are done.
    """
    points = {"eat": "midway", "busy": "midway", "deaf": "before", "child": "before"}
    short = {"PIPELINE_SOFT_LIMIT": "14", "PIPELINE_HARD_LIMIT": "16", "PIPELINE_LEASE": "18"}
    stack.environ.update(short)
    stack.add("cpu-2")
    stack.start("cpu", "io", "sweeper")
    # After one document WeasyPrint is loaded, and the next one reaches its point quickly.
    first = stack.apply()
    stack.wait_for_end([first], PATIENCE)
    stack["cpu"].freeze()
    poison = {victim: stack.apply() for victim in points}
    last = stack.apply()
    for victim, receipt in poison.items():
        step_id = stack.step(receipt, "render_pdf")["id"]
        (faulty.plan / f"render_pdf.{points[victim]}.{victim}.0.{step_id}").touch()
        stack.query(
            "UPDATE careers_step SET attempts = 4, error_class = 'unknown' WHERE id = %s", step_id
        )
    stack["cpu"].thaw()
    stack.start("cpu-2")
    stack.wait_for_end([last], PATIENCE)
    assert stack.states(last) == DONE

    def over() -> bool:
        return all(stack.states(receipt)["mail_hr"] == "succeeded" for receipt in poison.values())

    until(over, PATIENCE, "HR does not know")
    ended = {victim: stack.step(receipt, "render_pdf") for victim, receipt in poison.items()}
    assert {victim: (step["state"], step["error_code"]) for victim, step in ended.items()} == {
        "busy": ("failed", "too-slow"),
        "deaf": ("failed", "worker-lost"),
        "eat": ("failed", "pdf-memory"),
        "child": ("failed", "worker-lost"),
    }
    for victim, receipt in poison.items():
        assert ended[victim]["error_public"]
        assert stack.states(receipt) == DONE | {"render_pdf": "failed", "archive": "waiting"}
        assert len(stack.smtp.mails(to=receipt.email)) == 1


def test_worker_that_hangs_during_shutdown_is_ended(faulty: FaultySite, stack: Stack) -> None:
    """A child's message to its worker is cut off, as by a time limit between two tasks. Celery's
    main process gives up, and then waits for the rest of the message without end. It leaves no
    child behind, and the worker that replaces it does the work once.
    """
    short = {"PIPELINE_SOFT_LIMIT": "14", "PIPELINE_HARD_LIMIT": "16", "PIPELINE_LEASE": "18"}
    stack.environ.update(short)
    (faulty.plan / "mail_applicant.before.garble.0").touch()
    stack.start("cpu", "io", "sweeper")
    children = stack["io"].children()
    receipt = stack.apply()
    until(lambda: not stack["io"].running, PATIENCE, "the worker does not end")
    assert stack["io"].returncode == os.EX_SOFTWARE
    assert "The worker could not end in order. It ends now." in stack["io"].log.read_text()
    assert len(children) > 1
    until(lambda: not any(map(is_alive, children)), PATIENCE, "a child was left behind")
    stack.start("io")
    stack.wait_for_end([receipt], PATIENCE)
    assert_ended_as_promised(stack, [receipt], {})


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_workers_without_file_descriptors_recover(stack: Stack) -> None:
    """``ulimit -n``: no connection and no file can be opened. Work is retried later, and nothing
    fails permanently.
    """
    stack.start("cpu", "io", "sweeper")
    children = [pid for name in ("cpu", "io") for pid in stack[name].children()]
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in children}
    dispatches = f"SELECT coalesce(sum({column('dispatches')}), 0) AS n FROM careers_step"
    for pid in children:
        few = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, limits[pid][1]))
    receipts = stack.apply_many(3)
    (before,) = stack.query(dispatches)
    until(
        lambda: stack.query(dispatches)[0]["n"] > before["n"] + 3,
        PATIENCE,
        "nothing was dispatched",
    )
    states = {state for receipt in receipts for state in stack.states(receipt).values()}
    assert not states & {"failed", "cancelled", "uncertain"}
    for pid, limit in limits.items():
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    stack.wait_for_end(receipts, PATIENCE)
    assert [stack.states(receipt) for receipt in receipts] == [DONE] * len(receipts)
    assert [len(stack.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * len(receipts)
    assert stack.smtp.doubles() == []
