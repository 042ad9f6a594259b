"""The data map as rows of text: for the admin, for ``docs/privacy.md`` and as a download.

With the company's own details it is the record of processing activities of GDPR article 30.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.retention.data_map import Declaration, Personal, declarations

#: The titles of the columns, as the fields of ``Line``.
COLUMNS = (
    gettext_lazy("Where"),
    gettext_lazy("What"),
    gettext_lazy("Purpose"),
    gettext_lazy("Lawful basis"),
    gettext_lazy("How long"),
    gettext_lazy("Who sees it"),
    gettext_lazy("How it is erased"),
)


@dataclass(frozen=True)
class Line:
    """Personal fields of one model, in the reader's language."""

    where: str
    what: str
    purpose: str
    basis: str
    kept: str
    readers: str
    erased: str

    def cells(self) -> tuple[str, ...]:
        return astuple(self)


@dataclass(frozen=True)
class Table:
    """The personal fields of one model."""

    title: str
    subject: str
    lines: list[Line]


def tables() -> list[Table]:
    """One table for each model with personal fields."""
    return [
        Table(
            title=str(declaration.title),
            subject=str(declaration.subject.value) if declaration.subject else "",
            lines=list(_lines(declaration)),
        )
        for declaration in declarations()
    ]


def _lines(declaration: Declaration) -> Iterator[Line]:
    """The fields of a model; those that differ only in what they hold share a line."""
    alike: dict[Personal, list[str]] = {}
    for field in declaration.personal.values():
        alike.setdefault(replace(field, what="", exported=True), []).append(str(field.what))
    for field, contents in alike.items():
        readers = [str(reader.value) for reader in field.readers]
        yield Line(
            where=str(declaration.title),
            what="; ".join(contents),
            purpose=str(field.purpose.title),
            basis=str(field.purpose.basis),
            kept=str(field.kept.value),
            readers=capfirst(get_text_list(readers, _("and"))) if readers else _("Nobody"),
            erased=str(field.erased.value),
        )


def markdown() -> Iterator[str]:
    """The lines of the tables in ``docs/privacy.md``, one table for each kind of person."""
    found = tables()
    for subject in dict.fromkeys(table.subject for table in found):
        yield f"### {subject}"
        yield ""
        yield "| where | what | purpose | how long | who sees it | how it is erased |"
        yield "|---|---|---|---|---|---|"
        for line in (line for table in found if table.subject == subject for line in table.lines):
            cells = (line.where, line.what, line.purpose, line.kept, line.readers, line.erased)
            yield f"| {' | '.join(cells)} |"
        yield ""
