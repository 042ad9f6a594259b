"""The panels of the job editor."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    ObjectList,
    Panel,
    TabbedInterface,
)
from wagtail.models import Page

#: The ids of the panels with the application dates and the recipients, for links to them.
DATES_PANEL = "panel-child-job-application_dates-section"
RECIPIENTS_PANEL = "panel-child-application_form-recipients-section"


class SummaryPanel(Panel):
    """Shows what other packages report about a job, such as its applications.

    Each function registered for the hook ``job_summary`` is called with the request and the
    page. It returns HTML, or "" if it has nothing to show to this user.
    """

    class BoundPanel(Panel.BoundPanel):
        template_name = "careers/jobs/admin/summary_panel.html"

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            parts = (
                describe(self.request, self.instance) for describe in hooks.get_hooks("job_summary")
            )
            self.parts = [part for part in parts if part] if self.instance.pk else []

        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.parts)


CONTENT = [
    SummaryPanel(),
    *Page.content_panels,
    "summary",
    MultiFieldPanel(
        [
            FieldRowPanel(["department", "employment_type"]),
            FieldRowPanel(["workplace", "hiring_organisation"]),
            FieldPanel("locations"),
        ],
        heading=gettext_lazy("At a glance"),
    ),
    MultiFieldPanel(
        [FieldRowPanel(["pay_from", "pay_to"]), FieldRowPanel(["pay_currency", "pay_unit"])],
        heading=gettext_lazy("Pay"),
    ),
    MultiFieldPanel(
        [FieldRowPanel(["opens_at", "closes_at"]), FieldPanel("time_zone")],
        heading=gettext_lazy("Application dates"),
        help_text=gettext_lazy(
            "Enter the dates in the time zone of your own account (your name at the bottom "
            "left, then Account). Visitors see them in the time zone below."
        ),
    ),
    "body",
    MultiFieldPanel(
        [FieldRowPanel(["contact_name", "contact_email"])], heading=gettext_lazy("Contact")
    ),
]
FORM = [
    MultiFieldPanel(
        [FieldRowPanel(["ask_phone", "ask_cv", "ask_cover_letter"])],
        heading=gettext_lazy("Standard fields"),
    ),
    "questions",
    MultiFieldPanel(["hr_recipients"], heading=gettext_lazy("Recipients")),
    MultiFieldPanel(["privacy_notice"], heading=gettext_lazy("Privacy")),
]
job_edit_handler = TabbedInterface(
    [
        ObjectList(CONTENT, heading=gettext_lazy("Job")),
        ObjectList(FORM, heading=gettext_lazy("Application form")),
        ObjectList([*Page.promote_panels, "share_image"], heading=gettext_lazy("Promote")),
        ObjectList(Page.settings_panels, heading=gettext_lazy("Settings")),
    ]
)
