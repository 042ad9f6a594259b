"""``manage.py check_archive``: read back every archived file and compare its hash."""

import datetime as dt
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers import archive
from careers.applications.errors import EffectError
from careers.applications.models import Application, ApplicationFile
from careers.archive import keys
from careers.archive.listing import Verdict

#: Rows in one query. Short queries do not hold a transaction open for the whole run.
BATCH = 500


class Command(BaseCommand):
    """Prints a line for each object that is missing, changed or unreadable.

    Exit 0: all verified; 1: some are not, or ``--unknown`` found some; 2: the archive cannot be
    reached.
    """

    help = (
        "Compare every archived file with the SHA-256 that was recorded for it. "
        "Exit 0: all verified; 1: a line per object that is missing or changed; "
        "2: the archive cannot be reached."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--unknown",
            action="store_true",
            help="list the applications that are in the bucket but not in the database, as "
            "after you restored an older database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["unknown"]:
                self.list_unknown()
            else:
                self.compare()
        except EffectError as error:
            raise CommandError(error.public, returncode=2) from None

    def compare(self) -> None:
        """Compare every archived file. Files that are not archived yet are counted separately."""
        counted = dict.fromkeys(Verdict, 0)
        for key, verdict in archive.compare(archived(ApplicationFile.objects.all())):
            counted[verdict] += 1
            if verdict is not Verdict.VERIFIED:
                self.stdout.write(f"{verdict_word(verdict)}  {key}")
        unarchived = ApplicationFile.objects.filter(verified_at=None)
        lost = 0
        for file in unarchived.filter(stored=None).select_related("application"):
            lost += 1
            self.stdout.write(_("lost") + f"  {file.application.reference} {file.public_id}")
        total = sum(counted.values())
        wrong = total - counted[Verdict.VERIFIED]
        self.stdout.write(
            ngettext(
                "%(verified)d of %(count)d archived file is verified.",
                "%(verified)d of %(count)d archived files are verified.",
                total,
            )
            % {"verified": total - wrong, "count": total}
        )
        if waiting := unarchived.exclude(stored=None).count():
            self.stdout.write(
                ngettext(
                    "%(count)d file is not archived yet. It is in the database.",
                    "%(count)d files are not archived yet. They are in the database.",
                    waiting,
                )
                % {"count": waiting}
            )
        if wrong:
            self.stderr.write(
                _(
                    "Put them back from a copy of the bucket: "
                    "manage.py restore_file --all --from FOLDER"
                )
            )
        if lost:
            self.stderr.write(
                _(
                    "Lost files are neither in the database nor in the archive. Look for them in "
                    "an older backup of the database."
                )
            )
        if wrong or lost:
            sys.exit(1)

    def list_unknown(self) -> None:
        """Print a line for each application that is only in the bucket, without names."""
        count = 0
        for folder in unknown():
            count += 1
            self.stdout.write(_("unknown") + f"  {folder}  {described(folder)}".rstrip())
        if not count:
            self.stdout.write(_("The database knows every application in the archive."))
            return
        self.stderr.write(
            ngettext(
                "%(count)d application is in the archive but not in the database. Save its files "
                "for HR: manage.py restore_file ID --to FOLDER",
                "%(count)d applications are in the archive but not in the database. Save their "
                "files for HR: manage.py restore_file ID --to FOLDER",
                count,
            )
            % {"count": count}
        )
        sys.exit(1)


def archived(files: QuerySet[ApplicationFile]) -> Iterator[tuple[str, str]]:
    """Yield the object key and SHA-256 of each archived file."""
    last = 0
    rows = files.filter(verified_at__isnull=False).order_by("pk")
    while some := list(rows.filter(pk__gt=last).values("pk", "object_key", "sha256")[:BATCH]):
        yield from ((row["object_key"], row["sha256"]) for row in some)
        last = some[-1]["pk"]


def unknown() -> Iterator[str]:
    """Yield the public ids of applications that have objects but no row."""
    found = archive.folders(keys.FOLDER)
    while some := list(islice(found, BATCH)):
        ids = [public_id for name in some if (public_id := keys.as_public_id(name))]
        known = set(
            Application.objects.filter(public_id__in=ids).values_list("public_id", flat=True)
        )
        yield from (str(public_id) for public_id in ids if public_id not in known)


def described(public_id: str) -> str:
    """Reference, date and job of an application, from its manifest."""
    for key in archive.keys_below(f"{keys.FOLDER}{public_id}/manifest-"):
        try:
            manifest = json.loads(archive.fetch(key, sha256=keys.sha256_of(key)))
            received = dt.datetime.fromisoformat(manifest["received_at"])
            reference, job = manifest["reference"], manifest["job"]["title"]
        except (EffectError, ValueError, LookupError, TypeError):
            continue
        return f"{reference}  {received:%Y-%m-%d %H:%M} UTC  {job}"
    return _("without a manifest")


def verdict_word(verdict: Verdict) -> str:
    """The verdict in one word."""
    return {
        Verdict.VERIFIED: _("verified"),
        Verdict.MISSING: _("missing"),
        Verdict.CHANGED: _("changed"),
        Verdict.UNREADABLE: _("unreadable"),
    }[verdict]
