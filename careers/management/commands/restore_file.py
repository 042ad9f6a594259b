"""``manage.py restore_file``: save files from the archive, or restore files in the archive."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers import archive
from careers.applications.errors import EffectError, Permanent
from careers.applications.files import stored_bytes
from careers.applications.models import ApplicationFile, FileKind
from careers.applications.references import normalise_reference
from careers.archive import keys
from careers.archive.listing import Verdict
from careers.management.commands.check_archive import archived, verdict_word

STDOUT = "-"


@dataclass(frozen=True)
class Wanted:
    """A file to save: where it is, and the hash it must have."""

    folder: str
    name: str
    sha256: str
    key: str
    row: ApplicationFile | None = None
    is_locked: bool = False


class Command(BaseCommand):
    """Copies files out of the archive (``--to``), or from a copy back into it (``--from``).

    A file gets its name only after its SHA-256 matches the recorded one. Exit 0: all done;
    1: some failed; 2: nothing was done.
    """

    help = (
        "Save archived files (--to), or restore missing and changed files in the archive from a "
        "copy (--from). Exit 0: all done; 1: some failed; 2: nothing was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "what",
            nargs="*",
            metavar="WHAT",
            help="an application's reference or id, a file's id, or a key as check_archive "
            "prints it",
        )
        parser.add_argument(
            "--all", action="store_true", help="with --from: every file that check_archive lists"
        )
        parser.add_argument("--kind", choices=FileKind.values, help="only files of this kind")
        parser.add_argument(
            "--locked", action="store_true", help="save files that the virus scan locks, too"
        )
        way = parser.add_mutually_exclusive_group()
        way.add_argument(
            "--to", metavar="FOLDER", help="save here (default: this folder); - for standard output"
        )
        way.add_argument(
            "--from",
            dest="source",
            metavar="PATH",
            help="restore the archive from here: a file, or the folder with a copy of the bucket",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["source"]:
                failed = self.put_back(_rows(options), Path(options["source"]))
            else:
                failed = self.save(_wanted(options), options["to"] or ".")
        except EffectError as error:
            raise CommandError(error.public, returncode=2) from None
        if failed:
            sys.exit(1)

    # ── Out of the archive ──────────────────────────────────────────────────────────────

    def save(self, files: list[Wanted], to: str) -> int:
        """Write each file below ``to``; returns how many failed."""
        if to == STDOUT:
            if len(files) > 1:
                raise _refused(
                    _("Standard output takes one file, but %(count)d match. Add --kind.")
                    % {"count": len(files)}
                )
            sys.stdout.buffer.write(_content(files[0]))
            sys.stdout.buffer.flush()
            return 0
        failed = 0
        for file in files:
            path = Path(to, file.folder, file.name)
            try:
                _write(path, _content(file))
            except (Permanent, OSError) as error:
                failed += 1
                self.stderr.write(f"{path}: {_cause(error)}")
            else:
                self.stdout.write(_("saved") + f"  {path}")
        return failed

    # ── Back into the archive ───────────────────────────────────────────────────────────

    def put_back(self, rows: QuerySet[ApplicationFile], source: Path) -> int:
        """Restore missing and changed objects; returns how many still are missing or changed."""
        if not source.exists():
            raise _refused(_("There is nothing at %(path)s.") % {"path": source})
        count = rows.exclude(verified_at=None).values("object_key").distinct().count()
        if source.is_file() and count != 1:
            raise _refused(
                _(
                    "One file can replace one object, but %(count)d match. Give a key as "
                    "check_archive prints it, or the folder with a copy of the bucket."
                )
                % {"count": count}
            )
        failed = restored = 0
        for key, verdict in archive.compare(archived(rows)):
            if verdict is Verdict.VERIFIED:
                continue
            refusal = verdict_word(verdict)
            if verdict is not Verdict.UNREADABLE:
                refusal = _put_back(key, source)
            restored += not refusal
            failed += bool(refusal)
            self.stdout.write((refusal or _("restored")) + f"  {key}")
        self.stdout.write(
            ngettext("%(count)d object was restored.", "%(count)d objects were restored.", restored)
            % {"count": restored}
        )
        return failed


def _put_back(key: str, source: Path) -> str:
    """Restore one object. Returns why it failed, in words, or "" if it did not."""
    # An applicant may answer two questions with the same file.
    rows = ApplicationFile.objects.filter(object_key=key)
    path = source if source.is_file() else source / key
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _("not in the copy")
    except OSError as error:
        return _cause(error)
    if hashlib.sha256(content).hexdigest() != keys.sha256_of(key):
        return _("different in the copy")
    try:
        stored = archive.restore(key, content, rows[0].content_type)
    except Permanent as error:
        return error.public
    rows.update(object_version=stored.version, verified_at=timezone.now())
    return ""


def _rows(options: dict[str, Any]) -> QuerySet[ApplicationFile]:
    if options["all"] == bool(options["what"]):
        raise _refused(_("Say what to restore: references, ids or keys; or --all."))
    rows = ApplicationFile.objects.order_by("pk")
    if options["kind"]:
        rows = rows.filter(kind=options["kind"])
    if options["all"]:
        return rows
    found = ApplicationFile.objects.none()
    for what in options["what"]:
        some = rows & _named(what)
        if not some.exists():
            raise _unknown(what)
        found |= some
    return found


def _wanted(options: dict[str, Any]) -> list[Wanted]:
    """The files to save, including those of applications that are only in the archive."""
    if options["all"]:
        raise _refused(_("--all works only with --from. To save all files, copy the bucket."))
    if not options["what"]:
        raise _refused(_("Say what to restore: references, ids or keys."))
    found: dict[str, Wanted] = {}
    prefix = f"{options['kind']}-" if options["kind"] else ""
    for what in options["what"]:
        rows = _named(what).select_related("application").order_by("pk")
        files = [_of_row(row, options["locked"]) for row in rows] or list(
            _of_keys(_keys_below(what))
        )
        kept = [file for file in files if file.name.startswith(prefix)]
        if not kept:
            raise _unknown(what)
        found.update((f"{file.folder}/{file.name}", file) for file in kept)
    return list(found.values())


def _named(what: str) -> QuerySet[ApplicationFile]:
    files = ApplicationFile.objects.all()
    if "/" in what:
        return files.filter(object_key=what)
    if public_id := keys.as_public_id(what):
        return files.filter(public_id=public_id) | files.filter(application__public_id=public_id)
    return files.filter(application__reference=normalise_reference(what))


def _of_row(file: ApplicationFile, locked_too: bool) -> Wanted:
    key = file.object_key or keys.file_key(
        file.application.public_id, file.kind, file.sha256, file.content_type
    )
    name = PurePosixPath(key).name
    is_locked = file.is_locked and not locked_too
    return Wanted(file.application.reference, name, file.sha256, file.object_key, file, is_locked)


def _keys_below(what: str) -> Iterable[str]:
    public_id = keys.as_public_id(what)
    return archive.keys_below(f"{keys.FOLDER}{public_id}/") if public_id else ()


def _of_keys(found: Iterable[str]) -> Iterator[Wanted]:
    for key in found:
        if sha256 := keys.sha256_of(key):
            _applications, folder, name = key.split("/")
            yield Wanted(folder, name, sha256, key)


def _content(file: Wanted) -> bytes:
    """The verified bytes: from the database if it has them, else from the archive."""
    if file.is_locked:
        raise Permanent(
            "file-locked",
            _("The virus scan locks the file. Add --locked to save it nevertheless."),
        )
    content = stored_bytes(file.row) if file.row else None
    if content is None:
        if not file.key:
            raise Permanent(
                "file-missing", _("The file is neither in the database nor in the archive.")
            )
        return archive.fetch(file.key, sha256=file.sha256)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Permanent(
            "file-changed", _("The content in the database does not match its recorded hash.")
        )
    return content


def _write(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, readable only by its owner."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _cause(error: Permanent | OSError) -> str:
    if isinstance(error, Permanent):
        return error.public
    return f"{error.strerror or type(error).__name__}."


def _refused(reason: str) -> CommandError:
    return CommandError(reason, returncode=2)


def _unknown(what: str) -> CommandError:
    return _refused(
        _(
            "Neither the database nor the archive has a file for “%(what)s”. Give an application’s "
            "reference or id, a file’s id, or a key as check_archive prints it."
        )
        % {"what": what}
    )
