"""The endpoint for reports of browsers: bounded, counted, and without personal data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from careersite import browser_reports
from careersite.settings.browser import REPORTS_PATH

SECRET_PAGE = "https://careers.example.org/received/secret-of-ada/?email=ada@example.org"
OLDER = {
    "csp-report": {
        "document-uri": SECRET_PAGE,
        "referrer": "https://mail.example.org/ada",
        "violated-directive": "script-src-elem",
        "effective-directive": "script-src-elem",
        "blocked-uri": "inline",
        "script-sample": "ada@example.org",
    }
}
NEWER = [
    {
        "type": "csp-violation",
        "url": SECRET_PAGE,
        "user_agent": "Ada’s browser",
        "body": {
            "documentURL": "https://careers.example.org/admin/pages/3/edit/",
            "effectiveDirective": "style-src-elem",
            "blockedURL": "inline",
        },
    },
    {"type": "deprecation", "body": {}},
]


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_reports, "_counts", type(browser_reports._counts)())
    monkeypatch.setattr(browser_reports, "_read", type(browser_reports._read)())


def send(body: Any, content_type: str = "application/csp-report") -> int:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(REPORTS_PATH, content, content_type).status_code


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    ours = [record for record in caplog.records if record.name == browser_reports.__name__]
    return [record.getMessage() for record in ours]


def test_report_of_either_format_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    assert send(OLDER) == 204
    assert send(NEWER, "application/reports+json") == 204
    assert logged(caplog) == [
        "browsers blocked script-src-elem on public pages: report 1 of this process",
        "browsers blocked style-src-elem on the admin: report 1 of this process",
    ]


def test_reports_log_no_word_of_the_sender(caplog: pytest.LogCaptureFixture) -> None:
    send({"csp-report": {**OLDER["csp-report"], "effective-directive": "ada\nsecret"}})
    (line,) = logged(caplog)
    assert line == "browsers blocked unknown on public pages: report 1 of this process"


def test_flood_of_reports_writes_few_lines_and_is_refused(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_reports, "monotonic", lambda: 60.0)
    many = [{"type": "csp-violation", "body": {}}] * 300
    answers = [send(many) for _ in range(browser_reports.MAX_A_MINUTE + 1)]
    assert answers == [204] * browser_reports.MAX_A_MINUTE + [429]
    # 120 requests with 20 counted reports each.
    assert [line.split()[-4] for line in logged(caplog)] == ["1", "10", "100", "1000"]
    monkeypatch.setattr(browser_reports, "monotonic", lambda: 120.0)
    assert send(NEWER) == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 413),
        (b" " * (browser_reports.MAX_BYTES + 1), 413),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * browser_reports.MAX_BYTES, 400),
        (b"[]", 400),
        (b"5", 400),
        (b'{"csp-report": 5}', 400),
        (b'[{"type": "csp-violation"}]', 400),
        (b'[{"type": ["csp-violation"], "body": {}}, 5, null]', 400),
        (b'{"csp-report": {"document-uri": "http://[", "effective-directive": 5}}', 204),
    ],
    ids=range(11),
)
def test_malformed_report_gets_the_expected_status(body: bytes, status: int) -> None:
    assert send(body) == status


def test_report_of_a_browser_extension_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    report = {**OLDER["csp-report"], "source-file": "moz-extension"}
    assert send({"csp-report": report}) == 204
    assert logged(caplog) == []


def test_reports_can_only_be_posted() -> None:
    assert Client().get(REPORTS_PATH).status_code == 405
