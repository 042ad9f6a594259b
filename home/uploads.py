"""What editors upload in the admin. A file that can't be used is refused in words."""

from __future__ import annotations

import zipfile
from pathlib import PurePath
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from wagtail.documents.forms import BaseDocumentForm
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

from home.pictures import check

#: Document types that are ZIP files inside.
ZIPPED = ("docx", "odt", "pptx", "xlsx", "zip")
#: Bytes at the start and at the end of a PDF in which readers look for its marks.
PDF_START, PDF_END = 1024, 4096


class PictureField(WagtailImageField):  # type: ignore[misc]  # Wagtail has no types
    """Wagtail's field for a picture. It decodes the whole file; Wagtail reads little of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.error_messages["file_too_many_pixels"] = _(
            "This picture has too many pixels (%(num_pixels)s; the limit is "
            "%(max_pixels_count)s). Save a smaller copy and upload it."
        )

    def to_python(self, data: Any) -> Any:
        """The file.

        Raises:
            ValidationError: no page can show it.
        """
        try:
            file = super().to_python(data)
            if file is not None:
                check(file)
                file.seek(0)
        except ValidationError:
            raise
        except Exception as error:  # Wagtail lets errors of decoders pass
            raise ValidationError(
                _(
                    "This picture is damaged or incomplete. Open it, save it again as JPG or PNG, "
                    "and upload the new file."
                )
            ) from error
        return file


class PictureForm(BaseImageForm):  # type: ignore[misc]  # Wagtail has no types
    """Wagtail's form for pictures, with our field for the file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "file" in self.fields:
            given = self.fields["file"]
            self.fields["file"] = PictureField(
                label=given.label, required=given.required, widget=given.widget
            )


class DocumentForm(BaseDocumentForm):  # type: ignore[misc]  # Wagtail has no types
    """Wagtail's form for documents. It reads the marks of their formats, too."""

    def clean_file(self) -> Any:
        """Refuse a file that is not what its name says, or whose end is missing."""
        file = self.cleaned_data["file"]
        if isinstance(file, UploadedFile):
            extension = PurePath(file.name or "").suffix[1:].lower()
            if not is_whole(file, extension):
                raise ValidationError(
                    _(
                        "This file is damaged, or its type is not %(type)s as its name says. Save "
                        "it again and upload the new file."
                    )
                    % {"type": extension.upper()}
                )
        return file


def is_whole(file: IO[bytes] | UploadedFile, extension: str) -> bool:
    """Whether a document has the marks of its type at its start and its end.

    Args:
        extension: the type, such as ``pdf``. Types without marks are always whole.
    """
    try:
        if extension in ZIPPED:
            return zipfile.is_zipfile(file)
        if extension == "pdf":
            # ISO 32000-2, 7.5.2 and 7.5.5; readers accept other bytes around.
            file.seek(0)
            start = file.read(PDF_START)
            file.seek(max(0, file.seek(0, 2) - PDF_END))
            return b"%PDF-" in start and b"startxref" in file.read()
        if extension == "rtf":
            file.seek(0)
            return file.read(5) == b"{\\rtf"
        return True
    finally:
        file.seek(0)
