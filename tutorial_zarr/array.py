"""`Array`: metadata, grid, codecs and store behind NumPy's brackets.

What an array does with chunks is in `chunk_io`, what stands between the brackets in `indexing`; here they meet.
An array holds no data and no thread: it can be pickled, and opens itself again elsewhere.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(6, 4), chunks=(3, 4), dtype="i4")
>>> a[2:5, 1] = [7, 8, 9]
>>> a[:, 1].tolist(), a.nchunks_initialized
([0, 0, 7, 8, 9, 0], 2)
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np

from tutorial_zarr import chunk_grids, chunk_io, chunk_keys, display, indexing, limits, nodes, parallel
from tutorial_zarr.attributes import Attributes
from tutorial_zarr.chunk_io import ChunkIO
from tutorial_zarr.codecs import Codec, build_codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec
from tutorial_zarr.codecs.sharding import ShardingCodec
from tutorial_zarr.dtypes.text import object_scalar
from tutorial_zarr.errors import MetadataError, ReadOnlyError, SelectionError, ValueMismatchError, ZarrError
from tutorial_zarr.lazy import LazyView
from tutorial_zarr.metadata import ArrayMetadata
from tutorial_zarr.plan import Plan, WritePlan
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.stores import Store


class Array:
    """An array in a store. Made by `create_array` and `open_array`."""

    def __init__(
        self,
        store: Store,
        path: str,
        metadata: ArrayMetadata,
        *,
        read_only: bool = False,
        allow_pickle: bool = False,
        missing: str = "fill",
        write_empty_chunks: bool = False,
        deferred: bool = False,
    ) -> None:
        self.store, self.path = store, path
        self.read_only = read_only or store.read_only
        if missing not in ("fill", "error"):
            raise ValueError(f"missing: expected 'fill' or 'error', found {missing!r}")
        self._options = {"allow_pickle": allow_pickle, "missing": missing, "write_empty_chunks": write_empty_chunks}
        self.metadata = metadata
        self._bound: ChunkIO | None = None
        if not deferred:
            self._bind(metadata)

    @property
    def _io(self) -> ChunkIO:
        """Grid, codecs and keys as the metadata names them. Built on opening; by a listing, when first needed."""
        if self._bound is None:
            self._bind(self.metadata)
        return self._bound  # type: ignore[return-value]

    def _bind(self, metadata: ArrayMetadata) -> None:
        """Take on metadata: build what it names, so that what is wrong with it comes to light now."""
        extensions = metadata.codecs
        if self._options["allow_pickle"]:
            extensions = tuple(
                e._replace(configuration={**e.configuration, "allow_pickle": True}) if e.name == "v2_filters" else e
                for e in extensions
            )
        try:
            io = ChunkIO(
                self.store,
                self.path,
                nodes.label("array", self.path, metadata.zarr_format),
                chunk_grids.parse(metadata.chunk_grid, metadata.shape),
                chunk_keys.parse(metadata.chunk_key_encoding),
                build_codecs(extensions),
                metadata.data_type,
                metadata.fill,
                self._options["missing"],
                self._options["write_empty_chunks"] or metadata.fill_value is None,  # null: absent may mean anything
            )
        except (ZarrError, RecursionError) as error:
            if isinstance(error, RecursionError):
                error = MetadataError("codecs: expected a chain of reasonable depth, found one nested too deeply")
            where = nodes.label("array", self.path, metadata.zarr_format)
            document = nodes.join(self.path, "zarr.json" if metadata.zarr_format == 3 else ".zarray")
            raise type(error)(f"{where}: {document}: {error.message}", **error.fields) from error
        self.metadata, self._bound = metadata, io

    # --- what it is

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each axis."""
        return self.metadata.shape

    @property
    def dtype(self) -> np.dtype:
        """The numpy dtype of the elements in memory, in native byte order."""
        return self.metadata.data_type.numpy

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.metadata.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.metadata.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one element in memory."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements in memory; for text and objects that of the references alone."""
        return self.size * self.itemsize

    @property
    def zarr_format(self) -> int:
        """2 or 3."""
        return self.metadata.zarr_format

    @property
    def grid(self) -> chunk_grids.ChunkGrid:
        """The grid of write units: of shards where there are shards, else of chunks."""
        return self._io.grid

    def _lengths(self, axis: chunk_grids.Axis) -> Any:
        return tuple(axis.lengths) if isinstance(axis, chunk_grids.UnevenAxis) else axis.length

    @property
    def _unit(self) -> tuple[Any, ...]:
        return tuple(self._lengths(axis) for axis in self.grid.axes)

    @property
    def chunks(self) -> tuple[Any, ...]:
        """The chunk shape: what is read at once. On an uneven axis, the lengths of its chunks."""
        sharding = self._sharding
        return self._unit if sharding is None else sharding.chunk_shape

    @property
    def shards(self) -> tuple[Any, ...] | None:
        """The shard shape: what is written at once; None without sharding."""
        return None if self._sharding is None else self._unit

    @property
    def _sharding(self) -> ShardingCodec | None:
        codec = self._io.pipeline.array_bytes
        return codec if isinstance(codec, ShardingCodec) else None

    @property
    def write_unit(self) -> tuple[Any, ...]:
        """The shape of what is written whole: the shard, or the chunk. Writers that keep to it need no lock."""
        return self._unit

    @property
    def cdata_shape(self) -> tuple[int, ...]:
        """Chunks along each axis."""
        sharding = self._sharding
        if sharding is None:
            return self.grid.counts
        return tuple(-(-n // c) for n, c in zip(self.shape, sharding.chunk_shape, strict=True))

    @property
    def nchunks(self) -> int:
        """Number of chunks."""
        return math.prod(self.cdata_shape)

    @property
    def fill_value(self) -> Any:
        """The value of elements that no chunk holds; None where a v2 array leaves it undefined."""
        return None if self.metadata.fill_value is None else self.metadata.fill_value[()]

    @property
    def dimension_names(self) -> tuple[str | None, ...] | None:
        """The names of the axes."""
        return self.metadata.dimension_names

    @property
    def order(self) -> str:
        """The order of elements in stored chunks: ``"C"`` or ``"F"``."""
        if self.metadata.zarr_format == 2:
            return self.metadata.document["order"]
        first = self.metadata.codecs[0]
        backwards = list(range(self.ndim))[::-1]
        return "F" if first.name == "transpose" and first.configuration.get("order") in (backwards, "F") else "C"

    @property
    def name(self) -> str:
        """The path with a leading slash."""
        return "/" + self.path

    @property
    def basename(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """The chain of codecs, in the order in which a chunk is encoded."""
        return self._io.pipeline.codecs

    @property
    def filters(self) -> tuple[Any, ...]:
        """The array -> array codecs; of a v2 array, the filters as its document lists them."""
        if self.metadata.zarr_format == 2:
            return tuple(self.metadata.document.get("filters") or ())
        return tuple(c for c in self.codecs if isinstance(c, ArrayArrayCodec))

    @property
    def serializer(self) -> Codec:
        """The array -> bytes codec."""
        return next(c for c in self.codecs if isinstance(c, ArrayBytesCodec))

    @property
    def compressors(self) -> tuple[Codec, ...]:
        """The bytes -> bytes codecs; of a sharded array those of its inner chunks."""
        chain = self.codecs if self._sharding is None else self._sharding.codecs
        return tuple(c for c in chain if isinstance(c, BytesBytesCodec))

    @property
    def attrs(self) -> Attributes:
        """The attributes: a mapping that writes through to the store."""
        return Attributes(lambda: copy.deepcopy(self.metadata.attributes), self._set_attributes)

    def _set_attributes(self, attributes: dict[str, Any]) -> None:
        self._check_writable("its attributes")
        metadata = self.metadata.with_attributes(attributes)
        nodes.write_attributes(self.store, self.path, metadata)
        self.metadata = metadata

    def _check_writable(self, what: str) -> None:
        if self.read_only:
            raise ReadOnlyError(
                f"{self._label}: cannot write {what}: the array was opened for reading; try mode='r+'", path=self.path
            )

    @property
    def _label(self) -> str:
        return nodes.label("array", self.path, self.zarr_format)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __repr__(self) -> str:
        head = f"<Array {self.name} shape={self.shape} dtype={self.dtype}"
        try:
            shards = f" shards={display.shape_text(self.shards)}" if self.shards else ""
            return f"{head} chunks={display.shape_text(self.chunks)}{shards}>"
        except ZarrError as error:  # listed although its codecs are unknown
            return f"{head}, cannot be read: {error}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and (self.store, self.path) == (other.store, other.path)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store, "path": self.path, "read_only": self.read_only, "options": self._options,
                "metadata": self.metadata}  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.store, self.path, self.read_only = state["store"], state["path"], state["read_only"]
        self._options = state["options"]
        self._bind(state["metadata"])

    # --- reading and writing

    def __getitem__(self, key: Any) -> Any:
        rest, fields = indexing.pop_fields(key)
        return self._get(self._parsed(rest), fields, scalar=_all_integers(rest, self.ndim))

    def __setitem__(self, key: Any, value: Any) -> None:
        rest, fields = indexing.pop_fields(key)
        self._set(self._parsed(rest), value, fields)

    def _select(self, select: Callable[[], indexing.Selection]) -> indexing.Selection:
        try:
            return select()
        except SelectionError as error:
            raise SelectionError(f"{self._label}: {error.message}; its shape is {self.shape}", **error.fields) from None

    def _check_fields(self, fields: list[str] | str | None) -> None:
        if fields is None:
            return
        names = [fields] if isinstance(fields, str) else fields
        if not isinstance(names, list) or not names:
            raise SelectionError(f"{self._label}: expected the name of a field or a list of names, found {fields!r}")
        for field in names:
            if field not in (self.dtype.names or ()):
                known = ", ".join(map(repr, self.dtype.names or ())) or "none"
                raise SelectionError(f"{self._label}: expected a field of {known}, found {field!r}", field=field)

    def _get(
        self,
        select: Callable[[], indexing.Selection],
        fields: list[str] | str | None = None,
        out: np.ndarray | None = None,
        scalar: bool = False,
    ) -> Any:
        selection = self._select(select)
        self._check_fields(fields)
        if out is not None and not isinstance(out, np.ndarray):
            raise SelectionError(f"{self._label}: expected out as a NumPy array, found {type(out).__name__}")
        if out is not None and fields is None:
            if out.shape != selection.final_shape or out.dtype != self.dtype:
                raise SelectionError(
                    f"{self._label}: expected out of shape {selection.final_shape} and type {self.dtype}, "
                    f"found {out.shape} and {out.dtype}"
                )
            target = selection.from_final(out)
            if np.shares_memory(target, out) or not out.size:
                chunk_io.read(self._io, selection, target)
                return out
        limits.check_memory(self._label, math.prod(selection.shape) * self.itemsize)
        result = np.empty(selection.shape, self.dtype)
        chunk_io.read(self._io, selection, result)
        final = selection.to_final(result)
        if fields is not None:
            final = final[fields]
        if out is not None:
            out[...] = final
            return out
        return final[()] if scalar else final

    def _set(self, select: Callable[[], indexing.Selection], value: Any, fields: list[str] | str | None = None) -> None:
        self._check_writable("elements")
        selection = self._select(select)
        self._check_fields(fields)
        names = [fields] if isinstance(fields, str) else fields
        dtype = self.dtype
        if names is not None:
            dtype = self.dtype[names[0]] if isinstance(fields, str) else np.dtype([(n, self.dtype[n]) for n in names])
        cast = self._cast(value, dtype)
        while cast.ndim > len(selection.final_shape) and cast.shape[0] == 1:
            cast = cast[0]  # as NumPy does with leading axes of one
        try:
            cast = np.broadcast_to(cast, selection.final_shape)
        except ValueError:
            raise ValueMismatchError(
                f"{self._label}: expected a value that broadcasts to the selected shape {selection.final_shape}, "
                f"found one of shape {cast.shape}"
            ) from None
        chunk_io.write(self._io, selection, selection.from_final(cast), names)

    def _cast(self, value: Any, dtype: np.dtype) -> np.ndarray:
        """`value` as an array of that dtype."""
        if self.metadata.data_type.name in ("bytes", "variable_length_bytes", "binary") and dtype.kind == "O":
            return self._cast_bytes(value)
        if isinstance(value, np.ndarray):
            return value.astype(dtype, copy=False)
        if dtype.kind == "O" and not isinstance(value, (list, tuple)) and not hasattr(value, "__array__"):
            cell = np.empty((), object)  # one object, whatever numpy might see in it
            cell[()] = value
            return cell
        return np.asarray(value, dtype)

    def _cast_bytes(self, value: Any) -> np.ndarray:
        """`value` as an object array of bytes; refused before anything is written where an item is none."""
        array = np.asarray(value, object) if not isinstance(value, (bytes, bytearray)) else object_scalar(bytes(value))
        for item in array.flat:
            if not isinstance(item, (bytes, bytearray)):
                raise ValueMismatchError(f"{self._label}: expected bytes, found {type(item).__name__}")
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{self._label}: reading it makes a copy; np.asarray(..., copy=False) cannot be met")
        array = np.asarray(self[...])
        return array if dtype is None else array.astype(dtype, copy=False)

    def __dlpack__(self, **options: Any) -> Any:
        return np.asarray(self).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # main memory: what is read is a numpy array

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over an array without axes")
        step = self.grid.axes[0].length
        for start in range(0, len(self), step):  # a row of chunks at a time, each read once
            yield from self[start : start + step]

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __complex__(self) -> complex:
        return complex(np.asarray(self))

    def __index__(self) -> int:
        return np.asarray(self).__index__()

    def get_slice(self, start: Any = None, stop: Any = None, step: Any = None) -> np.ndarray:
        """A box from `start` to `stop`, each a number for every axis: ``a.get_slice((0, 10), (5, 20))``."""
        return self[self._box(start, stop, step)]

    def set_slice(self, value: Any, start: Any = None, stop: Any = None, step: Any = None) -> None:
        """Write a box, as `get_slice` reads one."""
        self[self._box(start, stop, step)] = value

    def _box(self, *bounds: Any) -> tuple[slice, ...]:
        columns = []
        for bound in bounds:
            column = (bound,) * self.ndim if bound is None or isinstance(bound, int) else tuple(bound)
            if len(column) != self.ndim:
                raise SelectionError(f"{self._label}: expected {self.ndim} numbers, one for each axis, found {bound}")
            columns.append(column)
        return tuple(slice(*triple) for triple in zip(*columns, strict=True))

    def get_basic_selection(self, selection: Any = Ellipsis, *, out: Any = None, fields: Any = None) -> Any:
        """Integers, slices, ellipsis, new axes."""
        return self._get(lambda: indexing.basic(selection, self.shape), fields, out)

    def set_basic_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write integers, slices, ellipsis."""
        self._set(lambda: indexing.basic(selection, self.shape), value, fields)

    def get_orthogonal_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Each axis by itself: as ``oindex[...]``."""
        return self._get(lambda: indexing.orthogonal(selection, self.shape), fields, out)

    def set_orthogonal_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write each axis by itself."""
        self._set(lambda: indexing.orthogonal(selection, self.shape), value, fields)

    def get_coordinate_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Points by their coordinates: as ``vindex[...]``."""
        return self._get(lambda: indexing.coordinates(selection, self.shape), fields, out)

    def set_coordinate_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write points by their coordinates."""
        self._set(lambda: indexing.coordinates(selection, self.shape), value, fields)

    def get_mask_selection(self, mask: Any, *, out: Any = None, fields: Any = None) -> Any:
        """The elements where a mask of the array's shape is true."""
        return self._get(lambda: indexing.mask(mask, self.shape), fields, out)

    def set_mask_selection(self, mask: Any, value: Any, *, fields: Any = None) -> None:
        """Write the elements where a mask of the array's shape is true."""
        self._set(lambda: indexing.mask(mask, self.shape), value, fields)

    def get_block_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Whole chunks (or shards) by their coordinates: as ``blocks[...]``."""
        return self._get(lambda: indexing.blocks(selection, self.grid), fields, out)

    def set_block_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write whole chunks (or shards) by their coordinates."""
        self._set(lambda: indexing.blocks(selection, self.grid), value, fields)

    def isel(self, indexers: Mapping[str, Any] | None = None, **by_name: Any) -> Any:
        """Select by the names of dimensions, each by itself: ``a.isel(time=3, lat=slice(0, 10))``.

        ``a[{"time": 3}]`` says the same, and takes values: ``a[{"time": 3}] = 0``.
        """
        key = {**(indexers or {}), **by_name}
        return self._get(self._parsed(key))

    def plan(self, selection: Any = Ellipsis, look: bool = False) -> Plan:
        """What it would cost to read ``a[selection]``: chunks, keys, ranges, requests and bytes. Nothing is read.

        With `look` the store is asked for what the metadata cannot tell: the indexes of shards, and sizes.
        ``a.oindex.plan``, ``a.vindex.plan`` and ``a.blocks.plan`` do the same for those.
        """
        return Plan(self._io, self._select(self._parsed(selection)), look)

    def plan_write(self, selection: Any = Ellipsis) -> WritePlan:
        """What it would cost to write ``a[selection]``: which write units are whole, and which must be read first."""
        return WritePlan(self._io, self._select(self._parsed(selection)))

    def _parsed(self, key: Any) -> Callable[[], indexing.Selection]:
        if isinstance(key, Mapping):
            return lambda: indexing.orthogonal(indexing.by_name(key, self.dimension_names), self.shape)
        return lambda: indexing.parse(key, self.shape)

    @property
    def lazy(self) -> LazyView:
        """The array as a view to select from before anything is read: ``a.lazy[100:][:, ::2].result()``."""
        return LazyView(self, tuple([range(n) for n in self.shape]))

    @property
    def oindex(self) -> Selector:
        """Orthogonal selection: ``a.oindex[[0, 5], :, [1, 2]]`` takes each axis by itself."""
        return Selector(self, lambda key: indexing.orthogonal(key, self.shape))

    @property
    def vindex(self) -> Selector:
        """Points: ``a.vindex[[0, 5], [1, 2]]`` takes the elements (0, 1) and (5, 2)."""
        return Selector(self, lambda key: indexing.coordinates(key, self.shape))

    @property
    def blocks(self) -> Selector:
        """Whole chunks (shards, where there are any): ``a.blocks[0, 1:3]``."""
        return Selector(self, lambda key: indexing.blocks(key, self.grid))

    # --- shape

    def resize(self, *shape: Any) -> None:
        """Change the shape. What is cut off is gone, and stays gone when the array grows again."""
        new = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
        self._check_writable("its shape")
        if len(new) != self.ndim or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in new):
            raise MetadataError(
                f"{self._label}: expected {self.ndim} lengths of at least 0 for the shape {self.shape}, found {new}",
                key="shape",
            )
        new = tuple(int(n) for n in new)
        inner = self._sharding.chunk_shape if self._sharding else (1,) * self.ndim
        metadata = self.metadata.with_shape(new, self.grid.resized(new, inner))
        after = Array(self.store, self.path, metadata, **self._options).grid  # nothing is changed that would not open
        # Nothing beyond the edge may come back: an edge chunk is stored whole, and what its overhang holds (old
        # elements, or another writer's padding) would come to light in a larger array.
        for coords in list(self._stored_chunks()):
            if any(c >= n for c, n in zip(coords, after.counts, strict=True)):
                self.store.delete(self._io.key(coords))
            else:
                self._clear_overhang(coords, tuple(min(a, b) for a, b in zip(self.shape, new, strict=True)))
        nodes.write(self.store, self.path, metadata)
        self._bind(metadata)

    def _clear_overhang(self, coords: tuple[int, ...], valid: tuple[int, ...]) -> None:
        origin, shape = self.grid.origin(coords), self.grid.chunk_shape(coords)
        inside = tuple([max(0, min(n, v - o)) for n, v, o in zip(shape, valid, origin, strict=True)])
        if inside == shape:
            return

        def clear(chunk: np.ndarray) -> bool:
            before, kept = chunk.copy(), tuple([slice(n) for n in inside])
            chunk[...] = self._io.fill_item
            chunk[kept] = before[kept]
            return not _same_bits(before, chunk)

        self._io.update(self._io.key(coords), self._io.pipeline_at(coords), clear)

    def append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        """Add `data` at the end of an axis, and return the new shape."""
        self._check_writable("elements")
        value = data if isinstance(data, np.ndarray) else self._cast(data, self.dtype)
        if not -self.ndim <= axis < self.ndim:
            raise SelectionError(f"{self._label}: expected an axis below {self.ndim}, found {axis}", axis=axis)
        axis %= self.ndim
        others = tuple(n for i, n in enumerate(self.shape) if i != axis)
        if value.ndim != self.ndim or tuple(n for i, n in enumerate(value.shape) if i != axis) != others:
            raise ValueMismatchError(
                f"{self._label}: expected data of the array's shape {self.shape} on every axis but {axis}, "
                f"found {value.shape}",
                axis=axis,
            )
        value = value.astype(self.dtype, copy=False)  # an error here comes before anything has changed
        start, stop = self.shape[axis], self.shape[axis] + value.shape[axis]
        if stop > start:
            self.resize(tuple(stop if i == axis else n for i, n in enumerate(self.shape)))
            self[tuple(slice(start, stop) if i == axis else slice(None) for i in range(self.ndim))] = value
        return self.shape

    # --- chunks

    def chunk_key(self, coords: Iterable[int]) -> str:
        """The store key of a chunk (of a shard, where there are shards)."""
        return self._io.key(self._coords(coords))

    def _coords(self, coords: Iterable[int]) -> tuple[int, ...]:
        given = tuple(int(c) for c in coords)
        counts = self.grid.counts
        if len(given) != len(counts) or not all(0 <= c < n for c, n in zip(given, counts, strict=True)):
            raise SelectionError(
                f"{self._label}: expected chunk coordinates below {counts}, found {given}", coords=given
            )
        return given

    def read_chunk(self, coords: Iterable[int]) -> np.ndarray:
        """The elements of one chunk, cut at the array's edge; the fill value where it is not stored."""
        return self[(*self.grid.region(self._coords(coords)), ...)]

    def encoded_chunk(self, coords: Iterable[int]) -> bytes | None:
        """The stored bytes of one chunk, as they are; None where it is not stored."""
        data = self.store.get(self.chunk_key(coords))
        return None if data is None else bytes(data)

    def _stored_chunks(self) -> Iterator[tuple[int, ...]]:
        """Coordinates of the chunks that are stored, in C order, found by one listing."""
        start = len(self._io.prefix)
        found = (self._io.keys.decode(key[start:], self.ndim) for key in self.store.list_prefix(self.path))
        counts = self.grid.counts
        yield from sorted(c for c in found if c is not None and all(i < n for i, n in zip(c, counts, strict=True)))

    @property
    def nchunks_initialized(self) -> int:
        """How many chunks are stored; with sharding, the chunks of the shards that are stored."""
        stored = list(self._stored_chunks())
        if self._sharding is None:
            return len(stored)
        inner = self._sharding.chunk_shape
        return sum(
            math.prod(-(-(s.stop - s.start) // c) for s, c in zip(self.grid.region(coords), inner, strict=True))
            for coords in stored
        )

    def nbytes_stored(self) -> int:
        """Bytes of all stored values of this array, metadata included."""
        return sum(self.store.get_size(key) or 0 for key in self.store.list_prefix(self.path))

    def chunk_stream(
        self,
        parallel: int = 1,
        ordered: bool = True,
        progress: Progress = None,
        filter: Callable[[tuple[int, ...]], bool] | None = None,
        stored_only: bool = True,
    ) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """Pairs (chunk coordinates, elements), lazily: nothing is read before it is asked for.

        At most `parallel` chunks are under way at once. `progress` counts the chunks that have come.
        With `stored_only` the chunks that are not stored are left out.
        """
        return self._stream(self.read_chunk, parallel, ordered, progress, filter, stored_only)

    def _stream(
        self,
        work: Callable[[tuple[int, ...]], Any],
        in_flight: int,
        ordered: bool,
        progress: Progress,
        filter: Callable[[tuple[int, ...]], bool] | None = None,
        stored_only: bool = True,
        timeout: float | None = None,
        executor: Executor | None = None,
    ) -> Iterator[tuple[tuple[int, ...], Any]]:
        if in_flight < 1:
            raise ValueError(f"expected at least one chunk in flight, found {in_flight}")
        coords: Iterable[tuple[int, ...]] = self._stored_chunks() if stored_only else self.grid
        if filter is not None:
            coords = [c for c in coords if filter(c)]
        if progress:
            coords = list(coords)
        pairs = parallel.stream(work, coords, in_flight, ordered, timeout, executor)
        with meter(progress, len(coords) if progress else None, "chunks") as advance:  # type: ignore[arg-type]
            for pair in pairs:
                advance()
                yield pair

    def parallel_chunk_map(
        self,
        fn: Callable[[tuple[int, ...], np.ndarray], Any],
        max_concurrency: int | None = None,
        timeout: float | None = None,
        ordered: bool = True,
        executor: Executor | None = None,
        progress: Progress = None,
    ) -> Iterator[Any]:
        """The results of ``fn(chunk coordinates, elements)`` for every stored chunk, lazily.

        Reading and `fn` run on `executor`, which may be any `concurrent.futures.Executor` (threads, processes, a
        Dask client's), or on threads of our own; at most `max_concurrency` chunks are under way. A chunk that
        takes longer than `timeout` seconds raises ChunkTimeoutError.
        """
        count = parallel.get_workers() if max_concurrency is None else max_concurrency
        work = ChunkTask(self, fn)
        pairs = self._stream(work, count, ordered, progress, timeout=timeout, executor=executor)
        return (result for _, result in pairs)

    # --- to look at

    def _summary(self) -> display.ArraySummary:
        """What the metadata says; nothing is read, nothing listed."""
        fill = self.fill_value
        known: dict[str, Any] = {
            "name": self.name,
            "zarr_format": self.zarr_format,
            "shape": self.shape,
            "dtype": str(self.dtype),
            "itemsize": self.itemsize,
            "fill_value": "undefined" if fill is None else repr(fill) if isinstance(fill, (str, bytes)) else str(fill),
            "dimension_names": self.dimension_names,
            "attributes": self.metadata.attributes,
            "store": repr(self.store),
            "read_only": self.read_only,
            "varying": self.metadata.data_type.item_size is None,
        }
        try:
            codecs = display.codec_lines(self.codecs, self.zarr_format)
            return display.ArraySummary(
                **known, chunks=self.chunks, shards=self.shards, codecs=codecs, order=self.order
            )
        except ZarrError as error:  # listed although its codecs are unknown
            return display.ArraySummary(**known, problem=str(error))

    def _repr_html_(self) -> str:
        return display.array_html(self._summary())

    @property
    def info(self) -> display.Info:
        """A summary to print or to show on a page; it reads and lists nothing in the store."""
        summary = self._summary()
        return display.Info(display.array_text(summary), display.array_html(summary))

    def info_complete(self) -> display.Info:
        """`info`, and what the store tells by one listing: how much is stored, and the ratio."""
        stored, summary = self.nbytes_stored(), self._summary()
        more = {
            "Stored": f"{stored:,} bytes, metadata included",
            "Ratio": display.ratio_text(self.nbytes, stored),
            "Chunks stored": f"{self.nchunks_initialized:,} of {self.nchunks:,}",
        }
        return display.Info(display.array_text(summary, more), display.array_html(summary, more))


class ChunkTask:
    """Reads one chunk and calls a function on it. A class, so that it can be sent to another process."""

    def __init__(self, array: Array, fn: Callable[[tuple[int, ...], np.ndarray], Any]) -> None:
        self.array, self.fn = array, fn

    def __call__(self, coords: tuple[int, ...]) -> Any:
        return self.fn(coords, self.array.read_chunk(coords))


class Selector:
    """What stands behind ``oindex``, ``vindex`` and ``blocks``: brackets with a meaning of their own."""

    def __init__(self, array: Array, select: Callable[[Any], indexing.Selection]) -> None:
        self._array, self._select = array, select

    def __getitem__(self, key: Any) -> Any:
        rest, fields = indexing.pop_fields(key)
        return self._array._get(lambda: self._select(rest), fields)

    def __setitem__(self, key: Any, value: Any) -> None:
        rest, fields = indexing.pop_fields(key)
        self._array._set(lambda: self._select(rest), value, fields)

    def plan(self, selection: Any, look: bool = False) -> Plan:
        """As `Array.plan`."""
        return Plan(self._array._io, self._array._select(lambda: self._select(selection)), look)


def _all_integers(key: Any, ndim: int) -> bool:
    """Whether NumPy would give a scalar, not an array."""
    entries = key if isinstance(key, tuple) else (key,)
    return len(entries) == ndim and all(
        (isinstance(e, (int, np.integer)) and not isinstance(e, (bool, np.bool_)))
        or (isinstance(e, np.ndarray) and e.ndim == 0 and e.dtype.kind in "iu")
        for e in entries
    )


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind in "OT":
        pairs = zip(a.flat, b.flat, strict=True)
        return all(x is y or (type(x) is type(y) and bool(np.all(x == y))) for x, y in pairs)
    return a.tobytes() == b.tobytes()
