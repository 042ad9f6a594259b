"""Wagtail's search in the database, for words only.

Other characters are operators of the database's search. SQLite answers most of them with an error,
which the admin shows as a server error. ``WAGTAILSEARCH_BACKENDS`` names this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from wagtail.search.backends import database

#: The part of a query that is read, in characters.
LONGEST = 200


def SearchBackend(params: dict[str, Any]) -> Any:  # noqa: N802 -- the name that Wagtail calls
    """The backend for the database in use, which sees only words of a query."""
    backend = database.SearchBackend(params)
    backend.search = _for_words(backend.search)
    backend.autocomplete = _for_words(backend.autocomplete)
    return backend


def _for_words(search: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(search)
    def plain(query: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(query, str):
            query = " ".join(re.findall(r"\w+", query[:LONGEST]))
        return search(query, *args, **kwargs)

    return plain
