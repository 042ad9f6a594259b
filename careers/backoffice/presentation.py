"""States, actors and spans of time in words, with a colour and an icon for each state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from wagtail.admin.utils import get_user_display_name

from careers.operations.words import clock
from careers.pipeline import registry
from careers.pipeline.attention import (
    BOUNCED,
    HANDLED,
    NEEDS_ATTENTION,
    NOT_SENT,
    RECEIPT_CANCELLED,
    REPLACED,
)
from careers.pipeline.kinds import MAIL_APPLICANT
from careers.pipeline.models import Alert, AlertKind, Step
from careers.pipeline.states import CLAIMABLE, ENDED, State

#: Colour (a class in backoffice.css) and Wagtail icon of each state.
LOOKS: dict[State, tuple[str, str]] = {
    State.WAITING: ("idle", "time"),
    State.QUEUED: ("idle", "list-ol"),
    State.SENT: ("idle", "redirect"),
    State.STARTED: ("active", "rotate"),
    State.RETRYING: ("later", "resubmit"),
    State.SUCCEEDED: ("good", "check"),
    State.FAILED: ("bad", "warning"),
    State.UNCERTAIN: ("unsure", "help"),
    State.CANCELLED: ("off", "minus"),
}

#: Words for states whose full words are too long for a chip.
BRIEF = {
    State.WAITING: pgettext_lazy("state, short", "Waiting"),
    State.SENT: pgettext_lazy("state, short", "Sent"),
}

#: The most urgent first.
URGENCY = (
    State.FAILED,
    State.UNCERTAIN,
    State.RETRYING,
    State.STARTED,
    State.SENT,
    State.QUEUED,
    State.WAITING,
    State.SUCCEEDED,
    State.CANCELLED,
)


@dataclass(frozen=True)
class Chip:
    """One step, or several of the same kind, as a small label."""

    name: str
    word: str
    tone: str
    icon: str
    detail: str
    count: int = 1


@dataclass(frozen=True)
class Actors:
    """The names of the actors in ``StepEvent.actor``; one query for all users."""

    users: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, actors: Iterable[str]) -> Actors:
        keys = {actor.split(":")[1] for actor in actors if actor.startswith("user:")}
        people = get_user_model().objects.filter(pk__in=[key for key in keys if key.isdigit()])
        return cls({str(user.pk): get_user_display_name(user) for user in people})

    def name(self, actor: str) -> str:
        """The actor in words."""
        who, key, user_name = [*actor.split(":", 2), "", ""][:3]
        match who:
            case "user" if user_name and key not in self.users:
                return _("%(name)s (deleted account)") % {"name": user_name}
            case "user":
                return self.users.get(key) or _("a deleted account")
            case "worker":
                return _("worker %(name)s") % {"name": key[:4]}
            case "sweeper":
                return _("sweeper")
            case "operator":
                return _("operator")
            case "intake":
                return _("application form")
            case "applicant":
                return _("applicant")
            case "provider":
                return _("mail provider")
            case "restore":
                return _("restored database")
            case _:
                return actor


def is_quarantined(step: Step, quarantined: bool) -> bool:
    """Whether a step waits only because its application is quarantined as spam."""
    return quarantined and step.state == State.WAITING and registry.is_gated(step.kind)


def urgency(step: Step) -> int:
    """A sort key: first what needs a person, then mails that did not arrive, last the ended."""
    if NEEDS_ATTENTION(step):
        return -1
    if HANDLED(step):
        return 1 + URGENCY.index(State.CANCELLED)
    if BOUNCED(step) or RECEIPT_CANCELLED(step):
        return 0
    return 1 + URGENCY.index(State(step.state))


def bounces(steps: Iterable[Step]) -> list[tuple[str, str]]:
    """What happened to each bounced mail, and what to do now."""
    return [
        (
            _("The receipt to the applicant bounced.")
            if step.kind == MAIL_APPLICANT
            else _("The mail to %(address)s bounced.") % {"address": step.recipient},
            " ".join(
                [
                    step.bounce_reason,
                    _(
                        "The application is complete. Reach the applicant in another way, or send "
                        "the receipt again once the mailbox works."
                    )
                    if step.kind == MAIL_APPLICANT
                    else _(
                        "Correct the address where it is entered, then send the mail to the right "
                        "one."
                    ),
                ]
            ),
        )
        for step in current(steps)
        if BOUNCED(step)
    ]


def not_sent(steps: Iterable[Step]) -> list[tuple[str, str]]:
    """Each mail that was not sent because its mailbox got enough mails: which, and why."""
    return [
        (registry.label_of(step.kind), step.error_public)
        for step in current(steps)
        if NOT_SENT(step)
    ]


def current(steps: Iterable[Step]) -> list[Step]:
    """The steps, except mails that a later mail to the same or another address replaced."""
    newest: dict[tuple[str, str], Step] = {}
    for step in steps:
        if REPLACED(step):
            continue
        key = (step.kind, step.recipient)
        if key not in newest or newest[key].sequence < step.sequence:
            newest[key] = step
    return list(newest.values())


def tone(step: Step) -> str:
    """The class of a step's colour."""
    if step.state == State.RETRYING and NEEDS_ATTENTION(step):
        return "bad"
    if BOUNCED(step) or RECEIPT_CANCELLED(step):
        return "unsure"
    if HANDLED(step):
        return "off"
    return LOOKS[State(step.state)][0]


