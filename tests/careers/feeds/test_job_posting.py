"""What search engines read of a job: schema.org's JobPosting, by Google's rules."""

from __future__ import annotations

import datetime as dt
import gc
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Site

from careers.feeds.job_posting import description, job_posting, script
from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Location, Workplace
from home.models import SiteSettings
from tests.support.applying import send

pytestmark = pytest.mark.django_db

MARKUP = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


@pytest.fixture
def bergen(db: None) -> Location:
    return Location.objects.create(
        name="Bergen", slug="bergen", region="Vestland", postal_code="5003", country="NO"
    )


@pytest.fixture
def placed(job: Any, bergen: Location) -> Any:
    """The gauge keeper's job, with a location."""
    job.locations.add(bergen)
    job.save()
    return job


def markup(client: Client, path: str = "/careers/gauge-keeper/") -> list[Any]:
    return [json.loads(found) for found in MARKUP.findall(client.get(path).content.decode())]


def test_job_page_has_complete_job_posting(client: Client, placed: Any) -> None:
    placed.closes_at = dt.datetime(2099, 6, 30, 21, 59, tzinfo=dt.UTC)
    placed.opened_at = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)
    placed.pay_from, placed.pay_to, placed.pay_currency = (
        Decimal(480000),
        Decimal("545000.5"),
        "NOK",
    )
    placed.save()
    SiteSettings.objects.update(organisation_url="https://tidewater.example/")
    assert markup(client) == [
        {
            "@context": "https://schema.org",
            "@type": "JobPosting",
            "title": "Gauge keeper",
            "description": "<p>Build and mend movements.</p>",
            "identifier": {
                "@type": "PropertyValue",
                "name": "Tidewater Instruments",
                "value": str(placed.job_key),
            },
            # Both in Norway's time, where it is already the next day.
            "datePosted": "2026-03-02",
            "validThrough": "2099-06-30T23:59:00+02:00",
            "hiringOrganization": {
                "@type": "Organization",
                "name": "Tidewater Instruments",
                "sameAs": "https://tidewater.example/",
            },
            "employmentType": "FULL_TIME",
            "directApply": True,
            "url": placed.full_url,
            "jobLocation": [
                {
                    "@type": "Place",
                    "address": {
                        "@type": "PostalAddress",
                        "addressLocality": "Bergen",
                        "addressRegion": "Vestland",
                        "postalCode": "5003",
                        "addressCountry": "NO",
                    },
                }
            ],
            "baseSalary": {
                "@type": "MonetaryAmount",
                "currency": "NOK",
                "value": {
                    "@type": "QuantitativeValue",
                    "unitText": "YEAR",
                    "minValue": 480000.0,
                    "maxValue": 545000.5,
                },
            },
        }
    ]


def test_remote_job_names_countries_of_applicants(placed: Any) -> None:
    placed.workplace = Workplace.REMOTE
    placed.locations.add(
        Location.objects.create(name="Oslo", slug="oslo", country="NO"),
        Location.objects.create(name="Leith", slug="leith", country="GB"),
    )
    found = job_posting(placed) or {}
    assert found["jobLocationType"] == "TELECOMMUTE"
    assert found["applicantLocationRequirements"] == [
        {"@type": "Country", "name": "Norway"},
        {"@type": "Country", "name": "United Kingdom"},
    ]
    assert "jobLocation" not in found


def test_job_is_valid_until_it_is_unpublished_if_that_is_earlier(
    client: Client, placed: Any
) -> None:
    placed.closes_at = dt.datetime(2099, 6, 30, 21, 59, tzinfo=dt.UTC)
    placed.expire_at = dt.datetime(2099, 6, 20, 22, 0, tzinfo=dt.UTC)
    placed.save()
    (found,) = markup(client)
    assert found["validThrough"] == "2099-06-21T00:00:00+02:00"
    page = client.get("/careers/gauge-keeper/").content.decode()
    assert "21 June 2099, 00:00 (CEST)" in page
    assert "30 June 2099" not in page


