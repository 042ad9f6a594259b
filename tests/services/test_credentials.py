"""A wrong key loses nothing: the step waits, shows the reason, and continues after the correction.

``tests/faults/test_smtp.py`` and ``test_matrix.py`` test the mail server's password and
certificate.
"""

from __future__ import annotations

from tests.support.databases import ON_SQLITE
from tests.support.processes import until
from tests.support.stack import DONE, Receipt, Stack

pytestmark = ON_SQLITE
RETRY = """
from django.contrib.auth import get_user_model
from careers.pipeline import actions
from careers.pipeline.models import Step
admin = get_user_model().objects.get(username="admin")
for step in Step.objects.filter(state="retrying", error_class="configuration"):
    actions.retry(step, admin)
"""


def retry_all(site: Stack) -> None:
    """Press “Retry all”, as an operator does after the correction."""
    done = site.manage("shell", "-c", RETRY)
    assert done.returncode == 0, done.stderr


def restart(site: Stack, *names: str) -> None:
    for name in names:
        site[name].kill()
    site.start(*names)


def waits_for_configuration(site: Stack, receipt: Receipt, kind: str) -> None:
    def waits() -> bool:
        step = site.step(receipt, kind)
        return bool(step["state"] == "retrying" and step["error_class"] == "configuration")

    until(waits, 40, f"{kind} does not wait for a correction")


def test_wrong_archive_secret_is_reported_and_loses_nothing(site: Stack) -> None:
    right = site.environ["AWS_SECRET_ACCESS_KEY"]
    site.environ["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
    restart(site, "io")
    receipt = site.apply()
    waits_for_configuration(site, receipt, "archive")
    until(lambda: site.states(receipt)["mail_hr"] == "succeeded", 40, "HR got no mail")
    # The database still has all the bytes.
    assert all(file["stored"] for file in site.files(receipt))
    assert site.manage("pipeline_status").returncode == 1

    site.environ["AWS_SECRET_ACCESS_KEY"] = right
    restart(site, "io")
    retry_all(site)
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
