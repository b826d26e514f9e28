"""``tutorial-zarr check``: which versions and codecs are here, what is missing, and how to get it.

`installation` makes the report as plain data.

>>> report = installation()
>>> sorted(report)
['codecs', 'extras', 'ok', 'others', 'versions']
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.codecs import registry
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec
from tutorial_zarr.errors import MetadataError, MissingDependencyError
from tutorial_zarr.metadata import Extension

from .output import complain, json_option, print_json, print_rows, print_table, print_text

# What people use beside this library, and ask about together with it.
OTHERS = ("zarr", "xarray", "dask", "h5netcdf", "tensorstore", "ome-zarr", "anndata", "jupyterlab", "papermill")


def command(click: Any) -> Any:
    """The click command."""
    return click.Command("check", params=[json_option(click)], callback=check, help=check.__doc__)


def check(as_json: bool) -> int:
    """Show which versions and codecs are here, what is missing, and how to get it."""
    report = installation()
    if as_json:
        print_json(report)
        return 0 if report["ok"] else 1
    versions = {**report["versions"], **report["others"]}
    print_rows([(name, version or "missing") for name, version in versions.items()])
    said = {True: "yes", False: "no", None: "not tried"}
    print_table(
        ("codec", "works", "what to do"),
        [(c["name"], said[c["works"]], c["install"] or c["problem"] or "") for c in report["codecs"]],
    )
    if report["extras"]:
        print_table(
            ("extra", "missing", "to install it"),
            [(e["name"], ", ".join(e["missing"]) or "nothing", e["install"] or "") for e in report["extras"]],
        )
    else:
        print_text("Extras: unknown, as tutorial_zarr is imported from a folder and not installed.")
    if report["ok"]:
        print_text("The core is complete and works.")
    else:
        complain("the core is incomplete: install what is missing above")
    return 0 if report["ok"] else 1


LITTLE, BIG = ({"name": "bytes", "configuration": {"endian": endian}} for endian in ("little", "big"))
BACKWARDS: dict[str, Any] = {"name": "transpose", "configuration": {"order": [1, 0]}}

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
    versions: dict[str, str | None] = {"tutorial_zarr": zarr.__version__, "python": platform.python_version()}
    versions |= {name: _version(name) for name in packages}
    codecs = [_try_codec(name) for name in registry.names() if name != "endian"]  # an old name of "bytes"
    optional = [c for c in codecs if c["install"] and not c["install"].endswith(packages)]
    return {
        "ok": None not in versions.values() and all(c["works"] is not False or c in optional for c in codecs),
        "versions": versions,
        "others": {name: version for name in OTHERS if (version := _version(name)) is not None},
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
        extra, package = re.search(r"extra == ['\"]([\w-]+)", requirement), re.match(r"[\w.-]+", requirement)
        bounds = re.findall(r"python_version (<|>=) ['\"]3\.(\d+)", requirement)
        if extra and package and all((sys.version_info[1] >= int(minor)) == (sign == ">=") for sign, minor in bounds):
            packages.setdefault(extra[1], []).append(package[0])
    extras = []
    for name, needed in packages.items():
        missing = [package for package in needed if _version(package) is None]
        install = f'python -m pip install "tutorial_zarr[{name}]"' if missing else None
        extras.append({"name": name, "missing": missing, "install": install})
    return extras
