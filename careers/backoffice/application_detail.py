"""``/admin/applications/<reference>/``: one application. The access log notes every reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.widgets.button import HeaderButton

from careers.applications.answers import Answer, readable
from careers.applications.frozen import FrozenForm
from careers.applications.models import (
    Application,
    ApplicationFile,
    ApplicationQuerySet,
    FileKind,
    ReviewStage,
    ScanVerdict,
)
from careers.applications.question_types import type_of
from careers.applications.references import normalise_reference
from careers.backoffice import access_log, audit, presentation, task_acts
from careers.backoffice.file_content import why_locked
from careers.backoffice.permissions import (
    CHANGE,
    READ,
    SEE_LOG,
    SEE_TASKS,
    Held,
    Requires,
    applications_for,
    may,
    visible_applications,
)
from careers.backoffice.views import Crumb, DetailPage
from careers.inspection import words
from careers.intake.velocity import same_cause
from careers.jobs.models import JobPage
from careers.pipeline.actions import release_from_quarantine
from careers.pipeline.models import Step
from careers.pipeline.unscanned import latest_scan, open_unscanned
from home.values import mail_address

#: Questions whose answers the page shows among the facts.
IN_FACTS = ("name", "email", "phone")
#: The order of the files.
FILE_ORDER = (
    FileKind.CV,
    FileKind.COVER_LETTER,
    FileKind.ANSWER,
    FileKind.PDF,
    FileKind.MANIFEST,
)


@dataclass(frozen=True)
class FileLine:
    """One file to download.

    Attributes:
        lock: why nobody can open it; "" for a file that can be opened.
        open_url: where this reader can open it although its scan failed; "" where they can't.
        pages_url: where its pages are; "" for a file that is locked or that the site made.
    """

    file: ApplicationFile
    label: str
    url: str
    lock: str = ""
    open_url: str = ""
    pages_url: str = ""

    @property
    def mark(self) -> str:
        """What the virus scan says about it; "" for a file that the site made."""
        return self.file.get_scan_verdict_display() if self.file.is_upload else ""

    @property
    def is_infected(self) -> bool:
        return self.file.scan_verdict == ScanVerdict.INFECTED

    @property
    def holds(self) -> str:
        """What the file can do on the reader's machine, in words; "" for most files."""
        return words.mark(self.file.marks)

    @property
    def opens_in_browser(self) -> bool:
        return self.file.kind == FileKind.PDF


@dataclass(frozen=True)
class AnswerLine:
    """One answer as the applicant gave it, and in the reader's language where that differs.

    Attributes:
        language: of the applicant's words; "" for the words of the site, in the reader's language.
        own_label: the question in the reader's language; "" where it is the same.
        own_words: the chosen options in the reader's language; empty where they are the same.
    """

    answer: Answer
    language: str
    own_label: str = ""
    own_words: tuple[str, ...] = ()


def find_application(user: Any, reference: str) -> Application:
    """An application that this user may read; raises Http404 for any other."""
    return get_object_or_404(visible_applications(user), reference=reference)


def of_the_same_person(application: Application, user: Any) -> ApplicationQuerySet:
    """The applications from the same e-mail address that a user may read."""
    address = {application.email, *mail_address.spellings(application.email)}
    return visible_applications(user).filter(email__in=address)


