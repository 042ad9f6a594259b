"""A real worker prepares many pages for translation, also when messages are lost."""

from __future__ import annotations

from tests.support.databases import ON_SQLITE
from tests.support.processes import until
from tests.support.stack import Stack

#: What Wagtail does when an editor translates a page with its subtree.
SUBMIT = """
from django.contrib.auth import get_user_model
from wagtail.models import Locale
from wagtail_localize.operations import translate_page_subtree
from wagtail_localize.tasks import background
from careers.jobs.models import JobIndexPage, JobPage

index = JobIndexPage.objects.get(locale__language_code="en")
index.add_child(instance=JobPage(title="Harbour pilot", summary="Bring ships in."))
hanna, french = get_user_model().objects.get(username="hanna"), Locale.objects.get(
    language_code="fr"
)
background.enqueue(translate_page_subtree, [index.pk, [french], None, hanna], {})
"""
#: What the schedule does.
LOOK = "from careers.languages.tasks import translate_pages; translate_pages.delay()"


def jobs(site: Stack, language: str) -> int:
    [found] = site.query(
        "SELECT count(*) AS number FROM careers_jobpage JOIN wagtailcore_page ON id = page_ptr_id "
        f"WHERE locale_id = (SELECT id FROM wagtailcore_locale WHERE language_code = '{language}')"
    )
    return int(found["number"])


def requests_left(site: Stack) -> int:
    return len(site.query("SELECT id FROM careers_translationerrand"))


def all_are_in_french(site: Stack) -> bool:
    return jobs(site, "fr") == jobs(site, "en") and not requests_left(site)


@ON_SQLITE
def test_subtree_translation_runs_in_a_worker_and_survives_a_broker_outage(site: Stack) -> None:
    before = jobs(site, "fr")
    assert site.manage("shell", "-c", SUBMIT).returncode == 0
    until(lambda: all_are_in_french(site), 120, "the worker made no French pages")
    assert jobs(site, "fr") > before

    site["broker"].kill()
    done = site.manage("shell", "-c", SUBMIT)
    assert (done.returncode, requests_left(site)) == (0, 1), done.stderr
    site.start("broker")
    assert requests_left(site) == 1
    assert site.manage("shell", "-c", LOOK).returncode == 0
    until(lambda: all_are_in_french(site), 120, "no scheduled run found the request")
