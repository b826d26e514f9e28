"""The exceptions of this package, and how what they quote is spelt.

A message says, in this order: where, what was expected, what was found, what to try. As text it is spelt out: it
quotes names and values from stores that anybody may have made, and a traceback is printed on a terminal.
The same values stand as attributes on the exception, so that a program need not parse the sentence::

    ZarrError
    ├── MetadataError          (ValueError)         a metadata document breaks a rule of the specification
    │   └── UnsupportedError                        valid, but names something that this library does not know
    ├── ConversionError        (ValueError)         a conversion that would lose something
    ├── NodeNotFoundError      (FileNotFoundError)  no array or group at that path
    │   ├── ArrayNotFoundError
    │   └── GroupNotFoundError
    ├── NodeExistsError        (FileExistsError)    something is already at that path
    ├── NodeNameError          (ValueError)         a name or path that the specification forbids
    ├── SelectionError         (IndexError)         a selection that does not fit the array
    ├── ValueMismatchError     (ValueError)         a value that does not fit where it is to be written
    ├── CodecError             (ValueError)         bytes that a codec cannot encode or decode
    │   └── ChecksumError                           the stored checksum differs from the computed one
    ├── ChunkError             (ValueError)         the same, with the array and the key that it happened at
    ├── ChunkNotFoundError     (KeyError)           an absent chunk, where absence was declared an error
    ├── ChunkTimeoutError      (TimeoutError)       work on a chunk took longer than the caller allowed
    ├── WorkerError            (RuntimeError)       a worker process that ended before its work did
    ├── LimitError             (MemoryError)        more memory than a limit allows would be needed
    ├── MissingDependencyError (ImportError)        an optional package that this array needs is not installed
    ├── MemoryBudgetError      (ValueError)         a job that does not fit into the memory that it is allowed
    ├── ReadOnlyError          (PermissionError)    a write to something opened for reading
    └── StoreError             (OSError)            the store itself failed
        └── ReplacedError                           a value was replaced while parts of it were being read

>>> error = SelectionError("array 'temp' (Zarr 3): index 9 is out of range for axis 0 of length 8", axis=0)
>>> isinstance(error, IndexError), error.axis
(True, 0)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LONGEST_MESSAGE = 10_000  # characters of a message that are shown


def spelled(text: str) -> str:
    r"""`text` with control characters, lone surrogates and what turns the direction of writing spelt out.

    >>> spelled("a\x1b[2Jb\u202e\n")
    'a\\x1b[2Jb\\u202e\\n'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def nearest(name: object, known: Iterable[str]) -> str:
    """What to try for a name that nobody knows, to be put into a sentence; empty where no known one is like it.

    >>> nearest("zsdt", ["gzip", "zstd"]), nearest("x", ["gzip", "zstd"])
    ("did you mean 'zstd'? ", '')
    """
    import difflib

    near = [each for each in difflib.get_close_matches(str(name), list(known), 1) if each != name]
    return f"did you mean {near[0]!r}? " if near else ""


def spelled_lines(text: str) -> str:
    """`spelled`, and the lines stay lines."""
    return text if text.isprintable() else "\n".join(map(spelled, text.split("\n")))


class ZarrError(Exception):
    """Base of all errors here. Keyword arguments become attributes."""

    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        self.__dict__.update(fields)

    def __str__(self) -> str:  # KeyError would show the repr, OSError a tuple
        text = self.message
        if len(text) > LONGEST_MESSAGE:  # what was found may be as long as a document; what to try stands at the end
            text = f"{text[: LONGEST_MESSAGE - 500]} ... ({len(text):,} characters) ... {text[-400:]}"
        return spelled_lines(text)

    def __reduce__(self) -> tuple[Any, ...]:  # keywords survive pickling, as between worker processes
        return _rebuild, (type(self), self.message, self.fields)


def _rebuild(kind: type[ZarrError], message: str, fields: dict[str, Any]) -> ZarrError:
    return kind(message, **fields)


class MetadataError(ZarrError, ValueError):
    """A metadata document breaks a rule of the specification."""


class UnsupportedError(MetadataError):
    """A metadata document names a type, codec, grid or key that must be understood and is not known."""


class ConversionError(ZarrError, ValueError):
    """A conversion that would lose something, or cannot be made where it was asked for."""


class NodeNotFoundError(ZarrError, FileNotFoundError):
    """No array or group at that path."""


class ArrayNotFoundError(NodeNotFoundError):
    """No array at that path."""


class GroupNotFoundError(NodeNotFoundError):
    """No group at that path."""


class NodeExistsError(ZarrError, FileExistsError, ValueError):
    """Something is already at that path. (A ValueError too, as in zarr-python.)"""


class NodeNameError(ZarrError, ValueError):
    """A name or path that the specification forbids, or that would leave the store."""


class SelectionError(ZarrError, IndexError):
    """A selection that does not fit the array."""


class ValueMismatchError(ZarrError, ValueError):
    """A value that does not fit where it is to be written."""


class CodecError(ZarrError, ValueError):
    """Bytes that a codec cannot decode, or an array that it cannot encode."""


class ChecksumError(CodecError):
    """The stored checksum differs from the computed one."""


class ChunkError(ZarrError, ValueError):
    """A chunk that cannot be read or written: names the array, the key and the stage."""


class ChunkNotFoundError(ZarrError, KeyError):
    """A chunk is absent and the caller asked for absence to be an error."""


class ChunkTimeoutError(ZarrError, TimeoutError):
    """Work on a chunk took longer than the caller allowed."""


class WorkerError(ZarrError, RuntimeError):
    """A worker process ended before its work did; `exitcode` is that of the process."""


class LimitError(ZarrError, MemoryError):
    """What is asked for would take more memory than a limit allows. Nothing has been allocated."""


class MissingDependencyError(ZarrError, ImportError):
    """An optional package is needed and not installed. The message holds the pip line."""


class MemoryBudgetError(ZarrError, ValueError):
    """A job does not fit into the memory that it is allowed; `smallest` is the number of bytes that would do."""


class ReadOnlyError(ZarrError, PermissionError, ValueError):
    """A write to something that was opened for reading. (A ValueError too, as in zarr-python.)"""


class StoreError(ZarrError, OSError):
    """The store itself failed; absence is never reported this way."""


class ReplacedError(StoreError):
    """A value was replaced while parts of it were being read: what came before and after do not belong together."""
