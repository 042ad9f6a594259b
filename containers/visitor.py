"""People who use the site through its proxy: applicants over HTTP, HR in a browser."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.support.browsing import DESKTOP
from tests.support.stack import a_cv, multipart

#: A job of the demo that asks for name, e-mail and CV only.
PLAIN_JOB = "production-planner"
#: Milliseconds that a page may take; the machine of the check may be slow.
PATIENCE = 180_000
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Receipt:
    """What an applicant got; ``secret`` is "" if the site gave no receipt."""

    status: int
    secret: str
    email: str
    seconds: float


class Visitor:
    """Reaches the site under its public address.

    Args:
        address: ``SITE_URL``.
        authority: the certificate of the authority that Caddy made for testing.
    """

    def __init__(self, address: str, authority: Path) -> None:
        self.address, self.authority = address, authority

    def session(self) -> requests.Session:
        """A browser without a past."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.authority)
        return session

    def get(self, path: str, **headers: str) -> requests.Response:
        """One page; redirects are not followed."""
        return self.session().get(
            f"{self.address}{path}", headers=headers, allow_redirects=False, timeout=60
        )

    def apply(self, job: str = PLAIN_JOB) -> Receipt:
        """Send a job's form with a CV, as a browser does."""
        number = next(_numbers)
        session, began = self.session(), time.monotonic()
        email = f"applicant-{number}-{secrets.token_hex(3)}@example.org"
        page = session.get(f"{self.address}/careers/{job}/", timeout=60)
        form = re.search(r'action="(/apply/[^"#]+)', page.text)
        if not form:
            return Receipt(page.status_code, "", email, time.monotonic() - began)
        body, content_type = multipart(
            {"name": f"Ada Prøve {number}", "email": email},
            {"cv": ("CV.pdf", a_cv(f"Ada {number}"))},
        )
        headers = {"Content-Type": content_type, "Origin": self.address}
        answer = session.post(
            f"{self.address}{form[1]}", body, headers=headers, allow_redirects=False, timeout=90
        )
        secret = answer.headers.get("Location", "").rstrip("/").rpartition("/")[2]
        given = secret if answer.status_code == 303 else ""
        return Receipt(answer.status_code, given, email, time.monotonic() - began)

    def apply_many(self, count: int, *, at_once: int = 4) -> list[Receipt]:
        """So many people apply, some of them at the same moment."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda _number: self.apply(), range(count)))

    @contextlib.contextmanager
    def browser(self) -> Iterator[Page]:
        """The system's Chromium, as a member of staff uses it."""
        arguments = ["--disable-dev-shm-usage", "--ignore-certificate-errors", "--no-sandbox"]
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=arguments)
            try:
                page = browser.new_page(
                    base_url=self.address,
                    viewport={"width": DESKTOP["width"], "height": DESKTOP["height"]},
                    locale="en-GB",
                    ignore_https_errors=True,
                )
                page.set_default_timeout(PATIENCE)
                expect.set_options(timeout=PATIENCE)
                yield page
            finally:
                browser.close()


class Crowd:
    """People who go on applying, one after another, until they are told to stop."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._going = visitor, False
        self.receipts: list[Receipt] = []
        self.errors: list[str] = []

    def __enter__(self) -> Crowd:
        self._going = True
        self._pool = ThreadPoolExecutor(2)
        self._running = [self._pool.submit(self._go) for _person in range(2)]
        return self

    def __exit__(self, *_exception: object) -> None:
        self._going = False
        self._pool.shutdown()

    def _go(self) -> None:
        while self._going:
            try:
                receipt = self._visitor.apply()
            except requests.RequestException as error:
                self.errors.append(type(error).__name__)
            else:
                self.receipts.append(receipt)
                if not receipt.secret:
                    self.errors.append(f"status {receipt.status}")
            time.sleep(0.5)


def until(condition: Callable[[], object], seconds: float, message: str) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it is not true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{message} (after {seconds:.0f} s)")
        time.sleep(0.5)
