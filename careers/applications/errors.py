"""How a failed effect tells its kind: only the code that meets the outside knows.

``code`` is a short slug for grouping and for machines. ``public`` is read by people in the
admin: the cause and the next action, and never anything personal.
"""


def is_disk_full(error: BaseException) -> bool:
    """Whether a statement failed because the database's disk has no room (PostgreSQL 53100)."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") == "53100" or "disk is full" in str(error)


class EffectError(Exception):
    """An effect did not happen, or nobody knows whether it did."""

    def __init__(self, code: str, public: str, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.public = public
        self.retry_after = retry_after  # seconds, when the other side asked for a pause


class Transient(EffectError):
    """Trying again later makes sense: the other side is busy, slow or away."""


class Permanent(EffectError):
    """Trying again changes nothing until a person changes something."""


class Misconfigured(EffectError):
    """The operator must correct a setting; then everything of this kind may run again."""


class Uncertain(EffectError):
    """The effect may have happened. Doing it again could do it twice, so a person decides."""


class Undecidable(Uncertain):
    """As before, and whoever may remember it can't be asked, or did not say what became of it."""


class Fenced(Exception):
    """The step belongs to somebody else by now: stop at once and change nothing."""
