"""The way of what a person typed: through the form into the archive, the document and the mails.

The functions of each station are called as the product calls them, without a database.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.http import QueryDict
from django.utils import translation

from careers.applications.answers import readable
from careers.applications.frozen import FrozenForm, Question
from careers.applications.models import Application
from careers.archive.manifest import manifest
from careers.documents import Branding
from careers.documents.document import document_for
from careers.documents.html import to_html
from careers.forms.builder import ApplicationForm
from careers.forms.questions import questions_for
from careers.notifications import messages
from careers.notifications.headers import addressed, content_of
from careers.notifications.messages import Identity
from home.values import mail_address


@dataclass(frozen=True)
class WholeWay:
    """What became of a form.

    Attributes:
        form: the valid form.
        application: an application that is not stored.
    """

    form: ApplicationForm
    application: Application

    @cached_property
    def archived(self) -> dict[str, Any]:
        """The manifest."""
        found: dict[str, Any] = json.loads(manifest(self.application, []))
        return found

    @cached_property
    def printed(self) -> str:
        """The text of the document that becomes the PDF."""
        return html.unescape(to_html(document_for(self.application, Branding("Acme", "#123456"))))

    @cached_property
    def to_hr(self) -> EmailMessage:
        """The mail to HR as it is sent."""
        mail = messages.hr_application(
            self.application,
            "hr@example.org",
            identity=Identity("Acme"),
            admin_url="https://acme.example/admin/",
        )
        return sent(mail)

    @cached_property
    def to_applicant(self) -> EmailMessage:
        """The receipt mail as it is sent."""
        mail = messages.receipt(
            self.application,
            identity=Identity("Acme"),
            receipt_url="https://acme.example/received/x/",
            renew_url="https://acme.example/my/",
        )
        return sent(mail)

    def shown(self, language: str) -> dict[str, str]:
        """Each answer as HR's page and the receipt page show it, by the key of its question."""
        with translation.override(language):
            return {
                answer.question.key: "\n".join(answer.paragraphs)
                for answer in readable(self.application)
            }


def whole_way(
    entered: Mapping[str, str], custom: Sequence[Question] = (), language: str = "en"
) -> WholeWay:
    """Send a form.

    Args:
        entered: what a person typed, by the name of the field; the name and the address have
            values of their own where they are missing.
        custom: the questions beside name, address and phone number.
    """
    with translation.override(language):
        standard = questions_for(phone="optional", cv="off", cover_letter="off", custom=[])
        frozen = FrozenForm("Gauge keeper", "Acme", language, "UTC", (*standard, *custom))
        data = QueryDict(mutable=True)
        data.update({"name": "Ada", "email": "ada@example.org", **entered})
        form = ApplicationForm(frozen, job_key=uuid.UUID(int=1), data=data)
        assert form.is_valid(), form.errors
    application = Application(
        pk=1,
        public_id=uuid.UUID(int=2),
        job_key=form.job_key,
        language=language,
        form=json.loads(json.dumps(frozen.to_json())),
        answers=json.loads(json.dumps(form.answers)),
        name=form.answers["name"],
        email=mail_address.stored(form.answers["email"], limit=254),
        phone=form.answers["phone"] or "",
        received_at=dt.datetime(2026, 11, 22, 14, 53, tzinfo=dt.UTC),
        receipt_issued_at=dt.datetime(2026, 11, 22, 14, 53, tzinfo=dt.UTC),
    )
    application._prefetched_objects_cache = {  # type: ignore[attr-defined]
        name: getattr(Application, name).rel.related_model.objects.none()
        for name in ("files", "consents")
    }
    return WholeWay(form, application)


def sent(mail: EmailMultiAlternatives) -> EmailMessage:
    """A mail as its recipient's program reads it."""
    content, _message_id = content_of(addressed(mail))
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
