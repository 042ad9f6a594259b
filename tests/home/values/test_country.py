"""Countries of ISO 3166-1."""

from __future__ import annotations

import pytest
from django.utils import translation

from home.values import country


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(country.codes()) == 249 + 1
    assert country.codes() > {"GB", "FR", "NO", "XK", "TW", "PS", "AQ", "SS"}
    assert not country.codes() & {"UK", "EU", "UN", "EL", "AC", "SU", "YU", "ZZ"}


def test_country_is_named_in_the_language_of_the_page() -> None:
    with translation.override("fr"):
        assert country.names()["DE"] == "Allemagne"
    assert country.name("NO") == "Norway"
    assert country.name("QX") == "QX"


@pytest.mark.parametrize(
    ("code", "meant"),
    [("UK", "GB"), ("uk ", "GB"), ("GBR", "GB"), ("SU", ""), ("ABC", ""), ("", "")],
)
def test_code_of_another_list_means_a_country(code: str, meant: str) -> None:
    assert country.meant(code) == meant
