"""The base classes of all pages: permission and breadcrumbs, detail, list, confirmation."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.paginator import Page
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import BaseListingView, WagtailAdminTemplateMixin

from careers.backoffice import paging
from careers.backoffice.pauses import lines
from careers.backoffice.permissions import Requires
from careers.pipeline import pauses
from careers.pipeline.pauses import Pauses
from home.values.text import clean

#: The longest reason that a person can give for an act, in characters.
REASON_LENGTH = 300

Crumb = dict[str, Any]


class AdminPage(Requires):
    """A page of the back office. It requires a permission, and its breadcrumbs show where it is."""

    def trail(self) -> list[Crumb]:
        """The pages above this one, below Wagtail's home page."""
        return []

    def get_breadcrumbs_items(self) -> list[Crumb]:
        here = {"url": "", "label": self.get_page_title()}  # type: ignore[attr-defined]
        return [*self.breadcrumbs_items, *self.trail(), here]  # type: ignore[attr-defined]

    @cached_property
    def paused(self) -> Pauses:
        """What is paused now; the banner and the states of steps show it."""
        return pauses.read()

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user  # type: ignore[attr-defined]
        return {
            **super().get_context_data(*args, **kwargs),  # type: ignore[misc]
            "pauses": lines(user, self.paused.active),
            "paused_kinds": self.paused.kinds,
        }


class DetailPage(AdminPage, WagtailAdminTemplateMixin, TemplateView):
    """A page about one object.

    Attributes:
        results_template_name: the part of the page that the browser refreshes.
        results_only: whether to answer with that part alone.
    """

    template_name: str
    results_template_name = ""
    results_only = False

    def get_template_names(self) -> list[str]:
        return [self.results_template_name if self.results_only else self.template_name]


