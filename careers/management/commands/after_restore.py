"""``manage.py after_restore``: after a restore, keep any mail from being sent twice."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import ngettext

from careers.pipeline import restored_database


class Command(BaseCommand):
    """For the restores that the site can't detect: see "Restore" in docs/operations.md."""

    help = (
        "Run this after you restored a database and before the workers start. It sets every unsent "
        "mail to Unconfirmed, because the mail may have been sent after the backup was made."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed = restored_database.after_restore()
        self.stdout.write(
            ngettext(
                "%(count)d mail is now “Unconfirmed”. Decide about it in Task status.",
                "%(count)d mails are now “Unconfirmed”. Decide about them in Task status.",
                changed,
            )
            % {"count": changed}
        )
