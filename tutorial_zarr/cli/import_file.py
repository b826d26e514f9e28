"""``tutorial-zarr import``: NetCDF and HDF5 files as Zarr. What is copied, and how, is in `netcdf`.

>>> lengths(("time=24", "lat=100"))
{'time': 24, 'lat': 100}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.cli.output import json_option, print_json, print_rows
from tutorial_zarr.cli.plans import following
from tutorial_zarr.errors import NodeExistsError, NodeNotFoundError
from tutorial_zarr.integrations.xarray_backend.netcdf import from_netcdf
from tutorial_zarr.stores.secrets import public
from tutorial_zarr.words import plain, size_text

LEFT = (
    "what STORE held is there as it was, and no reader sees the copy before it is whole. The same command finishes it"
)


def command(click: Any) -> Any:
    """The click command."""

    def by_dimension(context: Any, option: Any, given: tuple[str, ...]) -> dict[str, int] | None:
        try:
            return lengths(given) or None
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    params = [
        click.Argument(["file"], type=click.Path(exists=True, dir_okay=False)),
        click.Argument(["store"], type=click.Path()),
        click.Option(
            ["--chunks"], multiple=True, metavar="DIM=LENGTH", callback=by_dimension, help="The chunks' length; repeat."
        ),
        click.Option(["--chunks-of-the-file", "as_file"], is_flag=True, help="Chunks as the file has them."),
        click.Option(
            ["--shards"], multiple=True, metavar="DIM=LENGTH", callback=by_dimension, help="The shards' length; repeat."
        ),
        click.Option(["--zarr-format"], type=click.Choice(["2", "3"]), default="3", show_default=True),
        click.Option(["--consolidated"], is_flag=True, help="Gather the metadata in one document."),
        click.Option(["--overwrite"], is_flag=True, help="Replace what is in STORE, once the copy is complete."),
        click.Option(["--skip"], multiple=True, metavar="NAME", help="Leave a variable out; repeat."),
        json_option(click),
    ]
    return click.Command("import", params=params, callback=import_, help=import_.__doc__)


def import_(
    file: str,
    store: str,
    chunks: dict[str, int] | None,
    as_file: bool,
    shards: dict[str, int] | None,
    zarr_format: str,
    consolidated: bool,
    overwrite: bool,
    skip: tuple[str, ...],
    as_json: bool,
) -> int:
    """Copy FILE, NetCDF or HDF5 with all its groups, into the new STORE.

    Values are copied as they are stored: packed ones stay packed, times stay numbers with their units. No reader sees a
    copy that was stopped or killed; the same command finishes it, and does not write again what is there.
    """
    if not overwrite:
        _refuse_what_is_there(store)
    with following(plain(Path(file).name), LEFT, unit="bytes") as progress:
        from_netcdf(
            file,
            store,
            chunks="file" if as_file else chunks or "auto",
            shards=shards,
            mode="w" if overwrite else "w-",
            zarr_format=int(zarr_format),
            consolidated=consolidated,
            skip=skip,
            progress=progress,
        )
    root = zarr.open_group(store, mode="r")
    members = [node for _, node in root.members(max_depth=None)]
    arrays = [node for node in members if isinstance(node, zarr.Array)]
    report = {
        "store": public(store),
        "arrays": len(arrays),
        "groups": len(members) - len(arrays),
        "bytes": sum(array.nbytes for array in arrays),
        "bytes_stored": sum(array.nbytes_stored() for array in arrays),
    }
    if as_json:
        return print_json(report)
    sizes = ("bytes", "bytes_stored")
    print_rows(
        [
            (name.replace("_", " "), size_text(value) if name in sizes and isinstance(value, int) else str(value))
            for name, value in report.items()
        ]
    )
    return 0


def _refuse_what_is_there(store: str) -> None:
    """Say it in the words of the command line."""
    try:
        zarr.open(store, mode="r")
    except NodeNotFoundError:
        return
    raise NodeExistsError(f"{store}: expected nothing there, found a Zarr store; try --overwrite, or another STORE")


def lengths(given: tuple[str, ...]) -> dict[str, int]:
    """Lengths by dimension from ``DIM=LENGTH``."""
    found = {}
    for text in given:
        dimension, _, length = text.partition("=")
        if not dimension or not length.isdecimal() or int(length) < 1:
            raise ValueError(f"expected a dimension and a length of at least 1, such as time=24; found {text!r}")
        found[dimension] = int(length)
    return found
