"""Judging a reply: what came of it that one implementation read what another, or the same, had written.

======  =============  ==========================================================================
mark    outcome        meaning
======  =============  ==========================================================================
``=``   equal          shape, type, attributes and every byte are as they must be
``~``   retyped        every byte is, but the peer calls the type something else (bool: uint8)
``-``   unsupported    refused, and by its own word the peer does not have it
``r``   refused        refused with an error, though by its own word the peer has it
``X``   wrong          other shape, other attributes or other elements, and no error
``!``   crash          the process died, or ran into its limit of memory
``t``   timeout        no reply in time
``w``   unwritten      nothing to read, because writing came to something else than ``=``
``.``   absent         the peer is not here
======  =============  ==========================================================================

Only ``=`` is a pass. What is read wrong and is not supported is still wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .cases import Case

MARKS = {
    "equal": "=",
    "retyped": "~",
    "unsupported": "-",
    "refused": "r",
    "wrong": "X",
    "crash": "!",
    "timeout": "t",
    "unwritten": "w",
    "absent": ".",
}
NAMES = {mark: name for name, mark in MARKS.items()}


@dataclass(frozen=True)
class Outcome:
    """One cell: the name of the outcome, a sentence, and for a wrong one what was found."""

    name: str
    detail: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The outcome in one character."""
        return MARKS[self.name]


# An error that is called so is the peer's own word.
_BY_ITS_NAME = re.compile("Unsupported|NotImplemented|UnknownCodec")


def supports(patterns: Iterable[str], elements: Iterable[str]) -> bool:
    """Whether a peer has all these elements by its own word. A pattern with ``!`` takes back what others give, where
    everything that it joins with ``+`` comes together.

    >>> supports(["type:*", "!type:string"], ["type:int8"]), supports(["type:*", "!type:string"], ["type:string"])
    (True, False)
    """
    given, wanted = list(patterns), list(elements)
    yes = [p for p in given if not p.startswith("!")]
    no = [p[1:].split("+") for p in given if p.startswith("!")]
    if any(all(any(fnmatchcase(e, part) for e in wanted) for part in parts) for parts in no):
        return False
    return all(any(fnmatchcase(e, p) for p in yes) for e in wanted)


def judge_refusal(reply: dict[str, Any], case: Case, capabilities: Iterable[str]) -> Outcome:
    """The outcome of a reply that is an error."""
    said = f"{reply.get('error')}: {reply.get('message', '')}"
    if reply.get("error") == "Unsupported":
        return Outcome("unsupported", str(reply.get("message", "")))
    if _BY_ITS_NAME.search(str(reply.get("error"))):
        return Outcome("unsupported", said)
    if reply.get("error") == "MemoryError":
        return Outcome("crash", f"ran into its limit of memory: {said}")
    return Outcome("refused" if supports(capabilities, case.elements) else "unsupported", said)


def judge_reading(reply: dict[str, Any], case: Case, capabilities: Iterable[str], read: bytes | None) -> Outcome:
    """The outcome of a reply to reading. `read` are the bytes that the peer put down, where they are at hand."""
    if not reply.get("ok"):
        return judge_refusal(reply, case, capabilities)
    missing = {"shape", "dtype", "sha256"} - set(reply)
    if missing:
        return Outcome("crash", f"a reply without {', '.join(sorted(missing))}")
    expected = case.expected_bytes
    shape = list(case.expected.shape) if case.kind == "array" else []
    if reply["shape"] != shape:
        return _wrong(f"shape: expected {shape}, found {reply['shape']}", reply, read)
    if reply["sha256"] != case.sha256:
        return _wrong(difference(expected, read, case), reply, read)
    attributes = reply.get("attributes")
    if attributes is not None and case.kind == "array" and not same_json(attributes, case.attributes):
        found = f"attributes: expected {json.dumps(case.attributes, ensure_ascii=False)}, found " + json.dumps(
            attributes, ensure_ascii=False
        )
        return _wrong(found[:600], reply, None)
    if reply["dtype"] != case.dtype and not (reply["dtype"] == "object" and not expected):
        return Outcome("retyped", f"type: expected {case.dtype}, found {reply['dtype']}")
    return Outcome("equal")


def _wrong(detail: str, reply: dict[str, Any], read: bytes | None) -> Outcome:
    found = {key: reply[key] for key in ("shape", "dtype", "sha256")}
    return Outcome("wrong", detail, found | ({"bytes": read[:256].hex()} if read is not None else {}))


def same_json(a: Any, b: Any) -> bool:
    """Equality that tells 0 from 0.0 and from false."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def difference(expected: bytes, found: bytes | None, case: Case) -> str:
    """Where two byte strings begin to differ, and at which element."""
    if found is None:
        return "elements: expected another digest than was found"
    if case.kind == "group":
        return f"tree: expected {expected.decode()[:300]}, found {found.decode(errors='replace')[:300]}"
    at = first_difference(expected, found)
    if len(expected) != len(found):
        return f"elements: expected {len(expected)} bytes, found {len(found)}; they differ from byte {at} on"
    if case.expected.dtype.kind in "OT":
        return f"elements: the first difference is at byte {at}"
    size = case.expected.dtype.itemsize
    element = at // size
    index = [int(i) for i in _unravel(element, case.expected.shape)]
    one = slice(element * size, element * size + size)
    return f"element {index}: expected the bytes {expected[one].hex()}, found {found[one].hex()}"


def _unravel(n: int, shape: tuple[int, ...]) -> list[int]:
    found: list[int] = []
    for length in reversed(shape):
        n, i = divmod(n, length)
        found.insert(0, i)
    return found


def first_difference(a: bytes, b: bytes) -> int:
    """The first place at which they differ; the length of the shorter where it begins the other.

    >>> first_difference(b"abc", b"abd"), first_difference(b"ab", b"abc")
    (2, 2)
    """
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
