"""The network of a visitor is a keyed hash, and is soon forgotten."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from careers.applications.models import Application
from careers.applications.networks import forget_networks, network_of
from careers.forms.tasks import clean_up_uploads
from tests.support.factories import ApplicationFactory


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:ff02::1", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::1", "127.0.0.1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
    ],
)
def test_network_is_the_same_for_the_addresses_of_one_customer(
    one: str, other: str, same: bool
) -> None:
    assert (network_of(one) == network_of(other)) is same


@pytest.mark.parametrize("address", ["", "unknown", "unix:", "300.1.1.1", "\x00"])
def test_network_of_an_invalid_address_is_empty(address: str) -> None:
    assert network_of(address) == ""


def test_network_does_not_show_the_address() -> None:
    assert "192.0.2.1" not in network_of("192.0.2.1")
    assert len(network_of("192.0.2.1")) == 64


def test_forget_networks_clears_hashes_older_than_seven_days(bare_job: Any) -> None:
    now = timezone.now()
    for days in (8, 7.1, 6.9, 0):
        ApplicationFactory(
            page=bare_job, network=f"of {days}", received_at=now - dt.timedelta(days=days)
        )
    assert forget_networks(now) == 2
    kept = Application.objects.order_by("pk").values_list("network", flat=True)
    assert list(kept) == ["", "", "of 6.9", "of 0"]
    assert forget_networks(now) == 0


def test_hourly_clean_up_forgets_networks(bare_job: Any) -> None:
    old = ApplicationFactory(
        page=bare_job, network="old", received_at=timezone.now() - dt.timedelta(days=8)
    )
    clean_up_uploads()
    old.refresh_from_db()
    assert old.network == ""
