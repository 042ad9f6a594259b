"""The table of queries, asked of the database; and what an application is found by."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection

from careers.applications.models import Application, FileKind, ScanVerdict
from careers.search import trigrams
from careers.search.applications import (
    PERSON,
    by_anything,
    by_person,
    index_answers,
    index_file,
    places_of,
)
from careers.search.models import ApplicationTerms
from careers.search.terms import terms_of
from careers.search.words import by_words, words
from tests.support.factories import ApplicationFactory, ApplicationFileFactory
from tests.support.searching import CASES, EMPTY

pytestmark = pytest.mark.django_db


@pytest.fixture
def application(bare_job: Any) -> Application:
    made: Application = ApplicationFactory(
        page=bare_job, name="Élodie D’Artagnan", email="elodie@example.com", reference="7KD4-93MX"
    )
    made.form["questions"] = [
        *made.form["questions"],
        {"key": "q", "type": "long_text", "label": "Why?", "options": []},
        {"key": "n", "type": "number", "label": "How much?", "options": []},
        {"key": "d", "type": "date", "label": "From when?", "options": []},
    ]
    made.answers |= {"n": "45000", "d": "2027-02-01"}
    made.answers["q"] = "I keep tide gauges in C++."
    made.save()
    return made


def test_database_finds_the_same_as_the_functions(application: Application) -> None:
    texts = {str(at): text for at, (text, _finding, _missing) in enumerate(CASES)}
    rows = [
        ApplicationTerms(application=application, source=source, terms=terms_of(text))
        for source, text in texts.items()
    ]
    ApplicationTerms.objects.bulk_create(rows)
    for _text, finding, missing in CASES:
        for typed in [*finding, *missing]:
            found = words(typed)
            asked = ApplicationTerms.objects.filter(by_words("terms", found)).exclude(source=PERSON)
            by_functions = {
                row.source for row in rows if all(word.within(row.terms) for word in found)
            }
            assert set(asked.values_list("source", flat=True)) == by_functions, typed


@pytest.mark.parametrize(
    "typed", ["elodie", "D'Artagnan élod", "elodie@example.com", "7kd493mx", "93MX dartagnan"]
)
def test_person_is_found_at_once_by_name_address_and_reference(
    application: Application, typed: str
) -> None:
    assert Application.objects.filter(by_person(typed)).exists()
    assert Application.objects.filter(by_anything(typed)).exists()
    assert places_of(typed, [application]) == {}


def test_words_are_found_wherever_they_are(application: Application) -> None:
    cv = ApplicationFileFactory(application=application, filename="Lebenslauf Ärztin.pdf")
    index_answers(application)
    index_file(cv, "Berufserfahrung: .NET und Straßenbau")
    for typed, places in (
        ("c++", ["answers"]),
        ("45,000", ["answers"]),
        ("45000 2027-02-01", ["answers"]),
        ("february", ["answers"]),
        ("aerztin", ["answers"]),
        ("strassenbau", [cv.filename]),
        (".net elodie c++", ["answers", cv.filename]),
    ):
        assert Application.objects.filter(by_anything(typed)).exists(), typed
        assert not Application.objects.filter(by_person(typed)).exists(), typed
        assert places_of(typed, [application]) == {application.pk: places}
    for typed in ("c#", "c", "elodie python", "under"):
        assert not Application.objects.filter(by_anything(typed)).exists(), typed


@pytest.mark.parametrize("typed", EMPTY)
def test_query_without_words_finds_nothing(application: Application, typed: str) -> None:
    assert not Application.objects.filter(by_anything(typed)).exists()


@pytest.mark.parametrize("verdict", [ScanVerdict.WAITING, ScanVerdict.INFECTED])
def test_text_of_a_locked_file_finds_nothing(application: Application, verdict: str) -> None:
    cv = ApplicationFileFactory(application=application)
    index_file(cv, "Straßenbau")
    assert Application.objects.filter(by_anything("strassenbau")).exists()
    cv.scan_verdict = verdict
    cv.save()
    assert not Application.objects.filter(by_anything("strassenbau")).exists()
    assert places_of("strassenbau", [application]) == {}


def test_terms_go_with_their_file_and_their_application(application: Application) -> None:
    for kind in (FileKind.CV, FileKind.COVER_LETTER):
        index_file(ApplicationFileFactory(application=application, kind=kind), "Straßenbau")
    index_answers(application)
    application.files.filter(kind=FileKind.CV).delete()
    assert ApplicationTerms.objects.count() == 3
    application.delete()
    assert not ApplicationTerms.objects.exists()


def test_indexing_again_replaces_the_terms(application: Application) -> None:
    cv = ApplicationFileFactory(application=application)
    index_file(cv, "Straßenbau")
    index_file(cv, "Brückenbau")
    assert ApplicationTerms.objects.filter(file=cv).get().terms == " bruckenbau brueckenbau "


class Refusing:
    """A PostgreSQL that has no extension and lets nobody make one."""

    vendor = "postgresql"

    def cursor(self) -> Refusing:
        return self

    def __enter__(self) -> Refusing:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def execute(self, statement: str) -> None:
        if not statement.startswith("SELECT"):
            raise DatabaseError("permission denied to create extension")

    def fetchone(self) -> None:
        return None


def test_search_works_where_nobody_may_make_the_extension() -> None:
    assert trigrams.make_index(Refusing()) is False


def test_migration_tries_again_when_the_table_is_in_use() -> None:
    class Busy(Refusing):
        def execute(self, statement: str) -> None:
            if not statement.startswith("SELECT"):
                raise OperationalError from psycopg.errors.LockNotAvailable()

    with pytest.raises(OperationalError):
        trigrams.make_index(Busy())


def test_migration_makes_the_index_where_the_database_can_have_it() -> None:
    if connection.vendor == "sqlite":
        assert trigrams.make_index(connection) is False
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'),"
            " EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = %s)",
            [trigrams.INDEX],
        )
        available, made = cursor.fetchone()
    assert made is available
