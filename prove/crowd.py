"""People who apply while things break, and the ledger of what each of them was shown.

They behave as browsers and their users do: when the connection is cut or the answer is an error,
they send the same content again until they hold a receipt. Every receipt is a promise. Sometimes
somebody else sends the same content at the same time, from another browser.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prove.forms import Form, Sender
from prove.ledger import Ledger
from tests.support.servers import HOST
from tests.support.stack import multipart

#: Seconds after which an applicant without a receipt gives up; long after the last fault.
PATIENCE = 300


def _encoded(form: Form, sender: Sender) -> tuple[bytes, str]:
    """The body of a sender's form, and its content type."""
    return multipart(form.fields(sender), form.uploads())


class Applicants:
    """Several people at a time who fill in one job's form.

    Args:
        address: where the form posts; in French, with "/fr" before it.
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
        #: Unexpected errors that ended an application; then the campaign proves nothing.
        self.broken: list[str] = []
        self._threads: list[threading.Thread] = []

    def begin(self, plan: Iterable[Form], at_once: int) -> None:
        """Send all applications, ``at_once`` at a time, in threads."""
        rest = iter(plan)
        self._threads = [
            threading.Thread(target=self._work, args=[rest], daemon=True) for _ in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def working(self) -> bool:
        """Whether anybody still has no receipt."""
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
            try:
                self._apply(form)
            except Exception as error:
                self.broken.append(f"application {form.number}: {type(error).__name__}: {error}")
                continue
            with self._lock:
                self.holding_receipts += 1

    def _apply(self, form: Form) -> None:
        body, content_type = _encoded(form, form.sender)
        if form.manner in ("twice at once", "sent by another"):
            second = form.other if form.manner == "sent by another" else form.sender
            with ThreadPoolExecutor(1) as pool:
                other = pool.submit(self._until_receipt, form, second)
                self._until_receipt(form, form.sender)
                other.result()
            return
        if form.manner == "answer lost":
            self._send_and_leave(form, body, content_type, len(body))
        elif form.manner == "upload cut":
            self._send_and_leave(form, body, content_type, len(body) // 2)
        self._until_receipt(form, form.sender)

    def _address_for(self, form: Form) -> str:
        return self._address if form.language == "en" else f"/{form.language}{self._address}"

    def _until_receipt(self, form: Form, sender: Sender) -> None:
        body, content_type = _encoded(form, sender)
        deadline = time.time() + PATIENCE
        while time.time() < deadline and not self.stopped.is_set():
            began = time.time()
            status, location, error = 0, "", ""
            try:
                status, location, _page = self._ask(
                    "POST", self._address_for(form), body, content_type, sender.network
                )
            except (OSError, http.client.HTTPException) as caught:
                error = type(caught).__name__
            self._attempts.write(
                number=form.number,
                sender=sender.name,
                at=began,
                seconds=time.time() - began,
                status=status,
                error=error,
            )
            if status == 303:
                self._note(form, sender, location)
                return
            time.sleep(0.5)

    def _note(self, form: Form, sender: Sender, location: str) -> None:
        """Record what this receipt promises, with the reference that its page shows."""
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
            sender=sender.name,
            keyed=bool(sender.key),
            secret=location.rstrip("/").rpartition("/")[2],
            reference=reference,
            at=time.time(),
            **form.promised(),
        )

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "",
        network: str = HOST,
    ) -> tuple[int, str, str]:
        headers = {"Content-Type": content_type, "Origin": self._url} if body else {}
        connection = http.client.HTTPConnection(
            HOST, self._port, timeout=60, source_address=(network, 0)
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            page = answer.read().decode("utf-8", "replace")
            return answer.status, answer.getheader("Location") or "", page

    def _send_and_leave(self, form: Form, body: bytes, content_type: str, length: int) -> None:
        """Send so many bytes and disconnect, like a closed laptop or a tunnel."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(HOST, self._port, timeout=10)
            with contextlib.closing(connection):
                connection.putrequest("POST", self._address_for(form))
                connection.putheader("Content-Type", content_type)
                connection.putheader("Content-Length", str(len(body)))
                connection.putheader("Origin", self._url)
                connection.endheaders(body[:length])
