"""The recipes of ``docs/extending.md``, and a server that extensions speak to."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.support.servers import HOST

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
BLOCK = re.compile(r"^```\w+\n(.*?)^```$", flags=re.M | re.S)
#: The first line of a block that is a file: a comment with its name, in the language of the file.
NAME = re.compile(r"(?:#|\{#|/\*) (\w+/[\w./]+\.\w+)(?: #\}| \*/)?\n")


def recipe(title: str) -> dict[str, str]:
    """The files of the recipe under a heading, by name."""
    sections = re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.M)
    (section,) = (text for text in sections if text.startswith(f"{title}\n"))
    named = ((NAME.match(block), block) for block in BLOCK.findall(section))
    return {found[1]: block for found, block in named if found}


def titles() -> list[str]:
    """The headings of the sections that hold files."""
    found = re.findall(r"^## (.+)$", DOCUMENT.read_text("utf-8"), flags=re.M)
    return [title for title in found if recipe(title)]


def write(title: str, directory: Path) -> None:
    """Write the files of a recipe below a directory, each app with its ``__init__.py``."""
    for name, text in recipe(title).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        (directory / Path(name).parts[0] / "__init__.py").touch()


@dataclass(frozen=True)
class Request:
    """A request that a ``Receiver`` got. The names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: Any


class Receiver(ThreadingHTTPServer):
    """Notes each request and answers 200 with ``answer``, unless ``once`` says otherwise.

    Attributes:
        requests: every request, in order.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Any = None) -> None:
        super().__init__((HOST, 0), _Handler)
        self.answer = {} if answer is None else answer
        self.requests: list[Request] = []
        self._next: deque[int] = deque()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/"

    def once(self, *statuses: int) -> None:
        """The status of the next answers; 0 closes the connection without an answer."""
        self._next.extend(statuses)

    def next_status(self) -> int:
        return self._next.popleft() if self._next else 200

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(self.path, headers, body))
        self.close_connection = True
        if status := self.server.next_status():
            content = json.dumps(self.server.answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing on stderr."""
