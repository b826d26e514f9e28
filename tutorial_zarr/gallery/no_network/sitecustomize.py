"""Python imports this by its name, before anything else, where its folder is on the path: it closes the
network.

From then on this interpreter, and every Python that it starts, reaches only its own machine. The rule stands
in an audit hook, which cannot be taken out again. Libraries that open sockets in compiled code are not seen
by it; most of them obey the proxy variables, which `environment` points at a closed port.

Spec: https://docs.python.org/3/library/audit_events.html
"""

import ipaddress
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

CLOSED_PROXY = ("127.0.0.1", 9)  # where `environment` sends HTTP clients


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


def _run_the_one_behind() -> None:
    """Another sitecustomize may stand behind this one, and is to run as if nothing stood before it."""
    here = Path(__file__).resolve().parent
    spec = PathFinder.find_spec("sitecustomize", [p for p in sys.path if Path(p or ".").resolve() != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if __name__ == "sitecustomize":  # not when it is only looked at
    sys.addaudithook(_close_the_network)
    _run_the_one_behind()
