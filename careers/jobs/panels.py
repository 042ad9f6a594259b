"""What else the editor of a job shows."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.admin.panels import Panel


class SummaryPanel(Panel):
    """Lets the packages above say what came of a job.

    Each function registered for the hook ``job_summary`` is called with the request and the
    page, and returns HTML, or "" when it has nothing to say to this person.
    """

    class BoundPanel(Panel.BoundPanel):
        template_name = "careers/jobs/admin/summary_panel.html"

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            told = (
                describe(self.request, self.instance) for describe in hooks.get_hooks("job_summary")
            )
            self.parts = [part for part in told if part] if self.instance.pk else []

        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.parts)
