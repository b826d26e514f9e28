"""``tutorial-zarr gallery``: list, run, build and check the notebooks.

What a notebook is, and how it runs, is in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tutorial_zarr import gallery
from tutorial_zarr.cli.output import complain, console, json_option, print_json, print_table, progress_bar
from tutorial_zarr.gallery.catalogue import select


def command(click: Any) -> Any:
    """The click group."""
    ids = click.Argument(["ids"], nargs=-1)
    jobs = click.Option(["--jobs"], type=click.IntRange(min=1), default=1, help="Run so many at once.")
    full = click.Option(["--full"], is_flag=True, help="Use the large data instead of the quick ones.")
    zarr_format = click.Option(["--zarr-format"], type=click.Choice(["2", "3"]), help="Write this format.")
    out_dir = click.Option(["--out", "out_dir"], type=click.Path(), help="Keep the results in this folder.")
    actions = {
        "list": (list_, []),
        "run": (run, [ids, full, zarr_format, out_dir, jobs]),
        "build": (build, [ids, jobs]),
        "check": (check, [ids]),
    }
    commands = [
        click.Command(name, params=[*params, json_option(click)], callback=action, help=action.__doc__)
        for name, (action, params) in actions.items()
    ]
    return click.Group("gallery", commands=commands, help="List, run, build and check the notebooks.")


def list_(as_json: bool) -> int:
    """List the notebooks."""
    shown = ("id", "title", "level", "minutes", "question")
    notebooks = [
        {**{name: getattr(notebook, name) for name in shown}, "file": notebook.path.name}
        for notebook in gallery.list_notebooks()
    ]
    if as_json:
        return print_json(notebooks)
    print_table(shown, [tuple(str(notebook[name]) for name in shown) for notebook in notebooks])
    return 0


def run(
    ids: tuple[str, ...], full: bool, zarr_format: str | None, out_dir: str | None, jobs: int, as_json: bool
) -> int:
    """Run the notebooks IDS, or all of them, from the first cell to the last.

    An id may be cut short: 01 means all of part 01.
    """
    with _progress(ids) as progress:
        results = gallery.run(
            ids or None,
            full=full,
            zarr_format=int(zarr_format) if zarr_format else None,
            out_dir=out_dir,
            jobs=jobs,
            progress=progress,
        )
    return _report_results(results, as_json)


def build(ids: tuple[str, ...], jobs: int, as_json: bool) -> int:
    """Build the notebooks IDS, or all of them, from their sources: run them and store what they print."""
    with _progress(ids) as progress:
        results = gallery.build(ids or None, jobs=jobs, progress=progress)
    return _report_results(results, as_json)


def check(ids: tuple[str, ...], as_json: bool) -> int:
    """Hold the notebooks IDS, or all of them, to their contract, without running them."""
    problems = gallery.check(ids or None)
    if as_json:
        print_json(problems)
    elif problems:
        print_table(tuple(problems[0]), [tuple(map(str, problem.values())) for problem in problems])
    else:
        console().print("Every notebook keeps its contract.")
    return 1 if problems else 0


def _report_results(results: list[dict[str, Any]], as_json: bool) -> int:
    failed = [result for result in results if result["status"] != "ok"]
    if as_json:
        print_json(results)
        return 1 if failed else 0
    rows = [(r["id"], r["title"], r["status"], f"{r['seconds']:.1f}", str(r["cells"])) for r in results]
    print_table(("id", "notebook", "status", "seconds", "cells"), rows)
    for result in failed:
        cell = result["failed_cell"]
        where = f", cell {cell['number']} ({cell['source']})" if cell else ""
        complain(f"notebook {result['id']}{where}: {result['error']}")
    console().print(f"{len(results) - len(failed)} of {len(results)} notebooks ran to the end.")
    return 1 if failed else 0


@contextmanager
def _progress(ids: tuple[str, ...]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar on standard error that moves with every cell, and a line for every notebook that is done."""
    total = len(select(ids or None))
    with progress_bar() as bar:
        overall = bar.add_task("notebooks", total=total)
        running: dict[str, Any] = {}

        def show(event: dict[str, Any]) -> None:
            name = event["id"]
            if event["event"] == "start":
                running[name] = bar.add_task(f"{name} cells", total=event["cells"])
            elif event["event"] == "cell":
                bar.update(running[name], completed=event["cell"] - 1, total=event["cells"])
            elif event["event"] == "end":
                if name in running:
                    bar.remove_task(running.pop(name))
                bar.advance(overall)
                done = f"{name}  {event['status']}  {event['seconds']:.1f} s  {event['title']}"
                bar.console.print(done, markup=False, soft_wrap=True)

        yield show
