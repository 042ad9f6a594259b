"""Which user may see and do what. No other module decides it.

A permission counts only for jobs in the part of the page tree of the group that grants it (see
``home.rights``). Only operators work site-wide, and only on task pages, which show no names.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase

from careers.applications.models import Application, ApplicationQuerySet
from careers.jobs.models import JobPage
from careers.pipeline.acts import CANCEL, OPERATE, RETRY, Act
from careers.pipeline.models import Step
from careers.pipeline.pauses import PAUSE
from careers.pipeline.unscanned import OPEN_UNSCANNED
from home.rights import READ, RECIPIENTS, Scope, scope

SEE_TASKS = "careers.view_step"
CHANGE = "careers.change_application"
SEE_LOG = "careers.view_access_log"
#: What ``OPERATE`` makes count in the whole site.
SITE_WIDE = (SEE_TASKS, RETRY, CANCEL, PAUSE)
ALL = (SEE_TASKS, RETRY, CANCEL, PAUSE, OPERATE, READ, CHANGE, SEE_LOG, RECIPIENTS, OPEN_UNSCANNED)


def grantable() -> QuerySet[Permission]:
    """The permissions that Wagtail's group editor offers (hook ``register_permissions``)."""
    names = Q()
    for permission in ALL:
        app, _dot, codename = permission.partition(".")
        names |= Q(content_type__app_label=app, codename=codename)
    return Permission.objects.filter(names).order_by("content_type__model", "codename")


def scope_of(user: Any, permission: str) -> Scope:
    """Where a user holds one of these permissions."""
    return scope(user, permission, site_wide_with=OPERATE if permission in SITE_WIDE else "")


def is_operator(user: Any, permission: str = SEE_TASKS) -> bool:
    """Whether a user holds ``permission`` in the whole site.

    What belongs to no job requires it: health, alerts, schedules, figures, Flower.
    """
    return scope_of(user, permission).everywhere


def jobs_for(user: Any, permission: str) -> QuerySet[JobPage]:
    """The pages of jobs for which a user holds ``permission``."""
    return JobPage.objects.filter(scope_of(user, permission).query())


def applications_for(user: Any, *permissions: str) -> ApplicationQuerySet:
    """The applications for which a user holds each of ``permissions``.

    A job has one inbox in all languages: a person in charge of its French page also sees the
    applications from the English one.
    """
    found: ApplicationQuerySet = Application.objects.all()
    for permission in permissions:
        held = scope_of(user, permission)
        if not held:
            return Application.objects.none()
        if not held.everywhere:
            jobs = jobs_for(user, permission).order_by().values("translation_key")
            found = found.filter(job_key__in=jobs)
    return found


def visible_jobs(user: Any) -> QuerySet[JobPage]:
    """The jobs whose applications a user may read."""
    return jobs_for(user, READ)


def visible_applications(user: Any) -> ApplicationQuerySet:
    """The applications that a user may read; every view that shows one reads through this."""
    return applications_for(user, READ)


def steps_for(user: Any, permission: str) -> QuerySet[Step]:
    """The steps for which a user holds ``permission``; only operators have those of alerts."""
    if is_operator(user, permission):
        return Step.objects.all()
    return Step.objects.filter(application__in=applications_for(user, permission))


class Held:
    """The permissions that a user holds over one job, or over what belongs to no job.

    It takes one query, however many permissions are asked for.
    """

    def __init__(self, user: Any, job_key: Any = None) -> None:
        self._user = user
        self._job_key = job_key
        self._paths: list[str] | None = None

    def __contains__(self, permission: str) -> bool:
        held = scope_of(self._user, permission)
        if held.everywhere or not held:
            return held.everywhere
        if self._paths is None:
            pages = JobPage.objects.filter(translation_key=self._job_key)
            self._paths = list(pages.values_list("path", flat=True)) if self._job_key else []
        return any(held.holds(path) for path in self._paths)

    def offers(self, act: Act, subject: Any) -> bool:
        """Whether the user may do ``act`` to a step or application of this job now."""
        return act.permission in self and act.offered(subject, self._user)


def may(user: Any, permission: str, application: Application) -> bool:
    """Whether a user holds ``permission`` for the job of an application."""
    return permission in Held(user, application.job_key)


class Requires:
    """Restricts a view to users who hold the permission ``right`` anywhere.

    The view then finds its objects among those for which the user holds it. Wagtail redirects
    other users as usual and shows a message.

    Attributes:
        operators_only: whether the permission must count in the whole site.
    """

    right: str
    operators_only = False

    def rights(self) -> tuple[str, ...]:
        """Every permission that the view takes."""
        return (self.right,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        held = [scope_of(request.user, right) for right in self.rights()]
        if not all(one.everywhere if self.operators_only else one for one in held):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc, no-any-return]
