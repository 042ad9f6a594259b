"""What all tests share: a broker that only notes messages, and empty caches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_timeout
from django.core.cache import cache
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from wagtail.models import Site
from xdist.scheduler import LoadFileScheduling

from careers.languages import background
from careers.pipeline import dispatch, publisher
from careersite.signin import second_factor
from home import content_cache, content_version
from home.models import SiteSettings
from tests.support import migrated
from tests.support import wheel as wheels
from tests.support.broker import Broker
from tests.support.factories import HomePageFactory, JobIndexPageFactory, JobPageFactory
from tests.support.speed import patient
from tests.support.stack import SITES

# Hypothesis measures time by the wall clock: on a busy machine an example of 200 ms takes seconds.
# A hang ends by the time-out of pytest.
hypothesis_settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any machine")

#: Files whose tests share a site: one process runs them, otherwise each would start its own. Where
#: a file has several sites, the database in a test's name says which.
SHARING = {
    "tests/faults/test_clock.py": "own server",
    "tests/faults/test_database.py": "own server",
    "tests/prove/test_checker.py": "short campaigns",
    "tests/prove/test_campaign.py": "short campaigns",
    "tests/faults/test_s3.py": "wired",
    "tests/faults/test_smtp.py": "wired",
    "tests/faults/test_processes.py": "faulty",
    "tests/faults/test_protocol.py": "faulty",
    "tests/faults/test_protocol.py postgresql": "own server",
    "tests/journeys/test_accessibility.py": "journeys",
    "tests/journeys/test_french.py": "journeys",
    "tests/journeys/test_hiring.py": "journeys",
    "tests/journeys/test_signing_in.py": "journeys",
}
#: The groups of tests that take longest, by what they share. They start first: otherwise one
#: process works on such a group alone at the end.
LONGEST = (
    "faulty",
    "services on sqlite",
    "short campaigns",
    "tests/services/test_upgrade.py",
    "services on postgresql",
    "own server",
    "journeys",
    "tests/services/test_deploy.py",
    "tests/faults/test_redis.py",
    "tests/services/test_matrix.py",
    "tests/prove/test_model.py",
)
#: Files whose tests start a site of their own, whatever database is in their names.
ALONE = {"tests/services/test_upgrade.py"}
#: Tests with these marks start or break servers of their own, and need a real broker.
WITH_REAL_BROKER = ("services", "journey", "fault")


def shared_site(nodeid: str) -> str:
    """What a test shares its site with: the same text for all tests of one site."""
    file = nodeid.partition("::")[0]
    if database := re.search(r"[\[-](sqlite|postgresql)[\]-]", nodeid):
        if file.startswith("tests/services/") and file not in ALONE:
            return f"services on {database[1]}"
        if shared := SHARING.get(f"{file} {database[1]}"):
            return shared
    return SHARING.get(file, file)


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Any:
    """The time-out of a test grows with the load, so that it ends only hangs."""
    slow = settings._replace(timeout=patient(settings.timeout))
    return pytest_timeout.pytest_timeout_set_timer(item, slow)


class BySite(LoadFileScheduling):
    """Distributes tests by the site that they share, otherwise by file."""

    def _split_scope(self, nodeid: str) -> str:
        return shared_site(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """``--dist loadfile`` knows what shares a site."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return BySite(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest groups first where the scheduler keeps the order."""
    if getattr(config, "workerinput", {}).get("by site"):
        rank = {group: number for number, group in enumerate(LONGEST)}
        items.sort(key=lambda item: rank.get(shared_site(item.nodeid), len(rank)))


def pytest_configure_node(node: Any) -> None:
    """Tell each process whether its tests come ordered by site."""
    node.workerinput["by site"] = node.config.getvalue("dist") == "loadfile"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Stop a site after its last test, so that it does not idle until the run ends."""
    done = yield
    by_site = getattr(item.config, "workerinput", {}).get("by site")
    if by_site and nextitem and shared_site(item.nodeid) != shared_site(nextitem.nodeid):
        for site in list(SITES):
            site.kill()
    return done


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool, django_test_environment: None) -> bool:
    return django_db_keepdb or migrated.start_from_template()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_keepdb: bool, django_db_blocker: Any
) -> Iterator[None]:
    with django_db_blocker.unblock():
        migrated.save_as_template()
    yield
    if django_db_keepdb:
        with django_db_blocker.unblock():
            migrated.remove_database()


@pytest.fixture(autouse=True)
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Keep tests from reaching a broker that runs on this machine."""
    noted = Broker()
    if not any(request.node.get_closest_marker(name) for name in WITH_REAL_BROKER):
        monkeypatch.setattr(dispatch, "_publish", noted.publish)
        monkeypatch.setattr(dispatch, "_resting_until", 0.0)
        # In the thread of the test, so that its transaction holds the steps.
        monkeypatch.setattr(
            publisher.Publisher, "put", lambda _self, messages: dispatch.publish(messages)
        )
        monkeypatch.setattr(background, "dispatch", lambda request_id: None)
    return noted


@pytest.fixture(autouse=True)
def _forget_caches() -> Iterator[None]:
    """Clear the caches; addresses of sites are cached for an hour."""
    cache.clear()
    Site.clear_site_root_paths_cache()
    with translation.override("en"):
        yield
    cache.clear()


@pytest.fixture(autouse=True)
def _one_factor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests sign in with ``force_login``. Those of the second factor use ``two_factors``."""
    if "two_factors" not in request.fixturenames:
        monkeypatch.setattr(second_factor, "is_required", lambda: False)


@pytest.fixture
def kept_content(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Requests keep content, although the test is one transaction. Call it after each change."""
    versions = itertools.count()
    version = next(versions)

    def read() -> str:
        content_version.current()  # the query counts
        return str(version)

    def change() -> None:
        nonlocal version
        version = next(versions)

    monkeypatch.setattr(content_cache, "_newest", content_cache.Kept(""))
    monkeypatch.setattr(content_cache, "_in_transaction", lambda: False)
    monkeypatch.setattr(content_cache, "_version", read)
    return change


@pytest.fixture
def home(db: None) -> Any:
    """The front page of a company with a name and a privacy notice."""
    page = HomePageFactory(title="Tidewater", as_site=True)
    company = {
        "company_name": "Tidewater Instruments",
        "contact_email": "people@example.org",
        "hr_recipients": "people@example.org",
        "privacy_notice": "<p>We read it and tell nobody.</p>",
        "time_zone": "Europe/Oslo",
        # Tests of closed jobs end the time to apply at once.
        "closing_grace": 0,
    }
    SiteSettings.objects.update_or_create(
        site=Site.objects.get(is_default_site=True), defaults=company
    )
    return page


@pytest.fixture
def job_index(home: Any) -> Any:
    return JobIndexPageFactory(parent=home, title="Jobs", slug="careers", hr_recipients="")


@pytest.fixture
def job(job_index: Any) -> Any:
    """An open job that asks for name, e-mail, phone (optional) and CV."""
    return JobPageFactory(
        parent=job_index, title="Gauge keeper", slug="gauge-keeper", hr_recipients="hr@example.org"
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout."""
    (built,) = wheels.made_once(tmp_path_factory, "wheel", wheels.build).glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The ``bin`` directory of a bare virtual environment with the wheel."""
    venv = wheels.made_once(tmp_path_factory, "venv", lambda made: wheels.install(wheel, made))
    return venv / "bin"


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Path:
    """A directory in which the wheel's commands made the demo company. Copy it."""
    return wheels.made_once(tmp_path_factory, "seeded", lambda made: wheels.seed(installed, made))
