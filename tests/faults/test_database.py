"""The database is killed, cut off and locked: who has a receipt has a row, and one mail each.

``site`` has a PostgreSQL server of its own. SQLite has no server that could die; what can
happen to it stands at the end.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.postgresql import PostgreSQL
from tests.processes import until
from tests.servers import HOST
from tests.services.test_application import DONE
from tests.stack import Receipt, Stack, a_cv, shared_template

PATIENCE = 180  # seconds; ends a hang


class OwnServer(Stack):
    """A site with a PostgreSQL server of its own, and somebody in the middle.

    Attributes:
        middle: what all processes of the site reach the server through.
    """

    def __init__(self, directory: Path) -> None:
        self.server = PostgreSQL(password=secrets.token_hex(12)).__enter__()
        short = {
            "PIPELINE_SOFT_LIMIT": "13",
            "PIPELINE_HARD_LIMIT": "14",
            "PIPELINE_LEASE": "15",
        }
        super().__init__(shared_template(), directory, server=self.server.url, environ=short)
        self.middle = CommitCutter(self.server.port)
        straight, through = f":{self.server.port}/", f":{self.middle.port}/"
        self.environ["DATABASE_URL"] = self.database.replace(straight, through)

    def __exit__(self, *exception: object) -> None:
        # The rest can only be cleared away on a server that runs.
        self.server.__enter__()
        super().__exit__(*exception)
        self.middle.close()
        self.server.__exit__()


@pytest.fixture(scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with OwnServer(tmp_path_factory.mktemp("own-server")) as stack:
        yield stack


@pytest.fixture
def site(_site: OwnServer) -> OwnServer:
    """A site on PostgreSQL whose every part runs."""
    _site.start("broker", "archive", "web", "cpu", "io", "sweeper")
    return _site


def apply_until_taken(site: Stack, name: str) -> list[Receipt]:
    """Send the same form again for as long as the answer is no receipt, as people do."""
    email, cv = f"{secrets.token_hex(4)}@example.org", a_cv(name)
    got: list[Receipt] = []

    def taken() -> bool:
        got.append(site.apply(name=name, email=email, cv=cv))
        return got[-1].status == 303

    until(taken, PATIENCE, f"{name} got no receipt", pause=0.3)
    return got


def assert_kept(refused: Receipt, name: str) -> None:
    """Who got no receipt is told so in words, with what he typed."""
    assert (refused.status, refused.location) == (503, "")
    assert "could not be stored just now" in refused.page
    assert name in refused.page


def assert_one_application_each(site: Stack, receipts: list[Receipt]) -> None:
    rows = site.query("SELECT email, receipt_secret FROM careers_application")
    for receipt in receipts:
        told = [row["receipt_secret"] for row in rows if row["email"] == receipt.email]
        assert told == [receipt.secret]


def assert_mailed_once(site: Stack, receipts: list[Receipt]) -> None:
    """Every step has succeeded, and the mail server took one receipt for each person."""
    assert [site.states(receipt) for receipt in receipts] == [DONE] * len(receipts)
    assert [len(site.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * len(receipts)
    assert site.smtp.doubles() == []


# ── The server dies ─────────────────────────────────────────────────────────────────────


def test_server_killed_while_people_apply_keeps_every_receipt(site: OwnServer) -> None:
    """``kill -9`` of PostgreSQL and then an immediate restart, while people send their forms
    and workers do their steps. Whoever gets no receipt reads why, has all he typed, and one
    application when he has sent it again; all steps end by themselves; no mail goes out twice."""
    site.form_address()
    names = [f"Person {number}" for number in range(12)]
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(apply_until_taken, site, name) for name in names]

        def receipts() -> int:
            return sum(future.done() for future in sent)

        until(lambda: receipts() >= 3, PATIENCE, "nobody could apply")
        site.server.kill()
        # Somebody must have met a database that is away.
        refused = site.apply(name="Met Nobody")
        site.server.__enter__()
        until(lambda: receipts() >= 7, PATIENCE, "the database did not come back")
        site.server.restart_at_once()
        answers = [future.result(PATIENCE) for future in sent]
    assert_kept(refused, "Met Nobody")
    for name, of_one in zip(names, answers, strict=True):
        for answer in of_one[:-1]:
            assert_kept(answer, name)
    taken = [of_one[-1] for of_one in answers]
    site.wait_for_end(taken, PATIENCE, keep=("cpu", "io", "sweeper"))
    assert_one_application_each(site, taken)
    doubled = [receipt.email for receipt in taken if len(site.smtp.mails(to=receipt.email)) > 1]
    assert (doubled, site.smtp.doubles()) == ([], [])
    for receipt in taken:
        states = site.states(receipt)
        assert states["render_pdf"] == states["archive"] == "succeeded"
        # A mail that was at its dot when the database died may stay unconfirmed.
        assert {states["mail_applicant"], states["mail_hr"]} <= {"succeeded", "uncertain"}


def test_cut_connections_are_made_anew_before_anybody_notices(site: OwnServer) -> None:
    """``pg_terminate_backend`` of every session between two requests: the next form gets its
    receipt at the first try, and its steps are done."""
    site.wait_for_end([site.apply()], PATIENCE)
    site.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    receipt = site.apply()
    assert receipt.status == 303
    site.wait_for_end([receipt], PATIENCE)
    assert_mailed_once(site, [receipt])


# ── The connection breaks at COMMIT ─────────────────────────────────────────────────────


class CommitCutter:
    """A proxy that understands as much of PostgreSQL's protocol as it needs to cut a connection
    exactly at a COMMIT or at a statement.

    https://www.postgresql.org/docs/current/protocol-message-formats.html: after the start, each
    message is a letter and its length; ``Q`` and ``P`` bring statements, ``B`` values.
    """

    TOLD_APART = 80877103, 80877104  # requests for TLS and GSSAPI, each answered with one byte

    def __init__(self, port: int) -> None:
        self._server = (HOST, port)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._plan: tuple[bytes, bool, bool] | None = None
        self.cuts = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def cut_at_commit_of(self, words: bytes, *, arrives: bool) -> None:
        """Cut, once, where a transaction is committed in which ``words`` were sent.

        Args:
            arrives: whether the server still gets the COMMIT; its answer is lost in any case.
        """
        self._plan = (words, arrives, True)

    def cut_at(self, words: bytes, *, arrives: bool) -> None:
        """Cut, once, at a statement by itself in which ``words`` are sent."""
        self._plan = (words, arrives, False)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            server = socket.create_connection(self._server)
            with server:
                self._start(client, server)
                is_cut = threading.Event()
                threading.Thread(
                    target=self._answer, args=[client, server, is_cut], daemon=True
                ).start()
                self._ask(client, server, is_cut)

    def _start(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            head = _exactly(client, 8)
            length, code = struct.unpack("!II", head)
            server.sendall(head + _exactly(client, length - 8))
            if code not in self.TOLD_APART:
                return
            client.sendall(_exactly(server, 1))

    def _ask(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        transaction = exchange = b""
        try:
            while True:
                head = _exactly(client, 5)
                body = _exactly(client, struct.unpack("!xI", head)[0] - 4)
                statement = body.lstrip(b"\0") if head[:1] in b"QP" else b""
                if statement.startswith(b"BEGIN"):
                    transaction = b""
                transaction += body[:4000]
                exchange += body[:4000]
                planned = None
                if statement.startswith(b"COMMIT"):
                    planned = self._planned(transaction, at_commit=True)
                elif head[:1] == b"S":
                    planned = self._planned(exchange, at_commit=False)
                    exchange = b""
                if planned is False:
                    break
                if planned:
                    # The other thread hangs up when the server has done it.
                    is_cut.set()
                server.sendall(head + body)
        except (OSError, EOFError):
            pass
        _hang_up(client, server)

    def _planned(self, sent: bytes, *, at_commit: bool) -> bool | None:
        """Whether the server is to get it before the connection is cut; None: no cut here."""
        with self._lock:
            if self._plan is None or self._plan[0] not in sent or self._plan[2] != at_commit:
                return None
            _words, arrives, _at_commit = self._plan
            self._plan = None
            self.cuts += 1
            return arrives

    def _answer(
        self, client: socket.socket, server: socket.socket, is_cut: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if is_cut.is_set():
                    break
                client.sendall(data)
        _hang_up(client, server)


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            raise EOFError
        content += part
    return content


def _hang_up(*connections: socket.socket) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def test_connection_cut_inside_commit_of_an_application_gives_one(site: OwnServer) -> None:
    """The connection breaks right at COMMIT, once before the server got it and once after it
    has done it, when the site cannot know. The applicant gets no receipt for what may not be
    there; sending it again gives one application, and it is mailed about once."""
    before = site.middle.cuts
    answers = []
    for arrives in (False, True):
        site.middle.cut_at_commit_of(b'INSERT INTO "careers_application"', arrives=arrives)
        answers.append(apply_until_taken(site, "Ada Twice"))
    assert site.middle.cuts == before + 2
    for refused, _taken in answers:
        assert_kept(refused, "Ada Twice")
    taken = [of_one[-1] for of_one in answers]
    site.wait_for_end(taken, PATIENCE)
    assert_one_application_each(site, taken)
    assert_mailed_once(site, taken)


def test_connection_cut_inside_commit_of_a_sent_mail_mails_once(site: OwnServer) -> None:
    """A mail is out, and the connection breaks right at the COMMIT that says so, before the
    server got it or after it has done it. The worker says it again; nobody mails again."""
    before = site.middle.cuts
    receipts = []
    for arrives in (False, True):
        site.middle.cut_at_commit_of(b'"message_id": "<receipt.', arrives=arrives)
        receipts.append(site.apply())
        site.wait_for_end(receipts, PATIENCE)
    assert site.middle.cuts == before + 2
    assert_mailed_once(site, receipts)


def test_connection_cut_before_the_dot_sends_the_mail_a_moment_later(site: OwnServer) -> None:
    """The connection breaks where a worker notes that the next bytes will hand the mail over.
    Nothing has left, so it is sent on a new connection long before the lease would end, and
    nobody has to be asked whether it arrived."""
    before = site.middle.cuts
    for arrives in (False, True):
        site.middle.cut_at(b'SET "phase" = ', arrives=arrives)
        receipt = site.apply()
        site.wait_for_end([receipt], PATIENCE)
        assert_mailed_once(site, [receipt])
        missed = site.query(
            "SELECT e.id FROM careers_stepevent e JOIN careers_step s ON s.id = e.step_id"
            " JOIN careers_application a ON a.id = s.application_id"
            " WHERE a.receipt_secret = %s AND e.actor = 'sweeper' AND e.from_state = 'started'",
            receipt.secret,
        )
        assert missed == []
    assert site.middle.cuts == before + 2


# ── Locks ───────────────────────────────────────────────────────────────────────────────


def test_lock_on_the_steps_delays_and_loses_nothing(site: OwnServer) -> None:
    """Somebody holds ACCESS EXCLUSIVE on the table of steps for longer than a statement waits,
    as a careless migration does. Applicants read why they got no receipt, workers and sweeper
    come back to what they were at, and all is done when the lock is gone."""
    began = site.apply_many(3)
    with psycopg.connect(site.database) as foreign:
        foreign.execute("LOCK TABLE careers_step IN ACCESS EXCLUSIVE MODE")
        refused = site.apply(name="Ada Locked", email="locked@example.org", cv=a_cv("Locked"))
        foreign.rollback()
    assert_kept(refused, "Ada Locked")
    taken = [*began, apply_until_taken(site, "Ada Free")[-1]]
    site.wait_for_end(taken, PATIENCE)
    assert site.query("SELECT 1 FROM careers_application WHERE email = 'locked@example.org'") == []
    assert_one_application_each(site, taken)
    assert_mailed_once(site, taken)


# ── SQLite ──────────────────────────────────────────────────────────────────────────────


def test_twenty_writers_on_sqlite_all_get_through(tmp_path: Path) -> None:
    """Twenty people send their forms at the same moment, to as many threads of the web server,
    while both workers and the sweeper write, too: nobody meets a locked database."""
    with Stack(shared_template(), tmp_path) as one:
        one.environ["GUNICORN_CMD_ARGS"] = "--threads 10"
        one.start("web", "cpu", "io", "sweeper")
        receipts = [one.apply(), *one.apply_many(20, at_once=20)]
        assert {receipt.status for receipt in receipts} == {303}
        assert_one_application_each(one, receipts)
        one.wait_for_end(receipts, PATIENCE)
        assert_mailed_once(one, receipts)
        assert "database is locked" not in one.log_text()
