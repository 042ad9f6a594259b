"""What an application can be found by, and the applications that a query finds."""

from __future__ import annotations

from collections.abc import Iterable
from operator import and_, or_

from django.db.models import Q, QuerySet
from django.utils.translation import override

from careers.applications.answers import readable
from careers.applications.frozen import EMAIL, NAME, PHONE
from careers.applications.models import LOCKED, Application, ApplicationFile
from careers.applications.question_types import type_of
from careers.search.models import VERSION, ApplicationTerms
from careers.search.terms import terms_of
from careers.search.words import by_words, words
from home.values import mail_address

PERSON, ANSWERS = ApplicationTerms.PERSON, ApplicationTerms.ANSWERS
#: No id is higher.
LAST = 2**63 - 2


def index_person(application: Application) -> None:
    """Let an application be found by name, address, phone number and reference."""
    _write(terms_of_person(application))


def terms_of_person(application: Application) -> ApplicationTerms:
    """What an application is found by: name, address, phone number and reference.

    Intake stores it in its transaction, because a person with a receipt must be found. It is cheap.
    """
    address = mail_address.for_people(application.email)
    who = (application.name, address, application.phone, application.reference)
    return _row(application, PERSON, "\n".join(who))


def index_answers(application: Application) -> None:
    """Let an application be found by its answers and by the names of its files."""
    texts: list[str] = []
    with override(application.language):
        for answer in readable(application):
            if answer.question.key in (NAME, EMAIL, PHONE):
                continue  # of the person
            texts += (*answer.paragraphs, *(file.filename for file in answer.files))
            given = application.answers.get(answer.question.key)
            # A number and a date also without the signs of the language.
            texts.append(str(type_of(answer.question).cell(answer.question, given)))
    _write(_row(application, ANSWERS, "\n".join(texts)))


def index_file(file: ApplicationFile, text: str) -> None:
    """Let an application be found by the text of one of its files; "" for a file without text."""
    _write(_row(file.application, str(file.public_id), text, file))


def _row(
    application: Application, source: str, text: str, file: ApplicationFile | None = None
) -> ApplicationTerms:
    return ApplicationTerms(
        application=application,
        source=source,
        file=file,
        terms=terms_of(text),
        version=VERSION,
    )


def _write(row: ApplicationTerms) -> None:
    # One statement, whether there is such a row or not.
    ApplicationTerms.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["application", "source"],
        update_fields=["file", "terms", "version"],
    )


def by_anything(typed: str, first: int = 0, last: int = LAST) -> Q:
    """Applications that hold every word that was typed, in whatever answer, name or file.

    Args:
        first, last: of the ids of the applications whose texts are read.
    """
    return _having(typed, _readable(), first, last)


def by_person(typed: str, first: int = 0, last: int = LAST) -> Q:
    """Applications whose name, address, phone number and reference hold every word.

    Args:
        first, last: as for ``by_anything``.
    """
    return _having(typed, ApplicationTerms.objects.filter(source=PERSON), first, last)


def places_of(typed: str, applications: Iterable[Application]) -> dict[int, list[str]]:
    """Where the words were found in each application, by its id; nothing for those by name.

    Returns:
        The names of files whose text has a word, and ``ANSWERS`` for what was typed or chosen.
    """
    found = words(typed)
    keys = [application.pk for application in applications]
    if not found or not keys:
        return {}
    rows = _readable().filter(application__in=keys)
    by_name = rows.filter(by_words("terms", found, and_), source=PERSON).values("application")
    places: dict[int, list[str]] = {}
    for key, source, name in (
        rows.filter(by_words("terms", found, or_))
        .exclude(source=PERSON)
        .exclude(application__in=by_name)
        .order_by("pk")
        .values_list("application", "source", "file__filename")
    ):
        places.setdefault(key, []).append(name or source)
    return places


def _readable() -> QuerySet[ApplicationTerms]:
    """All terms but those of files that the virus scan locks: nobody may read these."""
    return ApplicationTerms.objects.exclude(file__isnull=False, file__scan_verdict__in=LOCKED)


def _having(typed: str, rows: QuerySet[ApplicationTerms], first: int, last: int) -> Q:
    if first > 0 or last < LAST:
        rows = rows.filter(application__gte=first, application__lte=last)
    found = Q()
    for word in words(typed):
        found &= Q(pk__in=rows.filter(word.query("terms")).order_by().values("application"))
    return found or Q(pk__in=[])
