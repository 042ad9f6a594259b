"""Everything that can break during a campaign.

Each module registers its faults in ``KINDS`` when it is imported.
"""

from prove.injection import archive, broker, database, mail, person, scanner, workers
from prove.injection.kinds import KINDS, Fault, Kind, Site
from prove.injection.plan import faults

__all__ = [
    "KINDS",
    "Fault",
    "Kind",
    "Site",
    "archive",
    "broker",
    "database",
    "faults",
    "mail",
    "person",
    "scanner",
    "workers",
]
