"""bin/run: its processes run once, as long as it does, and no longer."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from careersite.embedded import locks, supervisor
from careersite.embedded.screen import addresses
from careersite.settings import env
from tests.support.speed import Deadline

#: A process that ends on SIGTERM.
STEADY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye", time.time(), flush=True), sys.exit(0)))
print("up", os.getpid(), flush=True)
while True:
    time.sleep(0.1)
"""
#: A process with a child, both of which ignore SIGTERM.
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", os.getpid(), flush=True)
os.fork()
time.sleep(60)
"""
#: A supervisor of such processes, which need neither Django nor a port.
DRIVER = """
import sys
from pathlib import Path
from careersite.embedded import locks, supervisor
from careersite.embedded.screen import say

var, steady, deaf = Path(sys.argv[1]), *([sys.executable, "-c", code] for code in sys.argv[2:])
locks.MARKS.update({"site.open": 1, "services.open": 2})
locks.wait_for_others(var, lambda: say("waiting"))
running = supervisor.Supervisor(var)
supervisor.STOP_ORDER = ((("web",), 5), (("cpu",), 0.5), (("broker",), 5), (("guard",), 1))
running.start("web", steady)
running.start("cpu", deaf)
running.start("broker", steady, keep=running._marks["services.open"])
say("started")
try:
    while True:
        running.tick(5)
except supervisor.Stopped:
    say("stopping")
finally:
    running.stop()
say("stopped")
"""


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for name in locks.MARKS:
        locks.kill(tmp_path / name)


def left(var: Path) -> list[int]:
    """Processes that an earlier run left."""
    return [pid for name in locks.MARKS for pid in locks.holders(var / name)]


@pytest.fixture
def start(var: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start the driver; it is killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(var), STEADY, DEAF],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()
        driver.communicate()


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = Deadline(seconds)
    while not condition():
        assert not deadline.over
        time.sleep(0.05)


def ups(var: Path, name: str) -> list[int]:
    """Process ids of every start of a child so far."""
    with contextlib.suppress(FileNotFoundError):
        lines = (var / "log" / f"{name}.log").read_text().splitlines()
        return [int(line.split()[1]) for line in lines if line.startswith("up")]
    return []


def line(driver: subprocess.Popen[str], text: str) -> str:
    assert driver.stdout is not None
    for said in driver.stdout:
        if text in said:
            return said
    raise AssertionError(f"never said: {text}")


def test_killed_process_of_bin_run_is_started_again(var: Path, start) -> None:  # type: ignore[no-untyped-def]
    driver = start()
    wait_for(lambda: ups(var, "web"))
    [first] = ups(var, "web")
    os.kill(first, signal.SIGKILL)
    assert "starts again" in line(driver, "web ended (SIGKILL)")
    wait_for(lambda: len(ups(var, "web")) == 2)


def test_stop_ends_processes_in_order_and_kills_those_that_ignore_sigterm(var: Path, start) -> None:  # type: ignore[no-untyped-def]
    driver = start()
    wait_for(lambda: all(ups(var, name) for name in ("web", "cpu", "broker")))
    driver.send_signal(signal.SIGTERM)
    line(driver, "stopped")
    assert driver.wait(10) == 0
    assert not left(var)
    bye = [
        float((var / "log" / f"{name}.log").read_text().split()[-1]) for name in ("web", "broker")
    ]
    # Between them the process that ignores SIGTERM had its half second.
    assert bye[1] - bye[0] > 0.4


def test_guard_ends_all_when_the_supervisor_is_killed(var: Path, start) -> None:  # type: ignore[no-untyped-def]
    driver = start()
    wait_for(lambda: all(ups(var, name) for name in ("web", "cpu", "broker")))
    driver.kill()
    # The next run waits until the guard of the first one has ended all, the services last.
    other = start()
    line(other, "waiting")
    line(other, "started")
    wait_for(lambda: [len(ups(var, name)) for name in ("web", "broker")] == [2, 2])
    for name in ("web", "broker"):
        assert "bye" in (var / "log" / f"{name}.log").read_text()


def test_killed_guard_is_started_again(var: Path, start) -> None:  # type: ignore[no-untyped-def]
    driver = start()
    wait_for(lambda: ups(var, "web"))
    guards = [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if b"locks.py" in entry.joinpath("cmdline").read_bytes()
        and f"PPid:\t{driver.pid}\n" in entry.joinpath("status").read_text()
    ]
    os.kill(guards[0], signal.SIGKILL)
    assert "starts again" in line(driver, "guard ended (SIGKILL)")


def test_rotate_limits_the_size_of_a_log(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (var / "log").mkdir()
    log = var / "log" / "web.log"
    log.write_text("x" * 100)
    monkeypatch.setattr(supervisor, "LOG_BYTES", 50)
    running = object.__new__(supervisor.Supervisor)
    running.var = var
    running.rotate()
    assert log.read_text() == ""
    assert (var / "log" / "web.log.1").read_text() == "x" * 100


def run(var: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``bin/run`` without its setup, in a directory of its own."""
    ours = env.NAMES | {"DJANGO_SETTINGS_MODULE"}
    plain = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-m", "careersite.embedded", *arguments],
        env=plain | {"VAR_DIR": str(var)} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_second_start_shows_the_addresses_of_the_first(var: Path) -> None:
    with (var / "run.lock").open("a+") as lock:
        assert locks.take(lock)
        lock.write("4711\n  Site    http://127.0.0.1:8000/\n")
        lock.flush()
        second = run(var)
    assert second.returncode == 0
    assert "process 4711" in second.stdout
    assert "http://127.0.0.1:8000/" in second.stdout


def test_addresses_have_host_names_for_passkeys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Browsers refuse passkeys on a bare IP address (WebAuthn Level 3, 5.1.3)."""
    monkeypatch.delenv("SITE_URL", raising=False)
    shown = addresses(tmp_path, 8000, 5555, {"mail"}, ["admin", "hanna"])
    hosts = [urlsplit(word).hostname for word in shown.split() if "//" in word]
    assert hosts == ["localhost"] * 5


def test_busy_port_is_refused_with_advice(var: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = run(var, PORT=str(port))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"PORT {port} is used")
    assert refused.stderr.count("\n") == 1
    assert not (var / "env").exists()


def test_same_port_for_site_and_flower_is_refused(var: Path) -> None:
    refused = run(var, PORT="8471", FLOWER_PORT="8471")
    assert refused.returncode == 2
    assert refused.stderr == (
        "PORT and FLOWER_PORT are both 8471. Give each a port of its own: "
        "FLOWER_PORT=8472 bin/run\n"
    )


def test_fresh_without_a_terminal_needs_yes(var: Path) -> None:
    (var / "db.sqlite3").write_text("precious")
    refused = run(var, "--fresh")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert (var / "db.sqlite3").read_text() == "precious"


def test_every_process_of_the_procfile_has_a_place_in_the_stop_order() -> None:
    procfile = (env.ROOT / "Procfile").read_text().splitlines()
    ordered = {name for names, _grace in supervisor.STOP_ORDER for name in names}
    assert {entry.partition(":")[0] for entry in procfile} <= ordered


def test_workers_forked_from_one_process_have_different_owners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from celery.signals import worker_init

    from careers.pipeline import worker

    monkeypatch.setattr(worker.restored_database, "recognise_at_start", lambda: None)
    monkeypatch.setattr(worker, "_owner", "worker:of the parent")
    start = worker._start
    assert start in [receiver() for _key, receiver in worker_init.receivers]
    start()
    assert worker.owner() != "worker:of the parent"
