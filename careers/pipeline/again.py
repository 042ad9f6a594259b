"""A step that has ended is done again: a new row with the next sequence replaces the old one.

The old row keeps its state and its history, so nothing that happened is lost.
"""

from __future__ import annotations

from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy

from careers.pipeline import dispatch, registry
from careers.pipeline.acts import RETRY, Act, Doing, Words
from careers.pipeline.attention import BOUNCED, NOT_SENT, REPLACED, replacing
from careers.pipeline.enqueue import create_step
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.rules import one_of
from careers.pipeline.states import CLAIMABLE, LEAVES_TO, State
from careers.pipeline.successors import release
from careers.pipeline.transitions import db_now

#: States that a step never leaves. The step that replaces it is stored in another column.
FINAL = tuple(state for state in State if not LEAVES_TO[state])
#: States of a step that does not wait for an earlier one any more, and has not ended.
RUNS_SOON = (*CLAIMABLE, State.STARTED)


class Moved(Exception):
    """The rule no longer holds: roll the act back."""


def replace(old: Step, new: Step, doing: Doing) -> None:
    """Cancel a step in favour of another one. One that has ended keeps its state.

    Raises:
        Moved: the rule no longer holds.
    """
    columns = replacing(old.result, new.pk)
    if doing.move(old, State.CANCELLED, **columns):
        return
    if not _replace_ended(old, new, doing.rule.query):
        raise Moved


def _replace_ended(old: Step, new: Step, guard: Q) -> bool:
    ended = Step.objects.filter(guard, pk=old.pk, state__in=FINAL)
    return bool(ended.update(**replacing(old.result, new.pk)))


def dispatch_after_commit(step_ids: list[int], doing: Doing) -> None:
    transaction.on_commit(partial(dispatch.dispatch_steps, step_ids, actor=doing.actor))


def _do_again(step: Step, doing: Doing) -> Step | None:
    """Make a new step, and new ones for the steps without which it, or its result, is incomplete.

    Returns:
        The new step; None when the rule no longer holds.
    """
    if step.kind not in registry.REGISTERED:
        return None
    try:
        with transaction.atomic():
            new = create_next(step, doing)
            replace(step, new, doing)
            made = [new, *_cancelled_before(step, doing), *_after(step, doing)]
            ready = [
                pk
                for one in made
                for pk in release(registry.REGISTERED[one.kind], actor=doing.actor, pk=one.pk)
            ]
    except (Moved, IntegrityError):
        return None
    dispatch_after_commit(ready, doing)
    new.refresh_from_db()
    return new


def create_next(step: Step, doing: Doing, *, state: State = State.WAITING) -> Step:
    """Create a step like this one with the next sequence number.

    It may be later than the number of this step: the applicant may have asked for a receipt.
    """
    same = Step.objects.filter(
        application=step.application, alert=step.alert, kind=step.kind, recipient=step.recipient
    )
    return create_step(
        step.about,
        step.kind,
        step.recipient,
        state=state,
        at=db_now(),
        sequence=same.aggregate(last=Max("sequence"))["last"] + 1,
        actor=doing.actor,
        reason=doing.reason,
    )


def _current(step: Step, kind: str) -> list[Step]:
    """The steps of a kind of the same application that no other has replaced."""
    if step.application_id is None:
        return []
    found = Step.objects.filter(~REPLACED.query, application=step.application_id, kind=kind)
    return list(found.select_related("application", "alert"))


def _cancelled_before(step: Step, doing: Doing) -> list[Step]:
    """New steps for the cancelled ones for which this step would wait without end."""
    made = []
    for kind, enough, _may_be_missing in registry.predecessors_of(step.kind):
        for before in _current(step, kind):
            if before.state == State.CANCELLED and State.CANCELLED not in enough:
                new = create_next(before, doing)
                _replace_ended(before, new, Q())
                made += [new, *_cancelled_before(before, doing)]
    return made


