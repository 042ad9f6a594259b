"""A site whose mail server and archive fail in a chosen way, different for each applicant.

The mail server has TLS and a login. Its faults are chosen by recipient, those of the archive by
the hash of a CV, which is part of the object's key. So many faults happen at the same time, each
to one application.
"""

from __future__ import annotations

import html
import re
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.processes import until
from tests.support.servers import HOST, HostileS3, self_signed
from tests.support.speed import patient
from tests.support.stack import BUCKET, Receipt, Stack, Template, a_cv, sha256

USER, PASSWORD = "careers", "mail-password"
#: What the mail server does to a receipt mail, one entry for each attempt.
MAIL_FATES = {
    "well": [],
    "greylisted": ["rcpt_450"],
    "crowded": ["rcpt_421"],
    "unknown address": ["rcpt_550"],
    "closed in the message": ["close_in_data"],
    "deferred after the data": ["dot_451"],
    "refused after the data": ["dot_552"],
    "no answer after the data": ["hang_after_dot"],
    "closed after the data": ["close_after_dot"],
    "silent at the end": ["hang_at_quit"],
    "absurd at the end": ["garbage_at_quit"],
}
#: What happens to the first connections, before it is known for which mail.
CONNECTION_FATES = ("no_banner", "banner_421", "ehlo_drip", "mail_451")
#: What the archive does to one CV. The client itself tries three times after a 5xx or no answer.
ARCHIVE_FATES = {
    "well": {},
    "broken": {"HEAD": ["error_500"] * 3, "PUT": ["error_500"] * 3},
    "busy": {"PUT": ["slow_down"] * 3},
    "silent": {"PUT": ["hang"]},
    "dripping": {"GET": ["drip"]},
    "answer lost": {"PUT": ["lost_reply", "close", "close"]},
    "written by another": {"PUT": ["taken"]},
    "writing just then": {"PUT": ["conflict_409"]},
    "without conditions": {"PUT": ["ignores_conditions"]},
    "refuses conditions": {"PUT": ["refuses_conditions"] * 2},
    "damaged on the way": {"GET": ["bit_flip"] * 2},
    "cut off": {"GET": ["truncated"]},
    "lost at once": {"PUT": ["stores_nothing"]},
    "stored wrongly": {"PUT": ["stores_garbage"]},
}
HR = "hiring+production@example.org"


@dataclass(frozen=True)
class Storm:
    """The applicants by the fault that their receipt mail, or their CV, met."""

    mails: dict[str, Receipt]
    files: dict[str, Receipt]
    #: How often each address was mailed when all had ended.
    taken: Counter[tuple[str, ...]]
    #: Of each mail that was tried again: the cause, the recipient and the result.
    tried_again: list[dict[str, Any]]


