"""Applications with their files and consents, and the log of who read them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Left, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from careers.applications.frozen import FrozenForm
from careers.applications.references import new_reference, new_secret
from home.values import mail_address
from home.values.email import clean as clean_email
from home.values.name import shown
from home.values.phone import uri


class ReviewStage(models.TextChoices):
    """How far HR is with an application."""

    NEW = "new", pgettext_lazy("review stage", "New")
    REVIEWING = "reviewing", pgettext_lazy("review stage", "In review")
    INTERVIEW = "interview", pgettext_lazy("review stage", "Interview")
    OFFER = "offer", pgettext_lazy("review stage", "Offer")
    HIRED = "hired", pgettext_lazy("review stage", "Hired")
    DECLINED = "declined", pgettext_lazy("review stage", "Declined")


class ApplicationQuerySet(models.QuerySet["Application"]):
    def for_job(self, job_key: uuid.UUID) -> ApplicationQuerySet:
        """Applications for one job, in whatever language they were made."""
        return self.filter(job_key=job_key)


class Application(models.Model):
    """One person's application for one job.

    Only ``intake.submit`` creates applications. The public id appears in object keys and
    Message-IDs. The receipt secret appears only in the applicant's own link.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(_("reference"), max_length=9, unique=True, default=new_reference)
    receipt_secret = models.CharField(max_length=64, unique=True, default=new_secret)

    # PROTECT: deleting a page must never delete applications. The page views explain this.
    page = models.ForeignKey(
        "careers.JobPage", on_delete=models.PROTECT, related_name="applications"
    )
    job_key = models.UUIDField(db_index=True)
    revision_id = models.PositiveIntegerField(null=True)
    language = models.CharField(_("language"), max_length=12)
    form = models.JSONField()
    answers = models.JSONField()

    name = models.CharField(_("name"), max_length=255)
    email = models.EmailField(_("e-mail"), max_length=254)
    phone = models.CharField(_("phone"), max_length=100, blank=True)

    #: A digest of the content, for the first application with this content only; a random value for
    #: one that was sent again. See ``careers.intake.repetitions``.
    fingerprint = models.CharField(max_length=64, unique=True)
    #: A keyed hash of the sender's network; "" where it is unknown or was deleted. See
    #: ``careers.applications.networks``.
    network = models.CharField(max_length=64, blank=True, default="", db_default="")
    #: A keyed hash of the mailbox behind ``email``; "" until the first mail to it. See
    #: ``careers.applications.mailboxes``.
    mailbox = models.CharField(max_length=64, blank=True, default="", db_default="")
    #: The first application with the same content. No constraint in the database: a release that
    #: does not know the column must be able to delete that application.
    repeats = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="repetitions",
        db_constraint=False,
        db_index=False,
    )
    #: Whether HR gets a mail about it; not when HR got one about the same content.
    mails_hr = models.BooleanField(default=True, db_default=True)
    #: When the receipt link was made; see ``careers.applications.receipt_links``.
    receipt_issued_at = models.DateTimeField(default=timezone.now, db_default=Now())
    received_at = models.DateTimeField(_("received"), db_index=True)
    erase_after = models.DateField(null=True)
    review_stage = models.CharField(
        _("stage"), max_length=12, choices=ReviewStage.choices, default=ReviewStage.NEW
    )
    is_test = models.BooleanField(_("test"), default=False)
    quarantined = models.BooleanField(_("quarantined as spam"), default=False)
    quarantine_reason = models.CharField(max_length=40, blank=True)

    # An application is a record and not content, so Wagtail must not count it as a usage.
    wagtail_reference_index_ignore = True

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering: ClassVar = ["-received_at", "-pk"]
        default_permissions = ("view", "change")
        indexes: ClassVar = [
            models.Index(fields=["email", "received_at"]),
            models.Index(fields=["network", "received_at"], name="careers_app_network"),
            models.Index(fields=["job_key", "received_at"], name="careers_app_job_received"),
            models.Index(fields=["mailbox"], name="careers_app_mailbox"),
            # For the filters and orders of the list.
            models.Index(fields=["review_stage", "received_at"], name="careers_app_stage"),
            models.Index(fields=["language", "received_at"], name="careers_app_language"),
            models.Index(fields=["name"], name="careers_app_name"),
            models.Index(
                fields=["received_at"],
                condition=models.Q(quarantined=True),
                name="careers_app_quarantined",
            ),
            models.Index(
                fields=["received_at"],
                condition=models.Q(is_test=True),
                name="careers_app_test",
            ),
            models.Index(
                fields=["repeats"],
                condition=models.Q(repeats__isnull=False),
                name="careers_app_repeats",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def frozen_form(self) -> FrozenForm:
        """The form as the applicant saw it."""
        return FrozenForm.from_json(self.form)

    @property
    def first_id(self) -> int:
        """The id of the first application with the same content; its own where it is the first."""
        return self.repeats_id or self.pk

    @property
    def shown_name(self) -> str:
        """The applicant's name to show among other words; never empty."""
        return shown(self.name)

    @property
    def shown_email(self) -> str:
        """The applicant's address with its host in the letters of its language."""
        return mail_address.for_people(self.email)

    @property
    def email_uri(self) -> str:
        """The address of a link that writes to the applicant (RFC 6068).

        An earlier release stored invisible characters in addresses.
        """
        return mail_address.uri(clean_email(self.email))

    @property
    def phone_uri(self) -> str:
        """The address of a link that calls the applicant; "" where the number is not clear."""
        return uri(self.phone)

    @property
    def job_title(self) -> str:
        return str(self.form["job_title"])


class IdempotencyKey(models.Model):
    """What shows that a form is a repetition: its sender and its content, as one digest.

    The primary key is the constraint that lets only one of two equal forms in. Code that erases an
    application without deleting its row must delete these rows, clear ``fingerprint`` and mark the
    application so that ``careers.pipeline.repetitions`` no longer counts it.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    # No constraint, as for ``Application.repeats``: a row without its application counts as gone.
    application = models.ForeignKey(
        Application,
        on_delete=models.CASCADE,
        related_name="idempotency_keys",
        db_constraint=False,
    )
    #: The end of the idempotency window; None where the sender has a key of their own.
    expires_at = models.DateTimeField(null=True, db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"key of application {self.application_id}"

    @classmethod
    def delete_expired(cls) -> int:
        """Delete the keys whose window has ended: they hold a hash of a network.

        Returns:
            The number of deleted keys.
        """
        return cls.objects.filter(expires_at__lte=timezone.now()).delete()[0]


class ConsentRecord(models.Model):
    """A notice or consent in the words that the applicant saw (GDPR, articles 7(1) and 13)."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=64)
    text = models.TextField()
    given = models.BooleanField()
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]


class FileKind(models.TextChoices):
    CV = "cv", _("CV")
    COVER_LETTER = "cover_letter", _("Cover letter")
    ANSWER = "answer", _("Answer")
    PDF = "pdf", _("Application as PDF")
    MANIFEST = "manifest", _("Manifest")


#: The kinds of the files that an applicant sends.
UPLOADS = (FileKind.CV, FileKind.COVER_LETTER, FileKind.ANSWER)


class ScanVerdict(models.TextChoices):
    """What the virus scanner says about a file. Only ``LOCKED`` files can't be opened."""

    #: The site has no scanner, or the site made the file itself.
    NOT_SCANNED = "not_scanned", _("Not scanned")
    WAITING = "waiting", _("Not scanned yet")
    CLEAN = "clean", _("Clean")
    INFECTED = "infected", _("Infected")
    #: The scan failed, and a person opened the file.
    OPENED = "opened", _("Opened without a scan")


#: The verdicts with which nobody can open a file, download it or see its pages.
LOCKED = (ScanVerdict.WAITING, ScanVerdict.INFECTED)


class ApplicationFile(models.Model):
    """A file of an application: an upload, or a file that the pipeline made.

    The bytes are in ``FileBytes`` until the archived copy is verified.
    """

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="files")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=FileKind.choices)
    question_key = models.CharField(max_length=64, blank=True)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    scan_verdict = models.CharField(
        max_length=12, choices=ScanVerdict.choices, default=ScanVerdict.NOT_SCANNED
    )
    #: What the file can do on the reader's machine, where the company accepts that: codes of
    #: ``inspection.Active``, separated by spaces.
    marks = models.CharField(max_length=120, blank=True, default="", db_default="")
    #: The signature that the scanner found; "" for none.
    scan_signature = models.CharField(max_length=100, blank=True, default="", db_default="")
    #: When the scanner gave its verdict.
    scanned_at = models.DateTimeField(null=True)
    object_key = models.CharField(max_length=255, blank=True)
    object_version = models.CharField(max_length=255, blank=True)
    verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [
            ("open_unscanned", _("Can open files whose virus scan failed")),
        ]
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "kind", "question_key", "sha256"],
                name="careers_file_once_per_application",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def is_upload(self) -> bool:
        """Whether the applicant sent it; the site makes the others itself."""
        return self.kind in UPLOADS

    @property
    def is_locked(self) -> bool:
        """Whether nobody can open the file, download it or see its pages."""
        return self.scan_verdict in LOCKED


class FileBytes(models.Model):
    """The bytes of one file, in a table of their own so that no list loads them."""

    file = models.OneToOneField(
        ApplicationFile, on_delete=models.CASCADE, primary_key=True, related_name="stored"
    )
    content = models.BinaryField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()


#: The first letters of ``ApplicationView.what``, which differ for each act.
ACT = Left("what", 3)


class ApplicationView(models.Model):
    """An entry of the access log: who read or changed something of an application, and when.

    Reading is logged once per person, object and hour: rows with the same ``hour`` (UTC) are one.
    A change has no ``hour``, so each change has its own row. The name stays when the account goes.
    """

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="views")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    user_name = models.CharField(max_length=255, blank=True, default="", db_default="")
    what = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)
    hour = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("view_access_log", _("Can see the access log"))]
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["at"], name="careers_access_log_at"),
            models.Index(fields=["user_name", "at"], name="careers_access_log_name"),
            models.Index(ACT, "at", name="careers_access_log_act"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "user", "what", "hour"],
                condition=models.Q(hour__isnull=False),
                name="careers_read_once_an_hour",
            )
        ]
