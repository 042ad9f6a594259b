"""The kinds of the steps that this project registers; other apps name their own.

A kind is stored in ``Step.kind``, names the Celery task (``careers.<kind>``) and is the label
of the metrics, so it never changes.
"""

RENDER_PDF = "render_pdf"
ARCHIVE = "archive"
MAIL_APPLICANT = "mail_applicant"
MAIL_HR = "mail_hr"
MAIL_OPERATORS = "mail_operators"
SCAN = "scan"
MAIL_INFECTED = "mail_infected"
MAIL_INFECTED_HR = "mail_infected_hr"
