"""A mail server for one machine that delivers nothing: each mail ends in a Maildir.

Alone: ``python -m careersite.embedded.mail_catcher DIRECTORY PORT``
"""

import asyncio
import mailbox
import signal
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

#: The most bytes of one mail; ours are smaller.
LARGEST = 50 * 1024 * 1024


class Catcher:
    """Stores each mail on the disk before it answers 250."""

    def __init__(self, directory: Path) -> None:
        directory.parent.mkdir(parents=True, exist_ok=True)
        self._box = mailbox.Maildir(directory)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd after the final dot; the answer goes to the sender."""
        assert isinstance(envelope.content, bytes)
        # The recipients in the envelope; the mail itself does not name blind copies.
        recipients = ", ".join(envelope.rcpt_tos).encode()
        sender = (envelope.mail_from or "<>").encode()
        above = b"X-Mail-From: %s\r\nX-Rcpt-To: %s\r\n" % (sender, recipients)
        self._box.add(above + envelope.content)
        return "250 Stored"


async def serve(directory: Path, port: int) -> None:
    """Accept mails on ``port`` of the loopback interface until the process is asked to stop."""
    loop = asyncio.get_running_loop()
    catcher, stop = Catcher(directory), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: SMTP(catcher, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="localhost"),
        host="127.0.0.1",
        port=port,
    )
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
