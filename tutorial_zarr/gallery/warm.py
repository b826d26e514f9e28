"""A process that has imported what every notebook needs, and becomes a worker, and a kernel, as often as one is asked.

Python, Jupyter and matplotlib take most of a short notebook's time to start. So `start` keeps one process that has
them and runs nothing. For each notebook it is forked; the fork takes the notebook's own folder, environment and rules,
and is then what a new process would be. It forks once more, for the kernel, before it does anything else. Where a
system has no safe fork (all but Linux), `start` gives None, and the runner starts each process anew.

    runner ── one message a worker, with its pipes ──> warm process ──> minder ──> worker ──> kernel
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from contextlib import suppress
from typing import Any

from tutorial_zarr.gallery.source import NOT_NEEDED, imported_without

# matplotlib_inline.backend_inline is not among them: it joins the kernel that is there when it is imported.
MODULES = (
    "jupytext",
    "papermill.engines",
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
)
MESSAGE = 1 << 20  # bytes of a kernel's command and environment, at most
BACKEND = "module://matplotlib_inline.backend_inline"  # what a kernel chooses; matplotlib asks when it is imported
_LOCK = threading.Lock()


class Forked:
    """A worker that the warm process forked: what `subprocess.Popen` is for the runner."""

    def __init__(self, control: socket.socket, errors: int) -> None:
        """Ask for one at the other end of `control`. It writes its errors to the file of number `errors`."""
        get, give = os.pipe()
        out, put = os.pipe()
        told, tell = os.pipe()
        self.stdin, self.stdout = os.fdopen(give, "w", encoding="utf-8"), os.fdopen(out, encoding="utf-8")
        self._told, self.returncode = os.fdopen(told), -signal.SIGKILL
        try:
            socket.send_fds(control, [b"+"], [get, put, errors, tell])
        finally:
            for theirs in (get, put, tell):
                os.close(theirs)
        self.pid = int(self._told.readline() or 0)  # 0: it has ended

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is not None:
            self.kill()
        with suppress(BrokenPipeError):  # it ended before it read what it was told
            self.stdin.close()
        self.stdout.close()
        if self.pid:  # where nobody is left who could say how it ended, it was killed with them
            self.returncode, self.pid = int(self._told.readline() or self.returncode), 0
        self._told.close()

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        """The code with which it ended, None before that is known."""
        return None if self.pid else self.returncode


def start(env: dict[str, str], errors: int) -> Forked | None:
    """A worker that waits for a request with its environment and folder; None where a system has no safe fork."""
    if sys.platform != "linux":
        return None
    own = {name: value for name, value in env.items() if name.startswith(("PYTHON", "LD_", "MPLBACKEND"))}
    with _LOCK:
        control = _warm(tuple(sorted(own.items())), env["MPLCONFIGDIR"])
    return Forked(control, errors)


_KEPT: dict[Any, tuple[subprocess.Popen[bytes], socket.socket]] = {}


def _warm(own: tuple[tuple[str, str], ...], fonts: str) -> socket.socket:
    """The way to the warm process for these settings of Python: a new one where there is none, or none any more."""
    if own in _KEPT:
        process, ours = _KEPT[own]
        if process.poll() is None:
            return ours
        ours.close()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tutorial_zarr.gallery.worker", "--warm"],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        env={**os.environ, "MPLBACKEND": BACKEND, **dict(own), "MPLCONFIGDIR": fonts},
        cwd=tempfile.gettempdir(),
    )
    theirs.close()
    _KEPT[own] = process, ours
    return ours


@atexit.register
def _end() -> None:
    for process, ours in _KEPT.values():
        ours.close()
        process.wait()


# --- in the warm process


def serve() -> None:
    """Fork a worker for each message, until the runner is gone. This returns in each worker, and only there."""
    for number in (signal.SIGINT, signal.SIGCHLD):  # Ctrl-C is for the workers; minders need nobody who waits for them
        signal.signal(number, signal.SIG_IGN)
    del sys.path[0]  # the folder in which this was started, and no worker is
    with imported_without(*NOT_NEEDED):
        for name in MODULES:
            with suppress(ImportError):  # the worker says so, when it needs it
                importlib.import_module(name)
    warnings.filterwarnings(
        "ignore", "This process .* is multi-threaded", DeprecationWarning
    )  # NumPy's, which expect it
    with socket.socket(fileno=os.dup(0)) as control:
        while files := socket.recv_fds(control, 1, 4)[1]:
            if os.fork() == 0:
                break
            for each in files:
                os.close(each)
        else:
            sys.exit()
    *standard, status = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    worker = os.fork()
    if worker:
        for each in standard:
            os.close(each)
        os.write(status, f"{worker}\n".encode())
        os.write(status, str(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])).encode())
        os._exit(0)
    os.close(status)
    for place, each in enumerate(standard):
        os.dup2(each, place)
        os.close(each)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def become(env: dict[str, str], cwd: str) -> None:
    """Take an environment and a folder, with all that was worked out from another one, and its rules."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    time.tzset()
    tempfile.tempdir = None
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    sys.modules["sitecustomize"].close_the_folders()


class Kernel:
    """A fork that waits, and becomes the kernel when jupyter_client starts one: what `Popen` is for it."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        """Fork it. It ends where the worker ends before it is needed."""
        self._orders, orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._orders.close()
            _wait_and_be_a_kernel(orders)
        orders.close()

    def launch(self, command: list[str], *, env: dict[str, str], cwd: str | None = None, **_: Any) -> Kernel:
        """Let it be the kernel that `command` would start: an interpreter, -m, a module, and its arguments."""
        env = {**env, "JPY_PARENT_PID": str(os.getpid())}  # without it the kernel would outlive the worker
        self._orders.send(json.dumps([command[2:], env, cwd or os.getcwd()]).encode())
        self._orders.recv(1)
        self._orders.close()
        return self

    def poll(self) -> int | None:
        """The code with which it ended, None before."""
        return self._look(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait until it ends."""
        return self._look(0)

    def _look(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def _wait_and_be_a_kernel(orders: socket.socket) -> None:
    os.setsid()
    message = orders.recv(MESSAGE)
    if not message:
        os._exit(0)
    sys.argv, env, cwd = json.loads(message)
    orders.send(b"+")
    orders.close()
    become(env, cwd)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    from ipykernel import kernelapp

    try:  # ipykernel looks for its parent's id when it is imported, which was for none
        kernelapp.launch_new_instance(parent_handle=int(env["JPY_PARENT_PID"]))
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    sys.exit()