class ApplicationDetail(DetailPage):
    """Answers, files, consents, processing, and the access log."""

    right = READ
    template_name = "careers/backoffice/application_detail.html"
    header_icon = "user"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        typed = self.kwargs["reference"]
        reference = normalise_reference(typed)
        self.application = find_application(request.user, reference)
        if reference != typed:
            return redirect("careers_applications:detail", reference)
        audit.note(self.application, request.user, audit.OPENED)
        response = super().get(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    def get_page_title(self) -> str:
        return self.application.shown_name

    def get_header_title(self) -> str:
        return _("Application of %(name)s") % {"name": self.application.shown_name}

    def trail(self) -> list[Crumb]:
        return [{"url": reverse("careers_applications:index"), "label": _("Applications")}]

    @cached_property
    def held(self) -> Held:
        """What the reader may do here."""
        return Held(self.request.user, self.application.job_key)

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if SEE_TASKS not in self.held:
            return []
        return [
            HeaderButton(
                _("Task status"),
                url=reverse("careers_tasks:detail", args=[self.application.reference]),
                classname="bo-header-link",
                icon_name="tasks",
            )
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        application, user = self.application, self.request.user
        answers = readable(application)
        own = self._form_in_the_readers_language()
        steps = list(Step.objects.filter(application=application).order_by("pk"))
        log, log_goes_on = audit.lines(application)
        return {
            **super().get_context_data(**kwargs),
            "application": application,
            "form": application.frozen_form,
            "answers": [
                self._line(answer, own)
                for answer in answers
                # Files have their own list. A missing file is shown as an answer.
                if answer.question.key not in IN_FACTS and not answer.files
            ],
            "files": self._files(answers),
            "consents": [
                (consent, consent_label(consent.purpose, application))
                for consent in application.consents.all()
            ],
            "same_content": self._same_content(),
            "same_person": of_the_same_person(application, user).count(),
            "spam_reason": presentation.spam_reason(application.quarantine_reason),
            "chips": presentation.chips(steps, application.quarantined, self.paused.kinds),
            "bounces": presentation.bounces(steps),
            "next_action": presentation.next_action(
                steps, application.quarantined, self.paused.kinds
            ),
            "stages": ReviewStage.choices,
            "may_change": CHANGE in self.held,
            "may_see_tasks": SEE_TASKS in self.held,
            "may_release": self.held.offers(release_from_quarantine, application),
            "alike": applications_for(user, READ, release_from_quarantine.permission)
            .filter(same_cause(application))
            .count()
            if application.quarantined
            else 0,
            "not_sent": presentation.not_sent(steps),
            "page_url": application.page.get_url(self.request) if application.page.live else "",
            "may_edit_page": application.page.permissions_for_user(user).can_edit(),
            "log": log,
            "log_goes_on": log_goes_on,
            "log_url": access_log.url_for(application) if SEE_LOG in self.held else "",
        }

    def _same_content(self) -> list[Application]:
        """The other applications with the same content, the first one first."""
        first = self.application.first_id
        group = visible_applications(self.request.user).filter(Q(pk=first) | Q(repeats=first))
        return list(group.exclude(pk=self.application.pk).order_by("pk"))

    def _line(self, answer: Answer, own: FrozenForm | None) -> AnswerLine:
        asked = answer.question
        language = self.application.language if type_of(asked).is_in_form_language else ""
        # Translations are found by key: words may change, keys don't.
        question = own.question(asked.key) if own else None
        if question is None:
            return AnswerLine(answer, language)
        words = type_of(asked).fixed_words(question, self.application.answers.get(asked.key))
        return AnswerLine(
            answer,
            language,
            question.label if question.label != asked.label else "",
            words if words != answer.paragraphs else (),
        )

    def _form_in_the_readers_language(self) -> FrozenForm | None:
        """The job's form in the reader's language, where the application has another one."""
        language = get_language()
        if language == self.application.language:
            return None
        page = JobPage.objects.filter(
            translation_key=self.application.job_key, locale__language_code=language
        ).first()
        return page.frozen_form() if page else None

    def _url(self, file: ApplicationFile, view: str = "file") -> str:
        return reverse(
            f"careers_applications:{view}", args=[self.application.reference, file.public_id]
        )

    def _files(self, answers: list[Answer]) -> list[FileLine]:
        questions = {answer.question.key: answer.label for answer in answers}
        files = sorted(
            self.application.files.all(), key=lambda file: FILE_ORDER.index(FileKind(file.kind))
        )
        scan = latest_scan(self.application.pk)
        return [
            FileLine(
                file,
                questions.get(file.question_key, "") or str(FileKind(file.kind).label),
                self._url(file),
                lock=why_locked(file, scan),
                open_url=self._url(file, "open_unscanned")
                if self.held.offers(open_unscanned, file)
                else "",
                pages_url=self._url(file, "pages") if file.is_upload and not file.is_locked else "",
            )
            for file in files
        ]


def consent_label(purpose: str, application: Application) -> str:
    """What a consent is about: the privacy notice, or the question that asked for it."""
    if purpose == "privacy_notice":
        return _("Privacy notice")
    question = application.frozen_form.question(purpose)
    return question.label if question else purpose


class ChangeStage(Requires, View):
    """Move an application to another stage of the review."""

    right = READ

    def post(self, request: HttpRequest, reference: str) -> HttpResponse:
        application = find_application(request.user, reference)
        # Checked after the search, so that an application outside the user's part of the page tree
        # is not found, whatever other permissions the user has.
        if not may(request.user, CHANGE, application):
            raise PermissionDenied
        stage, before = request.POST.get("stage", ""), request.POST.get("before", "")
        if stage not in ReviewStage.values:
            messages.error(request, _("Choose a stage."))
        elif stage != application.review_stage and self._change(application, before, stage):
            messages.success(
                request, _("The stage is now “%(stage)s”.") % {"stage": ReviewStage(stage).label}
            )
        else:
            application.refresh_from_db(fields=["review_stage"])
            messages.warning(
                request,
                _("Nothing changed: the stage is “%(stage)s”.")
                % {"stage": application.get_review_stage_display()},
            )
        return redirect("careers_applications:detail", application.reference)

    def _change(self, application: Application, before: str, stage: str) -> bool:
        """Returns False when a colleague changed the stage after the form was shown."""
        changed = Application.objects.filter(pk=application.pk, review_stage=before).update(
            review_stage=stage
        )
        if changed:
            audit.note(application, self.request.user, f"{audit.STAGED}:{stage}")
        return bool(changed)


class Release(task_acts.Release):
    """The same act as in the task status, for users who may read the application."""

    right = READ

    def find(self) -> Application:
        return find_application(self.request.user, self.kwargs["reference"])

    def trail(self) -> list[Crumb]:
        return [
            {"url": reverse("careers_applications:index"), "label": _("Applications")},
            {"url": self.back(), "label": self.subject.reference},
        ]

    def back(self) -> str:
        return reverse("careers_applications:detail", args=[self.subject.reference])
