"""An S3-compatible server for one machine, which checks signatures; objects are plain files.

Alone: ``AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… python -m careersite.embedded.object_store
DIRECTORY PORT``
"""

import os
import sys
import sysconfig
from pathlib import Path


def main(directory: Path, port: int) -> None:
    """Turn into ``rclone serve s3`` for the buckets below ``directory``; does not return."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, secret = os.environ.pop("AWS_ACCESS_KEY_ID"), os.environ.pop("AWS_SECRET_ACCESS_KEY")
    # In the environment: every local user can read the arguments of a process. The quotes make
    # the pair one value; without a pair rclone would check no signature.
    os.environ["RCLONE_AUTH_KEY"] = f'"{key},{secret}"'
    binary = str(Path(sysconfig.get_path("scripts")) / "rclone")
    arguments = ["serve", "s3", str(directory), "--addr", f"127.0.0.1:{port}"]
    # A file that was changed by hand is seen soon; with "0s" rclone would use a whole core.
    arguments += ["--dir-cache-time", "1s", "--config", os.devnull]
    os.execv(binary, [binary, *arguments])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
