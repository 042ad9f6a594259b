"""A whole site with real parts, for tests: the processes of the ``Procfile`` and what they need.

    with Stack(template) as stack:              # nothing runs yet but services and mail
        stack.start("web", "cpu", "io", "sweeper")
        receipt = stack.apply(email="ada@example.org")
        stack.wait_for_end([receipt])
        assert stack.states(receipt) == {"render_pdf": "succeeded", …}
        stack["cpu"].kill()                     # kill -9, with all its children
        stack.smtp.mode = "dot_451"             # see tests.support.servers.SMTP_MODES

All listens on free ports of the loopback address, all state is in one directory, and every
process dies with the test run. What the test counts comes from outside: rows by SQL, objects
from the S3 server's directory, mails from the mail server's own ledger.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import fcntl
import functools
import hashlib
import http.client
import io
import itertools
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support import postgresql
from tests.support.postgresql import drop_database, new_database
from tests.support.processes import Process, until
from tests.support.servers import HOST, AcceptedMail, HostileSMTP, free_port

ROOT = Path(__file__).resolve().parents[2]
SEED = [ROOT / "careers" / "management" / name for name in ("commands/seed_demo.py", "demo_fr.po")]
#: The demo company, but nobody is mailed when something breaks: tests break things all the time.
SEEDED = """
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("seed_demo")
get_user_model().objects.update(email="")
"""
BUCKET = "careers"
#: Steps end here without a person; ``failed`` and ``uncertain`` wait for one.
ENDS = ("succeeded", "failed", "uncertain", "cancelled")
#: A seeded job that asks for name, e-mail, phone and CV only.
PLAIN_JOB = "production-planner"
#: So that a test sees what takes minutes in production. The limits leave a busy machine with
#: two cores the time to make a PDF.
QUICK = {
    "PIPELINE_SOFT_LIMIT": "20",
    "PIPELINE_HARD_LIMIT": "25",
    "PIPELINE_LEASE": "30",
    "PIPELINE_SWEEP_INTERVAL": "1",
    "PIPELINE_PROBE_INTERVAL": "10",
    "PIPELINE_REDISPATCH_AFTER": "3",
    "PIPELINE_BROKER_GRACE": "300",
    "PIPELINE_BACKOFF_BASE": "1",
}
_numbers = itertools.count(1)
#: Every site that this process has made and not forgotten.
SITES: weakref.WeakSet[Stack] = weakref.WeakSet()


class SwitchableSMTP(HostileSMTP):
    """``HostileSMTP`` that can also be as good as switched off: connections are refused."""

    def refuse_connections(self) -> None:
        self._off = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def listen_again(self) -> None:
        self._off = False
        self._listener = socket.create_server(self.address, backlog=64)
        threading.Thread(target=self._listen, daemon=True).start()

    def __exit__(self, *exception: Any) -> None:
        if not getattr(self, "_off", False):
            super().__exit__(*exception)

    def mails(self, *, to: str = "") -> list[AcceptedMail]:
        """The ledger, in whole or for one recipient."""
        return [mail for mail in list(self.accepted) if not to or to in mail.recipients]

    def doubles(self) -> list[str]:
        """Message-IDs that were accepted more than once."""
        counted = Counter(mail.message_id.strip() for mail in list(self.accepted))
        return [message_id for message_id, times in counted.items() if times > 1]


@dataclass(frozen=True)
class Receipt:
    """What an applicant got for a form sent over HTTP."""

    status: int
    location: str
    seconds: float
    email: str
    page: str = ""

    @property
    def secret(self) -> str:
        return self.location.rstrip("/").rpartition("/")[2]


class Template:
    """A seeded site that stacks start from: its database on either engine, its static files.

    Made once a test session, because migrating takes longer than most tests.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.secret_key = secrets.token_hex(25)

    def environ(self, database: str) -> dict[str, str]:
        return _environ() | {
            "VAR_DIR": str(self.directory),
            "SECRET_KEY": self.secret_key,
            "DATABASE_URL": database,
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "SITE_URL": "http://127.0.0.1:8000",
            "ADMIN_PASSWORD": "admin-of-tests",
            "DEMO_PASSWORD": "hanna-of-tests",
        }

    @contextlib.contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Keep other processes with the same directory from making or copying this meanwhile."""
        with (self.directory / f"{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def static(self) -> Path:
        """The collected static files."""
        with self.alone("static"):
            if not (self.directory / "static" / "staticfiles.json").exists():
                self._manage("sqlite:///:memory:", "collectstatic", "--noinput", "-v0")
        return self.directory / "static"

    def database(self, server: str = "") -> str:
        """The address of the seeded database.

        Args:
            server: of PostgreSQL; "" for SQLite.
        """
        mark = hashlib.sha256(server.encode())
        for made_of in (*sorted(ROOT.glob("*/migrations/*.py")), *SEED):
            mark.update(made_of.read_bytes())
        # The file tells others with the same directory that it is finished.
        note = self.directory / f"database-{mark.hexdigest()[:16]}"
        foreign = server and server != shared_postgresql()
        source = self.database(shared_postgresql()) if foreign else ""
        with self.alone("postgresql" if server else "sqlite"):
            if not note.exists():
                note.write_text(self._make(server, source))
        return note.read_text()

    def _make(self, server: str, source: str) -> str:
        """Make the database, by copying ``source`` if there is one; returns its address."""
        path = self.directory / "db.sqlite3"
        url = new_database(server) if server else f"sqlite:///{path}"
        if source:
            postgresql.copy(source, url)
            return url
        if not server and (known := _migrated()):
            shutil.copyfile(known, path)
        else:
            if not server:
                path.unlink(missing_ok=True)
            self._manage(url, "migrate", "--noinput", "-v0")
        self._manage(url, "shell", "-v0", "-c", SEEDED)
        return url

    def _manage(self, database: str, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ(database),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


class Stack:
    """One site.

    Args:
        template: where the database and static files come from.
        directory: for everything that this site writes.
        server: the address of a PostgreSQL server; "" for SQLite.
        celery_app: what takes the place of ``careersite`` in ``celery -A``.
        environ: replaces or adds environment variables.

    Attributes:
        environ: the environment of all processes; change it before starting one.
        smtp: the mail server, in this process.
        parts: the processes by their names in the ``Procfile``, and ``broker``, ``archive``.
    """

    def __init__(
        self,
        template: Template,
        directory: Path,
        *,
        server: str = "",
        celery_app: str = "careersite",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.var = directory
        self.var.mkdir(parents=True, exist_ok=True)
        self._server = server
        self.smtp = SwitchableSMTP()
        self.port, self.flower_port = free_port(), free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.broker_port, self.archive_port = free_port(), free_port()
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
        for name in names:
            self.begin(name)
        for name in names:
            self.parts[name].until(lambda name=name: self._ready(name), 120, f"{name} is not ready")

    def kill(self) -> None:
        """``kill -9`` all that runs."""
        for part in reversed(list(self.parts.values())):
            part.kill()

    def begin(self, name: str) -> None:
        """Start a part without waiting for it."""
        if name not in self.parts or not self.parts[name].running:
            argv, environ = self._command(name)
            code, _extra = self._variants.get(name, (ROOT, {}))
            part = self.parts.get(name) or Process(
                name, argv, environ=environ, log=self.var / "log" / f"{name}.log", cwd=code
            )
            part.argv, part.environ = argv, environ
            part.start()
            self.parts[name] = part

    def add(self, name: str, *, code: Path = ROOT, **environ: str) -> None:
        """Let there be one more process of a kind, to be started later.

        Args:
            name: the kind by its name in the ``Procfile``, and more: ``web-new`` is a ``web``.
            code: the folder of the project whose code it runs.
            environ: replaces or adds environment variables.
        """
        self._variants[name] = code, {"PYTHONPATH": _path_of(code), **environ}

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
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=code,
            env=self.environ | {"PYTHONPATH": _path_of(code)} | environ,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def status(self) -> dict[str, Any]:
        """What the site says about itself on this machine."""
        _code, _headers, body = self.get("/health/ready")
        found: dict[str, Any] = json.loads(body)
        return found

    def redis(self, timeout: float = 5) -> Any:
        """A client of the broker."""
        from redis import Redis

        return Redis.from_url(self.environ["REDIS_URL"], socket_timeout=timeout)

    def _command(self, name: str) -> tuple[list[str], dict[str, str]]:
        plain = _environ() | {"VAR_DIR": str(self.var)}
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
            return _listens(self.archive_port)
        if name == "flower":
            return _listens(self.flower_port)
        if name.partition("-")[0] == "web":
            return _listens(int(self.parts[name].environ["PORT"]))
        if name == "beat":
            return True
        return self._beats(name)

    def _beats(self, name: str) -> bool:
        """Whether a worker or the sweeper has written a sign of life since its last start."""
        kind = "sweeper" if name.partition("-")[0] == "sweeper" else "worker"
        started = dt.datetime.fromtimestamp(
            Path(f"/proc/{self.parts[name].pid}").stat().st_ctime, dt.UTC
        )
        rows = self.query(
            "SELECT name, started_at, seen_at FROM careers_heartbeat WHERE kind = %s", kind
        )
        return any(
            (kind == "sweeper" or row["name"].startswith(f"{name}@"))
            and _moment(row["seen_at"]) >= started
            for row in rows
        )

    # ── The site from outside ───────────────────────────────────────────────────────────

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, port: int | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """GET an address; returns status, headers and body, and follows nothing."""
        connection = http.client.HTTPConnection(HOST, port or self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def form_address(self, job: str = PLAIN_JOB) -> str:
        """Where a job's form posts, as its page says."""
        if job not in self._job_pages:
            _status, _headers, body = self.get(f"/careers/{job}/")
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
        """Send a job's form with a CV, as a browser does; a new person unless told otherwise."""
        number = next(_numbers)
        email = email or f"applicant-{number}-{secrets.token_hex(3)}@example.org"
        fields = {"name": name, "email": email, "phone": phone, **answers}
        if cv is None:
            cv = a_cv(f"{name} {email}")
        body, content_type = multipart(fields, {"cv": ("CV.pdf", cv)})
        address = self.form_address(job)
        headers = {"Content-Type": content_type, "Origin": self.url}
        began = time.monotonic()
        connection = http.client.HTTPConnection(HOST, port or self.port, timeout=60)
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

    # ── Rows ────────────────────────────────────────────────────────────────────────────

    def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of a statement with ``%s`` for parameters, read in a connection of its own."""
        with self._connected() as connection:
            if self._server:
                cursor = connection.execute(sql, parameters or None)
            else:
                cursor = connection.execute(sql.replace("%s", "?"), parameters)
            if cursor.description is None:
                return []
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def application(self, receipt: Receipt) -> dict[str, Any]:
        """The row behind a receipt."""
        (row,) = self.query(
            "SELECT * FROM careers_application WHERE receipt_secret = %s", receipt.secret
        )
        return row

    def steps(self, receipt: Receipt) -> list[dict[str, Any]]:
        """The steps of one application, in the order of their making."""
        return self.query(
            "SELECT s.* FROM careers_step s JOIN careers_application a ON a.id = s.application_id"
            " WHERE a.receipt_secret = %s ORDER BY s.id",
            receipt.secret,
        )

    def step(self, receipt: Receipt, kind: str) -> dict[str, Any]:
        (row,) = [step for step in self.steps(receipt) if step["kind"] == kind]
        return row

    def states(self, receipt: Receipt) -> dict[str, str]:
        return {step["kind"]: step["state"] for step in self.steps(receipt)}

    def counts(self, receipts: Iterable[Receipt]) -> dict[str, Counter[str]]:
        """How many steps of these applications are in which state, by kind."""
        wanted = {receipt.secret for receipt in receipts}
        found: dict[str, Counter[str]] = {}
        for row in self.query(
            "SELECT s.kind, s.state, a.receipt_secret FROM careers_step s"
            " JOIN careers_application a ON a.id = s.application_id"
        ):
            if row["receipt_secret"] in wanted:
                found.setdefault(row["kind"], Counter())[row["state"]] += 1
        return found

    def ended(self, receipts: Iterable[Receipt]) -> bool:
        """Whether nothing more will happen by itself to these applications."""
        counts = self.counts(receipts).values()
        return all(state in ENDS for states in counts for state in states)

    def wait_for_end(
        self, receipts: Iterable[Receipt], seconds: float = 120, keep: Iterable[str] = ()
    ) -> None:
        """Wait until nothing more will happen by itself; restart the parts in ``keep``."""
        receipts, keep = list(receipts), list(keep)

        def done() -> bool:
            self.keep_running(*keep)
            return self.ended(receipts)

        try:
            until(done, seconds, "some steps did not end", pause=0.3)
        except AssertionError as error:
            rest = {kind: dict(states) for kind, states in self.counts(receipts).items()}
            words = "\n".join(part.last_words(8) for part in self.parts.values())
            raise AssertionError(f"{error}: {rest}\n{words}") from None

    def files(self, receipt: Receipt) -> list[dict[str, Any]]:
        """The file rows of one application; ``stored`` tells whether the bytes are there."""
        return self.query(
            "SELECT f.*, b.file_id AS stored FROM careers_applicationfile f"
            " JOIN careers_application a ON a.id = f.application_id"
            " LEFT JOIN careers_filebytes b ON b.file_id = f.id"
            " WHERE a.receipt_secret = %s ORDER BY f.id",
            receipt.secret,
        )

    def object(self, key: str) -> bytes:
        """What the S3 server has on its disk under a key."""
        return (self.var / "archive" / BUCKET / key).read_bytes()

    def object_keys(self) -> list[str]:
        bucket = self.var / "archive" / BUCKET
        return sorted(str(p.relative_to(bucket)) for p in bucket.rglob("*") if p.is_file())

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        connection: Any
        if self._server:
            import psycopg

            connection = psycopg.connect(self.database, autocommit=True)
        else:
            connection = sqlite3.connect(self.var / "db.sqlite3", timeout=20, isolation_level=None)
        with contextlib.closing(connection):
            yield connection

    def _copy_database(self, template: Template, server: str) -> str:
        source = template.database(server)
        if server:
            with template.alone("postgresql"):  # which copies no database that somebody reads
                self.database = new_database(server, template=source.rpartition("/")[2])
        else:
            shutil.copy(source.removeprefix("sqlite:///"), self.var / "db.sqlite3")
            self.database = f"sqlite:///{self.var / 'db.sqlite3'}"
        self.query("UPDATE wagtailcore_site SET hostname = %s, port = %s", HOST, self.port)
        return self.database


@functools.cache
def shared_template() -> Template:
    """The template in ``TEST_TEMPLATE_DIR``, or else one of this process.

    ``bin/test`` names a directory for all processes of a run. Keeping one for later runs saves a
    minute each; delete it after changing static files.
    """
    if given := os.environ.get("TEST_TEMPLATE_DIR"):
        Path(given).mkdir(parents=True, exist_ok=True)
        return Template(Path(given))
    directory = Path(tempfile.mkdtemp(prefix="careers-template-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Template(directory)


@functools.cache
def shared_postgresql() -> str:
    """The address of this test run's PostgreSQL server."""
    context = postgresql.server()
    atexit.register(context.__exit__, None, None, None)
    return context.__enter__()


