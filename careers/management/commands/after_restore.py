"""``manage.py after_restore``: after a restore, keep any mail from being sent twice."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import ngettext

from careers.pipeline import restored_database


class Command(BaseCommand):
    """Needed only after a snapshot of a whole disk. The site detects other restores itself."""

    help = (
        "Run this after you restored a database and before the workers start. It sets every unsent "
        "mail to Unconfirmed, because the mail may have been sent after the backup was made."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        parked = restored_database.after_restore()
        self.stdout.write(
            ngettext(
                "%(count)d mail is now “Unconfirmed”. Decide about it in Task status.",
                "%(count)d mails are now “Unconfirmed”. Decide about them in Task status.",
                parked,
            )
            % {"count": parked}
        )
