"""A mail step whose person also pauses it, and does it after all when it was cancelled."""

from __future__ import annotations

from prove.model.mail import KeyedMail, Mail


class SteeredMail(KeyedMail):
    """The same with a person who also pauses it, or cancels it and does it after all.

    It has more states, so fewer things go wrong.
    """

    name = "mail-steered"
    about = "a mail by such a provider that a person pauses, cancels and does after all"
    has = (*Mail.has, "pause")
    steered = True

    def __init__(
        self, without: str = "", named: bool = False, *, faults: int = 2, acts: int = 2, **more: int
    ) -> None:
        super().__init__(without, named, faults=faults, acts=acts, **more)
