"""The sentences for every finding: what happened, what it means for applicants, what to do.

``of(code, facts)`` renders a finding in the active language. An app that reports findings of its
own adds their sentences with ``says``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.applications import sentences
from careers.documents import SCRIPTS
from home.bidi import listed
from home.values.size import size_in_words

Facts = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """Attributes: ``message`` says what happened and what it means; ``action`` what to do."""

    message: str
    action: str = ""


_SENTENCES: dict[str, Callable[[Facts], Words]] = {}


def says(*codes: str) -> Callable[[Callable[[Facts], Words]], Callable[[Facts], Words]]:
    """Register a function as the sentences for ``codes``.

    A code covers itself, and every code that continues it after a full stop
    (``schedule-failed`` for ``schedule-failed.careers.watch``).
    """

    def register(render: Callable[[Facts], Words]) -> Callable[[Facts], Words]:
        _SENTENCES.update(dict.fromkeys(codes, render))
        return render

    return register


def of(code: str, facts: Facts) -> Words:
    """The sentences for a finding, in the active language.

    A finding whose sentences are unknown is still shown, by its code: an app that reported it may
    be gone, or another release may have written other facts.
    """
    render = _SENTENCES.get(code) or _SENTENCES.get(code.partition(".")[0])
    if render is None and "cause" in facts:
        render = _service
    try:
        if render is not None:
            return render(facts)
    except (KeyError, TypeError, ValueError):
        pass
    return Words(
        _("Something is wrong (%(code)s).") % {"code": code},
        _("Look for this code in docs/operations.md and in the log."),
    )


def codes() -> list[str]:
    """Every code that has sentences."""
    return list(_SENTENCES)


# ── Sentences that several findings share ───────────────────────────────────────────────


def safe() -> str:
    """What an operator wants to know first."""
    return _("Applications are stored and safe.")


def safe_meanwhile() -> str:
    """The same for an outage of a service."""
    return _("Applications are stored and safe. The waiting work is done once this works again.")


def clock(moment: dt.datetime) -> str:
    """A time of today as a time, any other with its date; in the reader's zone and language."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return formats.time_format(local.time(), "TIME_FORMAT")
    return formats.date_format(local, "SHORT_DATETIME_FORMAT")


# ── Work ────────────────────────────────────────────────────────────────────────────────


@says("oldest-step")
def _oldest_step(facts: Facts) -> Words:
    return Words(
        ngettext(
            "The oldest step has been ready for %(minutes)d minute.",
            "The oldest step has been ready for %(minutes)d minutes.",
            facts["minutes"],
        )
        % {"minutes": facts["minutes"]},
        _("Check whether the workers are busy or stuck."),
    )


@says("needs-attention")
def _needs_attention(facts: Facts) -> Words:
    count = facts["count"]
    return Words(
        ngettext("%(count)d step needs attention.", "%(count)d steps need attention.", count)
        % {"count": count},
        ngettext(
            "Open it: the page begins with the cause and what to do.",
            "Open each: the page begins with the cause and what to do.",
            count,
        ),
    )


@says("nobody-told")
def _no_recipients(facts: Facts) -> Words:
    shown = listed(facts["jobs"], facts["count"])
    return Words(
        ngettext(
            "%(count)d open job has no recipients for its applications: %(jobs)s.",
            "%(count)d open jobs have no recipients for their applications: %(jobs)s.",
            facts["count"],
        )
        % {"count": facts["count"], "jobs": shown},
        _(
            "Add an address to the job, to its list of jobs or to the company settings. Until "
            "then the operators receive these mails."
        ),
    )


@says("no-operators")
def _no_operators(facts: Facts) -> Words:
    return Words(
        _("No operator receives alerts by mail."),
        _(
            "Add an address under Settings, Company, Operations, or give an administrator an "
            "e-mail address."
        ),
    )


# ── Disk and clock ──────────────────────────────────────────────────────────────────────


@says("disk-low")
def _disk_low(facts: Facts) -> Words:
    return Words(
        _("Only %(free)s are free on the disk of %(path)s.")
        % {"free": size_in_words(facts["free"]), "path": facts["path"]},
        _("Free some space before it is full: a full disk accepts no application."),
    )


@says("disk-full")
def _disk_full(facts: Facts) -> Words:
    return Words(
        _("The disk of %(path)s is full (%(free)s are free).")
        % {"free": size_in_words(facts["free"]), "path": facts["path"]},
        _(
            "Free some space at once. Applicants are asked to try again; every accepted "
            "application is safe."
        ),
    )


@says("clock")
def _clocks_differ(facts: Facts) -> Words:
    service = {"database": _("the database"), "archive": _("the archive (S3)")}[facts["service"]]
    return Words(
        _("Clocks differ: here it is %(ours)s, for %(service)s it is %(theirs)s (UTC).")
        % {"ours": facts["ours"], "service": service, "theirs": facts["theirs"]},
        _("Correct the wrong clock, and let a time service (NTP) keep both right."),
    )


