"""The causes for which a sender could not know whether a mail had arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prove.checker.evidence import DEATHS, SLACK, Evidence, as_moment


@dataclass(frozen=True)
class Try:
    """One attempt of one process to send a mail."""

    step: int
    owner: str
    began: float
    ended: float
    #: Who recorded the result.
    by: str

    def meets(self, began: float, ended: float) -> bool:
        return self.began - SLACK <= ended and began <= self.ended + SLACK


class Causes:
    """Finds the fault that explains an unconfirmed mail; some faults explain only so many."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        #: How many doubts each fault has explained.
        self._spent: Counter[int] = Counter()

    def tries(self, pk: int) -> Iterator[tuple[Try, str]]:
        """Each attempt of a step, and the state in which it ended."""
        owner, began = "", 0.0
        for event in self.evidence.events.get(pk, []):
            at = as_moment(event["at"]).timestamp()
            if event["to_state"] == "started":
                owner, began = event["actor"], at
            elif event["from_state"] == "started" or event["to_state"] == "uncertain":
                yield Try(pk, owner, began or at, at, event["actor"]), event["to_state"]

    def cause(self, attempt: Try, *, spend: bool = False) -> str:
        """What kept the sender of a mail from knowing its result; "" if nothing did.

        Args:
            spend: count this doubt against the fault, which may explain only so many.
        """
        for death in self.evidence.deaths:
            alone = death["victim"] == "child"
            happened = (
                death["step"] == attempt.step if alone else death["owner"] == attempt.owner
            ) and attempt.meets(death["at"], death["at"])
            if happened:
                return f"{death['kind']}, {death['point']}: {DEATHS[death['victim']]}"
        for number, fault in enumerate(self.evidence.happened):
            most = self._explains(fault, attempt)
            if self._spent[number] < most:
                self._spent[number] += spend
                return str(fault["kind"])
        return ""

    def _explains(self, fault: dict[str, Any], attempt: Try) -> float:
        """How many doubts like this one a fault may explain."""
        began, ended = fault["began"], fault["ended"]
        senders = {"io": "worker:", "sweeper": "sweeper:"}.get(fault["target"], "no sender")
        its_own = attempt.owner.startswith(senders)
        wrote_nothing_later = self.evidence.last_event_of.get(attempt.owner, 0) <= ended + SLACK
        for blame in fault["blames"]:
            match blame:
                case "killed" if its_own and wrote_nothing_later and attempt.meets(began, ended):
                    return float("inf")
                case "frozen" if its_own and attempt.meets(began, began):
                    return float("inf")
                case "child" if its_own and attempt.meets(ended - SLACK, ended):
                    return 1
                case "stalled" if attempt.meets(began, ended):
                    return float("inf")
                case "cut" if attempt.by == attempt.owner and attempt.meets(began, ended):
                    return float(fault["times"])
        return 0
