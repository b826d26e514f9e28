"""``tutorial-zarr tree``: the groups and arrays below a group, drawn or as nested JSON.

>>> import tutorial_zarr as zarr
>>> root = zarr.create_group()
>>> hierarchy(root.create_group("air").create_array("t", shape=(3,), dtype="uint8"), "t")["shape"]
[3]
>>> [member["name"] for member in hierarchy(root, "station")["members"]]
['air']
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.tools.members import PARTLY, partly
from tutorial_zarr.tools.members import members as members_of

from .info import line, open_node, outline
from .output import json_option, place_argument, print_json, print_text, print_tree


def command(click: Any) -> Any:
    """The click command."""
    depth = click.Option(["--depth"], type=click.IntRange(min=0), help="Show so many levels; all by default.")
    params = [place_argument(click, "path"), depth, json_option(click)]
    return click.Command("tree", params=params, callback=tree, help=tree.__doc__)


def tree(path: str, depth: int | None, as_json: bool) -> int:
    """Show the groups and arrays at and below PATH."""
    node = open_node(path)
    report = hierarchy(node, Path(public(path)).name or path, depth)
    if as_json:
        return print_json(report)

    def label(node: dict[str, Any]) -> tuple[str, str, str]:
        return node["name"], "bold" if node["type"] == "group" else "", line(node)

    print_tree(report, label, lambda node: node.get("members", ()))
    if depth != 0 and isinstance(node, zarr.Group) and partly(node):
        print_text(PARTLY)
    return 0


def hierarchy(node: zarr.Array | zarr.Group, name: str, depth: int | None = None) -> dict[str, Any]:
    """`node` and what is below it, `depth` levels deep, as nested dicts."""
    report = {"name": name, **outline(node)}
    waiting = [(node, report, depth)]
    while waiting:
        group, entry, levels = waiting.pop()
        if isinstance(group, zarr.Group) and levels != 0:
            members = members_of(group)
            entry["members"] = [{"name": child, **outline(member)} for child, member in members]
            below = None if levels is None else levels - 1
            entries = entry["members"]
            waiting += [(member, each, below) for (_, member), each in zip(members, entries, strict=True)]
    return report
