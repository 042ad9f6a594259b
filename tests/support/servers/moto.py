"""A real S3 server in memory that honours conditional writes."""

from __future__ import annotations

import json
import sys
from typing import Any, ClassVar

from tests.support.servers.ports import HOST


class Moto:
    """A real S3 server in memory that honours ``If-None-Match`` and checks signatures.

    Attributes:
        endpoint: for ``AWS_S3_ENDPOINT_URL``.
        access_key, secret_key: made by the server in ``welcome``.
    """

    #: The server checks no rights until ``welcome`` has made its user.
    argv: ClassVar = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", HOST, "-p"]
    environ: ClassVar = {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://{HOST}:{port}"
        self.access_key = self.secret_key = ""

    def welcome(self) -> None:
        """Make a user who may use S3; once after the server's start."""
        iam = self.client("iam", "unknown", "nothing")
        iam.create_user(UserName="careers")
        key = iam.create_access_key(UserName="careers")["AccessKey"]
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [allowed]}
        iam.put_user_policy(UserName="careers", PolicyName="s3", PolicyDocument=json.dumps(policy))
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]

    def client(self, service: str = "s3", key: str = "", secret: str = "") -> Any:
        """A client of the server; with the user's own key unless another is given."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=key or self.access_key,
            aws_secret_access_key=secret or self.secret_key,
            region_name="us-east-1",
        )
