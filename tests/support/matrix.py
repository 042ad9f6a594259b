"""Who gets which answer from which address: every address, role and method, with real objects.

``tests/project/matrix.txt`` holds the expected answers; ``tests/README.md`` says how to read and
change it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from careers.pipeline.kinds import ARCHIVE
from tests.support.factories import AlertFactory
from tests.support.matrix_world import FOREIGN, OWN, build

#: The columns of the table.
ROLES = (
    "anonymous",  # no login
    "guest",  # an account without access to the admin
    "editor",  # edits the own pages, has none of our permissions
    "reader",  # reads the applications of the own job, edits nothing
    "author",
    "lead",
    "reviewer",
    "operator",
    "administrator",
    "reader+editor",  # group 1 reads the own job; group 2 edits all pages
    "lead+reader",  # group 1 leads the own jobs; group 2 reads the foreign ones
    "operator+reader",  # group 1 operates; group 2 reads the own job
    "direct",  # edits all pages; has our permissions without a group
)
#: Roles that differ from others on our own addresses only; elsewhere their cell is empty.
ON_OURS = {"reviewer", "lead+reader", "operator+reader", "direct"}
OUR_ADDRESSES = ("admin/tasks/", "admin/applications/", "flower/", "received/")


# ── The addresses ───────────────────────────────────────────────────────────────────────


def addresses() -> list[str]:
    """Every address that the site knows, as its pattern, in the order in which it is tried."""
    found = _walk(get_resolver().url_patterns, "")
    return list(dict.fromkeys(found))


def _walk(patterns: Any, above: str) -> Iterator[str]:
    for pattern in patterns:
        here = above + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield here
        else:
            yield from _walk(pattern.url_patterns, here)


#: Addresses that are regular expressions: an example of each.
EXAMPLES = {
    r"admin/pages/^(?P<pk>\d+)/revisions/compare/(?P<revision_id_a>live|earliest|\d+)\.\.\."
    r"(?P<revision_id_b>live|latest|\d+)/$": (
        "admin/pages/{page}/revisions/compare/earliest...live/"
    ),
    r"admin/^.*/$": "admin/nothing/is/here/",
    r"admin/^sign-in/forgotten/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": (
        "admin/sign-in/forgotten/1-made-up/"
    ),
    r"admin/^password_reset/": "admin/password_reset/confirm/MQ/set-password/",
    r"documents/^(\d+)/(.*)$": "documents/{document}/{document_name}",
    r"^media/(?P<path>(?:images|original_images)/.+)$": "media/images/none.png",
    r"^((?:[\w\-]+/)*)$": "{page_path}",
}
#: What the parameters of an address stand for: the first line that fits. Add one for an address
#: whose parameters are new. The values are attributes of the world, or text in quotes.
PARAMETERS: list[tuple[str, dict[str, str]]] = [
    (r"^sitemap-", {"number": "'1'"}),
    (r"^admin/api/main/\^pages/", {"pk": "page", "action_name": "'copy'"}),
    (r"^admin/api/main/\^documents/", {"pk": "document"}),
    (r"^admin/api/main/\^images/", {"pk": "image"}),
    (
        r"^admin/bulk/",
        {"app_label": "'wagtailcore'", "model_name": "'page'", "action": "'publish'"},
    ),
    (
        r"^admin/pages/add/",
        {"content_type_app_name": "'careers'", "content_type_model_name": "'jobpage'"},
    ),
    (
        r"^admin/pages/(usage|create)/",
        {
            "content_type_app_name": "'careers'",
            "content_type_model_name": "'jobpage'",
            "app_label": "'careers'",
            "model_name": "'jobpage'",
        },
    ),
    (r"^admin/pages/workflow/", {"action_name": "'approve'", "task_state_id": "'1'"}),
    (r"^admin/editing-sessions/", {"app_label": "'careers'", "model_name": "'jobpage'"}),
    (r"^admin/editing-sessions/", {"object_id": "page", "session_id": "'1'"}),
    (r"^admin/tag-autocomplete/", {"app_name": "'taggit'", "model_name": "'tag'"}),
    (r"^admin/collections/", {"pk": "collection", "collection_id": "collection"}),
    (r"^admin/workflows/tasks/add/", {"app_label": "'wagtailcore'"}),
    (r"^admin/workflows/tasks/add/", {"model_name": "'groupapprovaltask'"}),
    (r"^admin/workflows/task", {"pk": "task", "task_id": "task"}),
    (r"^admin/workflows/", {"pk": "workflow", "workflow_pk": "workflow", "page_pk": "page"}),
    (r"^admin/(tasks|applications)/", {"reference": "reference", "public_id": "file"}),
    (r"^admin/applications/.*/pages/", {"number": "'1'"}),
    (r"change-address/$", {"step_id": "mail"}),
    (r"^admin/tasks/alike/", {"act": "'send-again'"}),
    (r"^admin/tasks/", {"step_id": "step", "act": "'cancel'"}),
    (r"^admin/tasks/", {"pause_id": "pause", "bulk_id": "bulk"}),
    (r"^admin/localize/.*snippet", {"app_label": "'careers'", "model_name": "'department'"}),
    (r"^admin/localize/.*snippet", {"pk": "department"}),
    (
        r"^admin/localize/",
        {
            "translation_source_id": "source",
            "translation_id": "translation",
            "string_segment_id": "string_segment",
            "overridable_segment_id": "'1'",
            "mode": "''",
        },
    ),
    (r"^admin/redirects/", {"redirect_id": "'1'"}),
    (r"^admin/settings/", {"app_name": "'home'", "model_name": "'sitesettings'", "pk": "site"}),
    (r"^admin/documents/", {"document_id": "document", "doc_id": "document", "pk": "document"}),
    (r"^admin/(documents|images)/", {"uploaded_file_id": "'1'"}),
    (r"^admin/images/", {"image_id": "image", "pk": "image", "filter_spec": "'width-10'"}),
    (r"^admin/snippets/.*department/", {"pk": "department"}),
    (r"^admin/snippets/.*location/", {"pk": "location"}),
    (r"^admin/locales/", {"pk": "locale"}),
    (r"^admin/sites/", {"pk": "site"}),
    (r"^admin/users/", {"pk": "other_user"}),
    (r"^admin/sign-in/factors/passkeys/", {"pk": "other_passkey"}),
    (r"^admin/groups/", {"pk": "group"}),
    (r"^admin/password_reset/", {"uidb64": "'MQ'", "token": "'set-password'"}),
    (r"^documents/", {"restriction_id": "'1'"}),
    (r"^_util/", {"page_view_restriction_id": "'1'"}),
    (r"^received/", {"secret": "secret"}),
    (r"^(share|apply)/", {"job_key": "job_key"}),
    (r"^flower/", {"page": "'tasks'"}),
    (r"^static/", {"path": "'none.css'"}),
    (
        r"",
        {
            "page_id": "page",
            "parent_page_id": "index",
            "page_to_move_id": "page",
            "destination_id": "spare",
            "revision_id": "revision",
            "task_id": "'1'",
            "workflow_state_id": "'1'",
        },
    ),
]
#: What belongs to one part of the page tree; an address with it has a line for each part.
SIDED = {
    "page",
    "page_path",
    "index",
    "spare",
    "revision",
    "reference",
    "step",
    "mail",
    "file",
    "translation",
    "source",
    "string_segment",
    "secret",
    "job_key",
}


def wanted(address: str) -> tuple[str, list[str]]:
    """The address with the names of what its parameters stand for, and these names.

    Raises:
        LookupError: nothing says what a parameter stands for.
    """
    if address in EXAMPLES:
        example = EXAMPLES[address]
        return example, re.findall(r"{(\w+)}", example)
    names: list[str] = []

    def fill(found: re.Match[str]) -> str:
        parameter = found[1]
        for pattern, values in PARAMETERS:
            if parameter in values and re.search(pattern, address):
                value = values[parameter]
                if value.startswith("'"):
                    return value.strip("'")
                names.append(value)
                return f"{{{value}}}"
        raise LookupError(f"{address}: say in PARAMETERS what <{parameter}> stands for")

    return re.sub(r"<(?:\w+:)?(\w+)>", fill, address.replace("^", "")), names


def lines() -> list[tuple[str, str]]:
    """The lines of the table: each address, for each part of the tree where that matters."""
    found = []
    for address in addresses():
        is_sided = not SIDED.isdisjoint(wanted(address)[1])
        found += [(address, side) for side in ((OWN, FOREIGN) if is_sided else ("",))]
    return found


#: Sent with every POST: without it, Wagtail's forms of pages do not take a form for one.
BASE_FORM = {
    "body-count": "0",
    "questions-count": "0",
    "comments-TOTAL_FORMS": "0",
    "comments-INITIAL_FORMS": "0",
}
#: What is sent with POST, where an empty form would not show whether it is allowed. Names in
#: braces are attributes of the world.
FORMS: dict[str, dict[str, str]] = {
    "admin/tasks/run-now/": {"task": "careers.watch"},
    "admin/tasks/dismiss-advice/": {"digest": "unknown"},
    "admin/tasks/retry-alike/": {"kind": ARCHIVE, "code": "ValueError"},
    "admin/tasks/pauses/": {"scope": "mails", "hours": "4", "reason": "Repair"},
    "admin/tasks/<str:reference>/<int:step_id>/snooze/": {"hours": "4"},
    "admin/tasks/<str:reference>/<int:step_id>/change-address/": {"address": "any@example.net"},
    "admin/applications/<str:reference>/stage/": {"stage": "interview", "before": "new"},
    "admin/sign-in/forgotten/": {"email": "nobody@example.com"},
    "admin/choose-external-link/": {"external-link-chooser-url": "https://example.com/"},
    "admin/pages/<int:page_id>/copy/": {
        "new_title": "Copy",
        "new_slug": "copy",
        "new_parent_page": "{index}",
    },
}
#: What the address asks for in its query.
QUERIES = {
    "admin/bulk/<str:app_label>/<str:model_name>/<str:action>/": "?id={page}",
    "admin/tasks/retry-alike/": f"?kind={ARCHIVE}&code=ValueError",
    "admin/pages/find/": "?html_path=x",
}


# ── The answers ─────────────────────────────────────────────────────────────────────────


@contextmanager
def without_rendering() -> Iterator[None]:
    """Views run as always, but templates give no text, and nothing is logged."""
    logging.disable()
    with mock.patch.object(Template, "render", return_value=""):
        yield
    logging.disable(logging.NOTSET)


class Visitor:
    """One role, which asks for addresses. Nothing that it does is kept."""

    def __init__(self, person: Any) -> None:
        self._client = Client(raise_request_exception=False)
        if person is not None:
            self._client.force_login(person)
        self._cookies = {name: morsel.value for name, morsel in self._client.cookies.items()}

    def answers(self, address: str, objects: SimpleNamespace) -> str:
        """The outcomes of GET and POST, such as ``200/405``."""
        text, _names = wanted(address)
        url = "/" + (text + QUERIES.get(address, "")).format_map(vars(objects))
        form = BASE_FORM | {
            name: value.format_map(vars(objects)) for name, value in FORMS.get(address, {}).items()
        }
        return "/".join(self._ask(method, url, form) for method in ("get", "post"))

    def _ask(self, method: str, url: str, form: dict[str, str]) -> str:
        self._client.cookies = SimpleCookie(self._cookies)
        with transaction.atomic():
            response = getattr(self._client, method)(url, form if method == "post" else None)
            transaction.set_rollback(True)
        # Not ``close()``, which also ends the connection to the database.
        for close in response._resource_closers:
            close()
        return outcome(response)


def outcome(response: Any) -> str:
    """The status; for a redirect ``login``, ``deny`` (to the start of the admin) or ``302``."""
    if response.streaming:
        response.getvalue()  # closes its file
    if response.status_code not in (301, 302):
        return str(response.status_code)
    where = response.headers["Location"]
    if where.startswith((reverse("wagtailadmin_login"), reverse("wagtailcore_login"))):
        return "login"
    return "deny" if where == reverse("wagtailadmin_home") else "302"


# ── The table ───────────────────────────────────────────────────────────────────────────

Table = dict[tuple[str, str], dict[str, str]]


def measured(wanted_lines: list[tuple[str, str]]) -> Table:
    """The answers of the site now, for these lines of the table."""
    world = build()
    AlertFactory()
    visitors = {role: Visitor(world["people"][role]) for role in ROLES}
    found: Table = {}
    with without_rendering():
        for address, side in wanted_lines:
            objects = world[side or OWN]
            is_ours = address.startswith(OUR_ADDRESSES)
            found[address, side] = {
                role: visitor.answers(address, objects) if is_ours or role not in ON_OURS else "."
                for role, visitor in visitors.items()
            }
    return found


def write(table: Table) -> str:
    """The table as text: a line for each address and part of the tree, a column for each role."""
    rows = [["address", "object", *ROLES]]
    for (address, side), answers in table.items():
        rows.append([f"/{address}", side or "-", *(answers[role] for role in ROLES)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def read(text: str) -> Table:
    """What ``write`` wrote."""
    found: Table = {}
    header, *rows = [line.split() for line in text.splitlines()]
    for address, side, *answers in rows:
        part = "" if side == "-" else side
        found[address[1:], part] = dict(zip(header[2:], answers, strict=True))
    return found
