"""One fault has one cause: which findings and errors are about the same service, and which counts.

Two probes, two sweepers and the steps may meet the same fault at different moments, and each gets
another answer: a HEAD without a reason, a PUT with one, a time-out. People see one of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from careers.operations.models import Finding, Severity

#: The codes that say that a service can't be used now; the most telling first. What a service says
#: itself comes before what follows from its silence.
FAULTS: dict[str, tuple[str, ...]] = {
    "database": (
        "database-login",
        "database-missing",
        "database-tls",
        "database-unreachable",
    ),
    "archive": (
        "archive-key",
        "archive-bucket",
        "archive-region",
        "archive-clock",
        "archive-tls",
        "archive-full",
        "archive-forbidden",
        "archive-settings",
        "archive-busy",
        "archive-unavailable",
    ),
    "mail": (
        "mail-login",
        "mail-sender",
        "mail-relay",
        "mail-tls",
        "mail-server",
        "mail-crowded",
        "mail-later",
        "mail-unreachable",
    ),
    "scanner": (
        "scanner-address",
        "scanner-protocol",
        "scanner-failed",
        "scanner-unreachable",
    ),
}
_SERVICES = {code: service for service, codes in FAULTS.items() for code in codes}
_RANKS = {code: rank for codes in FAULTS.values() for rank, code in enumerate(codes)}


def service_of(code: str) -> str:
    """The service that can't be used, by the code of a finding or of an error; "" for others."""
    return _SERVICES.get(code, "")


def one_for_each(found: Iterable[Finding]) -> list[Finding]:
    """Keep one finding for each service that can't be used.

    What failed because of that service, such as a scheduled task, is left out. All others stay.
    """
    found = list(found)
    best: dict[str, Finding] = {}
    for finding in found:
        service = service_of(finding.code)
        if service and (service not in best or _order(finding) < _order(best[service])):
            best[service] = finding
    return [
        one
        for one in found
        if best.get(service_of(one.code), one) is one
        and service_of(str(one.facts.get("code", ""))) not in best
    ]


def _order(finding: Finding) -> tuple[int, bool, int]:
    severity = Severity.values.index(finding.severity)
    return severity, "silent" in finding.facts, _RANKS[finding.code]
