"""`from_netcdf`: HDF5 and NetCDF files as Zarr, value by value.

The file is read through xarray without decoding, so packed values stay packed, times stay numbers with their units,
and what the file says of a variable becomes its attributes. Values are copied a few write units at a time: a file
need not fit into memory, and dask is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import xarray as xr
from xarray import Dataset, Variable

from tutorial_zarr import nodes, replacing
from tutorial_zarr.errors import MetadataError, MissingDependencyError, ValueMismatchError, nearest
from tutorial_zarr.integrations.dask_arrays import slabs
from tutorial_zarr.integrations.xarray_backend import transaction
from tutorial_zarr.integrations.xarray_backend.datastore import DataStore
from tutorial_zarr.metadata import dump_json, parse_json
from tutorial_zarr.metadata.model import keep_constants
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.stores.place import file_location
from tutorial_zarr.words import some

_UNDECODED = dict.fromkeys(  # each by its name: decode_cf=False is not passed on to groups
    ("mask_and_scale", "decode_times", "concat_characters", "decode_coords", "decode_timedelta"), False
)
COPY_BYTES = 1 << 26  # read at once, or one write unit where that is more


def from_netcdf(
    path: Any,
    store: Any,
    *,
    chunks: Any = "auto",
    shards: Any = None,
    compressors: Any = "auto",
    mode: str = "w-",
    zarr_format: int = 3,
    consolidated: bool = False,
    engine: str | None = None,
    skip: Iterable[str] = (),
    progress: Progress = None,
) -> DataStore:
    """Copy a NetCDF or HDF5 file, with all its groups, to `store`, and return that.

    chunks        the chunk shape of every variable: ``"auto"``; ``"file"`` for that of the file; or lengths by
                  dimension, ``{"time": 24}``, where dimensions that are not named are whole
    shards        lengths by dimension of the stored objects that hold several chunks, or None
    consolidated  whether to gather the metadata in one document at the end
    engine        how xarray reads the file: ``h5netcdf``, ``netcdf4``, ``scipy``; None lets it choose
    skip          paths of variables to leave out: ``"time"``, ``"group/time"``
    progress      as everywhere, in bytes

    A `store` that is there with ``mode="w"`` stays as it is until the copy is complete, and no reader sees a copy
    before that. One that is cut short leaves what it has written, if that is more than 32 MiB, behind a mark: the same
    call for the same file goes on with it, and any other begins anew. What is less is taken back, or written again.
    HDF5 that is not NetCDF has no named dimensions; they are called ``phony_dim_0`` and so on.
    """
    if mode not in ("w", "w-"):
        raise ValueError(f"mode: expected 'w-' for a new store or 'w' to delete what is there, found {mode!r}")
    target = DataStore.open_group(store, mode, zarr_format=zarr_format, consolidate_on_close=consolidated)
    groups: dict[str, Dataset] = {}
    try:
        groups = _open_groups(path, engine)
        for what, lengths in (("chunks", chunks), ("shards", shards)):
            _check_dimensions(what, lengths, groups)
        left_out, plans = {name.strip("/") for name in skip}, []
        for name, dataset in groups.items():
            variables = {
                key: _laid_out(variable, chunks, shards, compressors)
                for key, variable in dataset.variables.items()
                if f"{name}/{key}".strip("/") not in left_out
            }
            place = target if name == "/" else target.child(name)
            plans.append((place, *place.plan(variables, keep_constants(dataset.attrs), set(variables), encoded=True)))
        _check_skipped(left_out, groups)
        action, file = f"import {os.path.basename(path)}", os.stat(path)
        about = repr((file_location(os.path.abspath(path)), file.st_size, file.st_mtime_ns, COPY_BYTES))
        made = transaction.makings(plans, action, about)
        new, left = made[target.path].replacement, made[target.path].left
        total = sum(write.variable.nbytes for _, writes, _ in plans for write in writes)
        with meter(progress, total, action, "bytes") as advance:
            if replacing.resume(new.store, new.node, new.documents, about):
                advance(total)
            else:
                journal = _Journal(new, goes_on=left is not None)
                with transaction.begun(plans, made=made) as ready, journal:
                    for write, array, _ in ready:
                        for number, slab in enumerate(slabs(array, COPY_BYTES)):
                            piece = write.variable[slab]
                            if number >= journal.done.get(array.path, 0):
                                array[slab] = piece.values
                                journal.add(array.path, piece.nbytes)
                            advance(piece.nbytes)
        target.finish()
        return target
    finally:
        target.close()
        for dataset in groups.values():
            dataset.close()


class _Journal:
    """How many pieces of each array are written, beside the mark: by that the same call goes on after a kill."""

    def __init__(self, new: replacing.Replacement, goes_on: bool) -> None:
        self.new, self.key = new, nodes.join(new.node, nodes.JOURNAL)
        self.done: dict[str, int] = {}
        self.untold = 0  # bytes written since it was
        with suppress(MetadataError):  # who cannot read it begins anew
            data = nodes.read_document(new.store, self.key) if goes_on else None
            known = {} if data is None else parse_json(data, self.key)
            pieces = known.get("pieces")
            if (
                known.get("what") == new.mark.what
                and isinstance(pieces, dict)
                and {*map(type, pieces.values())} == {int}
            ):
                self.done, new.resumes, new.keeps = pieces, True, True

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is not None and self.new.keeps:
            self._tell()

    def add(self, path: str, nbytes: int) -> None:
        """Note that the next piece of an array is written."""
        self.done[path] = self.done.get(path, 0) + 1
        self.untold += nbytes
        if (
            2 * self.untold >= COPY_BYTES and not self.new.store.holds_back
        ):  # what a zip file was given goes with a kill
            self._tell()

    def _tell(self) -> None:
        self.new.store.set(self.key, dump_json({"what": self.new.mark.what, "pieces": self.done}, self.key))
        self.new.keeps, self.untold = True, 0
        self.new.beat()


def _open_groups(path: Any, engine: str | None) -> dict[str, Dataset]:
    """The file's groups by path, undecoded; a file that has none is a dataset at ``/``."""
    name = os.fspath(path)
    if not os.path.exists(name):
        raise FileNotFoundError(f"{name}: expected a NetCDF or HDF5 file, found none")
    with open(name, "rb") as file:
        hdf5 = file.read(8) == b"\x89HDF\r\n\x1a\n"
    if engine is None:
        engine = "h5netcdf" if hdf5 else None
    options: dict[str, Any] = {"chunks": None, **_UNDECODED}
    if engine == "h5netcdf":
        options["phony_dims"] = "access"
    try:
        if hdf5:
            return dict(xr.open_groups(name, engine=engine, **options))
        return {"/": xr.open_dataset(name, engine=engine, **options)}
    except (ImportError, ValueError) as cause:
        known = ", ".join(xr.backends.list_engines())
        raise MissingDependencyError(
            f"{name}: expected a file that one of xarray's engines reads ({known}), found none that does: {cause}; "
            "try pip install 'tutorial_zarr[xarray]', or engine="
        ) from cause


