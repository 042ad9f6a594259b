"""The bucket of the simulated world in ``tests.support.world``."""

from __future__ import annotations

import io
from typing import Any

from botocore.exceptions import ClientError


class Bucket:
    """A simulated S3 client."""

    class meta:  # noqa: N801 -- boto3's name
        endpoint_url = "http://bucket.example"

    def __init__(self, world: Any) -> None:
        self.world = world

    def head_object(self, **request: Any) -> dict[str, Any]:
        if request["Key"] not in self.world.objects:
            raise self._error(404)
        return {}

    def put_object(self, **request: Any) -> dict[str, Any]:
        world, key = self.world, request["Key"]
        world.turns.me().pause("PUT")
        if world.bucket_mode == "away":
            raise self._error(503)
        if key in world.objects:
            raise self._error(412)
        if world.bucket_mode != "forgets":
            lies = world.bucket_mode == "lies"
            world.turns.changed.add("bucket")
            world.objects[key] = request["Body"][:7] if lies else request["Body"]
        return {}

    def get_object(self, **request: Any) -> dict[str, Any]:
        world = self.world
        world.turns.me().pause("GET")
        if world.bucket_mode == "away":
            raise self._error(503)
        if request["Key"] not in world.objects:
            raise self._error(404)
        return {"Body": io.BytesIO(world.objects[request["Key"]])}

    def _error(self, status: int) -> ClientError:
        code = {404: "NoSuchKey", 412: "PreconditionFailed", 503: "SlowDown"}[status]
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return ClientError(answer, "Operation")  # type: ignore[arg-type]
