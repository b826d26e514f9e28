"""A store of one's own, read by all peers that are here, and compared with what this library reads.

Arrays are read in slabs along their first axis, so that a large one needs little memory; where a peer's digest of a
slab differs, both put the slab down and the first differing element is named.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores.secrets import public

from .environments import OURS, PeerAbsentError, PeerFile
from .lint import arrays_of
from .outcomes import first_difference
from .process import PeerDied, PeerProcess, PeerSilent

SLAB_BYTES = 16 << 20


@dataclass(frozen=True)
class Verdict:
    """What one peer made of one array."""

    array: str
    peer: str
    outcome: str  # equal, refused, wrong, crash, timeout, absent
    detail: str = ""


def verify(
    store: str | Path,
    peers: Mapping[str, PeerFile],
    here: bool = False,
    limits: Mapping[str, Any] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Verdict]:
    """A verdict for each array and each peer.

    Parameters
    ----------
    store
        A folder: that is what all peers can open.
    peers
        Programs by name, as of `choose_peers`.
    here
        Use the packages of this environment, and install nothing.
    limits
        ``seconds`` for a question, ``memory`` in bytes for a process.
    progress
        Is called with a peer's name, how many peers are done, and of how many.

    Raises `StoreError` where there is no such folder.
    """
    folder = Path(store).absolute()
    if not folder.is_dir():
        found = "a URL; try tutorial-zarr copy, and then the copy" if "://" in str(store) else "none; try another path"
        raise StoreError(f"{public(str(store))}: expected a folder that holds a Zarr store, found {found}")
    arrays = list(arrays_of(folder))
    others = [name for name in peers if name != OURS]
    with ExitStack() as stack:
        ours = stack.enter_context(peers[OURS].process(here=True, **(limits or {})))
        put_down = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for done, name in enumerate(others):
            if progress:
                progress(name, done, len(others))
            try:
                with peers[name].process(here=here, **(limits or {})) as process:
                    capabilities = process.ask({"op": "capabilities"})
                    if not capabilities.get("reads"):
                        continue
                    for path, array in arrays:
                        question = {"op": "read", "path": str(folder), "node": path}
                        yield _compare(path, name, array, process, ours, question, put_down)
            except (PeerAbsentError, PeerDied, PeerSilent) as error:
                yield Verdict("", name, "absent", str(error))


def _slabs(array: Any) -> Iterator[list[list[int]]]:
    shape = array.shape
    if not shape:
        yield []
        return
    item = array.dtype.itemsize if array.dtype.kind not in "OT" else 64
    row = max(1, math.prod(shape[1:]) * item)
    step = max(1, SLAB_BYTES // row)
    for start in range(0, max(1, shape[0]), step):
        yield [[start, min(start + step, shape[0])], *[[0, n] for n in shape[1:]]]


def _compare(
    path: str,
    name: str,
    array: Any,
    process: PeerProcess,
    ours: PeerProcess,
    question: dict[str, Any],
    put_down: Path,
) -> Verdict:
    try:
        for region in _slabs(array):
            asked = {**question, "region": region} if region else question
            mine = ours.ask(asked)
            if not mine["ok"]:
                return Verdict(path, name, "refused", f"this library itself: {mine['message']}")
            theirs = process.ask(asked)
            if not theirs["ok"]:
                return Verdict(path, name, "refused", f"{theirs['error']}: {theirs['message']}")
            if theirs["shape"] != mine["shape"]:
                return Verdict(path, name, "wrong", f"shape: expected {mine['shape']}, found {theirs['shape']}")
            if theirs["sha256"] != mine["sha256"]:
                files = put_down / "ours", put_down / "theirs"
                for peer, file in zip((ours, process), files, strict=True):
                    peer.ask({**asked, "bytes_to": str(file)})
                return Verdict(path, name, "wrong", _first(array, region, *(f.read_bytes() for f in files)))
    except PeerDied as error:
        return Verdict(path, name, "crash", str(error))
    except PeerSilent as error:
        return Verdict(path, name, "timeout", str(error))
    return Verdict(path, name, "equal")


def _first(array: Any, region: list[list[int]], expected: bytes, found: bytes) -> str:
    at = first_difference(expected, found)
    if array.dtype.kind in "OT" or len(expected) != len(found):
        return f"from byte {at} of the slab {region}: {len(expected)} bytes expected, {len(found)} found"
    size = array.dtype.itemsize
    n = at // size
    index: list[int] = []
    for start, stop in reversed(region):
        n, i = divmod(n, stop - start)
        index.insert(0, start + i)
    one = slice(at // size * size, at // size * size + size)
    return f"element {index}: expected the bytes {expected[one].hex()}, found {found[one].hex()}"
