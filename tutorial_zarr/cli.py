"""The command line: look into a store, run the gallery, check an installation.

    tutorial-zarr info PATH     what an array or a group is, and what it takes on the disk
    tutorial-zarr tree PATH     the groups and arrays below a group
    tutorial-zarr gallery ...   list, run, build and check the notebooks
    tutorial-zarr check         versions, codecs, and how to get what is missing

With ``--json`` a command prints one JSON document on standard output and nothing else. What is wrong is said
on standard error, a sentence each. The exit code is 0 when all is well, 1 when there is a problem, 2 when the
command itself was wrong.

`describe`, `hierarchy` and `installation` make the reports as plain data; click parses the command and rich
lays the report out, and neither is imported before a command runs. What a notebook is, and how it runs, is in
`gallery`.

>>> import tutorial_zarr as zarr
>>> report = describe(zarr.array([[1, 2], [3, 4]], dtype="uint8", compressors=None))
>>> report["shape"], report["dtype"], [codec["name"] for codec in report["codecs"]]
([2, 2], 'uint8', ['bytes'])
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import gallery
from tutorial_zarr.codecs import registry
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec
from tutorial_zarr.errors import MetadataError, MissingDependencyError, ZarrError
from tutorial_zarr.gallery.catalogue import select
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import plain
from tutorial_zarr.nodes import ZarrWarning

PROGRAM = "tutorial-zarr"


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        import click
        import rich  # noqa: F401 - found missing here rather than in the middle of a command
    except ModuleNotFoundError as missing:
        complain(
            f"the command line needs the package {missing.name}, which is not installed; "
            'try: python -m pip install "tutorial_zarr[cli]"'
        )
        return 2
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ZarrWarning)
            code = _commands(click).main(argv, prog_name=PROGRAM, standalone_mode=False) or 0
        for warning in caught:
            complain(str(warning.message))
        return 1 if any(issubclass(warning.category, ZarrWarning) for warning in caught) else code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        complain("stopped")
        return 130
    except (ZarrError, OSError) as error:
        complain(str(error))
        return 1


def complain(sentence: str) -> None:
    """Say on standard error what is wrong."""
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)


def _commands(click: Any) -> Any:
    """The table of commands: names, parameters, and the functions below that carry them out."""

    def command(name: str, action: Callable[..., int], *params: Any) -> Any:
        as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON and nothing else.")
        return click.Command(name, callback=action, params=[*params, as_json], help=action.__doc__)

    path = click.Argument(["path"])
    depth = click.Option(["--depth"], type=click.IntRange(min=0), help="Show so many levels; all by default.")
    ids = click.Argument(["ids"], nargs=-1)
    jobs = click.Option(["--jobs"], type=click.IntRange(min=1), default=1, help="Run so many at once.")
    full = click.Option(["--full"], is_flag=True, help="Use the large data instead of the quick ones.")
    zarr_format = click.Option(["--zarr-format"], type=click.Choice(["2", "3"]), help="Write this format.")
    out_dir = click.Option(["--out", "out_dir"], type=click.Path(), help="Keep the results in this folder.")
    notebooks = [
        command("list", _gallery_list),
        command("run", _gallery_run, ids, full, zarr_format, out_dir, jobs),
        command("build", _gallery_build, ids, jobs),
        command("check", _gallery_check, ids),
    ]
    commands = [
        command("info", _info, path),
        command("tree", _tree, path, depth),
        click.Group("gallery", commands=notebooks, help="List, run, build and check the notebooks."),
        command("check", _check),
    ]
    purpose = "Look into Zarr stores, run the gallery, check an installation."
    top = click.Group(PROGRAM, commands=commands, help=purpose)
    return click.version_option(zarr.__version__, prog_name=PROGRAM)(top)


# --- info and tree ------------------------------------------------------------------------------------------


def _info(path: str, as_json: bool) -> int:
    """Show what the array or group at PATH is.

    PATH is a folder or a zip file, and may lead on to a node inside it, as in plate.zip/A/1.
    """
    report = describe(open_node(path))
    if as_json:
        return _print_json(report)
    rows = [("path", path), ("type", f"{report['type']} (Zarr {report['zarr_format']})")]
    rows += _array_rows(report) if report["type"] == "array" else _group_rows(report)
    if report["attributes"]:
        rows.append(("attributes", json.dumps(report["attributes"], indent=2, ensure_ascii=False)))
    _print_rows(rows)
    return 0


def _tree(path: str, depth: int | None, as_json: bool) -> int:
    """Show the groups and arrays at and below PATH."""
    report = hierarchy(open_node(path), Path(path).name or path, depth)
    if as_json:
        return _print_json(report)
    from rich.text import Text
    from rich.tree import Tree

    def grow(node: dict[str, Any], parent: Tree | None = None) -> Tree:
        style = "bold" if node["type"] == "group" else ""
        label = Text.assemble((node["name"], style), "  ", (_line(node), "dim"))
        branch = Tree(label) if parent is None else parent.add(label)
        for child in node.get("members", ()):
            grow(child, branch)
        return branch

    _console().print(grow(report))
    return 0


def open_node(path: str) -> zarr.Array | zarr.Group:
    """The array or group at `path`, for reading; `path` may lead into a zip file."""
    for place in (Path(path), *Path(path).parents):
        if place.suffix == ".zip" and place.is_file():
            inside = Path(path).relative_to(place).as_posix()
            return zarr.open(str(place), mode="r", path="" if inside == "." else inside)
    return zarr.open(path, mode="r")


def describe(node: zarr.Array | zarr.Group) -> dict[str, Any]:
    """All that `info` tells about `node`, in types that JSON knows."""
    if isinstance(node, zarr.Group):
        members = [{"name": name, **_outline(member)} for name, member in node.members()]
        return {**_outline(node), "members": members, "attributes": plain(dict(node.attrs))}
    document = node.metadata.document
    stored = node.nbytes_stored()
    nbytes = None if node.metadata.data_type.item_size is None else node.nbytes  # unknown for text and objects
    return {
        **_outline(node),
        "data_type": plain(document.get("data_type", document.get("dtype"))),
        "dimension_names": plain(node.dimension_names),
        "codecs": _codecs(node),
        "fill_value": plain(document.get("fill_value")),
        "nchunks": node.nchunks,
        "nchunks_stored": node.nchunks_initialized,
        "nbytes": nbytes,
        "nbytes_stored": stored,
        "ratio": round(nbytes / stored, 3) if nbytes and stored else None,
        "attributes": plain(dict(node.attrs)),
    }


def hierarchy(node: zarr.Array | zarr.Group, name: str, depth: int | None = None) -> dict[str, Any]:
    """`node` and what is below it, `depth` levels deep, as nested dicts."""
    report = {"name": name, **_outline(node)}
    if isinstance(node, zarr.Group) and depth != 0:
        below = None if depth is None else depth - 1
        report["members"] = [hierarchy(member, child, below) for child, member in node.members()]
    return report


def _outline(node: zarr.Array | zarr.Group) -> dict[str, Any]:
    """What one line about `node` is made of; its metadata alone is asked."""
    outline = {"type": node.metadata.node_type, "zarr_format": node.zarr_format}
    if isinstance(node, zarr.Array):
        outline |= {"shape": plain(node.shape), "dtype": str(node.dtype), "chunks": plain(node.chunks)}
        outline["shards"] = plain(node.shards)
    return outline


def _codecs(array: zarr.Array) -> list[Any]:
    """The codecs in the order in which a chunk passes through them when it is written."""
    if array.zarr_format == 3:
        return array.metadata.document["codecs"]
    codecs: list[Any] = []
    for codec in array.codecs:
        name, configuration = codec.name.removeprefix("numcodecs."), codec.configuration
        if name == "v2_filters":  # one step to the library, several in the document
            for each in configuration["filters"]:
                settings = {key: value for key, value in each.items() if key != "id"}
                codecs.append({"name": each["id"], "configuration": settings})
        else:
            codecs.append({"name": name, "configuration": configuration})
    return codecs


def _array_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    stored, nbytes = report["nbytes_stored"], report["nbytes"]
    values = "values of any length" if nbytes is None else f"{_bytes(nbytes)} of values"
    same, held = report["dtype"] == report["data_type"], "shards that hold " if report["shards"] else ""
    return [
        ("shape", _shape(report["shape"], report["dimension_names"])),
        ("dtype", report["dtype"] + ("" if same else f", in the metadata {json.dumps(report['data_type'])}")),
        ("chunks", _shape(report["chunks"])),
        *([("shards", _shape(report["shards"]))] if report["shards"] else []),
        ("codecs", "\n".join(_codec_lines(report["codecs"])) or "none"),
        ("fill value", json.dumps(report["fill_value"])),
        ("stored", f"{held}{report['nchunks_stored']:,} of {report['nchunks']:,} chunks"),
        ("size", f"{_bytes(stored)} with the metadata, for {values}"),
        *([("ratio", f"{report['ratio']:,.4g}")] if report["ratio"] else []),
    ]


def _group_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [("members", "\n".join(f"{m['name']}  {_line(m)}" for m in report["members"]) or "none")]


def _line(outline: dict[str, Any]) -> str:
    if outline["type"] == "group":
        return "group"
    chunks = f"  chunks {_shape(outline['chunks'])}" if outline["shape"] else ""
    shards = f" in shards {_shape(outline['shards'])}" if outline["shards"] else ""
    return f"{_shape(outline['shape'])}  {outline['dtype']}{chunks}{shards}"


def _shape(lengths: list[Any], names: list[str | None] | None = None) -> str:
    """As NumPy prints a shape, with the names of the axes before their lengths."""
    if not names:
        return str(tuple(lengths))
    axes = [str(n) if name is None else f"{name} {n}" for n, name in zip(lengths, names, strict=True)]
    return f"({', '.join(axes)})"


def _bytes(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:,.4g} TiB"


def _codec_lines(codecs: list[Any], indent: str = "") -> list[str]:
    """A codec a line; those of the chunks inside a shard and of its index below it, indented."""
    lines = []
    for entry in codecs:
        codec = {"name": entry} if isinstance(entry, str) else entry  # v3 allows a bare name
        inside = {"codecs": "each chunk in it:", "index_codecs": "its index:"}
        settings = {key: value for key, value in codec.get("configuration", {}).items() if key not in inside}
        words = [codec["name"], *(f"{key}={json.dumps(value)}" for key, value in settings.items())]
        lines.append(indent + "  ".join(words))
        for key, title in inside.items():
            if key in codec.get("configuration", {}):
                lines += [f"{indent}  {title}", *_codec_lines(codec["configuration"][key], indent + "    ")]
    return lines


# --- gallery ------------------------------------------------------------------------------------------------


def _gallery_list(as_json: bool) -> int:
    """List the notebooks."""
    shown = ("id", "title", "level", "minutes", "question")
    notebooks = [
        {**{name: getattr(notebook, name) for name in shown}, "file": notebook.path.name}
        for notebook in gallery.list_notebooks()
    ]
    if as_json:
        return _print_json(notebooks)
    _print_table(shown, [tuple(str(notebook[name]) for name in shown) for notebook in notebooks])
    return 0


def _gallery_run(
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


def _gallery_build(ids: tuple[str, ...], jobs: int, as_json: bool) -> int:
    """Build the notebooks IDS, or all of them, from their sources: run them and store what they print."""
    with _progress(ids) as progress:
        results = gallery.build(ids or None, jobs=jobs, progress=progress)
    return _report_results(results, as_json)


def _gallery_check(ids: tuple[str, ...], as_json: bool) -> int:
    """Hold the notebooks IDS, or all of them, to their contract, without running them."""
    problems = gallery.check(ids or None)
    if as_json:
        _print_json(problems)
    elif problems:
        _print_table(tuple(problems[0]), [tuple(map(str, problem.values())) for problem in problems])
    else:
        _console().print("Every notebook keeps its contract.")
    return 1 if problems else 0


def _report_results(results: list[dict[str, Any]], as_json: bool) -> int:
    failed = [result for result in results if result["status"] != "ok"]
    if as_json:
        _print_json(results)
        return 1 if failed else 0
    rows = [(r["id"], r["title"], r["status"], f"{r['seconds']:.1f}", str(r["cells"])) for r in results]
    _print_table(("id", "notebook", "status", "seconds", "cells"), rows)
    for result in failed:
        cell = result["failed_cell"]
        where = f", cell {cell['number']} ({cell['source']})" if cell else ""
        complain(f"notebook {result['id']}{where}: {result['error']}")
    _console().print(f"{len(results) - len(failed)} of {len(results)} notebooks ran to the end.")
    return 1 if failed else 0


@contextmanager
def _progress(ids: tuple[str, ...]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar on standard error that moves with every cell, and a line for every notebook that is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    total = len(select(ids or None))
    with Progress(*columns, console=console, transient=True) as bar:
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
                console.print(done, markup=False, soft_wrap=True)

        yield show


# --- check --------------------------------------------------------------------------------------------------


def _check(as_json: bool) -> int:
    """Show which versions and codecs are here, what is missing, and how to get it."""
    report = installation()
    if as_json:
        _print_json(report)
        return 0 if report["ok"] else 1
    _print_rows([(name, version or "missing") for name, version in report["versions"].items()])
    said = {True: "yes", False: "no", None: "not tried"}
    _print_table(
        ("codec", "works", "what to do"),
        [(c["name"], said[c["works"]], c["install"] or c["problem"] or "") for c in report["codecs"]],
    )
    if report["extras"]:
        _print_table(
            ("extra", "missing", "to install it"),
            [(e["name"], ", ".join(e["missing"]) or "nothing", e["install"] or "") for e in report["extras"]],
        )
    else:
        _console().print("Extras: unknown, as tutorial_zarr is imported from a folder and not installed.")
    if report["ok"]:
        _console().print("The core is complete and works.")
    else:
        complain("the core is incomplete: install what is missing above")
    return 0 if report["ok"] else 1


LITTLE, BIG = ({"name": "bytes", "configuration": {"endian": endian}} for endian in ("little", "big"))
BACKWARDS = {"name": "transpose", "configuration": {"order": [1, 0]}}

# What a codec is tried on: a data type and a configuration. One that is not listed takes int32 as it is.
TRIALS: dict[str, tuple[str, dict[str, Any]]] = {
    "bitround": ("float32", {"keepbits": 10}),
    "bytes": ("int32", {"endian": "big"}),
    "cast_value": ("int32", {"data_type": "int8"}),
    "conditional": ("int32", {"codecs": [{"name": "gzip", "configuration": {"level": 1}}]}),
    "n5_default": ("int32", {"codecs": [BACKWARDS, BIG]}),
    "numcodecs.astype": ("int32", {"encode_dtype": "<i8"}),
    "numcodecs.bitround": ("float32", {"keepbits": 10}),
    "numcodecs.fixedscaleoffset": ("float64", {"offset": 0, "scale": 1, "dtype": "<f8", "astype": "<i2"}),
    "numcodecs.packbits": ("bool", {}),
    "numcodecs.quantize": ("float64", {"digits": 3, "dtype": "<f8"}),
    "numcodecs.zfpy": ("float64", {"mode": 4, "tolerance": 1e-6}),
    "packbits": ("bool", {}),
    "reshape": ("int32", {"shape": [[0, 1]]}),
    "sharding_indexed": ("int32", {"chunk_shape": [2, 4], "codecs": [LITTLE]}),
    "transpose": ("int32", BACKWARDS["configuration"]),
    "vlen-bytes": ("bytes", {}),
    "vlen-utf8": ("string", {}),
    "zfp": ("float64", {"mode": "reversible"}),
}


def installation() -> dict[str, Any]:
    """All that `check` tells: versions, codecs, extras, and whether the core is complete and works."""
    packages = ("numpy", "numcodecs", "google-crc32c")
    versions = {"tutorial_zarr": zarr.__version__, "python": platform.python_version()}
    versions |= {name: _version(name) for name in packages}
    codecs = [_try_codec(name) for name in registry.names() if name != "endian"]  # an old name of "bytes"
    optional = [c for c in codecs if c["install"] and not c["install"].endswith(packages)]
    return {
        "ok": None not in versions.values() and all(c["works"] is not False or c in optional for c in codecs),
        "versions": versions,
        "codecs": codecs,
        "extras": _extras(),
    }


def _try_codec(name: str) -> dict[str, Any]:
    """Write a small array with one codec and read it back. `works` is None where it could not be tried."""
    dtype, configuration = TRIALS.get(name, ("int32", {}))
    result = {"name": name, "works": False, "install": None, "problem": None}
    values = np.arange(16).reshape(4, 4) % 2
    if dtype in ("bytes", "string"):
        values = np.array([b"0", b"1"] if dtype == "bytes" else ["0", "1"], object)[values]
    try:
        codec = registry.build(Extension(name, configuration))
        before = [] if isinstance(codec, ArrayBytesCodec) else [LITTLE]
        chain = [codec, *before] if isinstance(codec, ArrayArrayCodec) else [*before, codec]
        array = zarr.create_array({}, shape=(4, 4), chunks=(4, 4), dtype=dtype, codecs=chain)
        array[...] = values
        result["works"] = bool((array[...] == values).all())
        result["problem"] = None if result["works"] else "reads back other values than were written"
    except MissingDependencyError as error:
        result["install"] = str(error).rpartition("try: ")[2]
    except MetadataError as error:  # somebody's own codec may want a configuration that cannot be guessed here
        result["works"] = False if name in TRIALS else None
        result["problem"] = str(error)
    except Exception as error:  # whatever it is, it is the finding
        result["problem"] = f"{type(error).__name__}: {error}"
    return result


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extras() -> list[dict[str, Any]]:
    """The extras that the installed package declares, and which of their packages are missing."""
    try:
        requirements = importlib.metadata.requires("tutorial_zarr") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    packages: dict[str, list[str]] = {}
    for requirement in requirements:
        extra = re.search(r"extra == ['\"]([\w-]+)", requirement)
        below = re.search(r"python_version < ['\"]3\.(\d+)", requirement)
        if extra and not (below and sys.version_info[1] >= int(below[1])):
            packages.setdefault(extra[1], []).append(re.match(r"[\w.-]+", requirement)[0])
    extras = []
    for name, needed in packages.items():
        missing = [package for package in needed if _version(package) is None]
        install = f'python -m pip install "tutorial_zarr[{name}]"' if missing else None
        extras.append({"name": name, "missing": missing, "install": install})
    return extras


# --- printing -----------------------------------------------------------------------------------------------


def _console() -> Any:
    from rich.console import Console

    # Lines that go into a file or a pipe are as long as they are.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def _print_json(report: Any) -> int:
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0


def _print_rows(rows: list[tuple[str, str]]) -> None:
    """Names and values."""
    from rich.text import Text

    console, width = _console(), max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        indented = value.replace("\n", "\n" + " " * width)
        console.print(Text.assemble((name.ljust(width), "bold"), indented), soft_wrap=True)


def _print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE, show_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    _console().print(table)
