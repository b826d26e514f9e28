"""A hierarchy as text and as nested lists that fold.

>>> tas = Branch("tas", "array", "(2, 3) float32")
>>> print(tree_text(Branch("/", "group", branches=[Branch("climate", "group", branches=[tas])])))
/
└── climate
    └── tas (2, 3) float32
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tutorial_zarr.words import count, escape, plain, shape_text

from . import page
from .cards import ArraySummary

OPEN_MEMBERS = 24  # a group of more members is folded at first
DRAWN_LEVELS = 64  # levels that are told by lines, or by lists in lists; below that the level is a number
MOST_NODES = 2000  # nodes that a page shows
Node = TypeVar("Node")


@dataclass
class Branch:
    """A node of a hierarchy: what is said of it in text, what more on a page, and the nodes below it."""

    name: str
    kind: str  # "array" or "group"
    words: str = ""
    notes: Sequence[Any] = ()
    branches: list[Branch] = field(default_factory=list)
    cut: bool = False  # there may be more below, which was not asked for


def array_branch(name: str, s: ArraySummary) -> Branch:
    """The branch of an array."""
    words = f"{shape_text(s.shape)} {s.dtype}"
    if s.problem:
        return Branch(name, "array", words, ("cannot be read",))
    notes = [f"chunks {shape_text(s.chunks)}"] + ([f"shards {shape_text(s.shards)}"] if s.shards else [])
    names = [", ".join(name or "-" for name in s.dimension_names or ())] if any(s.dimension_names or ()) else []
    return Branch(name, "array", words, (*names, *notes))


def guides(root: Node, children: Callable[[Node], Iterable[Node]]) -> Iterator[tuple[str, Node]]:
    """Pairs (what is drawn before a node, node) of a hierarchy from the top; every node, however deep it lies."""
    yield "", root
    waiting = [("", list(children(root))[::-1])]
    while waiting:
        indent, below = waiting[-1]
        if not below:
            waiting.pop()
            continue
        node, last, level = below.pop(), not below, len(waiting)
        if level <= DRAWN_LEVELS:
            yield indent + ("└── " if last else "├── "), node
            indent += "    " if last else "│   "
        else:
            yield f"{indent}level {level}: ", node
        waiting.append((indent, list(children(node))[::-1]))


def tree_text(root: Branch) -> str:
    """The hierarchy in lines."""
    lines = []
    for guide, branch in guides(root, lambda branch: branch.branches):
        lines.append(guide + plain(branch.name) + (f" {plain(branch.words)}" if branch.words else ""))
    return "\n".join(lines)


def tree_html(root: Branch) -> str:
    """The hierarchy as a card."""
    arrays, groups = _totals(root)
    notes = [count(arrays, "arrays"), count(groups, "groups")]
    return page.card(f"Tree of {root.name}", page.head("Tree", root.name, *notes), tree_list(root))


def _totals(root: Branch) -> tuple[int, int]:
    """How many arrays and how many groups there are below a branch."""
    waiting, arrays, groups = list(root.branches), 0, 0
    while waiting:
        branch = waiting.pop()
        arrays, groups = arrays + (branch.kind == "array"), groups + (branch.kind != "array")
        waiting += branch.branches
    return arrays, groups


def tree_list(root: Branch) -> str:
    """The nodes below `root` as nested lists; of very many the first, and how many there are besides."""
    return _Lists().below(root, 1)


class _Lists:
    """Nested lists of a bounded number of nodes and levels."""

    def __init__(self) -> None:
        self.room = MOST_NODES

    def below(self, root: Branch, level: int) -> str:
        if not root.branches:
            return f"<p>{page.note('Its members are not shown.' if root.cut else 'It holds nothing.')}</p>"
        items, left = [], len(root.branches)
        for branch in root.branches:
            if not self.room:
                break
            self.room, left = self.room - 1, left - 1
            items.append(self.item(branch, level))
        if left or root.cut:
            items.append(page.note(f"and {left:,} more" if left else "and others"))
        return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"

    def item(self, branch: Branch, level: int) -> str:
        name = f"<b>{escape(branch.name, 120)}</b>"
        notes = " ".join(page.note(words) for words in branch.notes)
        if branch.kind == "array":
            return f"{name} {escape(branch.words)} {notes}"
        if not branch.branches:
            return f"{name} {page.note('group, not opened' if branch.cut else 'empty group')} {notes}"
        size = page.note(count(len(branch.branches), "members"))
        if level == DRAWN_LEVELS or not self.room:
            arrays, groups = _totals(branch)
            return f"{name} {size} {page.note(f'and {arrays + groups:,} nodes below, not shown here')} {notes}"
        return page.fold(
            page.Markup(f"{name} {size} {notes}"),
            self.below(branch, level + 1),
            opened=len(branch.branches) <= OPEN_MEMBERS,
        )
