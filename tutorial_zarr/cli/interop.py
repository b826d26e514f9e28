"""``tutorial-zarr interop``: run the matrix, report it, verify a store with all peers, write the kit of cases.

The exit code is 0 where nothing is amiss, 1 where this library wrote or read something wrong (or, for ``verify``,
where a peer that reads the store reads it otherwise), 2 where the command itself was wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tutorial_zarr.cli.output import complain, json_option, print_json, print_table, progress_bar
from tutorial_zarr.interop import kit, report
from tutorial_zarr.interop.cases import select
from tutorial_zarr.interop.environments import OURS
from tutorial_zarr.interop.matrix import Run, choose_peers
from tutorial_zarr.interop.outcomes import MARKS
from tutorial_zarr.interop.verify import verify


def command(click: Any) -> Any:
    """The click group."""
    group = click.Group("interop", help="Who reads whose stores: a matrix of the implementations that run here.")
    folder = click.Argument(["folder"], type=click.Path(file_okay=False, path_type=Path))
    peers = click.Option(["--peers"], default="", help="Names of peers, with commas; all by default.")
    cases = click.Option(["--cases"], default="", help="Patterns of ids or elements, with commas; all by default.")
    here = click.Option(["--here"], is_flag=True, help="Install nothing: use the packages of this environment.")
    jobs = click.Option(["--jobs"], type=click.IntRange(min=1), default=2, show_default=True, help="Lanes at once.")
    seconds = click.Option(["--timeout"], type=float, default=30.0, show_default=True, help="Seconds for a question.")
    memory = click.Option(["--memory"], type=int, default=4096, show_default=True, help="MiB for each process.")
    sides = [click.Option([f"--{side}"], default="", help=f"Only these {side}.") for side in ("writers", "readers")]
    as_json = json_option(click)
    for name, callback, params in (
        ("run", run, [folder, peers, cases, *sides, jobs, seconds, memory, here, as_json]),
        ("report", make_report, [folder, as_json]),
        ("verify", check_store, [click.Argument(["store"]), peers, here, seconds, memory, as_json]),
        ("kit", make_kit, [folder, cases, as_json]),
    ):
        group.add_command(click.Command(name, params=params, callback=callback, help=callback.__doc__))
    return group


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def _progress(words: str) -> Iterator[Any]:
    with progress_bar() as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{words} {what}", total=total)
            bar.update(tasks[what], completed=done)

        yield show


def run(
    folder: Path,
    peers: str,
    cases: str,
    writers: str,
    readers: str,
    jobs: int,
    timeout: float,
    memory: int,
    here: bool,
    as_json: bool,
) -> int:
    """Write and read all cases with all peers; results go into FOLDER, and a run that was stopped goes on there."""
    limits = {"seconds": timeout, "memory": memory << 20}
    with _progress("lanes:") as progress:
        done = Run(
            folder,
            select(_names(cases)),
            choose_peers(_names(peers)),
            here=here,
            jobs=jobs,
            progress=progress,
            limits=limits,
        )
        done(_names(writers), _names(readers))
    for state in done.states.values():
        if state.absent:
            complain(f"{state.name} is absent: {state.absent}")
    found = {
        f"{writer} -> {reader or 'disk'}": dict(sorted(cell.items()))
        for (writer, reader), cell in sorted(done.counts().items())
    }
    if as_json:
        print_json({**done.summary(), "counts": found})
    else:
        outcomes = list(MARKS)
        rows = [(pair, *(str(cell.get(name, "")) for name in outcomes)) for pair, cell in found.items()]
        print_table(("written -> read by", *outcomes), rows)
    own = [
        o.name for key, o in done.results.items() if key[0] == OURS and key[1] in ("", OURS) and key[2] in done.cases
    ]
    return int(any(name != "equal" for name in own))


def make_report(folder: Path, as_json: bool) -> int:
    """Write FOLDER/report: JSON, Markdown, one HTML page, and a store for each defect."""
    data = report.write(folder)
    bad = list(report.bad_cells(data))
    unknown = sum(defect is None for *_, defect in bad)
    found = {
        "report": str(folder / "report"),
        "cases": len(data["cases"]),
        "bad cells": len(bad),
        "without a known cause": unknown,
    }
    if as_json:
        print_json(found)
    else:
        print_table(("report", "cases", "bad cells", "without a known cause"), [tuple(map(str, found.values()))])
    return 0


def check_store(store: str, peers: str, here: bool, timeout: float, memory: int, as_json: bool) -> int:
    """Read every array of STORE, a folder, with all peers, and name the first element that one reads otherwise."""
    limits = {"seconds": timeout, "memory": memory << 20}
    verdicts = list(verify(store, choose_peers(_names(peers)), here, limits))
    if as_json:
        print_json([vars(verdict) for verdict in verdicts])
    else:
        rows = [(v.array or "/", v.peer, v.outcome, v.detail[:120]) for v in verdicts]
        print_table(("array", "peer", "outcome", "detail"), rows)
        complain(", ".join(f"{n} {name}" for name, n in sorted(Counter(v.outcome for v in verdicts).items())))
    return int(any(verdict.outcome in ("wrong", "crash", "timeout") for verdict in verdicts))


def make_kit(folder: Path, cases: str, as_json: bool) -> int:
    """Write the cases as plain files with a manifest into FOLDER; the same bytes each time."""
    with _progress("cases") as progress:
        n = kit.write_kit(folder, select(_names(cases)), lambda done, total: progress("written", done, total))
    if as_json:
        print_json({"kit": str(folder), "cases": n})
    else:
        print_table(("kit", "cases"), [(str(folder), str(n))])
    return 0
