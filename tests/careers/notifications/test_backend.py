"""Django's own mails go the way of all others."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage, get_connection, send_mail

from careers.applications.errors import Transient
from careers.notifications import backend

BACKEND = "careers.notifications.backend.EmailBackend"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """The mails that reached ``deliver``."""
    found: list[EmailMessage] = []
    monkeypatch.setattr(
        backend, "deliver", lambda message, before_send: (before_send(), found.append(message))
    )
    return found


def test_settings_name_this_backend() -> None:
    from careersite.settings import base

    assert base.EMAIL_BACKEND == BACKEND


def test_each_recipient_gets_a_mail_that_names_nobody_else(sent: list[EmailMessage]) -> None:
    message = EmailMessage("Hello", "Text", "careers@faß.de", ["a@example.com"], ["b@example.com"])
    message.cc = ["c@example.com"]
    assert get_connection(BACKEND).send_messages([message]) == 1
    assert [one.recipients() for one in sent] == [
        ["a@example.com"],
        ["c@example.com"],
        ["b@example.com"],
    ]
    for one in sent:
        assert "b@example.com" not in str(one.message()) or one.to == ["b@example.com"]
    identities = {one.extra_headers["Message-ID"] for one in sent}
    assert len(identities) == 3
    assert all(identity.endswith("@xn--fa-hia.de>") for identity in identities)


def test_failure_is_logged_in_words_and_ends_no_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise Transient("mail-unreachable", "The mail server did not answer.")

    monkeypatch.setattr(backend, "deliver", fail)
    with caplog.at_level(logging.ERROR):
        count = send_mail(
            "Hello", "Text", "x@example.com", ["a@example.com"], connection=get_connection(BACKEND)
        )
    assert count == 0
    assert "The mail server did not answer." in caplog.text
    assert "a@example.com" not in caplog.text


def test_mail_without_recipients_is_not_sent(sent: list[EmailMessage]) -> None:
    assert get_connection(BACKEND).send_messages([mail.EmailMessage("Hello", "Text")]) == 0
    assert sent == []
