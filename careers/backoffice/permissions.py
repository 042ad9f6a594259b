"""Which user may see what. No other module decides it."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from wagtail.models import GroupPagePermission

from careers.applications.models import Application, ApplicationQuerySet
from careers.jobs.models import JobPage
from careers.pipeline.actions import CANCEL, RETRY

SEE_TASKS = "careers.view_step"
READ = "careers.view_application"
CHANGE = "careers.change_application"
SEE_LOG = "careers.view_access_log"
ALL = (SEE_TASKS, RETRY, CANCEL, READ, CHANGE, SEE_LOG)


def grantable() -> QuerySet[Permission]:
    """The permissions that Wagtail's group editor offers (hook ``register_permissions``)."""
    codenames = [name.partition(".")[2] for name in ALL]
    return Permission.objects.filter(
        content_type__app_label="careers", codename__in=codenames
    ).order_by("content_type__model", "codename")


def visible_jobs(user: Any) -> QuerySet[JobPage]:
    """The jobs whose applications a user may read.

    A user needs the permission to read applications, and a group with any page permission for
    the part of the page tree that holds the job.
    """
    if not user.has_perm(READ):
        return JobPage.objects.none()
    if user.is_superuser:
        return JobPage.objects.all()
    paths = set(
        GroupPagePermission.objects.filter(group__user=user).values_list("page__path", flat=True)
    )
    if not paths:
        return JobPage.objects.none()
    return JobPage.objects.filter(reduce(or_, (Q(path__startswith=path) for path in paths)))


def visible_applications(user: Any) -> ApplicationQuerySet:
    """The applications that a user may read; every view reads through this.

    A job has one inbox in all languages: a person in charge of its French page also sees the
    applications from the English one.
    """
    if user.is_superuser and user.is_active:
        return Application.objects.all()
    jobs = visible_jobs(user).order_by().values("translation_key")
    return Application.objects.filter(job_key__in=jobs)


class Requires:
    """Restricts a view to users with the permission ``right``.

    Wagtail redirects other users as usual and shows a message.
    """

    right: str

    def rights(self) -> tuple[str, ...]:
        """Every permission that the view takes."""
        return (self.right,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perms(self.rights()):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc, no-any-return]
