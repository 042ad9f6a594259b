"""What HR sorts jobs by: departments, locations, workplace types and employment types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from modelcluster.fields import ParentalManyToManyField
from wagtail.models import TranslatableMixin
from wagtail.search import index
from wagtail_localize.fields import SynchronizedField

from home.fields import CountryField
from home.values import country, number


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
    """A town or site where people work."""

    name = models.CharField(gettext_lazy("name"), max_length=100)
    slug = models.SlugField(gettext_lazy("short name in addresses"), max_length=100, unique=True)
    region = models.CharField(gettext_lazy("region"), max_length=100, blank=True)
    postal_code = models.CharField(gettext_lazy("postal code"), max_length=20, blank=True)
    country = CountryField(
        gettext_lazy("country"),
        validators=[
            RegexValidator(
                r"^[A-Z]{2}\Z", gettext_lazy("Enter the two capital letters of ISO 3166, as GB.")
            )
        ],
        help_text=gettext_lazy("Type a few letters of its name, and choose it."),
    )

    panels: ClassVar = ["name", "slug", "region", "postal_code", "country"]
    search_fields: ClassVar = [index.SearchField("name"), index.AutocompleteField("name")]

    class Meta:
        verbose_name = gettext_lazy("location")
        verbose_name_plural = gettext_lazy("locations")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def country_name(self) -> str:
        """The name of the country in the active language."""
        return country.name(self.country, number.locale())


class LocationsField(ParentalManyToManyField):
    """The locations of a job, which Wagtail counts as usages of each location."""

    def extract_references(self, value: Iterable[Location]) -> Iterator[tuple[Any, ...]]:
        """What Wagtail's index of references stores: model, key, and two paths in this field."""
        for location in value:
            yield Location, str(location.pk), "item", str(location.pk)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "modelcluster.fields.ParentalManyToManyField", args, kwargs


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
