"""Jobs, applications, and the work that follows each application.

The packages, in the order of the flow:

    jobs            an editor publishes a job with a form
    forms           the editor's questions become a form
    intake          a valid form becomes an application, in one transaction
    pipeline        its steps are claimed and run, one by one
    documents         -> PDF
    archive           -> S3
    notifications     -> mail
    scanning          -> clamd
    applications    what everything above reads and writes
    portal          what applicants see of their application
    backoffice      what HR and admins see of it

``models``, ``tasks``, ``urls`` and ``wagtail_hooks`` are tables of contents for Django,
Celery and Wagtail; no module of this package imports them.
"""
