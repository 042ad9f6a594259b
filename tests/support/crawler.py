"""Finds every address, parameter and form of the site, and sends hostile text to each.

Addresses come from the URL resolver and from links, forms and names of parameters from the pages.
So a new view, field or filter is covered by itself. All runs in this process; nothing is kept: each
request ends with a rollback.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

#: A product that appears in a page only if the page has evaluated a text.
PRODUCT = str(7919 * 7927)
#: Markup, a template, SQL, a path and a formula in one text; ``wrong`` knows its pieces.
MIXED = (
    "=zqx()\"'><zqx onload=zqx()></script><zqx>{{7919*7927}}${7919*7927}{% debug %}%(zqx)s"
    "' OR 1=1;--\\../../../../etc/passwd"
)
LINES = "zqx\r\nX-Injected: yes\r\n\r\n<zqx>"
SHORT = {
    "mixed": MIXED,
    "line ends": LINES,
    "NUL": "zqx\x00<zqx>",
    "a huge number": "9" * 400,
    "a negative number": "-1",
    "no number": "1e999",
    "bidirectional": "zqx\u202egpj.exe\u2066",
    "half a surrogate pair": "\ud800",
    "long": "<zqx>" * 800,
}
HUGE = {**SHORT, "300 kB": "<zqx>" * 60_000}
#: Headers that a view or middleware may read.
HEADERS = ("Accept-Language", "Cookie", "Origin", "Referer", "User-Agent", "X-Forwarded-For")
HEADERS += ("X-Forwarded-Host", "X-Forwarded-Uri", "X-Requested-With", "If-None-Match", "Range")
_UNEDITABLE = ("hidden", "submit", "button", "checkbox", "radio", "image", "reset")


@dataclass
class Form:
    """A form on a page, with the values that a browser would send."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def names(self) -> frozenset[str]:
        return frozenset([*self.values, *self.texts, *self.files])


