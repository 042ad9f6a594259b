"""Send the mails to applicants, HR and operators."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from careers import notifications
from careers.applications import receipt_links
from careers.applications.models import Application, ApplicationFile, ScanVerdict
from careers.notifications import BeforeSend
from careers.pipeline import kinds
from careers.pipeline.effects.subject import alert_of, application_of, site_settings_of
from careers.pipeline.mail_reference import mail_reference
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome
from careers.pipeline.states import State
from home.models import SiteSettings


def mail_applicant(step: Step, before_send: BeforeSend) -> Outcome:
    """Send the receipt to the applicant."""
    application = application_of(step)
    message = notifications.receipt(
        application,
        identity=identity(application),
        receipt_url=receipt_url(application),
        renew_url=renew_url(application),
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def mail_hr(step: Step, before_send: BeforeSend) -> Outcome:
    """Notify one HR recipient; the mail holds a link, never the files."""
    application = application_of(step)
    rendered = Step.objects.filter(
        application=application, kind=kinds.RENDER_PDF, state=State.SUCCEEDED
    ).exists()
    message = notifications.hr_application(
        application,
        step.recipient,
        identity=identity(application),
        admin_url=_admin_url(application),
        pdf_missing=not rendered,
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def mail_infected(step: Step, before_send: BeforeSend) -> Outcome:
    """Tell the applicant which of their files is infected, and ask for another one."""
    application = application_of(step)
    message = notifications.infected_to_applicant(
        application,
        _infected(application),
        identity=identity(application),
        receipt_url=receipt_url(application),
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def mail_infected_hr(step: Step, before_send: BeforeSend) -> Outcome:
    """Tell one HR recipient which files are infected and locked."""
    application = application_of(step)
    message = notifications.infected_to_hr(
        application,
        _infected(application),
        step.recipient,
        identity=identity(application),
        admin_url=_admin_url(application),
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def mail_operators(step: Step, before_send: BeforeSend) -> Outcome:
    """Mail one operator about a problem, about its resolution, or the daily summary."""
    alert = alert_of(step)
    company = SiteSettings.of_default_site()
    message = notifications.operator_alert(
        alert.kind,
        alert.facts,
        step.recipient,
        identity=notifications.Identity(company.company_name, company.accent),
        key=alert.key,
        time_zone=company.time_zone,
        sequence=step.sequence,
    )
    return _deliver(step, message, before_send)


def message_id_of(step: Step) -> str:
    """The Message-ID of a step's mail, also of one that was never sent; "" for other steps."""
    if step.result.get("message_id"):
        return str(step.result["message_id"])
    ids, about = notifications.message_ids, step.about
    if not isinstance(about, Application):
        return ids.of_operator_alert(about.key, step.recipient, step.sequence)
    match step.kind:
        case kinds.MAIL_APPLICANT:
            return ids.of_receipt(about, step.sequence)
        case kinds.MAIL_HR:
            return ids.of_hr_application(about, step.recipient, step.sequence)
        case kinds.MAIL_INFECTED:
            return ids.of_infected_to_applicant(about, step.sequence)
        case kinds.MAIL_INFECTED_HR:
            return ids.of_infected_to_hr(about, step.recipient, step.sequence)
    return ""


def _deliver(step: Step, message: Any, before_send: BeforeSend) -> Outcome:
    # For the row, whatever becomes of the mail: the mail server's log is searched for it.
    step.result = {**step.result, "message_id": message.extra_headers["Message-ID"]}
    message.metadata = {"mail": mail_reference(step)}
    delivery = notifications.deliver(message, before_send=before_send)
    return Outcome(
        {"message_id": delivery.message_id, "response": delivery.response},
        reason=_("Accepted by the mail server."),
    )


def _infected(application: Application) -> list[ApplicationFile]:
    return list(application.files.filter(scan_verdict=ScanVerdict.INFECTED))


def _admin_url(application: Application) -> str:
    path = reverse("careers_applications:detail", args=[application.reference])
    return settings.SITE_URL + path


def receipt_url(application: Application) -> str:
    """The address of the applicant's receipt page, for a mail. An expired link is renewed first.

    The address is in the language of the application. If the site no longer has that language, it
    is in the site's own language.
    """
    receipt_links.renew_if_expired(application)
    return _address(application, "receipt", application.receipt_secret)


def renew_url(application: Application) -> str:
    """The address where the applicant asks for a new link, in the same language."""
    return _address(application, "receipt_renew")


def _address(application: Application, name: str, *args: str) -> str:
    known = application.language in dict(settings.LANGUAGES)
    with translation.override(application.language if known else settings.LANGUAGE_CODE):
        return settings.SITE_URL + reverse(name, args=args)


def identity(application: Application) -> notifications.Identity:
    """The sender that a mail about an application shows: company, colour and contact."""
    form = application.frozen_form
    return notifications.Identity(
        company=form.company,
        colour=site_settings_of(application).accent,
        contact_name=form.contact_name,
        contact_email=form.contact_email,
    )
