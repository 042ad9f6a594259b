"""Tells Django about the app."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import pre_migrate
from django.utils.translation import gettext_lazy as _
from wagtail.users.apps import WagtailUsersAppConfig


def add_view_permission() -> None:
    """Let administrators give a group pages on which it may change nothing.

    Wagtail's group editor has no such choice, and Django makes the permission anyway. The other
    permissions of a group, such as reading applications, count on its pages only.
    """
    from wagtail.models import PAGE_PERMISSION_TYPES

    view = ("view", _("View"), _("Use the group’s other permissions here"))
    if view[0] not in {codename for codename, *_words in PAGE_PERMISSION_TYPES}:
        PAGE_PERMISSION_TYPES.append(view)


class CareersConfig(AppConfig):
    name = "careers"
    verbose_name = _("Careers")
    default_auto_field = "django.db.models.BigAutoField"
    #: See ``home.content_version``. Everything else of this app counts as content.
    no_page_shows = (
        "Alert",
        "Application",
        "ApplicationFile",
        "ApplicationTerms",
        "ApplicationView",
        "BulkAct",
        "ConsentRecord",
        "DatabaseIdentity",
        "Dismissal",
        "FileBytes",
        "Finding",
        "FinishedWork",
        "Heartbeat",
        "IdempotencyKey",
        "Pause",
        "PendingUpload",
        "ScheduledRun",
        "ServiceAnswer",
        "Step",
        "StepEvent",
        "TranslationRequest",
    )

    def ready(self) -> None:
        from careers.intake import findings  # noqa: F401 -- registers them and their words

        # Their signal handlers connect when they are imported.
        from careers.jobs import usage  # noqa: F401
        from careers.languages import sharing, strings  # noqa: F401
        from careers.notifications import providers
        from careers.operations import (  # noqa: F401 -- register sentences
            content_words,
            mail_route,
            process_words,
            scan_words,
            schedule_words,
        )
        from careers.operations.database import refuse_newer
        from careers.pipeline import steps  # noqa: F401 -- registers the steps when imported
        from careers.pipeline.checks import check_steps
        from careers.retention import declarations  # noqa: F401 -- fill the data map
        from careers.retention.checks import check_data_map
        from home.recipients import OBSTACLES

        add_view_permission()
        OBSTACLES.append(mail_route.obstacle)
        # Extension apps come first in INSTALLED_APPS, so their providers are registered by now.
        providers.configured()
        checks.register(check_steps)
        checks.register(check_data_map)
        pre_migrate.connect(refuse_newer, sender=self)


class AccountsConfig(WagtailUsersAppConfig):  # type: ignore[misc]  # Wagtail has no types
    """Wagtail's app for accounts, with our list of them."""

    user_viewset = "careers.backoffice.users.AccountViewSet"
