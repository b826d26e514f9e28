"""What commands share in printing: ``--json``, rows and tables for people, sentences on standard error, a bar.

Everything that a command says passes through here, and is spelt out on the way: names, attributes and errors come from
stores that anybody may have made, and a terminal obeys control characters. `rich` lays out what people read. It is
imported here and nowhere else, and only when something is printed.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from tutorial_zarr.errors import LimitError
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.viz.drawing.tree import guides
from tutorial_zarr.words import plain, plain_lines, size_text

PROGRAM = "tutorial-zarr"
SCHEMA = 1  # the version of what --json prints, as JSON.md describes it
INTERRUPTED = 130  # the exit code of a command that the user stopped, as shells have it


def complain(sentence: str) -> None:
    """Say on standard error what is wrong."""
    print(fitted(f"{PROGRAM}: {plain_lines(public(sentence))}", sys.stderr), file=sys.stderr)


def fitted(text: str, stream: Any) -> str:
    """`text` for `stream`: on a terminal lines end between words; in a file or a pipe they are as long as they are."""
    if not stream.isatty():
        return text
    width = max(20, shutil.get_terminal_size().columns)
    return "\n".join(
        _folded(line, width, _column(line, width)) if len(line) > width else line for line in text.split("\n")
    )


def _column(line: str, width: int) -> int | None:
    """Where the last column of a row begins, if enough is left behind it; None where a line has no columns.

    >>> _column("  c/0  12 B  chunk (0,) and more", 30), _column("  one two", 30)
    (13, None)
    """
    ends = [gap.end() for gap in re.finditer(r"(?<=\S)  +", line)]
    return ends[-1] if ends and ends[-1] <= width // 2 else None


def _folded(line: str, width: int, column: int | None = None) -> str:
    r"""A long line over several, which begin below the text of the first, or at a `column`. What fits nowhere stays.

    >>> print(_folded("  name  one two three", 14))
      name  one
        two three
    """
    own = len(line) - len(line.lstrip())
    below = " " * min(width // 2, own + 2 if column is None else column)
    return textwrap.fill(
        line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def json_option(click: Any) -> Any:
    """The option ``--json`` that every command has; the callback gets it as `as_json`."""
    return click.Option(["--json", "as_json"], is_flag=True, help="Print JSON and nothing else.")


def place_argument(click: Any, name: str) -> Any:
    """An argument for a store, or for a node in one, by path or URL; shells complete it as a file."""
    return click.Argument([name], type=click.Path())


@contextmanager
def any_encoding() -> Iterator[None]:
    """Standard output and error spell out what their encoding lacks, such as a Greek name where it is ASCII."""
    with ExitStack() as stack:
        for stream in (sys.stdout, sys.stderr):
            if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
                stack.callback(reconfigure, errors=stream.errors)
                reconfigure(errors="backslashreplace")
        yield


def _console() -> Any:
    """The console of standard output."""
    from rich.console import Console

    # Lines that go into a file or a pipe are as long as they are.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def print_json(report: Any) -> int:
    """One JSON document on standard output, described in JSON.md; returns the exit code 0."""
    if isinstance(report, dict):
        report = {"schema": SCHEMA, **report}
    print(json_text(report, only_ascii=not _is_unicode(sys.stdout)))
    return 0


def _is_unicode(stream: Any) -> bool:
    try:
        return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name.startswith("utf")
    except LookupError:
        return False


def json_text(report: Any, only_ascii: bool = False) -> str:
    r"""A JSON document that any reader takes: NaN as text, as in metadata; what does not print as an escape.

    >>> print(json_text({"a": [float("nan"), "b\x9bc"]}).replace("\n", ""))
    {  "a": [    "NaN",    "b\u009bc"  ]}
    """
    try:
        try:
            text = json.dumps(report, indent=2, ensure_ascii=only_ascii, allow_nan=False)
        except ValueError:
            text = json.dumps(_finite(report), indent=2, ensure_ascii=only_ascii, allow_nan=False)
    except RecursionError:
        raise LimitError(
            "--json: expected a report that Python can nest, found too many levels inside each other; try fewer, "
            "such as --depth 100, or the command without --json",
            limit="levels",
        ) from None
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def print_text(text: Any) -> None:
    """Lines as they are, whatever they hold."""
    print(fitted(_drawn(plain_lines(text)), sys.stdout))


def _drawn(text: str) -> str:
    """Branches of a tree by signs that the output's encoding has."""
    return text if _is_unicode(sys.stdout) else re.sub("[├└]──", "+--", text).replace("│", "|")


def print_rows(rows: list[tuple[str, str]]) -> None:
    """Names and values, a row each."""
    from rich.text import Text

    out, width = _console(), max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        first, *others = plain_lines(value).split("\n")
        lines = [name.ljust(width) + first, *(" " * width + other for other in others)]
        if sys.stdout.isatty():
            own = [width + len(line) - len(line.lstrip()) for line in (first, *others)]
            lines = [_folded(line, out.width, at) for line, at in zip(lines, own, strict=True)]
        text = Text("\n".join(lines))
        text.stylize("bold", 0, len(name))
        out.print(text, soft_wrap=True)


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table with a row of headings."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out, table = _console(), Table(*columns, box=box.SIMPLE, show_edge=False)
    cells = [[plain_lines(cell) for cell in row] for row in rows]
    longest = [max((len(word) for row in (columns, *cells) for word in row[at].split()), default=0)
               for at in range(len(columns))]  # fmt: skip
    if sum(longest) + 3 * len(columns) > out.width:  # a table would cut words: a block of lines for each row
        for row in cells:
            print_rows([pair for pair in zip(columns, row, strict=True) if pair[1]])
            print()
        return
    for column, width in zip(table.columns, longest, strict=True):
        column.min_width = width
    for row in cells:
        table.add_row(*map(Text, row))
    out.print(table)


def print_tree(
    root: Any, label: Callable[[Any], tuple[str, str, str]], children: Callable[[Any], Iterable[Any]]
) -> None:
    """A tree: `label` gives the name, the style and the remark of a node, `children` the nodes below it."""
    from rich.text import Text

    out = _console()
    for guide, node in guides(root, children):
        name, style, remark = label(node)
        guide = _drawn(guide)
        line = Text.assemble(guide, (plain(name), style), "  ", (plain(remark), "dim"))
        if sys.stdout.isatty() and len(line) > out.width:  # the lines of the tree go on beside what is folded
            below = re.sub("[├└+]──|[+]--", lambda found: "│  " if found[0][0] == "├" else "   ", guide) + "  "
            folded = textwrap.fill(line.plain, out.width, subsequent_indent=below, break_long_words=False,
                                   break_on_hyphens=False)  # fmt: skip
            line = Text(folded)
            line.stylize(style, len(guide), len(guide) + len(plain(name)))
        out.print(line, soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A `rich.progress.Progress` on standard error, which is cleared at the end; only a terminal shows it.

    A task with the field ``unit="bytes"`` is counted in sizes.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Count(ProgressColumn):
        def render(self, task: Any) -> Text:
            sizes = task.fields.get("unit") == "bytes"
            done, total = (
                None if n is None else size_text(n) if sizes else f"{int(n):,}" for n in (task.completed, task.total)
            )
            return Text(str(done) if total is None else f"{done}/{total}")

    words = TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), Count(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar
