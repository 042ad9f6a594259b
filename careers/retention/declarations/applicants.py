"""The data of applicants."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from careers.retention.data_map import Erasure, Kept, Personal, Purpose, Reader, Subject, declare

SENT = Personal(
    _("Name"), Purpose.APPLICATION, Kept.APPLICATION, (Reader.APPLICANT, Reader.HR), Erasure.ROW
)
DECIDED = SENT.but(_("Stage"), readers=(Reader.HR,))
#: Hashes and secrets: they single a person out, but say nothing about them.
HASH = Personal(
    _("Keyed hash of job, answers and files"),
    Purpose.SECURITY,
    Kept.APPLICATION,
    (),
    Erasure.ROW,
    exported=False,
)

declare(
    "careers.Application",
    _("Application"),
    subject=Subject.APPLICANT,
    path="",
    personal={
        "reference": SENT.but(_("Reference")),
        "name": SENT,
        "email": SENT.but(_("E-mail address")),
        "phone": SENT.but(_("Phone number")),
        "language": SENT.but(_("Language of the form")),
        "form": SENT.but(_("The form as it was shown, with the job’s title")),
        "answers": SENT.but(_("Answers")),
        "received_at": SENT.but(_("Time of receipt")),
        "review_stage": DECIDED,
        "quarantined": DECIDED.but(
            _("Whether it is quarantined as spam"), purpose=Purpose.SECURITY
        ),
        "quarantine_reason": DECIDED.but(_("Why it is quarantined"), purpose=Purpose.SECURITY),
        "erase_after": DECIDED.but(_("Day on which it is erased")),
        "public_id": SENT.but(_("Number in file names and mails"), readers=(Reader.HR,)),
        "receipt_secret": HASH.but(
            _("Secret of the receipt link"),
            purpose=Purpose.APPLICATION,
            readers=(Reader.APPLICANT,),
        ),
        "receipt_issued_at": SENT.but(_("Time at which the receipt link was made")),
        "fingerprint": HASH,
        "network": HASH.but(
            _("Keyed hash of the sender’s network"), kept=Kept.WINDOW, erased=Erasure.EMPTIED
        ),
        "mailbox": HASH.but(_("Keyed hash of the mailbox")),
    },
    plain="job_key revision_id mails_hr is_test",
)
declare(
    "careers.ConsentRecord",
    _("Privacy notice or consent"),
    subject=Subject.APPLICANT,
    path="application",
    personal={
        "purpose": SENT.but(_("What it is about"), purpose=Purpose.PROOF),
        "text": SENT.but(_("The words that were shown"), purpose=Purpose.PROOF),
        "given": SENT.but(_("Whether it was given"), purpose=Purpose.PROOF),
        "at": SENT.but(_("When"), purpose=Purpose.PROOF),
    },
)
declare(
    "careers.ApplicationFile",
    _("File of an application"),
    subject=Subject.APPLICANT,
    path="application",
    personal={
        "filename": SENT.but(_("Name of the file")),
        "kind": SENT.but(_("Kind of file")),
        "question_key": SENT.but(_("Question that it answers")),
        "content_type": SENT.but(_("Type")),
        "size": SENT.but(_("Size in bytes")),
        "sha256": SENT.but(_("SHA-256 of its bytes")),
        "created_at": SENT.but(_("When it was stored")),
        "scan_verdict": DECIDED.but(_("Verdict of the virus scanner"), purpose=Purpose.SECURITY),
        "scan_signature": DECIDED.but(_("Virus that was found"), purpose=Purpose.SECURITY),
        "marks": DECIDED.but(_("Active content that was found"), purpose=Purpose.SECURITY),
        "object_key": DECIDED.but(_("Name of its object in the bucket"), exported=False),
        "object_version": DECIDED.but(_("Version of its object"), exported=False),
    },
    plain="public_id scanned_at verified_at",
)
declare(
    "careers.FileBytes",
    _("Bytes of a file"),
    subject=Subject.APPLICANT,
    path="file__application",
    personal={
        # An export holds the files themselves.
        "content": SENT.but(_("The file’s content"), kept=Kept.ARCHIVED, exported=False)
    },
)
declare(
    "careers.ApplicationTerms",
    _("Search terms of an application"),
    subject=Subject.APPLICANT,
    path="application",
    personal={
        "terms": SENT.but(
            _("The words of name, addresses, answers and files"),
            readers=(),
            exported=False,
        )
    },
    plain="version source",
)
declare(
    "careers.IdempotencyKey",
    _("Key of a repeated form"),
    subject=Subject.APPLICANT,
    path="application",
    personal={
        "digest": HASH.but(_("Keyed hash of sender, job and answers"), kept=Kept.REPEAT),
    },
    plain="expires_at",
)
declare(
    "careers.PendingUpload",
    _("Kept upload"),
    subject=Subject.APPLICANT,
    personal={
        name: SENT.but(
            what,
            kept=Kept.UPLOAD,
            readers=(Reader.APPLICANT,),
            erased=Erasure.EXPIRES,
            exported=False,
        )
        for name, what in {
            "filename": _("Name of the file"),
            "content": _("The file’s content"),
            "sha256": _("SHA-256 of its bytes"),
            "network": _("Keyed hash of the sender’s network"),
            "token": _("Secret that the form keeps"),
        }.items()
    },
    plain="job_key question_key content_type size marks created_at expires_at",
)
declare(
    "careers.ApplicationView",
    _("Entry of the access log"),
    subject=Subject.APPLICANT,
    path="application",
    personal={
        "user": Personal(
            _("Account of the reader"),
            Purpose.ACCESS,
            Kept.APPLICATION,
            (Reader.HR, Reader.AUDITORS),
            Erasure.ROW,
            exported=False,
        ),
        "user_name": Personal(
            _("Name of the reader"),
            Purpose.ACCESS,
            Kept.APPLICATION,
            (Reader.HR, Reader.AUDITORS),
            Erasure.ROW,
        ),
        "what": SENT.but(_("What was read or changed"), purpose=Purpose.ACCESS),
        "at": SENT.but(_("When"), purpose=Purpose.ACCESS),
    },
    plain="hour",
)
