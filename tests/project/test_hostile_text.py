"""No address fails: not for hostile text, broken media, huge forms or spent schedules.

Hostile text in every address, parameter, field and header is only text.
"""

from __future__ import annotations

import datetime as dt
import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from careers.applications.models import Application
from careers.jobs.models import JobPage
from careers.pipeline.models import Step
from tests.support import crawler, media
from tests.support.applying import apply_for, ask, send
from tests.support.crawler import HUGE, MIXED, SHORT, Crawler, addresses
from tests.support.editing import page_form
from tests.support.factories import JobPageFactory
from tests.support.people import ada, logged_in

pytestmark = [
    pytest.mark.django_db,
    # A list of wagtail-localize has no order.
    pytest.mark.filterwarnings("ignore::django.core.paginator.UnorderedObjectListWarning"),
    # Wagtail leaves the file open that it makes a rendition in.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
#: A page of Wagtail that tests how errors are reported.
ALWAYS_FAILS = {"/admin/failwhale/"}
#: Forms whose fields a script makes: the page alone does not hold them.
MADE_BY_SCRIPT = re.compile(r"/admin/pages/(add/|\d+/edit/)")
#: Errors in Wagtail's own code that only an administrator's hand-made address reaches.
OF_WAGTAIL = re.compile(r"get /admin/workflows/edit/1/\?|post /admin/pages/1/move/")
OPTIONS = {"a": "A", "b": "B"}
FIVE = dict.fromkeys("abcde", "An option")
DAY, YEAR = dt.timedelta(days=1), dt.timedelta(days=365)


@pytest.fixture(autouse=True)
def _contexts_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test client from copying the context of every template, which takes long."""
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *_, **__: None)


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
def application(full_job: Any, settings: Any, tmp_path: Path) -> Iterator[Application]:
    """An application with hostile text in every field, on a site with broken content."""
    settings.MEDIA_ROOT = tmp_path
    long = MIXED + "\n" + SHORT["bidirectional"]
    answers = {"name": MIXED[:150], "phone": "+1", "short_text": MIXED, "long_text": long}
    application = apply_for(full_job, answers=answers)
    media.spoil(full_job)
    yield application
    gc.collect()


@pytest.fixture
def odd_jobs(job_index: Any) -> list[Any]:
    """Jobs with more questions than anybody asks, and with dates that no longer make sense."""
    now = timezone.now()
    many = [ask("single_choice", f"Question {n}", key=f"k{n}", options=FIVE) for n in range(300)]
    jobs: dict[str, dict[str, Any]] = {
        "huge": {"questions": many},
        "spent": {"go_live_at": now - YEAR, "expire_at": now - DAY, "closes_at": now - DAY},
        "expired": {"expire_at": now - DAY, "expired": True, "live": False},
        "never-closes": {"closes_at": dt.datetime.max.replace(tzinfo=dt.UTC)},
        "long-open": {"opens_at": dt.datetime.min.replace(tzinfo=dt.UTC), "time_zone": "US/Hawaii"},
        "later": {"opens_at": now + YEAR, "closes_at": now - YEAR, "live": False},
    }
    for name, values in jobs.items():
        page = JobPageFactory(parent=job_index, title=name, slug=name)
        page.questions = values.pop("questions", [])
        page.save()
        # No form accepts all of these dates, but time makes some of them.
        JobPage.objects.filter(pk=page.pk).update(**values)
    return list(JobPage.objects.filter(slug__in=jobs))


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
    for address in sorted(a for a in crawl.readers if not a.endswith("/results/")):
        crawl.attack_address(address, {"mixed": MIXED})
    for form in crawl.forms.values():
        if not MADE_BY_SCRIPT.match(form.action):
            crawl.attack_form(form, {"mixed": MIXED})
    assert [words for words in crawl.found if not OF_WAGTAIL.match(words)] == []


def test_odd_jobs_are_shown_edited_and_applied_for(
    application: Application, odd_jobs: list[Any], client: Client
) -> None:
    crawl, admin = Crawler(), Crawler(logged_in(ada()).cookies)
    for address in ("/", "/careers/", "/jobs.atom", "/sitemap.xml"):
        crawl.send("get", address, "odd jobs")
    for job in odd_jobs:
        editor = f"/admin/pages/{job.pk}/edit/"
        crawl.send("get", job.url, job.slug)
        admin.send("get", editor, job.slug)
        admin.send("get", f"/admin/pages/{job.pk}/copy/", job.slug)
        data = page_form(job, **{"action-publish": "1"})
        admin.send("post", editor, job.slug, data=data)
        assert send(client, job).status_code < 500
    huge = next(job for job in odd_jobs if job.slug == "huge")
    fields = {f"questions-{n}-value": "x" for n in range(1500)}
    admin.send("post", f"/admin/pages/{huge.pk}/edit/", "huge", data=page_form(huge) | fields)
    for answers in (fields, {f"q-k{n}": "a" for n in range(300)}):
        assert send(client, huge, **answers).status_code < 500
    assert crawl.found + admin.found == []


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
