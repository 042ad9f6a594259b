"""A reserved port belongs to the tests before, while and after a server listens on it."""

from __future__ import annotations

import ast
import socket
from pathlib import Path

import pytest

from tests.support.servers import HOST, reserve_port

ROOT = Path(__file__).resolve().parents[2]


def test_reserved_port_refuses_connections_until_a_server_listens() -> None:
    port = reserve_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), 5)
    for _start in range(2):
        with socket.create_server((HOST, port)):
            socket.create_connection((HOST, port), 5).close()


def test_reserved_port_is_not_given_to_other_programs() -> None:
    port = reserve_port()
    others = [socket.create_server((HOST, 0)) for _ in range(300)]
    given = {other.getsockname()[1] for other in others}
    clients = [socket.create_connection(others[0].getsockname(), 5) for _ in range(50)]
    given |= {client.getsockname()[1] for client in clients}
    for each in [*others, *clients]:
        each.close()
    assert port not in given


def test_reserved_ports_differ() -> None:
    assert len({reserve_port() for _ in range(20)}) == 20


def test_no_module_defines_a_free_port_function() -> None:
    """``reserve_port`` is the only way to choose a port before a server starts."""
    modules = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "prove").rglob("*.py")]
    defined = {
        node.name
        for path in modules
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert "reserve_port" in defined
    assert "free_port" not in defined
