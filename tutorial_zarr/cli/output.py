"""What commands share in printing: ``--json``, rows and tables for people, sentences on standard error, a bar.

`rich` lays out what people read. It is imported here and nowhere else, and only when something is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROGRAM = "tutorial-zarr"


def complain(sentence: str) -> None:
    """Say on standard error what is wrong."""
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)


def json_option(click: Any) -> Any:
    """The option ``--json`` that every command has; the callback gets it as `as_json`."""
    return click.Option(["--json", "as_json"], is_flag=True, help="Print JSON and nothing else.")


def console() -> Any:
    """The console of standard output."""
    from rich.console import Console

    # Lines that go into a file or a pipe are as long as they are.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def print_json(report: Any) -> int:
    """One JSON document on standard output; returns the exit code 0."""
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0


def print_rows(rows: list[tuple[str, str]]) -> None:
    """Names and values, a row each."""
    from rich.text import Text

    out, width = console(), max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        indented = value.replace("\n", "\n" + " " * width)
        out.print(Text.assemble((name.ljust(width), "bold"), indented), soft_wrap=True)


def print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table with a row of headings."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE, show_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console().print(table)


def print_tree(root: Any, label: Any, children: Any) -> None:
    """A tree: `label` gives the name and the remark of a node, `children` the nodes below it."""
    from rich.text import Text
    from rich.tree import Tree

    def grow(node: Any, parent: Tree | None = None) -> Tree:
        name, style, remark = label(node)
        text = Text.assemble((name, style), "  ", (remark, "dim"))
        branch = Tree(text) if parent is None else parent.add(text)
        for child in children(node):
            grow(child, branch)
        return branch

    console().print(grow(root))


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A `rich.progress.Progress` on standard error, which is cleared at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        yield bar
