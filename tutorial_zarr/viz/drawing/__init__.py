"""How things look: arrays, groups, trees and grids as text, as SVG and as HTML.

Plain data goes in, text comes out. Nothing here reads a store, so that every array can show itself with it, and the
pictures of `viz` are drawn with it. What is shown holds no script and fetches nothing; whatever comes from a store
is escaped; it is legible on light pages and on dark ones, by eyes that tell few colours apart, and by a screen
reader.

Leaves out reading what is to be shown, which is `viz`'s where it takes more than metadata.

>>> from tutorial_zarr.viz.drawing import selection_picture
>>> print(selection_picture((4,), [2], touched=[((1,), True)], selection=[range(2, 4)]))
A selection of an array of 4 in 2 chunks of 2: [2:4] touches 1 chunk, whole.
"""

from .cards import (
    ArraySummary,
    CodecLine,
    GroupSummary,
    Info,
    array_html,
    array_text,
    codec_lines,
    group_html,
    group_text,
)
from .grid import draw_grid, selection_picture, selection_svg
from .plane import GridView
from .summaries import (
    array_card,
    array_info,
    array_summary,
    branch,
    group_card,
    group_info,
    group_summary,
    plan_card,
    plan_picture,
    tree_card,
    tree_lines,
)
from .svg import COLOURS, Picture
from .tree import MOST_NODES, Branch, array_branch, tree_html, tree_list, tree_text

__all__ = [
    "COLOURS",
    "MOST_NODES",
    "ArraySummary",
    "Branch",
    "CodecLine",
    "GridView",
    "GroupSummary",
    "Info",
    "Picture",
    "array_branch",
    "array_card",
    "array_html",
    "array_info",
    "array_summary",
    "array_text",
    "branch",
    "codec_lines",
    "draw_grid",
    "group_card",
    "group_html",
    "group_info",
    "group_summary",
    "group_text",
    "plan_card",
    "plan_picture",
    "selection_picture",
    "selection_svg",
    "tree_card",
    "tree_html",
    "tree_lines",
    "tree_list",
    "tree_text",
]
