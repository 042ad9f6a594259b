"""What applicants see of their application, by a link that only they have."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers import archive
from careers.applications import receipt_links
from careers.applications.answers import readable
from careers.applications.errors import EffectError
from careers.applications.files import stored_bytes
from careers.applications.models import Application, ApplicationFile, FileKind
from careers.portal.renewal import link_does_not_work, private
from home.bidi import isolated


@require_safe
@never_cache
def receipt(request: HttpRequest, secret: str) -> HttpResponse:
    """The receipt: what we received, and what happens next."""
    application = receipt_links.by_secret(secret)
    if application is None:
        return link_does_not_work(request)
    form = application.frozen_form
    pdf = _pdf(application)
    context = {
        "application": application,
        "form_shown": form,
        "job_title": form.job_title,
        "job_page": application.page,
        "answers": readable(application),
        "files": [file for file in application.files.all() if file.question_key],
        "pdf_url": reverse("receipt_pdf", args=[secret]) if pdf else None,
        "next_steps": [
            {
                "when": _("Now"),
                # The same words for everybody: they must not tell a stranger that the address
                # got mails before, nor a sender that their application is quarantined.
                "what": _(
                    "This page is your receipt. We usually send it to %(email)s, too: at most "
                    "%(count)d such mails a day go to one address, and a check for spam may delay "
                    "or stop them. Check your spam folder, too."
                )
                % {"email": application.shown_email, "count": settings.MAILS_PER_MAILBOX},
            },
            {
                "when": _("In the next days"),
                "what": _("%(company)s reads your application.")
                % {"company": isolated(form.company)},
            },
            {
                "when": _("Then"),
                "what": _("You get an answer by e-mail in any case."),
            },
        ],
        "link_ends": receipt_links.expires_at(application),
        "renew_url": reverse("receipt_renew"),
        "contact_name": form.contact_name,
        "contact_email": form.contact_email,
        "address_by_language": _in_every_language(secret),
    }
    with timezone.override(form.time_zone):
        response = render(request, "careers/portal/receipt.html", context)
    return private(response)


def _in_every_language(secret: str) -> dict[str, str]:
    addresses = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            addresses[code] = reverse("receipt", args=[secret])
    return addresses


@require_safe
@never_cache
def receipt_pdf(request: HttpRequest, secret: str) -> HttpResponse:
    """The applicant's own copy as PDF."""
    application = receipt_links.by_secret(secret)
    if application is None:
        return link_does_not_work(request)
    pdf = _pdf(application)
    if pdf is None:
        raise Http404
    try:
        content = stored_bytes(pdf) or archive.fetch(pdf.object_key, sha256=pdf.sha256)
    except EffectError:
        response = render(
            request,
            "careers/apply/problem.html",
            {
                "title": _("The PDF can’t be fetched at the moment"),
                "paragraphs": [_("Your application is safe. Try again in a few minutes.")],
                "kept": [],
            },
            status=503,
        )
        response["Retry-After"] = "120"
        return private(response)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{application.reference}.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    return private(response)


def _pdf(application: Application) -> ApplicationFile | None:
    return application.files.filter(kind=FileKind.PDF).order_by("-pk").first()
