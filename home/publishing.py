"""The forms of pages: a page stays published when its draft is saved at the same moment.

Wagtail's editor reads a page, validates the form and then stores the whole page if it was not
published when it was read (``wagtail.admin.views.pages.edit.EditView``). A request that publishes
the page in between was undone: the stale copy, with ``live=False``, was stored over it. Autosave
sends such requests all the time.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.forms.pages import CopyForm
from wagtail.models import Page

from home.text_fields import LineField, SlugField

#: What belongs to the page as a whole, so that a draft must not change it.
STATE = (
    "live",
    "expired",
    "live_revision_id",
    "latest_revision_id",
    "latest_revision_created_at",
    "first_published_at",
    "last_published_at",
    "has_unpublished_changes",
    "path",
    "depth",
    "numchild",
)
#: What differs once another request has published, unpublished, saved or moved the page.
CHANGED = ("live", "has_unpublished_changes", "latest_revision_id", "path")


class PageForm(WagtailAdminPageForm):
    """An editor's form that saves a draft only over what the draft was made from."""

    def save(self, commit: bool = True) -> Any:
        """Store the page, unless it is published: then only its revision is stored.

        The page stays locked until the end of the transaction. The lock lets new applications
        through, because they refer to the key of the page only.

        Raises:
            PermissionDenied: another request has changed the page since this one read it, and
                this one saves a draft. Wagtail then keeps what was entered, and says so.
        """
        page = self.instance
        if page.pk is None:
            return super().save(commit)
        with transaction.atomic():
            rows = Page.objects.select_for_update(no_key=True).filter(pk=page.pk)
            now = rows.values(*STATE).first()
            is_draft = not any(name.startswith("action-") for name in self.data)
            if now is None or (
                is_draft and any(now[name] != getattr(page, name) for name in CHANGED)
            ):
                raise PermissionDenied(
                    _(
                        "Not saved: this page was changed or published at the same moment. "
                        "Reload the page to see it."
                    )
                )
            for name, value in now.items():
                setattr(page, name, value)
            return super().save(commit=commit and not page.live)


class PageCopyForm(CopyForm):
    """Wagtail's form for a copy, which takes no title or short name that a page can't have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for column, kind in (("title", LineField), ("slug", SlugField)):
            given = self.fields[f"new_{column}"]
            options = {"allow_unicode": given.allow_unicode} if kind is SlugField else {}
            self.fields[f"new_{column}"] = kind(
                initial=given.initial,
                label=given.label,
                widget=given.widget,
                max_length=Page._meta.get_field(column).max_length,
                **options,
            )
