"""People who apply while things break, and the ledger of what each of them was told.

They behave as browsers and their owners do: when the connection is cut or the answer is an
error, they send the same content again until they hold a receipt. Every receipt is a promise.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import HOST
from tests.stack import a_cv, multipart, sha256

FIRST = ("Ada", "Bo", "Cléo", "Dinh", "Ewa", "Gül", "Hana", "José", "Kaïs", "Oğuz", "Søren")
LAST = ("Abel", "Brodén", "Çelik", "Dvořák", "Fofana", "Grün", "Haddad", "Jónsson", "Łuczak")
#: Marks a person everywhere: two lines of text with different marks belong to different people.
MARK = re.compile(r"Zq[a-z]{4}", re.IGNORECASE)
REFERENCE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b")
#: How an application is sent, and how often that is so.
MANNERS = {"once": 80, "twice at once": 8, "answer lost": 6, "upload cut": 6}
#: Seconds until somebody gives up who got no receipt; long after the last fault.
PATIENCE = 300


@dataclass(frozen=True)
class Form:
    """What one person sends; the seed fixes every byte of it."""

    number: int
    name: str
    email: str
    phone: str
    cv: bytes
    manner: str

    def as_plan(self) -> str:
        """One line that differs when any byte differs."""
        return (
            f"{self.number}: {self.name} <{self.email}> {self.phone} cv {sha256(self.cv)[:16]}"
            f" of {len(self.cv)} bytes, {self.manner}"
        )


def forms(seed: int, count: int) -> Iterator[Form]:
    """The applications of a campaign, in the order in which they are sent."""
    chance = random.Random(f"applications {seed}")
    before: tuple[str, str] = ("", "")
    for number in range(count):
        # One in fifteen is the same person again, with another CV.
        if chance.randrange(15) or not before[0]:
            mark = "Zq" + "".join(chr(97 + number // 26**place % 26) for place in (3, 2, 1, 0))
            name = f"{chance.choice(FIRST)} {mark} {chance.choice(LAST)}"
            before = (name, f"{mark.lower()}.{number}@example.org")
            person = before
        else:
            person, before = before, ("", "")
        manner = chance.choices(list(MANNERS), list(MANNERS.values()))[0]
        size = chance.choice((2_000, 20_000, 60_000))
        cv = a_cv(f"{person[0]} {number}", noise=chance.randbytes(size // 2).hex())
        yield Form(number, *person, f"+47 {40_000_000 + number}", cv, manner)


class Ledger:
    """Lines of JSON in a file, written by any thread; what was written survives us."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, **facts: Any) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")


class Applicants:
    """Several people at a time who fill in one job's form.

    Args:
        address: where the form posts.
        evidence: the directory for ``attempts.jsonl`` and ``promises.jsonl``.
        may_send: whether the next one may begin; asked again and again.
        noticed: called with the number of each application before it is sent.
    """

    def __init__(
        self,
        url: str,
        address: str,
        evidence: Path,
        *,
        may_send: Callable[[], bool] = lambda: True,
        noticed: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._url, self._address = url, address
        self._port = int(url.rpartition(":")[2])
        self._attempts = Ledger(evidence / "attempts.jsonl")
        self._promises = Ledger(evidence / "promises.jsonl")
        self._may_send, self._noticed = may_send, noticed
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self.sent = self.holding_receipts = 0
        self._threads: list[threading.Thread] = []

    def begin(self, plan: Iterable[Form], at_once: int) -> None:
        """Send all of them, so many at a time, in threads."""
        rest = iter(plan)
        self._threads = [
            threading.Thread(target=self._work, args=[rest], daemon=True) for _ in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def working(self) -> bool:
        """Whether somebody has no receipt yet."""
        return any(thread.is_alive() for thread in self._threads)

    def _work(self, rest: Iterator[Form]) -> None:
        while True:
            while not self._may_send():
                if self.stopped.wait(0.1):
                    return
            with self._lock:
                form = next(rest, None)
                if form is None or self.stopped.is_set():
                    return
                self.sent += 1
                self._noticed(self.sent)
            self._apply(form)
            with self._lock:
                self.holding_receipts += 1

    def _apply(self, form: Form) -> None:
        fields = {"name": form.name, "email": form.email, "phone": form.phone}
        body, content_type = multipart(fields, {"cv": ("CV.pdf", form.cv)})
        send = [self._until_receipt, form, body, content_type]
        if form.manner == "twice at once":
            other = threading.Thread(target=send[0], args=send[1:], daemon=True)
            other.start()
            self._until_receipt(form, body, content_type)
            other.join()
            return
        if form.manner == "answer lost":
            self._send_and_leave(body, content_type, len(body))
        elif form.manner == "upload cut":
            self._send_and_leave(body, content_type, len(body) // 2)
        self._until_receipt(form, body, content_type)

    def _until_receipt(self, form: Form, body: bytes, content_type: str) -> None:
        deadline = time.time() + PATIENCE
        while time.time() < deadline and not self.stopped.is_set():
            began = time.time()
            status, location, error = 0, "", ""
            try:
                status, location, _page = self._ask("POST", self._address, body, content_type)
            except (OSError, http.client.HTTPException) as caught:
                error = type(caught).__name__
            self._attempts.write(
                number=form.number,
                at=began,
                seconds=time.time() - began,
                status=status,
                error=error,
            )
            if status == 303:
                self._note(form, location)
                return
            time.sleep(0.5)

    def _note(self, form: Form, location: str) -> None:
        """What this receipt promises; the reference as the receipt page shows it."""
        reference = ""
        deadline = time.time() + PATIENCE
        while not reference and time.time() < deadline and not self.stopped.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _location, page = self._ask("GET", location)
                found = re.search(r'id="reference">([^<]+)<', page)
                reference = found[1] if status == 200 and found else ""
            if not reference:
                time.sleep(0.5)
        self._promises.write(
            number=form.number,
            secret=location.rstrip("/").rpartition("/")[2],
            reference=reference,
            name=form.name,
            email=form.email,
            phone=form.phone,
            cv=sha256(form.cv),
            at=time.time(),
        )

    def _ask(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> tuple[int, str, str]:
        headers = {"Content-Type": content_type, "Origin": self._url} if body else {}
        connection = http.client.HTTPConnection(HOST, self._port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            page = answer.read().decode("utf-8", "replace")
            return answer.status, answer.getheader("Location") or "", page

    def _send_and_leave(self, body: bytes, content_type: str, length: int) -> None:
        """Send so many bytes and be gone: a closed lid, a tunnel."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(HOST, self._port, timeout=10)
            with contextlib.closing(connection):
                connection.putrequest("POST", self._address)
                connection.putheader("Content-Type", content_type)
                connection.putheader("Content-Length", str(len(body)))
                connection.putheader("Origin", self._url)
                connection.endheaders(body[:length])
