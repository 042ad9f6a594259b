"""The home page, plain pages, and the company's settings for the whole site."""

import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail import hooks
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page
from wagtail.search import index
from wagtail_localize.fields import SynchronizedField

from home.address_field import ContactField
from home.blocks import TEXT_FEATURES, BodyBlock
from home.colour import is_colour
from home.content_version import ContentVersion
from home.recipients import (
    CompanyForm,
    split_addresses,
    split_domains,
    validate_addresses,
    validate_domains,
)
from home.schedule import ScheduledPage
from home.site_pages import SharedSettings, SitePage
from home.values import mail_address
from home.values.zone import UTC, zone_named

# Migrations and other apps refer to some of them here.
__all__ = [
    "CompanyTranslation",
    "ContentVersion",
    "HomePage",
    "PlainPage",
    "SiteSettings",
    "split_addresses",
    "time_zones",
    "validate_addresses",
]


class HomePage(SitePage, ScheduledPage, Page):  # type: ignore[django-manager-missing]
    """The home page: one sentence, the search, the open jobs, then the company."""

    hero_title = models.CharField(
        _("first sentence"),
        max_length=140,
        help_text=_(
            "One sentence that only your company could say. It is the page’s main heading."
        ),
    )
    intro = models.TextField(
        _("introduction"),
        blank=True,
        max_length=400,
        help_text=_("Two or three plain sentences below the first one."),
    )
    body = StreamField(
        BodyBlock(),
        verbose_name=_("body"),
        blank=True,
        help_text=_("Shown below the open jobs, for instance about people, teams and offices."),
    )

    content_panels: ClassVar = [*Page.content_panels, "hero_title", "intro", "body"]
    search_fields: ClassVar = [
        *Page.search_fields,
        index.SearchField("hero_title"),
        index.SearchField("intro"),
        index.SearchField("body"),
    ]
    parent_page_types: ClassVar = ["wagtailcore.Page"]
    override_translatable_fields: ClassVar = [SynchronizedField("slug")]

    class Meta:
        verbose_name = _("home page")
        verbose_name_plural = _("home pages")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add what other apps show on the home page, so that this app does not depend on jobs.

        Each function registered for the hook ``home_page_context`` is called with the request
        and the page, and returns names and values for the template.
        """
        context = super().get_context(request, *args, **kwargs)
        for describe in hooks.get_hooks("home_page_context"):
            context.update(describe(request, self))
        return context


class PlainPage(SitePage, ScheduledPage, Page):  # type: ignore[django-manager-missing]
    """A page of text: privacy notice, legal notice, accessibility."""

    intro = models.TextField(_("introduction"), blank=True, max_length=400)
    body = StreamField(BodyBlock(), verbose_name=_("body"), blank=True)

    content_panels: ClassVar = [*Page.content_panels, "intro", "body"]
    search_fields: ClassVar = [
        *Page.search_fields,
        index.SearchField("intro"),
        index.SearchField("body"),
    ]
    parent_page_types: ClassVar = ["home.HomePage", "home.PlainPage"]
    subpage_types: ClassVar = ["home.PlainPage"]
    override_translatable_fields: ClassVar = [SynchronizedField("slug")]

    class Meta:
        verbose_name = _("plain page")
        verbose_name_plural = _("plain pages")


def time_zones() -> list[tuple[str, str]]:
    """The time zones in common use, for a field's choices."""
    names = (name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")
    unusual = ("Etc/", "SystemV/", "posix/", "right/", "US/", "Brazil/", "Canada/", "Chile/")
    return [
        (name, name.replace("_", " ")) for name in sorted(names) if not name.startswith(unusual)
    ]


@register_setting(icon="site", order=10)
class SiteSettings(SharedSettings, ClusterableModel, BaseSiteSetting):
    """The company's name, look and contacts, for pages, mails and documents.

    Its texts are in the default language; ``CompanyTranslation`` has the others.
    """

    company_name = models.CharField(_("company name"), max_length=120, default="", blank=True)
    tagline = models.CharField(
        _("tagline"),
        max_length=160,
        blank=True,
        help_text=_("A few words for the page footer and for search engines."),
    )
    organisation_url = models.URLField(
        _("company website"),
        blank=True,
        help_text=_("Search engines use it to identify the company."),
    )
    contact_email = ContactField(
        _("contact e-mail"),
        blank=True,
        help_text=_("Shown in the footer of every page, for people who need help."),
    )
    accent_colour = models.CharField(
        _("accent colour"),
        max_length=7,
        default="#0e5c46",
        validators=[
            RegexValidator(
                r"^#[0-9a-fA-F]{6}\Z",
                _("Enter a colour such as #0e5c46: # and six hexadecimal digits."),
            )
        ],
        help_text=_(
            "For links and the main button. Where it would be hard to read, the site uses a "
            "lighter or darker shade."
        ),
    )
    logo = models.ForeignKey(
        "wagtailimages.Image",
        verbose_name=_("logo"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Shown in place of the company name, 32 pixels high."),
    )
    dark_logo = models.ForeignKey(
        "wagtailimages.Image",
        verbose_name=_("logo for dark mode"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("If empty, dark mode shows the logo on a light background."),
    )
    hr_recipients = models.TextField(
        _("recipients of applications"),
        blank=True,
        validators=[validate_addresses],
        help_text=_(
            "E-mail addresses, one per line. A job can have its own recipients instead. Without "
            "the permission to change recipients you may enter colleagues who may read the "
            "applications, and addresses at the domains below."
        ),
    )
    recipient_domains = models.TextField(
        _("domains of recipients"),
        blank=True,
        default="",
        db_default="",
        validators=[validate_domains],
        help_text=_(
            "The company’s own e-mail domains, such as example.com, one per line; subdomains "
            "count separately. Everybody who edits a job may have its applications notified to "
            "addresses at these domains. Other addresses need the permission to change "
            "recipients."
        ),
    )
    operators = models.TextField(
        _("recipients of alerts"),
        blank=True,
        validators=[validate_addresses],
        help_text=_(
            "E-mail addresses of the operators, one per line. If empty, administrators get the "
            "alerts. The same people get applications for jobs without recipients, so an address "
            "outside the domains above needs the permission to change recipients."
        ),
    )
    daily_digest = models.BooleanField(
        _("daily summary"),
        default=True,
        help_text=_(
            "An e-mail to the recipients of alerts each morning: yesterday’s applications, "
            "finished steps, and what needs attention. If it is missing, check that mails are "
            "sent."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        choices=time_zones,
        help_text=_("For closing times, mails and documents."),
    )
    closing_grace = models.PositiveSmallIntegerField(
        _("extra time to send an application"),
        default=60,
        db_default=60,
        validators=[MaxValueValidator(1440)],
        help_text=_(
            "Minutes after a job closes in which the site still accepts applications from people "
            "who had the form open. 0 for none."
        ),
    )
    active_content = models.CharField(
        _("files with active content"),
        max_length=6,
        default="refuse",
        db_default="refuse",
        choices=[
            ("refuse", _("Refuse them and tell the applicant what to do")),
            ("mark", _("Accept them and mark them for HR")),
        ],
        help_text=_(
            "Macros, scripts, programs and content from other computers in an uploaded file can "
            "harm the person who opens it."
        ),
    )
    two_factors = models.BooleanField(
        _("require two factors"),
        default=True,
        db_default=True,
        help_text=_(
            "Everybody who signs in needs a passkey or an authenticator app as well as their "
            "password. People who have none set one up at their next sign-in."
        ),
    )
    privacy_notice = RichTextField(
        _("privacy notice"),
        blank=True,
        features=TEXT_FEATURES,
        help_text=_("Shown above the send button of every application form."),
    )

    panels: ClassVar = [
        MultiFieldPanel(
            [
                FieldPanel("company_name"),
                FieldPanel("tagline"),
                FieldPanel("organisation_url"),
                FieldPanel("contact_email"),
            ],
            heading=_("Company"),
        ),
        MultiFieldPanel(
            [FieldPanel("logo"), FieldPanel("dark_logo"), FieldPanel("accent_colour")],
            heading=_("Appearance"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("hr_recipients"),
                FieldPanel("recipient_domains"),
                FieldPanel("time_zone"),
                FieldPanel("closing_grace"),
                FieldPanel("active_content"),
                FieldPanel("privacy_notice"),
            ],
            heading=_("Applications"),
        ),
        MultiFieldPanel(
            [FieldPanel("operators"), FieldPanel("daily_digest")], heading=_("Operations")
        ),
        MultiFieldPanel([FieldPanel("two_factors")], heading=_("Security")),
        InlinePanel("translations", heading=_("In other languages"), label=_("Language")),
    ]
    select_related: ClassVar = ["logo", "dark_logo"]
    base_form_class = CompanyForm

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("company")
        permissions: ClassVar = [
            ("change_recipients", _("Can have applications notified to any address"))
        ]

    @classmethod
    def of_default_site(cls) -> "SiteSettings":
        """The settings of the default site, or unsaved default values if it has none."""
        found = cls.objects.select_related("logo").filter(site__is_default_site=True).first()
        return found or cls()

    @classmethod
    def operator_addresses(cls) -> list[str]:
        """The recipients of alerts: ``operators``, or the active superusers if that is empty."""
        named = split_addresses(cls.of_default_site().operators)
        if not named:
            administrators = get_user_model().objects.filter(is_superuser=True, is_active=True)
            named = [user.email for user in administrators.exclude(email="").order_by("pk")]
        return list(dict.fromkeys(map(mail_address.key, named)))

    def recipients(self) -> list[str]:
        """The recipients of an application if neither its job nor the job index has any."""
        return split_addresses(self.hr_recipients)

    def domains(self) -> list[str]:
        """The company's own e-mail domains, as people write them."""
        return split_domains(self.recipient_domains)

    @property
    def accepts_active_content(self) -> bool:
        """Whether files with active content are accepted and marked."""
        return self.active_content == "mark"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone as an object; UTC if the system does not know it."""
        return zone_named(self.time_zone) or UTC

    @property
    def accent(self) -> str:
        """The accent colour as ``#rrggbb``; the default one if the stored text is no colour."""
        if is_colour(self.accent_colour):
            return self.accent_colour
        return str(self._meta.get_field("accent_colour").default)

    @property
    def own_tagline(self) -> str:
        """The tagline in the active language."""
        return self._in_language("tagline", get_language() or settings.LANGUAGE_CODE)

    def notice_in(self, language: str) -> str:
        """The privacy notice as rich text in a language, or in the default language."""
        return self._in_language("privacy_notice", language)

    def _in_language(self, name: str, language: str) -> str:
        if language == settings.LANGUAGE_CODE:
            translated = None
        else:
            translated = self._translations.get(language)
        return getattr(translated, name, "") or getattr(self, name)

    @cached_property
    def _translations(self) -> "dict[str, CompanyTranslation]":
        return {text.language: text for text in self.translations.all()}


def other_languages() -> list[tuple[str, Any]]:
    """The site's languages except the default one, for a field's choices."""
    return [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


class CompanyTranslation(models.Model):
    """The company's texts in another language; empty ones appear in the default language."""

    company = ParentalKey(SiteSettings, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(_("language"), max_length=10, choices=other_languages)
    tagline = models.CharField(_("tagline"), max_length=160, blank=True)
    privacy_notice = RichTextField(_("privacy notice"), blank=True, features=TEXT_FEATURES)

    class Meta:
        verbose_name = _("company in another language")
        verbose_name_plural = _("company in other languages")
        # Not a UniqueConstraint: formsets check only this for duplicate rows.
        unique_together: ClassVar = [("company", "language")]
