"""Everything that the app adds to the Wagtail admin."""

from careers.backoffice import hooks as backoffice
from careers.jobs import hooks as jobs
from careers.jobs import moments, publishing, snippets
from careers.languages import hooks as languages

__all__ = ["backoffice", "jobs", "languages", "moments", "publishing", "snippets"]
