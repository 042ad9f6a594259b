"""``manage.py check_archive``: read every archived file back and compare it."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.applications.errors import EffectError, Permanent
from careers.applications.models import ApplicationFile
from careers.archive import store


class Command(BaseCommand):
    """A line per object that is missing, changed or unreadable.

    Exit 0: all verified; 1: some are not; 2: the archive can't be reached.
    """

    help = "Compare every archived file with the SHA-256 that was recorded for it."

    def handle(self, *args: Any, **options: Any) -> None:
        archived = (
            ApplicationFile.objects.filter(verified_at__isnull=False)
            .order_by("pk")
            .values_list("object_key", "sha256")
        )
        checked = wrong = 0
        for key, sha256 in archived.iterator():
            checked += 1
            verdict = self.look(key, sha256)
            if verdict:
                wrong += 1
                self.stdout.write(f"{verdict}  {key}")
        if wrong:
            self.stderr.write(
                ngettext(
                    "%(wrong)d of %(count)d archived file is not what was stored. "
                    "Restore it from a backup.",
                    "%(wrong)d of %(count)d archived files are not what was stored. "
                    "Restore them from a backup.",
                    checked,
                )
                % {"wrong": wrong, "count": checked}
            )
            sys.exit(1)
        self.stdout.write(
            ngettext(
                "%(count)d archived file is verified.",
                "%(count)d archived files are verified.",
                checked,
            )
            % {"count": checked}
        )

    def look(self, key: str, sha256: str) -> str:
        """What is wrong with an object, in a word; "" when nothing is."""
        try:
            store.fetch(key, sha256=sha256)
        except Permanent as error:
            return _("missing") if error.code == "archive-missing" else _("changed")
        except EffectError:
            try:
                # One object that can't be read is a finding; an archive that is away is none.
                store.probe()
            except EffectError as error:
                raise CommandError(error.public, returncode=2) from None
            return _("unreadable")
        return ""
