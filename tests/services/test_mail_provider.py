"""Mail through a provider with idempotency keys: no answer, killed workers and bounces."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.mail_provider import API_KEY, HostileProvider
from tests.support.processes import until
from tests.support.speed import patient
from tests.support.stack import DONE, Receipt, Stack, shared_template

SECRET = "0123456789abcdefghij"


class SiteWithProvider(Stack):
    provider: HostileProvider

    def mails(self, receipt: Receipt) -> Counter[str]:
        """How many mails about one application the provider really sent, by recipient."""
        about = {step["id"] for step in self.steps(receipt)}
        return Counter(
            mail.recipient
            for mail in self.provider.mails
            if int(mail.mark.partition("-")[0]) in about
        )

    def report(self, mark: str, kind: str, message: str = "") -> int:
        """Send the provider's report about a mail."""
        body = {
            "type": f"email.{kind}",
            "created_at": "2026-11-20T12:00:00Z",
            "data": {
                "headers": [{"name": "X-Metadata", "value": json.dumps({"mail": mark})}],
                "bounce": {"message": message},
            },
        }
        given = base64.b64encode(f"careers:{SECRET}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/hooks/mail/",
            json.dumps(body).encode(),
            {"Authorization": f"Basic {given}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=patient(60)) as response:
            return int(response.status)

    def lose(self, step_id: int) -> None:
        """Let the lease of a step expire, as it does some minutes after its worker was killed."""
        self.query(
            "UPDATE careers_step SET lease_until = '2026-01-01 00:00:00' WHERE id = %s", step_id
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWithProvider]:
    with HostileProvider() as provider:
        environ = {
            "EMAIL_HOST": "",
            "EMAIL_PORT": "",
            "EMAIL_PROVIDER": "resend",
            "EMAIL_API_KEY": API_KEY,
            "EMAIL_API_URL": provider.url,
            "EMAIL_WEBHOOK_SECRET": SECRET,
        }
        directory = tmp_path_factory.mktemp("provider")
        with SiteWithProvider(shared_template(), directory, environ=environ) as stack:
            stack.provider = provider
            stack.start("web", "cpu", "io", "sweeper")
            yield stack


def test_provider_that_never_answers_delivers_each_mail_once(
    site: SiteWithProvider,
) -> None:
    """The provider accepts mails without an answer, or fails; the same key resolves each."""
    site.provider.once("accept_cut", "accept_500", "accept_garbage", "cut")
    receipt = site.apply(email="ada@people.test")
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    mails = site.mails(receipt)
    assert mails["ada@people.test"] == 1
    assert set(mails.values()) == {1}
    assert len(mails) == len([step for step in site.steps(receipt) if "mail" in step["kind"]])
    assert max(step["attempts"] for step in site.steps(receipt)) > 1
    assert {step["repeat_until"] for step in site.steps(receipt)} == {None}


def test_worker_killed_while_waiting_for_the_provider_sends_one_mail(
    site: SiteWithProvider,
) -> None:
    """The provider has the mail, and the worker that sent it is gone."""
    site.provider.mode = "accept_hang"
    receipt = site.apply(email="grace@people.test")
    until(lambda: site.mails(receipt)["grace@people.test"] == 1, 120, "no mail was handed over")
    site["io"].kill()
    site.provider.mode = "ok"
    for step in site.steps(receipt):
        if step["state"] == "started":
            assert step["phase"] == "keyed" or "mail" not in step["kind"]
            site.lose(step["id"])
    site.start("io")
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert set(site.mails(receipt).values()) == {1}


def test_bounce_reported_by_the_provider_is_shown(site: SiteWithProvider) -> None:
    receipt = site.apply(email="wrong@people.test")
    site.wait_for_end([receipt])
    mark = next(mail.mark for mail in site.provider.mails if mail.recipient == "wrong@people.test")
    words = "The recipient's email provider sent a hard bounce message to wrong@people.test"
    assert site.report(mark, "bounced", words) == 200
    (step,) = [step for step in site.steps(receipt) if step["kind"] == "mail_applicant"]
    assert step["bounced_at"]
    assert "wrong@people.test" not in step["bounce_reason"]
    assert "hard bounce" in step["bounce_reason"]


def test_logs_contain_no_key_secret_or_address(site: SiteWithProvider) -> None:
    """Runs last, after missing answers, a killed worker and a bounce."""
    assert site.provider.requests
    logs = site.log_text()
    assert [word for word in (API_KEY, SECRET, "@people.test") if word in logs] == []