class WiredSite(Stack):
    """See the module.

    Attributes:
        s3: the archive, in this process.
    """

    def __init__(self, template: Template, directory: Path) -> None:
        super().__init__(
            template,
            directory,
            environ={
                "EMAIL_TIMEOUT": "5",
                "EMAIL_USE_TLS": "yes",
                "EMAIL_HOST_USER": USER,
                "EMAIL_HOST_PASSWORD": PASSWORD,
                "PIPELINE_SOFT_LIMIT": "10",
                "PIPELINE_HARD_LIMIT": "15",
                "PIPELINE_LEASE": "20",
                # Probes must not use up the faults of the tests.
                "PIPELINE_PROBE_INTERVAL": "3600",
            },
        )
        self.certificate = self_signed(directory, HOST)
        self.smtp.certificate, self.smtp.login = self.certificate, (USER, PASSWORD)
        self.s3 = HostileS3()
        self.s3.buckets = {BUCKET}
        self.environ["SSL_CERT_FILE"] = str(self.certificate)
        self.environ["AWS_S3_ENDPOINT_URL"] = self.s3.endpoint
        self._browser: requests.Session | None = None

    def __enter__(self) -> Self:
        self.s3.__enter__()
        self.smtp.__enter__()
        self.start("broker")
        self.start("web", "cpu", "io", "sweeper")
        return self

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        self.s3.__exit__(None, None, None)

    def mend(self) -> None:
        """Let both servers work."""
        self.smtp.mode, self.s3.mode = "ok", "ok"
        self.smtp.certificate, self.smtp.login = self.certificate, (USER, PASSWORD)
        self.smtp.allowance = None

    def apply_to(self, *, mail: list[str] | None = None, archive: Any = None) -> Receipt:
        """Apply so that the mail, and the CV in the archive, meet these faults."""
        email = f"{secrets.token_hex(6)}@applicants.example"
        cv = a_cv(email)
        if mail:
            self.smtp.fates[email] = list(mail)
        if archive:
            self.s3.fates[sha256(cv)] = {method: list(modes) for method, modes in archive.items()}
        receipt = self.apply(email=email, cv=cv)
        assert receipt.status == 303
        return receipt

    def wait_for(self, receipt: Receipt, kind: str, *codes: str, state: str = "") -> dict[str, Any]:
        """Wait until a step has failed with one of these codes, or is in a state."""

        def arrived() -> bool:
            step = self.step(receipt, kind)
            return step["state"] == state or (not state and step["error_code"] in codes)

        until(arrived, 120, f"{kind} never came to {codes or state}")
        return self.step(receipt, kind)

    def object_of(self, receipt: Receipt, kind: str = "cv") -> list[bytes]:
        """Every version of what the archive holds of a file of an application."""
        (file,) = [row for row in self.files(receipt) if row["kind"] == kind]
        keys = [key for key in list(self.s3.objects) if file["sha256"] in key]
        assert len(keys) < 2
        return [content for key in keys for _version, content in self.s3.objects[key]]

    def history(self, step: dict[str, Any]) -> list[str]:
        """The states that a step has gone through, without the messages to workers."""
        return [
            event["to_state"]
            for event in self.query(
                "SELECT to_state FROM careers_stepevent WHERE step_id = %s ORDER BY id", step["id"]
            )
            if event["to_state"] not in ("waiting", "queued", "sent")
        ]

    def storm(self) -> Storm:
        """One applicant for each fault, all at the same time, until nothing more happens."""
        before = Counter(mail.recipients for mail in self.smtp.mails())
        self.smtp.once(*CONNECTION_FATES)
        with ThreadPoolExecutor(4) as pool:
            mails = {
                name: pool.submit(self.apply_to, mail=fate) for name, fate in MAIL_FATES.items()
            }
            files = {
                name: pool.submit(self.apply_to, archive=fate)
                for name, fate in ARCHIVE_FATES.items()
            }
        receipts = [
            {name: posted.result() for name, posted in each.items()} for each in (mails, files)
        ]
        everybody = {receipt.email for each in receipts for receipt in each.values()}
        self.wait_for_end([receipt for each in receipts for receipt in each.values()], 400)
        said = self.query(
            "SELECT e.reason, s.state, a.email FROM careers_stepevent e"
            " JOIN careers_step s ON s.id = e.step_id"
            " JOIN careers_application a ON a.id = s.application_id"
            " WHERE e.to_state = 'retrying' AND s.kind IN ('mail_applicant', 'mail_hr')"
        )
        storm = Storm(
            *receipts,
            taken=Counter(mail.recipients for mail in self.smtp.mails()) - before,
            tried_again=[each for each in said if each["email"] in everybody],
        )
        unused = [*self.smtp.fates.values()]
        unused += [modes for fate in self.s3.fates.values() for modes in fate.values()]
        assert not any(unused), "some faults never happened"
        return storm

    # ── The panel ───────────────────────────────────────────────────────────────────────

    @property
    def browser(self) -> requests.Session:
        """The administrator, logged in."""
        if self._browser is None:
            self._browser = requests.Session()
            self._browser.trust_env = False
            page = "/admin/login/"
            self._post(page, page, login="admin", password=self.environ["ADMIN_PASSWORD"])
        return self._browser

    def page_of(self, receipt: Receipt) -> str:
        """What Task status says about an application, as one line of text."""
        reference = self.application(receipt)["reference"]
        return self.text_of(f"/admin/tasks/{reference}/")

    def text_of(self, path: str) -> str:
        """A page of the admin as one line of text."""
        found = self.browser.get(self.url + path, timeout=patient(60))
        assert found.status_code == 200
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found.text)).split())

    def retry_all_like(self, kind: str, code: str) -> None:
        """“Retry all” under “Same cause”."""
        page = f"/admin/tasks/retry-alike/?kind={kind}&code={code}"
        self._post(page, "/admin/tasks/retry-alike/", kind=kind, code=code)

    def run_now(self, task: str) -> None:
        """“Run now” for a scheduled task."""
        self._post("/admin/tasks/", "/admin/tasks/run-now/", task=task)

    def _post(self, page: str, action: str, **fields: str) -> None:
        session = self._browser if self._browser is not None else self.browser
        shown = session.get(self.url + page, timeout=patient(60)).text
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', shown)
        assert token, f"{page} has no form"
        sent = session.post(
            self.url + action,
            data={**fields, "csrfmiddlewaretoken": token[1]},
            headers={"Origin": self.url},
            allow_redirects=False,
            timeout=patient(60),
        )
        assert sent.status_code == 302, sent.text
