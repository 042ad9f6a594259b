"""What each scheduled task does, and what it means if it does not run, for people."""

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


#: What applicants and HR notice while a task fails.
EFFECTS = {
    "careers.publish_scheduled": _("Meanwhile scheduled pages do not go live or expire."),
    "careers.clean_up_uploads": _("Meanwhile kept files of unsent forms stay longer than a day."),
    "careers.clean_up_sign_ins": _("Meanwhile old sign-ins stay in the log."),
    "careers.check_archive": _("Meanwhile nobody notices if an archived file is missing."),
    "careers.check_content": _(
        "Meanwhile nobody notices if a page shows a broken picture or link."
    ),
    "careers.watch": _("Meanwhile only the sweeper sends alerts."),
    "careers.daily_digest": _("Meanwhile no daily summary is sent."),
    "careers.index_texts": _(
        "Meanwhile search finds new applications by name, address and reference only."
    ),
    "careers.thin_history": _("Meanwhile the history grows. Nothing else is affected."),
    "careers.translate_pages": _("Meanwhile translations of changed pages stay old."),
}


def effect_of(task: str) -> str:
    """What it means for applicants and HR that a task fails; "" where that is unknown."""
    return str(EFFECTS.get(task, ""))


def title_of(task: str) -> str:
    """What a task does, for people; the task's name where there are no words."""
    return str(TITLES.get(task, task))
