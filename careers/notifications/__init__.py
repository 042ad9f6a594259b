"""What is said to whom by e-mail, and one careful way to send it.

Plain Python and Django templates: neither Celery nor Wagtail is known here.
"""

from careers.notifications.delivery import Delivery, deliver, probe
from careers.notifications.handover import HandOver, Memory
from careers.notifications.messages import Identity, hr_notice, operators_notice, receipt
from careers.notifications.refusals import CROWDED
from careers.notifications.reports import Forged, Report, Unreadable, reports

__all__ = [
    "CROWDED",
    "Delivery",
    "Forged",
    "HandOver",
    "Identity",
    "Memory",
    "Report",
    "Unreadable",
    "deliver",
    "hr_notice",
    "operators_notice",
    "probe",
    "receipt",
    "reports",
]
