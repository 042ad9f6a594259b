"""Jobs as pages: what HR writes and what visitors read."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from babel import Locale
from babel.numbers import format_currency, get_currency_symbol, list_currencies
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
)
from wagtail.contrib.redirects.middleware import RedirectMiddleware
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page, Site, TranslatableMixin
from wagtail.models.pages import PageManager, PageQuerySet
from wagtail.search import index
from wagtail.url_routing import RouteResult
from wagtail_localize.fields import SynchronizedField

from careers.applications.frozen import FrozenForm
from careers.forms.blocks import QuestionsBlock
from careers.forms.builder import ApplicationForm, upload_limit
from careers.forms.questions import Asked, questions_for
from careers.forms.uploads import TYPES_IN_WORDS
from careers.jobs.listing import Listing
from careers.jobs.panels import SummaryPanel
from careers.jobs.similar import similar_jobs
from home.blocks import TEXT_FEATURES, BodyBlock
from home.models import SiteSettings, split_addresses, time_zones, validate_addresses


class Department(TranslatableMixin, models.Model):  # type: ignore[django-manager-missing]  # made at run time
    """A part of the company that hires."""

    name = models.CharField(gettext_lazy("name"), max_length=100)
    slug = models.SlugField(gettext_lazy("short name in addresses"), max_length=100)

    panels: ClassVar = ["name", "slug"]
    override_translatable_fields: ClassVar = [SynchronizedField("slug", overridable=False)]

    class Meta(TranslatableMixin.Meta):
        verbose_name = gettext_lazy("department")
        verbose_name_plural = gettext_lazy("departments")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["locale", "slug"], name="careers_department_slug")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        # The form has no field for the language, so Django leaves the constraint to the database.
        locale_id = self.locale_id or self.get_default_locale().pk
        same = Department.objects.filter(locale_id=locale_id, slug=self.slug).exclude(pk=self.pk)
        if same.exists():
            raise ValidationError({"slug": _("A department with this short name already exists.")})


class Location(index.Indexed, models.Model):
    """A place where people work."""

    name = models.CharField(gettext_lazy("name"), max_length=100)
    slug = models.SlugField(gettext_lazy("short name in addresses"), max_length=100, unique=True)
    region = models.CharField(gettext_lazy("region"), max_length=100, blank=True)
    postal_code = models.CharField(gettext_lazy("postal code"), max_length=20, blank=True)
    country = models.CharField(
        gettext_lazy("country"),
        max_length=2,
        validators=[
            RegexValidator(
                r"^[A-Z]{2}\Z", gettext_lazy("Enter the two capital letters of ISO 3166, as GB.")
            )
        ],
        help_text=gettext_lazy("Two letters, such as GB or FR."),
    )

    panels: ClassVar = ["name", "slug", "region", "postal_code", "country"]
    search_fields: ClassVar = [index.SearchField("name"), index.AutocompleteField("name")]

    class Meta:
        verbose_name = gettext_lazy("place")
        verbose_name_plural = gettext_lazy("places")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Workplace(models.TextChoices):
    ON_SITE = "on_site", gettext_lazy("On site")
    HYBRID = "hybrid", gettext_lazy("Hybrid")
    REMOTE = "remote", gettext_lazy("Remote")


class EmploymentType(models.TextChoices):
    """The values of schema.org's ``employmentType``."""

    FULL_TIME = "FULL_TIME", gettext_lazy("Full-time")
    PART_TIME = "PART_TIME", gettext_lazy("Part-time")
    CONTRACTOR = "CONTRACTOR", gettext_lazy("Contractor")
    TEMPORARY = "TEMPORARY", gettext_lazy("Temporary")
    INTERN = "INTERN", gettext_lazy("Internship")
    VOLUNTEER = "VOLUNTEER", gettext_lazy("Volunteer")
    PER_DIEM = "PER_DIEM", gettext_lazy("Per day")
    OTHER = "OTHER", gettext_lazy("Other")


class PayUnit(models.TextChoices):
    """The values of schema.org's ``unitText``."""

    HOUR = "HOUR", gettext_lazy("an hour")
    DAY = "DAY", gettext_lazy("a day")
    WEEK = "WEEK", gettext_lazy("a week")
    MONTH = "MONTH", gettext_lazy("a month")
    YEAR = "YEAR", gettext_lazy("a year")


