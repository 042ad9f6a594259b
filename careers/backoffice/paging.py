"""Pages of a list that may have a million rows.

The first ``MOST`` rows are counted and have numbered pages. A list that has more says “1,000+”, and
its last page leads to the next ``MOST`` rows, which begin after a row that the address names by its
id. So no page costs more than another, however deep it is. The address also says which search,
filters and order the row belongs to, since Wagtail keeps it when a person chooses others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Max, Min, Q, QuerySet
from django.http import QueryDict
from django.utils.crypto import salted_hmac
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.paginator import WagtailPaginator

#: Rows that are counted, and that have numbered pages.
MOST = 1000
#: The parameter that holds the id of the row before the first one, and the mark of its list.
AFTER = "after"
#: The parameter that holds the number of the page.
PAGE = "p"


def counted(rows: QuerySet[Any]) -> int:
    """The number of rows, but ``MOST + 1`` where there are more."""
    return rows.order_by().values("pk")[: MOST + 1].count()


#: A condition; or a function that takes the first and the last id to look at, for a search in
#: texts: those of a word that many rows have need not be read in all of them.
Condition = Q | Callable[[int, int], Q]
#: How many ids are looked at before all are, where more rows match than are counted.
WINDOW = 32 * MOST
#: No id is higher.
LAST = 2**63 - 2


def newest(rows: QuerySet[Any], *each: Condition, below: int = LAST + 1) -> list[int]:
    """The highest ids of the rows that match any of the conditions; at most ``MOST + 1``.

    Each condition is a query of its own. Joined by OR, the database would read every row.

    Args:
        below: only rows with lower ids.
    """
    found: set[int] = set()
    for matching in each:
        found.update(_ids(rows, matching, below, newest_first=True))
    return sorted(found, reverse=True)[: MOST + 1]


def oldest(rows: QuerySet[Any], *each: Condition, above: int = 0) -> list[int]:
    """The lowest ids, like ``newest``, of rows with higher ids than ``above``."""
    found: set[int] = set()
    for matching in each:
        found.update(_ids(rows, matching, above, newest_first=False))
    return sorted(found)[: MOST + 1]


def _ids(rows: QuerySet[Any], matching: Condition, end: int, *, newest_first: bool) -> list[int]:
    first, last = (0, end - 1) if newest_first else (end + 1, LAST)
    order = "-pk" if newest_first else "pk"
    if isinstance(matching, Q):
        return _pks(rows, lambda _first, _last: matching, first, last, order)
    if (few := all_of(rows, matching, first, last)) is not None:
        return few
    ids = rows.model._default_manager.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = max(first, ids["first"]), min(last, ids["last"])
    window = (last - WINDOW + 1, last) if newest_first else (first, first + WINDOW - 1)
    near = _pks(rows, matching, *window, order)
    return near if len(near) > MOST else _pks(rows, matching, first, last, order)


def all_of(
    rows: QuerySet[Any], matching: Callable[[int, int], Q], first: int = 0, last: int = LAST
) -> list[int] | None:
    """The ids of all matching rows, in any order; None where there are more than ``MOST``.

    Without an order the database reads each text that has the words once.
    """
    found = _pks(rows, matching, first, last)
    return found if len(found) <= MOST else None


def _pks(
    rows: QuerySet[Any], matching: Callable[[int, int], Q], first: int, last: int, *order: str
) -> list[int]:
    if first > 0 or last < LAST:
        rows = rows.filter(pk__range=(first, last))
    found = rows.filter(matching(first, last)).order_by(*order)
    return list(found.values_list("pk", flat=True)[: MOST + 1])


def continuation(pk: int, chosen: QueryDict) -> str:
    """The value of ``AFTER`` for the rows after this one.

    Args:
        pk: the id of the row.
        chosen: the parameters of the list.
    """
    return f"{pk}.{_mark(chosen)}"


def continued_after(chosen: QueryDict) -> int | None:
    """The id of the row after which the list begins; None where it continues another list."""
    pk, _dot, mark = chosen.get(AFTER, "").partition(".")
    known = pk.isascii() and pk.isdecimal() and len(pk) < 19 and mark == _mark(chosen)
    return int(pk) if known else None


def _mark(chosen: QueryDict) -> str:
    """A short mark of the search, the filters and the order, which nobody can read back."""
    # Parameters with “_” are Wagtail's own, for what part of the page it refreshes.
    parameters = sorted(
        (name, value)
        for name, values in chosen.lists()
        for value in values
        if value and name not in (AFTER, PAGE) and not name.startswith("_")
    )
    return salted_hmac("careers.backoffice.paging", repr(parameters)).hexdigest()[:10]


def number_of(count: int) -> str:
    """A number that ``counted`` returned, in words such as “12” or “1,000+”."""
    shown = number_format(min(count, MOST), use_l10n=True, force_grouping=True)
    # Translators: at least so many; it also stands inside sentences.
    return _("%(number)s+") % {"number": shown} if count > MOST else shown


class LongPaginator(WagtailPaginator):
    """Counts and numbers no more than ``MOST`` rows."""

    @cached_property
    def counted(self) -> int:
        return counted(self.object_list)

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST)

    @property
    def has_more(self) -> bool:
        """Whether rows follow the last page."""
        return self.counted > MOST

    @property
    def number(self) -> str:
        return number_of(self.counted)

    @cached_property
    def items_count_label(self) -> str:
        return _("Rows: %(number)s") % {"number": self.number}


def directions(ordering: str, *ties: str) -> list[str]:
    """An order in one direction, which an index can serve: by a column, its ties, then by id."""
    sign = "-" if ordering.startswith("-") else ""
    return [ordering, *(f"{sign}{column}" for column in (*ties, "pk"))]


def after(order: list[str], row: dict[str, Any]) -> Q:
    """The rows that follow one row.

    Args:
        order: as ``directions`` returns it.
        row: the columns of the order, without their signs.
    """
    later = "lt" if order[0].startswith("-") else "gt"
    columns = [column.removeprefix("-") for column in order]
    found, same = Q(), Q()
    for column in columns:
        found |= same & Q(**{f"{column}__{later}": row[column]})
        same &= Q(**{column: row[column]})
    # The first column alone, too: an index finds its beginning.
    return Q(**{f"{columns[0]}__{later}e": row[columns[0]]}) & found
