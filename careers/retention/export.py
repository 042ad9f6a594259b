"""Everything that the site holds about a person, as one ZIP file (GDPR, articles 15 and 20).

``data.json`` follows the data map; the files of the applications lie beside it.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from careers.applications.models import Application, ApplicationFile
from careers.retention.data_map import Declaration, declarations

#: Raised when the structure of ``data.json`` changes.
FORMAT = 1
#: What the file systems of readers forbid in names.
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
#: Characters of a file's own name that are kept.
LENGTH = 120


def write(
    applications: Sequence[Application],
    to: IO[bytes],
    content_of: Callable[[ApplicationFile], bytes],
) -> None:
    """Write the export of some applications. Only one file's bytes are in memory at a time.

    Args:
        applications: those of one person.
        to: a file that can be written and sought.
        content_of: returns the bytes of a file. Its errors end the export: a person must not get
            an incomplete one by accident.
    """
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        data = {
            "format": FORMAT,
            "made_at": timezone.now(),
            "applications": [data_of(application) for application in applications],
        }
        text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        archive.writestr("data.json", text)
        for application in applications:
            for file in application.files.all():
                if not file.is_locked:
                    archive.writestr(name_of(application, file), content_of(file))


def data_of(application: Application) -> dict[str, Any]:
    """The rows about one application: by the model's name a list of what the data map exports."""
    found = {}
    for declaration in declarations():
        if declaration.path is not None:
            rows = list(_rows(declaration, application))
            found[declaration.label.partition(".")[2]] = rows
    for file, row in zip(application.files.all(), found["ApplicationFile"], strict=True):
        # An infected file must not harm the person's device. Its name and SHA-256 are there.
        row["file"] = None if file.is_locked else name_of(application, file)
    return found


def _rows(declaration: Declaration, application: Application) -> Iterator[dict[str, Any]]:
    names = [name for name, field in declaration.personal.items() if field.exported]
    if not names:
        return
    model: type[Model] = apps.get_model(declaration.label)
    rows = model._default_manager.filter(**{declaration.path or "pk": application.pk})
    yield from rows.order_by("pk").values(*names)


def name_of(application: Application, file: ApplicationFile) -> str:
    """The name of a file in the ZIP; no two files of an application have the same."""
    own = FORBIDDEN.sub("_", file.filename).strip(" .")[-LENGTH:] or "file"
    return f"{application.reference}/{file.pk}-{own}"
