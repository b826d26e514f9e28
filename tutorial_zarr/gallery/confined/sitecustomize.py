"""Python imports this by its name, before anything else, where its folder is on the path: it closes the
network, and every folder but those that it is told.

From then on this interpreter, and every Python that it starts, reaches only its own machine, and writes only
below the folders in ``TUTORIAL_ZARR_WRITE_BELOW`` (anywhere, where that is not set). The rules stand in an
audit hook, which cannot be taken out again. Libraries that open sockets or files in compiled code are not
seen by it; most of them obey the proxy variables, which `environment` points at a closed port.

Spec: https://docs.python.org/3/library/audit_events.html
"""

import ipaddress
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

CLOSED_PROXY = ("127.0.0.1", 9)  # where `environment` sends HTTP clients
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events that change what is on the disk, and which of their arguments say where.
CHANGES = {
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
    "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}


def _is_this_machine(host: object) -> bool:
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _close_the_network(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        # The address of a Unix socket is a path; datagrams on a connected socket carry no address.
        address = arguments[1]
        if not isinstance(address, tuple) or (_is_this_machine(address[0]) and address[:2] != CLOSED_PROXY):
            return
        target = "another machine through a proxy" if address[:2] == CLOSED_PROXY else address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        target = arguments[0]
        if _is_this_machine(target):
            return
    else:
        return
    raise PermissionError(
        f"network: this run may reach its own machine only, it tried to reach {target}; "
        "try data that are in the repository, or a server on 127.0.0.1"
    )


def _real(path: str | bytes | os.PathLike) -> str:
    return os.path.normcase(os.path.realpath(os.fsdecode(path)))


OPEN_FOLDERS: tuple[str, ...] = ()


def close_the_folders() -> None:
    """Close every folder but those in ``TUTORIAL_ZARR_WRITE_BELOW``, for as long as this process lives."""
    global OPEN_FOLDERS
    named = os.environ.get("TUTORIAL_ZARR_WRITE_BELOW", "").split(os.pathsep)
    if not OPEN_FOLDERS:  # once closed they stay as they are, whatever the environment says
        OPEN_FOLDERS = tuple(_real(folder) for folder in named if folder)
        if OPEN_FOLDERS:
            sys.addaudithook(_close_the_folders)


def _close_the_folders(event: str, arguments: tuple) -> None:
    if event == "open":
        _, mode, flags = arguments
        writes = set("wax+") & set(mode) if isinstance(mode, str) else isinstance(flags, int) and flags & WRITING
        places: tuple[int, ...] = (0,) if writes else ()
    else:
        places = CHANGES.get(event, ())
    if event != "open" and any(isinstance(fd, int) and fd >= 0 for fd in arguments[-1:]):
        return  # a name in a folder that is open already; `shutil.rmtree` does this, and was asked as a whole
    for place in places:
        path = arguments[place]
        # A number is a file that is already open; a device, a pipe among them, keeps nothing.
        if not isinstance(path, (str, bytes, os.PathLike)) or path in (":memory:", ""):
            continue
        real = _real(path)
        if real.startswith("/dev/") or real == _real(os.devnull):
            continue
        if "__pycache__" in real.split(os.sep)[-2:]:
            continue  # Python keeps what it has compiled; without, each kernel would compile all of Jupyter anew
        if not any(real == folder or real.startswith(folder.rstrip(os.sep) + os.sep) for folder in OPEN_FOLDERS):
            raise PermissionError(
                f"files: this run may write below its output folder only, it tried to change {os.fsdecode(path)}; "
                "try a path that begins with output_folder(out_dir)"
            )


def _run_the_one_behind() -> None:
    """Another sitecustomize may stand behind this one, and is to run as if nothing stood before it."""
    here = Path(__file__).resolve().parent
    spec = PathFinder.find_spec("sitecustomize", [p for p in sys.path if Path(p or ".").resolve() != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if __name__ == "sitecustomize":  # not when it is only looked at
    sys.addaudithook(_close_the_network)
    close_the_folders()
    _run_the_one_behind()