def is_paused(step: Step, paused: Collection[str]) -> bool:
    """Whether a pause keeps a step from starting; see ``careers.pipeline.pauses``."""
    return step.kind in paused and step.state in CLAIMABLE and step.repeat_until is None


def chip(
    step: Step, quarantined: bool = False, paused: Collection[str] = (), *, count: int = 1
) -> Chip:
    """A step as a chip.

    Args:
        paused: the kinds of steps that are paused.
    """
    state = State(step.state)
    if is_quarantined(step, quarantined):
        word, icon = _("Quarantined"), "lock"
    elif is_paused(step, paused):
        word, icon = _("Paused"), "time"
    elif BOUNCED(step):
        word, icon = _("Bounced"), "mail"
    elif HANDLED(step):
        word, icon = _("Handled"), "check"
    elif NOT_SENT(step) or RECEIPT_CANCELLED(step):
        word, icon = _("Not sent"), LOOKS[state][1]
    else:
        word, icon = str(BRIEF.get(state, state.label)), LOOKS[state][1]
    return Chip(
        name=registry.short_label_of(step.kind),
        word=word,
        tone=tone(step),
        icon=icon,
        detail=detail(step, quarantined, paused),
        count=count,
    )


def chips(
    steps: Iterable[Step], quarantined: bool = False, paused: Collection[str] = ()
) -> list[Chip]:
    """A chip for each kind of step, in the order of the flow, showing the most urgent."""
    found: dict[str, list[Step]] = {}
    for step in current(steps):
        found.setdefault(step.kind, []).append(step)
    return [
        chip(min(found[kind], key=urgency), quarantined, paused, count=len(found[kind]))
        for kind in registry.in_order(found)
    ]


def state_in_words(step: Step, quarantined: bool = False, paused: Collection[str] = ()) -> str:
    """The state as a whole phrase, with the time of the next attempt."""
    state = State(step.state)
    if is_paused(step, paused):
        return _("Paused")
    if is_quarantined(step, quarantined):
        return _("Quarantined: the application may be spam")
    if BOUNCED(step):
        return _("Sent, and bounced")
    if NOT_SENT(step):
        return _("Not sent: the mailbox has reached its limit of mails for today")
    if RECEIPT_CANCELLED(step):
        return _("Not sent: the step was cancelled")
    if HANDLED(step):
        return _("%(state)s, handled by hand") % {"state": state.label}
    if state == State.QUEUED and step.run_after and step.run_after > timezone.now():
        return _("Waits until %(time)s") % {"time": clock(step.run_after)}
    if state == State.RETRYING and step.run_after:
        if step.run_after <= timezone.now():
            return _("Will retry now")
        return _("Will retry at %(time)s") % {"time": clock(step.run_after)}
    return str(state.label)


def detail(step: Step, quarantined: bool = False, paused: Collection[str] = ()) -> str:
    """The full text, which is too long for a chip."""
    parts = [registry.label_of(step.kind), state_in_words(step, quarantined, paused)]
    if step.attempts:
        parts.append(
            ngettext("%(count)d attempt", "%(count)d attempts", step.attempts)
            % {"count": step.attempts}
        )
    return " · ".join(parts)


