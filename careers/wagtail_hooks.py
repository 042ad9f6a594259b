"""Everything that the app adds to the Wagtail admin."""

from careers.jobs import hooks as jobs

__all__ = ["jobs"]
