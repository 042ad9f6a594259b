"""What a person does on the admin pages during a campaign; it breaks nothing."""

from __future__ import annotations

from typing import Any

from prove.monkeys.kinds import (
    Fault,
    Site,
    kind,
    until,
)


@kind("person: settles what is unconfirmed", "person", gentle=True)
def _person_settles(site: Site, fault: Fault) -> Any:
    """Checks the mail server's log, as the page asks; confirms, or sends again."""
    return (
        yield from until(
            lambda: site.admin.settle_unconfirmed(fault.times), pause=1, unless=site.idle
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
