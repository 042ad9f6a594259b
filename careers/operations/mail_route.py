"""Which addresses the mail server takes, as its last probe found out.

An address with letters beyond ASCII before the @ needs a server with SMTPUTF8 (RFC 6531). The
forms refuse it at once while the probe reports that there is none. Without a report it is accepted;
if the server does not take it, the step of the mail says so.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from careers.notifications import MailRoute
from careers.operations.models import Finding, Severity
from careers.operations.words import Facts, Words, says
from careers.pipeline.transitions import db_now
from home.bidi import quoted
from home.values.mail_address import is_international

ASCII_ONLY = "mail-ascii-only"


def report(answer: MailRoute) -> list[Finding]:
    """The findings of the probe: advice if some addresses can't get mails, or if none can."""
    found = []
    if not answer.international:
        found.append(Finding(code=ASCII_ONLY, severity=Severity.ADVICE))
    if answer.catcher and not getattr(settings, "EMBEDDED_MAIL", False):
        facts = {"name": answer.catcher}
        found.append(Finding(code="mail-catcher", severity=Severity.WARNING, facts=facts))
    return found


@says("mail-catcher")
def _catcher(facts: Facts) -> Words:
    return Words(
        _(
            "The mail server is a catcher (%(name)s): it keeps every mail and delivers none. "
            "Applicants and HR get no mails."
        )
        % {"name": facts["name"]},
        _(
            "Name your mail server in EMAIL_HOST. A mail catcher is right only on a site for "
            "trying it out."
        ),
    )


@says(ASCII_ONLY)
def _ascii_only(facts: Facts) -> Words:
    return Words(
        _(
            "The mail server takes no addresses with letters such as é before the @. The form asks "
            "applicants with such an address for another one."
        ),
        _("Nothing, unless you expect such addresses. Then use a mail server with SMTPUTF8."),
    )


def obstacle(address: str) -> str:
    """Why no mail reaches an address now; "" if one may."""
    if not is_international(address):
        return ""
    if not Finding.objects.filter(code=ASCII_ONLY, expires_at__gt=db_now()).exists():
        return ""
    return _(
        "We can’t send mail to “%(address)s”, because our mail server takes only the letters a to "
        "z, digits and signs before the @. Enter another address."
    ) % {"address": quoted(address)}
