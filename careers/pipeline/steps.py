"""The process, on one screen.

    received ─┬─▶ mail_applicant              the receipt, at once
              ├─▶ render_pdf ─┬─▶ archive     PDF, files and manifest into the bucket
              │               └─▶ mail_hr     also when the PDF failed: HR must know
              └─▶ scan                        until it is done, nobody can open the files
                    ╎ infected
                    ├─▶ mail_infected         the applicant: send another file
                    └─▶ mail_infected_hr      HR: a file is locked
    alert ─────▶ mail_operators               a problem, its end, the daily summary

The scan needs CLAMAV_URL and an application with files. It gates downloads and no step, so no mail
waits for the scanner. Mails about an application wait while it is quarantined, and an applicant's
mailbox gets a limited number of mails a day (``careers.pipeline.mailbox_limit``). Another app adds
a step with ``register``: see ``careers.pipeline.registry``.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from careers.pipeline.effects.archive import archive_files
from careers.pipeline.effects.mails import (
    mail_applicant,
    mail_hr,
    mail_infected,
    mail_infected_hr,
    mail_operators,
)
from careers.pipeline.effects.render_pdf import render_pdf
from careers.pipeline.effects.scan import is_needed, scan_files
from careers.pipeline.kinds import (
    ARCHIVE,
    MAIL_APPLICANT,
    MAIL_HR,
    MAIL_INFECTED,
    MAIL_INFECTED_HR,
    MAIL_OPERATORS,
    RENDER_PDF,
    SCAN,
)
from careers.pipeline.registry import (
    NOT_QUARANTINED,
    Outcome,
    StepDefinition,
    ended,
    on_demand,
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
        kind=SCAN, effect=scan_files, needed=is_needed,
        label=_("Scan for viruses"), short_label=pgettext_lazy("step, short", "Virus scan"),
    ),
    StepDefinition(
        kind=MAIL_INFECTED, effect=mail_infected, is_mail=True, to_applicant=True,
        gate=NOT_QUARANTINED, after=(ended(SCAN),), needed=on_demand,
        label=_("Mail to the applicant about an infected file"),
        short_label=pgettext_lazy("step, short", "File warning"),
    ),
    StepDefinition(
        kind=MAIL_INFECTED_HR, effect=mail_infected_hr, is_mail=True, gate=NOT_QUARANTINED,
        after=(ended(SCAN),), needed=on_demand, per_recipient=True,
        label=_("Mail to HR about an infected file"),
        short_label=pgettext_lazy("step, short", "HR warning"),
    ),
    StepDefinition(
        kind=MAIL_OPERATORS, effect=mail_operators, is_mail=True, about="alert",
        label=_("Mail to operators"), short_label=pgettext_lazy("step, short", "Mail"),
    ),
)
# fmt: on
for definition in PROCESS:
    register(definition)
