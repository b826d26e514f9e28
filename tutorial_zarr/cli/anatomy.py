"""``tutorial-zarr anatomy``: the keys of arrays, and the bytes of a chunk taken apart, in a terminal or as a page.

>>> import tutorial_zarr as zarr
>>> from tutorial_zarr.viz import anatomy
>>> a = zarr.create_array({}, shape=(2,), dtype="u1", compressors=None)
>>> a[:] = 7
>>> [entry["holds"] for entry in report(anatomy(a, chunk=(0,)))["arrays"][0]["keys"]][-1]
'chunk (0,) = a[0:2]'
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.cli.info import open_node
from tutorial_zarr.cli.output import json_option, print_json, print_text
from tutorial_zarr.errors import ArrayNotFoundError
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.viz.anatomy import Anatomy, anatomy
from tutorial_zarr.words import escape, some


def command(click: Any) -> Any:
    """The click command."""

    def coordinates(context: Any, option: Any, value: str | None) -> tuple[int, ...] | None:
        try:
            return None if value is None else tuple(int(part) for part in value.split(",") if part.strip())
        except ValueError:
            raise click.BadParameter(f"expected whole numbers with commas between them, found {value!r}") from None

    params = [
        click.Argument(["paths"], nargs=-1, required=True),
        click.Option(["--chunk"], callback=coordinates, help="Take this chunk (or shard) apart: 0,1"),
        click.Option(["--limit"], type=click.IntRange(min=0), default=8, help="Name so many chunks; 8 by default."),
        click.Option(["--html"], type=click.Path(dir_okay=False), help="Write a page to this file."),
        json_option(click),
    ]
    return click.Command("anatomy", params=params, callback=_anatomy, help=_anatomy.__doc__)


def _anatomy(paths: tuple[str, ...], chunk: tuple[int, ...] | None, limit: int, html: str | None, as_json: bool) -> int:
    """Show the keys of the arrays at PATHS side by side, and what each key holds."""
    arrays = []
    for path in paths:
        node = open_node(path)
        if not isinstance(node, zarr.Array):
            known = some(name for name, _ in node.arrays()) or "no array"
            raise ArrayNotFoundError(
                f"{public(path)}: expected an array, found a group that holds {known}; try tree {public(path)}"
            )
        arrays.append(node)
    names = [f"{public(path)} (Zarr {array.zarr_format})" for path, array in zip(paths, arrays, strict=True)]
    found = anatomy(*arrays, names=names, limit=limit, chunk=chunk)
    if html is not None:
        Path(html).write_text(page(found), encoding="utf-8", newline="\n")
    if as_json:
        return print_json(report(found))
    print_text(found)
    return 0


def page(found: Anatomy) -> str:
    """A whole HTML document, light or dark as its reader has it."""
    title = ", ".join(panel.name for panel in found.panels)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title></head>\n'
        f"<body>{found._repr_html_()}</body></html>\n"
    )


def report(found: Anatomy) -> dict[str, Any]:
    """The same as plain data."""
    arrays = []
    for panel in found.panels:
        keys = [
            {"key": e.key, "bytes": e.nbytes, "holds": e.holds, "chunk": None if e.coords is None else list(e.coords)}
            for e in panel.entries
        ]
        entry: dict[str, Any] = {"name": panel.name, "bytes": panel.nbytes, "absent": panel.absent, "keys": keys}
        if panel.chunk is not None:
            layers = [
                {
                    "title": layer.title,
                    "bytes": len(layer.data),
                    "codecs": list(layer.codecs),
                    "parts": [part._asdict() for part in layer.parts],
                    "problem": layer.problem or None,
                }
                for layer in panel.chunk.layers
            ]
            entry["chunk"] = {"key": panel.chunk.key, "stored": bool(layers), "layers": layers}
        arrays.append(entry)
    return {"arrays": arrays}
