"""Moving or translating a job lets other people read its applications, so not all may do it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.utils.translation import gettext as _
from wagtail.log_actions import get_active_log_context
from wagtail.models import Page
from wagtail.signals import pre_page_move

from careers.applications.models import Application
from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.recipients import settings_of
from home.bidi import isolated, listed
from home.models import split_addresses
from home.recipients import refused
from home.rights import READ, scope


def reason_against(page: Page, destination: Page, user: Any) -> str:
    """Why ``user`` may not move a page to another part of the tree; "" if they may.

    Whoever may read applications at the destination reads those of the job afterwards, so the
    person must be allowed to read them. The recipients must be ones that the person may choose
    there.
    """
    jobs = JobPage.objects.descendant_of(page, inclusive=True)
    if not scope(user, READ).holds(page.path):
        keys = jobs.order_by().values("translation_key")
        if Application.objects.filter(job_key__in=keys).exists():
            return _(
                "“%(page)s” was not moved: it has applications, and you may not read them. Ask a "
                "person who may."
            ) % {"page": isolated(page.get_admin_display_title())}
    lists = JobIndexPage.objects.filter(path__startswith=page.path).exclude(hr_recipients="")
    texts = [
        *jobs.exclude(hr_recipients="").values_list("hr_recipients", flat=True),
        *lists.values_list("hr_recipients", flat=True),
    ]
    if not texts:
        return ""
    company = settings_of(destination)
    foreign = refused(
        dict.fromkeys(address for text in texts for address in split_addresses(text)),
        user,
        destination.path,
        domains=company.domains(),
        known=company.recipients(),
    )
    if not foreign:
        return ""
    return _(
        "“%(page)s” was not moved: you may not have applications notified to %(addresses)s there. "
        "Ask a person who may change the recipients of applications."
    ) % {"page": isolated(page.get_admin_display_title()), "addresses": listed(foreign)}


@receiver(pre_page_move)
def refuse(instance: Page, parent_page_before: Page, parent_page_after: Page, **_more: Any) -> None:
    """Refuse the same wherever it was asked for, such as in Wagtail's admin API."""
    user = get_active_log_context().user
    if user is None or parent_page_before.pk == parent_page_after.pk:
        return
    if reason_against(instance, parent_page_after, user):
        raise PermissionDenied


@receiver(pre_save, sender=JobPage)
def refuse_own_gain(instance: JobPage, **_more: Any) -> None:
    """Refuse a translation through which its maker could read a job's applications.

    A job has one inbox in all languages: whoever may read applications below the French page
    reads those of the English one.
    """
    user = get_active_log_context().user
    if user is None or not instance._state.adding:
        return
    held = scope(user, READ)
    if not held.holds(instance.path):
        return
    pages = JobPage.objects.filter(translation_key=instance.translation_key)
    if any(held.holds(path) for path in pages.values_list("path", flat=True)):
        return
    if Application.objects.for_job(instance.translation_key).exists():
        raise PermissionDenied
