"""A hierarchy as text and as nested lists that fold.

>>> tas = Branch("tas", "array", "(2, 3) float32")
>>> print(tree_text(Branch("/", "group", branches=[Branch("climate", "group", branches=[tas])])))
/
└── climate
    └── tas (2, 3) float32
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import page
from .cards import ArraySummary, shape_text
from .words import count, escape, plain

OPEN_MEMBERS = 24  # a group of more members is folded at first


@dataclass(frozen=True)
class Branch:
    """A node of a hierarchy: what is said of it in text, what more on a page, and the nodes below it."""

    name: str
    kind: str  # "array" or "group"
    words: str = ""
    notes: Sequence[Any] = ()
    branches: Sequence[Branch] = field(default_factory=list)
    cut: bool = False  # there may be more below, which was not asked for


def array_branch(name: str, s: ArraySummary) -> Branch:
    """The branch of an array."""
    words = f"{shape_text(s.shape)} {s.dtype}"
    if s.problem:
        return Branch(name, "array", words, ("cannot be read",))
    notes = [f"chunks {shape_text(s.chunks)}"] + ([f"shards {shape_text(s.shards)}"] if s.shards else [])
    names = [", ".join(name or "-" for name in s.dimension_names)] if any(s.dimension_names or ()) else []
    return Branch(name, "array", words, (*names, *notes))


def tree_text(root: Branch) -> str:
    """The hierarchy in lines."""
    return "\n".join([plain(root.name), *_lines(root, "")])


def _lines(branch: Branch, indent: str) -> Iterator[str]:
    for i, below in enumerate(branch.branches):
        last = i == len(branch.branches) - 1
        words = f" {plain(below.words)}" if below.words else ""
        yield f"{indent}{'└── ' if last else '├── '}{plain(below.name)}{words}"
        yield from _lines(below, indent + ("    " if last else "│   "))


def tree_html(root: Branch) -> str:
    """The hierarchy as a card."""
    arrays, groups = _totals(root)
    notes = [count(arrays, "arrays"), count(groups, "groups")]
    return page.card(f"Tree of {root.name}", page.head("Tree", root.name, *notes), tree_list(root))


def _totals(branch: Branch) -> tuple[int, int]:
    below = [_totals(b) for b in branch.branches]
    arrays = sum(b.kind == "array" for b in branch.branches) + sum(a for a, _ in below)
    return arrays, sum(b.kind != "array" for b in branch.branches) + sum(g for _, g in below)


def tree_list(root: Branch) -> str:
    """The nodes below `root` as nested lists."""
    if not root.branches:
        return f"<p>{page.note('It holds nothing.')}</p>"
    return f"<ul>{''.join(f'<li>{_item(branch)}</li>' for branch in root.branches)}</ul>"


def _item(branch: Branch) -> str:
    name = f"<b>{escape(branch.name, 120)}</b>"
    notes = " ".join(page.note(words) for words in branch.notes)
    if branch.kind == "array":
        return f"{name} {escape(branch.words)} {notes}"
    if not branch.branches:
        return f"{name} {page.note('group, not opened' if branch.cut else 'empty group')} {notes}"
    size = page.note(count(len(branch.branches), "members"))
    return page.fold(
        page.Markup(f"{name} {size} {notes}"), tree_list(branch), opened=len(branch.branches) <= OPEN_MEMBERS
    )
