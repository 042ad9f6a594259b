"""What people and operators do with a deployed site, each with what must be true afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from containers.engine import Failed
from containers.site import HR_PASSWORD, Site
from containers.visitor import Crowd, Receipt, until
from tests.journeys.test_hiring import publish_job, see_it_done
from tests.support.browsing import log_in

#: Our processes, without those that run once.
PROCESSES = ("web", "worker-cpu", "worker-io", "sweeper", "beat", "flower")
STEPS = 4
#: Seconds within which everything must be ready after the build, on an idle machine.
READY = 60
#: Where a process writes that it goes through something like this again and again.
RESTARTS = "{{.RestartCount}}"


def expect(condition: object, message: str) -> None:
    """Raise AssertionError with the message unless the condition is true."""
    if not condition:
        raise AssertionError(message)


def everybody_is_served(site: Site, receipts: list[Receipt], *, unconfirmed: bool = False) -> None:
    """Every application that got a receipt is stored, and each of its mails came once."""
    states = site.wait_until_done(receipts)
    allowed = {"succeeded", "uncertain"} if unconfirmed else {"succeeded"}
    expect(states.keys() <= allowed, f"the steps ended as {dict(states)}")
    expect(
        sum(states.values()) == STEPS * len(receipts),
        f"{len(receipts)} applications have {sum(states.values())} steps",
    )
    twice = [mail for mail, count in site.mails().items() if count > 1]
    expect(not twice, f"these mails came more than once: {twice[:3]}")


def all_have_receipts(receipts: list[Receipt]) -> None:
    refused = [receipt.status for receipt in receipts if not receipt.secret]
    expect(not refused, f"{len(refused)} of {len(receipts)} got no receipt: {refused[:5]}")


def first_start(site: Site) -> None:
    """From an image to a site that is ready, in the order of the file."""
    began = time.monotonic()
    site.project.up()
    site.trust_the_proxy()
    print(f"   ready after {time.monotonic() - began:.0f} s", flush=True)
    expect(site.visitor.get("/health/ready").status_code == 200, "the site is not ready")
    for name in (name for process in PROCESSES for name in site.project.containers(process)):
        restarts = site.engine.inspect(name)[0]["RestartCount"]
        expect(site.project.state(name)["Running"] and not restarts, f"{name} does not stay up")
    site.seed()


def hiring(site: Site) -> None:
    """HR logs in and publishes a job, an applicant applies, and all steps are done."""
    with site.visitor.browser() as page:
        publish_job(page, "Boat builder in a container")
    receipts = [site.visitor.apply()]
    all_have_receipts(receipts)
    page_of_receipt = site.visitor.get(f"/received/{receipts[0].secret}/")
    expect(page_of_receipt.status_code == 200, "the receipt does not open")
    everybody_is_served(site, receipts)
    found = site.query(
        f"SELECT reference FROM careers_application WHERE receipt_secret = '{receipts[0].secret}'"
    )
    with site.visitor.browser() as page:
        log_in(page, "hanna", HR_PASSWORD)
        see_it_done(page, found[0][0])


def closed_doors(site: Site) -> None:
    """Flower asks for a login, ``/metrics`` for its token, HTTP leads to HTTPS."""
    flower = site.visitor.get("/flower/")
    expect(flower.status_code in (302, 401, 403), f"Flower answers strangers {flower.status_code}")
    metrics = site.visitor.get("/metrics")
    expect(metrics.status_code in (401, 403, 404), f"/metrics answers {metrics.status_code}")
    token = {"Authorization": f"Bearer {site.secret('METRICS_TOKEN')}"}
    expect(site.visitor.get("/metrics", **token).status_code == 200, "/metrics refuses its token")
    with site.visitor.browser() as page:
        log_in(page, "admin", site.secret("ADMIN_PASSWORD"))
        page.goto("/flower/")
        until(lambda: "cpu@" in page.content(), 60, "Flower does not show the workers")


def confined(site: Site) -> None:
    """Each of our containers runs with the rights and limits that the file gives."""
    file = site.project.file()
    for name in PROCESSES:
        service = file.services[name]
        found = site.engine.inspect(site.project.containers(name)[0])[0]
        host = found["HostConfig"]
        expect(host["ReadonlyRootfs"], f"{name} can write to its root file system")
        expect(not found["EffectiveCaps"], f"{name} has {found['EffectiveCaps']}")
        expect(host["Memory"] > 0 and host["PidsLimit"] > 0, f"{name} has no limits")
        expect(found["Config"]["StopTimeout"] == service.grace, f"{name} has no grace period")
        # A process of the container, as the kernel shows it.
        status = site.project.execute(name, "cat", "/proc/1/status")
        rights = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        expect(rights["Uid"].split()[0] == "10001", f"{name} runs as {rights['Uid']}")
        expect(int(rights["CapEff"], 16) == 0, f"{name} has capabilities")
        expect(rights["NoNewPrivs"] == "1", f"{name} may gain privileges")


def two_of_each_worker(site: Site) -> None:
    """``docker compose up -d --scale worker-io=2 --scale worker-cpu=2``."""
    site.project.up(scale={"worker-io": 2, "worker-cpu": 2})
    for worker in ("worker-io", "worker-cpu"):
        expect(len(site.project.containers(worker)) == 2, f"there are not two of {worker}")
        for name in site.project.containers(worker):
            until(partial(_takes_messages, site, name), 120, f"{name} is not ready")
    receipts = site.visitor.apply_many(10)
    all_have_receipts(receipts)
    everybody_is_served(site, receipts)


def _takes_messages(site: Site, name: str) -> bool:
    done = site.engine.start("logs", name)
    return " ready." in done.stdout + done.stderr


def killed(site: Site, service: str) -> None:
    """A container dies of ``kill -9`` while 30 people apply, and comes back by itself."""
    died: list[str] = []

    def kill() -> None:
        site.kill(service)
        died.append(service)

    receipts: list[Receipt] = site.visitor.apply_many(10)
    kill()
    receipts += site.visitor.apply_many(20)
    given = [receipt for receipt in receipts if receipt.secret]
    if service != "web":
        all_have_receipts(receipts)
    expect(died and len(given) >= 10, f"only {len(given)} got a receipt")
    name = site.project.containers(service)[0]
    until(lambda: site.project.state(name)["Running"], 60, f"{service} did not come back")
    everybody_is_served(site, given, unconfirmed=True)


def down_and_up(site: Site) -> None:
    """``docker compose down`` and ``up`` keep everything."""
    before = _content(site)
    began = time.monotonic()
    site.down()
    print(f"   down after {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    site.project.up()
    took = time.monotonic() - began
    print(f"   up after {took:.0f} s", flush=True)
    site.trust_the_proxy()
    expect(_content(site) == before, f"before down {before}, after up {_content(site)}")
    receipts = [site.visitor.apply()]
    all_have_receipts(receipts)
    everybody_is_served(site, receipts)


def _content(site: Site) -> list[list[str]]:
    return site.query(
        "SELECT (SELECT count(*) FROM careers_application), (SELECT count(*) FROM careers_step"
        " WHERE state = 'succeeded'), (SELECT count(*) FROM wagtailcore_page),"
        " (SELECT count(*) FROM auth_user)"
    )


def archive_is_whole(site: Site) -> None:
    """``manage.py check_archive`` reads every file back."""
    code, output = site.project.run_once("sweeper", "python", "manage.py", "check_archive")
    if code:
        raise Failed(f"check_archive: {output[-1500:]}")


def upgrade(site: Site, release: str) -> None:
    """From the last release to this tree, as *Upgrade* in docs/operations.md says, under load."""
    site.checkout()
    site.configure()
    site.project.build()
    with Crowd(site.visitor) as crowd:
        until(lambda: crowd.receipts, 60, "nobody applies")
        code, output = site.project.run_once("migrate")
        expect(code == 0, f"migrate: {output[-1500:]}")
        time.sleep(5)
        site.project.up()
        time.sleep(5)
    given = [receipt for receipt in crowd.receipts if receipt.secret]
    slowest = max(receipt.seconds for receipt in given)
    print(
        f"   {len(given)} people applied meanwhile; the slowest waited {slowest:.0f} s", flush=True
    )
    expect(not crowd.errors, f"{len(crowd.errors)} people got an error: {crowd.errors[:5]}")
    everybody_is_served(site, given, unconfirmed=True)


STORY: dict[str, Callable[[Site], None]] = {
    "first start": first_start,
    "rights and limits": confined,
    "hiring": hiring,
    "closed doors": closed_doors,
    "two of each worker": two_of_each_worker,
    "kill -9 of worker-io": lambda site: killed(site, "worker-io"),
    "kill -9 of web": lambda site: killed(site, "web"),
    "kill -9 of postgres": lambda site: killed(site, "postgres"),
    "down and up": down_and_up,
    "archive": archive_is_whole,
}
