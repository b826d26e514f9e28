"""Arrays, groups, hierarchies and read plans show themselves: from the node to the plain data that is drawn.

The reprs of the book come here through a door. A card reads nothing and lists nothing in the store; the functions
that do say so.

>>> import tutorial_zarr as zarr
>>> array_info(zarr.create_array({}, shape=(4,), chunks=(2,), dtype="u1", compressors=None))["Chunks"]
2
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from tutorial_zarr import nodes
from tutorial_zarr.array import Array
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.group import Group, Tree
from tutorial_zarr.indexing import Span
from tutorial_zarr.plan import ReadPlan
from tutorial_zarr.words import ratio_text, text_of

from . import page
from .cards import ArraySummary, GroupSummary, Info, array_html, array_text, codec_lines, group_html, group_text
from .grid import selection_picture
from .svg import Picture
from .tree import MOST_NODES, Branch, array_branch, tree_html, tree_list, tree_text


def array_summary(array: Array) -> ArraySummary:
    """What the metadata of an array say; nothing is read, nothing listed."""
    fill = array.fill_value
    known: dict[str, Any] = {
        "name": array.name,
        "zarr_format": array.zarr_format,
        "shape": array.shape,
        "dtype": str(array.dtype),
        "itemsize": array.itemsize,
        "fill_value": "undefined" if fill is None else repr(fill) if isinstance(fill, (str, bytes)) else text_of(fill),
        "dimension_names": array.dimension_names,
        "attributes": array.metadata.attributes,
        "store": repr(array.store),
        "read_only": array.read_only,
        "varying": array.metadata.data_type.item_size is None,
    }
    try:
        codecs = codec_lines(array.codecs, array.zarr_format)
        return ArraySummary(**known, chunks=array.chunks, shards=array.shards, codecs=codecs, order=array.order)
    except ZarrError as error:  # listed although its codecs are unknown
        return ArraySummary(**known, problem=str(error))


def array_card(array: Array) -> str:
    """The card of an array, as HTML."""
    return array_html(array_summary(array))


def array_info(array: Array, complete: bool = False) -> Info:
    """A summary to print or to show on a page; if `complete`, with what one listing of the store tells."""
    summary, more = array_summary(array), {}
    if complete:
        sizes = dict(nodes.sizes_below(array.store, array.path))
        stored = sum(sizes.values())
        more["Stored"] = f"{stored:,} bytes, metadata included"
        if not summary.varying:
            more["Ratio"] = ratio_text(array.nbytes, stored)
        more["Chunks stored"] = f"{array.chunks_in(sizes):,} of {array.nchunks:,}"
    return Info(array_text(summary, more), array_html(summary, more))


def group_summary(group: Group) -> GroupSummary:
    """What the metadata of a group say; nothing is read, nothing listed."""
    known = group.consolidated_members
    members = None if known is None else sorted(known)
    return GroupSummary(
        group.name, group.zarr_format, group.metadata.attributes, repr(group.store), group.read_only, members
    )


def group_card(group: Group) -> str:
    """The card of a group, with its tree if consolidated metadata tell it."""
    summary = group_summary(group)
    if group.consolidated_members is None:
        return group_html(summary)
    return group_html(summary, tree_list(branch(group.as_consolidated().tree(), MOST_NODES)))


def group_info(group: Group, complete: bool = False) -> Info:
    """A summary to print or to show on a page; if `complete`, the documents of the direct members are read."""
    summary = group_summary(group)
    if not complete:
        return Info(group_text(summary), group_card(group))
    top = branch(group.tree(max_depth=1))
    arrays = sum(below.kind == "array" for below in top.branches)
    more = {"Arrays": arrays, "Groups": len(top.branches) - arrays}
    return Info(group_text(summary, more), group_html(summary, tree_list(top), more))


def branch(tree: Tree, most: int | None = None) -> Branch:
    """The hierarchy as plain data, read now; of many nodes the first `most`, and what is cut says so."""
    root = Branch(tree.group.name, "group")
    waiting, found = deque([(tree.group, root, 0)]), 0
    while waiting:
        group, top, depth = waiting.popleft()
        top.cut = depth == tree.max_depth or found == most
        for name, member in () if top.cut else group.members():
            if found == most:
                top.cut = True
                break
            found += 1
            if isinstance(member, Array):
                top.branches.append(array_branch(name, array_summary(member)))
            else:
                top.branches.append(Branch(name, "group"))
                waiting.append((member, top.branches[-1], depth + 1))
    return root


def tree_lines(tree: Tree) -> str:
    """The hierarchy as lines of text."""
    return tree_text(branch(tree))


def tree_card(tree: Tree) -> str:
    """The hierarchy as a card, as HTML."""
    return tree_html(branch(tree))


def plan_picture(plan: ReadPlan, names: Sequence[str | None] | None = None) -> Picture | None:
    """The chunks that a selection touches, drawn over the grid; None if they are too many to go through."""
    drawn = plan.drawn()
    if drawn is None:
        return None
    shape, chunks, around, touched, factors = drawn
    box = None
    if all(isinstance(factor, Span) for factor in factors):
        box = tuple([range(f.start, f.start + f.count * f.step, f.step) for f in factors])
    return selection_picture(shape, chunks, around, touched, selection=box, names=names)


def plan_card(plan: ReadPlan) -> str:
    """What a selection costs, in words under its picture, as HTML."""
    picture = plan_picture(plan)
    lines = [f"<div>{page.note(line)}</div>" for line in plan.explain().splitlines()]
    return page.card("What a selection costs", *([] if picture is None else [picture.svg]), *lines)
