"""What a person does on the admin pages during a campaign; it breaks nothing."""

from __future__ import annotations

from typing import Any

from prove.injection.kinds import (
    Fault,
    Site,
    kind,
    until,
)


@kind("person: resolves what is unconfirmed", "person", gentle=True)
def _person_resolves(site: Site, fault: Fault) -> Any:
    """Checks the mail server's log, as the page asks; confirms, or sends again."""
    return (
        yield from until(
            lambda: site.admin.resolve_unconfirmed(fault.times), pause=1, unless=site.idle
        )
    )


@kind("person: retries what failed", "person", gentle=True)
def _person_retries(site: Site, fault: Fault) -> Any:
    return (
        yield from until(lambda: site.admin.retry_failed(fault.times), pause=1, unless=site.idle)
    )


@kind("person: retries what only waits", "person", gentle=True)
def _person_hurries(site: Site, fault: Fault) -> Any:
    return (
        yield from until(lambda: site.admin.retry_waiting(fault.times), pause=1, unless=site.idle)
    )


@kind("person: pauses steps and resumes them", "pause", gentle=True)
def _person_pauses(site: Site, fault: Fault) -> Any:
    """Pauses mails, one kind of step or everything for some seconds."""
    scope = ("everything", "mails", "queue:io", "kind:render_pdf")[fault.chance % 4]
    if not (yield from until(lambda: site.admin.pause(scope), pause=1)):
        return False
    yield fault.seconds
    # Nothing goes on before it is resumed, so it is tried for as long as the site may be away.
    return (yield from until(site.admin.resume, seconds=600, pause=1))
