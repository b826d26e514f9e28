"""What replaces or grows data: each operation of the library once, with what was there before and what is there after.

An `Act` writes into a store that holds the hierarchy of `populate`, or a dataset. What it takes its elements from
is a `Source`, which can fail at any of its blocks.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import convert
from tutorial_zarr.stores import LocalStore, Store
from tutorial_zarr.stores.wrappers import AroundStore

X = np.arange(1, 25, dtype="i4").reshape(6, 4)  # what is there before
Y = np.arange(100, 105, dtype="i2")
NEW = np.arange(500, 540, dtype="i4").reshape(8, 5)  # what comes
LAYOUT = {"chunks": (3, 3), "compressors": {"name": "gzip", "configuration": {"level": 1}}, "fill_value": -7}
OLD_LAYOUT = LAYOUT | {"chunks": (2, 4), "fill_value": -1}


class SourceError(Exception):
    """The source gives no more."""


class Source:
    """Elements that come from elsewhere, block by block; block number `at` (from 0) does not come."""

    def __init__(
        self, folder: Path, zarr_format: int, at: int | None = None, error: type[BaseException] = SourceError
    ) -> None:
        self.folder, self.format, self.at, self.error, self.blocks = folder, zarr_format, at, error, 0
        self.making = False  # whether the source itself is being written: none of an act's moments

    def block(self, value: Any = None) -> Any:
        """Count a block, and hand it over."""
        self.blocks += 1
        if self.blocks - 1 == self.at:
            raise self.error
        return value

    def array(self, data: np.ndarray, chunks: tuple[int, ...], **options: Any) -> zarr.Array:
        """An array of this library, in a store of its own."""
        return zarr.open_array(
            self.store(lambda s: zarr.create_array(s, data=data, chunks=chunks, **options)), mode="r"
        )

    def store(self, make: Callable[[Store], Any]) -> Store:
        """A store whose chunks are the blocks; the same call finds it in the same place."""
        if not (self.folder / "source").exists():
            self.making, making = True, self.folder / "source being made"
            shutil.rmtree(making, ignore_errors=True)  # of a process that died while it made it
            make(LocalStore(making))
            making.rename(self.folder / "source")  # it is there whole, or not at all
            self.making = False
        return _Blocks(LocalStore(self.folder / "source"), self)

    def dask(self, data: Any, chunks: tuple[int, ...]) -> Any:
        """A dask array, each of whose blocks counts."""
        import dask.array as da

        return da.from_array(data, chunks=chunks).map_blocks(
            self.block, dtype=data.dtype, meta=np.empty((0,) * data.ndim, data.dtype)
        )


class _Blocks(AroundStore):
    def __init__(self, store: Store, source: Source) -> None:
        super().__init__(store)
        self.source = source

    def around(self, request, call, value=None):
        if request.verb == "GET" and request.key[-1].isdigit():
            self.source.block()
        return call()


@dataclass(frozen=True)
class Act:
    """An operation. `arrays` says which elements are where afterwards (None: nothing); all else is as before."""

    name: str
    act: Callable[[Store, Source], Any]
    arrays: dict[str, Any] = field(default_factory=dict)
    formats: tuple[int, ...] = (2, 3)
    prepare: Callable[[Store, int], Any] | None = None  # done before, to what `populate` made, or instead of it
    alone: bool = False  # `prepare` makes all that is there before
    grows: tuple[str, ...] = ()  # the arrays to whose ends blocks are added: the same call adds them again
    by_rows: bool = False  # the block is added row by row: it may be there in part
    elementwise: bool = False  # elements are assigned, each chunk by itself: any of them may be old or new
    relative: bool = False  # what is there is read and changed: the same call changes it again
    refuses: bool = False  # the values cannot be stored: the call fails, each time


def populate(store: Store, zarr_format: int) -> None:
    """The hierarchy that is there before."""
    root = zarr.create_group(store, zarr_format=zarr_format, attributes={"title": "old"})
    group = root.create_group("g", attributes={"number": 1})
    group.create_array("x", data=X, attributes={"unit": "m"}, **OLD_LAYOUT)
    group.create_array("y", data=Y, **OLD_LAYOUT | {"chunks": (2,)})
    root.create_array("z", data=Y + 100, **OLD_LAYOUT | {"chunks": (2,)})


def existing(act: Act, store: Store, zarr_format: int, consolidated: bool) -> None:
    """Make what is there before an act."""
    if not act.alone:
        populate(store, zarr_format)
    if act.prepare is not None:
        act.prepare(store, zarr_format)
    if consolidated and zarr.open(store, mode="r") is not None:
        zarr.consolidate_metadata(store)


def _create(name: str, **options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> Any:
        return zarr.create_array(store, name=name, zarr_format=source.format, **LAYOUT | options)

    return act


def _root(store: Store) -> zarr.Group:
    return zarr.open_group(store, mode="r+")


def _set_item(name: str, value: Callable[[Store, Source], Any]) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> None:
        _root(store)[name] = value(store, source)

    return act


def _of_source(**options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> Any:
        return _create("g/x", data=source.array(NEW, (3, 5)), **options)(store, source)

    return act


def _onto_itself(store: Store, source: Source) -> Any:
    return _create("g/x", data=_root(store)["g/x"], overwrite=True)(store, source)


def _leftovers(store: Store, zarr_format: int) -> None:
    """Chunks without a document, as a killed deletion leaves them."""
    zarr.create_array(store, name="g/n", data=NEW, zarr_format=zarr_format, **LAYOUT)
    store.delete("g/n/zarr.json" if zarr_format == 3 else "g/n/.zarray")


def _hierarchy(store: Store, source: Source) -> None:
    new = zarr.create_array({}, shape=(4,), dtype="i8", chunks=(2,), fill_value=3, zarr_format=source.format)
    documents = {"g/x": new.metadata, "h/deep/a": new.metadata, "h/deep/b": new.metadata}
    dict(zarr.create_hierarchy(store=store, nodes=documents, overwrite=True))


def _new_hierarchy(store: Store, source: Source) -> None:
    root = zarr.create_group({}, zarr_format=source.format, attributes={"number": 2})
    new = root.create_array("a", shape=(4,), dtype="i8", chunks=(2,), fill_value=3).metadata
    documents = {"g/n": new, "h/deep/a": new, "h/deep/b": new, "k": root.metadata, "k/a": new, "m/a": new}
    dict(_root(store).create_hierarchy(documents))


def _source_group(source: Source, zarr_format: int) -> zarr.Group:
    def make(inside: Store) -> None:
        root = zarr.create_group(inside, zarr_format=zarr_format, attributes={"title": "copied"})
        root.create_array("x", data=NEW, **LAYOUT)
        root.create_group("sub").create_array("w", data=Y, **LAYOUT | {"chunks": (2,)})

    return zarr.open_group(source.store(make), mode="r")


def _copy(name: str, **options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> Any:
        return zarr.copy(_source_group(source, source.format), store, name=name, **options)

    return act


def _rechunk(path: str, **options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> Any:
        array = source.array(
            NEW, (3, 5), zarr_format=source.format, **{k: v for k, v in LAYOUT.items() if k != "chunks"}
        )
        return zarr.rechunk(array, store, path=path, chunks=(5, 2), workers=1, **options)

    return act


def _convert_target(store: Store, source: Source) -> Any:
    other = 5 - source.format
    return convert.convert(_source_group(source, other), 5 - other, zarr.open_group(store, mode="r+", path="to"))


def _from_dask(name: str, **options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> Any:
        import dask

        from tutorial_zarr.integrations import dask_arrays

        with dask.config.set(scheduler="synchronous"):
            layout = {k: v for k, v in LAYOUT.items() if k != "chunks"} | {"zarr_format": source.format}
            return dask_arrays.from_dask(source.dask(NEW, (3, 5)), store, name=name, **layout, **options)

    return act


def _dask_onto_itself(store: Store, source: Source) -> Any:
    import dask

    from tutorial_zarr.integrations import dask_arrays

    with dask.config.set(scheduler="synchronous"):
        data = dask_arrays.to_dask(zarr.open_array(store, mode="r", path="g/x"), chunks="units")
        layout = {k: v for k, v in LAYOUT.items() if k != "chunks"} | {"zarr_format": source.format}
        return dask_arrays.from_dask(
            data.map_blocks(source.block, dtype="i4") + 1000, store, name="g/x", overwrite=True, **layout
        )


def _append(store: Store, source: Source) -> Any:
    return _root(store)["g/x"].append(X[:3] + 1000)


def _packed(store: Store, zarr_format: int) -> None:
    """Numbers that are stored as whole ones, of which NaN is none."""
    packing = {"id": "fixedscaleoffset", "offset": 0, "scale": 10, "dtype": "<f8", "astype": "<i2"}
    zarr.create_array(store, name="g/q", data=np.arange(3.0), chunks=(2,), filters=[packing], zarr_format=zarr_format)


NOT_A_NUMBER = np.array([5.0, 6.0, 7.0, np.nan, 8.0])


def _journal(store: Store, source: Source) -> Any:
    return None if store.holds_back else source.folder / "journal"


def _buffer(store: Store, source: Source) -> None:
    with zarr.AppendBuffer(_root(store)["g/x"], journal=_journal(store, source)) as buffer:
        for row in X[:3] + 1000:
            buffer.append(source.block(row[None]))


def _ingest(store: Store, source: Source) -> None:
    items = ((i, source.block(np.full(min(2, 5 - 2 * i), 7 + i, "i2"))) for i in range(3))
    report = zarr.ingest(items, _root(store)["g/y"], executor="threads", workers=1, journal=_journal(store, source))
    if not report.ok:
        raise SourceError(str(report))


def _attributes(path: str) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> None:
        zarr.open(store, mode="r+", path=path).attrs["more"] = [1, 2, 3]

    return act


# --- datasets


def _dataset(start: int = 0, times: int = 4) -> Any:
    import xarray as xr

    values = np.arange(times * 3, dtype="f8").reshape(times, 3) + 10 * start
    return xr.Dataset(
        {"a": (("t", "p"), values), "b": ("t", values[:, 0] + 0.5)},
        coords={"t": np.arange(start, start + times), "p": [10, 20, 30]},
        attrs={"title": "data"},
    )


def _first_dataset(store: Store, zarr_format: int) -> None:
    from tutorial_zarr.integrations.xarray_backend import to_zarr

    to_zarr(
        _dataset(),
        store,
        mode="w",
        zarr_format=zarr_format,
        encoding={"a": {"chunks": (2, 3)}, "b": {"chunks": (2,)}, "t": {"chunks": (2,)}},
        consolidated=False,
    )


def _in_blocks(source: Source, dataset: Any, times: int = 2) -> Any:
    return dataset.assign(
        {
            name: (dataset[name].dims, source.dask(dataset[name].values, (times, 3)[: dataset[name].ndim]))
            for name in dataset
        }
    )


def _to_zarr(make: Callable[[Store, Source], Any], **options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> None:
        import dask

        from tutorial_zarr.integrations.xarray_backend import to_zarr

        with dask.config.set(scheduler="synchronous"):
            to_zarr(make(store, source), store, zarr_format=source.format, **options)

    return act


def _bigger(store: Store, source: Source) -> Any:
    return _in_blocks(source, _dataset(7, 6))


def _more(store: Store, source: Source) -> Any:
    return _in_blocks(source, _dataset(4, 2))


def _its_own(store: Store, source: Source) -> Any:
    import xarray as xr

    opened = xr.open_dataset(store, engine="tutorial_zarr", chunks={"t": 2}, zarr_format=source.format)
    return (opened + 100).map(lambda v: v.copy(data=v.data.map_blocks(source.block, dtype=v.dtype)))


def _from_netcdf(**options: Any) -> Callable[[Store, Source], Any]:
    def act(store: Store, source: Source) -> None:
        from tutorial_zarr.integrations.xarray_backend import from_netcdf

        file = source.folder / "file.nc"
        if not file.exists():
            _dataset(7, 6).to_netcdf(file, engine="h5netcdf")
        from_netcdf(file, store, chunks={"t": 2}, zarr_format=source.format, **options)

    return act


def _values(dataset: Any, names: str = "abtp") -> dict[str, np.ndarray]:
    return {name: dataset[name].values for name in names}


def _appended() -> dict[str, np.ndarray]:
    import xarray as xr

    return _values(xr.concat([_dataset(), _dataset(4, 2)], "t", data_vars="minimal", coords="minimal"), "abt")


def _texts(store: Store, zarr_format: int) -> None:
    zarr.create_array(
        store,
        name="g/t",
        data=np.array(["one", "two", "three"], object),
        dtype=str,
        chunks=(2,),
        zarr_format=zarr_format,
    )


def _killed_copy(store: Store, zarr_format: int) -> None:
    """What a copy was to be added to: a part of it is there."""
    root = zarr.create_group(store, path="to", zarr_format=zarr_format, attributes={"title": "copied"})
    root.create_array("x", data=NEW, **LAYOUT)


def _both_formats(store: Store, zarr_format: int) -> None:
    (convert.to_v3 if zarr_format == 2 else convert.to_v2)(store)


def _v2_keys(store: Store, zarr_format: int) -> None:
    """A hierarchy that can become the other format in place."""
    options = {
        "zarr_format": zarr_format,
        **({"chunk_key_encoding": {"name": "v2", "configuration": {"separator": "."}}} if zarr_format == 3 else {}),
    }
    root = zarr.create_group(store, zarr_format=zarr_format, attributes={"title": "old"})
    root.create_group("g", attributes={"number": 1})
    zarr.create_array(store, name="g/x", data=X, attributes={"unit": "m"}, **OLD_LAYOUT | options)
    zarr.create_array(store, name="g/y", data=Y, **OLD_LAYOUT | {"chunks": (2,)} | options)


def _acts_on_datasets() -> list[Act]:
    return [
        Act("to_zarr w", _to_zarr(_bigger, mode="w"), _values(_dataset(7, 6)), (3,), _first_dataset, True),
        Act(
            "to_zarr w, onto itself",
            _to_zarr(_its_own, mode="w"),
            _values(_dataset() + 100, "ab"),
            (3,),
            _first_dataset,
            True,
            relative=True,
        ),
        Act(
            "to_zarr a",
            _to_zarr(lambda s, f: _in_blocks(f, _dataset(0, 4) + 50), mode="a"),
            _values(_dataset() + 50, "ab"),
            (3,),
            _first_dataset,
            True,
        ),
        Act(
            "to_zarr append",
            _to_zarr(_more, append_dim="t"),
            _appended(),
            (2, 3),
            _first_dataset,
            True,
            grows=("a", "b", "t"),
        ),
        Act(
            "to_zarr region",
            _to_zarr(
                lambda s, f: _in_blocks(f, (_dataset() + 50).isel(t=slice(2, 4)).drop_vars("p")),
                region={"t": slice(2, 4)},
            ),
            {
                "a": np.concatenate([_dataset().a[:2], _dataset().a[2:] + 50]),
                "b": np.concatenate([_dataset().b[:2], _dataset().b[2:] + 50]),
            },
            (3,),
            _first_dataset,
            True,
            elementwise=True,
        ),
        Act(
            "to_zarr into a new group",
            _to_zarr(_bigger, group="n", mode="w"),
            {f"n/{k}": v for k, v in _values(_dataset(7, 6)).items()},
        ),
        Act("from_netcdf", _from_netcdf(mode="w"), _values(_dataset(7, 6)), (3,), _first_dataset, True),
    ]


def acts() -> list[Act]:
    """All of them."""
    return [
        Act("create with data", _create("g/n", data=NEW), {"g/n": NEW}),
        Act("create in new groups", _create("n/m/n", data=NEW), {"n/m/n": NEW}),
        Act("create empty", _create("g/n", shape=(4, 4), dtype="i4"), {"g/n": np.full((4, 4), -7, "i4")}),
        Act(
            "create over leftovers",
            _create("g/n", shape=(8, 5), dtype="i4"),
            {"g/n": np.full((8, 5), -7, "i4")},
            (3,),
            _leftovers,
        ),
        Act("create from an array", lambda s, f: _create("g/n", data=f.array(NEW, (3, 5)))(s, f), {"g/n": NEW}),
        Act(
            "overwrite with nothing",
            _create("g/x", shape=(8, 5), dtype="i4", overwrite=True),
            {"g/x": np.full((8, 5), -7, "i4")},
        ),
        Act("overwrite with an ndarray", _create("g/x", data=NEW, overwrite=True), {"g/x": NEW}),
        Act("overwrite with an array", _of_source(overwrite=True), {"g/x": NEW}),
        Act("overwrite with itself", _onto_itself, {"g/x": X}),
        Act(
            "overwrite with what does not fit",
            _create("g/y", data=np.array(["1", "2", "n/a", "4"]), dtype="i4", chunks=(2,), overwrite=True),
            refuses=True,
        ),
        Act(
            "overwrite with text that is missing",
            _create(
                "g/y", data=np.array(["a", "b", None], object), dtype=str, fill_value="", chunks=(1,), overwrite=True
            ),
            refuses=True,
        ),
        Act(
            "set an item to what does not fit",
            lambda s, f: _create(
                "g/q", data=NOT_A_NUMBER, chunks=(2,), filters=_root(s)["g/q"].filters, fill_value=0, overwrite=True
            )(s, f),
            prepare=_packed,
            refuses=True,
        ),
        Act(
            "overwrite a group with an array",
            _create("g", data=NEW, overwrite=True),
            {"g": NEW, "g/x": None, "g/y": None},
        ),
        Act("create group", lambda s, f: zarr.create_group(s, path="n/m", zarr_format=f.format, attributes={"a": 1})),
        Act(
            "overwrite with a group",
            lambda s, f: zarr.create_group(s, path="g", zarr_format=f.format, attributes={"a": 1}, overwrite=True),
            {"g/x": None, "g/y": None},
        ),
        Act("set an item", _set_item("g/x", lambda s, f: NEW), {"g/x": NEW}),
        Act("set an item to itself", _set_item("g/x", lambda s, f: _root(s)["g/x"]), {"g/x": X}),
        Act(
            "set an item to an array",
            _set_item("g/x", lambda s, f: f.array(NEW, (3, 5), compressors=LAYOUT["compressors"])),
            {"g/x": NEW},
        ),
        Act("save an array", lambda s, f: zarr.save(s, NEW, path="g/x", zarr_format=f.format), {"g/x": NEW}),
        Act(
            "save a group",
            lambda s, f: zarr.save_group(s, path="g", x=NEW, n=Y, zarr_format=f.format),
            {"g/x": NEW, "g/n": Y},
        ),
        Act(
            "save a group of arrays",
            lambda s, f: zarr.save_group(s, path="g", n=Y, x=f.array(NEW, (3, 5)), zarr_format=f.format),
            {"g/x": NEW, "g/n": Y},
        ),
        Act(
            "create a new hierarchy",
            _new_hierarchy,
            dict.fromkeys(("g/n", "h/deep/a", "h/deep/b", "k/a", "m/a"), np.full(4, 3, "i8")),
        ),
        Act("create a hierarchy", _hierarchy, dict.fromkeys(("g/x", "h/deep/a", "h/deep/b"), np.full(4, 3, "i8"))),
        Act("copy", _copy("to"), {"to/x": NEW, "to/sub/w": Y}),
        Act("copy in place of another", _copy("g", if_exists="replace"), {"g/x": NEW, "g/sub/w": Y, "g/y": None}),
        Act("copy the rest", _copy("to", if_exists="skip"), {"to/sub/w": Y}, prepare=_killed_copy),
        Act("move", lambda s, f: zarr.move(s, "g/x", "h/x"), {"g/x": None, "h/x": X}),
        Act("move a group", lambda s, f: zarr.move(s, "g", "h"), {"g/x": None, "g/y": None, "h/x": X, "h/y": Y}),
        Act("delete", lambda s, f: zarr.delete(s, "g/x", dry_run=False), {"g/x": None}),
        Act("delete a group", lambda s, f: _root(s).__delitem__("g"), {"g/x": None, "g/y": None}),
        Act("rechunk", _rechunk("g/n"), {"g/n": NEW}),
        Act("rechunk in place of another", _rechunk("g/x", overwrite=True), {"g/x": NEW}),
        Act("convert in place", lambda s, f: convert.convert(s, 5 - f.format), alone=True, prepare=_v2_keys),
        Act(
            "remove the old metadata",
            lambda s, f: convert.remove_metadata(s, 2),
            formats=(2,),
            alone=True,
            prepare=lambda s, z: (_v2_keys(s, z), _both_formats(s, z)),
        ),
        Act(
            "undo a conversion",
            lambda s, f: convert.remove_metadata(s, 3),
            formats=(2,),
            alone=True,
            prepare=lambda s, z: (_v2_keys(s, z), _both_formats(s, z)),
        ),
        Act(
            "convert to another place",
            _convert_target,
            {"to/x": NEW, "to/sub/w": Y},
            prepare=lambda s, z: zarr.create_group(s, path="to", zarr_format=z),
        ),
        Act("from dask", _from_dask("g/n"), {"g/n": NEW}),
        Act("from dask, overwriting", _from_dask("g/x", overwrite=True), {"g/x": NEW}),
        Act("from dask, onto itself", _dask_onto_itself, {"g/x": X + 1000}, relative=True),
        Act(
            "resize to more",
            lambda s, f: _root(s)["g/x"].resize(9, 7),
            {"g/x": np.pad(X, ((0, 3), (0, 3)), constant_values=-1)},
        ),
        Act("resize to less", lambda s, f: _root(s)["g/x"].resize(3, 2), {"g/x": X[:3, :2]}),
        Act(
            "resize to both",
            lambda s, f: _root(s)["g/x"].resize(3, 6),
            {"g/x": np.pad(X[:3], ((0, 0), (0, 2)), constant_values=-1)},
        ),
        Act("append", _append, {"g/x": np.concatenate([X, X[:3] + 1000])}, grows=("g/x",)),
        Act(
            "append what does not fit", lambda s, f: _root(s)["g/q"].append(NOT_A_NUMBER), prepare=_packed, refuses=True
        ),
        Act(
            "append text that is missing",
            lambda s, f: _root(s)["g/t"].append(np.array(["a", "b", None], object)),
            prepare=_texts,
            refuses=True,
        ),
        Act(
            "append rows through a buffer",
            _buffer,
            {"g/x": np.concatenate([X, X[:3] + 1000])},
            grows=("g/x",),
            by_rows=True,
        ),
        Act("ingest", _ingest, {"g/y": np.array([7, 7, 8, 8, 9], "i2")}, elementwise=True),
        Act("set an attribute of an array", _attributes("g/x")),
        Act("set an attribute of a group", _attributes("g")),
        Act("set an attribute of the root", _attributes("")),
        Act("consolidate", lambda s, f: zarr.consolidate_metadata(s)),
        *(_acts_on_datasets() if importlib.util.find_spec("xarray") else ()),
    ]