@pytest.mark.parametrize(
    "change",
    [
        {"closes_at": timezone.now() - dt.timedelta(days=1)},
        {"opens_at": timezone.now() + dt.timedelta(days=1)},
        {"workplace": Workplace.REMOTE, "locations": []},
        {"locations": []},
    ],
    ids=["closed", "not yet open", "remote without a country", "no location"],
)
def test_job_without_required_properties_has_no_markup(
    client: Client, placed: Any, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        if name == "locations":
            placed.locations.clear()
        else:
            setattr(placed, name, value)
    placed.save()
    assert markup(client) == []


def test_lists_and_forms_with_errors_have_no_markup(client: Client, placed: Any) -> None:
    assert markup(client, "/careers/") == []
    assert markup(client, "/") == []
    answer = send(client, placed, name="")
    assert answer.status_code == 422
    assert not MARKUP.search(answer.content.decode())


# Wagtail leaves the file open that it makes a rendition in.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_logo_belongs_to_company_and_not_to_other_organization(
    placed: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    logo = get_image_model().objects.create(title="Logo", file=get_test_image_file())
    company = SiteSettings.for_site(Site.objects.get(is_default_site=True))
    company.logo, company.organisation_url = logo, "https://tidewater.example/"
    company.save()
    job = JobPage.objects.get(pk=placed.pk)
    found = (job_posting(job) or {})["hiringOrganization"]
    assert found["logo"].startswith("http")
    assert found["logo"].endswith(".png")
    job.hiring_organisation = "Fjord Works"
    assert (job_posting(job) or {})["hiringOrganization"] == {
        "@type": "Organization",
        "name": "Fjord Works",
    }
    gc.collect()


@pytest.mark.parametrize(
    ("pay", "expected"),
    [
        ((None, None), None),
        ((Decimal("17.5"), None), {"minValue": 17.5}),
        ((Decimal("1234.567"), None), {"minValue": 1234.567}),
        ((None, Decimal("21.000")), {"maxValue": 21}),
        ((Decimal(20), Decimal(20)), {"value": 20}),
    ],
)
def test_base_salary_has_the_known_ends(placed: Any, pay: Any, expected: Any) -> None:
    placed.pay_from, placed.pay_to = pay
    placed.pay_unit = "HOUR"
    told = (job_posting(placed) or {}).get("baseSalary")
    if expected is None:
        assert told is None
    else:
        wanted = {"@type": "QuantitativeValue", "unitText": "HOUR", **expected}
        # As JSON: a whole number is written without decimals.
        assert json.dumps(told["value"]) == json.dumps(wanted)


def test_description_is_plain_html_of_job_page(job: Any) -> None:
    job.body = [
        ("heading", "What <you> do"),
        ("paragraph", '<p class="x">Mend <b>it</b> <a href="/x">here</a>.</p><hr/>'),
        (
            "facts",
            {
                "title": "Good",
                "items": [{"title": "Pay", "text": "a & b"}, {"title": "Sea", "text": ""}],
            },
        ),
        ("quote", {"text": "Fine.", "name": "Ingrid", "role": ""}),
        ("call_to_action", {"text": "Read on", "label": "Here", "address": "https://x.example"}),
    ]
    assert description(job) == (
        "<p>Build and mend movements.</p>"
        "<p><strong>What &lt;you&gt; do</strong></p>"
        "<p>Mend <b>it</b> here.</p>"
        "<p><strong>Good</strong></p><ul><li>Pay: a &amp; b</li><li>Sea</li></ul>"
        "<p>“Fine.” Ingrid</p>"
    )


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    title=st.text(min_size=1)
    | st.sampled_from(["</script><script>alert(1)</script>", "<!--<script>", "]]>", '"\\', "a&b"])
)
def test_no_title_can_end_the_script_element(placed: Any, title: str) -> None:
    placed.title = placed.summary = title
    content = script(placed)
    assert not re.search("[<>&\u2028\u2029]", content)
    assert json.loads(content)["title"] == title
