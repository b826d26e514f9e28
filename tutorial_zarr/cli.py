"""The command line: look into a store, run the gallery, check an installation.

    tutorial-zarr info PATH     what an array or a group is, and what it takes on the disk
    tutorial-zarr tree PATH     the groups and arrays below a group
    tutorial-zarr gallery ...   list, run, build and check the notebooks
    tutorial-zarr check         versions, codecs, and how to get what is missing

With ``--json`` a command prints one JSON document on standard output and nothing else. A problem is one sentence
on standard error. The exit code is 0 when all is well, 1 when there is a problem, 2 when the command was wrong.

The reports (`describe`, `hierarchy`, `installation`) are plain data; click parses the command and rich lays the
report out, and neither is imported before a command runs. What a notebook is and how it runs lives in `gallery`.

>>> import tutorial_zarr as zarr
>>> report = describe(zarr.array([[1, 2], [3, 4]], dtype="uint8", compressors=None))
>>> report["shape"], report["dtype"], [codec["name"] for codec in report["codecs"]]
([2, 2], 'uint8', ['bytes'])
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.errors import MissingDependencyError, ZarrError

PROGRAM = "tutorial-zarr"


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        import click
        import rich  # noqa: F401 - found missing here rather than in the middle of a command
    except ModuleNotFoundError as missing:
        print(
            f"{PROGRAM}: the command line needs the package {missing.name!r}, which is not installed; "
            'try: python -m pip install "tutorial_zarr[cli]"',
            file=sys.stderr,
        )
        return 2
    try:
        return _commands(click).main(argv, prog_name=PROGRAM, standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        print(f"{PROGRAM}: stopped", file=sys.stderr)
        return 130
    except (ZarrError, OSError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1


def _commands(click: Any) -> Any:
    """The table of commands."""

    def command(name: str, action: Any, *params: Any) -> Any:
        as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON and nothing else.")
        return click.Command(name, callback=action, params=[*params, as_json], help=action.__doc__)

    path = click.Argument(["path"], type=click.Path())
    depth = click.Option(["--depth"], type=click.IntRange(min=0), help="How many levels to show; all by default.")
    ids = click.Argument(["ids"], nargs=-1)
    gallery = click.Group(
        "gallery",
        help="The notebooks.",
        commands=[
            command("list", _gallery_list),
            command(
                "run",
                _gallery_run,
                ids,
                click.Option(["--full"], is_flag=True, help="Use the large data instead of the quick ones."),
                click.Option(["--zarr-format"], type=click.Choice(["2", "3"]), help="Write this format."),
                click.Option(["--out", "out_dir"], type=click.Path(), help="Keep the results in this folder."),
                click.Option(["--jobs"], type=click.IntRange(min=1), default=1, help="Run so many at once."),
            ),
            command("build", _gallery_build, ids),
            command("check", _gallery_check, ids),
        ],
    )
    top = click.Group(
        PROGRAM,
        help="Look into Zarr stores, run the gallery of notebooks, check an installation.",
        commands=[command("info", _info, path), command("tree", _tree, path, depth), gallery, command("check", _check)],
    )
    return click.version_option(zarr.__version__, prog_name=PROGRAM)(top)


# --- info and tree ---------------------------------------------------------------------------------------------


def _info(path: str, as_json: bool) -> int:
    """What the array or group at PATH is.

    PATH may go on below a zip file, as in plate.zip/A/1.
    """
    report = describe(open_node(path))
    if as_json:
        return _print_json(report)
    rows = [("path", path), ("type", f"{report['type']} (Zarr {report['zarr_format']})")]
    if report["type"] == "array":
        rows += [
            ("shape", _shape(report["shape"], report["dimension_names"])),
            ("dtype", report["dtype"]),
            ("chunks", _shape(report["chunks"])),
            *([("shards", _shape(report["shards"]))] if report["shards"] else []),
            ("codecs", "\n".join(_codec_lines(report["codecs"]))),
            ("fill value", json.dumps(report["fill_value"])),
            ("stored", f"{report['objects_stored']:,} of {report['objects']:,} {report['object']}"),
            ("bytes", f"{_bytes(report['nbytes_stored'])} stored for {_bytes(report['nbytes'])} of values"),
            ("ratio", "nothing stored" if report["ratio"] is None else f"{report['ratio']:.4g}"),
        ]
    else:
        rows.append(("members", "\n".join(f"{m['name']}  {m['summary']}" for m in report["members"]) or "none"))
    if report["attributes"]:
        rows.append(("attributes", json.dumps(report["attributes"], indent=2, ensure_ascii=False)))
    return _print_rows(rows)


def _tree(path: str, depth: int | None, as_json: bool) -> int:
    """The groups and arrays at and below PATH."""
    report = hierarchy(open_node(path), Path(path).name or path, depth)
    if as_json:
        return _print_json(report)
    from rich.text import Text
    from rich.tree import Tree

    def grow(node: dict[str, Any], parent: Tree | None) -> Tree:
        label = Text.assemble((node["name"], "bold" if node["type"] == "group" else ""), "  ", (node["summary"], "dim"))
        branch = Tree(label) if parent is None else parent.add(label)
        for child in node.get("members", ()):
            grow(child, branch)
        return branch

    _console().print(grow(report, None))
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
    report = {"type": node.metadata.node_type, "zarr_format": node.metadata.zarr_format, "path": node.path}
    if isinstance(node, zarr.Group):
        members = [{"name": name, **_summary(member)} for name, member in sorted(node.members())]
        return {**report, "members": members, "attributes": dict(node.attrs)}
    stored, nbytes_stored = node.nchunks_initialized, node.nbytes_stored()
    return {
        **report,
        "shape": list(node.shape),
        "dimension_names": node.dimension_names and list(node.dimension_names),
        "dtype": _dtype(node),
        "chunks": list(node.chunks),
        "shards": node.shards and list(node.shards),
        "codecs": [{"name": c.name, "configuration": c.configuration} for c in node.metadata.codecs],
        "fill_value": node.metadata.document.get("fill_value"),
        "attributes": dict(node.attrs),
        "nbytes": node.nbytes,
        "nbytes_stored": nbytes_stored,
        "objects": math.prod(node.cdata_shape),
    }


def hierarchy(node: zarr.Array | zarr.Group, name: str, depth: int | None = None) -> dict[str, Any]:
    """`node` and what is below it, `depth` levels deep, as nested dicts."""
    report = {"name": name, **_summary(node)}
    if isinstance(node, zarr.Group) and depth != 0:
        below = None if depth is None else depth - 1
        report["members"] = [hierarchy(member, child, below) for child, member in sorted(node.members())]
    return report


def _summary(node: zarr.Array | zarr.Group) -> dict[str, Any]:
    """One line about `node`, from its metadata alone."""
    if isinstance(node, zarr.Group):
        return {"type": "group", "summary": f"Zarr {node.metadata.zarr_format} group"}
    chunks = f", shards {_shape(node.shards)}" if node.shards else ""
    return {"type": "array", "summary": f"{_shape(node.shape)} {_dtype(node)}, chunks {_shape(node.chunks)}{chunks}"}


def _shape(lengths: Any, names: Any = None) -> str:
    """``365 x 73``, or ``time 365 x lat 73``."""
    if not lengths:
        return "scalar"
    names = names or [None] * len(lengths)
    return " x ".join(f"{name} {length}" if name else str(length) for name, length in zip(names, lengths, strict=True))


def _bytes(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} TiB"


def _codec_lines(codecs: list[Any], indent: str = "") -> list[str]:
    """A codec a line, in the order in which they encode; the ones inside a shard below it, indented."""
    lines = []
    for codec in codecs:
        codec = {"name": codec} if isinstance(codec, str) else codec
        configuration = dict(codec.get("configuration", {}))
        inner = {key: configuration.pop(key) for key in ("codecs", "index_codecs") if key in configuration}
        settings = ", ".join(f"{key}={json.dumps(value)}" for key, value in configuration.items())
        lines.append(f"{indent}{codec['name']}" + (f"  {settings}" if settings else ""))
        for key, below in inner.items():
            lines += [f"{indent}  {'index' if key == 'index_codecs' else 'chunks'}:", *_codec_lines(below, indent + "    ")]
    return lines


# --- check -----------------------------------------------------------------------------------------------------


def _check(as_json: bool) -> int:
    """Which versions and codecs are here, what is missing, and how to get it."""
    report = installation()
    if as_json:
        _print_json(report)
        return 0 if report["ok"] else 1
    _print_rows([(name, version or "missing") for name, version in report["versions"].items()])
    _print_table(
        "Codecs",
        ("codec", "in Zarr v3", "works"),
        [(c["name"], c["v3_name"], "yes" if c["works"] else c["install"] or c["problem"]) for c in report["codecs"]],
    )
    _print_table(
        "Extras",
        ("extra", "missing", "to install it"),
        [(e["name"], ", ".join(e["missing"]) or "nothing", e["install"] or "") for e in report["extras"]],
    )
    _console().print("All is well." if report["ok"] else "Something that the core needs is missing or does not work.")
    return 0 if report["ok"] else 1


# What a codec is tried on: a data type and a configuration. The others take int32 and need no configuration.
TRIALS: dict[str, tuple[str, dict[str, Any]]] = {
    "bytes": ("int32", {"endian": "big"}),
    "numcodecs.astype": ("int32", {"encode_dtype": "<i8"}),
    "numcodecs.bitround": ("float32", {"keepbits": 10}),
    "numcodecs.fixedscaleoffset": ("float64", {"offset": 0, "scale": 1, "dtype": "<f8", "astype": "<i2"}),
    "numcodecs.packbits": ("bool", {}),
    "numcodecs.quantize": ("float64", {"digits": 3, "dtype": "<f8"}),
    "numcodecs.shuffle": ("int32", {"elementsize": 4}),
    "numcodecs.zfpy": ("float64", {"mode": 4, "tolerance": 0.01}),
    "sharding_indexed": ("int32", {"chunk_shape": [2, 4], "codecs": [{"name": "bytes"}], "index_codecs": [{"name": "bytes"}]}),
    "transpose": ("int32", {"order": [1, 0]}),
    "vlen-bytes": ("bytes", {}),
    "vlen-utf8": ("string", {}),
}


def installation() -> dict[str, Any]:
    """All that `check` tells: versions, codecs, extras, and whether what the core needs is there and works."""
    names = ("tutorial_zarr", "numpy", "numcodecs", "google-crc32c")
    versions = {"python": platform.python_version(), **{name: _version(name) for name in names}}
    versions["tutorial_zarr"] = zarr.__version__
    known = registry.names()
    # A codec that has a name of its own in v3 may be listed under numcodecs' name too; v2_filters is a chain of others.
    twice = {f"numcodecs.{name}" for name in known} | {"v2_filters"}
    codecs = [_try_codec(name) for name in known if name not in twice]
    broken = [codec for codec in codecs if not (codec["works"] or codec["install"])]
    return {
        "ok": not broken and None not in versions.values(),
        "versions": versions,
        "codecs": codecs,
        "extras": _extras(),
    }


def _try_codec(name: str) -> dict[str, Any]:
    """Write and read back a small array with one codec."""
    data_type, configuration = TRIALS.get(name, ("int32", {}))
    values = np.arange(16).reshape(4, 4) % 2
    data = values.astype("S1").astype(object) if data_type == "bytes" else values.astype("U1" if data_type == "string" else data_type)
    report = {"name": name.removeprefix("numcodecs."), "v3_name": name, "works": False, "install": None, "problem": None}
    codec = {"name": name, "configuration": configuration}
    kind = registry.build(Extension(name, configuration))
    try:
        array = zarr.create_array({}, shape=(4, 4), chunks=(4, 4), dtype=data_type, codecs=codecs)
        array[...] = data
        report["works"] = bool((array[...] == data).all())
        report["problem"] = None if report["works"] else "reads back other values than were written"
    except MissingDependencyError as error:
        report["install"] = str(error).rpartition("try: ")[2]
    except ZarrError as error:
        report["problem"] = str(error)
    return report


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _extras() -> list[dict[str, Any]]:
    """The extras that this distribution declares, and which of their packages are missing."""
    try:
        requirements = importlib.metadata.requires("tutorial_zarr") or []
    except importlib.metadata.PackageNotFoundError:  # imported from a folder, not installed
        return []
    needs: dict[str, list[str]] = {}
    for requirement in requirements:
        package, extra = re.match(r"[\w.-]+", requirement)[0], re.search(r"extra == ['\"]([\w-]+)", requirement)
        below = re.search(r"python_version < ['\"]3\.(\d+)", requirement)
        if extra and not (below and sys.version_info[1] >= int(below[1])):
            needs.setdefault(extra[1], []).append(package)
    report = []
    for name, packages in needs.items():
        missing = [package for package in packages if _version(package) is None]
        install = f'python -m pip install "tutorial_zarr[{name}]"' if missing else None
        report.append({"name": name, "missing": missing, "install": install})
    return report


# --- printing --------------------------------------------------------------------------------------------------


def _console() -> Any:
    from rich.console import Console

    # Into a file or a pipe, lines are as long as they are.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def _print_json(report: Any) -> int:
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0


def _print_rows(rows: list[tuple[str, str]]) -> int:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for label, value in rows:
        table.add_row(Text(label, "bold"), Text(value))
    _console().print(table)
    return 0
