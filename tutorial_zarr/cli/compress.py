"""``tutorial-zarr compress shootout``: every chain of codecs on a sample of your own arrays, and what to use.

The exit code is 0 where at least one array was judged, 1 where none could be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.cli.info import open_node
from tutorial_zarr.cli.output import complain, json_option, print_json, print_text
from tutorial_zarr.cli.plans import following
from tutorial_zarr.labs import compression
from tutorial_zarr.labs.compression.advice import RULE
from tutorial_zarr.labs.compression.shootout import BANDWIDTH, Shootout, smallest_of_each, tables
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.tools.convert.rechunking import parse_bytes
from tutorial_zarr.words import plain, some

MOST_BARS = 8  # chains of the front in the figure of threads


def command(click: Any) -> Any:
    """The click group."""

    def size(context: Any, option: Any, value: str) -> int:
        try:
            return parse_bytes(int(value) if value.isdigit() else value)
        except ValueError:
            raise click.BadParameter(f"expected a number of bytes, such as '4 MiB'; found {value!r}") from None

    above = click.FloatRange(min=0, min_open=True)
    params = [
        click.Argument(["path"]),
        click.Option(["--sample"], default="4 MiB", show_default=True, callback=size, help="Bytes of each array."),
        click.Option(["--seed"], type=int, default=0, show_default=True, help="Which chunks are drawn."),
        click.Option(["--tolerance"], type=above, help="Advise a lossy chain that is never off by more."),
        click.Option(
            ["--bandwidth"], type=above, default=BANDWIDTH, show_default=True, help="Of the store, MB a second."
        ),
        click.Option(["--threads"], type=click.IntRange(min=1), help="As many as processors by default."),
        click.Option(["--quick"], is_flag=True, help="Each codec at one level only."),
        click.Option(["--top"], type=click.IntRange(min=1), default=12, show_default=True, help="Rows of a table."),
        click.Option(["--figures"], type=click.Path(file_okay=False), help="Write figures (SVG) into this folder."),
        json_option(click),
    ]
    help_text = (
        "Try every chain of codecs on a sample of the array at PATH, or of each array below it.\n\n"
        "PATH is a folder, a zip file or a URL. Lossless chains are proved by hash; of lossy ones every value is held "
        "against what the codec promises. Nothing is written to PATH.\n\n" + RULE
    )
    shootout = click.Command("shootout", params=params, callback=run, help=help_text)
    return click.Group("compress", commands=[shootout], help="Find the codecs that suit your own data.")


def run(
    path: str,
    sample: int,
    seed: int,
    tolerance: float | None,
    bandwidth: float,
    threads: int | None,
    quick: bool,
    top: int,
    figures: str | None,
    as_json: bool,
) -> int:
    """Carry out the command; returns the exit code."""
    with following("chains", "nothing was changed. The same command begins anew") as progress:
        found, complaints = compression.shootouts(
            arrays(path),
            sample_bytes=sample,
            seed=seed,
            tolerance=tolerance,
            bandwidth=bandwidth,
            workers=threads,
            levels=not quick,
            progress=progress,
        )
    small = [sentence for sentence in complaints if "bytes of values to judge a codec by" in sentence]
    if len(small) > 1:
        names = [sentence.partition(": ")[0] for sentence in small]
        complain(f"{some(names, 5)}: too few values to judge a codec by; leave these arrays as they are")
    for sentence in complaints:
        if len(small) < 2 or sentence not in small:
            complain(plain(sentence))
    files = [file for each in found for file in draw(each, Path(figures))] if figures else []
    if as_json:
        print_json({"arrays": [each.to_json() for each in found], "not_judged": complaints, "figures": files})
    else:
        for each in found:
            show(each, top)
        for file in files:
            print_text(plain(file))
    return 0 if found else 1


def arrays(path: str) -> Iterator[tuple[str, zarr.Array]]:
    """The array at `path`, or every array below the group there."""
    node = open_node(path)
    if isinstance(node, zarr.Array):
        yield node.path or Path(public(path)).name, node
        return
    for name, member in node.members(max_depth=None):
        if isinstance(member, zarr.Array):
            yield name, member


def show(found: Shootout, top: int) -> None:
    """Tables and sentences for people."""
    for line in (str(found.sample), *found.sample.notes):
        print_text(plain(line))
    print_text("")
    for line in tables(found, top):
        print_text(plain(line))
    print_text("")
    for line in found.sentences():
        print_text(("    " if line.startswith(" ") else "") + plain(line.strip()))
    print_text("")


def draw(found: Shootout, folder: Path) -> list[str]:
    """Write the figures of one array; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "_", found.sample.name).strip("_") or "array"
    stages = {pick.label: pick.result for pick in found.picks if pick.result}
    charts = {"pareto": compression.pareto_figure(found)}
    front = compression.pareto(found.results)[:MOST_BARS]
    if threaded := [r for r in {id(r): r for r in (*front, *stages.values())}.values() if r.speed.decode_threads]:
        charts["threads"] = compression.threads_figure(threaded, found.workers)
    if stages:
        charts["stages"] = compression.waterfall_figure(stages.values(), f"{found.sample.name}: bytes after each stage")
    if smallest_of_each(found):
        charts["errors"] = compression.errors_figure(found)
    files = [folder / f"{stem}_{kind}.svg" for kind in charts]
    for file, chart in zip(files, charts.values(), strict=True):
        chart.save(file)
    return [str(file) for file in files]
