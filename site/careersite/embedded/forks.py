"""Processes that begin as copies of this one, with Django imported already.

Six of the site's processes are Django, and importing Wagtail takes each of them two seconds of
a processor: on a small machine that was most of the start. A copy of a process that has done it
is there at once, and shares the memory.
"""

import atexit
import gc
import io
import os
import runpy
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import NoReturn

from setproctitle import setproctitle

#: What the site's commands import besides Django, its apps and their views.
PRELOADED = (
    "careers.tasks",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "flower.command",
    "gunicorn.app.wsgiapp",
)


def preload() -> None:
    """Import what the site's processes need, and keep no connection open."""
    import django
    from django.db import connections
    from django.urls import get_resolver

    # Read by Celery when it is imported: SIGTERM makes a worker hand back what it holds.
    os.environ["REMAP_SIGTERM"] = "SIGQUIT"
    django.setup()
    get_resolver().url_patterns  # noqa: B018 -- reading it is what imports every view
    for name in PRELOADED:
        import_module(name)
    connections.close_all()
    gc.collect()
    # The collector's marks in old objects would make each copy pay for its own pages.
    gc.freeze()


class Fork:
    """A forked process, with the part of ``subprocess.Popen`` that a supervisor needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def fork(name: str, target: Callable[[], None], *, stdout: int, stderr: int, keep: int) -> Fork:
    """Run ``target`` in a copy of this process, in a session of its own.

    Args:
        name: what it is called until it gives itself another name.
        keep: the open file that it inherits, and passes on, besides the standard ones.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        _run(name, target, stdout, stderr, keep)
    return Fork(pid)


def _run(name: str, target: Callable[[], None], stdout: int, stderr: int, keep: int) -> NoReturn:
    """What the copy does."""
    try:
        os.setsid()
        setproctitle(f"careersite: {name}")
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # Both at once, from copies: one may stand where the other goes.
        out, err = os.dup(stdout), os.dup(stderr)
        os.dup2(out, 1)
        os.dup2(err, 2)
        for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, keep}:
            try:
                os.close(descriptor)
            except OSError:
                continue
        # Not every one of them is flushed when its process is killed.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)
        os.set_inheritable(keep, True)
        target()
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            sys.stderr.write(f"{leaving.code}\n")
        _leave(leaving.code if isinstance(leaving.code, int) else int(bool(leaving.code)))
    except BaseException:
        traceback.print_exc()
        _leave(1)
    _leave(0)


def become(command: str) -> None:
    """Run a command line of the Procfile as if it had been typed, in this process."""
    words = shlex.split(command)
    if words[0] == "env":
        del words[0]
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            os.environ[name] = value
    setproctitle(shlex.join(words))
    if words[0] == "python":
        sys.argv = words[1:]
        runpy.run_path(words[1], run_name="__main__")
    else:
        sys.argv = words
        (entry,) = entry_points(group="console_scripts", name=words[0])
        sys.exit(entry.load()())


def _leave(code: int) -> NoReturn:
    """End a copy the way an interpreter ends, but run none of the code that we stand in."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
