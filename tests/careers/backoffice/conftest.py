"""Two parts of a page tree, and the users who are responsible for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from careers.applications.models import Application
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFactory, JobPageFactory
from tests.support.people import logged_in


@pytest.fixture
def ours(db: None) -> JobPage:
    """A job in Hanna's part of the tree."""
    job: JobPage = JobPageFactory(title="Clockmaker")
    return job


@pytest.fixture
def theirs(db: None) -> JobPage:
    """A job in another part."""
    job: JobPage = JobPageFactory(title="Bell founder")
    return job


@pytest.fixture
def application(ours: JobPage) -> Application:
    """An application for our job with files, a consent and four steps that are done."""
    made: Application = ApplicationFactory(
        page=ours, with_files=True, with_steps=True, with_consent=True
    )
    return made


@pytest.fixture
def as_ada(db: None) -> Client:
    return logged_in(people.ada())


@pytest.fixture
def as_hanna(ours: JobPage) -> Client:
    return logged_in(people.hanna(ours.get_parent()))


@pytest.fixture
def as_otto(db: None) -> Client:
    return logged_in(people.otto())


@pytest.fixture
def queries() -> Callable[[Client, str], int]:
    """How many queries a page takes, once caches are warm."""

    def count(client: Client, url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    return count
