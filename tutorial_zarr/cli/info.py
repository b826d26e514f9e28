"""``tutorial-zarr info``: what an array or a group is, and what it takes on the disk.

`describe` makes the report as plain data; the rest lays it out for people.

>>> import tutorial_zarr as zarr
>>> report = describe(zarr.array([[1, 2], [3, 4]], dtype="uint8", compressors=None))
>>> report["shape"], report["dtype"], [codec["name"] for codec in report["codecs"]]
([2, 2], 'uint8', ['bytes'])
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr import nodes, words
from tutorial_zarr.errors import StoreError
from tutorial_zarr.metadata.model import json_value
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.tools.members import PARTLY, members, partly

from .output import json_option, place_argument, print_json, print_rows, print_text


def command(click: Any) -> Any:
    """The click command."""
    params = [place_argument(click, "path"), json_option(click)]
    return click.Command("info", params=params, callback=info, help=info.__doc__)


def info(path: str, as_json: bool) -> int:
    """Show what the array or group at PATH is.

    PATH is a folder, a zip file or a URL, and may lead on to a node inside it, as in plate.zip/A/1.
    """
    node = open_node(path)
    report = describe(node)
    if as_json:
        return print_json(report)
    rows = [("path", words.plain(public(path))), ("type", f"{report['type']} (Zarr {report['zarr_format']})")]
    rows += _array_rows(report) if report["type"] == "array" else _group_rows(report)
    if report["attributes"]:
        rows.append(("attributes", folded(report["attributes"])))
    print_rows(rows)
    if isinstance(node, zarr.Group) and report["members"] and partly(node):
        print_text(PARTLY)
    return 0


def folded(value: Any, width: int = 64) -> str:
    """JSON for people: what fits on a line stands on one.

    >>> print(folded({"scale": [1.0, 2.0], "name": "x" * 20}, width=40))
    {
      "scale": [1.0, 2.0],
      "name": "xxxxxxxxxxxxxxxxxxxx"
    }
    """
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= width or not isinstance(value, (dict, list)):
        return line
    names = (
        [json.dumps(name, ensure_ascii=False) + ": " for name in value]
        if isinstance(value, dict)
        else [""] * len(value)
    )
    parts = [
        name + folded(each, width - 2)
        for name, each in zip(names, value.values() if isinstance(value, dict) else value, strict=True)
    ]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n" + textwrap.indent(",\n".join(parts), "  ") + f"\n{last}"


def open_node(path: str) -> zarr.Array | zarr.Group:
    """The array or group at `path`, for reading; `path` may lead into a zip file."""
    for place in (Path(path), *Path(path).parents):
        if place.suffix == ".zip" and place.is_file():
            inside = Path(path).relative_to(place).as_posix()
            return zarr.open(str(place), mode="r", path="" if inside == "." else inside)
    return zarr.open(path, mode="r")


def describe(node: zarr.Array | zarr.Group) -> dict[str, Any]:
    """All that `info` tells about `node`, in types that JSON knows."""
    if isinstance(node, zarr.Group):
        return {
            **outline(node),
            "consolidated": node.consolidated_members is not None,
            "members": _members(node),
            "attributes": json_value(dict(node.attrs)),
        }
    document = node.metadata.document
    sizes = dict(nodes.sizes_below(node.store, node.path))  # once: over the web each is a request
    stored = sum(sizes.values())
    nbytes = None if node.metadata.data_type.item_size is None else node.nbytes  # unknown for text and objects
    return {
        **outline(node),
        "data_type": json_value(document.get("data_type", document.get("dtype"))),
        "dimension_names": json_value(node.dimension_names),
        "codecs": _codecs(node),
        "fill_value": json_value(document.get("fill_value")),
        "nchunks": node.nchunks,
        "nchunks_stored": node.chunks_in(sizes),
        "nbytes": nbytes,
        "nbytes_stored": stored,
        "ratio": round(nbytes / stored, 3) if nbytes and stored else None,
        "attributes": json_value(dict(node.attrs)),
    }


def _members(group: zarr.Group) -> list[dict[str, Any]] | None:
    """What one line about each member is made of; None where nobody can tell which there are."""
    try:
        return [{"name": name, **outline(member)} for name, member in members(group)]
    except StoreError as error:
        if error.fields.get("unlisted"):
            return None
        raise


def outline(node: zarr.Array | zarr.Group) -> dict[str, Any]:
    """What one line about `node` is made of; its metadata alone is asked."""
    outline = {"type": node.metadata.node_type, "zarr_format": node.zarr_format}
    if isinstance(node, zarr.Array):
        outline |= {"shape": json_value(node.shape), "dtype": str(node.dtype), "chunks": json_value(node.chunks)}
        outline["shards"] = json_value(node.shards)
    return outline


def _codecs(array: zarr.Array) -> list[Any]:
    """The codecs in the order in which a chunk passes through them when it is written."""
    if array.zarr_format == 3:
        return array.metadata.document["codecs"]
    codecs: list[Any] = []
    for codec in array.codecs:
        name, configuration = codec.name.removeprefix("numcodecs."), codec.configuration
        if name == "v2_filters":  # one step to the library, several in the document
            for each in configuration["filters"]:
                settings = {key: value for key, value in each.items() if key != "id"}
                codecs.append({"name": each["id"], "configuration": settings})
        else:
            codecs.append({"name": name, "configuration": configuration})
    return codecs


def _array_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    stored, nbytes = report["nbytes_stored"], report["nbytes"]
    values = "values of any length" if nbytes is None else f"{words.size_text(nbytes)} of values"
    same, held = _dtype(report["dtype"]) == report["data_type"], "shards that hold " if report["shards"] else ""
    return [
        ("shape", _shape(report["shape"], report["dimension_names"])),
        (
            "dtype",
            _dtype(report["dtype"]) + ("" if same else f", in the metadata {json.dumps(report['data_type'])}"),
        ),
        ("chunks", _shape(report["chunks"])),
        *([("shards", _shape(report["shards"]))] if report["shards"] else []),
        ("codecs", "\n".join(_codec_lines(report["codecs"])) or "none"),
        ("fill value", json.dumps(report["fill_value"])),
        ("stored", f"{held}{report['nchunks_stored']:,} of {words.count(report['nchunks'], 'chunks')}"),
        ("size", f"{words.size_text(stored)} with the metadata, for {values}"),
        *([("ratio", f"{report['ratio']:,.4g}")] if report["ratio"] else []),
    ]


def _group_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    consolidated = "yes: the metadata of all members are one document" if report["consolidated"] else "no"
    found = report["members"]
    if found is None:
        text = "not known: the server lists nothing, and no document here names them; give the URL of an array"
    else:
        text = "\n".join(f"{words.plain(m['name'])}  {line(m)}" for m in found) or "none"
    return [("consolidated", consolidated), ("members", text)]


def line(outline: dict[str, Any]) -> str:
    """What `outline` found, on one line for people."""
    if outline["type"] == "group":
        return "group"
    chunks = f"  chunks {_shape(outline['chunks'])}" if outline["shape"] else ""
    shards = f" in shards {_shape(outline['shards'])}" if outline["shards"] else ""
    return f"{_shape(outline['shape'])}  {_dtype(outline['dtype'])}{chunks}{shards}"


def _dtype(name: str) -> str:
    """As people call a type; NumPy spells that of text as a call."""
    return "string" if name.startswith("StringDType(") else words.plain(name)


def _shape(lengths: list[Any], names: list[str | None] | None = None) -> str:
    """As NumPy prints a shape, with the names of the axes before their lengths."""
    if not names:
        return str(tuple(lengths))
    axes = [str(n) if name is None else f"{words.plain(name)} {n}" for n, name in zip(lengths, names, strict=True)]
    return f"({', '.join(axes)})"


def _codec_lines(codecs: list[Any], indent: str = "") -> list[str]:
    """A codec a line; those of the chunks inside a shard and of its index below it, indented."""
    lines = []
    for entry in codecs:
        codec: dict[str, Any] = {"name": entry} if isinstance(entry, str) else entry  # v3 allows a bare name
        inside = {"codecs": "each chunk in it:", "index_codecs": "its index:"}
        settings = {key: value for key, value in codec.get("configuration", {}).items() if key not in inside}
        parts = [codec["name"], *(f"{key}={json.dumps(value)}" for key, value in settings.items())]
        lines.append(indent + "  ".join(map(words.plain, parts)))
        for key, title in inside.items():
            if key in codec.get("configuration", {}):
                lines += [f"{indent}  {title}", *_codec_lines(codec["configuration"][key], indent + "    ")]
    return lines
