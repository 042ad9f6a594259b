"""A database with a million applications and four million finished steps, for measurements.

    from django.db import connection
    fill(connection, 1_000_000)

The rows go in by COPY, in some minutes for a million. They are what the site itself writes, so each
model's columns are compared with those that are written here: a new column is an error until this
module fills it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from careers.applications.models import (
    Application,
    ApplicationFile,
    ApplicationView,
    ConsentRecord,
    FileKind,
    IdempotencyKey,
)
from careers.applications.references import ALPHABET
from careers.jobs.models import JobPage
from careers.operations import tally
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step, StepEvent
from careers.search.models import VERSION, ApplicationTerms
from careers.search.terms import terms_of

#: The applications are spread over so much time, the last of it an hour ago.
SPAN = dt.timedelta(days=730)
#: Applications with a step that has not ended well, however many there are.
OPEN = 100
#: Jobs that are made if the site has none. One in so many applications is for the first job, as
#: some jobs are popular.
JOBS, POPULAR = 100, 10
KINDS = (RENDER_PDF, ARCHIVE, MAIL_APPLICANT, MAIL_HR)
FIRST = ("Jane", "José", "Anna", "Wei", "Fatima", "Olu", "Søren", "Mary", "Ivan", "Chloé")
SYLLABLES = ("ba", "der", "fin", "gor", "hal", "kin", "lo", "mar", "nes", "tov")
#: What of a thousand applications is different; the other values are those of most.
TEST, SPAM, CANCELLED = 1, 5, 1
STAGES = ("new",) * 6 + ("reviewing", "interview", "declined", "declined")
_NONE = r"\N"


def fill(connection: Any, applications: int) -> None:
    """Add applications to a PostgreSQL database, with their steps, events and files.

    Args:
        connection: Django's connection; its database is migrated.
        applications: how many. Each has four steps with four events each, two files, the terms of
            its search, a consent, an idempotency key and an entry in the access log.
    """
    with connection.cursor() as cursor:
        # The site's own limit is for requests.
        cursor.execute("SET statement_timeout = 0")
    jobs = _jobs()
    first = {model: _last_id(model) + 1 for model in _WRITERS}
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys are right by construction; checking them takes half of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model, rows in _WRITERS.items():
            fields = [field.attname for field in model._meta.concrete_fields]
            values = itemgetter(*fields)
            columns = [str(field.column) for field in model._meta.concrete_fields]
            table = connection.ops.quote_name(model._meta.db_table)
            names = ", ".join(map(connection.ops.quote_name, columns))
            indexes = _drop_indexes(cursor, table)
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                found = rows(jobs, first, applications)
                for number, row in enumerate(found):
                    if not number and row.keys() != set(fields):
                        raise RuntimeError(
                            f"bench/million.py does not fill {model._meta.label}: "
                            f"{set(fields) ^ row.keys()}"
                        )
                    copy.write("\t".join(values(row)) + "\n")
            for index in indexes:
                cursor.execute(index)
            if isinstance(model._meta.pk, models.AutoField):
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'),"
                    f" (SELECT MAX(id) FROM {table}))"
                )
    with connection.cursor() as cursor:
        for model in _WRITERS:
            cursor.execute(f"VACUUM ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
    # The sweeper of a running site has long counted what has ended.
    tally.fold()


def _drop_indexes(cursor: Any, table: str) -> list[str]:
    """Drop the indexes that hold no constraint; returns the statements that make them again.

    An index that is made at once takes a fraction of the time.
    """
    cursor.execute(
        "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
        " AND NOT indisunique",
        [table],
    )
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _name, definition in found]


def _jobs() -> list[tuple[int, uuid.UUID, str]]:
    """Page, job key and frozen form of each job."""
    if not JobPage.objects.exists():
        from tests.support.factories import JobIndexPageFactory, JobPageFactory

        parent = JobIndexPageFactory()
        for _number in range(JOBS):
            JobPageFactory(parent=parent)
    return [
        (page.pk, page.translation_key, _form(page))
        for page in JobPage.objects.order_by("pk")[:JOBS]
    ]


def _form(page: JobPage) -> str:
    """The frozen form, without the texts that no list reads."""
    form = page.frozen_form()
    short = replace(form, questions=form.questions[:2], privacy_notice="", facts=())
    return _escaped(json.dumps(short.to_json()))


def _last_id(model: type[models.Model]) -> int:
    last = model._default_manager.aggregate(last=models.Max("pk"))["last"]
    return last if isinstance(last, int) else 0


def _escaped(text: str) -> str:
    """A text as COPY reads it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _digest(*parts: object) -> str:
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


