"""An operator at the real admin pages: reads figures, resolves unconfirmed mails, retries."""

from __future__ import annotations

import http.cookiejar
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from prove.ledger import Ledger
from tests.support.servers import AcceptedMail
from tests.support.stack import Stack

#: The four figures at the top of the page, in their order.
FIGURES = ("attention", "waiting", "running", "done")


class Panel:
    """The administrator, logged in over HTTP.

    Args:
        acts: the ledger in which every action is recorded before it is sent.
    """

    def __init__(self, stack: Stack, password: str, acts: Ledger) -> None:
        self._stack, self._password, self._acts = stack, password, acts
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self._logged_in = False

    def figures(self) -> dict[str, int]:
        """The figures of ``/admin/tasks/``."""
        page = self._get("/admin/tasks/")
        numbers = re.findall(r'class="bo-count__number">([^<]*)<', page)
        return dict(
            zip(FIGURES, (int(re.sub(r"\D", "", number)) for number in numbers), strict=True)
        )

    def resolve_unconfirmed(self, count: int) -> int:
        """Check the mail server's log: confirm what arrived, send the other mails again."""
        rows = self._steps("s.state = 'uncertain'", count)
        log = [(message_id(mail), mail.recipients) for mail in list(self._stack.smtp.accepted)]
        return sum(self._act(row, "confirm" if arrived(row, log) else "send-again") for row in rows)

    def retry_failed(self, count: int) -> int:
        """Retry what failed permanently."""
        return sum(self._act(row, "retry") for row in self._steps("s.state = 'failed'", count))

    def retry_waiting(self, count: int) -> int:
        """Retry at once what would be retried later."""
        return sum(self._act(row, "retry") for row in self._steps("s.state = 'retrying'", count))

    def pause(self, scope: str) -> bool:
        """Pause steps."""
        path = "/admin/tasks/pauses/"
        fields = {"scope": scope, "hours": "1", "reason": "Part of a campaign."}
        self._post(path, self._get(path), fields)
        return True

    def resume(self) -> bool:
        """Resume what is paused; False while something is."""
        path = "/admin/tasks/pauses/"
        page = self._get(path)
        for address in re.findall(r'action="([^"]+/resume/)"', page):
            self._post(address, page, {})
        return "/resume/" not in self._get(path)

    def _steps(self, which: str, count: int) -> list[dict[str, Any]]:
        return self._stack.query(
            "SELECT s.id, s.kind, s.recipient, s.sequence, a.email, a.reference, a.public_id"
            " FROM careers_step s"
            f" JOIN careers_application a ON a.id = s.application_id WHERE {which}"
            " ORDER BY s.id DESC LIMIT %s",
            count,
        )

    def _act(self, row: dict[str, Any], act: str) -> int:
        self._acts.write(step=row["id"], kind=row["kind"], act=act, at=time.time())
        path = f"/admin/tasks/{row['reference']}/{row['id']}/{act}/"
        page = self._get(path)
        self._post(path, page, {"reason": "Part of a campaign."})
        return 1

    def _log_in(self) -> None:
        path = "/admin/login/"
        with self._opener.open(self._stack.url + path, timeout=30) as answer:
            page = answer.read().decode()
        self._post(path, page, {"login": "admin", "password": self._password})
        self._logged_in = True

    def _get(self, path: str) -> str:
        if not self._logged_in:
            self._log_in()
        with self._opener.open(self._stack.url + path, timeout=30) as answer:
            if "/login/" in answer.url:
                self._logged_in = False
                raise OSError("logged out")
            return str(answer.read().decode())

    def _post(self, path: str, page: str, fields: dict[str, str]) -> None:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        token = found[1] if found else ""
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
        with self._opener.open(self._stack.url + path, data, timeout=30) as answer:
            answer.read()

    def rows(self) -> dict[str, Any]:
        """The same figures by SQL, without the product."""
        steps: dict[str, Counter[str]] = {}
        for row in self._stack.query(
            "SELECT kind, state, count(*) AS n FROM careers_step GROUP BY kind, state"
        ):
            steps.setdefault(row["kind"], Counter())[row["state"]] = row["n"]
        (applications,) = self._stack.query("SELECT count(*) AS n FROM careers_application")
        return {"applications": applications["n"], "steps": steps}


def arrived(row: dict[str, Any], log: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether the mail of a step is in the mail server's log.

    Args:
        row: the step's kind, recipient and sequence, and its application's public_id and email.
        log: Message-ID and recipients of each accepted mail. Several at HR get a mail each.
    """
    kind = {"mail_applicant": "receipt", "mail_hr": "hr", "mail_infected": "infected"}.get(
        row["kind"], "infected-hr"
    )
    recipient = row["recipient"] or row["email"]
    return any(
        sent.startswith(f"{kind}.{_dashed(row['public_id'])}.")
        and sent.rpartition("@")[0].endswith(f".{row['sequence']}")
        and recipient in recipients
        for sent, recipients in log
    )


def message_id(mail: AcceptedMail) -> str:
    """A mail's Message-ID without its brackets; a fast search, for thousands of mails."""
    found = re.search(rb"(?im)^message-id:\s*<([^>]+)>", mail.content)
    return found[1].decode() if found else ""


def _dashed(public_id: Any) -> str:
    return str(public_id if isinstance(public_id, uuid.UUID) else uuid.UUID(str(public_id)))
