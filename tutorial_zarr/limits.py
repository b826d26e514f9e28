"""Limits on what data from somebody else may cost: named, in one place, and to be changed.

Metadata and chunks are believed up to these limits. Beyond them a LimitError or MetadataError names the limit before
any memory is taken. The defaults are far above what sound data asks for.

    document_bytes    bytes of one metadata document
    json_depth        objects and lists inside each other, in a metadata document
    levels            groups inside each other: to list them costs the square of their number
    codecs            codecs in one chain
    listed_chunks     chunk lengths that one rectilinear grid may list
    unsized_bytes     bytes that a decoder may yield when the metadata does not say how many
    expansion         how many times its own size such a stream may declare
    memory_bytes      bytes that one read may take; None: what the machine has free

They hold for the whole process. `configure` changes them, `override` changes them during a `with` block, and an
environment variable such as ``TUTORIAL_ZARR_LIMIT_MEMORY_BYTES`` sets them from the start.

>>> with override(json_depth=10):
...     current().json_depth
10

What a read would take is worked out when the selection is known (`array`). Sizes that follow from the metadata are
checked by each codec, independent of these limits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace

from tutorial_zarr.errors import LimitError
from tutorial_zarr.words import size_text

PREFIX = "TUTORIAL_ZARR_LIMIT_"
SMALL_READ = 1 << 28  # smaller reads skip the check of free memory, which needs a system call


@dataclass(frozen=True)
class Limits:
    """The limits, each a number of bytes or of things."""

    document_bytes: int = 1 << 27
    json_depth: int = 100
    levels: int = 1500
    codecs: int = 64
    listed_chunks: int = 1 << 20
    unsized_bytes: int = 1 << 30
    expansion: int = 1 << 16
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if (type(value) is not int or value < 1) and not (name == "memory_bytes" and value is None):
                raise ValueError(f"limit {name}: expected an integer of at least 1, found {value!r}")


def from_environment(environment: dict[str, str]) -> Limits:
    """Return the limits, changed by variables such as ``TUTORIAL_ZARR_LIMIT_JSON_DEPTH``.

    >>> from_environment({"TUTORIAL_ZARR_LIMIT_JSON_DEPTH": "7"}).json_depth
    7
    """
    changes = {}
    for field in fields(Limits):
        text = environment.get(PREFIX + field.name.upper())
        if text is not None:
            if not text.isdecimal():
                raise ValueError(f"{PREFIX}{field.name.upper()}: expected a number of at least 1, found {text!r}")
            changes[field.name] = int(text)
    return Limits(**changes)


_current = from_environment(dict(os.environ))


def current() -> Limits:
    """Return the limits that hold now."""
    return _current


def configure(**changes: int | None) -> Limits:
    """Change limits for the rest of the process, and return those that held before."""
    global _current
    before = _current
    _current = _changed(changes)
    return before


@contextmanager
def override(**changes: int | None) -> Iterator[Limits]:
    """Change limits for a `with` block. They hold for every thread meanwhile."""
    global _current
    before = configure(**changes)
    try:
        yield _current
    finally:
        _current = before


def _changed(changes: dict[str, int | None]) -> Limits:
    unknown = sorted(set(changes) - {field.name for field in fields(Limits)})
    if unknown:
        known = ", ".join(field.name for field in fields(Limits))
        raise ValueError(f"limits: expected names among {known}; found {', '.join(unknown)}")
    return replace(_current, **changes)  # type: ignore[arg-type]


def check_levels(path: str) -> None:
    """Raise LimitError if a path lies deeper than hierarchies may be."""
    levels = path.count("/") + 1
    if levels > _current.levels:
        raise LimitError(
            f"group {path[:60] + '...'!r}: expected at most {_current.levels} groups inside each other, the limit "
            f"levels, found {levels}; try tutorial_zarr.limits.configure, or open a group that lies deeper",
            limit="levels",
        )


def check_memory(where: str, nbytes: int, what: str = "reading this selection") -> None:
    """Raise LimitError if `nbytes` are more than one read may take. Nothing has been allocated yet."""
    limit, name = _current.memory_bytes, "the limit memory_bytes"
    if limit is None:
        if nbytes < SMALL_READ or (limit := free_memory()) is None:
            return
        name = "the memory that is free"
    if nbytes > limit:
        more = "" if name.endswith("free") else ", or a higher limit: tutorial_zarr.limits.configure(memory_bytes=...)"
        raise LimitError(
            f"{where}: expected at most {size_text(limit)}, {name}, found that {what} would take "
            f"{size_text(nbytes, up=True)}; try a smaller selection, or chunk_stream, which holds a few chunks "
            f"at a time{more}",
            limit="memory_bytes",
            nbytes=nbytes,
        )


def most_memory() -> int:
    """Return how many bytes one value may take: the limit, or what is free."""
    return _current.memory_bytes or free_memory() or sys.maxsize


def free_memory() -> int | None:
    """Return how many bytes the machine and its container have left for this process; None if neither says."""
    found = []
    try:
        with open("/proc/meminfo") as file:
            found += [int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:")]
    except OSError:  # not Linux: fall back to the total memory
        try:
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        except (AttributeError, ValueError, OSError):  # Windows has no sysconf
            pass
    try:
        with open("/sys/fs/cgroup/memory.max") as most, open("/sys/fs/cgroup/memory.current") as used:
            text = most.read().strip()
            if text != "max":
                found.append(max(int(text) - int(used.read()), 0))
    except (OSError, ValueError):
        pass
    return min(found, default=None)
