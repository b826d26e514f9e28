"""``tutorial-zarr lint``: what of a store other readers will not open or misread, why, and the nearest change.

The exit code is 0 where all readers asked for read every array, 1 where one does not or reads it otherwise than it was
meant, 2 where the command itself was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.cli.output import json_option, place_argument, print_json, print_text
from tutorial_zarr.errors import MetadataError
from tutorial_zarr.interop.changes import names, words
from tutorial_zarr.interop.columns import staircase
from tutorial_zarr.interop.lint import READERS, Finding, Matrix, check_readers, lint_arrays, stored_matrix
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.tools.doctor import misread
from tutorial_zarr.tools.members import PARTLY, partly
from tutorial_zarr.words import count, plain

SIGNS = {
    "ok": "reads it",
    "no": "does not read it",
    "!!": "reads other values and says nothing",
    "? ": "never tried",
    "- ": "not asked, as it has no such Zarr format",
}
MOST_ROWS = 25  # beyond these, arrays that all readers read are counted and not named
Arrays = list[tuple[str, list[str], list[Finding]]]


def command(click: Any) -> Any:
    """The click command."""
    text = f"Names of readers, with commas, or 'all'. By default, of {', '.join(READERS)}, those that read the format."
    readers = click.Option(["--for", "readers"], default="", help=text)
    fix = click.Option(
        ["--fix"], is_flag=True, help="Change the metadata of STORE where that alone cures a misreading."
    )
    dry = click.Option(["--dry-run"], is_flag=True, help="With --fix: say what would be changed, and change nothing.")
    measured = click.Option(["--measured"], is_flag=True, help="With --fix: zeros that a reader masks were measured.")
    params = [place_argument(click, "store"), readers, fix, measured, dry, json_option(click)]

    def callback(**options: Any) -> int:
        if (options["dry_run"] or options["measured"]) and not options["fix"]:
            raise click.UsageError("--dry-run and --measured need --fix")
        return check(**options)

    return click.Command("lint", params=params, callback=callback, help=check.__doc__)


def check(store: str, readers: str, fix: bool, measured: bool, dry_run: bool, as_json: bool) -> int:
    """Say which readers will not open the arrays of STORE, or misread them.

    Who does not open what is told by the matrix that came with this version. Who misreads what is told by a table of
    what readers were seen to do; for that, some chunks of each array are read.
    """
    matrix = stored_matrix()
    named = [name.strip() for name in readers.split(",") if name.strip()]
    named = check_readers([] if named == ["all"] else named, matrix) if named else []
    misreadings = list(misread.misreadings(store, named or READERS))
    fixed = []
    if fix:
        fixed = [(one.array, misread.fix(store, one, measured, dry_run)) for one in misreadings if one.fix]
        if not dry_run:  # what is left
            misreadings = list(misread.misreadings(store, named or READERS))
    arrays = list(lint_arrays(store, named, matrix))
    known = {path for path, _, _ in arrays}  # what is not opened here has a row, too
    arrays += [(path, [], []) for path in dict.fromkeys(one.array for one in misreadings) if path not in known]
    if not arrays:
        raise MetadataError(f"{public(store)}: expected an array, found a group without any; try another path")
    findings = [finding for _, _, found in arrays for finding in found]
    wanted = list(dict.fromkeys(reader for _, asked, _ in arrays for reader in asked))
    wanted += sorted({by.reader for one in misreadings for by in one.seen} - set(wanted))
    if as_json:
        versions = {name: matrix.data["peers"][name]["versions"] for name in wanted}
        document = {"matrix": matrix.data["date"], "readers": versions, "findings": [vars(f) for f in findings]}
        document["misread"] = [one.to_json() for one in misreadings]
        if fix:
            document["fixed"] = [{"array": path, "what": what} for path, what in fixed]
        print_json(document)
    else:
        for _, what in fixed:
            print_text(f"{'would fix' if dry_run else 'fix'}: {plain(what)}")
        for line in report(arrays, sorted(wanted), matrix, not named, misreadings):
            print_text(line)
        node = zarr.open(store, mode="r")
        if isinstance(node, zarr.Group) and partly(node):
            print_text(PARTLY)
    return int(bool(misreadings) or any(finding.outcome != "untested" for finding in findings))


def report(
    arrays: Arrays, wanted: list[str], matrix: Matrix, by_default: bool, misreadings: list[misread.Misreading]
) -> Iterator[str]:
    """The lines for people: who reads what, and then each cause once."""
    heads = [f"{name} {next(iter(matrix.data['peers'][name]['versions'].values()))}" for name in wanted]
    seen = {(one.array, by.reader): by.outcome for one in misreadings for by in one.seen if by.outcome == "refused"}
    seen |= {(one.array, by.reader): by.outcome for one in misreadings for by in one.seen if by.outcome == "silent"}
    rows = [
        (plain(path or "the array"), [_sign(r, asked, found, seen.get((path, r), "")) for r in wanted])
        for path, asked, found in arrays
    ]
    if len(rows) > MOST_ROWS:
        told = [(path, cells) for path, cells in rows if set(cells) != {"ok"}]
        if others := len(rows) - len(told):
            rows = [
                *told,
                (f"{'and ' if told else ''}{count(others, 'arrays')}{' more' if told else ''}", ["ok"] * len(wanted)),
            ]
    yield from staircase(heads, rows)
    shown = {sign for _, cells in rows for sign in cells}
    yield ""
    yield "; ".join(f"{sign.strip()} {said}" for sign, said in SIGNS.items() if sign in shown) + "."
    causes = list(_causes(arrays))
    yield from causes
    yield from ([""] if misreadings and not causes else [])
    yield from _misread(misreadings)
    if by_default:
        absent = [name for name in READERS if name in matrix.marks and name not in wanted]
        lacks = {name: [n for n in (2, 3) if not matrix.reads(name, [f"format:{n}"])] for name in absent}
        for n in (2, 3):
            if these := [name for name in absent if n in lacks[name]]:
                yield f"Not asked: {names(these)}, which {'read' if len(these) > 1 else 'reads'} no Zarr {n}."
        yield f"By the matrix of {matrix.data['date']}. Other readers: --for NAME,NAME or --for all."


def _sign(reader: str, asked: list[str], found: list[Finding], seen: str) -> str:
    outcomes = {finding.outcome for finding in found if finding.reader == reader}
    if not asked:  # this library does not open it either
        return "no" if seen else "? "
    if reader not in asked:
        return "- "
    return (
        "no"
        if seen == "refused"
        else "!!"
        if seen or "wrong" in outcomes
        else "no"
        if outcomes - {"untested"}
        else "? "
        if outcomes
        else "ok"
    )


def _causes(arrays: Arrays) -> Iterator[str]:
    """Each cause once: what it is, who does not have it, where it is, what to do."""
    causes: dict[tuple[tuple[str, ...], str], list[tuple[str, Finding]]] = {}
    for path, _, told in arrays:
        for finding in told:
            kind = finding.outcome if finding.outcome in ("wrong", "untested") else "refused"
            causes.setdefault((finding.elements, kind), []).append((plain(path or "the array"), finding))
    for (elements, kind), found in sorted(
        causes.items(), key=lambda cause: (cause[0][1] == "untested", -len(cause[1]))
    ):
        who = sorted({finding.reader for _, finding in found})
        several, what = len(who) > 1, " with ".join(map(words, elements))
        does = {
            "wrong": f"{'read' if several else 'reads'} other values, without an error",
            "untested": f"{'were' if several else 'was'} never tried with it",
        }.get(kind, f"{'do' if several else 'does'} not read it")
        where = list(dict.fromkeys(path for path, _ in found))
        inside = (
            names(where, 3) if len(where) < len(arrays) or len(arrays) == 1 else f"all {count(len(arrays), 'arrays')}"
        )
        yield ""
        yield f"{what[0].upper()}{what[1:]}: {names(who)} {does}. In {inside}."
        for change, alone in _changes(found).items():
            yield f"    try: {change}" + (f", for {names(alone)} alone" if alone else "")
    if causes:
        yield ""


def _changes(found: list[tuple[str, Finding]]) -> dict[str, list[str]]:
    """What to try; and for each such change the readers for which alone it is a help, if it is not one for all."""
    changes: dict[str, list[str]] = {}
    for _, finding in found:
        change = finding.change.removesuffix(f", for {finding.reader} alone")
        if change:
            alone = changes.setdefault(change, [])
            if change != finding.change and finding.reader not in alone:
                alone.append(finding.reader)
    return changes


def _misread(misreadings: list[misread.Misreading]) -> Iterator[str]:
    """Each misreading once: what is so, who makes what of it, what cures it."""
    kinds: dict[tuple[str, str], list[misread.Misreading]] = {}
    for one in misreadings:
        kinds.setdefault((one.rule, one.problem), []).append(one)
    for alike in kinds.values():
        first, where = alike[0], [plain(one.array or "the array") for one in alike]
        yield f"{names(where, 3)}: {plain(first.problem)}."
        yield from (f"    {each.reader} {each.version} {each.sees}" for each in first.seen)
        does = "; --fix --measured does it" if first.fix and first.fix.asks else "; --fix does it" if first.fix else ""
        yield f"    try: {first.cure}{does}"
        yield ""
