"""``tutorial-zarr interop``: run the matrix, report it, verify a store with all peers, write the kit of cases, count
what reads cost.

The exit code is 0 where nothing is amiss, 1 where this library wrote or read something wrong (or, for ``verify``,
where a peer that reads the store reads it otherwise), 2 where the command itself was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tutorial_zarr.cli.output import complain, json_option, print_json, print_table, print_text, progress_bar
from tutorial_zarr.errors import MissingDependencyError, SelectionError
from tutorial_zarr.gallery.servers import start_s3
from tutorial_zarr.interop import costs, kit, report, surprises, survey
from tutorial_zarr.interop.cases import select
from tutorial_zarr.interop.changes import names
from tutorial_zarr.interop.columns import staircase
from tutorial_zarr.interop.environments import (
    MEGABYTES,
    OURS,
    PeerAbsentError,
    PeerFile,
    cache_folder,
    choose,
    clear,
    find_peers,
)
from tutorial_zarr.interop.lint import arrays_of, stored_matrix
from tutorial_zarr.interop.matrix import Run, choose_peers
from tutorial_zarr.interop.outcomes import MARKS
from tutorial_zarr.interop.verify import Verdict, verify
from tutorial_zarr.words import count, plain, size_text


def command(click: Any) -> Any:
    """The click group."""
    group = click.Group("interop", help="Who reads whose stores: a matrix of the implementations that run here.")
    folder = click.Argument(["folder"], type=click.Path(file_okay=False, path_type=Path))
    peers = click.Option(["--peers"], default="", help="Names of peers, with commas; all by default.")
    cases = click.Option(["--cases"], default="", help="Patterns of ids or elements, with commas; all by default.")
    here = click.Option(["--here"], is_flag=True, help="Install nothing: use the packages of this environment.")
    here_too = click.Option(["--here"], is_flag=True, help="Install nothing, as it is by default.")
    install_them = click.Option(
        ["--install"], is_flag=True, help="Give each peer an environment of its own; says first what it downloads."
    )
    jobs = click.Option(["--jobs"], type=click.IntRange(min=1), default=2, show_default=True, help="Lanes at once.")
    seconds = click.Option(["--timeout"], type=float, default=30.0, show_default=True, help="Seconds for a question.")
    memory = click.Option(["--memory"], type=int, default=4096, show_default=True, help="MiB for each process.")
    sides = [click.Option([f"--{side}"], default="", help=f"Only these {side}.") for side in ("writers", "readers")]
    as_json = json_option(click)
    for name, callback, params in (
        ("run", run, [folder, peers, cases, *sides, jobs, seconds, memory, here, as_json]),
        ("report", make_report, [folder, as_json]),
        ("survey", survey_writers, [folder, *sides, jobs, seconds, memory, here, as_json]),
        ("verify", check_store, [click.Argument(["store"]), peers, install_them, here_too, seconds, memory, as_json]),
        ("clear", clear_environments, [as_json]),
        ("kit", make_kit, [folder, cases, as_json]),
        ("costs", count_costs, [folder, peers, install_them, as_json]),
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


def survey_writers(
    folder: Path, writers: str, readers: str, jobs: int, timeout: float, memory: int, here: bool, as_json: bool
) -> int:
    """Have real programs write what they write by default, and all readers read it; the table goes into FOLDER.

    A run that was stopped goes on there. FOLDER/report has the page: who misreads what, and what to write instead.
    """
    limits = {"seconds": timeout, "memory": memory << 20}
    with _progress("programs:") as progress:
        table = survey.Survey(
            folder,
            choose(survey.find_writers(), _names(writers), "writers"),
            choose(find_peers(), _names(readers), "readers"),
            here=here,
            jobs=jobs,
            progress=progress,
            limits=limits,
        )()
    surprises.write(table, folder / "report")
    for name, why in table["absent"].items():
        complain(f"{name} is absent: {plain(why, 300)}")
    silent = [cell for cell in survey.cells_of(table) if cell.outcome == survey.SILENT]
    if as_json:
        print_json({**table, "cells": [dict(zip(survey.Cell.__annotations__, c, strict=True)) for c in table["cells"]]})
    else:
        rows = [
            (reader, view, *(str(found[name] or "") for name in (survey.EQUAL, survey.REFUSED, survey.SILENT)))
            for reader, view, found in surprises.counts(table)
        ]
        print_table(("read by", "as", "right", "refused", "wrong, no error"), rows)
        for cell in silent:
            if not cell.cause:
                print_text(f"{cell.writer}, {cell.situation}, {cell.reader} {cell.view}: {plain(cell.saw, 200)}")
    return int(any(OURS in (cell.writer, cell.reader) and not cell.cause for cell in silent))


def check_store(store: str, peers: str, install: bool, here: bool, timeout: float, memory: int, as_json: bool) -> int:
    """Read every array of STORE, a folder, with all peers, and name the first element that one reads otherwise.

    The peers are the readers that are installed here. With --install each has an environment of its own.
    """
    if install and here:
        raise SelectionError("--install and --here: expected one of them, found both")
    limits = {"seconds": timeout, "memory": memory << 20}
    readers = [name for name in _names(peers) or stored_matrix().marks if name in find_peers()]
    chosen = choose_peers(_names(peers) or readers)
    verdicts = []
    if install:
        absent = make_environments(chosen)
        verdicts = [Verdict("", name, "absent", why) for name, why in absent.items()]
        chosen = {name: file for name, file in chosen.items() if name not in absent}
    with _progress("reading with") as progress:
        verdicts += verify(store, chosen, not install, limits, lambda name, done, total: progress("peers", done, total))
    if as_json:
        print_json([vars(verdict) for verdict in verdicts])
    else:
        for line in in_words(verdicts, [path for path, _ in arrays_of(store)]):
            print_text(line)
    return int(any(verdict.outcome in BAD for verdict in verdicts))


def make_environments(peers: Mapping[str, PeerFile]) -> dict[str, str]:
    """Install what is missing, and say before what that is; returns the peers that are absent, and why."""
    missing = {name: file for name, file in peers.items() if not file.installed}
    if not missing:
        return {}
    size = MEGABYTES * len(missing)
    complain(
        f"--install makes {count(len(missing), 'environments')} in {cache_folder()}: {names(list(missing))}; about "
        f"{size:,} MB on the disk, and less to download. 'interop clear' deletes them."
    )
    absent = {}
    with _progress("installing") as progress:
        for done, (name, file) in enumerate(missing.items()):
            progress(f"{done + 1} of {len(missing)}: {name}", 0, 1)
            try:
                file.install()
            except PeerAbsentError as error:
                absent[name] = str(error)
            progress(f"{done + 1} of {len(missing)}: {name}", 1, 1)
    return absent


SIGNS = {
    "equal": ("ok", "reads every byte as this library does"),
    "refused": ("no", "refuses it"),
    "wrong": ("!!", "reads other values"),
    "crash": ("xx", "its process ended"),
    "timeout": ("..", "no reply in time"),
}
BAD = ("wrong", "crash", "timeout")


def in_words(verdicts: list[Verdict], arrays: list[str]) -> Iterator[str]:
    """The lines for people: a grid of arrays and readers, each reason once, and who is absent."""
    cells = {(v.array, v.peer): SIGNS[v.outcome][0] for v in verdicts if v.outcome != "absent"}
    there = list(dict.fromkeys(v.peer for v in verdicts if v.outcome != "absent"))
    if there:
        rows = [(plain(path) or "the array", [cells.get((path, peer), "") for peer in there]) for path in arrays]
        yield from staircase(there, rows)
        shown = {v.outcome for v in verdicts}
        yield ""
        yield "; ".join(f"{sign} {said}" for name, (sign, said) in SIGNS.items() if name in shown) + "."
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for verdict in verdicts:
        if verdict.outcome not in ("equal", "absent"):
            found = reasons.setdefault((verdict.peer, verdict.outcome, verdict.detail), [])
            found.append(plain(verdict.array) or "the array")
    for (peer, outcome, detail), where in reasons.items():
        yield f"{peer}, {SIGNS[outcome][0]}, {names(where, 5)}: {plain(detail, 300)}"
    absent = {v.peer: v.detail for v in verdicts if v.outcome == "absent"}
    if absent:
        yield ""
        yield f"Not here: {names(list(absent))}."
    for peer, why in absent.items():
        yield f"    {peer}: {plain(why, 400)}"


def clear_environments(as_json: bool) -> int:
    """Delete the environments that verify --install and run have made."""
    found, nbytes = clear()
    if as_json:
        return print_json({"folder": str(cache_folder()), "deleted": found, "bytes": nbytes})
    print_text(f"{count(len(found), 'environments')} deleted in {cache_folder()}, {size_text(nbytes)}")
    return 0


def make_kit(folder: Path, cases: str, as_json: bool) -> int:
    """Write the cases as plain files with a manifest into FOLDER; the same bytes each time."""
    with _progress("cases") as progress:
        n = kit.write_kit(folder, select(_names(cases)), lambda done, total: progress("written", done, total))
    if as_json:
        print_json({"kit": str(folder), "cases": n})
    else:
        print_table(("kit", "cases"), [(str(folder), str(n))])
    return 0


def count_costs(folder: Path, peers: str, install: bool, as_json: bool) -> int:
    """Count what six everyday reads cost each reader; FOLDER gets costs.json and costs.md.

    Requests and bytes, over a web server and a bucket on this machine that count. The readers are those that are
    installed here. With --install each has an environment of its own.
    """
    chosen = choose_peers(_names(peers), costs.PROGRAMS)
    if install:
        make_environments(chosen)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack, _progress("reading with") as progress:
        place = stack.enter_context(TemporaryDirectory(prefix="costs-"))
        bucket = None
        try:
            bucket = stack.enter_context(start_s3())
        except MissingDependencyError as absent:
            complain(f"no bucket: {absent}")
        data = costs.run(Path(place), chosen, bucket, not install, progress)
    costs.write(data, folder)
    for name, why in data["absent"].items():
        complain(f"{name} is absent: {why}")
    if as_json:
        print_json(data)
    else:
        print_text(costs.page(data))
    ours = [of.get("ours", {}).get(read) for of in data["cells"].values() for read in costs.READS]
    return int(not all(isinstance(cell, list) for cell in ours))
