"""Copy the files of an application into the archive."""

from __future__ import annotations

import hashlib

from django.utils import timezone
from django.utils.translation import gettext as _

from careers import archive
from careers.applications.errors import Permanent
from careers.applications.files import stored_bytes
from careers.applications.models import ApplicationFile, FileBytes, FileKind
from careers.notifications import BeforeSend
from careers.pipeline.effects.subject import application_of
from careers.pipeline.models import Step
from careers.pipeline.registry import Outcome


def archive_files(step: Step, before_send: BeforeSend) -> Outcome:
    """Put every file and the manifest into the bucket; only then delete the database's copy.

    A person who has it done again wants to know whether the archive is complete: then what is there
    already is read back and compared.
    """
    application = application_of(step)
    files = list(application.files.exclude(kind=FileKind.MANIFEST))
    fresh = [file for file in files if file.verified_at is None]
    for file in fresh:
        content = stored_bytes(file)
        if content is None:
            raise Permanent("file-missing", _("The database no longer holds a file’s bytes."))
        file.object_key = archive.file_key(
            application.public_id, file.kind, file.sha256, file.content_type
        )
        file.object_version = archive.put(file.object_key, content, file.content_type).version
    known = [file for file in files if file.verified_at is not None and step.sequence]
    for file in known:
        archive.fetch(file.object_key, sha256=file.sha256)
    manifest = archive.manifest(application, files)
    sha256 = hashlib.sha256(manifest).hexdigest()
    key = archive.file_key(application.public_id, FileKind.MANIFEST, sha256, "application/json")
    version = archive.put(key, manifest, "application/json").version

    def record() -> None:
        now = timezone.now()
        for file in fresh:
            ApplicationFile.objects.filter(pk=file.pk).update(
                object_key=file.object_key, object_version=file.object_version, verified_at=now
            )
        ApplicationFile.objects.update_or_create(
            application=application,
            kind=FileKind.MANIFEST,
            sha256=sha256,
            defaults={
                "filename": "manifest.json",
                "content_type": "application/json",
                "size": len(manifest),
                "object_key": key,
                "object_version": version,
                "verified_at": now,
            },
        )
        ApplicationFile.objects.filter(pk__in=[file.pk for file in known]).update(verified_at=now)
        FileBytes.objects.filter(file__in=fresh).delete()

    return Outcome({"objects": [*(file.object_key for file in files), key]}, record=record)