def _after(step: Step, doing: Doing) -> list[Step]:
    """New steps for those that need what this step makes: they were cancelled, or used the old.

    One that may run at this moment uses the old, too, so another one follows it. A mail that was
    sent, or is under way, is not sent again: nobody asked for that.
    """
    made = []
    for definition in registry.successors_of(step.kind, needing_success=True):
        for later in _current(step, definition.kind):
            if later.state == State.CANCELLED or (
                later.state == State.SUCCEEDED and not definition.is_mail
            ):
                new = create_next(later, doing)
                _replace_ended(later, new, Q())
                made += [new, *_after(later, doing)]
            elif later.state in RUNS_SOON and not definition.is_mail:
                made.append(create_next(later, doing))
    return made


_REFUSED = gettext_lazy("Nothing was done: “%(step)s” is now “%(state)s”.")

#: A cancelled step is done in spite of it, with the steps that were cancelled with it. Returns the
#: new step.
do_after_all = Act(
    "do-after-all",
    RETRY,
    one_of("state", State.CANCELLED) & ~NOT_SENT & ~REPLACED,
    _do_again,
    Words(
        label=gettext_lazy("Do it after all"),
        question=gettext_lazy("Do “%(step)s” after all?"),
        consequence=gettext_lazy(
            "A new step does it, with the steps that were cancelled together with it. If it is a "
            "mail that was sent before it was cancelled, the recipient gets it twice."
        ),
        button=gettext_lazy("Yes, do it"),
        done=gettext_lazy("“%(step)s” is done after all."),
        refused=_REFUSED,
        reason=gettext_lazy("Done after all."),
    ),
    sends=True,
)
#: The applicant gets the receipt a second time. Returns the new step.
send_receipt_again = Act(
    "receipt-again",
    RETRY,
    one_of("kind", MAIL_APPLICANT) & one_of("state", State.SUCCEEDED) & ~BOUNCED & ~REPLACED,
    _do_again,
    Words(
        label=gettext_lazy("Send the receipt again"),
        question=gettext_lazy("Send the receipt a second time?"),
        consequence=gettext_lazy(
            "The mail server accepted the first one. One more mail is sent now."
        ),
        button=gettext_lazy("Yes, send one mail"),
        done=gettext_lazy("“%(step)s” is sent again."),
        refused=_REFUSED,
        reason=gettext_lazy("Sent a second time."),
    ),
    sends=True,
)
#: The PDF is made anew and archived. The old one stays. Returns the new step.
make_pdf_again = Act(
    "pdf-again",
    RETRY,
    one_of("kind", RENDER_PDF) & one_of("state", State.SUCCEEDED) & ~REPLACED,
    _do_again,
    Words(
        label=gettext_lazy("Make the PDF again"),
        question=gettext_lazy("Make the PDF again?"),
        consequence=gettext_lazy(
            "The new PDF is archived, too. The old one stays, in the archive as well. No mail is "
            "sent."
        ),
        button=gettext_lazy("Make it again"),
        done=gettext_lazy("The PDF is made again."),
        refused=_REFUSED,
        reason=gettext_lazy("Made again."),
    ),
    asks=False,
)
#: Every archived file is read back and compared, and what is not archived yet is. Returns the new
#: step.
archive_again = Act(
    "archive-again",
    RETRY,
    one_of("kind", ARCHIVE) & one_of("state", State.SUCCEEDED) & ~REPLACED,
    _do_again,
    Words(
        label=gettext_lazy("Verify the archive again"),
        question=gettext_lazy("Verify the archived files again?"),
        consequence=gettext_lazy(
            "Each file is read from the archive and compared with what was stored. Nothing is "
            "overwritten. A file that is missing or differs makes the step fail with its cause."
        ),
        button=gettext_lazy("Verify"),
        done=gettext_lazy("The archived files are verified again."),
        refused=_REFUSED,
        reason=gettext_lazy("Verified again."),
    ),
    asks=False,
)