class ListPage(AdminPage, BaseListingView):
    """A list with filters and a search, the newest first; see ``paging`` for long lists.

    A subclass sets ``model``, ``columns``, ``filterset_class`` and the names of its addresses.

    Attributes:
        ties: for an order by one column, the columns that order its equal rows. An index must hold
            the column and these.
        short_only: the orders that no index serves, so that only short lists have them.
    """

    template_name = "careers/backoffice/listing.html"
    results_template_name = "careers/backoffice/listing_results.html"
    is_searchable = True
    paginate_by = 25
    paginator_class = paging.LongPaginator
    table_classname = "listing bo-table bo-table--tasks"
    columns: ClassVar[list[Any]] = []
    ties: ClassVar[dict[str, tuple[str, ...]]] = {}
    short_only: ClassVar[tuple[str, ...]] = ()
    #: The ids of the rows, where ``among`` found them; at most ``paging.MOST + 1``.
    ids: list[int] | None = None
    page_kwarg = paging.PAGE
    default_ordering: str
    ordering: str

    def found_by(self, typed: str) -> Q:
        """The rows that match what a person typed into the search box."""
        raise NotImplementedError

    @cached_property
    def order(self) -> list[str]:
        # Rows with the same time need a fixed order, too. Otherwise a page could repeat a row of
        # the previous page.
        return paging.directions(self.ordering, *self.ties.get(self.ordering.lstrip("-"), ()))

    def order_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.order_by(*self.order)

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.found_by(self.search_query)) if self.is_searching else queryset

    def among(self, queryset: QuerySet[Any], *each: paging.Condition) -> QuerySet[Any]:
        """The newest rows that match any of these conditions; the oldest where they come first.

        For conditions on other tables: the database begins with the few rows that match, and does
        not try each row of the list. Ids are in the order of time, so a long list has no other.
        """
        time = self.default_ordering.lstrip("-")
        if self.ordering == time:
            self.ids = paging.oldest(queryset, *each, above=self.after or 0)
            return queryset.filter(pk__in=self.ids[: paging.MOST])
        self.ids = paging.newest(queryset, *each, below=self.after or paging.LAST + 1)
        found = queryset.filter(pk__in=self.ids[: paging.MOST])
        is_long = self.after is not None or len(self.ids) > paging.MOST
        return self.in_default_order(found) if is_long else found

    def in_default_order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of a list that is too long for the chosen order."""
        self.ordering = self.default_ordering
        self.__dict__.pop("order", None)
        return self.order_queryset(rows)

    def get_paginator(self, *args: Any, **kwargs: Any) -> paging.LongPaginator:
        paginator: paging.LongPaginator = super().get_paginator(*args, **kwargs)
        if self.ids is not None:
            paginator.counted = len(self.ids)
        return paginator

    @cached_property
    def after(self) -> int | None:
        """The id of the row after which the list begins."""
        return paging.continued_after(self.request.GET)

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if self.ids is not None:
            return rows
        if self.ordering.lstrip("-") in self.short_only and paging.counted(rows) > paging.MOST:
            rows = self.in_default_order(rows)
        if self.after is None:
            return rows
        names = [column.removeprefix("-") for column in self.order]
        row = self.get_base_queryset().filter(pk=self.after).values(*names).first()
        return rows.filter(paging.after(self.order, row)) if row else rows

    def next_after(self, page: Page[Any]) -> int | None:
        """The id of the row after which the next rows begin, on the last of the numbered pages."""
        paginator: Any = page.paginator
        if page.has_next() or not paginator.has_more or not page.object_list:
            return None
        if self.ids is not None:
            return self.ids[paging.MOST - 1]
        last: int = page.object_list[len(page.object_list) - 1].pk
        return last

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        if page := context.get("page_obj"):
            context["number"] = page.paginator.number
            last = self.next_after(page)
            context["next_after"] = last and paging.continuation(last, self.request.GET)
            context["is_continued"] = self.after is not None
        return context


class ConfirmPage(AdminPage, WagtailAdminTemplateMixin, TemplateView):
    """Show what an act does, perform it on POST, and return with a message.

    A subclass finds the subject and says whether it can be done, what to ask and what to do.
    """

    template_name = "careers/backoffice/confirm.html"
    header_icon = "tasks"
    reason_required = False

    @cached_property
    def subject(self) -> Any:
        """What it is about."""
        return self.find()

    def find(self) -> Any:
        """Find the subject that ``self.kwargs`` names, among those that the user may see.

        Raises:
            Http404: there is no such subject, or the user may not see it.
        """
        raise NotImplementedError

    def is_allowed(self) -> bool:
        """Whether it can be done now."""
        raise NotImplementedError

    def perform(self, reason: str) -> bool:
        """Do it; False when it can't be done any more."""
        raise NotImplementedError

    def question(self) -> str:
        raise NotImplementedError

    def consequence(self) -> str:
        raise NotImplementedError

    def button(self) -> str:
        raise NotImplementedError

    def done(self) -> str:
        raise NotImplementedError

    def refused(self) -> str:
        raise NotImplementedError

    def back(self) -> str:
        """The address of the page to return to."""
        raise NotImplementedError

    def is_serious(self) -> bool:
        """Whether it can't be undone."""
        return False

    def hidden(self) -> dict[str, str]:
        """Further fields of the form."""
        return {}

    def get_page_title(self) -> str:
        return self.question()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.is_allowed():
            return self.refuse()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.reason_required and self.is_allowed() and not self.reason():
            messages.error(request, _("Give a reason."))
            return self.get(request, *args, **kwargs)
        if not self.perform(self.reason()):
            return self.refuse()
        messages.success(request, self.done())
        return HttpResponseRedirect(self.back())

    def refuse(self) -> HttpResponse:
        """Go back and say why it was not done."""
        messages.warning(self.request, self.refused())
        return HttpResponseRedirect(self.back())

    def reason(self) -> str:
        """The reason that was typed, on one line."""
        return clean(self.request.POST.get("reason", ""))[:REASON_LENGTH].rstrip()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "question": self.question(),
            "consequence": self.consequence(),
            "button": self.button(),
            "serious": self.is_serious(),
            "back": self.back(),
            "hidden": self.hidden(),
            "reason_length": REASON_LENGTH,
            "reason_required": self.reason_required,
        }
