"""The text of the mails to applicants, HR and operators.

The applicant's address is not confirmed when the receipt is sent. So the receipt repeats nothing
that the applicant typed: otherwise any person could send any text to any address in the company's
name. It holds the job, the reference and the chosen options, all in HR's words. The receipt link
shows the full copy.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from careers.applications import receipt_links
from careers.applications.frozen import FrozenForm
from careers.applications.models import UPLOADS, Application, ApplicationFile, FileKind
from careers.applications.question_types import type_of
from careers.notifications import message_ids
from careers.notifications.headers import address_of
from home.bidi import FSI, PDI, isolated, listed
from home.colour import DARK_GROUND, LIGHT_GROUND, shades
from home.values import mail_address
from home.values.name import shown
from home.values.text import one_line as cut_line
from home.values.text import without_unseen
from home.values.zone import UTC, zone_named

#: Mail programs cut longer subjects.
SUBJECT_LENGTH = 150
_TITLE_LENGTH = 90
_LABEL_LENGTH = 255
_NAME_LENGTH = 60
_ADDRESS_LENGTH = 254
#: Each kind of alert, as it is stored, has a template.
_OPERATOR_TEMPLATES = {"alert": "problem", "recovered": "resolved", "digest": "summary"}


@dataclass(frozen=True)
class Identity:
    """The sender.

    Attributes:
        company: the name in From and in the letterhead.
        colour: the accent colour as ``#rrggbb``, for the button; any colour stays readable.
        contact_name: the contact person for the job; "" for none.
        contact_email: where replies to the receipt go; "" for the sender's address.
    """

    company: str
    colour: str = "#0e5c46"
    contact_name: str = ""
    contact_email: str = ""


def receipt(
    application: Application,
    *,
    identity: Identity,
    receipt_url: str,
    renew_url: str,
    sequence: int = 0,
) -> EmailMultiAlternatives:
    """The mail that tells an applicant that their application arrived.

    In the applicant's language. Replies go to the job's contact person, if there is one.

    Args:
        receipt_url: the applicant's receipt page, with the secret.
        renew_url: where the applicant asks for a new link when this one has expired.
        sequence: how often a person sent it again; part of the Message-ID.
    """
    form = application.frozen_form
    with translation.override(application.language):
        title = _part(form.job_title, _TITLE_LENGTH)
        contact = _mailbox(identity.contact_name, identity.contact_email)
        return _mail(
            "receipt",
            identity,
            subject=_("We have your application: %(job)s") % {"job": title},
            to=application.email,
            reply_to=contact,
            message_id=message_ids.of_receipt(application, sequence),
            context={
                **_facts(application, form),
                "choices": _choices(form, application.answers),
                "contact_name": _part(identity.contact_name, _NAME_LENGTH),
                "can_reply": bool(contact),
                "url": receipt_url,
                "link_ends": _day(receipt_links.expires_at(application), form.time_zone),
                "renew_url": renew_url,
            },
        )


def hr_application(
    application: Application,
    recipient: str,
    *,
    identity: Identity,
    admin_url: str,
    pdf_missing: bool = False,
    sequence: int = 0,
) -> EmailMultiAlternatives:
    """The mail that tells one recipient in HR about a new application.

    In the site's language, because one inbox gets the applications of all languages. It links to
    the admin and has no attachment, so that files stay where access is checked and where they
    can be erased. Replies go to the applicant.

    Args:
        recipient: one of the job's recipients.
        admin_url: the application's page in the admin.
        pdf_missing: the PDF could not be created; the mail mentions it.
        sequence: as for ``receipt``.
    """
    form = application.frozen_form
    with translation.override(settings.LANGUAGE_CODE):
        name = _name(application)
        title = _part(form.job_title, _TITLE_LENGTH)
        reply_to = _mailbox(application.name, application.email)
        address = mail_address.for_people(application.email)
        return _mail(
            "hr_application",
            identity,
            subject=_("Application for %(job)s: %(name)s") % {"job": title, "name": name},
            to=recipient,
            reply_to=reply_to,
            message_id=message_ids.of_hr_application(application, recipient, sequence),
            context={
                **_facts(application, form),
                "name": name,
                "address": "" if reply_to else _part(address, _ADDRESS_LENGTH),
                "pdf_missing": pdf_missing,
                "url": admin_url,
            },
        )


def operator_alert(
    kind: str,
    facts: dict[str, Any],
    recipient: str,
    *,
    identity: Identity,
    key: str,
    time_zone: str,
    sequence: int = 0,
) -> EmailMultiAlternatives:
    """The mail that tells one operator about a problem, its end, or the previous day.

    In the site's language. It names jobs and causes, but no applicants.

    Args:
        kind: ``alert``, ``recovered`` or ``digest``.
        facts: the content. Alert and recovered: ``message``, ``cause``, ``action``, ``since``
            (ISO 8601), ``path``; recovered also ``until``. Digest: ``date``, ``jobs`` (title,
            count), ``held_back``, ``not_sent``, ``steps`` (name, done, failed), ``attention``
            (name, count, cause, path), ``findings`` (message, action), ``path``. Paths are below
            ``SITE_URL``.
        key: identifies the alert; part of the Message-ID.
        time_zone: the zone of the times in the text.
    """
    with translation.override(settings.LANGUAGE_CODE):
        words = {**facts, "url": settings.SITE_URL + facts["path"]}
        if kind == "digest":
            day = dt.date.fromisoformat(facts["date"])
            count = sum(number for _title, number in facts["jobs"])
            words["attention"] = [
                {**group, "url": settings.SITE_URL + group["path"]} for group in facts["attention"]
            ]
            words["day"] = format_date(day, pgettext("date format", "j F Y"))
            words["count"] = count
            subject = ngettext(
                "Daily summary: %(count)d application on %(day)s",
                "Daily summary: %(count)d applications on %(day)s",
                count,
            ) % {"count": count, "day": words["day"]}
        else:
            for name in ("since", "until"):
                if name in facts:
                    words[name] = _moment(dt.datetime.fromisoformat(facts[name]), time_zone)
            subject = (
                _("Problem: %(message)s") if kind == "alert" else _("Resolved: %(message)s")
            ) % {"message": facts["message"]}
        return _mail(
            f"operators_{_OPERATOR_TEMPLATES[kind]}",
            identity,
            subject=subject,
            to=recipient,
            reply_to="",
            message_id=message_ids.of_operator_alert(key, recipient, sequence),
            context=words,
        )


def one_line(text: str, length: int) -> str:
    """``text`` for a header or heading: one line, nothing invisible, at most ``length`` characters.

    ``=?`` is split, so that no mail program decodes it as an encoded word (RFC 2047).
    """
    return cut_line(text.replace("=?", "= ?"), length)


def _part(text: str, length: int) -> str:
    """``one_line`` for a part of a sentence: right-to-left text does not reorder the rest."""
    return isolated(one_line(text, length))


def _name(application: Application) -> str:
    return shown(one_line(application.name, _NAME_LENGTH))


def _subject(text: str) -> str:
    """A subject made of parts; a cut ends the isolation that it cuts through."""
    parts = re.split(f"([{FSI}{PDI}])", text)
    line = "".join(part if part in (FSI, PDI) else without_unseen(part) for part in parts)
    line = " ".join(line.split())
    if len(line) >= SUBJECT_LENGTH:
        line = f"{line[: SUBJECT_LENGTH - 2].rstrip()}…"
    return line + PDI * (line.count(FSI) - line.count(PDI))


def _mail(
    template: str,
    identity: Identity,
    *,
    subject: str,
    to: str,
    reply_to: str,
    message_id: str,
    context: dict[str, Any],
) -> EmailMultiAlternatives:
    sender = address_of(settings.DEFAULT_FROM_EMAIL)
    usable = sender and sender.isascii()
    subject = _subject(subject)
    company = one_line(identity.company, _NAME_LENGTH)
    language = translation.get_language() or settings.LANGUAGE_CODE
    context = {
        **context,
        "subject": subject,
        "company": isolated(company),
        "language": language,
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        **_palette(identity.colour),
    }
    mail = EmailMultiAlternatives(
        subject=subject,
        body=_tidy(render_to_string(f"careers/emails/{template}.txt", context)),
        # Without a sender ``deliver`` says which setting is missing.
        from_email=formataddr((company, sender)) if usable else settings.DEFAULT_FROM_EMAIL,
        to=[_recipient(to)],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": message_id,
            # RFC 3834: automatic replies are not wanted, and no loop can start. Microsoft's
            # servers obey only their own header.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Content-Language": language,
        },
    )
    html = render_to_string(f"careers/emails/{template}.html", context)
    mail.attach_alternative(html, "text/html")
    return mail


def _facts(application: Application, form: FrozenForm) -> dict[str, Any]:
    return {
        "title": _part(form.job_title, _LABEL_LENGTH),
        "reference": application.reference,
        "received": _moment(application.received_at, form.time_zone),
        "files": _uploads(form, application.files.all()),
    }


def _palette(colour: str) -> dict[str, Any]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        colour = Identity.colour
    return {"light": shades(colour, LIGHT_GROUND), "dark": shades(colour, DARK_GROUND)}


def _recipient(address: str) -> str:
    """An address for ``To``; an invalid one on one line, so that ``deliver`` refuses it."""
    try:
        return mail_address.to_ascii(address.strip())
    except ValueError:
        return "".join(c for c in address if c.isprintable()).strip()


def _mailbox(name: str, address: str) -> str:
    """An address with a name for ``Reply-To``; "" if not every mail program can write to it."""
    try:
        address = mail_address.to_ascii(address.strip())
    except ValueError:
        return ""
    return formataddr((one_line(name, _NAME_LENGTH), address)) if address.isascii() else ""


def _moment(at: dt.datetime, zone: str) -> str:
    """A point in time with its zone, such as ``22 November 2026, 15:53 (CET)``."""
    local = timezone.localtime(at, zone_named(zone) or UTC)
    name = format_date(local, "T")
    # A zone without an abbreviation is shown as its offset.
    name = f"UTC{name}" if name[:1] in "+-" else name
    # Translators: a date and time in an e-mail, in the letters of Django's date filter.
    day_and_time = format_date(local, pgettext("date and time format", "j F Y, H:i"))
    return f"{day_and_time} ({name})"


def _day(at: dt.datetime, zone: str) -> str:
    """The day of a point in time, such as ``22 November 2026``."""
    local = timezone.localtime(at, zone_named(zone) or UTC)
    return format_date(local, pgettext("date format", "j F Y"))


def _uploads(form: FrozenForm, files: Iterable[ApplicationFile]) -> list[str]:
    """The uploaded files by kind or question; their names would be the applicant's words."""
    counts: dict[str, int] = {}
    for file in files:
        if file.kind not in UPLOADS:
            continue
        question = form.question(file.question_key)
        label = question.label if question else str(FileKind(file.kind).label)
        label = _part(label, _LABEL_LENGTH)
        counts[label] = counts.get(label, 0) + 1
    return [
        label
        if count == 1
        else ngettext("%(label)s (%(count)d file)", "%(label)s (%(count)d files)", count)
        % {"label": label, "count": count}
        for label, count in counts.items()
    ]


def _choices(form: FrozenForm, answers: dict[str, Any]) -> list[tuple[str, str]]:
    """Questions with options and the chosen ones, only in the words of the form."""
    chosen: list[tuple[str, str]] = []
    for question in form.questions:
        words = type_of(question).fixed_words(question, answers.get(question.key))
        if words:
            label = _part(question.label, _LABEL_LENGTH)
            chosen.append((label, listed(one_line(word, _LABEL_LENGTH) for word in words)))
    return chosen


def _tidy(text: str) -> str:
    """At most one blank line in a row, none at the ends."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
