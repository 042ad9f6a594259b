"""A job as schema.org JobPosting, for search engines.

Follows https://schema.org/JobPosting and Google's requirements: only on the page of a single open
job, only what visitors read there too, and no markup at all if a required property is missing (https://developers.google.com/search/docs/appearance/structured-data/job-posting).
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from wagtail.whitelist import Whitelister, allow_without_attributes

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Location, Workplace
from home import pictures
from home.values import country
from home.values.zone import local

#: In <script> these could end it or begin a comment; JSON can escape them all.
_ESCAPES = {ord(letter): f"\\u{ord(letter):04X}" for letter in "<>&\u2028\u2029"}


class _PlainHtml(Whitelister):
    """The few elements that Google supports in a description, without attributes."""

    element_rules = dict.fromkeys(
        ("[document]", "p", "ul", "ol", "li", "br", "b", "strong", "i", "em"),
        allow_without_attributes,
    )


@lru_cache(maxsize=256)
def _plain_html(source: str) -> SafeString:
    return mark_safe(_PlainHtml().clean(source))  # noqa: S308 -- just cleaned


def script(job: JobPage) -> str:
    """The markup of a job as the content of a script element; "" if it has none."""
    found = job_posting(job)
    if found is None:
        return ""
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def job_posting(job: JobPage) -> dict[str, Any] | None:
    """The job as a JobPosting; None unless it is open and has all required properties.

    Google requires a location, or for remote work a country where applicants may live; a job
    without a location has neither.
    """
    locations = job.all_locations
    if not job.is_open or not locations or not job.organisation or job.posted_at is None:
        return None
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": job.title,
        "description": description(job),
        "identifier": {
            "@type": "PropertyValue",
            "name": job.organisation,
            "value": str(job.job_key),
        },
        "datePosted": local(job.posted_at, job.zone).date().isoformat(),
        "hiringOrganization": hiring_organization(job),
        "employmentType": job.employment_type,
        "directApply": True,
        "url": job.full_url,
    }
    if job.deadline is not None:
        found["validThrough"] = local(job.deadline, job.zone).isoformat(timespec="seconds")
    if job.workplace == Workplace.REMOTE:
        found["jobLocationType"] = "TELECOMMUTE"
        found["applicantLocationRequirements"] = [
            {"@type": "Country", "name": name}
            for name in dict.fromkeys(country.name(location.country) for location in locations)
        ]
    else:
        found["jobLocation"] = [
            {"@type": "Place", "address": address(location)} for location in locations
        ]
    if pay := base_salary(job):
        found["baseSalary"] = pay
    return found


def description(job: JobPage) -> str:
    """The text of the job page as HTML paragraphs and lists."""
    parts: list[SafeString] = [_paragraph(job.summary)]
    for block in job.body:
        value = block.value
        if block.block_type == "heading":
            parts.append(format_html("<p><strong>{}</strong></p>", value))
        elif block.block_type == "paragraph":
            parts.append(_plain_html(value.source))
        elif block.block_type == "quote":
            parts.append(_paragraph(f"“{value['text']}” {value['name']}"))
        elif block.block_type == "facts":
            if value["title"]:
                parts.append(format_html("<p><strong>{}</strong></p>", value["title"]))
            items = format_html_join(
                "",
                "<li>{}</li>",
                (
                    (f"{fact['title']}: {fact['text']}" if fact["text"] else fact["title"],)
                    for fact in value["items"]
                ),
            )
            parts.append(format_html("<ul>{}</ul>", items))
    return "".join(part for part in parts if part)


def _paragraph(words: str) -> SafeString:
    return format_html("<p>{}</p>", words) if words.strip() else SafeString("")


def hiring_organization(job: JobPage) -> dict[str, Any]:
    """The hiring organization: the company with address and logo, or another one by name."""
    found: dict[str, Any] = {"@type": "Organization", "name": job.organisation}
    company = job.company
    if job.organisation != company.company_name:
        return found
    if company.organisation_url:
        found["sameAs"] = company.organisation_url
    if logo := pictures.rendition(company.logo, "max-600x600|format-png"):
        found["logo"] = logo.full_url
    return found


def address(location: Location) -> dict[str, str]:
    """A location as a postal address, without what HR left empty."""
    found = {
        "@type": "PostalAddress",
        "addressLocality": location.name,
        "addressRegion": location.region,
        "postalCode": location.postal_code,
        "addressCountry": location.country,
    }
    return {name: value for name, value in found.items() if value}


def base_salary(job: JobPage) -> dict[str, Any] | None:
    """The pay as numbers; None when HR gives none."""
    if job.pay_from is None and job.pay_to is None:
        return None
    value: dict[str, Any] = {"@type": "QuantitativeValue", "unitText": job.pay_unit}
    if job.pay_from is not None and job.pay_from == job.pay_to:
        value["value"] = _json_number(job.pay_from)
    else:
        if job.pay_from is not None:
            value["minValue"] = _json_number(job.pay_from)
        if job.pay_to is not None:
            value["maxValue"] = _json_number(job.pay_to)
    return {"@type": "MonetaryAmount", "currency": job.pay_currency, "value": value}


def _json_number(amount: Decimal) -> int | float:
    """An amount with the decimals that it needs: 72000 and not 72000.0."""
    return int(amount) if amount % 1 == 0 else float(amount)
