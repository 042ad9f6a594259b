"""What the site says by e-mail, and how it sends one mail safely.

Plain Python and Django templates: this package uses neither Celery nor Wagtail.
"""

from careers.notifications import message_ids
from careers.notifications.before_send import BeforeSend, IdempotencyWindow
from careers.notifications.delivery import Delivery, MailRoute, deliver, probe
from careers.notifications.infected import infected_to_applicant, infected_to_hr
from careers.notifications.messages import Identity, hr_application, operator_alert, receipt
from careers.notifications.providers import read_reports
from careers.notifications.refusals import CROWDED
from careers.notifications.reports import Forged, Report, Unreadable

__all__ = [
    "CROWDED",
    "BeforeSend",
    "Delivery",
    "Forged",
    "IdempotencyWindow",
    "Identity",
    "MailRoute",
    "Report",
    "Unreadable",
    "deliver",
    "hr_application",
    "infected_to_applicant",
    "infected_to_hr",
    "message_ids",
    "operator_alert",
    "probe",
    "read_reports",
    "receipt",
]
