"""The mails about an infected file: to the applicant and to HR."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import gettext as _

from careers.applications.models import Application, ApplicationFile
from careers.notifications import message_ids
from careers.notifications.messages import (
    _TITLE_LENGTH,
    Identity,
    _facts,
    _mail,
    _mailbox,
    _name,
    _part,
    _uploads,
)


def infected_to_applicant(
    application: Application,
    files: Iterable[ApplicationFile],
    *,
    identity: Identity,
    receipt_url: str,
    sequence: int = 0,
) -> EmailMultiAlternatives:
    """The mail that tells an applicant which files the virus scanner locked, and what to do.

    It names the questions and never the files, whose names are the applicant's words.

    Args:
        files: the infected files.
        receipt_url, sequence: as for ``receipt``.
    """
    form = application.frozen_form
    with translation.override(application.language):
        title = _part(form.job_title, _TITLE_LENGTH)
        contact = _mailbox(identity.contact_name, identity.contact_email)
        return _mail(
            "infected_applicant",
            identity,
            subject=_("A file of your application can’t be opened: %(job)s") % {"job": title},
            to=application.email,
            reply_to=contact,
            message_id=message_ids.of_infected_to_applicant(application, sequence),
            context={
                **_facts(application, form),
                "files": _uploads(form, files),
                "can_reply": bool(contact),
                "url": receipt_url,
            },
        )


def infected_to_hr(
    application: Application,
    files: Iterable[ApplicationFile],
    recipient: str,
    *,
    identity: Identity,
    admin_url: str,
    sequence: int = 0,
) -> EmailMultiAlternatives:
    """The mail that tells one recipient in HR which files the virus scanner locked.

    Args:
        files: the infected files.
        recipient, admin_url, sequence: as for ``hr_application``.
    """
    form = application.frozen_form
    with translation.override(settings.LANGUAGE_CODE):
        name = _name(application)
        title = _part(form.job_title, _TITLE_LENGTH)
        return _mail(
            "infected_hr",
            identity,
            subject=_("Infected file in the application of %(name)s: %(job)s")
            % {"job": title, "name": name},
            to=recipient,
            reply_to=_mailbox(application.name, application.email),
            message_id=message_ids.of_infected_to_hr(application, recipient, sequence),
            context={
                **_facts(application, form),
                "files": _uploads(form, files),
                "name": name,
                "url": admin_url,
            },
        )
