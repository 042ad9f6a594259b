"""Forms refuse an address that the mail server is known not to take, and no other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from careers.applications.frozen import Question
from careers.forms.types import field_type
from careers.notifications import MailRoute
from careers.operations.findings import report
from careers.operations.mail_route import report as report_of_probe
from home.recipients import unreachable

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("takes_every_letter", "age", "address", "is_refused"),
    [
        (False, 0, "zoë@example.org", True),
        (False, 0, "用户@例え.テスト", True),
        (False, 0, "zoe@faß.de", False),
        (False, 60, "zoë@example.org", False),
        (True, 0, "zoë@example.org", False),
    ],
)
def test_address_is_refused_while_the_probe_reports_that_the_server_lacks_it(
    takes_every_letter: bool, age: int, address: str, is_refused: bool
) -> None:
    found = report_of_probe(MailRoute(takes_every_letter))
    report("sweeper:x", found, lasts=dt.timedelta(seconds=35 - age))
    assert bool(unreachable(address)) is is_refused
    question = Question("email", "email", "E-mail", required=True)
    field = field_type(question).field(question)
    if is_refused:
        with pytest.raises(ValidationError, match="our mail server takes only the letters a to z"):
            field.clean(address)
    else:
        assert field.clean(address) == address


def test_mail_catcher_is_named_except_the_one_of_the_demo(settings: Any) -> None:
    (finding,) = report_of_probe(MailRoute(True, "Mailpit"))
    assert finding.code == "mail-catcher"
    assert "(Mailpit): it keeps every mail and delivers none" in finding.message
    settings.EMBEDDED_MAIL = True
    assert report_of_probe(MailRoute(True, "Mailpit")) == []
