"""Everything that the app adds to the Wagtail admin."""

from careers.backoffice import hooks as backoffice
from careers.jobs import hooks as jobs

__all__ = ["backoffice", "jobs"]
