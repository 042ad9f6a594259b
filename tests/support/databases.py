"""On which database a test of a shared site runs; without a mark it runs on both."""

from __future__ import annotations

import pytest

#: For tests in which the database has no part.
ON_SQLITE = pytest.mark.parametrize("_site", ["sqlite"], indirect=True)
#: For what tests without a server of their own show on SQLite already.
ON_POSTGRESQL = pytest.mark.parametrize("_site", ["postgresql"], indirect=True)
