"""Mails about an account that allauth does not write."""

from __future__ import annotations

from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from careersite.signin.language import language_of
from home.models import SiteSettings


def factors_reset(subject: Any, by: Any) -> None:
    """Tell a person that somebody has reset their second factors."""
    if not subject.email:
        return
    with translation.override(language_of(subject)):
        context = {
            "company": SiteSettings.of_default_site().company_name,
            "by": by.get_full_name() or by.get_username(),
        }
        send_mail(
            _("Your second factors were reset"),
            render_to_string("careersite/signin/factors_reset.txt", context),
            None,
            [subject.email],
            fail_silently=True,
        )
