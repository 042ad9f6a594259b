"""The site and its peers, each started when a measurement first needs it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.traffic import Load, drive
from careers.management.commands.seed_demo import JOBS, body
from tests.support.postgresql import PostgreSQL, new_database
from tests.support.preloaded import Preloaded
from tests.support.processes import Process
from tests.support.servers import HOST, reserve_port
from tests.support.speed import patient
from tests.support.stack import ROOT, Stack, shared_postgresql, shared_template
from tests.support.stack.site import listens
from tests.support.stack.template import plain_environ

#: The job that is measured asks seven questions, as the plain form does. The other one is closed.
JOB, CLOSED_JOB = "data-platform-engineer", "oceanographer"
#: Limits of a site in production, where ``Stack`` has shorter ones for tests.
PRODUCTION = {
    "PIPELINE_SOFT_LIMIT": "90",
    "PIPELINE_HARD_LIMIT": "120",
    "PIPELINE_LEASE": "180",
    "PIPELINE_SWEEP_INTERVAL": "5",
    "PIPELINE_PROBE_INTERVAL": "60",
    "PIPELINE_REDISPATCH_AFTER": "60",
    "PIPELINE_BACKOFF_BASE": "10",
}
#: What works on applications, by its names in the Procfile.
WORKERS = ("cpu", "io", "sweeper")
#: Serves every page as if nobody had read it before.
UNCACHED = {"PAGE_CACHE_MEMORY": "0"}


class Web:
    """The web processes of a site or peer; they may still be starting.

    Attributes:
        process: the first of them.
    """

    def __init__(self, process: Process, port: int) -> None:
        self.process, self._port, self._listens = process, port, False

    @property
    def port(self) -> int:
        """Where they listen, once they do."""
        if not self._listens:
            name = self.process.name
            self.process.until(lambda: listens(self._port), 60, f"{name} does not listen")
            self._listens = True
        return self._port

    def drive(self, requests: list[bytes], *, expect: int = 200, **how: Any) -> Load:
        """Send requests and measure; see ``bench.traffic.drive``."""
        return drive(self.port, requests, pid=self.process.pid, expect=expect, **how)


class Bench:
    """One run of ``bin/bench``: everything that it started stops when it ends.

    Attributes:
        quick: whether the run only proves that it works.
        server: the address of the PostgreSQL server; "" for SQLite, in a quick run or when there is
            none.
        directory: for everything that the run writes.
    """

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Bench:
        temporary = tempfile.TemporaryDirectory(prefix="careers-bench-", ignore_cleanup_errors=True)
        self.directory = Path(self._open.enter_context(temporary))
        self.server = self._database_server()
        if self.quick:
            # These start at the same time. Nothing is measured meanwhile.
            _started = self.plain, self.web, self.synchronous, self.chain
            for name in WORKERS:
                self.site.begin(name)
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def _database_server(self) -> str:
        if self.quick:
            # Preparing a server takes longer than a quick run.
            return ""
        try:
            # As in production, a commit is on the disk; servers of tests need not do that.
            ours = self._open.enter_context(PostgreSQL("fsync=on"))
            os.environ["TEST_POSTGRESQL"] = ours.url
            return shared_postgresql()
        except RuntimeError as error:
            print(f"PostgreSQL can't be had, so this measures SQLite: {error}", file=sys.stderr)
            return ""

    # ── The site ────────────────────────────────────────────────────────────────────────

    @cached_property
    def site(self) -> Stack:
        """The site with its services; only ``web`` runs."""
        return self.new_site("site")

    def new_site(self, name: str, **environ: str) -> Stack:
        """One more site with the demo company; in a quick run its processes are forks of one."""
        site = Stack(
            shared_template(),
            self.directory / name,
            server=self.server,
            environ=environ if self.quick else PRODUCTION | environ,
            # A process that is measured starts as in production.
            preload=self.quick,
        )
        self._open.enter_context(site)
        if self.quick:
            site.preloads.add(site.environ)
        site.query(
            "UPDATE careers_jobpage SET closes_at = %s WHERE page_ptr_id IN"
            " (SELECT id FROM wagtailcore_page WHERE slug = %s)",
            "2026-01-01 12:00:00+00:00",
            CLOSED_JOB,
        )
        return site

    @cached_property
    def web(self) -> Web:
        """The site's web processes."""
        self.site.begin("web")
        return Web(self.site["web"], self.site.port)

    @cached_property
    def working(self) -> Stack:
        """The site whose applications are worked on: one of its own, unless the run is quick."""
        return self.site if self.quick else self.new_site("working")

    @cached_property
    def working_web(self) -> Web:
        """The web processes of ``working``."""
        self.working.begin("web")
        return Web(self.working["web"], self.working.port)

    @contextlib.contextmanager
    def workers(self) -> Iterator[None]:
        """Have the workers of ``working`` at work; afterwards the machine is quiet again."""
        self.working.start(*WORKERS)
        try:
            yield
        finally:
            for name in () if self.quick else WORKERS:
                self.working[name].kill()

    @cached_property
    def uncached(self) -> Web:
        """Web processes of the same site that keep no pages; in a quick run those of ``web``."""
        if self.quick:
            return self.web
        return self.web_of_site("careersite.wsgi", "uncached", **UNCACHED)

    @cached_property
    def synchronous(self) -> Web:
        """The site with an applicant who waits for PDF, archive and mails."""
        return self.web_of_site("bench.peers.synchronous", "synchronous")

    @cached_property
    def chain(self) -> Web:
        """The site with plain Celery tasks in place of its steps."""
        return self.web_of_site("bench.peers.chain", "chain")

    def web_of_site(self, module: str, name: str, **environ: str) -> Web:
        """More web processes on the site's database, at a port of their own."""
        port = reserve_port()
        own = {"PORT": str(port), "SITE_URL": f"http://{HOST}:{port}"}
        # A fork has read the settings of the site, and its port, already.
        argv = ["gunicorn", "-c", "python:careersite.gunicorn", "-b", f"{HOST}:{port}", module]
        preloaded = self.site.preloads.find(self.site.environ)
        environ = self.site.environ | own | environ
        return Web(self.started(name, argv, environ, preloaded), port)

    def run(self, site: Stack, module: str, *arguments: str, **environ: str) -> Any:
        """Run a module of this package in a site's environment; returns what it prints, read as
        JSON.

        Raises:
            RuntimeError: it failed.
        """
        if preloaded := site.preloads.find(site.environ):
            log = self.directory / f"{module}.out"
            done = preloaded.run(["python", "-m", module, *arguments], ROOT, log, patient(120))
        else:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                env=site.environ | environ,
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
        if done.returncode:
            raise RuntimeError(f"{module} failed: {done.stderr.strip().splitlines()[-1]}")
        return json.loads(done.stdout or "null")

    @cached_property
    def queries(self) -> dict[str, int]:
        """How many statements each page sends to the database, once caches in memory are filled."""
        from bench.pages import ADDRESSES

        found: dict[str, int] = self.run(
            self.site, "bench.queries", *ADDRESSES.values(), **UNCACHED
        )
        return found

    @cached_property
    def pdf_costs(self) -> dict[str, Any]:
        """What ``bench.documents`` prints, for an application of seven answers and a file."""
        from bench.forms import our_form, small_cv

        self.web.drive([our_form(self, self.web, small_cv())], expect=303, count=1)
        found: dict[str, Any] = self.run(self.site, "bench.documents", *["--quick"] * self.quick)
        return found

    # ── Peers ───────────────────────────────────────────────────────────────────────────

    @cached_property
    def plain(self) -> Web:
        """The plain Wagtail project, with the text of the measured job."""
        port = reserve_port()
        environ = self._plain_environ(port)
        job = next(job for job in JOBS if job["slug"] == JOB)
        text = {
            "title": job["title"],
            "summary": job["summary"],
            "body": body(JOB, job["why"], job["work"], job["bring"]),
            "port": port,
        }
        subprocess.run(
            [sys.executable, "-m", "bench.peers.plain.seed"],
            input=json.dumps(text).encode(),
            env=environ,
            cwd=ROOT,
            check=True,
        )
        return self._peer("bench.peers.plain.wsgi", "plain", environ, port)

    def bare(self, content: bytes) -> Web:
        """A WSGI function that answers with ``content``."""
        port = reserve_port()
        file = self.directory / f"content-{port}"
        file.write_bytes(content)
        environ = self._plain_environ(port) | {"BENCH_CONTENT": str(file)}
        return self._peer("bench.peers.bare", "bare", environ, port)

    def _plain_environ(self, port: int) -> dict[str, str]:
        return plain_environ() | {
            "DJANGO_SETTINGS_MODULE": "bench.peers.plain.settings",
            "SECRET_KEY": secrets.token_hex(25),
            "DATABASE_URL": self._plain_database,
            "PORT": str(port),
        }

    @cached_property
    def _plain_database(self) -> str:
        if self.server:
            return new_database(self.server)
        return f"sqlite:///{self.directory / 'plain.sqlite3'}"

    def _peer(self, module: str, name: str, environ: Mapping[str, str], port: int) -> Web:
        argv = ["gunicorn", "-c", "python:bench.peers.server", module]
        return Web(self.started(name, argv, environ), port)

    # ── Processes ───────────────────────────────────────────────────────────────────────

    def started(
        self,
        name: str,
        argv: list[str],
        environ: Mapping[str, str],
        preloaded: Preloaded | None = None,
    ) -> Process:
        """Start a process, which ends with the run; from nothing, unless it can be forked."""
        if not preloaded:
            argv = [shutil.which(argv[0], path=environ["PATH"]) or argv[0], *argv[1:]]
        log = self.directory / f"{name}.log"
        process = Process(name, argv, environ=environ, log=log, cwd=ROOT, preloaded=preloaded)
        process.start()
        self._open.callback(process.kill)
        return process
