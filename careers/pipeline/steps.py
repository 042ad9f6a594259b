"""The process, on one screen.

    received ─┬─▶ mail_applicant              the receipt, at once
              └─▶ render_pdf ─┬─▶ archive     PDF, files and manifest into the bucket
                              └─▶ mail_hr     also when the PDF failed: HR must know
    alert ─────▶ mail_operators               a problem, its end, the daily summary

Mails about an application wait while it is quarantined, and an applicant's mailbox gets a limited
number of mails a day (``careers.pipeline.mailbox_limit``). Another app adds a step with
``register``: see ``careers.pipeline.registry``.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from careers.pipeline.effects.archive import archive_files
from careers.pipeline.effects.mails import mail_applicant, mail_hr, mail_operators
from careers.pipeline.effects.render_pdf import render_pdf
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, MAIL_OPERATORS, RENDER_PDF
from careers.pipeline.registry import (
    NOT_QUARANTINED,
    Outcome,
    StepDefinition,
    ended,
    register,
    succeeded,
)

__all__ = ["NOT_QUARANTINED", "Outcome", "StepDefinition", "ended", "register", "succeeded"]

# fmt: off
PROCESS = (
    StepDefinition(
        kind=RENDER_PDF, effect=render_pdf, queue="cpu",
        label=_("Make the PDF"), short_label=pgettext_lazy("step, short", "PDF"),
    ),
    StepDefinition(
        kind=ARCHIVE, effect=archive_files, after=(succeeded(RENDER_PDF),),
        label=_("Archive"), short_label=pgettext_lazy("step, short", "Archive"),
    ),
    StepDefinition(
        kind=MAIL_APPLICANT, effect=mail_applicant, is_mail=True, to_applicant=True,
        gate=NOT_QUARANTINED,
        label=_("Receipt to the applicant"), short_label=pgettext_lazy("step, short", "Receipt"),
    ),
    StepDefinition(
        kind=MAIL_HR, effect=mail_hr, is_mail=True, gate=NOT_QUARANTINED, per_recipient=True,
        after=(ended(RENDER_PDF),),
        label=_("Mail to HR"), short_label=pgettext_lazy("step, short", "HR mail"),
    ),
    StepDefinition(
        kind=MAIL_OPERATORS, effect=mail_operators, is_mail=True, about="alert",
        label=_("Mail to operators"), short_label=pgettext_lazy("step, short", "Mail"),
    ),
)
# fmt: on
for definition in PROCESS:
    register(definition)
