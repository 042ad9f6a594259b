"""smtplib with a known point of no return.

A mail belongs to the server once the server has read the final dot (RFC 5321, 4.2.5 and 4.5.3.2).
smtplib raises the same exceptions before and after that, so an exception does not show whether the
mail was sent. These clients do.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

#: The end of a message: smtplib sends it in one piece with the message.
_DOT = b"\r\n.\r\n"

if TYPE_CHECKING:
    _Client = smtplib.SMTP
else:
    _Client = object


class _Phases(_Client):
    """Calls ``before_send`` at the point of no return, and records whether it was passed.

    Attributes:
        before_send: called right before the message is sent; when it raises, no byte of the
            message leaves.
        in_data: the server expects a message; it would read any command as part of it.
        may_have_been_sent: the server may have the whole message.
        greeting: what the server said when the client connected.
    """

    before_send: Callable[[], None]
    in_data = False
    may_have_been_sent = False
    greeting = ""

    def connect(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        code, text = super().connect(*args, **kwargs)
        self.greeting = text.decode("ascii", "replace")
        return code, text

    def send(self, s: Any) -> None:
        if not (isinstance(s, (bytes, bytearray)) and s.endswith(_DOT)):
            super().send(s)
            return
        self.in_data = True
        self.before_send()
        # Set before the bytes leave: after an interruption here the server may have them.
        self.may_have_been_sent = True
        try:
            super().send(s)
        except smtplib.SMTPServerDisconnected:
            # The operating system did not accept the last bytes, so they never left.
            self.may_have_been_sent = False
            raise
        self.in_data = False

    def abort(self) -> None:
        """Close without waiting; the server never mistakes this for the end of a message."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                if self.in_data:
                    # Reset: a server could take an orderly close for the end of the mail.
                    self.sock.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                else:
                    self.sock.settimeout(1)
                    self.sock.sendall(b"QUIT\r\n")
        with contextlib.suppress(OSError):
            self.close()


class PhaseSMTP(_Phases, smtplib.SMTP):
    """SMTP without encryption, or with STARTTLS."""


class PhaseSMTPOverTLS(_Phases, smtplib.SMTP_SSL):
    """SMTP inside TLS from the first byte (RFC 8314)."""
