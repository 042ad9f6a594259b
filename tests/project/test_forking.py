"""Processes of bin/run that are forks of the supervisor."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.template import Engine
from django.urls import get_resolver

from careersite.embedded import forking
from careersite.embedded.forking import split
from careersite.settings import env

#: Forks a script in the way of the supervisor, and shows how it ended.
DRIVER = """
import os, signal, sys
from careersite.embedded.forking import Forked

log, script, *arguments = sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
secret, keep = (os.open(os.devnull, os.O_RDONLY) for _ in range(2))
out = os.open(log, os.O_WRONLY | os.O_CREAT)
command = ["env", "COLOUR=red", "nice", "-n", "3", "python", script, *arguments]
forked = Forked("x", command, stdout=out, stderr=out, keep=keep)
if arguments == ["wait"]:
    forked.terminate()
print(forked.wait(), keep)
"""
SCRIPT = """
import atexit, os, signal, sys, time
atexit.register(print, "at exit")
print(sys.argv, __name__, os.environ["COLOUR"], os.getpid() == os.getsid(0))
print([n for n in range(9) if os.path.exists(f"/proc/self/fd/{n}")], signal.pthread_sigmask(0, ()))
print(os.nice(0) - os.getpriority(os.PRIO_PROCESS, os.getppid()), flush=True)
if sys.argv[1] == "wait":
    time.sleep(60)
sys.exit({"code": 3, "words": "No."}.get(sys.argv[1]))
"""


def forked(tmp_path: Path, how: str) -> tuple[list[str], list[str]]:
    """What the driver and the script say."""
    log, script = tmp_path / "log", tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(log), str(script), how],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    return done.stdout.split(), log.read_text().splitlines()


def test_fork_runs_the_script_alone_and_ends_as_an_interpreter_does(tmp_path: Path) -> None:
    (code, keep), said = forked(tmp_path, "code")
    script = str(tmp_path / "script.py")
    assert code == "3"
    assert said == [
        f"{[script, 'code']} __main__ red True",
        f"[0, 1, 2, {keep}] set()",
        "3",
        "at exit",
    ]


def test_fork_that_ends_with_a_sentence_writes_it_into_its_log(tmp_path: Path) -> None:
    (code, _keep), said = forked(tmp_path, "words")
    assert (code, said[-2:]) == ("1", ["No.", "at exit"])


def test_fork_is_ended_by_sigterm_which_the_supervisor_blocks(tmp_path: Path) -> None:
    (code, _keep), _said = forked(tmp_path, "wait")
    assert code == str(-signal.SIGTERM)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gunicorn -c x", ({}, 0, ["gunicorn", "-c", "x"])),
        (
            "env A=1 B=2=3 nice -n 10 celery -n 4",
            ({"A": "1", "B": "2=3"}, 10, ["celery", "-n", "4"]),
        ),
        ("nice -n 5 env A=b python m.py", ({"A": "b"}, 5, ["python", "m.py"])),
    ],
)
def test_split_reads_variables_and_niceness_before_the_program(
    command: str, expected: tuple[dict[str, str], int, list[str]]
) -> None:
    assert split(shlex.split(command)) == expected


def test_workers_run_at_a_lower_priority_than_the_web_process() -> None:
    lines = (env.ROOT / "Procfile").read_text().splitlines()
    commands = {name: shlex.split(rest) for name, _, rest in (ln.partition(":") for ln in lines)}
    niceness = {name: split(command)[1] for name, command in commands.items()}
    assert niceness["web"] == 0
    assert {niceness["cpu"], niceness["io"]} == {10}


def test_share_fills_caches_without_a_database() -> None:
    forking.share(lambda: None)
    gc.unfreeze()
    (cached,) = Engine.get_default().template_loaders
    assert "home/home_page.html" in cached.get_template_cache
    assert "fr" in get_resolver()._reverse_dict  # type: ignore[attr-defined]
