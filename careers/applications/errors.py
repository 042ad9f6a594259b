"""The classes of errors that an effect raises.

Only the code that talks to another server can classify its errors. ``code`` is a short slug for
grouping and for machines. ``public`` is shown in the admin: the cause and the next action, never
personal data.
"""


def is_disk_full(error: BaseException) -> bool:
    """Whether a statement failed because the database's disk has no room (PostgreSQL 53100)."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") == "53100" or "disk is full" in str(error)


class EffectError(Exception):
    """An effect did not happen, or it is unknown whether it did.

    Args:
        retry_after: seconds, when the other server asked for a pause.
    """

    def __init__(self, code: str, public: str, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.public = public
        self.retry_after = retry_after

    @property
    def answer(self) -> str:
        """What the other server answered, without personal data; "" where it said nothing."""
        return str(getattr(self.public, "values", {}).get("answer", ""))


class Transient(EffectError):
    """A temporary error: the other server is busy, slow or unreachable. The step is retried."""


class Permanent(EffectError):
    """A permanent error: a retry changes nothing until a person changes something."""


class Misconfigured(EffectError):
    """A configuration error: an operator must correct a setting. Retries never end."""


class Uncertain(EffectError):
    """The effect may have happened. A repetition could do it twice, so a person decides."""


class Undecidable(Uncertain):
    """As ``Uncertain``, and asking the mail provider again under the same key would not help."""


class Fenced(Exception):
    """The step belongs to another process by now: stop at once and change nothing."""
