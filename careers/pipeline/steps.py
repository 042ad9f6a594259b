"""The process, on one screen.

    received ─┬─▶ mail_applicant              the receipt, at once
              └─▶ render_pdf ─┬─▶ archive     PDF, files and manifest into the bucket
                              └─▶ mail_hr     also when the PDF failed: HR must know
    alert ─────▶ mail_operators              what broke, and the daily summary

A step's ``perform`` gathers plain data, calls one effect package, and returns what to keep.
It never writes a state, and doing it twice is the same as doing it once.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import logging
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.models import Site

from careers import archive, documents, notifications
from careers.applications.errors import Permanent
from careers.applications.files import store_file, stored_bytes
from careers.applications.models import Application, ApplicationFile, FileBytes, FileKind
from careers.notifications import BeforeSend
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, MAIL_OPERATORS, RENDER_PDF
from careers.pipeline.models import Alert, Step
from careers.pipeline.registry import (
    NOT_QUARANTINED,
    Outcome,
    StepDefinition,
    ended,
    register,
    succeeded,
)
from careers.pipeline.states import State
from home.models import SiteSettings

__all__ = ["Outcome", "StepDefinition", "ended", "register", "succeeded"]

log = logging.getLogger(__name__)

#: What the machine lacks for the moment, and has again later.
SHORT_OF_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_MARKS = "careers.pipeline.steps.mail"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def render_pdf(step: Step, before_send: BeforeSend) -> Outcome:
    """Make the one document that tells the whole application."""
    application = _application(step)
    content = documents.render_pdf(documents.document_for(application, _branding(application)))

    def record() -> None:
        store_file(
            application,
            kind=FileKind.PDF,
            content=content,
            filename=f"{application.reference}.pdf",
            content_type="application/pdf",
        )

    return Outcome({"size": len(content)}, record=record)


def archive_files(step: Step, before_send: BeforeSend) -> Outcome:
    """Put every file and the manifest into the bucket; only then free the database's copy."""
    application = _application(step)
    files = list(application.files.exclude(kind=FileKind.MANIFEST))
    fresh = [file for file in files if file.verified_at is None]
    for file in fresh:
        content = stored_bytes(file)
        if content is None:
            raise Permanent("file-missing", _("The database no longer holds a file’s bytes."))
        file.object_key = archive.file_key(
            application.public_id, file.kind, file.sha256, file.content_type
        )
        file.object_version = archive.put(file.object_key, content, file.content_type).version
    manifest = archive.manifest(application, files)
    sha256 = hashlib.sha256(manifest).hexdigest()
    key = archive.file_key(application.public_id, FileKind.MANIFEST, sha256, "application/json")
    version = archive.put(key, manifest, "application/json").version

    def record() -> None:
        now = timezone.now()
        for file in fresh:
            ApplicationFile.objects.filter(pk=file.pk).update(
                object_key=file.object_key, object_version=file.object_version, verified_at=now
            )
        ApplicationFile.objects.update_or_create(
            application=application,
            kind=FileKind.MANIFEST,
            sha256=sha256,
            defaults={
                "filename": "manifest.json",
                "content_type": "application/json",
                "size": len(manifest),
                "object_key": key,
                "object_version": version,
                "verified_at": now,
            },
        )
        FileBytes.objects.filter(file__in=fresh).delete()

    return Outcome({"objects": [*(file.object_key for file in files), key]}, record=record)


