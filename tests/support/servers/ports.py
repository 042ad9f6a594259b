"""TCP ports that belong to the tests from the moment they are chosen."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"
#: Longer than any client waits in a test; a server that hangs ends when it is closed.
HANG_SECONDS = 60

_reserved: list[socket.socket] = []


def reserve_port() -> int:
    """Return a TCP port of the loopback address that no other process can be given.

    This process binds the port and keeps it bound without listening. The kernel then gives the
    port to no process that asks for any free one, and refuses connections to it. A server that is
    given this port can still listen on it, because both sockets have ``SO_REUSEADDR`` and only one
    listens (socket(7), ip(7)). The reservation ends with this process, so a server may stop and
    start again on its port.
    """
    socket_ = socket.socket()
    socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    socket_.bind((HOST, 0))
    _reserved.append(socket_)
    port: int = socket_.getsockname()[1]
    return port
