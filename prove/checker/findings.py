"""What the comparison found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: What makes a campaign red, in words.
RED = {
    "lost": "lost",
    "twice": "twice",
    "wrong": "wrong content",
    "stuck": "stuck",
    "unexplained": "unexplained",
    "refused": "applicants refused",
    "panel": "task status was wrong",
}


@dataclass
class Findings:
    """The outcome of the comparison.

    Attributes:
        red: by the keys of ``RED``, a sentence for each thing that must not be.
        unconfirmed: how many mails were unconfirmed at some time, by cause.
        shown: mails that the mail server refused permanently and the admin pages show as failed.
        both: how often a person sent a mail again although the first one had arrived.
        counts: how much there was to compare.
        excusing: the share of the time in which an applicant could be refused with an excuse.
        doubtful: the share of delivered mails that could have been unconfirmed with an excuse.
    """

    red: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in RED})
    unconfirmed: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    both: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    excusing: float = 0.0
    doubtful: float = 0.0

    @property
    def ok(self) -> bool:
        return not any(self.red.values())

    def add(self, what: str, sentence: str) -> None:
        """Add one thing that must not be; ``what`` is a key of ``RED``."""
        self.red[what].append(sentence)
