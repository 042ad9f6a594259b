"""No event leaves an old page in the page cache, in the process of the event or in another one.

The first cache stands before the site itself. The second one stands for another process: its
application only counts how often it is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from wagtail import hooks
from wagtail.contrib.redirects.models import Redirect
from wagtail.images.models import Image
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Collection, PageViewRestriction, Site

from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.taxonomy import Department, Location
from careersite.bodies import Handler
from careersite.page_cache import PageCache
from home import content_version
from home.caching import for_one_visitor
from home.content_state import State, Watcher, next_moment, read
from home.models import PlainPage, SiteSettings
from tests.support.factories import ApplicationFactory, JobPageFactory
from tests.support.translating import french_site
from tests.support.wsgi import Small, ask

# Wagtail leaves the file of a new picture to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

NOW = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)
JOB, LIST = "/careers/gauge-keeper/", "/careers/"


class Reading:
    """A watcher that asks the database at each request."""

    known: State | None = None

    def state(self, since: float | None = None) -> State:
        self.known = read(self.known)
        return self.known


@pytest.fixture
def world(transactional_db: None, job: Any, settings: Any) -> Any:
    """The site with an open job that has a department, a location and a picture."""
    # On PostgreSQL an earlier test may have emptied all tables.
    if Collection.get_first_root_node() is None:
        Collection.add_root(name="Root")
    settings.ALLOWED_HOSTS = ["localhost"]
    job.department = Department.objects.create(
        name="Gauges", slug="gauges", locale=job.locale, translation_key=job.translation_key
    )
    job.locations = [Location.objects.create(name="Oslo", slug="oslo", country="NO")]
    job.save_revision().publish()
    return job


@pytest.fixture
def here(world: Any) -> PageCache:
    return PageCache(Handler(), 10_000_000, Reading())  # type: ignore[arg-type]


@pytest.fixture
def elsewhere() -> Small:
    return Small()


def fresh(page: Any) -> Any:
    return type(page).objects.get(pk=page.pk)


def publish(page: Any, **changes: Any) -> None:
    page = fresh(page)
    for name, value in changes.items():
        setattr(page, name, value)
    page.save_revision().publish()


def company(**changes: Any) -> None:
    found = SiteSettings.objects.get()
    for name, value in changes.items():
        setattr(found, name, value)
    found.save()


def restrict(job: Any) -> None:
    PageViewRestriction.objects.create(
        page=fresh(job).page_ptr, restriction_type=PageViewRestriction.LOGIN
    )


def add_logo(job: Any) -> None:
    company(logo=Image.objects.create(title="Logo", file=get_test_image_file("old-logo.png")))


def change_logo_file(job: Any) -> None:
    picture = Image.objects.get()
    picture.file = get_test_image_file("new-logo.png")
    picture.save()
    # As Wagtail's form does.
    picture.renditions.all().delete()


def by_other_program(job: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE careers_location SET name = %s", ["Bergen"])


def publish_by_schedule(job: Any) -> None:
    page = fresh(job)
    page.title = "Keeper of time"
    revision = page.save_revision()
    revision.approved_go_live_at = timezone.now() - dt.timedelta(seconds=1)
    revision.save()
    call_command("publish_scheduled")


def move_in_menu(job: Any) -> None:
    first, second = PlainPage.objects.order_by("path")
    second.move(first, pos="left")


def add_job(job: Any) -> None:
    JobPageFactory(parent=job.get_parent(), title="Dial painter")


def add_location_in_bulk(job: Any) -> None:
    rows = JobPage.locations.through
    location = Location.objects.create(name="Hamar", slug="hamar", country="NO")
    rows.objects.bulk_create([rows(jobpage_id=job.pk, location=location)])


def add_text(job: Any, title: str) -> None:
    page = PlainPage(title=title, slug=title.lower(), show_in_menus=True)
    job.get_parent().get_parent().add_child(instance=page)


def translate(job: Any) -> None:
    french_site(job.get_parent().get_parent().specific, job.get_parent().specific)


def french_list() -> Any:
    return JobIndexPage.objects.get(title="Offres d’emploi")


def change_address_back(job: Any) -> None:
    publish(job, slug="gauge-keeper")
    # Those that Wagtail has made.
    Redirect.objects.all().delete()


def redirect(job: Any) -> None:
    Redirect.objects.create(old_path="/careers/gauge-keeper", redirect_link="/careers/")


#: What happens, the address of the page, and what it then shows, or after a minus no longer shows.
#: Each event follows on the one before it.
EVENTS: list[tuple[Callable[[Any], object], str, str]] = [
    (lambda job: publish(job, summary="Keep our gauges true."), JOB, "Keep our gauges true."),
    (lambda job: publish(job.get_parent().specific, intro="Join us."), LIST, "Join us."),
    (add_job, LIST, "Dial painter"),
    (lambda job: JobPage.objects.get(title="Dial painter").delete(), LIST, "-Dial painter"),
    (lambda job: Department.objects.filter(slug="gauges").update(name="Dials"), JOB, "Dials"),
    (by_other_program, JOB, "Bergen"),
    (add_location_in_bulk, JOB, "Hamar"),
    (lambda job: company(company_name="Tidewater Clocks"), JOB, "Tidewater Clocks"),
    (lambda job: company(accent_colour="#aa0000"), LIST, "theme.css?v="),
    (add_logo, JOB, "old-logo"),
    (change_logo_file, JOB, "new-logo"),
    (lambda job: Image.objects.get().delete(), JOB, "-new-logo"),
    (lambda job: add_text(job, "Legal"), JOB, "Legal"),
    (lambda job: add_text(job, "Privacy"), "/privacy/", "Privacy"),
    (move_in_menu, JOB, "Privacy"),
    (lambda job: PlainPage.objects.get(slug="privacy").unpublish(), JOB, "-Privacy"),
    (translate, LIST, "/fr/careers/"),
    (lambda job: publish(french_list(), intro="Ici."), "/fr/careers/", "Ici."),
    (lambda job: Site.objects.update(hostname="careers.example"), JOB, "careers.example"),
    (publish_by_schedule, JOB, "Keeper of time"),
    (lambda job: restrict(job), LIST, "-Keeper of time"),
    (lambda job: PageViewRestriction.objects.all().delete(), LIST, "Keeper of time"),
    (lambda job: publish(job, slug="time-keeper"), JOB, "-Keeper of time"),
    (change_address_back, JOB, "Keeper of time"),
    (lambda job: fresh(job).unpublish(), JOB, "This job is closed"),
    (redirect, JOB, "-This job is closed"),
]


def test_no_event_leaves_old_page(world: Any, here: PageCache, elsewhere: Small) -> None:
    other = PageCache(elsewhere, 10_000_000, Reading())  # type: ignore[arg-type]
    for number, (event, address, shown) in enumerate(EVENTS):
        before = ask(here, address)
        ask(other, address)
        event(fresh(world))
        after, expected = ask(here, address), shown.removeprefix("-")
        assert after != before, number
        assert (expected in after.body.decode()) is not shown.startswith("-"), number
        asked = elsewhere.count
        ask(other, address)
        assert elsewhere.count == asked + 1, number


def log_in(job: Any) -> None:
    user = get_user_model().objects.get()
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])


def save_draft(job: Any) -> None:
    page = fresh(job)
    page.title = "Draft"
    page.save_revision()


def roll_back(job: Any) -> None:
    with transaction.atomic():
        Location.objects.update(name="Nowhere")
        transaction.set_rollback(True)


#: What happens all the time and changes no page.
NO_EVENTS = (
    lambda job: ApplicationFactory(page=job, with_files=True, with_steps=True),
    lambda job: Session.objects.create(session_key="x", expire_date=timezone.now()),
    log_in,
    save_draft,
    roll_back,
)


def test_application_draft_or_session_ends_no_page(world: Any, elsewhere: Small) -> None:
    get_user_model().objects.create_user("ada")
    other = PageCache(elsewhere, 10_000_000, Reading())  # type: ignore[arg-type]
    ask(other, JOB)
    for number, event in enumerate(NO_EVENTS):
        version = content_version.current()
        event(world)
        assert content_version.current() == version, number
        ask(other, JOB)
    assert elsewhere.count == 1


def test_change_and_its_version_become_visible_together(world: Any) -> None:
    before = content_version.current()
    with transaction.atomic():
        with transaction.atomic():
            Location.objects.update(name="Bergen")
        assert content_version.current() == before
    assert content_version.current() != before


def test_touch_ends_kept_pages_with_its_transaction(world: Any, elsewhere: Small) -> None:
    other = PageCache(elsewhere, 10_000_000, Reading())  # type: ignore[arg-type]
    ask(other, JOB)
    with transaction.atomic():
        content_version.touch()
        ask(other, JOB)
        assert elsewhere.count == 1
    ask(other, JOB)
    assert elsewhere.count == 2
    content_version.touch()
    ask(other, JOB)
    assert elsewhere.count == 3


# ── Moments ─────────────────────────────────────────────────────────────────────────────


def test_page_changes_at_each_moment(world: Any, here: PageCache, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    hour = dt.timedelta(hours=1)
    company(closing_grace=30, time_zone="UTC")
    publish(world, opens_at=NOW + hour, closes_at=NOW + 36 * hour)
    moments = [
        (NOW + hour, JOB, "You can’t apply yet"),
        (NOW + 12 * hour, LIST, "Closes in 2 days"),
        (NOW + 36 * hour, JOB, 'id="apply"'),
    ]
    for moment, address, shown in moments:
        time_machine.move_to(moment - dt.timedelta(milliseconds=1), tick=False)
        before = ask(here, address).body
        assert shown in before.decode()
        assert ask(here, address).body is before
        time_machine.move_to(moment, tick=False)
        assert shown not in ask(here, address).body.decode()


def test_next_moment_is_the_end_of_extra_time(world: Any, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    company(closing_grace=30, time_zone="UTC")
    JobPage.objects.update(closes_at=NOW - dt.timedelta(minutes=10))
    assert next_moment() == NOW + dt.timedelta(minutes=20)


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 24), ("Europe/Oslo", 23), ("Asia/Tokyo", 15)])
def test_next_moment_is_the_first_midnight(
    world: Any, time_machine: Any, zone: str, hour: int
) -> None:
    time_machine.move_to(NOW, tick=False)
    company(time_zone="UTC")
    JobPage.objects.update(time_zone=zone)
    assert next_moment() == NOW.replace(hour=0) + dt.timedelta(hours=hour)


def test_last_version_is_sent_without_database_until_its_moment(
    world: Any, time_machine: Any
) -> None:
    def read_anew(known: State | None) -> State:
        try:
            return read(known)
        finally:
            connection.close()

    time_machine.move_to(NOW, tick=False)
    publish(world, closes_at=NOW + dt.timedelta(hours=1))
    watcher = Watcher(read_anew)
    cache = PageCache(Handler(), 10_000_000, watcher)
    try:
        page = ask(cache, JOB)
        with pytest.MonkeyPatch.context() as broken:
            for name, value in (("NAME", "/nowhere/db"), ("HOST", "127.0.0.1"), ("PORT", "1")):
                broken.setitem(connection.settings_dict, name, value)
            connection.close()
            watcher._read_at = -1.0
            assert ask(cache, JOB) == page
            assert ask(cache, LIST).status == 500
            time_machine.move_to(NOW + dt.timedelta(minutes=59, seconds=59), tick=False)
            assert ask(cache, JOB).body == page.body
            time_machine.move_to(NOW + dt.timedelta(hours=1), tick=False)
            assert ask(cache, JOB).status == 500
    finally:
        watcher.close()
        connection.close()


def test_page_for_one_visitor_is_kept_by_no_cache(
    world: Any, here: PageCache, monkeypatch: Any
) -> None:
    def greeting(request: Any, page: Any) -> dict[str, Any]:
        for_one_visitor(request)
        return {}

    with hooks.register_temporarily("home_page_context", greeting):
        answers = [ask(here, "/") for _ in range(2)]
    assert {answer.headers["cache-control"] for answer in answers} == {"private, no-store"}
    assert answers[0].body is not answers[1].body


# ── Which statements change the content ─────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('SELECT "a" FROM "wagtailcore_page" FOR UPDATE', False),
        ("SAVEPOINT x", False),
        ("BEGIN IMMEDIATE", False),
        ('INSERT INTO "wagtailcore_page" ("a") VALUES (%s)', True),
        ('INSERT OR IGNORE INTO "careers_jobpage_locations" ("a") VALUES (%s)', True),
        ('INSERT INTO "careers_application" ("a") VALUES (%s)', False),
        ('DELETE FROM "careers_location" WHERE "id" = %s', True),
        ('DELETE FROM "django_session" WHERE "id" = %s', False),
        ('/* from a view */ UPDATE "careers_location" SET "name" = %s', True),
        ("-- words\n  update careers_location set name = 1", True),
        ('UPDATE "public"."careers_location" SET "name" = %s', True),
        ('UPDATE "wagtailcore_page" SET "draft_title" = %s WHERE "id" = %s', False),
        ('UPDATE "wagtailcore_page" SET "draft_title" = %s, "live" = %s WHERE "id" = %s', True),
        ("UPDATE wagtailcore_page SET live = false", True),
        ('UPDATE "careers_step" SET "state" = %s', False),
        ('UPDATE "unknown_extension" SET "state" = %s', True),
        ('WITH x AS (SELECT 1) UPDATE "careers_step" SET "state" = %s', False),
        ('WITH x AS (SELECT 1) UPDATE "careers_location" SET "name" = %s', True),
        ('WITH x AS (SELECT "a" FROM "careers_step" FOR UPDATE SKIP LOCKED) SELECT 1', False),
        ('TRUNCATE "wagtailcore_page"', True),
        (
            'UPDATE "wagtailcore_page" SET "draft_title" = (SELECT 1 WHERE "c" = 1), "x" = 1',
            True,
        ),
        ("SET CONSTRAINTS ALL IMMEDIATE; UPDATE wagtailcore_page SET live = false", True),
        ("UPDATE careers_step SET state = 1; UPDATE wagtailcore_page SET live = false", True),
        ("UPDATE careers_step SET state = 1;", False),
        ("DO $$ BEGIN PERFORM 1; END $$", True),
        ("CALL change()", True),
        ("EXPLAIN ANALYZE UPDATE wagtailcore_page SET live = false", True),
        ('ALTER TABLE "careers_location" DROP COLUMN "name"', True),
    ],
)
def test_statement_changes_content(sql: str, expected: bool) -> None:
    assert content_version.changes_content(sql) is expected


def test_every_model_of_this_product_is_said_to_be_shown_or_not() -> None:
    shown = {
        *("contentterms", "department", "jobindexpage", "jobpage", "jobpage_locations"),
        *("companytranslation", "homepage", "location", "plainpage", "sitesettings"),
    }
    hidden = content_version.hidden_tables()
    for name in ("careers", "home", "signin"):
        for model in apps.get_app_config(name).get_models(include_auto_created=True):
            is_hidden = model._meta.db_table in hidden
            assert is_hidden is (model._meta.model_name not in shown), model._meta.label
