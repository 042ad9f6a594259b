"""What is said to whom by e-mail, and one careful way to send it.

Plain Python and Django templates: neither Celery nor Wagtail is known here.
"""

from careers.notifications.before_send import BeforeSend, Memory
from careers.notifications.delivery import Delivery, deliver, probe
from careers.notifications.messages import Identity, hr_application, operator_alert, receipt
from careers.notifications.refusals import CROWDED
from careers.notifications.reports import Forged, Report, Unreadable, reports

__all__ = [
    "CROWDED",
    "BeforeSend",
    "Delivery",
    "Forged",
    "Identity",
    "Memory",
    "Report",
    "Unreadable",
    "deliver",
    "hr_application",
    "operator_alert",
    "probe",
    "receipt",
    "reports",
]