def mail_applicant(step: Step, before_send: BeforeSend) -> Outcome:
    """Send the receipt."""
    application = _application(step)
    message = notifications.receipt(
        application,
        identity=_identity(application),
        receipt_url=receipt_url(application),
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def mail_hr(step: Step, before_send: BeforeSend) -> Outcome:
    """Tell one HR recipient; the mail holds a link, never the files."""
    application = _application(step)
    rendered = Step.objects.filter(
        application=application, kind=RENDER_PDF, state=State.SUCCEEDED
    ).exists()
    message = notifications.hr_application(
        application,
        step.recipient,
        identity=_identity(application),
        admin_url=settings.SITE_URL
        + reverse("careers_applications:detail", args=[application.reference]),
        pdf_missing=not rendered,
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def mail_operators(step: Step, before_send: BeforeSend) -> Outcome:
    """Tell one of those who run the site what is wrong, over, or was done yesterday."""
    alert = step.about
    if not isinstance(alert, Alert):
        raise TypeError(f"step {step.pk} is about no alert")
    company = SiteSettings.of_default_site()
    message = notifications.operator_alert(
        alert.kind,
        alert.facts,
        step.recipient,
        identity=notifications.Identity(company.company_name, company.accent_colour),
        key=alert.key,
        time_zone=company.time_zone,
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def _application(step: Step) -> Application:
    about = step.about
    if not isinstance(about, Application):
        raise TypeError(f"step {step.pk} is about no application")
    return about


def mail_reference(step: Step) -> str:
    """By what a mail provider's reports name a step's mail; nobody else can make it.

    Numbers come again in a restored database, moments don't.
    """
    moment = (step.created_at - _EPOCH) // dt.timedelta(microseconds=1)
    return signing.Signer(salt=_MARKS).sign(f"{step.pk}-{moment}")


def step_of_reference(mark: str) -> int | None:
    """The id of the step whose mark it is; None when it is none of ours."""
    try:
        named = signing.Signer(salt=_MARKS).unsign(mark)
    except signing.BadSignature:
        return None
    pk, _hyphen, moment = named.partition("-")
    at = _EPOCH + dt.timedelta(microseconds=int(moment))
    return Step.objects.filter(pk=int(pk), created_at=at).values_list("pk", flat=True).first()


def _deliver(step: Step, message: Any, before_send: BeforeSend) -> Outcome:
    message.metadata = {"mail": mail_reference(step)}
    delivery = notifications.deliver(message, before_send=before_send)
    return Outcome(
        {"message_id": delivery.message_id, "response": delivery.response},
        reason=_("Accepted by the mail server."),
    )


def receipt_url(application: Application) -> str:
    """The applicant's own address for an application, in the language he applied in."""
    with translation.override(application.language):
        return settings.SITE_URL + reverse("receipt", args=[application.receipt_secret])


def _site(application: Application) -> SiteSettings:
    site = application.page.get_site() or Site.objects.get(is_default_site=True)
    found: SiteSettings = SiteSettings.for_site(site)
    return found


def _branding(application: Application) -> documents.Branding:
    settings_of_site = _site(application)
    logo = settings_of_site.logo
    image = b""
    if logo is not None:
        try:
            with logo.get_rendition("max-480x160|format-png").file.open("rb") as file:
                image = file.read()
        except (OSError, SyntaxError, ValueError) as error:
            if getattr(error, "errno", None) in SHORT_OF_ROOM:
                raise documents.short_of_room() from None
            # Lost, or no picture that anybody can read: the company's name stands there then.
            log.warning("the logo can't be read: %s", type(error).__name__)
    return documents.Branding(
        company=application.frozen_form.company,
        colour=settings_of_site.accent_colour,
        logo=image or None,
        logo_type="image/png",
    )


def _identity(application: Application) -> notifications.Identity:
    form = application.frozen_form
    return notifications.Identity(
        company=form.company,
        colour=_site(application).accent_colour,
        contact_name=form.contact_name,
        contact_email=form.contact_email,
    )


register(
    StepDefinition(
        kind=RENDER_PDF,
        label=gettext_lazy("Make the PDF"),
        short_label=pgettext_lazy("step, short", "PDF"),
        effect=render_pdf,
        queue="cpu",
    )
)
register(
    StepDefinition(
        kind=ARCHIVE,
        label=gettext_lazy("Archive"),
        short_label=pgettext_lazy("step, short", "Archive"),
        effect=archive_files,
        after=(succeeded(RENDER_PDF),),
    )
)
register(
    StepDefinition(
        kind=MAIL_APPLICANT,
        label=gettext_lazy("Receipt to the applicant"),
        short_label=pgettext_lazy("step, short", "Receipt"),
        effect=mail_applicant,
        gate=NOT_QUARANTINED,
        is_mail=True,
    )
)
register(
    StepDefinition(
        kind=MAIL_HR,
        label=gettext_lazy("Mail to HR"),
        short_label=pgettext_lazy("step, short", "HR mail"),
        effect=mail_hr,
        after=(ended(RENDER_PDF),),
        gate=NOT_QUARANTINED,
        is_mail=True,
        per_recipient=True,
    )
)
register(
    StepDefinition(
        kind=MAIL_OPERATORS,
        label=gettext_lazy("Mail to operators"),
        short_label=pgettext_lazy("step, short", "Mail"),
        effect=mail_operators,
        is_mail=True,
        about="alert",
    )
)
