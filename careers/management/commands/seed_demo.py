"""``manage.py seed_demo``: a demo company with open jobs, for a new installation."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from functools import cached_property
from pathlib import Path
from typing import Any

import polib
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone
from wagtail.models import Locale, Page, Site
from wagtail.users.models import UserProfile
from wagtail_localize.models import Translation, TranslationSource

from careers.backoffice.roles import AUTHOR, LEAD, REVIEWER, give_page
from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.taxonomy import Department, Location
from home.models import CompanyTranslation, HomePage, PlainPage, SiteSettings

#: Block ids are the keys of questions. The same name gives the same key on every machine.
NAMESPACE = uuid.UUID("6f1de4e2-1b0c-4c0e-9f54-2f2b6a1c3d10")

COMPANY = "Tidewater Instruments"
TIME_ZONE = "Europe/Oslo"
LOCATIONS = {
    "bergen": ("Bergen", "Vestland", "5003", "NO"),
    "lyon": ("Lyon", "Auvergne-Rhône-Alpes", "69002", "FR"),
    "porto": ("Porto", "Norte", "4050", "PT"),
    "leith": ("Edinburgh", "Scotland", "EH6 6JJ", "GB"),
}
FRENCH = Path(__file__).parent.parent / "demo_fr.po"
#: The other jobs have no French page, as in many real companies.
IN_FRENCH = (
    "firmware-engineer",
    "data-platform-engineer",
    "field-technician-lyon",
    "calibration-technician",
    "people-partner",
    "summer-internship-2027",
)
DEPARTMENTS = {
    "engineering": "Engineering",
    "field-service": "Field service",
    "people": "People",
    "production": "Production",
    "science": "Science",
}


def key(*names: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(names)))


def question(job: str, kind: str, label: str, **more: Any) -> dict[str, Any]:
    """One question as StreamField data. Content made in code must bring its own block ids."""
    value: dict[str, Any] = {"label": label, "help_text": more.get("hint", "")}
    if kind != "note":
        value["required"] = more.get("required", False)
    if "options" in more:
        value["options"] = [
            {"type": "item", "value": option, "id": key(job, label, option)}
            for option in more["options"]
        ]
    return {"type": kind, "value": value, "id": key(job, label)}


def body(job: str, why: str, work: list[str], bring: list[str]) -> list[dict[str, Any]]:
    """The description of a job as StreamField data."""

    def items(texts: list[str]) -> str:
        return "<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"

    parts = [
        ("paragraph", f"<p>{why}</p>"),
        ("heading", "What you will do"),
        ("paragraph", items(work)),
        ("heading", "What you bring"),
        ("paragraph", items(bring)),
    ]
    return [
        {"type": kind, "value": value, "id": key(job, "body", str(number))}
        for number, (kind, value) in enumerate(parts)
    ]


JOBS: list[dict[str, Any]] = [
    {
        "slug": "firmware-engineer",
        "title": "Firmware engineer, tide gauges",
        "department": "engineering",
        "locations": ["bergen", "leith"],
        "workplace": "hybrid",
        "pay": (620_000, 760_000, "NOK", "YEAR"),
        "days": 24,
        "summary": "Write the code that measures the sea every second for ten years on one "
        "battery.",
        "why": "Our gauges hang on piers from Tromsø to Lagos. Nobody can press their reset "
        "button, so the firmware has to be right.",
        "work": [
            "Design and write firmware in C and Rust for low-power sensors.",
            "Test it on real hardware, in a tank and then in the harbour.",
            "Read the field data and find out what we did not think of.",
        ],
        "bring": [
            "You have shipped embedded software that others depend on.",
            "You measure before you optimise.",
            "You write so that a colleague can take over.",
        ],
        "questions": [
            (
                "single_choice",
                "How much embedded C have you written for production?",
                {
                    "options": ["None yet", "Up to two years", "More than two years"],
                    "required": True,
                },
            ),
            (
                "long_text",
                "Tell us about a bug that took you more than a day to find.",
                {
                    "hint": "A few sentences are enough.",
                },
            ),
            ("link", "Code or writing that you are proud of", {}),
            ("yes_no", "Can you be in Bergen or Edinburgh two days a week?", {"required": True}),
        ],
    },
    {
        "slug": "data-platform-engineer",
        "title": "Data platform engineer",
        "department": "engineering",
        "locations": ["porto"],
        "workplace": "remote",
        "pay": (52_000, 64_000, "EUR", "YEAR"),
        "days": 31,
        "summary": "Keep forty million measurements a day correct, findable and on time.",
        "why": "Harbour masters decide by our numbers whether a ship may come in. They must be "
        "there, and they must be right.",
        "work": [
            "Run and improve our ingest pipeline in Python and PostgreSQL.",
            "Make late and doubtful data visible instead of silently dropping it.",
            "Take part in an on-call rota of six people, paid and humane.",
        ],
        "bring": [
            "You know what happens when a queue is full.",
            "You like boring technology.",
        ],
        "questions": [
            (
                "multiple_choice",
                "What have you run in production?",
                {
                    "options": ["PostgreSQL", "Kafka or Redis streams", "Kubernetes", "Airflow"],
                },
            ),
            ("number", "Years of work with data pipelines", {"required": True}),
            ("date", "Earliest day you could start", {"required": True}),
        ],
    },
    {
        "slug": "field-technician-lyon",
        "title": "Field technician, Rhône",
        "department": "field-service",
        "locations": ["lyon"],
        "workplace": "on_site",
        "pay": (17.5, 21, "EUR", "HOUR"),
        "days": 12,
        "summary": "Install and look after forty river gauges between Lyon and Arles.",
        "why": "You know the river better than the map does. When it rises, the prefecture "
        "looks at your gauges.",
        "work": [
            "Install, calibrate and repair gauges, mostly outdoors.",
            "Drive one of our vans, plan your own week.",
        ],
        "bring": ["A driving licence.", "A trade in electrics or mechanics, or years of it."],
        "cv": "optional",
        "phone": "required",
        "questions": [
            ("yes_no", "Do you hold a driving licence of class B?", {"required": True}),
            ("file", "Certificates", {"hint": "A photo is fine."}),
            ("note", "No CV?", {"hint": "Then tell us below what you have done so far."}),
            ("long_text", "What have you worked on?", {}),
        ],
    },
    {
        "slug": "calibration-technician",
        "title": "Calibration technician",
        "department": "production",
        "locations": ["bergen"],
        "workplace": "on_site",
        "pay": (480_000, 545_000, "NOK", "YEAR"),
        "days": 18,
        "summary": "Every instrument that leaves the house has passed your bench.",
        "why": "A millimetre is a lot. You make sure that ours are the same as everybody’s.",
        "work": [
            "Calibrate pressure and radar sensors against our standards.",
            "Keep the records that our accreditation asks for.",
        ],
        "bring": ["Steady hands and a good eye.", "Joy in doing the same thing well."],
        "questions": [
            (
                "single_choice",
                "Which shift would suit you?",
                {
                    "options": ["Early", "Late", "Either"],
                    "required": True,
                },
            ),
        ],
    },
    {
        "slug": "oceanographer",
        "title": "Oceanographer, storm surge models",
        "department": "science",
        "locations": ["leith"],
        "workplace": "hybrid",
        "pay": (44_000, 58_000, "GBP", "YEAR"),
        "days": 40,
        "summary": "Turn measurements into the warning that arrives six hours earlier.",
        "why": "You work at the point where physics meets the town hall.",
        "work": [
            "Develop and verify surge forecasts for the North Sea.",
            "Explain uncertainty to people who must decide.",
        ],
        "bring": ["A PhD or the papers that amount to one.", "Fortran that others can read."],
        "cover": "required",
        "questions": [
            ("link", "List of publications", {}),
            ("short_text", "Which forecast do you trust least, and why?", {}),
        ],
    },
    {
        "slug": "people-partner",
        "title": "People partner",
        "department": "people",
        "locations": ["porto", "lyon"],
        "workplace": "hybrid",
        "pay": (41_000, 48_000, "EUR", "YEAR"),
        "days": 9,
        "type": "PART_TIME",
        "summary": "Help 140 people in four countries to work well together; 60 to 80 per cent.",
        "why": "We hire slowly and keep people long. You look after both halves of that.",
        "work": [
            "Run our hiring from the advertisement to the first day.",
            "Be there when something is difficult.",
        ],
        "bring": ["Experience with labour law in Portugal or France.", "French and English."],
        "questions": [
            (
                "multiple_choice",
                "Which languages do you work in?",
                {
                    "options": ["English", "French", "Norwegian", "Portuguese"],
                    "required": True,
                },
            ),
            ("number", "Hours a week you would like to work", {}),
        ],
    },
    {
        "slug": "technical-writer",
        "title": "Technical writer for instruments, installation guides and operating "
        "procedures at sea",
        "department": "engineering",
        "locations": [],
        "workplace": "remote",
        "pay": (350, None, "EUR", "DAY"),
        "days": None,
        "type": "CONTRACTOR",
        "summary": "Write manuals that are read with wet hands.",
        "why": "If a fitter has to call us, the manual was not good enough.",
        "work": ["Rewrite eleven manuals, with the fitters.", "Say no to screenshots."],
        "bring": ["Manuals that you are proud of."],
        "questions": [("link", "A manual that you wrote", {"required": True})],
    },
    {
        "slug": "summer-internship-2027",
        "title": "Summer internship in the harbour lab",
        "department": "science",
        "locations": ["bergen"],
        "workplace": "on_site",
        "pay": (28_000, None, "NOK", "MONTH"),
        "days": 60,
        "type": "INTERN",
        "summary": "Twelve weeks, one real question, one measuring boat.",
        "why": "You choose the question in the first week. Most end in a poster.",
        "work": ["Plan, measure, analyse and present a project of your own."],
        "bring": ["You study something with numbers in it.", "You do not get seasick quickly."],
        "questions": [
            ("short_text", "What do you study, and where?", {"required": True}),
            ("date", "When could you begin?", {}),
            ("consent", "Keep my application for next summer, too", {}),
        ],
    },
    {
        "slug": "production-planner",
        "title": "Production planner",
        "department": "production",
        "locations": ["bergen"],
        "workplace": "on_site",
        "pay": (520_000, 590_000, "NOK", "YEAR"),
        "days": 21,
        "summary": "Bring parts, people and promised dates together.",
        "why": "We build in small series for customers who plan in decades.",
        "work": ["Plan the week and hold it.", "Order what takes six months before it is missing."],
        "bring": ["Experience in planning, and the calm for it."],
        "questions": [],
    },
]


class Command(BaseCommand):
    help = "Create a demo company once; later runs change only the password of admin."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        self._people()
        if HomePage.objects.exists():
            self.stdout.write("The site has content already; nothing was added.")
            return
        home = self._home()
        jobs = self._index(home)
        for data in JOBS:
            self._job(jobs, data)
        self._french(home, jobs)
        self._rights(jobs)
        self.stdout.write(f"Made the demo company with {len(JOBS)} jobs.")

    def _people(self) -> None:
        users = get_user_model().objects
        admin, first = users.get_or_create(
            username="admin",
            defaults={"is_superuser": True, "is_staff": True, "email": "admin@example.org"},
        )
        hanna, new = users.get_or_create(
            username="hanna",
            defaults={"first_name": "Hanna", "last_name": "Lie", "email": "hanna@example.org"},
        )
        for user, created in ((admin, first), (hanna, new)):
            if created:
                # Else what they enter as a closing time is an hour or two beside what is shown.
                UserProfile.objects.create(user=user, current_time_zone=TIME_ZONE)
        wanted = [(admin, os.environ.get("ADMIN_PASSWORD"))]
        if new:
            wanted.append((hanna, os.environ.get("DEMO_PASSWORD")))
        for user, password in wanted:
            if password and not user.check_password(password):
                user.set_password(password)
                user.save(update_fields=["password"])

    def _home(self) -> HomePage:
        Page.objects.filter(depth=2, slug="home").delete()
        root = Page.get_first_root_node()
        home = HomePage(
            title=COMPANY,
            slug="home",
            locale=Locale.get_default(),
            hero_title="We measure the sea, so that people can live beside it.",
            intro="140 people in Bergen, Edinburgh, Lyon and Porto build instruments that stay "
            "true for decades. Some of the people who will build the next ones are missing.",
            body=[
                {
                    "type": "facts",
                    "id": key("home", "facts"),
                    "value": {
                        "title": "How we work",
                        "items": [
                            {
                                "type": "item",
                                "id": key("home", title),
                                "value": {"title": title, "text": text},
                            }
                            for title, text in (
                                (
                                    "Pay is on every page",
                                    "The range stands with the job, and the interview keeps to it.",
                                ),
                                ("An answer within ten days", "From a person, whatever it says."),
                                (
                                    "Slow hiring, long stays",
                                    "People stay for nine years on average.",
                                ),
                            )
                        ],
                    },
                },
                {
                    "type": "quote",
                    "id": key("home", "quote"),
                    "value": {
                        "text": "My first summer’s gauge still reports from Stavanger.",
                        "name": "Ingrid Solheim",
                        "role": "Firmware, since 2014",
                    },
                },
            ],
        )
        root.add_child(instance=home)
        home.save_revision().publish()
        host, port = settings.SITE_URL.split("://")[1], 443 if settings.SECURE else 80
        hostname, _colon, given = host.partition(":")
        site, _created = Site.objects.update_or_create(
            is_default_site=True,
            defaults={
                "hostname": hostname,
                "port": int(given or port),
                "root_page": home,
                "site_name": COMPANY,
            },
        )
        privacy = PlainPage(
            title="Privacy",
            slug="privacy",
            intro="What we do with what you send us.",
            body=[
                {
                    "type": "paragraph",
                    "id": key("privacy", "text"),
                    "value": "<p>We use your application to decide about this job and for "
                    "nothing else. Only the people who hire for it read it.</p>",
                }
            ],
        )
        home.add_child(instance=privacy)
        privacy.save_revision().publish()
        company, _created = SiteSettings.objects.update_or_create(
            site=site,
            defaults={
                "company_name": COMPANY,
                "tagline": "Instruments for coasts and rivers",
                "contact_email": "people@example.org",
                "organisation_url": "https://example.org",
                "accent_colour": "#0e5c46",
                "time_zone": TIME_ZONE,
                # The demo is for trying the site out, and asks for no phone.
                "two_factors": False,
                "hr_recipients": "people@example.org",
                "recipient_domains": "example.org",
                "privacy_notice": "<p>We use what you send to decide about this job. Only the "
                "people who hire for it read it. You can ask us at any time what we "
                "hold and have it deleted.</p>",
            },
        )
        CompanyTranslation.objects.update_or_create(
            company=company,
            language="fr",
            defaults={
                "tagline": "Des instruments pour les côtes et les rivières",
                "privacy_notice": "<p>Ce que vous envoyez nous sert à décider de l’attribution "
                "de ce poste. Seules les personnes chargées de ce recrutement le lisent. Vous "
                "pouvez à tout moment nous demander ce que nous conservons et le faire "
                "effacer.</p>",
            },
        )
        return home

    def _index(self, home: HomePage) -> JobIndexPage:
        jobs = JobIndexPage(
            title="Jobs",
            slug="careers",
            intro="Every opening has its pay on the page. Applying takes a few minutes and "
            "needs no account.",
            show_in_menus=True,
        )
        home.add_child(instance=jobs)
        jobs.save_revision().publish()
        return jobs

    def _job(self, parent: JobIndexPage, data: dict[str, Any]) -> None:
        slug, locale = data["slug"], Locale.get_default()
        department, _new = Department.objects.get_or_create(
            slug=data["department"],
            locale=locale,
            defaults={"name": DEPARTMENTS[data["department"]]},
        )
        low, high, currency, unit = data["pay"]
        closes = None
        if data["days"] is not None:
            local = timezone.now() + dt.timedelta(days=data["days"])
            closes = local.replace(hour=22, minute=0, second=0, microsecond=0)
        job = JobPage(
            title=data["title"],
            slug=slug,
            translation_key=uuid.uuid5(NAMESPACE, slug),
            locale=locale,
            summary=data["summary"],
            body=body(slug, data["why"], data["work"], data["bring"]),
            department=department,
            workplace=data["workplace"],
            employment_type=data.get("type", "FULL_TIME"),
            pay_from=low,
            pay_to=high,
            pay_currency=currency,
            pay_unit=unit,
            closes_at=closes,
            contact_name="Hanna Lie",
            contact_email="hanna@example.org",
            hr_recipients=f"hiring+{data['department']}@example.org",
            ask_cv=data.get("cv", "required"),
            ask_phone=data.get("phone", "optional"),
            ask_cover_letter=data.get("cover", "off"),
            questions=[
                question(slug, kind, label, **more) for kind, label, more in data["questions"]
            ],
        )
        parent.add_child(instance=job)
        for location_slug in data["locations"]:
            name, region, postal_code, country = LOCATIONS[location_slug]
            location, _new = Location.objects.get_or_create(
                slug=location_slug,
                defaults={
                    "name": name,
                    "region": region,
                    "postal_code": postal_code,
                    "country": country,
                },
            )
            job.locations.add(location)
        job.save()
        job.save_revision().publish()

    def _french(self, home: HomePage, jobs: JobIndexPage) -> None:
        """Translate as an editor does, so that editors of the demo can go on from there."""
        written = JobPage.objects.child_of(jobs).filter(slug__in=IN_FRENCH)
        hiring = Department.objects.filter(jobs__in=written).distinct()
        notices = PlainPage.objects.child_of(home)
        for original in (*hiring, home, *notices, jobs, *written):
            source, _created = TranslationSource.get_or_create_from_instance(original)
            translation = Translation.objects.create(source=source, target_locale=self._locale)
            po = translation.export_po()
            for entry in po:
                entry.msgstr = self._words[entry.msgid]
            translation.import_po(po)
            if isinstance(original, Page):
                # save_target() would publish at the end of the transaction and overwrite the
                # page's number of children with the number of now.
                translation.save_target(publish=False)
                translation.get_target_instance().latest_revision.publish()
            else:
                translation.save_target()

    @cached_property
    def _locale(self) -> Locale:
        found: Locale = Locale.objects.get_or_create(language_code="fr")[0]
        return found

    @cached_property
    def _words(self) -> dict[str, str]:
        return {entry.msgid: entry.msgstr for entry in polib.pofile(str(FRENCH))}

    def _rights(self, jobs: JobIndexPage) -> None:
        for name in (AUTHOR, LEAD, REVIEWER):
            group = Group.objects.filter(name=name).first()
            for page in (jobs, jobs.get_translation(self._locale)):
                if group is not None:
                    give_page(apps, group, page.pk)
        get_user_model().objects.get(username="hanna").groups.set(Group.objects.filter(name=LEAD))