class PageParser(HTMLParser):
    """Collects the links and forms of a page."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self.links: set[str] = set()
        self.forms: list[Form] = []
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "a" and "href" in given:
            self.links.add(urljoin(self._address, given["href"]))
        elif tag == "form":
            action = urljoin(self._address, given.get("action") or self._address)
            self._form = Form(action, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form and given.get("name"):
            name, kind = given["name"], given.get("type", "text").lower()
            if tag == "input" and kind == "file":
                self._form.files.append(name)
            elif tag == "textarea" or (tag == "input" and kind not in _UNEDITABLE):
                if "hidden" in given or "draftail" in str(given).lower():
                    self._form.values.setdefault(name, "")
                else:
                    self._form.texts.append(name)
            elif tag in ("input", "select", "button") and (
                kind not in ("checkbox", "radio") or "checked" in given
            ):
                self._form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


def addresses(known: dict[str, str]) -> Iterator[str]:
    """One address of each pattern of the resolver.

    Args:
        known: values of arguments by their names; others get one that fits their pattern.
    """
    for template, names in _patterns(get_resolver(), "/"):
        yield template % {name: known.get(name, _fitting(name)) for name in names}


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, list[str]]]:
    for pattern in resolver.url_patterns:
        for template, _names in normalize(pattern.pattern.regex.pattern):
            whole = prefix + template
            if isinstance(pattern, URLPattern):
                yield whole, re.findall(r"%\((\w+)\)s", whole)
            else:
                yield from _patterns(pattern, whole)


def _fitting(name: str) -> str:
    return str(uuid.UUID(int=0)) if "uuid" in name or name.endswith("_key") else "1"


class Crawler:
    """Sends hostile text as one visitor and collects what went wrong.

    Args:
        session: the cookies of a person who is logged in; None for a stranger.
    """

    def __init__(self, session: Any = None) -> None:
        self._session = session
        self.found: list[str] = []
        self.forms: dict[tuple[str, frozenset[str]], Form] = {}
        self.parameters: set[str] = set()
        self.seen: set[str] = set()
        #: Of these, the ones whose view has read the parameters.
        self.readers: set[str] = set()
        self.requests = 0

    def visit(self, starts: list[str], most: int) -> None:
        """Read pages, first ``starts``, then what they link to, and note forms and parameters.

        Each request has hostile text in its headers.

        Args:
            most: how many pages at most.
        """
        waiting = list(starts)
        shapes: set[str] = set()
        while waiting and len(self.seen) < most:
            address = waiting.pop(0)
            parts = urlsplit(address)
            # One address for each pattern: pages of other objects have the same forms.
            shape = re.sub(r"\d+", "0", parts.path) + str(sorted(dict(parse_qsl(parts.query))))
            if parts.netloc not in ("", "testserver") or shape in shapes:
                continue
            shapes.add(shape)
            self.seen.add(address)
            self.parameters |= dict(parse_qsl(parts.query)).keys()
            response = self.send("get", address, "a visit", headers=self._headers())
            if response and "GET" in vars(response.wsgi_request):
                self.readers.add(address)
            if not response or "html" not in response.get("Content-Type", ""):
                continue
            page = PageParser(address)
            page.feed(response.content.decode("utf-8", "replace"))
            for form in page.forms:
                key = re.sub(r"\d+", "0", urlsplit(form.action).path), form.names
                self.forms.setdefault(key, form)
                if form.method == "get":
                    self.parameters |= form.names
            waiting += sorted(page.links)

    def _headers(self) -> dict[str, str]:
        # A hostile cookie would make a person who is logged in a stranger.
        names = [name for name in HEADERS if name != "Cookie" or not self._session]
        return dict.fromkeys(names, MIXED)

    def attack_address(self, address: str, texts: dict[str, str]) -> None:
        """Send each text in all parameters that any page knows.

        A view that has not read the parameters of the first request reads none of the others.
        """
        path = urlsplit(address).path
        for words, text in texts.items():
            raw = text.encode("utf-8", "replace")
            query = urlencode([(name, raw[:4000]) for name in sorted(self.parameters)])
            response = self.send("get", f"{path}?{query}", f"parameters with {words}")
            if response is None or "GET" not in vars(response.wsgi_request):
                break

    def attack_path(self, prefix: str, texts: dict[str, str]) -> None:
        """Send each text as the rest of a path."""
        for words, text in texts.items():
            part = quote(text.encode("utf-8", "replace")[:1300], safe="")
            self.send("get", f"{prefix}{part}/", f"path with {words}")

    def attack_form(self, form: Form, texts: dict[str, str]) -> None:
        """Send a form with each text in all of its fields that a person fills in."""
        for words, text in texts.items():
            clean = text.encode("utf-8", "replace").decode()
            values: dict[str, Any] = form.values | dict.fromkeys(form.texts, clean)
            for name in form.files:
                values[name] = SimpleUploadedFile(clean[:200], clean[:999].encode(), "text/html")
            if form.method == "post":
                self.send("post", form.action, f"form with {words}", data=values)
            else:
                query = urlencode(values)
                self.send("get", f"{urlsplit(form.action).path}?{query}", f"form with {words}")

    def send(self, method: str, address: str, what: str, **more: Any) -> Any:
        """Send one request and judge the response; what it changes is rolled back."""
        client = Client(raise_request_exception=False)
        if self._session:
            client.cookies.load(self._session)
        self.requests += 1
        with transaction.atomic():
            response = getattr(client, method)(address, **more)
            reasons = wrong(response)
            transaction.set_rollback(True)
        self.found += [f"{method} {address[:120]}: {what}: {reason}" for reason in reasons]
        return response


def wrong(response: Any) -> list[str]:
    """What is wrong with a response to hostile text."""
    reasons = []
    if response.status_code >= 500:
        error = getattr(response, "exc_info", None)
        reasons.append(f"status {response.status_code}: {error[1]!r:.200}" if error else "an error")
    if "X-Injected" in response or any("\n" in value for value in response.headers.values()):
        reasons.append("a header was injected")
    if response.streaming:
        return reasons
    text = response.content.decode("utf-8", "replace")
    if PRODUCT in text:
        reasons.append("a template was evaluated")
    kind = response.get("Content-Type", "")
    if ("html" in kind or "xml" in kind) and "<zqx" in text:
        at = text.index("<zqx")
        reasons.append(f"markup was not escaped: {text[max(0, at - 80) : at + 20]!r}")
    if "html" in kind and re.search(r"=\s*\"[^\"<>]{0,200}=zqx\(\)\"", text):
        reasons.append("a quote ended an attribute")
    if "csv" in kind and re.search(r"(^|[,;\n])\"?[=+@-]zqx", text):
        reasons.append("a cell is a formula")
    return reasons
