"""Attributes of a node: a mapping that writes through to the store.

An update is encoded before anything changes, so one that JSON cannot hold changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from tutorial_zarr.metadata.model import dump_json, plain


class Attributes(MutableMapping[str, Any]):
    """What `array.attrs` and `group.attrs` are."""

    def __init__(self, read: Callable[[], dict[str, Any]], write: Callable[[dict[str, Any]], None]) -> None:
        self._read, self._write = read, write

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __setitem__(self, name: str, value: Any) -> None:
        self.put({**self._read(), name: value})

    def __delitem__(self, name: str) -> None:
        rest = dict(self._read())
        del rest[name]
        self.put(rest)

    def update(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Change several at once, with one write."""
        self.put({**self._read(), **dict(*args, **kwargs)})

    def put(self, attributes: dict[str, Any]) -> None:
        """Replace all attributes."""
        new = plain(dict(attributes))
        dump_json(new, "attributes")  # refuses what JSON cannot hold
        self._write(new)

    def asdict(self) -> dict[str, Any]:
        """A copy as a plain dict."""
        return dict(self._read())

    def __repr__(self) -> str:
        return repr(self._read())
