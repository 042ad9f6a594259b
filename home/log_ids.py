"""Which request, application and step a log line is about. Ids only, no personal data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ids: ContextVar[dict[str, str | int]] = ContextVar("log_ids")


def current() -> dict[str, str | int]:
    """The ids of what this thread works on now, by name."""
    return _ids.get({})


@contextmanager
def noted(**ids: str | int | None) -> Iterator[None]:
    """Name these ids in each log line that is written inside; None is left out."""
    known = {name: value for name, value in ids.items() if value is not None}
    token = _ids.set({**current(), **known})
    try:
        yield
    finally:
        _ids.reset(token)