def a_cv(text: str, size: int = 20_000, noise: str = "") -> bytes:
    """A PDF of one page that shows ``text``, readable as it stands in the bytes.

    Args:
        noise: what it holds beside the text, instead of ``size`` random letters.
    """
    line = text.encode("ascii", "replace").replace(b"(", b"[").replace(b")", b"]")
    page = b"BT /F 12 Tf 50 780 Td (" + line + b") Tj ET\n"
    # A comment of random letters: CVs have a size, and each is different.
    page += b"%" + (noise or secrets.token_hex(size // 2)).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 5 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>",
    ]
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _migrated() -> Path | None:
    """The migrated database that the unit tests keep for each other, if there is one."""
    from django.db import connection

    from tests.support import migrated

    found = migrated.template() if connection.vendor == "sqlite" else None
    return found if found and found.exists() else None


def _environ() -> dict[str, str]:
    """Nothing of the person's own settings, all that a program needs."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        "PATH": path,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "careersite.settings.local",
    }


def _path_of(code: Path) -> str:
    """``PYTHONPATH`` with which a folder's code is found before the installed one."""
    return os.pathsep.join(map(str, dict.fromkeys([code, code / "site", ROOT])))


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection((HOST, port), 1).close()
        return True
    return False


def _moment(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def multipart(
    fields: Mapping[str, str | list[str]], files: Mapping[str, tuple[str, bytes]]
) -> tuple[bytes, str]:
    """A form as browsers send it (RFC 7578); a field with several values comes several times."""
    boundary = f"----{secrets.token_hex(12)}"
    parts = [
        (f'name="{name}"\r\n\r\n'.encode(), value.encode())
        for name, values in fields.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    for name, (filename, content) in files.items():
        head = f'name="{name}"; filename="{filename}"\r\nContent-Type: application/pdf\r\n\r\n'
        parts.append((head.encode(), content))
    body = b"".join(
        b"--%s\r\nContent-Disposition: form-data; %s%s\r\n" % (boundary.encode(), head, content)
        for head, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
