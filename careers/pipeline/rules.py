"""A condition on a row, stated once: for queries, for guarded updates and for loaded rows.

FAILED_MAIL = one_of("state", State.FAILED) & one_of("kind", "mail_hr")
Step.objects.filter(FAILED_MAIL.query)      # in the database
FAILED_MAIL(step)                           # in Python, on a loaded row
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q


@dataclass(frozen=True)
class Rule:
    """A condition as a query and as a predicate. Build one from the functions below, with & | ~.

    Attributes:
        query: the condition for ``filter``.
        holds: the condition for a loaded row.
    """

    query: Q
    holds: Callable[[Any], bool]

    def __call__(self, row: Any) -> bool:
        return self.holds(row)

    def __and__(self, other: Rule) -> Rule:
        return Rule(self.query & other.query, lambda row: self(row) and other(row))

    def __or__(self, other: Rule) -> Rule:
        return Rule(self.query | other.query, lambda row: self(row) or other(row))

    def __invert__(self) -> Rule:
        return Rule(~self.query, lambda row: not self(row))


def one_of(column: str, *values: Any) -> Rule:
    """The column holds one of these values. Use ``is_set`` to ask for NULL."""
    return Rule(Q(**{f"{column}__in": values}), lambda row: getattr(row, column) in values)


def is_set(column: str) -> Rule:
    """The column is not NULL."""
    return Rule(Q(**{f"{column}__isnull": False}), lambda row: getattr(row, column) is not None)


def has_key(column: str, key: str) -> Rule:
    """The JSON object in the column has this key."""
    return Rule(Q(**{f"{column}__has_key": key}), lambda row: key in getattr(row, column))
