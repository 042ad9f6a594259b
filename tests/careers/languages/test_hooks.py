"""Messages to editors about the translations of a page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client, RequestFactory
from django.urls import reverse
from wagtail import hooks

from tests.support import people
from tests.support.translating import french_site, in_french

pytestmark = pytest.mark.django_db


def test_unpublish_lists_translations_that_are_unpublished_too(
    client: Client, home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    french = in_french(job, {"Gauge keeper": "Gardien de jauges"})
    client.force_login(people.ada())

    gone = client.post(reverse("wagtailadmin_pages:unpublish", args=[job.pk]), follow=True)
    said = "Its translations were unpublished too: Gardien de jauges (French)."
    assert said in gone.content.decode()
    french.refresh_from_db()
    assert not french.live

    job.refresh_from_db()
    job.save_revision().publish()
    assert said_after_publishing(job) == [
        (
            "Not published yet: Gardien de jauges (French). "
            "Publish each translation when it is complete."
        )
    ]
    french.refresh_from_db()
    assert not french.live


def said_after_publishing(job: Any) -> list[str]:
    """The messages of Wagtail's hook for a page that was published in the editor."""
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    for say in hooks.get_hooks("after_publish_page"):
        assert say(request, job) is None
    return [str(message) for message in get_messages(request)]


def test_publish_without_translations_shows_no_message(client: Client, job: Any) -> None:
    client.force_login(people.ada())
    gone = client.post(reverse("wagtailadmin_pages:unpublish", args=[job.pk]), follow=True)
    assert "Its translations" not in gone.content.decode()
    assert said_after_publishing(job) == []
