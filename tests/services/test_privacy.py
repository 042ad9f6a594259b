"""Personal data and passwords stay in the places that are meant for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.databases import ON_SQLITE
from tests.support.postgresql import PostgreSQL
from tests.support.processes import until
from tests.support.servers import HOST
from tests.support.speed import patient
from tests.support.stack import Stack, a_cv, shared_template

#: Unusual words, so that a search finds every place where they were written.
NAME, LOCAL_PART, PHONE = "Xanthippe Quillfeather", "canary.bird.7", "+47 900 12 345 67"
ANSWER = "Zyzzyva ate my homework"
EMAIL = f"{LOCAL_PART}@example.org"
CANARIES = ("Xanthippe", "Quillfeather", LOCAL_PART, quote(EMAIL), "12 345 67", "Zyzzyva")


@contextmanager
def monitored(site: Stack) -> Iterator[bytearray]:
    """Every byte that is sent to the broker during the block."""
    from redis import Redis

    seen, connected, stop = bytearray(), threading.Event(), threading.Event()
    client = Redis.from_url(site.environ["REDIS_URL"], socket_timeout=0.5)

    def listen() -> None:
        connection = client.connection_pool.get_connection()
        connection.send_command("MONITOR")
        connection.read_response()
        connected.set()
        sock = connection._sock
        while not stop.is_set():
            try:
                seen.extend(sock.recv(65536))
            except TimeoutError:
                continue
        connection.disconnect()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert connected.wait(10)
    try:
        yield seen
    finally:
        stop.set()
        thread.join(10)
        client.close()


def dumped(site: Stack) -> bytes:
    """Every key of the broker with its value."""
    redis = site.redis()
    read = {
        b"string": redis.get,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"hash": redis.hgetall,
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }
    return b"\n".join(
        key + b" " + repr(read[redis.type(key)](key)).encode() for key in redis.keys("*")
    )


def found(text: str | bytes, words: Any = CANARIES) -> list[str]:
    content = text.encode() if isinstance(text, str) else bytes(text)
    return [word for word in words if word.encode() in content]


@ON_SQLITE
def test_broker_logs_and_flower_contain_no_personal_data(site: Stack) -> None:
    site.start("flower")
    admin = site.logged_in("admin", site.environ["ADMIN_PASSWORD"])
    flower = f"http://{HOST}:{site.flower_port}"
    site.smtp.once("rcpt_550", "dot_451")  # failures log more than successes
    with monitored(site) as wire:
        receipt = site.apply(
            name=NAME,
            email=EMAIL,
            phone=PHONE,
            cv=a_cv(f"{NAME} {EMAIL}"),
            job="oceanographer",
            **{"cover_letter": "", **_answers(site, "oceanographer", ANSWER)},
        )
        assert receipt.status in (303, 422)
        if receipt.status == 422:
            receipt = site.apply(name=NAME, email=EMAIL, phone=PHONE, cv=a_cv(f"{NAME} {EMAIL}"))
        site.wait_for_end([receipt])
        at_rest = dumped(site)
    assert b"careers.mail_hr" in wire, "the monitor saw no message at all"
    assert found(wire) == []
    assert found(at_rest) == []
    assert found(site.log_text()) == []

    task_id = site.step(receipt, "render_pdf")["celery_task_id"]

    def shown() -> bool:
        answer = admin.get(f"{flower}/flower/api/task/info/{task_id}", timeout=patient(30))
        return answer.status_code == 200 and "SUCCESS" in answer.text

    until(shown, 20, "Flower does not know the task")
    workers: dict[str, Any] = {}

    def known() -> bool:
        # A busy worker may answer too late for Flower, which does not ask again by itself.
        answer = admin.get(f"{flower}/flower/api/workers?refresh=1", timeout=patient(30))
        workers.update(answer.json())
        return len(workers) == 2

    until(known, 20, "Flower does not know both workers")
    for path in (
        "/flower/",
        *(f"/flower/worker/{name}" for name in workers),
        "/flower/workers",
        "/flower/tasks",
        "/flower/broker",
        (
            "/flower/tasks/datatable?draw=1&start=0&length=50&search[value]=&order[0][column]=0"
            "&order[0][dir]=asc&columns[0][data]=name"
        ),
        "/flower/api/tasks",
        "/flower/api/tasks?search=careers",
        "/flower/api/queues/length",
        "/flower/metrics",
        "/flower/api/workers?refresh=1",
        f"/flower/task/{task_id}",
        f"/flower/api/task/info/{task_id}",
    ):
        answer = admin.get(f"{flower}{path}", timeout=patient(30))
        assert answer.status_code == 200, path
        assert found(answer.content) == [], path
        assert site.broker_password not in answer.text, path


@ON_SQLITE
def test_logs_contain_no_secret(site: Stack) -> None:
    """Neither while the services work nor while they refuse the secrets."""
    site.environ["AWS_SECRET_ACCESS_KEY"] = wrong_secret = "wrong-secret-of-the-archive"
    site["io"].kill()
    site.start("io")
    receipt = site.apply()
    until(lambda: site.step(receipt, "archive")["error_class"], 40, "the archive took it")
    site["broker"].kill()
    until(lambda: site.manage("pipeline_status").returncode != 0, 20, "no finding reports it")
    site.start("broker")
    words = [
        site.broker_password,
        site.archive_secret,
        wrong_secret,
        site.environ["SECRET_KEY"],
        site.environ["FLOWER_PASSWORD"],
        site.environ["ADMIN_PASSWORD"],
    ]
    assert found(site.log_text(), words) == []


def test_postgresql_log_contains_no_file_content(tmp_path: Path) -> None:
    """Slow statements in the log must not contain what applicants sent."""
    options = ["log_min_duration_statement=0", "log_parameter_max_length=0"]
    with (
        PostgreSQL(*options, "log_parameter_max_length_on_error=0") as server,
        Stack(shared_template(), tmp_path, server=server.url) as site,
    ):
        site.start("web")
        before = len(server.log.read_bytes())
        accepted = site.apply(name="Canary Nameson", cv=a_cv("Canarycontent"))
        refused = site.apply(email="not an address", cv=a_cv("Canarycontent"))
        log = server.log.read_bytes()[before:].lower()
    assert (accepted.status, refused.status) == (303, 422)
    assert b"careers_filebytes" in log
    assert b"careers_pendingupload" in log
    assert b"nameson" not in log
    for shape in (b"canarycontent", b"canarycontent".hex().encode(), b"43616e617279"):
        assert shape not in log


def _answers(site: Stack, job: str, text: str) -> dict[str, str]:
    """An answer to each text question of a job."""
    import re

    _status, _headers, body = site.get(f"/careers/{job}/")
    names = re.findall(r'<input[^>]*type="text"[^>]*name="(q-[^"]+)"', body.decode())
    names += re.findall(r'<input[^>]*name="(q-[^"]+)"[^>]*type="text"', body.decode())
    return dict.fromkeys(names, text)
