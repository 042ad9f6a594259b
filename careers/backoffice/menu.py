"""The entries in Wagtail's menu and on its home page, for users with the permission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.site_summary import SummaryItem
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from careers.applications.models import ReviewStage
from careers.backoffice import paging
from careers.backoffice.permissions import (
    READ,
    SEE_LOG,
    SEE_TASKS,
    scope_of,
    steps_for,
    visible_applications,
)
from careers.backoffice.state_groups import ATTENTION
from careers.jobs.models import JobPage
from careers.pipeline.attention import NEEDS_ATTENTION


class GuardedMenuItem(MenuItem):
    """A menu item for people who hold one permission."""

    def __init__(self, right: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.right = right

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(scope_of(request.user, self.right))


def applications_item() -> MenuItem:
    return GuardedMenuItem(
        READ,
        _("Applications"),
        reverse_lazy("careers_applications:index"),
        name="careers-applications",
        icon_name="group",
        order=150,
    )


def tasks_item() -> MenuItem:
    return GuardedMenuItem(
        SEE_TASKS,
        _("Task status"),
        reverse_lazy("careers_tasks:index"),
        name="careers-tasks",
        icon_name="tasks",
        order=160,
    )


def access_log_item() -> MenuItem:
    return GuardedMenuItem(
        SEE_LOG,
        _("Access log"),
        reverse_lazy("careers_applications:access_log"),
        name="careers-access-log",
        icon_name="view",
        order=1200,
    )


def personal_data_item() -> MenuItem:
    return GuardedMenuItem(
        READ,
        _("Personal data"),
        reverse_lazy("careers_applications:personal_data"),
        name="careers-personal-data",
        icon_name="clipboard-list",
        order=1210,
    )


def page_buttons(
    page: Page, user: Any, view_name: str = "", next_url: str | None = None
) -> Iterator[Button]:
    """A button from a job's page to its applications, for Wagtail's hooks for page buttons."""
    if scope_of(user, READ).holds(page.path) and isinstance(page.specific_deferred, JobPage):
        yield Button(
            _("Applications"),
            url=f"{reverse('careers_applications:index')}?job={page.pk}",
            icon_name="group",
            priority=12,
        )


class ApplicationsSummary(SummaryItem):
    """The number of new applications."""

    order = 50
    template_name = "careers/backoffice/summary_item.html"

    def is_shown(self) -> bool:
        return bool(scope_of(self.request.user, READ))

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        new = visible_applications(self.request.user).filter(
            review_stage=ReviewStage.NEW, quarantined=False, is_test=False
        )
        return {
            "kind": "applications",
            "icon": "group",
            "url": reverse("careers_applications:index") + "?review_stage=new",
            "count": (count := paging.counted(new)),
            "number": paging.number_of(count),
        }


class TasksSummary(SummaryItem):
    """The number of steps that the reader may see and that need a person."""

    order = 60
    template_name = "careers/backoffice/summary_item.html"

    def is_shown(self) -> bool:
        return bool(scope_of(self.request.user, SEE_TASKS))

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        steps = steps_for(self.request.user, SEE_TASKS)
        return {
            "kind": "steps",
            "icon": "tasks",
            "url": reverse("careers_tasks:index") + f"?state={ATTENTION}",
            "count": (count := paging.counted(steps.filter(NEEDS_ATTENTION.query))),
            "number": paging.number_of(count),
        }


def add_summaries(request: HttpRequest, items: list[SummaryItem]) -> None:
    """For Wagtail's hook ``construct_homepage_summary_items``."""
    items += [ApplicationsSummary(request), TasksSummary(request)]
