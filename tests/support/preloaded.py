"""Processes of the site as forks of one process that has imported the site already.

A process needs two to three seconds of CPU time to import Django, Wagtail, Celery and the site, and
tests start hundreds of them. Here one process imports all that once for a set of environment
variables. Each further one is a fork: it gets its own session, log and variables, and then runs the
program that its command line names. Nothing but imports happens before the fork.

Sites of ``bin/run``, of a deployment and of the soak start every process from nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tests.support.speed import patient

#: Seconds that the imports may take.
STARTS_WITHIN = 120
#: Longest message in bytes; the environment is in it.
LONGEST = 128 * 1024
#: Libraries that the site imports late, or that only the programs of the ``Procfile`` import.
LIBRARIES = (
    "boto3",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "kombu.transport.redis",
    "storages.backends.s3",
    "weasyprint",
)
#: prctl(2)
PR_SET_PDEATHSIG, SIGKILL = 1, 9


class Preloaded:
    """The process that has imported the site.

    Args:
        environ: the variables under which the site is imported, and with which its processes run.
        cwd: the project's folder.
        log: for what it has to say if it fails.
    """

    def __init__(self, environ: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.environ = dict(environ)
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log.parent.mkdir(parents=True, exist_ok=True)
        with theirs, log.open("ab") as file:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                # Billiard reads the variable when it is imported (`Procfile`).
                env={**environ, "REMAP_SIGTERM": "SIGQUIT"},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._channel.settimeout(patient(STARTS_WITHIN))
        assert self._channel.recv(LONGEST) == b"{}", f"the site was not imported: {log.read_text()}"

    @property
    def is_idle(self) -> bool:
        """Whether none of its forks runs."""
        return not self._running

    def start(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        out: BinaryIO,
        err: BinaryIO,
        cwd: Path | None = None,
    ) -> Fork:
        """Start a program; ``env NAME=VALUE`` and ``nice -n N`` may precede it (``Procfile``)."""
        order = {"argv": list(argv), "environ": dict(environ), "cwd": str(cwd or "")}
        pid = int(self._ask(order, out.fileno(), err.fileno())["pid"])
        self._running.add(pid)
        return Fork(self, pid)

    def run(
        self, argv: Sequence[str], cwd: Path, log: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return its output.

        Args:
            log: a file that does not exist; the output is written there first.
        """
        errors = log.with_suffix(".err")
        with log.open("xb") as out, errors.open("xb") as err:
            code = self.start(argv, self.environ, out, err, cwd).wait(timeout)
        done = subprocess.CompletedProcess(argv, code, log.read_text(), errors.read_text())
        log.unlink()
        errors.unlink()
        return done

    def status(self, pid: int) -> int | None:
        """The exit status of a fork, or None while it runs. Ask only once for each status."""
        status: int | None = self._ask({"ended": pid})["status"]
        if status is not None:
            self._running.discard(pid)
        return status

    def close(self) -> None:
        """End the process; its forks end with it."""
        self._channel.close()
        self._popen.kill()
        self._popen.wait()

    def _ask(self, order: dict[str, Any], *files: int) -> dict[str, Any]:
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(order).encode()], files)
            answer: dict[str, Any] = json.loads(self._channel.recv(LONGEST))
            return answer


class Fork:
    """One program, with the few methods of ``subprocess.Popen`` that ``Process`` uses."""

    def __init__(self, parent: Preloaded, pid: int) -> None:
        self.pid, self._parent = pid, parent
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None:
                self.returncode = self._parent.status(self.pid)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + timeout if timeout is not None else None
        pause = 0.002
        while (code := self.poll()) is None:
            if deadline and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
        return code


class Preloads:
    """What the processes of one site are forked from: one for each set of variables in use.

    Args:
        cwd: the project's folder.
        log: for what the imports have to say.
    """

    def __init__(self, cwd: Path, log: Path) -> None:
        self._cwd, self._log = cwd, log
        self._all: list[Preloaded] = []

    def find(self, environ: Mapping[str, str]) -> Preloaded | None:
        """What a process with these variables is forked from, if the site is imported so."""
        return next((one for one in self._all if one.environ == environ), None)

    def prepare(self, environs: Sequence[Mapping[str, str]]) -> None:
        """Import the site for processes with these variables.

        A process that needs variables of its own starts from nothing, which costs as much.
        """
        for environ in environs:
            if not self._all or environs.count(environ) > 1:
                self.add(environ)

    def add(self, environ: Mapping[str, str]) -> None:
        """Import the site with these variables, unless that has been done."""
        if self.find(environ):
            return
        for unused in [one for one in self._all if one.is_idle]:
            unused.close()
            self._all.remove(unused)
        self._all.append(Preloaded(environ, self._cwd, self._log))

    def close(self) -> None:
        """End all of them, and with them all forks."""
        for one in self._all:
            one.close()
        self._all.clear()


# ── In the process that has imported the site ───────────────────────────────────────────


def serve(channel: socket.socket) -> dict[str, Any] | None:
    """Fork for each order; returns the order in the fork, None in the server at its end."""
    channel.sendall(b"{}")
    while True:
        message, files, _flags, _address = socket.recv_fds(channel, LONGEST, 2)
        if not message:
            return None
        order: dict[str, Any] = json.loads(message)
        if "ended" in order:
            pid, status = os.waitpid(order["ended"], os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if pid else None
            channel.sendall(json.dumps({"status": code}).encode())
            continue
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            channel.close()
            tie_to(parent)
            os.setsid()
            for number, file in enumerate(files, 1):
                os.dup2(file, number)
                os.close(file)
            return order
        for file in files:
            os.close(file)
        channel.sendall(json.dumps({"pid": pid}).encode())


def tie_to(parent: int) -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def become(order: dict[str, Any]) -> None:
    """Run the program of an order in this process."""
    import runpy
    from importlib.metadata import entry_points

    argv, environ = order["argv"], order["environ"]
    if argv[0] == "env":
        argv = argv[1:]
        while "=" in argv[0]:
            name, _, environ[name] = argv.pop(0).partition("=")
    if argv[:2] == ["nice", "-n"]:
        os.nice(int(argv[2]))
        argv = argv[3:]
    os.environ.clear()
    os.environ.update(environ)
    if order["cwd"]:
        os.chdir(order["cwd"])
    program, *arguments = argv
    if Path(program).name.startswith("python"):
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
        return
    (script,) = entry_points(group="console_scripts", name=program)
    sys.argv = argv
    sys.exit(script.load()())


def load() -> None:
    """Import what the processes of the site import before they do anything."""
    import gc
    import importlib

    import django
    from django.db import connections
    from django.urls import get_resolver

    for name in LIBRARIES:
        importlib.import_module(name)
    django.setup()
    from careersite.celery import app

    app.loader.import_default_modules()
    get_resolver().url_patterns  # noqa: B018 -- reading it imports all views
    connections.close_all()
    assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1
    # The collector would touch, and so copy, the memory that all forks share.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    tie_to(os.getppid())
    load()
    with contextlib.suppress(KeyboardInterrupt):
        if order := serve(socket.socket(fileno=int(sys.argv[1]))):
            become(order)
