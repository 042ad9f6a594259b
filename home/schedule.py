"""The schedule of a page: when Wagtail publishes and unpublishes it.

A time of the schedule is *spent* when it has passed and has had its effect. Wagtail keeps spent
times: it then refuses to save the page, copies them to other pages, and unpublishes a page again a
minute after somebody has published it. Our pages drop them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from home.publishing import PageCopyForm, PageForm


class ScheduleForm(PageForm):
    """An editor's form that can be saved after the page has expired.

    Wagtail shows errors of the schedule in a closed side panel only. This form also reports them
    at the top of the page.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        page = kwargs.get("instance")
        if page is not None:
            drop_spent(page)
        super().__init__(*args, **kwargs)

    def clean_expire_at(self) -> dt.datetime | None:
        """Drop a spent time that the browser still holds from before it passed.

        Publishing needs a decision: the page was just unpublished, perhaps unnoticed.
        """
        at: dt.datetime | None = self.cleaned_data["expire_at"]
        if at and at <= timezone.now() and "action-publish" not in self.data and self._stored(at):
            return None
        return at

    def _stored(self, at: dt.datetime) -> bool:
        """Whether the page or its draft had this time, to the minute, as the editor shows it."""
        page = self.instance
        if page.pk is None:
            return False
        row = type(page)._default_manager.filter(pk=page.pk).values_list("expire_at", flat=True)
        known = set(row)
        if page.latest_revision:
            known.add(parse_datetime(page.latest_revision.content.get("expire_at") or ""))
        return at in {time.replace(second=0, microsecond=0) for time in known if time}

    def _post_clean(self) -> None:
        # Wagtail judges the schedule after ``clean`` of this class.
        super()._post_clean()
        if self.errors.keys() & {"go_live_at", "expire_at"}:
            self.add_error(
                None,
                ValidationError(
                    _(
                        "The publishing schedule is not valid. Open “Status” (the i at the top "
                        "right), press “Edit schedule”, and change or remove the time."
                    )
                ),
            )


class ScheduledPage(models.Model):
    """A page that drops the spent times of its schedule, for use before ``Page`` in a class."""

    base_form_class: type[PageForm] = ScheduleForm
    copy_form_class = PageCopyForm
    #: A copy has not expired.
    exclude_fields_in_copy: ClassVar[Any] = ["expired"]

    class Meta:
        abstract = True

    # ``Page`` provides these.
    go_live_at: Any
    expire_at: Any
    live: Any
    revisions: Any

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the page. A new one, such as a copy or an alias, starts without spent times."""
        if self._state.adding:
            drop_spent(self)
        super().save(*args, **kwargs)

    def with_content_json(self, content: dict[str, Any]) -> Any:
        """The page as a revision describes it, without spent times."""
        page = super().with_content_json(content)  # type: ignore[misc]
        # The time has passed, but the scheduled task has not unpublished the page yet.
        is_due = self.live and page.expire_at and self.expire_at == page.expire_at
        if not is_due and not self._is_waiting_for_publication():
            drop_spent(page)
        return page

    def _is_waiting_for_publication(self) -> bool:
        """Whether the scheduled task is about to publish a revision.

        The revision may also expire already, if the task did not run in time. Then the task
        unpublishes the page in its next run.
        """
        return bool(self.revisions.filter(approved_go_live_at__lte=timezone.now()).exists())


def drop_spent(page: Any) -> None:
    """Remove the times that have passed from the schedule of ``page``, without storing it."""
    now = timezone.now()
    for name in ("go_live_at", "expire_at"):
        at = getattr(page, name)
        if at is not None and at <= now:
            setattr(page, name, None)
