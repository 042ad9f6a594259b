"""The mail server of a site, which can also be switched off."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from typing import Any

from tests.support.servers import AcceptedMail, HostileSMTP


class SwitchableSMTP(HostileSMTP):
    """``HostileSMTP`` that can also refuse connections, as if it were switched off."""

    def refuse_connections(self) -> None:
        self._off = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def listen_again(self) -> None:
        self._off = False
        self._listener = socket.create_server(self.address, backlog=64)
        threading.Thread(target=self._listen, daemon=True).start()

    def __exit__(self, *exception: Any) -> None:
        if not getattr(self, "_off", False):
            super().__exit__(*exception)

    def mails(self, *, to: str = "") -> list[AcceptedMail]:
        """The ledger, in whole or for one recipient."""
        return [mail for mail in list(self.accepted) if not to or to in mail.recipients]

    def doubles(self) -> list[str]:
        """Message-IDs that were accepted more than once."""
        counted = Counter(mail.message_id.strip() for mail in list(self.accepted))
        return [message_id for message_id, times in counted.items() if times > 1]
