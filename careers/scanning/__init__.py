"""The virus scanner: the only package that talks to clamd.

Plain Python: it takes bytes, and knows neither Celery nor Wagtail nor the database.
"""

from careers.scanning.clamd import database_date, is_configured, probe, scan

__all__ = ["database_date", "is_configured", "probe", "scan"]
