"""One site: the processes of the ``Procfile``, their services, and the site from outside."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import itertools
import json
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.postgresql import drop_database, new_database
from tests.support.preloaded import Preloads
from tests.support.processes import Process
from tests.support.servers import HOST, clamd_command, reserve_port
from tests.support.speed import patient
from tests.support.stack.mail import SwitchableSMTP
from tests.support.stack.posting import Receipt, a_cv, multipart
from tests.support.stack.records import Records
from tests.support.stack.template import BUCKET, ROOT, Template, path_of, plain_environ

#: A seeded job that asks for name, e-mail, phone and CV only.
PLAIN_JOB = "production-planner"
#: Minutes of production in seconds. The limits leave a busy machine with two cores the time to
#: make a PDF.
QUICK = {
    "PIPELINE_SOFT_LIMIT": "20",
    "PIPELINE_HARD_LIMIT": "25",
    "PIPELINE_LEASE": "30",
    "PIPELINE_SWEEP_INTERVAL": "1",
    "PIPELINE_PROBE_INTERVAL": "10",
    "PIPELINE_REDISPATCH_AFTER": "3",
    "PIPELINE_BROKER_GRACE": "300",
    "PIPELINE_BACKOFF_BASE": "1",
    # All applicants have the address of this machine, and some tests send hundreds a minute.
    "APPLICATIONS_PER_NETWORK": "1000000/hour",
    "APPLICATIONS_PER_JOB": "1000000/hour",
}
#: Parts that are not the site's own code.
SERVICES = ("broker", "archive", "scanner", "proxy")
_numbers = itertools.count(1)
#: Every site of this process.
SITES: weakref.WeakSet[Stack] = weakref.WeakSet()


class Stack(Records):
    """One site.

    Args:
        template: where the database and static files come from.
        directory: for everything that this site writes.
        server: the address of a PostgreSQL server; "" for SQLite.
        celery_app: what takes the place of ``careersite`` in ``celery -A``.
        environ: replaces or adds environment variables.
        preload: whether processes are forked from one that has imported the site already. Without
            it each starts from nothing, as in production.

    Attributes:
        environ: the environment of all processes; change it before starting one.
        smtp: the mail server, in this process.
        parts: the processes by their names in the ``Procfile``, and ``broker``, ``archive``.
        preloads: what the processes are forked from.
    """

    def __init__(
        self,
        template: Template,
        directory: Path,
        *,
        server: str = "",
        celery_app: str = "careersite",
        environ: Mapping[str, str] | None = None,
        preload: bool = True,
    ) -> None:
        self.var = directory
        self.var.mkdir(parents=True, exist_ok=True)
        self._server = server
        self.smtp = SwitchableSMTP()
        self.port, self.flower_port = reserve_port(), reserve_port()
        self.url = f"http://{HOST}:{self.port}"
        self.broker_port, self.archive_port = reserve_port(), reserve_port()
        #: Of the part ``scanner``, which starts only on request; CLAMAV_URL names it then.
        self.scanner_port = 0
        self.broker_password = f"broker-{secrets.token_hex(12)}"
        self.archive_key, self.archive_secret = "test-key", f"s3-{secrets.token_hex(12)}"
        self.database = self._copy_database(template, server)
        (self.var / "static").symlink_to(template.static)
        (self.var / "archive" / BUCKET).mkdir(parents=True)
        self.environ = template.environ(self.database) | {
            "VAR_DIR": str(self.var),
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "FLOWER_PORT": str(self.flower_port),
            "FLOWER_PASSWORD": f"flower-{secrets.token_hex(12)}",
            "REDIS_URL": f"redis://:{self.broker_password}@{HOST}:{self.broker_port}/0",
            "AWS_S3_ENDPOINT_URL": f"http://{HOST}:{self.archive_port}",
            "AWS_ACCESS_KEY_ID": self.archive_key,
            "AWS_SECRET_ACCESS_KEY": self.archive_secret,
            "EMAIL_HOST": HOST,
            "EMAIL_PORT": str(self.smtp.port),
            "EMAIL_USE_TLS": "no",
            "EMAIL_USE_SSL": "no",
            "DEFAULT_FROM_EMAIL": "Tidewater <jobs@tidewater.test>",
            **QUICK,
            **(environ or {}),
        }
        self.celery_app = celery_app
        self.parts: dict[str, Process] = {}
        SITES.add(self)
        self._variants: dict[str, tuple[Path, dict[str, str]]] = {}
        self._job_pages: dict[str, str] = {}
        self._preload = preload
        self.preloads = Preloads(ROOT, self.var / "log" / "preloaded.log")

    # ── Processes ───────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        self.smtp.__enter__()
        self.start("broker", "archive")
        return self

    def __exit__(self, *exception: Any) -> None:
        self.kill()
        self.smtp.__exit__(None, None, None)
        if self._server:
            drop_database(self._server, self.database)

    def __getitem__(self, name: str) -> Process:
        return self.parts[name]

    def start(self, *names: str) -> None:
        """Start parts as ``bin/run`` does, and wait until each does its work."""
        if self._preload:
            self.preloads.prepare(self._missing(names))
        for name in names:
            self.begin(name)
        for name in names:
            self.parts[name].until(lambda name=name: self._ready(name), 120, f"{name} is not ready")

    def kill(self) -> None:
        """``kill -9`` all that runs."""
        for part in reversed(list(self.parts.values())):
            part.kill()
        self.preloads.close()

    def begin(self, name: str) -> None:
        """Start a part without waiting for it."""
        if name not in self.parts or not self.parts[name].running:
            argv, environ = self._command(name)
            code, _extra = self._variants.get(name, (ROOT, {}))
            part = self.parts.get(name) or Process(
                name, argv, environ=environ, log=self.var / "log" / f"{name}.log", cwd=code
            )
            part.argv, part.environ = argv, environ
            part.preloaded = self.preloads.find(environ) if code == ROOT else None
            part.start()
            self.parts[name] = part

    def _missing(self, names: Iterable[str]) -> list[dict[str, str]]:
        """The variables of those parts of the present code that do not run."""
        return [
            self._command(name)[1]
            for name in names
            if name not in SERVICES
            and not (name in self.parts and self.parts[name].running)
            and self._variants.get(name, (ROOT, {}))[0] == ROOT
        ]

    def add(self, name: str, *, code: Path = ROOT, **environ: str) -> None:
        """Configure one more process of a kind, to be started later.

        Args:
            name: the kind by its name in the ``Procfile``, and more: ``web-new`` is a ``web``.
            code: the folder of the project whose code it runs.
            environ: replaces or adds environment variables.
        """
        self._variants[name] = code, {"PYTHONPATH": path_of(code), **environ}

    def stop(self, *names: str) -> None:
        """Stop parts the way a supervisor does."""
        for name in names:
            self.parts[name].stop()

    def keep_running(self, *names: str) -> None:
        """Restart those parts that ended, as a supervisor does."""
        for name in names:
            self.begin(name)

    def log_text(self) -> str:
        """What all processes have written."""
        return "\n".join(
            path.read_text(errors="replace") for path in sorted((self.var / "log").glob("*.log"))
        )

    def manage(
        self, *arguments: str, code: Path = ROOT, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` of a project's folder in the site's environment."""
        preloaded = self.preloads.find(self.environ | environ)
        if preloaded and code == ROOT:
            log = self.var / "log" / f"manage-{next(_numbers)}.out"
            return preloaded.run(["python", "manage.py", *arguments], code, log, patient(120))
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=code,
            env=self.environ | {"PYTHONPATH": path_of(code)} | environ,
            capture_output=True,
            text=True,
            timeout=patient(120),
        )

    def status(self) -> dict[str, Any]:
        """What the site reports about itself to this machine."""
        _code, _headers, body = self.get("/health/ready")
        found: dict[str, Any] = json.loads(body)
        return found

    def redis(self, timeout: float = 5) -> Any:
        """A client of the broker."""
        from redis import Redis

        return Redis.from_url(self.environ["REDIS_URL"], socket_timeout=timeout)

    def _command(self, name: str) -> tuple[list[str], dict[str, str]]:
        plain = plain_environ() | {"VAR_DIR": str(self.var)}
        embedded = ROOT / "site" / "careersite" / "embedded"
        if name == "broker":
            argv = [sys.executable, "-P", str(embedded / "broker.py")]
            argv += [str(self.var / "broker"), str(self.broker_port)]
            return argv, plain | {"REDIS_PASSWORD": self.broker_password}
        if name == "archive":
            argv = [sys.executable, "-P", str(embedded / "object_store.py")]
            argv += [str(self.var / "archive"), str(self.archive_port)]
            keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            return argv, plain | dict(
                zip(keys, (self.archive_key, self.archive_secret), strict=True)
            )
        if name == "scanner":
            return clamd_command(self.var / "clamd", self.scanner_port), plain
        code, extra = self._variants.get(name, (ROOT, {}))
        kind = name.partition("-")[0]
        for line in (code / "Procfile").read_text().splitlines():
            known, _, command = line.partition(":")
            if known == kind:
                argv = shlex.split(command.replace(f" {kind}@", f" {name}@"))
                argv = [self.celery_app if word == "careersite" else word for word in argv]
                # The addresses of services may have been changed by the test since.
                return argv, self.environ | extra
        raise KeyError(name)

    def _ready(self, name: str) -> bool:
        if name == "broker":
            with contextlib.suppress(Exception):
                return bool(self.redis(1).ping())
            return False
        if name == "archive":
            return listens(self.archive_port)
        if name == "scanner":
            return listens(self.scanner_port)
        if name == "flower":
            return listens(self.flower_port)
        if name.partition("-")[0] == "web":
            return listens(int(self.parts[name].environ["PORT"]))
        if name == "beat":
            return True
        return self._beats(name)

    def _beats(self, name: str) -> bool:
        """Whether a worker or the sweeper has written a heartbeat since its last start."""
        kind = "sweeper" if name.partition("-")[0] == "sweeper" else "worker"
        started = dt.datetime.fromtimestamp(
            Path(f"/proc/{self.parts[name].pid}").stat().st_ctime, dt.UTC
        )
        rows = self.query(
            "SELECT name, started_at, seen_at FROM careers_heartbeat WHERE kind = %s", kind
        )
        return any(
            (kind == "sweeper" or row["name"].startswith(f"{name}@"))
            and as_moment(row["seen_at"]) >= started
            for row in rows
        )

    # ── The site from outside ───────────────────────────────────────────────────────────

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, port: int | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """GET an address; returns status, headers and body, and follows nothing."""
        connection = http.client.HTTPConnection(HOST, port or self.port, timeout=patient(30))
        with contextlib.closing(connection):
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def visitor(self) -> requests.Session:
        """A browser."""
        session = requests.Session()
        session.trust_env = False
        return session

    def logged_in(self, name: str, password: str) -> requests.Session:
        """A browser in which somebody has signed in to see Flower."""
        session, site = self.visitor(), self.environ["SITE_URL"]
        page = session.get(f"{site}/admin/login/", timeout=patient(30)).text
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        done = session.post(
            f"{site}/admin/login/?next=/flower/",
            data={"csrfmiddlewaretoken": token[1], "login": name, "password": password},
            headers={"Origin": site},
            allow_redirects=False,
            timeout=patient(30),
        )
        assert (done.status_code, done.headers["Location"]) == (302, "/flower/")
        return session

    def form_address(self, job: str = PLAIN_JOB, *, port: int | None = None) -> str:
        """Where a job's form posts, as its page says."""
        if job not in self._job_pages:
            _status, _headers, body = self.get(f"/careers/{job}/", port=port)
            found = re.search(r'action="(/apply/[^"#]+)', body.decode())
            assert found, f"the page of {job} has no form"
            self._job_pages[job] = found[1]
        return self._job_pages[job]

    def apply(
        self,
        *,
        name: str = "Ada Prøve",
        email: str = "",
        phone: str = "",
        cv: bytes | None = None,
        job: str = PLAIN_JOB,
        port: int = 0,
        **answers: str,
    ) -> Receipt:
        """Send a job's form with a CV, as a browser does; ``email`` is new unless given."""
        number = next(_numbers)
        email = email or f"applicant-{number}-{secrets.token_hex(3)}@example.org"
        fields = {"name": name, "email": email, "phone": phone, **answers}
        if cv is None:
            cv = a_cv(f"{name} {email}")
        body, content_type = multipart(fields, {"cv": ("CV.pdf", cv)})
        address = self.form_address(job, port=port or None)
        headers = {"Content-Type": content_type, "Origin": self.url}
        began = time.monotonic()
        connection = http.client.HTTPConnection(HOST, port or self.port, timeout=patient(60))
        with contextlib.closing(connection):
            connection.request("POST", address, body, headers)
            answer = connection.getresponse()
            page = answer.read().decode()
        seconds = time.monotonic() - began
        location = answer.getheader("Location") or ""
        return Receipt(answer.status, location, seconds, email, page)

    def apply_many(self, count: int, *, at_once: int = 4, **form: Any) -> list[Receipt]:
        """Several people apply, some of them at the same moment."""
        self.form_address()
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda _number: self.apply(**form), range(count)))

    def _copy_database(self, template: Template, server: str) -> str:
        source = template.database(server)
        if server:
            with template.alone(
                "postgresql"
            ):  # PostgreSQL copies no database with open connections
                self.database = new_database(server, template=source.rpartition("/")[2])
        else:
            shutil.copy(source.removeprefix("sqlite:///"), self.var / "db.sqlite3")
            self.database = f"sqlite:///{self.var / 'db.sqlite3'}"
        self.query("UPDATE wagtailcore_site SET hostname = %s, port = %s", HOST, self.port)
        return self.database


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection((HOST, port), 1).close()
        return True
    return False


def as_moment(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
