"""Every table, in the order of the flow."""

from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.taxonomy import Department, Location

from careers.applications.models import (  # isort: skip -- the order of the flow
    Application,
    ApplicationFile,
    ApplicationView,
    ConsentRecord,
    FileBytes,
)
from careers.forms.models import PendingUpload  # isort: skip
from careers.languages.models import TranslationRequest  # isort: skip
from careers.operations.models import (  # isort: skip
    Dismissal,
    Finding,
    FinishedWork,
    Heartbeat,
    ScheduledRun,
    ServiceAnswer,
)
from careers.pipeline.models import (  # isort: skip
    Alert,
    BulkAct,
    DatabaseIdentity,
    Pause,
    Step,
    StepEvent,
)
from careers.search.models import ApplicationTerms, ContentTerms  # isort: skip

__all__ = [
    "Alert",
    "Application",
    "ApplicationFile",
    "ApplicationTerms",
    "ApplicationView",
    "BulkAct",
    "ConsentRecord",
    "ContentTerms",
    "DatabaseIdentity",
    "Department",
    "Dismissal",
    "FileBytes",
    "Finding",
    "FinishedWork",
    "Heartbeat",
    "JobIndexPage",
    "JobPage",
    "Location",
    "Pause",
    "PendingUpload",
    "ScheduledRun",
    "ServiceAnswer",
    "Step",
    "StepEvent",
    "TranslationRequest",
]
