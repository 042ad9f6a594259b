"""Marks that say on which database a test of a shared site runs; the default is both."""

from __future__ import annotations

import pytest

#: For tests in which the database does not matter.
ON_SQLITE = pytest.mark.parametrize("_site", ["sqlite"], indirect=True)
#: For tests whose counterpart on SQLite runs without a server.
ON_POSTGRESQL = pytest.mark.parametrize("_site", ["postgresql"], indirect=True)
