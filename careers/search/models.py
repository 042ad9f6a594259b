"""The terms by which applications, pages and other content are found."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.contenttypes.models import ContentType
from django.db import models

from careers.applications.models import Application, ApplicationFile

#: Counts the changes of what ``terms_of`` returns. Rows of another version are made again.
VERSION = 2


class Terms(models.Model):
    """The terms of one text, by ``careers.search.terms.terms_of``.

    On PostgreSQL, migration 0034 gives ``terms`` an index for patterns.
    """

    terms = models.TextField()
    version = models.PositiveSmallIntegerField(db_default=1)

    wagtail_reference_index_ignore = True

    class Meta:
        abstract = True
        default_permissions = ()


class ApplicationTerms(Terms):
    """One text of an application: who applied, the answers, or the text of one file.

    The rows go with the application and with the file. There is no constraint in the database: a
    release that does not know the table must be able to delete an application. What it leaves is
    deleted by ``careers.operations.indexing``.
    """

    PERSON, ANSWERS = "person", "answers"

    # The unique constraint begins with it and is its index.
    application = models.ForeignKey(
        Application,
        on_delete=models.CASCADE,
        related_name="terms",
        db_constraint=False,
        db_index=False,
    )
    #: The file whose text it is; None for the others.
    file = models.ForeignKey(
        ApplicationFile,
        null=True,
        on_delete=models.CASCADE,
        related_name="terms",
        db_constraint=False,
    )
    #: ``PERSON``, ``ANSWERS``, or the public id of the file.
    source = models.CharField(max_length=36)

    class Meta(Terms.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "source"], name="careers_terms_once_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"terms of application {self.application_id}: {self.source}"


class ContentTerms(Terms):
    """The texts of a page, picture, document, department or location (``careersite.search``)."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.CharField(max_length=50)
    #: The terms of its title alone: what has the words there comes first.
    title = models.TextField()

    class Meta(Terms.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_type", "object_id"], name="careers_terms_once_per_object"
            )
        ]

    def __str__(self) -> str:
        return f"terms of {self.content_type_id}:{self.object_id}"
