"""``manage.py after_restore``: the database was restored; let no mail go out twice."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import ngettext

from careers.pipeline import restored_database


class Command(BaseCommand):
    """Needed after a snapshot of a whole disk only: other copies are recognised by themselves."""

    help = (
        "To be run after a database was restored and before the workers start: mails that were "
        "not sent are left to a person, for they may have been sent since the copy was made."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        parked = restored_database.after_restore()
        self.stdout.write(
            ngettext(
                "%(count)d mail is now “Not confirmed”: decide in Task status.",
                "%(count)d mails are now “Not confirmed”: decide in Task status.",
                parked,
            )
            % {"count": parked}
        )
