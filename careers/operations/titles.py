"""What each scheduled task does, for people."""

from django.utils.translation import gettext_lazy as _

TITLES = {
    "careers.publish_scheduled": _("Publish and unpublish pages on schedule"),
    "careers.clean_up_uploads": _(
        "Delete uploads of forms that were not sent, and old hashes of networks"
    ),
    "careers.clean_up_sign_ins": _("Delete old entries of the sign-in log, and ended sessions"),
    "careers.check_archive": _("Check that every file is in the archive"),
    "careers.check_content": _("Check the pictures, documents and links of the pages"),
    "careers.watch": _("Check for problems to report to operators"),
    "careers.daily_digest": _("Daily summary: checked every hour, sent once each morning"),
    "careers.index_texts": _("Read new applications and their files for the search"),
    "careers.thin_history": _("Delete the old history of tasks, and count finished steps again"),
    "careers.translate_pages": _("Update the translations of pages"),
}


def title_of(task: str) -> str:
    """What a task does, for people; the task's name where there are no words."""
    return str(TITLES.get(task, task))
