"""smtplib with a known point of no return.

A mail is the server's from the moment it has read the final dot (RFC 5321, 4.2.5 and 4.5.3.2).
smtplib raises the same exceptions before and after it, so the exception can't tell whether a
mail went out. These clients can.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

#: What smtplib sends last and in one piece with the message: the dot on a line of its own.
_DOT = b"\r\n.\r\n"

if TYPE_CHECKING:
    _Client = smtplib.SMTP
else:
    _Client = object


class _Phases(_Client):
    """Asks before the final dot and remembers whether it may have left.

    Attributes:
        before_send: called right before the message with its final dot is sent; when it raises,
            not one byte of the message leaves.
        in_data: the server waits for a message; any command would become part of it.
        after_dot: the server may have the whole message.
    """

    before_send: Callable[[], None]
    in_data = False
    after_dot = False

    def send(self, s: Any) -> None:
        if not (isinstance(s, (bytes, bytearray)) and s.endswith(_DOT)):
            super().send(s)
            return
        self.in_data = True
        self.before_send()
        # Before the bytes leave: whatever interrupts us here, the server may have them.
        self.after_dot = True
        try:
            super().send(s)
        except smtplib.SMTPServerDisconnected:
            # The system did not take the last bytes, so the dot never left this machine.
            self.after_dot = False
            raise
        self.in_data = False

    def hang_up(self) -> None:
        """Close without waiting for anything; the server gets no complete message from it."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                if self.in_data:
                    # Reset the connection: no server may take silence for the end of a mail.
                    self.sock.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                else:
                    self.sock.settimeout(1)
                    self.sock.sendall(b"QUIT\r\n")
        with contextlib.suppress(OSError):
            self.close()


class PhaseSMTP(_Phases, smtplib.SMTP):
    """SMTP in the clear, or with STARTTLS."""


class PhaseSMTPOverTLS(_Phases, smtplib.SMTP_SSL):
    """SMTP inside TLS from the first byte (RFC 8314)."""
