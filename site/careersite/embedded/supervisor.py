"""Starts everything that the site needs on one machine, keeps it running, and stops it all.

One process, one thread: every wait is a wait for a signal with a time limit. So one place sees
a child that ended, Ctrl-C and the time, and no signal interrupts anything else.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from careersite.embedded import forking
from careersite.embedded.environment import (
    Refused,
    arrange,
    check_complete,
    port_is_free,
    port_of,
    wipe,
)
from careersite.embedded.locks import MARKS, kill, take, wait_for_others
from careersite.embedded.readiness import not_ready, not_shown
from careersite.embedded.screen import addresses, say
from careersite.settings import env

#: Processes that are stopped together, in this order, and the seconds that they may take. Workers
#: first finish or hand back their steps; the services that they need for it stop last.
STOP_ORDER = (
    (("prepare", "web", "beat"), 25),
    (("cpu", "io"), 35),
    (("sweeper", "flower"), 10),
    (("broker", "object_store", "mail_catcher"), 10),
    (("guard",), 1),
)
HERE = Path(__file__).parent
HEALTHY_WITHIN = 180
LOG_BYTES = 10 * 1024 * 1024
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Stopped(Exception):
    """A signal asked the site to stop."""


@dataclass
class Child:
    """One process of the site."""

    name: str
    command: Sequence[str]
    keep: int
    process: subprocess.Popen[bytes] | forking.Forked
    #: Whether it is a fork of this process.
    forks: bool = False
    started: float = field(default_factory=time.monotonic)
    #: How often in a row it ended soon after its start, and when to start it again.
    failures: int = 0
    again_at: float | None = None


class Supervisor:
    """The processes of one ``bin/run``."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.children: dict[str, Child] = {}
        self._rotated = time.monotonic()
        signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGCHLD})
        (var / "log").mkdir(exist_ok=True)
        self._marks = {name: os.open(var / name, os.O_RDWR | os.O_CREAT, 0o600) for name in MARKS}
        watched, self._alive = os.pipe()
        graces = [str(seconds) for seconds in MARKS.values()]
        self.start("guard", [*_script("locks"), str(var), str(watched), *graces], keep=watched)

    # ── Starting ────────────────────────────────────────────────────────────────────────

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        keep: int | None = None,
        stdout: int | None = None,
        environ: Mapping[str, str] | None = None,
        forks: bool = False,
    ) -> Child:
        """Run ``command`` in a session of its own, with its output in ``var/log/NAME.log``.

        Args:
            keep: the open file that it inherits; the mark of the site unless given.
            environ: its environment; ours unless given.
            forks: run it in a fork of this process, which has loaded the site.
        """
        keep = self._marks["site.open"] if keep is None else keep
        process: subprocess.Popen[bytes] | forking.Forked
        with (self.var / "log" / f"{name}.log").open("ab") as log:
            stdout = log.fileno() if stdout is None else stdout
            if forks:
                stderr = log.fileno()
                process = forking.Forked(name, command, stdout=stdout, stderr=stderr, keep=keep)
            else:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=log,
                    env=environ,
                    pass_fds=[keep],
                    start_new_session=True,
                    # It would inherit the signals that this process blocks.
                    preexec_fn=partial(signal.pthread_sigmask, signal.SIG_SETMASK, ()),
                )
        child = self.children[name] = Child(name, command, keep, process, forks)
        return child

    def load(self, step: Callable[[Callable[[], None]], None]) -> None:
        """Run a step of ``forking`` in this process, whose forks then have the result in common."""
        try:
            step(partial(self.tick, 0))
        except (Stopped, ImproperlyConfigured):
            raise
        except Exception:
            with (self.var / "log" / "prepare.log").open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
            raise Refused(f"Preparing failed. {self.last_words('prepare')}") from None

    def start_services(self, embedded: set[str]) -> None:
        """Start the embedded services, each with its own secrets only."""
        password = urlsplit(env.given("REDIS_URL")).password or ""
        keys = {name: env.given(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        table = {
            "broker": ("broker", port_of("REDIS_URL"), {"REDIS_PASSWORD": password}),
            "archive": ("object_store", port_of("AWS_S3_ENDPOINT_URL"), keys),
            "mail": ("mail_catcher", port_of("EMAIL_PORT"), {}),
        }
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        for service in sorted(embedded & table.keys()):
            module, port, secret = table[service]
            command = [*_script(module), str(self.var / service), str(port)]
            keep = self._marks["services.open"]
            self.start(module, command, keep=keep, environ=plain | secret)

    def prepare(self, named: set[str], checked: Callable[[], None]) -> list[str]:
        """Run ``prepare`` and call ``checked`` when the named services have answered.

        Returns:
            The user names that can log in.
        """
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "careersite.embedded.prepare", *sorted(named)]
        child = self.start("prepare", command, stdout=writing, forks=True)
        os.close(writing)
        os.set_blocking(reading, False)
        logins: list[str] = []
        with open(reading, "rb", buffering=0) as pipe:
            ended = False
            while not ended:
                self.tick(0.05)
                ended = child.process.poll() is not None
                for line in (pipe.read() or b"").splitlines():
                    report = json.loads(line)
                    if "refused" in report:
                        raise Refused(report["refused"])
                    if "note" in report:
                        say(f"Note: {report['note']}")
                    if "doing" in report:
                        say(f"  {report['doing']} …")
                    if report.get("checked"):
                        checked()
                    logins = report.get("logins", logins)
        del self.children["prepare"]
        if child.process.returncode:
            raise Refused(f"Preparing failed. {self.last_words('prepare')}")
        return logins

    def start_site(self) -> None:
        """Start the processes of the Procfile."""
        from django.conf import settings

        for name, command in _procfile().items():
            # While developing, gunicorn loads changed code anew, which a fork can't.
            self.start(name, command, forks=not settings.DEBUG)

    # ── Running ─────────────────────────────────────────────────────────────────────────

    def tick(self, seconds: float) -> None:
        """Wait, and restart what has ended. Raises Stopped when a signal asks for it."""
        now = time.monotonic()
        due = [child.again_at - now for child in self.children.values() if child.again_at]
        wait = max(0.0, min([seconds, *due]))
        came = signal.sigtimedwait({*STOP_SIGNALS, signal.SIGCHLD}, wait)
        if came and came.si_signo in STOP_SIGNALS:
            raise Stopped
        now = time.monotonic()
        for child in list(self.children.values()):
            if child.name == "prepare" or child.process.poll() is None:
                continue
            if child.again_at is None:
                child.failures = 1 if now - child.started > 60 else child.failures + 1
                pause = min(2 ** (child.failures - 1), 30)
                child.again_at = now + pause
                code = child.process.wait()
                how = f"exit {code}" if code >= 0 else signal.Signals(-code).name
                log = self.var / "log" / f"{child.name}.log"
                say(f"  {child.name} ended ({how}); it starts again in {pause} s. See {log}.")
            elif child.again_at <= now:
                again = self.start(child.name, child.command, keep=child.keep, forks=child.forks)
                again.failures = child.failures
        if now - self._rotated > 60:
            self._rotated = now
            self.rotate()

    def wait_until_healthy(self, port: int) -> str:
        """Wait ``HEALTHY_WITHIN`` seconds for the whole site; return what is still missing."""
        deadline = time.monotonic() + HEALTHY_WITHIN
        missing = "web"
        while time.monotonic() < deadline:
            missing = not_ready(f"http://127.0.0.1:{port}/health/ready")
            if not missing:
                # All processes are healthy; now request a page, as the first visitor does.
                return not_shown(f"http://127.0.0.1:{port}/")
            self.tick(0.25)
        return missing

    def rotate(self) -> None:
        """Keep each log below ``LOG_BYTES``; processes go on writing to the same, emptied file."""
        for log in (self.var / "log").glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def last_words(self, name: str) -> str:
        """The end of a log, for the person who started the site."""
        log = self.var / "log" / f"{name}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        return "\n".join([f"The end of {log}:", *(f"    {line}" for line in lines)])

    # ── Stopping ────────────────────────────────────────────────────────────────────────

    def stop(self) -> None:
        """Stop all, in order; kill what takes too long, or everything at a second Ctrl-C."""
        hurry = False
        for names, grace in STOP_ORDER:
            group = [self.children[name].process for name in names if name in self.children]
            for process in group:
                if process.poll() is None:
                    process.terminate()
            deadline = time.monotonic() + grace
            while not hurry and any(process.poll() is None for process in group):
                came = signal.sigtimedwait({*STOP_SIGNALS, signal.SIGCHLD}, 0.2)
                hurry = bool(came and came.si_signo in STOP_SIGNALS) or time.monotonic() > deadline
            for process in group:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            hurry = hurry and time.monotonic() < deadline
        for name in MARKS:
            kill(self.var / name)


def _script(module: str) -> list[str]:
    """The command of a module here, by its path: the package would import Celery and Django."""
    return [sys.executable, "-P", str(HERE / f"{module}.py")]


def _procfile() -> dict[str, list[str]]:
    """The command of each process of the site."""
    lines = (env.ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return {name: shlex.split(rest) for name, _, rest in (line.partition(":") for line in lines)}


# ── The command ───────────────────────────────────────────────────────────────────────────


def run(var: Path, lock: IO[str], options: argparse.Namespace) -> int:
    """Start everything and run until a signal asks to stop."""
    env.load(env.ROOT / ".env")
    for warning in env.misspelt(env.ROOT / ".env"):
        say(f"Note: {warning}")
    check_complete()
    port, flower_port = (
        env.port("PORT", env.DEFAULT_PORT),
        env.port("FLOWER_PORT", env.DEFAULT_FLOWER_PORT),
    )
    if port == flower_port:
        raise Refused(
            f"PORT and FLOWER_PORT are both {port}. Give each a port of its own: "
            f"FLOWER_PORT={port + 1 if port < 65535 else port - 1} bin/run"
        )
    for name, wanted in {"PORT": port, "FLOWER_PORT": flower_port}.items():
        if not port_is_free(wanted):
            raise Refused(
                f"{name} {wanted} is used by another program. Stop that program, or choose "
                f"another port: {name}={wanted + 1} bin/run"
            )
    if options.fresh:
        wipe(var, options.yes)
    embedded = arrange(var)
    env.load(generated=var / "env")
    supervisor = Supervisor(var)
    began = time.monotonic()
    say("Starting the careers site …")
    try:
        supervisor.load(partial(forking.load, _procfile().values()))

        def checked() -> None:
            supervisor.start_services(embedded)
            # While the database and the services get ready.
            supervisor.load(forking.share)

        logins = supervisor.prepare(set(env.SERVICES) - embedded, checked)
        supervisor.start_site()
        say("  Starting web, workers, sweeper, scheduler and Flower …")
        missing = supervisor.wait_until_healthy(port)
        where = addresses(var, port, flower_port, embedded, logins)
        _note(lock, where)
        if missing:
            say(f"\nSome parts are not healthy yet: {missing}. They are started again.\n")
        else:
            say(f"\nThe careers site runs. It started in {time.monotonic() - began:.0f} s.\n")
        say(f"{where}\n\nPress Ctrl-C to stop.")
        while True:
            supervisor.tick(5)
    except Stopped:
        say("\nStopping …")
        return 0
    finally:
        supervisor.stop()


def _note(lock: IO[str], where: str) -> None:
    """Write what the next ``bin/run`` says instead of starting."""
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n{where}\n")
    lock.flush()


def main() -> int:
    """``bin/run``: exit 0 when stopped or running already, 2 when it can't start."""
    parser = argparse.ArgumentParser(prog="bin/run", description="Run the careers site.")
    parser.add_argument(
        "--fresh", action="store_true", help="start over: delete all data, after asking"
    )
    parser.add_argument("--yes", action="store_true", help="with --fresh: do not ask")
    options = parser.parse_args()
    var = Path(env.given("VAR_DIR") or env.ROOT / "var").resolve()
    os.umask(0o077)
    var.mkdir(parents=True, exist_ok=True)
    os.environ["VAR_DIR"] = str(var)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.local")
    for name in ("no_proxy", "NO_PROXY"):
        # A proxy in the environment can't reach this machine's own servers.
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
    os.chdir(env.ROOT)
    with (var / "run.lock").open("a+") as lock:
        if not take(lock):
            lock.seek(0)
            pid, _, where = lock.read().partition("\n")
            say(
                f"The careers site runs already (process {pid}).\n\n{where}"
                if where.strip()
                else f"The careers site is being started already (process {pid})."
            )
            return 0
        _note(lock, "")
        waiting = partial(say, "Waiting for the processes of the last run to end …")
        try:
            wait_for_others(var, waiting)
            return run(var, lock, options)
        except (Refused, ImproperlyConfigured) as error:
            print(error, file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
