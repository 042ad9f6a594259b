"""``manage.py prepare_archive``: create the archive's bucket if it does not exist."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from careers import archive
from careers.applications.errors import EffectError, Transient


class Command(BaseCommand):
    """Safe to run at every start. Exit 2 when the archive cannot be used."""

    help = "Create the bucket of the archive (S3) if it does not exist."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            created = archive.ensure_bucket()
        except Transient:
            raise CommandError(
                _("The archive (S3) did not answer. Check AWS_S3_ENDPOINT_URL, then start again."),
                returncode=2,
            ) from None
        except EffectError as error:
            raise CommandError(error.public, returncode=2) from None
        self.stdout.write(
            _("The bucket of the archive was created.")
            if created
            else _("The bucket of the archive exists.")
        )
