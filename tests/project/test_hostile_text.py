"""Hostile text in every address, parameter, field and header is only text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from careers.applications.models import Application
from careers.pipeline.models import Step
from tests.support import crawler
from tests.support.applying import apply_for, ask
from tests.support.crawler import HUGE, MIXED, SHORT, Crawler, addresses
from tests.support.people import ada, logged_in

pytestmark = [
    pytest.mark.django_db,
    # A list of wagtail-localize has no order.
    pytest.mark.filterwarnings("ignore::django.core.paginator.UnorderedObjectListWarning"),
]
#: A page of Wagtail that tests how errors are reported.
ALWAYS_FAILS = {"/admin/failwhale/"}
#: Forms whose fields a script makes: the page alone does not hold them.
MADE_BY_SCRIPT = re.compile(r"/admin/pages/(add/|\d+/edit/)")
#: Errors in Wagtail's own code that only an administrator's hand-made address reaches.
OF_WAGTAIL = re.compile(r"get /admin/workflows/edit/1/\?|post /admin/pages/1/move/")
OPTIONS = {"a": "A", "b": "B"}


@pytest.fixture
def full_job(job: Any) -> Any:
    """A job that asks a question of each type."""
    kinds = ("short_text", "long_text", "single_choice", "multiple_choice", "yes_no")
    kinds += ("number", "date", "link", "file", "consent", "note")
    job.questions = [
        ask(kind, kind, key=kind, options=OPTIONS if "choice" in kind else None) for kind in kinds
    ]
    job.save()
    return job


@pytest.fixture
def application(full_job: Any) -> Application:
    """An application that holds hostile text wherever the form takes it."""
    long = MIXED + "\n" + SHORT["bidirectional"]
    answers = {"name": MIXED[:150], "phone": "+1", "short_text": MIXED, "long_text": long}
    return apply_for(full_job, answers=answers)


def known(application: Application) -> dict[str, str]:
    page = application.page
    return {
        "job_key": str(application.job_key),
        "secret": application.receipt_secret,
        "reference": application.reference,
        "page_id": str(page.pk),
        "parent_page_id": str(page.get_parent().pk),
        "app_label": "careers",
        "model_name": "jobpage",
        "path": "careers/gauge-keeper/",
        "step_id": str(Step.objects.values_list("pk", flat=True).first()),
    }


def test_strangers_text_is_only_text(application: Application, client: Client) -> None:
    crawl = Crawler()
    public = [a for a in addresses(known(application)) if not a.startswith("/admin/")]
    crawl.visit(["/", "/careers/", application.page.url, *public], most=60)
    assert {"q", "page"} & crawl.parameters
    for address in sorted({*public, *crawl.seen}):
        crawl.attack_address(address, SHORT)
    for prefix in ("/", "/careers/", "/fr/", "/received/", "/apply/", "/documents/", "/media/"):
        crawl.attack_path(prefix, SHORT)
    posts = [form for form in crawl.forms.values() if form.method == "post"]
    assert any("q-long_text" in form.names for form in posts)
    for form in crawl.forms.values():
        crawl.attack_form(form, HUGE)
    assert crawl.found == []


def test_administrators_text_is_only_text(application: Application) -> None:
    crawl = Crawler(logged_in(ada()).cookies)
    admin = [a for a in addresses(known(application)) if a.startswith("/admin/")]
    crawl.visit(["/admin/", *(a for a in admin if a not in ALWAYS_FAILS)], most=300)
    # Wagtail's lists have each view twice, with and without the frame of the page.
    for address in sorted(a for a in crawl.seen if not a.endswith("/results/")):
        crawl.attack_address(address, {"mixed": MIXED})
    for form in crawl.forms.values():
        if not MADE_BY_SCRIPT.match(form.action):
            crawl.attack_form(form, {"mixed": MIXED})
    assert [words for words in crawl.found if not OF_WAGTAIL.match(words)] == []


@pytest.mark.parametrize("query", ["'", '"', "a'b", "*", "NEAR(", "a AND", "-", "\x00", "(" * 300])
@pytest.mark.parametrize("path", ["/admin/pages/1/", "/admin/choose-page/search/"])
def test_any_query_of_an_editor_is_answered(job: Any, path: str, query: str) -> None:
    assert logged_in(ada()).get(path, {"q": query}).status_code == 200


def test_editor_finds_a_page_by_its_words(job: Any) -> None:
    found = logged_in(ada()).get("/admin/pages/1/", {"q": "'gauge\" (keeper"})
    assert "Gauge keeper" in found.content.decode()


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ("<p><zqx>", "text/html", "markup was not escaped"),
        ('<input value="x" onload=zqx()">', "text/html", ""),
        (crawler.PRODUCT, "text/plain", "a template was evaluated"),
        ("name\n=zqx()", "text/csv", "a cell is a formula"),
    ],
)
def test_crawler_notices(body: str, kind: str, reason: str) -> None:
    found = crawler.wrong(HttpResponse(body, content_type=kind))
    assert bool(found) is bool(reason)
    assert all(words.startswith(reason) for words in found)
