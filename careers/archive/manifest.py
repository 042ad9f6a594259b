"""The manifest of an application: its questions, answers, consents and files in one JSON file.

With it, the bucket alone is enough to read an application, even without the database.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable

from careers.applications.models import Application, ApplicationFile
from careers.archive.keys import file_key
from home.values import mail_address

CONTENT_TYPE = "application/json"
VERSION = 1


def manifest(application: Application, files: Iterable[ApplicationFile]) -> bytes:
    """The manifest of an application: JSON in UTF-8, the same bytes for the same content.

    Args:
        files: every file that is archived with the manifest, in any order.
    """
    document = {
        "manifest": VERSION,
        "application": str(application.public_id),
        "reference": application.reference,
        "job": {"key": str(application.job_key), "title": application.job_title},
        "language": application.language,
        "received_at": _utc(application.received_at),
        "applicant": {
            "name": application.name,
            "email": mail_address.for_people(application.email),
            "phone": application.phone,
        },
        "form": application.form,
        "answers": application.answers,
        "consents": [
            {
                "purpose": record.purpose,
                "text": record.text,
                "given": record.given,
                "at": _utc(record.at),
            }
            for record in application.consents.all()
        ],
        "files": sorted(
            (
                {
                    "kind": file.kind,
                    "question": file.question_key,
                    "filename": file.filename,
                    "content_type": file.content_type,
                    "size": file.size,
                    "sha256": file.sha256,
                    "key": file_key(
                        application.public_id, file.kind, file.sha256, file.content_type
                    ),
                }
                for file in files
                if file.kind != "manifest"
            ),
            key=lambda file: (file["kind"], file["question"], file["sha256"]),
        ),
    }
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
    # A lone surrogate cannot be encoded as UTF-8. A JSON escape keeps it readable.
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