def money(amount: Decimal, currency: str) -> str:
    """An amount in the active language, without cents where there are none (CLDR patterns)."""
    locale = Locale.parse(translation.to_locale(translation.get_language() or "en"))
    pattern = locale.currency_formats["standard"].pattern
    if amount % 1 == 0:
        pattern = pattern.replace(".00", "")
    if get_currency_symbol(currency, locale)[-1].isalpha():
        # A code such as NOK would otherwise run into the number.
        pattern = pattern.replace("¤#", "¤\u00a0#")
    return format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)


def currencies() -> list[tuple[str, str]]:
    """ISO 4217 codes for a field's choices."""
    return [(code, code) for code in sorted(list_currencies())]


class JobIndexPage(Page):
    """All open jobs, searchable; jobs are its children."""

    intro = models.TextField(gettext_lazy("introduction"), blank=True, max_length=400)
    hr_recipients = models.TextField(
        gettext_lazy("who is told about an application"),
        blank=True,
        validators=[validate_addresses],
        help_text=gettext_lazy("E-mail addresses, one a line. A job may name its own instead."),
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
        jobs = JobPage.objects.descendant_of(self).open()
        return context | {"listing": Listing(jobs, request.GET), "elsewhere": self.elsewhere(jobs)}

    def elsewhere(self, jobs: JobPageQuerySet) -> list[dict[str, Any]]:
        """The lists in other languages with open jobs that ``jobs`` has no translation of."""
        here = jobs.order_by().values("translation_key")
        lists = self.get_translations().live().public().filter(alias_of=None)
        found = [
            {
                "language": get_language_info(other.locale.language_code),
                "url": other.url,
                "jobs": JobPage.objects.descendant_of(other)
                .open()
                .exclude(translation_key__in=here)
                .count(),
            }
            for other in lists.select_related("locale")
        ]
        return [other for other in found if other["jobs"]]

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return cacheable(request, super().serve(request, *args, **kwargs))


class JobPageQuerySet(PageQuerySet):
    def open(self) -> JobPageQuerySet:
        """Jobs that anybody may apply for at this moment, newest first."""
        now = timezone.now()
        return (
            self.live()
            .public()
            # An alias in another language shows words that its readers can't read.
            .filter(Q(alias_of=None) | Q(alias_of__locale=F("locale")))
            .filter(Q(opens_at=None) | Q(opens_at__lte=now))
            .filter(Q(closes_at=None) | Q(closes_at__gt=now))
            .order_by("-first_published_at", "-pk")
        )

    def matching(self, query: str) -> JobPageQuerySet:
        """Jobs that a person who typed ``query`` may mean; all of them for an empty one."""
        if not query:
            return self
        # Whatever else people type may be an operator, or an error, of the database's search.
        words = " ".join(re.findall(r"\w+", query))
        everything = JobPage.objects.live()
        whole = {page.pk for page in everything.search(words)} if words else set()
        begun = {page.pk for page in everything.autocomplete(words)} if words else set()
        places = Q(locations__name__icontains=query) | Q(department__name__icontains=query)
        return self.filter(Q(pk__in=whole | begun) | places).distinct()

    def with_labels(self) -> JobPageQuerySet:
        """With what a row of a list shows."""
        return self.select_related("department").prefetch_related("locations")


class JobPageForm(WagtailAdminPageForm):
    """Refuses to publish what could not be answered."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if "action-publish" in self.data:
            own = split_addresses(cleaned.get("hr_recipients") or "")
            if not own and not self._inherited():
                self.add_error(
                    "hr_recipients",
                    ValidationError(
                        _(
                            "Nobody would be told about an application. Name an address here, "
                            "or once for all jobs on the list of jobs or in the company settings."
                        )
                    ),
                )
        return cleaned

    def _inherited(self) -> list[str]:
        parent = self.parent_page or self.instance.get_parent()
        return inherited_recipients(parent.specific)


def inherited_recipients(parent: Page) -> list[str]:
    """Who is told when a job below ``parent`` names nobody itself."""
    own = split_addresses(getattr(parent, "hr_recipients", ""))
    return own or settings_of(parent).recipients()


def settings_of(page: Page) -> SiteSettings:
    """The company settings of the site that a page belongs to."""
    return SiteSettings.for_site(page.get_site() or Site.objects.get(is_default_site=True))


class JobPage(Page):
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
    locations = ParentalManyToManyField(
        Location, verbose_name=gettext_lazy("places"), blank=True, related_name="jobs"
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
    pay_from = models.DecimalField(
        gettext_lazy("pay from"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    pay_to = models.DecimalField(
        gettext_lazy("pay to"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    pay_currency = models.CharField(
        gettext_lazy("currency"), max_length=3, choices=currencies, default="EUR"
    )
    pay_unit = models.CharField(
        gettext_lazy("per"), max_length=5, choices=PayUnit.choices, default=PayUnit.YEAR
    )
    opens_at = models.DateTimeField(gettext_lazy("applications open"), null=True, blank=True)
    closes_at = models.DateTimeField(
        gettext_lazy("applications close"),
        null=True,
        blank=True,
        help_text=gettext_lazy("Leave empty while the job is open until filled."),
    )
    time_zone = models.CharField(
        gettext_lazy("time zone"),
        max_length=64,
        blank=True,
        choices=time_zones,
        help_text=gettext_lazy("In which visitors read these times; the company’s if left empty."),
    )
    hiring_organisation = models.CharField(
        gettext_lazy("hiring organisation"),
        max_length=120,
        blank=True,
        help_text=gettext_lazy("If it is not the company itself."),
    )
    contact_name = models.CharField(gettext_lazy("contact"), max_length=120, blank=True)
    contact_email = models.EmailField(gettext_lazy("contact e-mail"), blank=True)
    hr_recipients = models.TextField(
        gettext_lazy("who is told about an application"),
        blank=True,
        validators=[validate_addresses],
        help_text=gettext_lazy(
            "E-mail addresses, one a line. If left empty, those of the list of jobs or of the "
            "company are told."
        ),
    )
    privacy_notice = RichTextField(
        gettext_lazy("privacy notice"),
        blank=True,
        features=TEXT_FEATURES,
        help_text=gettext_lazy("If left empty, that of the list of jobs or of the company."),
    )
    share_image = models.ForeignKey(
        "wagtailimages.Image",
        verbose_name=gettext_lazy("picture for sharing"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=gettext_lazy(
            "Messengers show it beside a link to the job, cut to 1200 × 630 pixels. If left "
            "empty, one with the title is drawn."
        ),
    )
    ask_phone = models.CharField(
        gettext_lazy("phone number"),
        max_length=8,
        choices=Asked.choices,
        default=Asked.OPTIONAL,
    )
    ask_cv = models.CharField(
        gettext_lazy("CV"), max_length=8, choices=Asked.choices, default=Asked.REQUIRED
    )
    ask_cover_letter = models.CharField(
        gettext_lazy("cover letter"), max_length=8, choices=Asked.choices, default=Asked.OFF
    )
    questions = StreamField(
        QuestionsBlock(required=False), verbose_name=gettext_lazy("own questions"), blank=True
    )

    objects = PageManager.from_queryset(JobPageQuerySet)()

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
    # The facts of a job are the same in all languages, at once (see ``careers.languages``).
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
                "time_zone",
                "hr_recipients",
                "ask_phone",
                "ask_cv",
                "ask_cover_letter",
            )
        ),
    ]

    content_panels: ClassVar = [
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
            [FieldRowPanel(["pay_from", "pay_to", "pay_currency", "pay_unit"])],
            heading=gettext_lazy("Pay"),
        ),
        MultiFieldPanel(
            [FieldRowPanel(["opens_at", "closes_at"]), FieldPanel("time_zone")],
            heading=gettext_lazy("When one can apply"),
            help_text=gettext_lazy(
                "You enter these times in the time zone of your own account (your name at the "
                "bottom left, then Account). Visitors see them in the zone below."
            ),
        ),
        "body",
        MultiFieldPanel(
            [FieldRowPanel(["contact_name", "contact_email"])], heading=gettext_lazy("Contact")
        ),
    ]
    form_panels: ClassVar = [
        MultiFieldPanel(
            [FieldRowPanel(["ask_phone", "ask_cv", "ask_cover_letter"])],
            heading=gettext_lazy("Besides name and e-mail"),
        ),
        "questions",
        MultiFieldPanel(["hr_recipients"], heading=gettext_lazy("Who reads it")),
        MultiFieldPanel(["privacy_notice"], heading=gettext_lazy("Privacy")),
    ]
    edit_handler = TabbedInterface(
        [
            ObjectList(content_panels, heading=gettext_lazy("Job")),
            ObjectList(form_panels, heading=gettext_lazy("Application form")),
            ObjectList([*Page.promote_panels, "share_image"], heading=gettext_lazy("Promote")),
            ObjectList(Page.settings_panels, heading=gettext_lazy("Settings")),
        ]
    )

    class Meta:
        verbose_name = gettext_lazy("job")
        verbose_name_plural = gettext_lazy("jobs")

    # ── What HR may enter ───────────────────────────────────────────────────────────────

    def clean(self) -> None:
        super().clean()
        errors = {}
        if self.pay_from is not None and self.pay_to is not None and self.pay_to < self.pay_from:
            errors["pay_to"] = _("The upper end of the pay is below the lower end.")
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            errors["closes_at"] = _("Applications would close before they open.")
        if errors:
            raise ValidationError(errors)

    # ── What others ask ─────────────────────────────────────────────────────────────────

    @property
    def job_key(self) -> UUID:
        """One job in all languages: what applications, forms and the inbox go by."""
        key: UUID = self.translation_key
        return key

    @property
    def is_open(self) -> bool:
        now = timezone.now()
        return bool(
            self.live
            and (self.opens_at is None or self.opens_at <= now)
            and (self.closes_at is None or self.closes_at > now)
        )

    @property
    def is_upcoming(self) -> bool:
        """Whether applications are not taken yet, but will be."""
        now = timezone.now()
        return bool(
            self.opens_at
            and self.opens_at > now
            and (self.closes_at is None or self.closes_at > now)
        )

    @cached_property
    def company(self) -> SiteSettings:
        return settings_of(self)

    @property
    def organisation(self) -> str:
        return self.hiring_organisation or self.company.company_name

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone) if self.time_zone else self.company.zone

    def recipients(self) -> list[str]:
        """Who is told about an application."""
        return split_addresses(self.hr_recipients) or inherited_recipients(
            self.get_parent().specific
        )

    def notice(self) -> str:
        """The privacy notice of this job, as rich text."""
        parent = self.get_parent().specific
        return (
            self.privacy_notice
            or getattr(parent, "privacy_notice", "")
            or self.company.notice_in(self.locale.language_code)
        )

    def frozen_form(self) -> FrozenForm:
        """The form as it stands, in the page's language, ready to be kept."""
        language = self.locale.language_code
        with translation.override(language):
            return FrozenForm(
                job_title=self.title,
                company=self.organisation,
                language=language,
                time_zone=self.zone.key,
                questions=questions_for(
                    phone=self.ask_phone,
                    cv=self.ask_cv,
                    cover_letter=self.ask_cover_letter,
                    own=self.questions,
                ),
                privacy_notice=strip_tags(self.notice().replace("</p>", "\n")).strip(),
                facts=tuple(self.facts()),
                contact_name=self.contact_name,
                contact_email=self.contact_email or self.company.contact_email,
            )

    # ── What visitors read ──────────────────────────────────────────────────────────────

    @cached_property
    def places(self) -> list[Location]:
        """Asked for once: a page shows them in several ways."""
        return list(self.locations.all())

    @property
    def place_names(self) -> list[str]:
        return [place.name for place in self.places]

    @property
    def workplace_label(self) -> str:
        return str(Workplace(self.workplace).label)

    @property
    def employment_label(self) -> str:
        return str(EmploymentType(self.employment_type).label)

    @property
    def pay(self) -> str:
        """The pay in words, or "" when HR gives none."""
        amounts = [amount for amount in (self.pay_from, self.pay_to) if amount is not None]
        if not amounts:
            return ""
        shown = [money(amount, self.pay_currency) for amount in dict.fromkeys(amounts)]
        unit = PayUnit(self.pay_unit).label
        if len(shown) == 2:
            return _("%(low)s – %(high)s %(unit)s") % {
                "low": shown[0],
                "high": shown[1],
                "unit": unit,
            }
        if self.pay_to is None:
            return _("from %(amount)s %(unit)s") % {"amount": shown[0], "unit": unit}
        return _("%(amount)s %(unit)s") % {"amount": shown[0], "unit": unit}

    @property
    def closes_in_days(self) -> int | None:
        """Whole days until the job closes, in its own time zone; None while it has no end."""
        if self.closes_at is None:
            return None
        today = timezone.now().astimezone(self.zone).date()
        return int((self.closes_at.astimezone(self.zone).date() - today).days)

    def moment(self, at: dt.datetime) -> str:
        """A moment as visitors read it: in the job's time zone, which is named."""
        local = at.astimezone(self.zone)
        return f"{formats.date_format(local, 'DATETIME_FORMAT')} ({local.tzname()})"

    def facts(self) -> list[tuple[str, str]]:
        """The job at a glance, as label and value, without what HR left empty."""
        places = ", ".join(self.place_names)
        closes = _("Closed") if self.closes_at and self.closes_at <= timezone.now() else _("Closes")
        found = [
            (_("Team"), self.department.name if self.department else ""),
            (_("Place"), places),
            (_("Workplace"), self.workplace_label),
            (_("Employment"), self.employment_label),
            (_("Pay"), self.pay),
            (closes, self.moment(self.closes_at) if self.closes_at else ""),
        ]
        return [(label, value) for label, value in found if value]

    @property
    def minutes(self) -> int:
        """About how long the form takes."""
        weights = {"long_text": 2.0, "file": 1.0, "note": 0.0}
        asked = questions_for(
            phone=self.ask_phone,
            cv=self.ask_cv,
            cover_letter=self.ask_cover_letter,
            own=self.questions,
        )
        return max(2, round(sum(weights.get(question.type, 0.4) for question in asked) + 1))

    @property
    def apply_url(self) -> str:
        """Where the form posts: by job, not by page, and in the page's language."""
        with translation.override(self.locale.language_code):
            return reverse("apply", args=[self.job_key])

    def form_context(self, form: ApplicationForm | None) -> dict[str, Any]:
        """What the templates need to show the form."""
        return {
            "form": form,
            "apply_url": self.apply_url,
            "minutes": self.minutes,
            "needs_cv": self.ask_cv == Asked.REQUIRED,
            "upload_limit": upload_limit(),
            "upload_limit_bytes": settings.UPLOAD_MAX_BYTES,
            "upload_types": TYPES_IN_WORDS,
            "privacy_notice": self.notice(),
            "facts": self.facts(),
        }

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        shows_form = self.is_open or getattr(request, "is_preview", False)
        form = ApplicationForm(self.frozen_form(), job_key=self.job_key) if shows_form else None
        more = {
            "similar": similar_jobs(self),
            "opens": self.moment(self.opens_at) if self.opens_at and self.is_upcoming else "",
            "closed_on": self.moment(self.closes_at) if self.closes_at else "",
        }
        return context | self.form_context(form) | more

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Lead to a job that was taken down, too: its address says so instead of "not found"."""
        if not path_components and not self.live and self.first_published_at is not None:
            return RouteResult(self)
        return super().route(request, path_components)

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.live or getattr(request, "is_preview", False):
            return cacheable(request, super().serve(request, *args, **kwargs))
        # Editors' redirects are followed from what is not found, and so from here as well.
        redirected = RedirectMiddleware(lambda _request: HttpResponseNotFound())(request)
        if redirected.status_code != 404:
            return redirected
        # Only what expired by itself is named: what was taken down may have been a mistake.
        context = super().get_context(request, *args, **kwargs) | {"similar": similar_jobs(self)}
        template = "careers/jobs/taken_down.html"
        return cacheable(request, TemplateResponse(request, template, context, status=410))

    def closing_words(self) -> str:
        """When the job closes, as people say it; "" when it does not."""
        days = self.closes_in_days
        if days is None:
            return ""
        if days < 0:
            return _("Closed")
        if days == 0:
            return _("Closes today")
        return ngettext("Closes in %(days)d day", "Closes in %(days)d days", days) % {"days": days}


def cacheable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let any cache keep a page for a minute, unless somebody is logged in or it is a draft."""
    if request.method not in ("GET", "HEAD") or getattr(request, "is_preview", False):
        return response
    if "sessionid" in request.COOKIES:
        patch_cache_control(response, private=True, no_store=True)
    elif response.status_code in (200, 410):
        patch_cache_control(response, public=True, max_age=60, stale_while_revalidate=600)
    return response
