"""The learner's side of the board: after `board("http://172.16.0.7:8000", "CODE", "nick")` each check is posted there.

What is sent is the chosen name, the exercise and whether it is right; the answer is not. Nothing is posted before that
call, each check makes one request at most, and one that fails is said in a line and stops nothing.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import threading
from urllib.parse import urlsplit

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import GalleryError

SECONDS = 2.0  # the longest that a check waits for the board
NICK = re.compile(r"[^\W_](?:[\w .-]{0,22}[\w.])?")
ROOM = re.compile(r"[A-Za-z0-9-]{4,32}")
_joined: tuple[str, int, str, str] | None = None


def private(address: str) -> bool:
    """Whether a numeric address is one of this machine or of a private network, and one machine's alone.

    >>> private("127.0.0.1"), private("172.16.0.7"), private("8.8.8.8"), private("0.0.0.0"), private("example.org")
    (True, True, False, False, False)
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_private and not (found.is_unspecified or found.is_multicast or found.is_reserved)


def own_address() -> str:
    """The address by which this machine is known in its network, if that is private; else that of the machine alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for examples; this chooses a route, and sends nothing
            found = str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
    return found if private(found) else "127.0.0.1"


def board(address: str | None = None, room: str = "", nick: str = "") -> None:
    """Join the board of a workshop: from now on `check` posts to it; without arguments, leave it.

    address  as the host shows it, such as "http://172.16.0.7:8000": of this machine, or of a private network
    room     the code of the room
    nick     a name of your choice, at most 24 letters, digits, spaces, dots and dashes
    """
    global _joined
    if address is None:
        _joined = None
        print("board: nothing is posted any more.")
        return
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 8000
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    host = "127.0.0.1" if host == "localhost" else host
    if parts.scheme != "http" or not private(host):
        raise GalleryError(
            "board: expected the numeric address of a private network, such as http://172.16.0.7:8000, found "
            f"{words.plain(address, 60)!r}; nothing is posted; try the address that the host shows"
        )
    if not ROOM.fullmatch(room):
        raise GalleryError(
            f"board: expected the code of the room, found {words.plain(room, 40)!r}; ask the host for it"
        )
    if not NICK.fullmatch(nick):
        raise GalleryError(
            "board: expected a name of at most 24 letters, digits, spaces, dots and dashes, found "
            f"{words.plain(nick, 40)!r}"
        )
    _joined = (host, port, room, nick)
    print(f"board: {nick} joins {host}; each check is shown there. To leave: board()")


def post(exercise: str, right: bool) -> None:
    """Post one verdict if a board was joined; what goes wrong is said in a line."""
    if _joined is None:
        return
    host, port, room, nick = _joined
    said = ["no answer"]

    def send() -> None:
        from http.client import HTTPConnection, HTTPException  # not what every lesson pays for

        text = json.dumps({"room": room, "nick": nick, "exercise": exercise, "right": right})
        link = HTTPConnection(host, port, timeout=SECONDS)  # follows no redirect, asks no proxy
        try:
            link.request("POST", "/", text.encode(), {"Content-Type": "application/json"})
            status = link.getresponse().status
            said[0] = (
                "" if status == 204 else "the code of the room is another" if status == 403 else f"status {status}"
            )
        except (OSError, HTTPException) as error:
            said[0] = str(error) or type(error).__name__
        finally:
            link.close()

    try:
        sender = threading.Thread(target=send, daemon=True)  # a server that sends a byte a second ends no timeout
        sender.start()
        sender.join(SECONDS)
    except RuntimeError as error:  # a browser starts no thread
        said[0] = str(error)
    if said[0]:
        print(f"board: not posted ({words.plain(said[0], 80)}); your answer is checked all the same.")
