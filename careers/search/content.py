"""The terms of what Wagtail indexes: pages, pictures, documents, departments and locations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import (
    BooleanField,
    CharField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.functions import Cast
from modelsearch.index import AutocompleteField, RelatedFields, SearchField, get_indexed_models
from modelsearch.utils import get_descendants_content_types_pks

from careers.search.models import VERSION, ContentTerms
from careers.search.terms import terms_of
from careers.search.words import Word

_KEY = CharField(max_length=50)


def index(item: Any) -> None:
    """Let an object be found by its indexed fields."""
    title: list[str] = []
    texts: list[str] = []
    for name, text in _texts(item, item.get_search_fields()):
        (title if name == "title" else texts).append(text)
    key: dict[str, Any] = {
        "content_type": ContentType.objects.get_for_model(item),
        "object_id": str(item.pk),
    }
    terms: dict[str, Any] = {
        "title": _terms(title),
        "terms": _terms([*title, *texts]),
        "version": VERSION,
    }
    # Saving a draft indexes the page, which has not changed. A write would end every kept page.
    if not ContentTerms.objects.filter(**key, **terms).exists():
        ContentTerms.objects.update_or_create(**key, defaults=terms)


def forget(item: Any) -> None:
    """Delete the terms of an object."""
    kind = ContentType.objects.get_for_model(item)
    ContentTerms.objects.filter(content_type=kind, object_id=str(item.pk)).delete()


def forget_deleted() -> None:
    """Delete the terms of objects that are gone."""
    known = Q()
    for model in get_indexed_models():
        if not model._meta.parents:
            keys = model._default_manager.order_by().annotate(key=Cast("pk", _KEY)).values("key")
            types = get_descendants_content_types_pks(model)
            known |= Q(content_type__in=types, object_id__in=keys)
    ContentTerms.objects.exclude(known).delete()


def rows_of(model: Any) -> QuerySet[ContentTerms]:
    """The terms of the object of the outer query, which is about ``model``."""
    types = get_descendants_content_types_pks(model)
    return ContentTerms.objects.filter(content_type__in=types, object_id=Cast(OuterRef("pk"), _KEY))


def keys_with(model: Any, found: list[Word]) -> list[set[int]]:
    """The keys of the objects of a model that have each of some words in their texts, in one query.

    Returns:
        A set of keys for each word.
    """
    types = get_descendants_content_types_pks(model)
    tests = {f"has_{number}": word.query("terms") for number, word in enumerate(found)}
    rows = ContentTerms.objects.filter(reduce(or_, tests.values()), content_type__in=types)
    if len(found) == 1:
        return [{int(key) for key in rows.values_list("object_id", flat=True)}]
    keys: list[set[int]] = [set() for _word in found]
    judged = {name: ExpressionWrapper(test, BooleanField()) for name, test in tests.items()}
    for key, *has in rows.annotate(**judged).values_list("object_id", *tests):
        for number, one in enumerate(has):
            if one:
                keys[number].add(int(key))
    return keys


def without_terms(model: Any) -> QuerySet[Any]:
    """The objects of a model that search has not read, or not in this version."""
    known = rows_of(model).filter(version=VERSION)
    return model._default_manager.filter(~Exists(known)).order_by("-pk")  # type: ignore[no-any-return]


def _terms(texts: list[str]) -> str:
    return terms_of("\n".join(texts))


def _texts(item: Any, fields: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The names and texts of an object's indexed fields."""
    for field in fields:
        if isinstance(field, RelatedFields):
            related = field.get_value(item)
            several = related.all() if hasattr(related, "all") else [related]
            for one in several:
                if one is not None:
                    # The title of something else is not the object's title.
                    yield from (("", text) for _name, text in _texts(one, field.fields))
        elif isinstance(field, SearchField | AutocompleteField):
            yield field.field_name, _text(field.get_value(item))


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return "\n".join(map(_text, value))
    return "" if value is None else str(value)