def _id_of(*parts: object) -> str:
    return str(uuid.UUID(_digest(*parts)[:32]))


def _name(number: int) -> str:
    # Nobody has the name of another person, so a search finds as many rows in every database.
    parts = [SYLLABLES[number // 10**place % 10] for place in range(6)]
    return f"{FIRST[number * 7 % len(FIRST)]} {''.join(parts).capitalize()}"


def _reference(number: int) -> str:
    # Odd, so that no two numbers have the same.
    spread, made = number * 7919_7919_79 % len(ALPHABET) ** 8, ""
    for _place in range(8):
        spread, place = divmod(spread, len(ALPHABET))
        made += ALPHABET[place]
    return f"{made[:4]}-{made[4:]}"


Jobs = list[tuple[int, uuid.UUID, str]]
First = dict[type[models.Model], int]


def _moments(count: int) -> Iterator[tuple[int, dt.datetime]]:
    begin = timezone.now() - dt.timedelta(hours=1) - SPAN
    for number in range(count):
        yield number, begin + SPAN * (number / count)


def _applications(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    for number, at in _moments(count):
        pk = first[Application] + number
        page, job_key, form = jobs[number * 31 % len(jobs) if number % POPULAR else 0]
        name, share = _name(number), number * 13 % 1000
        email = f"person{pk}@example.com"
        quarantined = share < SPAM
        yield {
            "id": str(pk),
            "public_id": _id_of("application", pk),
            "reference": _reference(pk),
            "receipt_secret": _digest("secret", pk)[:43],
            "page_id": str(page),
            "job_key": str(job_key),
            "revision_id": _NONE,
            "language": "fr" if number % 5 == 0 else "en",
            "form": form,
            "answers": json.dumps({"name": name, "email": email}, ensure_ascii=False),
            "name": name,
            "email": email,
            "phone": f"+1 202 555 {number % 10000:04}",
            "fingerprint": _digest("content", pk),
            "network": _digest("network", number // 3),
            "mailbox": _digest("mailbox", pk),
            "repeats_id": _NONE,
            "mails_hr": "t",
            "receipt_issued_at": at.isoformat(),
            "received_at": at.isoformat(),
            "erase_after": _NONE,
            "review_stage": STAGES[number * 17 % len(STAGES)],
            "is_test": "t" if share >= 1000 - TEST else "f",
            "quarantined": "t" if quarantined else "f",
            "quarantine_reason": "links" if quarantined else "",
        }


def _consents(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    for number, at in _moments(count):
        yield {
            "id": str(first[ConsentRecord] + number),
            "application_id": str(first[Application] + number),
            "purpose": "privacy_notice",
            "text": "We keep your data for six months.",
            "given": "t",
            "at": at.isoformat(),
        }


def _files(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    for number, at in _moments(count):
        pk = first[Application] + number
        public_id = _id_of("application", pk)
        for place, kind in enumerate((FileKind.CV, FileKind.PDF)):
            file, digest = first[ApplicationFile] + 2 * number + place, _digest(kind, pk)
            yield {
                "id": str(file),
                "application_id": str(pk),
                "public_id": _id_of("file", file),
                "kind": kind.value,
                "question_key": "cv" if kind == FileKind.CV else "",
                "filename": "cv.pdf",
                "content_type": "application/pdf",
                "size": "90000",
                "sha256": digest,
                "scan_verdict": "not_scanned",
                "marks": "",
                "scan_signature": "",
                "scanned_at": _NONE,
                "object_key": f"applications/{public_id}/{kind.value}-{digest}.pdf",
                "object_version": "",
                "verified_at": (at + dt.timedelta(seconds=9)).isoformat(),
                "created_at": at.isoformat(),
            }


def _terms(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    person, answers = ApplicationTerms.PERSON, ApplicationTerms.ANSWERS
    worked = [terms_of(f"work {kind}") for kind in range(997)]
    for number in range(count):
        pk = first[Application] + number
        who = f"{_name(number)}\nperson{pk}@example.com\n{_reference(pk)}"
        both = ((person, terms_of(who)), (answers, worked[number % 997]))
        for place, (source, terms) in enumerate(both):
            yield {
                "id": str(first[ApplicationTerms] + 2 * number + place),
                "application_id": str(pk),
                "file_id": _NONE,
                "source": source,
                "terms": terms,
                "version": str(VERSION),
            }


def _keys(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        pk = first[Application] + number
        yield {
            "digest": _digest("sender", pk),
            "application_id": str(pk),
            "expires_at": _NONE,
        }


def _views(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    for number, at in _moments(count):
        yield {
            "id": str(first[ApplicationView] + number),
            "application_id": str(first[Application] + number),
            "user_id": _NONE,
            "user_name": "Robin Reader (robin)",
            "what": "detail",
            "at": (at + dt.timedelta(minutes=50)).isoformat(),
            "hour": _NONE,
        }


def _outcome(number: int, kind: str, count: int) -> str:
    """The state of a step: a few have not ended well, and a few mails were cancelled."""
    every = max(1, count // OPEN)
    if number % every == 0:
        place = number // every % 4
        if kind == MAIL_HR and place == 0:
            return "retrying"
        if (kind == MAIL_APPLICANT and place == 1) or (kind == ARCHIVE and place in (2, 3)):
            return "uncertain" if kind == MAIL_APPLICANT else "failed"
    if kind == MAIL_APPLICANT and number * 29 % 1000 < CANCELLED:
        return "cancelled"
    return "succeeded"


def _steps(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    tomorrow = (timezone.now() + dt.timedelta(days=1)).isoformat()
    for number, at in _moments(count):
        application = first[Application] + number
        for place, kind in enumerate(KINDS):
            pk = first[Step] + len(KINDS) * number + place
            state = _outcome(number, kind, count)
            started, ended = (
                (at + dt.timedelta(seconds=second + place)).isoformat() for second in (1, 2)
            )
            went_well, is_mail = state == "succeeded", kind.startswith("mail")
            message = f'{{"message_id": "<{kind}.{pk}@example.com>", "response": "250 OK"}}'
            yield {
                "id": str(pk),
                "application_id": str(application),
                "alert_id": _NONE,
                "kind": kind,
                "recipient": "hr@example.com" if kind == MAIL_HR else "",
                "sequence": "0",
                "state": state,
                "state_since": ended,
                "token": "1",
                "owner": "worker:1a2b3c4d",
                "lease_until": _NONE,
                "run_after": tomorrow if state == "retrying" else _NONE,
                "ready_at": tomorrow if state == "retrying" else at.isoformat(),
                "dispatched_at": at.isoformat(),
                "dispatches": "1",
                "attempts": "1",
                "failing_since": _NONE if went_well else started,
                "phase": "data" if state == "uncertain" else "",
                "repeat_until": _NONE,
                "repeat_with": "",
                "reported_at": _NONE,
                "delivered_at": _NONE,
                "bounced_at": _NONE,
                "bounce_reason": "",
                "error_class": "" if state in ("succeeded", "cancelled") else "transient",
                "error_code": "" if went_well else "archive-unavailable",
                "error_public": "" if went_well else "It did not work.",
                "result": message if is_mail and went_well else "{}",
                "replaced_by_id": _NONE,
                "created_at": at.isoformat(),
                "started_at": started,
                "ended_at": _NONE if state == "retrying" else ended,
                "celery_task_id": _id_of("task", pk),
            }


def _events(jobs: Jobs, first: First, count: int) -> Iterator[dict[str, str]]:
    event = first[StepEvent]
    for number, at in _moments(count):
        for place, kind in enumerate(KINDS):
            states = ("", "queued", "sent", "started", _outcome(number, kind, count))
            for second in range(4):
                yield {
                    "id": str(event),
                    "step_id": str(first[Step] + len(KINDS) * number + place),
                    "at": (at + dt.timedelta(seconds=second)).isoformat(),
                    "attempt": str(int(second > 1)),
                    "from_state": states[second],
                    "to_state": states[second + 1],
                    "actor": "intake" if second < 2 else "worker:1a2b3c4d",
                    "reason": "",
                    "traceback": "",
                }
                event += 1


_WRITERS = {
    Application: _applications,
    ConsentRecord: _consents,
    ApplicationFile: _files,
    ApplicationTerms: _terms,
    IdempotencyKey: _keys,
    ApplicationView: _views,
    Step: _steps,
    StepEvent: _events,
}
