"""Where HR edits the departments and locations that jobs choose from."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.chooser import SnippetChooserViewSet, SnippetCreateView
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from careers.jobs.taxonomy import Department, Location


class NoCreation(SnippetCreateView):
    """The chooser has no form for new objects, and Wagtail's view fails without one."""

    def get(self, request: HttpRequest) -> NoReturn:
        raise Http404

    post = get


class Chooser(SnippetChooserViewSet):
    create_view_class = NoCreation


class DepartmentViewSet(SnippetViewSet):
    model = Department
    chooser_viewset_class = Chooser
    icon = "group"
    menu_label = _("Departments")
    list_display: ClassVar = ["name", "slug"]


class LocationViewSet(SnippetViewSet):
    model = Location
    chooser_viewset_class = Chooser
    icon = "globe"
    menu_label = _("Locations")
    list_display: ClassVar = [
        "name",
        "region",
        Column("country_name", label=_("Country"), sort_key="country"),
    ]


class TaxonomyGroup(SnippetViewSetGroup):
    """One menu entry, for users who may change any of its models."""

    items = (DepartmentViewSet, LocationViewSet)
    menu_label = _("Job settings")
    menu_icon = "list-ul"
    menu_order = 500


register_snippet(TaxonomyGroup)
