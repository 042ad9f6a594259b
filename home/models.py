"""The home page, plain pages, and what HR sets once for the whole site."""

import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, validate_email
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

from home.blocks import TEXT_FEATURES, BodyBlock


class HomePage(Page):
    """The front door: one sentence, the search, the open jobs, then the company."""

    hero_title = models.CharField(
        _("first sentence"),
        max_length=140,
        help_text=_("One sentence that could only be yours. It is the page's main heading."),
    )
    intro = models.TextField(
        _("introduction"),
        blank=True,
        max_length=400,
        help_text=_("Two or three plain sentences below it."),
    )
    body = StreamField(
        BodyBlock(),
        verbose_name=_("body"),
        blank=True,
        help_text=_("Shown below the open jobs: people, teams, places."),
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
        """Let the apps above this one say what is open.

        Each function registered for the hook ``home_page_context`` is called with the request
        and the page, and returns names and values for the template. So this app needs to know
        nothing of jobs.
        """
        context = super().get_context(request, *args, **kwargs)
        for describe in hooks.get_hooks("home_page_context"):
            context.update(describe(request, self))
        return context


class PlainPage(Page):
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


def split_addresses(text: str) -> list[str]:
    """The e-mail addresses in ``text``, one a line or between commas, each once, in order."""
    found = (word.strip() for line in text.splitlines() for word in line.split(","))
    return list(dict.fromkeys(word for word in found if word))


def validate_addresses(text: str) -> None:
    """Raise ValidationError, naming the first address that is none."""
    for address in split_addresses(text):
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                _("“%(address)s” is not an e-mail address."), params={"address": address}
            ) from None


def time_zones() -> list[tuple[str, str]]:
    """The time zones that a person would choose, for a field's choices."""
    names = (name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")
    unusual = ("Etc/", "SystemV/", "posix/", "right/", "US/", "Brazil/", "Canada/", "Chile/")
    return [
        (name, name.replace("_", " ")) for name in sorted(names) if not name.startswith(unusual)
    ]


@register_setting(icon="site", order=10)
class SiteSettings(ClusterableModel, BaseSiteSetting):
    """Who the company is and how it looks; pages, mails and documents read it.

    Its texts are in the site's first language; see ``CompanyTranslation`` for the others.
    """

    company_name = models.CharField(_("company name"), max_length=120, default="", blank=True)
    tagline = models.CharField(
        _("tagline"),
        max_length=160,
        blank=True,
        help_text=_("A few words for the page footer and for search engines."),
    )
    organisation_url = models.URLField(
        _("address of the company’s own site"),
        blank=True,
        help_text=_("Search engines use it to tell which company this is."),
    )
    contact_email = models.EmailField(
        _("contact e-mail"),
        blank=True,
        help_text=_("Shown at the foot of every page, for people who need help."),
    )
    accent_colour = models.CharField(
        _("accent colour"),
        max_length=7,
        default="#0e5c46",
        validators=[
            RegexValidator(
                r"^#[0-9a-fA-F]{6}\Z", _("Enter a colour such as #0e5c46: # and six digits.")
            )
        ],
        help_text=_(
            "For links and the main button. Where it would be hard to read, a lighter or "
            "darker shade of it is used."
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
        verbose_name=_("logo for dark screens"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("If left empty, the logo stands on a light plate there."),
    )
    hr_recipients = models.TextField(
        _("who is told about an application"),
        blank=True,
        validators=[validate_addresses],
        help_text=_("E-mail addresses, one a line. A job may name its own instead."),
    )
    operators = models.TextField(
        _("who is told when something breaks"),
        blank=True,
        validators=[validate_addresses],
        help_text=_(
            "E-mail addresses of those who run the site, one a line. If left empty, the "
            "administrators are told. They also hear of applications that nobody else would."
        ),
    )
    daily_digest = models.BooleanField(
        _("daily summary"),
        default=True,
        help_text=_(
            "They get a mail each morning: yesterday’s applications, what was done, what needs "
            "attention. While it comes, you know that mails go out."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        choices=time_zones,
        help_text=_("For closing times, mails and documents."),
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
            heading=_("Look"),
        ),
        MultiFieldPanel(
            [FieldPanel("hr_recipients"), FieldPanel("time_zone"), FieldPanel("privacy_notice")],
            heading=_("Applications"),
        ),
        MultiFieldPanel(
            [FieldPanel("operators"), FieldPanel("daily_digest")], heading=_("Operation")
        ),
        InlinePanel("translations", heading=_("In other languages"), label=_("Language")),
    ]
    select_related: ClassVar = ["logo", "dark_logo"]

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("company")

    @classmethod
    def of_default_site(cls) -> "SiteSettings":
        """What speaks for the whole installation: the default site's, or what holds unset."""
        found = cls.objects.select_related("logo").filter(site__is_default_site=True).first()
        return found or cls()

    @classmethod
    def operator_addresses(cls) -> list[str]:
        """Who is told when something breaks: the named ones, else the active superusers."""
        named = split_addresses(cls.of_default_site().operators)
        if not named:
            administrators = get_user_model().objects.filter(is_superuser=True, is_active=True)
            named = [user.email for user in administrators.exclude(email="").order_by("pk")]
        return list(dict.fromkeys(address.lower() for address in named))

    def recipients(self) -> list[str]:
        """The addresses that hear of an application when neither job nor index names any."""
        return split_addresses(self.hr_recipients)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone as an object."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def own_tagline(self) -> str:
        """The tagline in the active language."""
        return self._in_language("tagline", get_language() or settings.LANGUAGE_CODE)

    def notice_in(self, language: str) -> str:
        """The privacy notice as rich text, in a language; in the first one if there is no other."""
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
    """The site's languages but the first, for a field's choices."""
    return [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


class CompanyTranslation(models.Model):
    """The company's texts in another language; what is empty stays in the first one."""

    company = ParentalKey(SiteSettings, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(_("language"), max_length=10, choices=other_languages)
    tagline = models.CharField(_("tagline"), max_length=160, blank=True)
    privacy_notice = RichTextField(_("privacy notice"), blank=True, features=TEXT_FEATURES)

    class Meta:
        verbose_name = _("company in another language")
        verbose_name_plural = _("company in other languages")
        # Not a constraint: forms with several rows look for doubles only here.
        unique_together: ClassVar = [("company", "language")]
