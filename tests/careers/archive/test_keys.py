import uuid

import pytest

from careers.archive.keys import EXTENSIONS, file_key

PUBLIC_ID = uuid.UUID("6f1f9d4e-51a5-4c0c-8a3e-0d6b1a2c3d4e")
SHA256 = "ab" * 32


def test_key_names_application_kind_and_content() -> None:
    key = file_key(PUBLIC_ID, "cover_letter", SHA256, "application/pdf")
    assert key == f"applications/{PUBLIC_ID}/cover_letter-{SHA256}.pdf"


@pytest.mark.parametrize("content_type", ["text/html", "", "application/x-sh", "../../etc"])
def test_unknown_content_type_gives_the_extension_bin(content_type: str) -> None:
    assert file_key(PUBLIC_ID, "cv", SHA256, content_type).endswith(f"{SHA256}.bin")


def test_parameters_and_case_of_a_content_type_do_not_matter() -> None:
    assert file_key(PUBLIC_ID, "answer", SHA256, "Text/Plain; charset=utf-8").endswith(".txt")


def test_extensions_are_lower_case_letters() -> None:
    assert all(extension.isalpha() for extension in EXTENSIONS.values())


@pytest.mark.parametrize(
    ("application", "kind", "sha256"),
    [
        ("not-a-uuid", "cv", SHA256),
        (PUBLIC_ID, "../cv", SHA256),
        (PUBLIC_ID, "", SHA256),
        (PUBLIC_ID, "cv", "AB" * 32),
        (PUBLIC_ID, "cv", "ab"),
    ],
)
def test_malformed_parts_are_refused(application: uuid.UUID | str, kind: str, sha256: str) -> None:
    with pytest.raises(ValueError, match=r"UUID|kind|SHA-256"):
        file_key(application, kind, sha256, "application/pdf")
