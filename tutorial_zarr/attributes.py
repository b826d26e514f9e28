"""Attributes of a node: a mapping that writes through to the store.

A change is applied to the attributes that are stored then, so that none is lost which another thread, process or
handle makes; and encoded before anything changes, so one that JSON cannot hold changes nothing. Reading asks no
store: it gives what was there when the node was opened, or last changed through this handle.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from tutorial_zarr.metadata.model import dump_json, json_value

Change = Callable[[dict[str, Any]], dict[str, Any]]  # from the attributes that are stored to those that shall be


class Attributes(MutableMapping[str, Any]):
    """What `array.attrs` and `group.attrs` are."""

    def __init__(self, read: Callable[[], dict[str, Any]], change: Callable[[Change], None]) -> None:
        self._read, self._change = read, change  # what is read is the handle's own, of which values are copied out

    def __getitem__(self, name: str) -> Any:
        return copy.deepcopy(self._read()[name])

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._read()))

    def __len__(self) -> int:
        return len(self._read())

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __delitem__(self, name: str) -> None:
        def without(now: dict[str, Any]) -> dict[str, Any]:
            del now[name]
            return now

        self._change(without)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change several at once, with one write."""
        new = _checked(dict(*args, **kwargs))
        self._change(lambda now: {**now, **new})

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The attribute of that name; where there is none, `default`, which is then stored."""
        new = _checked({name: default})
        self._change(lambda now: {**new, **now} if name not in now else now)
        return self[name]

    def pop(self, name: str, *default: Any) -> Any:
        """Take an attribute away, and return what it was."""
        found: list[Any] = []

        def without(now: dict[str, Any]) -> dict[str, Any]:
            found[:] = [now.pop(name, *default)]
            return now

        self._change(without)
        return found[0]

    def clear(self) -> None:
        """Take all attributes away."""
        self.put({})

    def put(self, attributes: dict[str, Any]) -> None:
        """Replace all attributes."""
        new = _checked(attributes)
        self._change(lambda now: new)

    def asdict(self) -> dict[str, Any]:
        """A copy as a plain dict."""
        return copy.deepcopy(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


def _checked(attributes: Any) -> dict[str, Any]:
    """Attributes as plain JSON; refused where JSON cannot hold them."""
    new = json_value(dict(attributes))
    dump_json(new, "attributes")
    return new
