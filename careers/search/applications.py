"""What an application can be found by, and the applications that a query finds."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import override

from careers.applications.answers import readable
from careers.applications.models import LOCKED, Application, ApplicationFile
from careers.search.models import VERSION, ApplicationTerms
from careers.search.terms import terms_of
from careers.search.words import words

PERSON, ANSWERS = ApplicationTerms.PERSON, ApplicationTerms.ANSWERS


def index_person(application: Application) -> None:
    """Let an application be found by name, address, phone number and reference.

    It is cheap, so that intake calls it in its transaction: who has a receipt can be found.
    """
    who = (application.name, application.email, application.phone, application.reference)
    _write(application, PERSON, "\n".join(who))


def index_answers(application: Application) -> None:
    """Let an application be found by its answers and by the names of its files."""
    with override(application.language):
        shown = [
            text
            for answer in readable(application)
            for text in (*answer.paragraphs, *(file.filename for file in answer.files))
        ]
    _write(application, ANSWERS, "\n".join(shown))


def index_file(file: ApplicationFile, text: str) -> None:
    """Let an application be found by the text of one of its files; "" for a file without text."""
    _write(file.application, str(file.public_id), text, file)


def _write(
    application: Application, source: str, text: str, file: ApplicationFile | None = None
) -> None:
    row = ApplicationTerms(
        application=application,
        source=source,
        file=file,
        terms=terms_of(text),
        version=VERSION,
    )
    # One statement, whether there is such a row or not.
    ApplicationTerms.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["application", "source"],
        update_fields=["file", "terms", "version"],
    )


def by_anything(typed: str) -> Q:
    """Applications that hold every word that was typed, in whatever answer, name or file.

    The text of a file that the virus scan locks finds nothing, because nobody may read it.
    """
    locked = Q(file__isnull=False, file__scan_verdict__in=LOCKED)
    return _having(typed, ApplicationTerms.objects.exclude(locked))


def by_person(typed: str) -> Q:
    """Applications whose name, address, phone number and reference hold every word."""
    return _having(typed, ApplicationTerms.objects.filter(source=PERSON))


def _having(typed: str, rows: QuerySet[ApplicationTerms]) -> Q:
    found = Q()
    for word in words(typed):
        found &= Q(pk__in=rows.filter(word.query("terms")).order_by().values("application"))
    return found or Q(pk__in=[])
