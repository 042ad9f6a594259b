"""Servers for tests: real ones where they exist, and hostile ones that misbehave on demand.

All listen on the loopback address on a port of their own, are context managers, and keep their own
ledger, so that a test counts what the server got and not what the product believes it sent.

    with HostileSMTP() as smtp:                 # an obedient mail server
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.address
        ...
        assert len(smtp.accepted) == 1
        smtp.mode = "rcpt_450"                  # from now on
        smtp.once("close_after_dot", "ok")      # only for the next two connections

    with Rclone(tmp_path) as s3:                # a real S3 server; objects are files on disk
        settings.STORAGES = s3.storages()

    with HostileS3(mode="bit_flip") as s3:      # an S3 server in memory with bad habits
        settings.STORAGES = s3.storages()
        assert s3.requests == [("PUT", "/careers-test/key"), …]
"""

from tests.support.servers.certificates import self_signed, trusting
from tests.support.servers.clamd import EICAR, SIGNATURE, Clamd, clamd, clamd_command
from tests.support.servers.moto import Moto
from tests.support.servers.ports import HANG_SECONDS, HOST, reserve_port
from tests.support.servers.rclone import Rclone
from tests.support.servers.redis import redis_with_tls
from tests.support.servers.s3 import S3_MODES, HostileS3
from tests.support.servers.smtp import SMTP_MODES, SMTP_TAKES, AcceptedMail, HostileSMTP
from tests.support.servers.storages import (
    ACCESS_KEY,
    BUCKET,
    SECRET_KEY,
    archive_storages,
    close_archive,
)

__all__ = [
    "ACCESS_KEY",
    "BUCKET",
    "EICAR",
    "HANG_SECONDS",
    "HOST",
    "S3_MODES",
    "SECRET_KEY",
    "SIGNATURE",
    "SMTP_MODES",
    "SMTP_TAKES",
    "AcceptedMail",
    "Clamd",
    "HostileS3",
    "HostileSMTP",
    "Moto",
    "Rclone",
    "archive_storages",
    "clamd",
    "clamd_command",
    "close_archive",
    "redis_with_tls",
    "reserve_port",
    "self_signed",
    "trusting",
]
