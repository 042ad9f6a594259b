"""Wrong passwords lose nothing: the steps wait, say why, and go on after the correction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.processes import until
from tests.servers import HOST, free_port, self_signed
from tests.services.conftest import ON_SQLITE
from tests.services.test_application import DONE
from tests.stack import Receipt, Stack

pytestmark = ON_SQLITE
RETRY = """
from django.contrib.auth import get_user_model
from careers.pipeline import actions
from careers.pipeline.models import Step
admin = get_user_model().objects.get(username="admin")
for step in Step.objects.filter(state="retrying", error_class="configuration"):
    actions.retry(step, admin)
"""


def retry_all(site: Stack) -> None:
    """What an admin does after the correction."""
    done = site.manage("shell", "-c", RETRY)
    assert done.returncode == 0, done.stderr


def restart(site: Stack, *names: str) -> None:
    for name in names:
        site[name].kill()
    site.start(*names)


def waits_for_configuration(site: Stack, receipt: Receipt, kind: str) -> None:
    def waits() -> bool:
        step = site.step(receipt, kind)
        return bool(step["state"] == "retrying" and step["error_class"] == "configuration")

    until(waits, 40, f"{kind} does not wait for a correction")


def test_wrong_archive_secret(site: Stack) -> None:
    right = site.environ["AWS_SECRET_ACCESS_KEY"]
    site.environ["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
    restart(site, "io")
    receipt = site.apply()
    waits_for_configuration(site, receipt, "archive")
    until(lambda: site.states(receipt)["mail_hr"] == "succeeded", 40, "HR was not told of it")
    # Nothing has left the database.
    assert all(file["stored"] for file in site.files(receipt))
    assert site.manage("pipeline_status").returncode == 1

    site.environ["AWS_SECRET_ACCESS_KEY"] = right
    restart(site, "io")
    retry_all(site)
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE


class Postbox:
    """Keeps the mails of an aiosmtpd server."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bool]] = []

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name for it
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        self.mails.append((envelope.rcpt_tos, session.ssl is not None))
        return "250 Kept"


def _check_login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        b"careers",
        b"the right password",
    )
    return AuthResult(success=right, handled=False)


@pytest.fixture
def strict_mail(site: Stack, tmp_path: Path) -> Iterator[Postbox]:
    """A mail server that wants STARTTLS and a login, and that the site is told to use."""
    import ssl

    certificate = self_signed(tmp_path, HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate))
    postbox = Postbox()
    controller = Controller(
        postbox,
        hostname=HOST,
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=_check_login,
    )
    controller.start()
    site.environ |= {
        "EMAIL_PORT": str(controller.port),
        "EMAIL_USE_TLS": "yes",
        "EMAIL_HOST_USER": "careers",
        "EMAIL_HOST_PASSWORD": "the right password",
        # What a real server's certificate needs no help for.
        "SSL_CERT_FILE": str(certificate),
    }
    try:
        yield postbox
    finally:
        controller.stop()


def test_login_over_tls(site: Stack, strict_mail: Postbox) -> None:
    restart(site, "io")
    receipt = site.apply()
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert ([receipt.email], True) in strict_mail.mails
    assert len(strict_mail.mails) == 2


def test_wrong_mail_password(site: Stack, strict_mail: Postbox) -> None:
    site.environ["EMAIL_HOST_PASSWORD"] = "yesterday's password"
    restart(site, "io")
    receipt = site.apply()
    waits_for_configuration(site, receipt, "mail_applicant")
    waits_for_configuration(site, receipt, "mail_hr")
    assert strict_mail.mails == []
    assert "yesterday's password" not in site.log_text()

    site.environ["EMAIL_HOST_PASSWORD"] = "the right password"
    restart(site, "io")
    retry_all(site)
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    assert len(strict_mail.mails) == 2


def test_untrusted_certificate_gets_no_password(site: Stack, strict_mail: Postbox) -> None:
    del site.environ["SSL_CERT_FILE"]
    restart(site, "io")
    receipt = site.apply()
    waits_for_configuration(site, receipt, "mail_applicant")
    assert strict_mail.mails == []
    site.environ["SSL_CERT_FILE"] = ""
