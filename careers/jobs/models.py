"""The pages of jobs: what HR writes and what visitors read."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import MultiFieldPanel
from wagtail.contrib.redirects.middleware import RedirectMiddleware
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page, Revision
from wagtail.models.pages import PageManager
from wagtail.search import index
from wagtail.signals import page_unpublished
from wagtail.url_routing import RouteResult
from wagtail_localize.fields import SynchronizedField

from careers.applications.frozen import FrozenForm
from careers.forms.builder import ApplicationForm, upload_limit
from careers.forms.questions import Asked
from careers.inspection import words
from careers.jobs.dates import ApplicationDates
from careers.jobs.form_fields import FormFields
from careers.jobs.listing import Listing
from careers.jobs.openings import openings_below
from careers.jobs.panels import job_edit_handler
from careers.jobs.pay import PayRange, currencies
from careers.jobs.querysets import JobPageQuerySet
from careers.jobs.recipients import (
    JobPageForm,
    RecipientsForm,
    guard_page,
    guard_revision,
    inherited_recipients,
    settings_of,
)
from careers.jobs.routes import JobRoutes, jobs_elsewhere
from careers.jobs.similar import similar_jobs
from careers.jobs.taxonomy import Department, EmploymentType, Location, LocationsField, Workplace
from home.address_field import ContactField
from home.bidi import listed
from home.blocks import TEXT_FEATURES, BodyBlock
from home.models import SiteSettings, split_addresses, validate_addresses
from home.schedule import ScheduledPage
from home.site_pages import ShownPage, SitePage
from home.values.text import clean

# Migration 0001 refers to ``currencies`` here.
__all__ = ["JobIndexPage", "JobPage", "currencies"]


class JobIndexPage(JobRoutes, SitePage, ScheduledPage, Page):  # type: ignore[django-manager-missing]
    """All open jobs, searchable; jobs are its children."""

    intro = models.TextField(gettext_lazy("introduction"), blank=True, max_length=400)
    hr_recipients = models.TextField(
        gettext_lazy("notification recipients"),
        blank=True,
        validators=[validate_addresses],
        help_text=gettext_lazy(
            "Who is notified of each application: e-mail addresses, one per line. A job can name "
            "its own recipients instead. You may enter colleagues who may read the applications, "
            "and addresses at the company’s domains; others need the permission to change "
            "recipients."
        ),
    )
    privacy_notice = RichTextField(
        gettext_lazy("privacy notice"),
        blank=True,
        features=TEXT_FEATURES,
        help_text=gettext_lazy("If left empty, the company’s notice is shown."),
    )

    content_panels: ClassVar = [*Page.content_panels, "intro"]
    settings_panels: ClassVar = [
        *Page.settings_panels,
        MultiFieldPanel(["hr_recipients", "privacy_notice"], heading=gettext_lazy("Applications")),
    ]
    base_form_class = RecipientsForm
    template = "careers/jobs/job_index_page.html"
    parent_page_types: ClassVar = ["home.HomePage"]
    subpage_types: ClassVar = ["careers.JobPage"]
    override_translatable_fields: ClassVar = [
        SynchronizedField("slug"),
        SynchronizedField("hr_recipients", overridable=False),
    ]

    class Meta:
        verbose_name = gettext_lazy("list of jobs")
        verbose_name_plural = gettext_lazy("lists of jobs")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        openings = openings_below(self, JobPage)
        return context | {
            "listing": Listing(openings, request.GET),
            "elsewhere": jobs_elsewhere(self, openings),
        }


class JobPage(PayRange, ApplicationDates, FormFields, ShownPage, ScheduledPage, Page):
    """One job, with its application form on the page."""

    summary = models.TextField(
        gettext_lazy("summary"),
        max_length=300,
        help_text=gettext_lazy("One or two sentences, for lists and search engines."),
    )
    body = StreamField(BodyBlock(), verbose_name=gettext_lazy("description"), blank=True)
    department = models.ForeignKey(
        Department,
        verbose_name=gettext_lazy("department"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="jobs",
    )
    locations = LocationsField(
        Location, verbose_name=gettext_lazy("locations"), blank=True, related_name="jobs"
    )
    workplace = models.CharField(
        gettext_lazy("workplace"),
        max_length=10,
        choices=Workplace.choices,
        default=Workplace.ON_SITE,
    )
    employment_type = models.CharField(
        gettext_lazy("employment type"),
        max_length=12,
        choices=EmploymentType.choices,
        default=EmploymentType.FULL_TIME,
    )
    hiring_organisation = models.CharField(
        gettext_lazy("hiring organization"),
        max_length=120,
        blank=True,
        help_text=gettext_lazy("Only if it is not the company itself."),
    )
    contact_name = models.CharField(gettext_lazy("contact"), max_length=120, blank=True)
    contact_email = ContactField(gettext_lazy("contact e-mail"), blank=True)
    hr_recipients = models.TextField(
        gettext_lazy("notification recipients"),
        blank=True,
        validators=[validate_addresses],
        help_text=gettext_lazy(
            "Who is notified of each application: e-mail addresses, one per line. If left empty, "
            "the recipients of the list of jobs or of the company. You may enter colleagues who "
            "may read the applications, and addresses at the company’s domains; others need the "
            "permission to change recipients."
        ),
    )
    share_image = models.ForeignKey(
        "wagtailimages.Image",
        verbose_name=gettext_lazy("picture for sharing"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=gettext_lazy(
            "Messaging apps and social networks show it with a link to the job, cropped to "
            "1200 × 630 pixels. If left empty, the site draws one with the title."
        ),
    )

    # Made at run time.
    objects = PageManager.from_queryset(JobPageQuerySet)()  # type: ignore[django-manager-missing]

    base_form_class = JobPageForm
    template = "careers/jobs/job_page.html"
    parent_page_types: ClassVar = ["careers.JobIndexPage"]
    subpage_types: ClassVar[list[str]] = []
    search_fields: ClassVar = [
        *Page.search_fields,
        index.SearchField("summary"),
        index.SearchField("body"),
        index.AutocompleteField("summary"),
    ]
    # The facts of a job change in all languages at once (see ``careers.languages``).
    override_translatable_fields: ClassVar = [
        SynchronizedField("slug"),
        SynchronizedField("hiring_organisation"),
        SynchronizedField("contact_name"),
        SynchronizedField("share_image"),
        *(
            SynchronizedField(name, overridable=False)
            for name in (
                "locations",
                "workplace",
                "employment_type",
                "pay_from",
                "pay_to",
                "pay_currency",
                "pay_unit",
                "opens_at",
                "closes_at",
                "expire_at",
                "time_zone",
                "hr_recipients",
                "ask_phone",
                "ask_cv",
                "ask_cover_letter",
            )
        ),
    ]

    edit_handler = job_edit_handler

    class Meta:
        verbose_name = gettext_lazy("job")
        verbose_name_plural = gettext_lazy("jobs")

    @classmethod
    def from_serializable_data(cls, data: dict[str, Any], **options: Any) -> Any:
        """A page as a revision stores it; a department that was deleted since is left out.

        django-modelcluster has no rule for a missing object of a protected reference.
        """
        department = data.get("department")
        if department and not Department.objects.filter(pk=department).exists():
            data = data | {"department": None}
        return super().from_serializable_data(data, **options)

    def clean(self) -> None:
        super().clean()
        if errors := self.pay_errors() | self.date_errors():
            raise ValidationError(errors)

    # ── What an application needs ───────────────────────────────────────────────────────

    @property
    def job_key(self) -> UUID:
        """Identifies the job in all its languages, for applications and their list."""
        key: UUID = self.translation_key
        return key

    @cached_property
    def company(self) -> SiteSettings:
        return settings_of(self)

    @property
    def organisation(self) -> str:
        """The name of the hiring organization."""
        return self.hiring_organisation or self.company.company_name

    def recipients(self) -> list[str]:
        """The e-mail addresses that are notified of each application."""
        return split_addresses(self.hr_recipients) or inherited_recipients(
            self.get_parent().specific
        )

    def frozen_form(self) -> FrozenForm:
        """The current form in the page's language, to be stored with an application."""
        language = self.locale.language_code
        with translation.override(language):
            return FrozenForm(
                job_title=self.title,
                company=self.organisation,
                language=language,
                time_zone=self.zone.key,
                questions=self.asked(),
                privacy_notice=strip_tags(self.notice().replace("</p>", "\n")).strip(),
                facts=tuple((label, clean(value)) for label, value in self.facts()),
                contact_name=self.contact_name,
                contact_email=self.contact_email or self.company.contact_email,
            )

    # ── What visitors read ──────────────────────────────────────────────────────────────

    @cached_property
    def all_locations(self) -> list[Location]:
        """The locations, fetched once: a page shows them several times."""
        return list(self.locations.all())

    @property
    def location_names(self) -> list[str]:
        return [location.name for location in self.all_locations]

    @property
    def workplace_label(self) -> str:
        return str(Workplace(self.workplace).label)

    @property
    def employment_label(self) -> str:
        return str(EmploymentType(self.employment_type).label)

    def facts(self) -> list[tuple[str, str]]:
        """The job at a glance, as label and value, without what HR left empty."""
        closes = _("Closed") if self.is_over else _("Closes")
        found = [
            (_("Team"), self.department.name if self.department else ""),
            (_("Location"), listed(self.location_names)),
            (_("Workplace"), self.workplace_label),
            (_("Employment"), self.employment_label),
            (_("Pay"), self.pay),
            (closes, self.moment(self.deadline) if self.deadline else ""),
        ]
        return [(label, value) for label, value in found if value]

    @property
    def apply_url(self) -> str:
        """Where the form is sent: one address per job, in the language of the page."""
        with translation.override(self.locale.language_code):
            return reverse("apply", args=[self.job_key])

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What the template needs.

        Args:
            form: the form to show, None for no form. If left out, an empty one while the job
                is open, and in previews.
        """
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        if "form" in kwargs:
            form = kwargs["form"]
        elif self.is_open or getattr(request, "is_preview", False):
            form = ApplicationForm(self.frozen_form(), job_key=self.job_key)
        else:
            form = None
        return context | {
            "form": form,
            "apply_url": self.apply_url,
            "minutes": self.minutes,
            "needs_cv": self.ask_cv == Asked.REQUIRED,
            "upload_limit": upload_limit(),
            "upload_limit_bytes": settings.UPLOAD_MAX_BYTES,
            "upload_types": words.TYPES,
            "privacy_notice": self.notice(),
            "facts": self.facts(),
            "similar": similar_jobs(self),
            "opens": self.moment(self.opens_at) if self.opens_at and self.is_upcoming else "",
            "closed_on": self.moment(self.deadline) if self.deadline else "",
            "late_until": self.moment(late) if (late := self.grace_until) else "",
        }

    def is_readable_by(self, request: HttpRequest) -> bool:
        """Whether this visitor may read the page, or could until the job closed just now."""
        return (self.live or self.grace_until is not None) and all(
            restriction.accept_request(request) for restriction in self.get_view_restrictions()
        )

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Also find jobs that were taken down, so that the page says so instead of "not found"."""
        if not path_components and not self.live and self.first_published_at is not None:
            return RouteResult(self)
        return super().route(request, path_components)

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.live or getattr(request, "is_preview", False):
            return super().serve(request, *args, **kwargs)
        # Wagtail follows editors' redirects only from pages that are not found.
        redirected = RedirectMiddleware(lambda _request: HttpResponseNotFound())(request)
        if redirected.status_code != 404:
            return redirected
        # The page shows the title only if the job expired: a job that a person took down may
        # have been published by mistake.
        context = super().get_context(request, *args, **kwargs) | {"similar": similar_jobs(self)}
        template = "careers/jobs/taken_down.html"
        return TemplateResponse(request, template, context, status=410)


@receiver(page_unpublished, sender=JobPage)
def note_scheduled_closing(instance: JobPage, **_more: Any) -> None:
    """Keep when a schedule closed a job: saving its next draft drops the schedule."""
    if instance.expired and instance.deadline:
        JobPage.objects.filter(pk=instance.pk).update(closed_at=instance.deadline)


for _guarded in (JobIndexPage, JobPage):
    pre_save.connect(guard_page, sender=_guarded)
pre_save.connect(guard_revision, sender=Revision)
