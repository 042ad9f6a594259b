"""Each recipe of ``docs/extending.md`` does what it promises, with the wheel and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polib
import pytest

from tests.support import recipes
from tests.support.recipes import Receiver
from tests.support.servers import ACCESS_KEY, BUCKET, SECRET_KEY, HostileS3
from tests.support.wheel import WheelSite

Follow = Callable[[str], WheelSite]
#: What SparkPost answers to an accepted mail.
ACCEPTED = {
    "results": {"id": "11668787", "total_accepted_recipients": 1, "total_rejected_recipients": 0}
}

pytestmark = pytest.mark.timeout(600)


def archive(s3: HostileS3) -> dict[str, Any]:
    """The settings of a site that archives at this server."""
    return {
        "AWS_S3_ENDPOINT_URL": s3.endpoint,
        "AWS_STORAGE_BUCKET_NAME": BUCKET,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def test_every_recipe_of_the_document_is_followed() -> None:
    followed = {
        "A new step",
        "A new question type",
        "A field on the job page",
        "A template or a brand",
        "A language",
        "A mail provider",
        "Hooks",
    }
    assert set(recipes.titles()) == followed


def test_new_step_runs_is_retried_and_is_shown(follow: Follow) -> None:
    site = follow("A new step")
    program = """
        from careersite.celery import app
        from careers.pipeline import steps

        application = apply(new_job())
        assert application.steps.get(kind="announce").state == "waiting"
        for kind in ("render_pdf", "archive"):
            assert attempt(application, kind).state == "succeeded"
        step = attempt(application, "announce")
        assert (step.state, step.error_code) == ("retrying", "chat-busy")
        step = attempt(application, "announce")
        assert (step.state, step.result) == ("succeeded", {"channel": "chat"})
        assert [event.to_state for event in step.events.order_by("pk")] == [
            "waiting", "queued", "started", "retrying", "started", "succeeded",
        ]

        app.loader.import_default_modules()
        assert "careers.announce" in app.tasks
        shown = read(admin, "/admin/tasks/?kind=announce")
        assert application.reference in shown
        assert 'value="announce"' in shown and "Chat message" in shown
        assert ">Chat<" in shown.replace("\\n", "").replace(" ", "")
        assert "Chat message" in read(admin, f"/admin/tasks/{application.reference}/")
        row = 'careers_steps{kind="announce",state="succeeded"} 1.0'
        assert row in read(visitor, "/metrics")
    """
    with HostileS3() as s3, Receiver() as chat:
        chat.once(503)
        site.perform(program, EXTRA_APPS="acme_chat", CHAT_URL=chat.url, **archive(s3))
    text = {"text": "New application for Gauge keeper"}
    assert [request.body for request in chat.requests] == [text, text]


def test_new_question_type_is_chosen_asked_validated_and_read(follow: Follow) -> None:
    site = follow("A new question type")
    program = """
        import io
        import uuid
        import pypdf

        key = str(uuid.uuid4())
        value = {"label": "How well do you read tide tables?", "help_text": "", "required": True}
        job = new_job(questions=[{"type": "rating", "id": key, "value": value}])

        assert '"Rating"' in read(admin, f"/admin/pages/{job.pk}/edit/")
        form = read(visitor, job.url)
        assert all(f'name="q-{key}" value="{number}"' in form for number in range(1, 6))
        for wrong, says in (
            ({}, "Choose a number for “How well do you read tide tables?”."),
            ({f"q-{key}": "9"}, "Choose a number from 1 to 5."),
        ):
            answer = send(job, **wrong)
            assert answer.status_code == 422, answer.status_code
            assert says in html.unescape(answer.content.decode())

        application = apply(job, **{f"q-{key}": "4"})
        assert application.answers[key] == 4
        assert "4 / 5" in read(admin, f"/admin/applications/{application.reference}/")
        for kind in ("render_pdf", "archive"):
            assert attempt(application, kind).state == "succeeded"
        pdf = admin.get(
            f"/admin/applications/{application.reference}/files/"
            f"{application.files.get(kind='pdf').public_id}/"
        )
        content = b"".join(pdf) if pdf.streaming else pdf.content
        pages = pypdf.PdfReader(io.BytesIO(content)).pages
        assert "4/5" in "".join(page.extract_text() for page in pages).replace(" ", "")
    """
    with HostileS3() as s3:
        site.perform(program, EXTRA_APPS="acme_rating", **archive(s3))
        (manifest,) = (s3.content(key) for key in s3.objects if "manifest" in key)
    assert 4 in json.loads(manifest or b"{}")["answers"].values()


def test_field_on_the_job_page_is_edited_and_shown(follow: Follow) -> None:
    site = follow("A field on the job page")
    site.manage("makemigrations", "acme_hours", EXTRA_APPS="acme_hours")
    site.manage("migrate", "-v0", EXTRA_APPS="acme_hours")
    program = """
        from wagtail.test.utils.form_data import querydict_from_html

        job = new_job()
        editor = f"/admin/pages/{job.pk}/edit/"
        shown = read(admin, editor)
        assert "Working hours" in shown
        given = querydict_from_html(admin.get(editor).content.decode(), form_id="page-edit-form")
        given.update({
            "body-count": "0",
            "questions-count": "0",
            "working_hours-0-id": "",
            "working_hours-0-text": "Mon to Thu, 9–17",
            "working_hours-0-ORDER": "1",
            "working_hours-0-DELETE": "",
        })
        given["working_hours-TOTAL_FORMS"] = "1"

        draft = admin.post(editor, given)
        assert draft.status_code == 302, draft.status_code
        assert "Mon to Thu" not in read(visitor, job.url)
        assert "Mon to Thu" in read(admin, editor)
        given["action-publish"] = "action-publish"
        assert admin.post(editor, given).status_code == 302
        assert '<p class="working-hours">Mon to Thu, 9–17</p>' in read(visitor, job.url)
    """
    site.perform(program, EXTRA_APPS="acme_hours")


def test_brand_replaces_a_template_and_adds_a_style(follow: Follow) -> None:
    site = follow("A template or a brand")
    program = """
        import re

        page = read(visitor, "/")
        assert "We measure the sea" in page
        styles = re.findall('rel="stylesheet" href="([^"]+)"', page)
        assert "acme/brand.css" in styles[-1]
        assert "border-block-end: 4px solid #c8102e" in read(visitor, styles[-1])
    """
    site.perform(program, EXTRA_APPS="acme_brand")
    # The same templates without an app.
    site.perform(program, TEMPLATE_DIR=site.directory / "acme_brand" / "templates")


def test_language_serves_pages_forms_and_receipts(follow: Follow) -> None:
    site = follow("A language")
    (catalogue,) = site.directory.rglob("django.po")
    # As msgfmt does, which is not installed everywhere.
    polib.pofile(str(catalogue)).save_as_mofile(str(catalogue.with_suffix(".mo")))
    program = """
        from wagtail.models import Locale
        from wagtail_localize.models import Translation
        from wagtail_localize.operations import translate_object

        job = new_job()
        assert "German" in read(admin, "/admin/locales/new/")
        german = Locale.objects.create(language_code="de")
        for page in (job.get_parent().get_parent(), job.get_parent(), job):
            translate_object(page.specific, [german])
        for translation in Translation.objects.filter(target_locale=german).order_by("pk"):
            translation.save_target(publish=True)
        translated = JobPage.objects.get(translation_key=job.translation_key, locale=german)

        page = read(visitor, "/de/careers/gauge-keeper/")
        assert '<html lang="de"' in page
        assert "Alle Stellen" in page and "Vollständiger Name" in page
        assert "All jobs" in read(visitor, "/careers/gauge-keeper/")
        answer = send(translated, name="")
        assert answer.status_code == 422
        assert "Vollständiger Name" in answer.content.decode()
        application = apply(translated)
        assert (application.language, application.job_key) == ("de", job.job_key)
    """
    site.perform(program, EXTRA_APPS="acme_german", LANGUAGES="en,fr,de")


def test_mail_provider_sends_and_repeats_only_within_its_window(follow: Follow) -> None:
    site = follow("A mail provider")
    program = """
        import os

        provider = os.environ["EMAIL_PROVIDER"]
        job = JobPage.objects.filter(slug="gauge-keeper").first() or new_job()
        lost = attempt(apply(job, email=f"{provider}@example.org"), "mail_applicant")
        if provider == "relay":
            assert lost.state == "retrying"
            assert lost.repeat_with.startswith("relay:") and lost.repeat_until
            assert attempt(lost.application, "mail_applicant").state == "succeeded"
        else:
            assert lost.state == "uncertain"
            other = apply(job, email="mary@example.org")
            assert attempt(other, "mail_applicant").state == "succeeded"
    """
    with Receiver(ACCEPTED) as server:
        for provider in ("sparkpost", "relay"):
            server.once(0)
            site.perform(
                program,
                EXTRA_APPS="acme_sparkpost",
                EMAIL_PROVIDER=provider,
                EMAIL_API_KEY="a-key",
                EMAIL_API_URL=server.url,
                DEFAULT_FROM_EMAIL="careers@example.org",
            )
    first, second, third, fourth = server.requests
    assert {request.path for request in server.requests} == {"/transmissions/"}
    assert {request.headers["authorization"] for request in server.requests} == {"a-key"}
    recipients = [request.body["recipients"][0]["address"]["email"] for request in server.requests]
    assert recipients == [
        "sparkpost@example.org",
        "mary@example.org",
        "relay@example.org",
        "relay@example.org",
    ]
    assert "idempotency-key" not in first.headers | second.headers
    assert third.headers["idempotency-key"] == fourth.headers["idempotency-key"]
    assert third.body == fourth.body


def test_hooks_add_to_the_editor_the_home_page_and_the_health(follow: Follow) -> None:
    site = follow("Hooks")
    program = """
        from careers.operations import findings

        editor = f"/admin/pages/{new_job().pk}/edit/"
        assert "Advertised at jobs.example.org." in read(admin, editor)
        assert "<p>Measure twice.</p>" in read(visitor, "/")
        findings.ask_hooks()  # as the sweeper does
        shown = read(admin, "/admin/tasks/")
        assert "The CRM is 12 minutes behind. Applications are stored and safe." in shown
        assert "Restart the export." in shown
        assert 'code="crm-behind"' in read(visitor, "/metrics")
    """
    site.perform(program, EXTRA_APPS="acme_hooks")
