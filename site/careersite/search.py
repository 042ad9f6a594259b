"""Wagtail's search, which finds what a person means, in the same way on every database.

It finds pages, pictures, documents, departments and locations, for editors and for visitors. How a
query is read is in ``careers.search``. ``WAGTAILSEARCH_BACKENDS`` names this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, Exists, IntegerField, Q, When
from modelsearch.backends.base import BaseIndex
from modelsearch.backends.database.fallback import (
    DatabaseSearchBackend,
    DatabaseSearchQueryCompiler,
    DatabaseSearchResults,
)
from modelsearch.query import Fuzzy, Phrase, PlainText

from careers.search import content
from careers.search.models import ContentTerms
from careers.search.words import Word, words


class Index(BaseIndex):  # type: ignore[misc]
    """The terms of every object that Wagtail indexes."""

    def add_items(self, model: Any, items: Iterable[Any]) -> None:
        for item in items:
            content.index(item)

    def delete_item(self, item: Any) -> None:
        content.forget(item)

    def reset(self) -> None:
        ContentTerms.objects.all().delete()


class Rebuilder:
    """What ``manage.py wagtail_update_index`` calls."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def start(self) -> Index:
        return self._index

    def finish(self) -> None:
        content.forget_deleted()


class Compiler(DatabaseSearchQueryCompiler):  # type: ignore[misc]
    """Finds objects by their terms in place of their columns."""

    def build_database_filter(self, query: Any, boost: float = 1.0) -> Any:
        if not isinstance(query, PlainText | Phrase | Fuzzy):
            return super().build_database_filter(query, boost)
        join = or_ if getattr(query, "operator", "and") == "or" else and_
        return self.having(words(query.query_string), "terms", join)

    def having(self, found: list[Word], field: str, join: Callable[[Q, Q], Q] = and_) -> Q:
        """The objects that have each of the words, or one of them."""
        rows = content.rows_of(self.queryset.model)
        each = [Q(Exists(rows.filter(word.query(field)))) for word in found]
        return reduce(join, each) if each else Q(pk__in=[])


class Results(DatabaseSearchResults):  # type: ignore[misc]
    """What has every word in its title comes first."""

    def get_queryset(self) -> Any:
        compiler = self.query_compiler
        found = compiler.queryset
        condition = compiler.build_database_filter(compiler.query)
        if condition == "_NONE_":
            found = found.none()
        elif condition != "_ALL_":
            found = found.filter(condition)
        if compiler.order_by_relevance and isinstance(compiler.query, PlainText):
            in_title = compiler.having(words(compiler.query.query_string), "title")
            found = found.annotate(
                in_title=Case(When(in_title, then=1), default=0, output_field=IntegerField())
            ).order_by("-in_title", "-pk")
        elif not found.query.order_by:
            found = found.order_by("-pk")
        return found[self.start : self.stop]


class SearchBackend(DatabaseSearchBackend):  # type: ignore[misc]
    """The backend that Wagtail calls."""

    index_class = Index
    rebuilder_class = atomic_rebuilder_class = Rebuilder
    query_compiler_class = autocomplete_query_compiler_class = Compiler
    results_class = Results
