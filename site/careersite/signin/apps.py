"""The Django app of signing in."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SignInConfig(AppConfig):
    """Connects the log to the signals of Django and allauth."""

    name = "careersite.signin"
    label = "signin"
    verbose_name = _("Sign-in")
    #: See ``home.content_version``.
    no_page_shows = ("Memory",)

    def ready(self) -> None:
        from careersite.signin import receivers

        receivers.connect()
