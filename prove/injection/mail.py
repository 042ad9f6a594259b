"""Faults of the mail server, one for each way in which it can misbehave."""

from __future__ import annotations

from typing import Any

from prove.injection.kinds import (
    CUT,
    NOBODY,
    Fault,
    Site,
    kind,
    until,
)

#: What the mail server does to single connections; the words name the fault.
MAIL_MODES = {
    "banner_421": "421 instead of a banner",
    "no_banner": "no banner",
    "garbage_banner": "speaks HTTP",
    "closed_at_once": "closes at once",
    "banner_554": "554 instead of a banner",
    "mail_451": "451 to the sender",
    "mail_530": "530 login wanted",
    "rcpt_450": "450 greylisted",
    "rcpt_421": "421 to the recipient",
    "rcpt_550": "550 unknown recipient",
    "rcpt_relay": "554 no relay",
    "data_451": "451 to DATA",
    "data_close": "closes at DATA",
    "close_in_data": "closes in mid-message",
    "dot_451": "451 after the data",
    "dot_552": "552 after the data",
    "close_after_dot": "accepts it, closes without an answer",
    "hang_after_dot": "accepts it, hangs",
    "dot_garbage": "accepts it, answers nonsense",
    "hang_at_quit": "hangs at QUIT",
    "garbage_at_quit": "nonsense at QUIT",
}


def _mail_misbehaves(mode: str, words: str) -> None:
    # A sender whose last bytes were cut off cannot know what arrived.
    blames = CUT if mode == "close_in_data" else NOBODY

    @kind(f"mail: {words}", "mail", blames)
    def misbehaves(site: Site, fault: Fault) -> Any:
        smtp = site.stack.smtp
        before = len(smtp.injected)
        smtp.once(*[mode] * (1 if "hang" in mode or mode == "no_banner" else fault.times))
        yield from until(lambda: not smtp._next, unless=site.idle)
        smtp._next.clear()
        return (yield from until(lambda: len(smtp.injected) > before, 5))


for _mode, _words in MAIL_MODES.items():
    _mail_misbehaves(_mode, _words)


@kind("mail: connections refused", "mail")
def _mail_off(site: Site, fault: Fault) -> Any:
    site.stack.smtp.refuse_connections()
    yield fault.seconds
    site.stack.smtp.listen_again()
    return True
