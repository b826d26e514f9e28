"""How a program that writes as people do says what it wrote.

A writer is one file in `writers/`. It pins its packages in PEP 723 metadata, and decorates a function for each
*situation*: the very calls that people make, and what they meant by them.

    @situation("a data set whose values are packed into int16")
    def packed(path):
        values = np.array([0.0, 1.5, np.nan])
        dataset = xr.Dataset({"v": ("x", values)})
        dataset.to_zarr(path, encoding={"v": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}})
        return [Meant("v", values, raw=[0, 3, -1])]

    if __name__ == "__main__":
        serve("xarray", "xarray", "zarr")

The requests are ``{"op": "capabilities"}`` and ``{"op": "make", "path", "situation"}``; the reply to the second has
`nodes`: for each array its path, and `meant` and `raw` as `meaning` gives them. This file stands alone, as
`peer_protocol` does.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peer_protocol
from peer_protocol import Unsupported, meaning

SITUATIONS: dict[str, tuple[str, Callable[[Path], list[Meant]]]] = {}


@dataclass
class Meant:
    """What somebody meant by one array of a store."""

    node: str  # its path in the store, "" for the root
    values: Any  # what was handed over: masked, NaN, NaT or None where it is missing
    raw: Any = None  # the numbers in the store where they are others; not compared where that is not known


def situation(sentence: str) -> Callable[[Any], Any]:
    """Name what a function writes: the sentence goes on with the program's name before it."""

    def keep(function: Callable[[Path], list[Meant]]) -> Callable[[Path], list[Meant]]:
        SITUATIONS[function.__name__.replace("_", "-")] = sentence, function
        return function

    return keep


class Writer:
    """What `serve` of `peer_protocol` asks."""

    def __init__(self, title: str, packages: tuple[str, ...], versions: dict[str, str]) -> None:
        self.title, self.packages, self.more = title, packages, versions

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        if request["op"] == "capabilities":
            versions = {name: importlib.metadata.version(name) for name in self.packages}
            return {
                "name": self.title,
                "versions": {**versions, **self.more, "python": platform.python_version()},
                "situations": {
                    name: {"sentence": sentence, "call": source(function)}
                    for name, (sentence, function) in SITUATIONS.items()
                },
            }
        if request["op"] != "make":
            raise Unsupported(f"an operation {request['op']!r}")
        return {"nodes": [_described(each) for each in SITUATIONS[request["situation"]][1](Path(request["path"]))]}


def _described(each: Meant) -> dict[str, Any]:
    meant = meaning(each.values)
    if each.raw is not None:
        raw = meaning(each.raw)
    else:
        plain = None not in meant["values"] and meant["kind"] not in ("time", "duration")
        raw = meant if plain else None
    return {"node": each.node, "meant": meant, "raw": raw}


def source(function: Callable[..., Any]) -> str:
    """The body of a function without its decorator and its last statement, which says what was meant."""
    lines = inspect.getsource(function).splitlines()
    body = lines[next(n for n, line in enumerate(lines) if line.startswith("def ")) + 1 :]
    end = max((n for n, line in enumerate(body) if line.startswith("    return ")), default=len(body))
    return "\n".join(line[4:] for line in body[:end])


def serve(title: str, *packages: str, **versions: str) -> None:
    """Answer requests: `title` is what people call the program, `packages` those whose versions matter."""
    peer_protocol.serve(Writer(title, packages, versions))
