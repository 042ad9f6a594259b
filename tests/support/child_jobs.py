"""Jobs for a child process of ``careers.inspection`` that misbehave, with short limits."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from careers.inspection import confinement

confinement.CPU, confinement.WALL, confinement.MEMORY = 1, 2, 64 * 1024 * 1024


def spin(asked: dict[str, Any], content: bytes) -> Any:
    while True:
        pass


def sleep(asked: dict[str, Any], content: bytes) -> Any:
    time.sleep(600)


def allocate(asked: dict[str, Any], content: bytes) -> Any:
    return {"size": len(bytearray(200 * 1024 * 1024))}, []


def crash(asked: dict[str, Any], content: bytes) -> Any:
    ctypes.string_at(0)


def fail(asked: dict[str, Any], content: bytes) -> Any:
    raise ValueError("words of an applicant")


def echo(asked: dict[str, Any], content: bytes) -> Any:
    about = {"pid": os.getpid(), "server": os.getppid(), "niceness": os.nice(0)}
    return {**asked, **about}, [content, content[:1]]


def surroundings(asked: dict[str, Any], content: bytes) -> Any:
    return {"environment": dict(os.environ), "files": list(filter(_is_open, range(256)))}, []


def _is_open(number: int) -> bool:
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def escapes(asked: dict[str, Any], content: bytes) -> Any:
    """Which ways out of the process are open."""
    ways: dict[str, Callable[[], Any]] = {
        "network": socket.socket,
        "secrets": lambda: os.open("/proc/1/environ", os.O_RDONLY),
        "settings": lambda: os.open(asked["path"], os.O_RDONLY),
        "write": lambda: os.open("/tmp/inspection-escape", os.O_CREAT),
        "program": lambda: os.execv("/bin/true", ["true"]),
        "process": os.fork,
        "signal": lambda: os.kill(os.getppid(), 0),
        "files of the server": _take_a_file_of_the_server,
    }
    return {"open": [name for name, way in ways.items() if _succeeds(way)]}, []


def _take_a_file_of_the_server() -> None:
    """pidfd_open(2), pidfd_getfd(2): their numbers are the same on all machines."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = libc.syscall(434, os.getppid(), 0)
    if process < 0 or libc.syscall(438, process, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "pidfd")


def _succeeds(way: Callable[[], Any]) -> bool:
    try:
        way()
    except OSError:
        return False
    return True


JOBS = {
    job.__name__: job for job in (spin, sleep, allocate, crash, fail, echo, surroundings, escapes)
}