# ── Services ────────────────────────────────────────────────────────────────────────────


def _service(facts: Facts) -> Words:
    """A service that fails: the code that met the error explains the cause.

    The facts hold ``cause`` (see ``sentences.to_facts``) and, if the service may recover by
    itself, ``check``: which settings to look at meanwhile.
    """
    checks = {
        "archive": _("Check that it runs, and AWS_S3_ENDPOINT_URL."),
        "mail": _("Check that it runs, EMAIL_HOST and EMAIL_PORT."),
        "provider": _("Check EMAIL_PROVIDER and EMAIL_API_URL."),
        "scanner": _("Check CLAMAV_URL, and that clamd runs."),
    }
    what_to_check = f"{checks[facts['check']]} " if "check" in facts else ""
    return Words(sentences.render(facts["cause"]), what_to_check + safe_meanwhile())


@says("database-login", "database-missing", "database-tls", "database-unreachable")
def _database(facts: Facts) -> Words:
    if "silent" in facts:
        return silent(facts)
    return Words(
        sentences.render(facts["cause"]), _("Meanwhile the site can accept no application.")
    )


@says("archive-unavailable", "mail-unreachable", "scanner-unreachable")
def _unavailable(facts: Facts) -> Words:
    return silent(facts) if "silent" in facts else _service(facts)


def silent(facts: Facts) -> Words:
    """A service that did not answer a probe."""
    return Words(
        _("The service “%(name)s” did not answer in time.") % {"name": facts["silent"]},
        _("Check that it runs and that its address is right.") + " " + safe_meanwhile(),
    )


@says("database-newer")
def _database_newer(facts: Facts) -> Words:
    return Words(
        _("A newer version of this site made the database (%(migration)s).")
        % {"migration": facts["migration"]},
        _("Update the code and start again, or restore an earlier backup."),
    )


@says("archive-overwrites")
def _archive_overwrites(facts: Facts) -> Words:
    return Words(
        _("The archive (S3) ignores If-None-Match: it would overwrite an object."),
        _(
            "Nothing to do: before a file is written the site checks that it does not exist, and "
            "afterwards it reads the file back."
        ),
    )


def _how_to_restore() -> str:
    restore = _("Restore from a copy of the bucket: manage.py restore_file --all --from FOLDER.")
    names = _("“manage.py check_archive” lists each file. The server’s log may show the cause.")
    return f"{restore} {names}"


@says("archive-lost")
def _archive_lost(facts: Facts) -> Words:
    return Words(
        ngettext(
            "%(count)d archived file is no longer in the archive (S3).",
            "%(count)d archived files are no longer in the archive (S3).",
            facts["count"],
        )
        % {"count": facts["count"]},
        _how_to_restore(),
    )


@says("archive-altered")
def _archive_altered(facts: Facts) -> Words:
    return Words(
        ngettext(
            "%(count)d archived file differs from the file that was stored in the archive (S3).",
            "%(count)d archived files differ from the files that were stored in the archive (S3).",
            facts["count"],
        )
        % {"count": facts["count"]},
        _how_to_restore(),
    )


# ── Proxy and fonts ─────────────────────────────────────────────────────────────────────


def _configure_proxy() -> str:
    return _(
        "Let the proxy send X-Forwarded-For and X-Forwarded-Proto, as the section “Deploy” of "
        "docs/operations.md shows."
    )


@says("proxy-unknown")
def _proxy_unknown(facts: Facts) -> Words:
    return Words(
        _(
            "Visitors come through a proxy (%(address)s) that is not in TRUSTED_PROXIES. The site "
            "sees all visitors as one, and they share the limits for uploads and applications."
        )
        % {"address": facts["address"] or "?"},
        _("Add the proxy’s address to TRUSTED_PROXIES and restart the web server."),
    )


@says("proxy-no-address")
def _proxy_no_address(facts: Facts) -> Words:
    return Words(
        _(
            "The proxy %(address)s does not send the visitor’s address. The site sees all "
            "visitors as one, and they share the limits for uploads and applications."
        )
        % {"address": facts["address"] or "?"},
        _configure_proxy(),
    )


@says("proxy-no-scheme")
def _proxy_no_scheme(facts: Facts) -> Words:
    return Words(
        _(
            "The proxy %(address)s does not say that visitors use TLS, as SITE_URL demands. "
            "Browsers are not told to stay with TLS."
        )
        % {"address": facts["address"] or "?"},
        _configure_proxy(),
    )


@says("fonts")
def _fonts(facts: Facts) -> Words:
    # A worker of another release may know other scripts.
    missing = [script for key, script in SCRIPTS.items() if key in facts["scripts"]]
    packages = " ".join(sorted({script.package for script in missing}))
    return Words(
        _("PDFs show boxes for answers in %(scripts)s: a worker has no font for them.")
        % {"scripts": listed(str(script.name) for script in missing)},
        _(
            "If you expect such answers, run “apt-get install %(packages)s” where PDFs are made, "
            "and restart the workers of the queue cpu."
        )
        % {"packages": packages},
    )