def _check_dimensions(what: str, lengths: Any, groups: dict[str, Dataset]) -> None:
    """Refuse lengths of dimensions that the file does not have."""
    known = sorted({str(dim) for dataset in groups.values() for dim in dataset.sizes})
    unknown = [dim for dim in lengths if dim not in known] if isinstance(lengths, dict) else []
    if unknown:
        raise ValueMismatchError(
            f"{what}: expected dimensions of the file, {', '.join(known) or 'which has none'}; found {unknown[0]!r}"
        )


def _check_skipped(left_out: set[str], groups: dict[str, Dataset]) -> None:
    """Refuse to leave out what is not there: it may be a variable that somebody wants out, written wrong."""
    known = {f"{name}/{key}".strip("/") for name, dataset in groups.items() for key in dataset.variables}
    for name in sorted(left_out - known):
        raise ValueMismatchError(
            f"skip: expected paths of variables of the file, found {name!r}; {nearest(name, known)}there are "
            f"{some(sorted(known), 8)}"
        )


def _laid_out(variable: Variable, chunks: Any, shards: Any, compressors: Any) -> Variable:
    """The variable with the layout that is asked for as its encoding."""
    encoding: dict[str, Any] = {"compressors": compressors}
    if isinstance(chunks, dict):
        encoding["chunks"] = _lengths(chunks, variable)
    elif chunks == "file":
        stored = variable.encoding.get("chunksizes")
        encoding["chunks"] = tuple(stored) if stored else tuple(max(1, n) for n in variable.shape)
    elif chunks != "auto":
        raise ValueError(f"chunks: expected 'auto', 'file' or lengths by dimension, found {chunks!r}")
    if isinstance(shards, dict) and variable.ndim:
        encoding["shards"] = _lengths(shards, variable)
    elif shards is not None and not isinstance(shards, dict):
        raise ValueError(f"shards: expected lengths by dimension or None, found {shards!r}")
    laid_out = variable.copy(deep=False)
    attrs = {k: v for k, v in variable.attrs.items() if k not in ("DIMENSION_LIST", "REFERENCE_LIST")}
    laid_out.attrs = keep_constants(attrs)
    laid_out.encoding = encoding
    return laid_out


def _lengths(by_dimension: dict[Any, int], variable: Variable) -> tuple[int, ...]:
    return tuple(max(1, int(by_dimension.get(d, n))) for d, n in variable.sizes.items())
