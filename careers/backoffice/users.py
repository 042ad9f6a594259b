"""The accounts under *Settings > Users*, found as everywhere else in the admin."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from wagtail.users.views.users import IndexView, UserViewSet

from careers.backoffice.search import by_account


class AccountsView(IndexView):  # type: ignore[misc]  # Wagtail has no types
    """Wagtail's list of accounts with the search of this site."""

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(by_account(self.search_query)) if self.is_searching else queryset


class AccountViewSet(UserViewSet):  # type: ignore[misc]
    index_view_class = AccountsView