def next_action(
    steps: Iterable[Step], quarantined: bool = False, paused: Collection[str] = ()
) -> str:
    """What a person has to do next, in a few words; "" when everything is done."""
    relevant = current(steps)
    if not relevant:
        return ""
    step = min(relevant, key=urgency)
    what = registry.short_label_of(step.kind)
    if quarantined and not NEEDS_ATTENTION(step):
        return _("Decide whether it is spam")
    if is_paused(step, paused) and not NEEDS_ATTENTION(step):
        return _("None: it is paused")
    if HANDLED(step):
        return ""
    match State(step.state):
        case State.FAILED:
            return _("%(step)s: see the cause, retry") % {"step": what}
        case State.UNCERTAIN:
            return _("%(step)s: find out whether it arrived") % {"step": what}
        case State.RETRYING if NEEDS_ATTENTION(step):
            return _("%(step)s: correct the setting, retry") % {"step": what}
        case State.RETRYING:
            return _("%(step)s: %(state)s") % {"step": what, "state": state_in_words(step)}
        case State.SUCCEEDED if BOUNCED(step):
            return _("%(step)s: it bounced, see the cause") % {"step": what}
        case State.CANCELLED if RECEIPT_CANCELLED(step):
            return _("Receipt not sent: do it after all, or reach the applicant in another way")
        case State.SUCCEEDED | State.CANCELLED:
            return ""
        case State.STARTED:
            return _("None: it is under way")
        case _:
            return _("None: it is waiting")


def alert_title(alert: Alert) -> str:
    """What an alert to operators says, in one line."""
    match alert.kind:
        case AlertKind.SUMMARY:
            day = dt.date.fromisoformat(alert.facts["date"])
            return _("Daily summary for %(day)s") % {
                "day": formats.date_format(day, "SHORT_DATE_FORMAT")
            }
        case AlertKind.RESOLVED:
            return _("Resolved: %(message)s") % {"message": alert.facts["message"]}
        case _ if alert.closed_at is not None:
            # Its numbers are those at its end.
            return _("Problem until %(time)s: %(message)s") % {
                "time": clock(alert.closed_at),
                "message": alert.facts["message"],
            }
        case _:
            return _("Problem: %(message)s") % {"message": alert.facts["message"]}


def exactly(moment: dt.datetime) -> str:
    """As ``clock``, to the second: in a history, seconds show the order."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return local.strftime("%H:%M:%S")
    return f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S}"


def spam_reason(code: str) -> str:
    """Why an application was quarantined, for ``Application.quarantine_reason``."""
    match code:
        case "honeypot":
            return _("A field that people don’t see was filled in.")
        case "network-rate":
            return _(
                "Too many applications came from one network within a short time. People in one "
                "office share a network: release them if they are honest."
            )
        case "job-rate":
            return _("Too many applications came for this job within a short time.")
        case "receipts-a-day":  # an earlier release wrote it
            return _("This address sent more than three applications within a day.")
        case _:
            return ""


def span(length: dt.timedelta) -> str:
    """A length of time in at most two units, such as ``0.4 s``, ``3 min 20 s`` or ``2 d``."""
    seconds = max(0.0, length.total_seconds())
    if round(seconds, 1) < 10:
        return _("%(n)s s") % {"n": formats.number_format(round(seconds, 1))}
    whole = int(round(seconds, 1))
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    units = [
        (days, _("%(n)d d")),
        (hours, _("%(n)d h")),
        (minutes, _("%(n)d min")),
        (rest, _("%(n)d s")),
    ]
    first = next(index for index, (number, _unit) in enumerate(units) if number)
    # Beside days, hours don't matter. Hours keep their minutes, and minutes their seconds.
    last = first + (1 if first == 0 else 2)
    return " ".join(unit % {"n": number} for number, unit in units[first:last] if number)


def ended_at(steps: Iterable[Step]) -> dt.datetime | None:
    """When the last step ended; None while one is open or unconfirmed."""
    steps = list(steps)
    if not all(step.state in ENDED for step in steps):
        return None
    return max((step.ended_at for step in steps if step.ended_at), default=None)


def summary(
    steps: Iterable[Step], quarantined: bool = False, paused: Collection[str] = ()
) -> Chip | None:
    """One chip for all steps: the most urgent step, or that everything is done."""
    relevant = current(steps)
    if not relevant:
        return None
    urgent = min(relevant, key=urgency)
    if urgent.state == State.SUCCEEDED and not BOUNCED(urgent):
        look, icon = LOOKS[State.SUCCEEDED]
        return Chip("", str(State.SUCCEEDED.label), look, icon, _("Every step is done"))
    return chip(urgent, quarantined, paused)
