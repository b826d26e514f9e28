"""`Array`: metadata, grid, codecs and store behind NumPy's brackets.

What stands between the brackets is understood in `indexing`; chunks are read and written in `chunk_io`; how an array
changes its shape is in `resizing`. An array holds no data and no thread: it can be pickled, and opens itself again
elsewhere. Each operation takes one state of it (`Array.io`: shape, grid, codecs) and stays with that, whatever another
thread makes of the handle meanwhile.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(6, 4), chunks=(3, 4), dtype="i4")
>>> a[2:5, 1] = [7, 8, 9]
>>> a[:, 1].tolist(), a.nchunks_initialized
([0, 0, 7, 8, 9, 0], 2)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr import chunk_grids, chunk_io, chunk_keys, consolidation, indexing, limits, nodes, parallel, resizing
from tutorial_zarr.codecs import Codec, Pipeline, build_codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec
from tutorial_zarr.codecs.sharding import ShardingCodec
from tutorial_zarr.codecs.transpose import Transpose
from tutorial_zarr.doors import open_door
from tutorial_zarr.dtypes.text import as_text, check_record_text, object_scalar
from tutorial_zarr.dtypes.v2 import Object
from tutorial_zarr.errors import MetadataError, SelectionError, ValueMismatchError, ZarrError, spelled
from tutorial_zarr.lazy import LazyView
from tutorial_zarr.metadata import ArrayMetadata, Unfinished
from tutorial_zarr.plan import ReadPlan, WritePlan
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.resizing.reservations import Reservation, Room
from tutorial_zarr.results import LARGE, empty
from tutorial_zarr.stores import Store
from tutorial_zarr.words import shape_text

if TYPE_CHECKING:
    from concurrent.futures import Executor


class Array(nodes.Node):
    """An array in a store. Made by `create_array` and `open_array`."""

    metadata: ArrayMetadata
    _doubt: Any = None  # what `chunk_io.ChunkIO.doubt` is, of an array that consolidated metadata told of

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
        alone: bool = False,
        deferred: bool = False,
    ) -> None:
        self.store, self.path = store, path
        self.read_only = read_only or store.read_only
        if missing not in ("fill", "warn", "error"):
            raise ValueError(f"missing: expected 'fill', 'warn' or 'error', found {missing!r}")
        # alone: nobody else can write beyond the shape that this handle knows, as while the array is being made
        self._options: dict[str, Any] = {
            "allow_pickle": allow_pickle, "missing": missing, "write_empty_chunks": write_empty_chunks, "alone": alone
        }  # fmt: skip
        self.metadata = metadata
        self._bound: chunk_io.ChunkIO | None = None
        if not deferred:
            self._bind(metadata)

    @property
    def io(self) -> chunk_io.ChunkIO:
        """One state of the array: grid, codecs and keys as the metadata name them, with which `chunk_io` works.

        Built on opening; by a listing, when it is first needed.
        """
        bound = self._bound  # looked at once: another thread may bind, or unbind
        return self._bind(self.metadata) if bound is None else bound

    def _bind(self, metadata: ArrayMetadata) -> chunk_io.ChunkIO:
        """Take on metadata: build what it names, so that what is wrong with it comes to light now.

        What is built is one state of the array. Each read and write takes it once, and asks nothing else for the
        shape, so that another thread of this handle may change that at any moment.
        """
        extensions = metadata.codecs
        if self._options["allow_pickle"]:
            extensions = tuple(
                e._replace(configuration={**e.configuration, "allow_pickle": True}) if e.name == "v2_filters" else e
                for e in extensions
            )
        try:
            io = chunk_io.ChunkIO(
                self.store,
                self.path,
                nodes.label("array", self.path, metadata.zarr_format),
                grid=chunk_grids.parse(metadata.chunk_grid, metadata.shape),
                keys=chunk_keys.parse(metadata.chunk_key_encoding),
                codecs=build_codecs(extensions),
                data_type=metadata.data_type,
                fill=metadata.fill,
                missing=self._options["missing"],
                # null: absent may mean anything
                write_empty=self._options["write_empty_chunks"] or metadata.fill_value is None,
                alone=self._options["alone"],
            )
        except (ZarrError, RecursionError) as error:
            if isinstance(error, RecursionError):
                error = MetadataError("codecs: expected a chain of reasonable depth, found one nested too deeply")
            where = nodes.label("array", self.path, metadata.zarr_format)
            document = nodes.join(self.path, "zarr.json" if metadata.zarr_format == 3 else ".zarray")
            raise type(error)(f"{where}: {document}: {error.message}", **error.fields) from error
        io.doubt = self._doubt
        self.metadata, self._bound = metadata, io
        return io

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
    def grid(self) -> chunk_grids.ChunkGrid:
        """The grid of write units: of shards where there are shards, else of chunks."""
        return self.io.grid

    def _lengths(self, axis: chunk_grids.Axis) -> Any:
        return tuple(axis.lengths) if isinstance(axis, chunk_grids.UnevenAxis) else axis.length

    @property
    def _unit(self) -> tuple[Any, ...]:
        return tuple(self._lengths(axis) for axis in self.grid.axes)

    @property
    def chunks(self) -> tuple[Any, ...]:
        """The chunk shape: what is read at once. On an uneven axis, the lengths of its chunks."""
        return self._unit if self._inner is None else self._inner

    @property
    def shards(self) -> tuple[Any, ...] | None:
        """The shard shape: what is written at once; None without sharding."""
        return None if self._inner is None else self._unit

    @property
    def _sharding(self) -> ShardingCodec | None:
        codec = self.io.pipeline.array_bytes
        return codec if isinstance(codec, ShardingCodec) and self._inner is not None else None

    @property
    def _inner(self) -> tuple[int, ...] | None:
        """The shape of inner chunks along the array's axes; None without shards, or where a codec reshapes them."""
        pipeline = self.io.pipeline
        if not isinstance(pipeline.array_bytes, ShardingCodec):
            return None
        axes = list(range(self.ndim))  # which of the array's axes each axis of the shard is
        for codec, spec in pipeline.array_array:
            if isinstance(codec, Transpose):
                axes = [axes[axis] for axis in codec.axes(len(axes))]
            elif codec.resolve(spec).shape != spec.shape:
                return None
        lengths = dict(zip(axes, pipeline.array_bytes.chunk_shape, strict=True))
        return tuple([lengths[axis] for axis in range(self.ndim)])

    @property
    def write_unit(self) -> tuple[Any, ...]:
        """The shape of what is written whole: the shard, or the chunk. Writers that keep to it need no lock."""
        return self._unit

    @property
    def cdata_shape(self) -> tuple[int, ...]:
        """Chunks along each axis."""
        inner, io = self._inner, self.io
        return io.grid.counts if inner is None else tuple(-(-n // c) for n, c in zip(io.shape, inner, strict=True))

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
    def codecs(self) -> tuple[Codec, ...]:
        """The chain of codecs, in the order in which a chunk is encoded."""
        return self.io.pipeline.codecs

    @property
    def pipeline(self) -> Pipeline:
        """The chain of codecs, bound to chunks of the array's chunk shape (to shards, where there are shards)."""
        return self.io.pipeline

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

    def _adopt(self, metadata: Any) -> None:
        if metadata.shape != self.shape:  # others have appended since
            self._bound = None
        self.metadata = metadata

    def renew_consolidated(self) -> bool:
        """Put the array's documents into the consolidated metadata of the groups above: a request for each of them.

        It tells whether any has some.
        """
        within = self.path or self.store.above()[1]
        return bool(within) and consolidation.renew(self.store, self.path, self.zarr_format, tree=False)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __repr__(self) -> str:
        head = spelled(f"<Array {self.name} shape={self.shape} dtype={self.dtype}")
        try:
            shards = f" shards={shape_text(self.shards)}" if self.shards else ""
            return f"{head} chunks={shape_text(self.chunks)}{shards}>"
        except ZarrError as error:  # listed although its codecs are unknown
            return f"{head}, cannot be read: {error}>"

    def at(self, store: Store, path: str, alone: bool = False) -> Any:
        """The array that these metadata describe, in another place; nothing is read, written or checked there.

        `alone`: while it is being made there, and nobody else can write into it.
        """
        return type(self)(store, path, self.metadata, **{**self._options, "alone": alone})

    def _with(self, metadata: ArrayMetadata, alone: bool = False) -> Array:
        """The array as other metadata have it. `alone`: nobody else can write beyond its shape."""
        return type(self)(self.store, self.path, metadata, **{**self._options, "alone": alone})

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store, "path": self.path, "read_only": self.read_only, "options": self._options,
                "metadata": self.metadata}  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.store, self.path, self.read_only = state["store"], state["path"], state["read_only"]
        self._options = state["options"]
        self._bind(state["metadata"])

    # --- what is between the brackets

    def __getitem__(self, key: Any) -> Any:
        io, fields = self.io, None
        if io.data_type.numpy.names:
            key, fields = indexing.pop_fields(key)
        selection = self._select(io, indexing.parse, key)
        scalar = selection.final_shape == () and _all_integers(key, len(io.shape))
        return self._get(io, selection, fields, scalar=scalar)

    def __setitem__(self, key: Any, value: Any) -> None:
        io, fields = self.io, None
        if io.data_type.numpy.names:
            key, fields = indexing.pop_fields(key)
        self._set(io, self._select(io, indexing.parse, key), value, fields)

    def _select(self, io: chunk_io.ChunkIO, parse: Callable[..., indexing.Selection], key: Any) -> indexing.Selection:
        """What a key selects in one state of the array, by one of the functions of `indexing`."""
        try:
            if parse is indexing.parse:
                return parse(key, io.shape, self.metadata.dimension_names)
            return parse(key, io.grid if parse is indexing.blocks else io.shape)
        except SelectionError as error:
            if not io.data_type.numpy.names:
                self._check_fields(indexing.pop_fields(key)[1])
            raise SelectionError(f"{self.label}: {error.message}; its shape is {io.shape}", **error.fields) from None

    def _check_fields(self, fields: list[str] | str | None) -> None:
        if fields is None:
            return
        names = [fields] if isinstance(fields, str) else fields
        if not isinstance(names, list) or not names:
            raise SelectionError(f"{self.label}: expected the name of a field or a list of names, found {fields!r}")
        for field in names:
            if field not in (self.dtype.names or ()):
                known = f"a field of {', '.join(map(repr, self.dtype.names))}" if self.dtype.names else (
                    "integers and slices, for its elements have no fields that text could name"
                )  # fmt: skip
                raise SelectionError(f"{self.label}: expected {known}, found {field!r}", field=field)

    def _get(
        self,
        io: chunk_io.ChunkIO,
        selection: indexing.Selection,
        fields: list[str] | str | None = None,
        out: np.ndarray | None = None,
        scalar: bool = False,
    ) -> Any:
        """What a selection holds, in one state of the array; see `get_basic_selection` for `fields` and `out`."""
        if fields is not None:
            self._check_fields(fields)
        if out is not None:
            return self._get_into(io, selection, fields, out)
        nbytes = math.prod(selection.shape) * io.element_nbytes
        limits.check_memory(io.label, nbytes)
        result = (np.empty if nbytes < LARGE else empty)(selection.shape, io.data_type.numpy)
        chunk_io.read(io, selection, result)
        final = selection.to_final(result)
        if fields is not None:
            final = final[fields]
        return final[()] if scalar else final

    def _get_into(self, io: chunk_io.ChunkIO, selection: indexing.Selection, fields: Any, out: Any) -> Any:
        """As `_get`, into memory that the caller has: straight, where it is of the array's type."""
        if not isinstance(out, np.ndarray):
            raise SelectionError(f"{self.label}: expected out as a NumPy array, found {type(out).__name__}")
        if fields is None:
            if out.shape != selection.final_shape or out.dtype != self.dtype:
                raise SelectionError(
                    f"{self.label}: expected out of shape {selection.final_shape} and type {self.dtype}, "
                    f"found {out.shape} and {out.dtype}"
                )
            target = selection.from_final(out)
            if np.shares_memory(target, out) or not out.size:
                chunk_io.read(io, selection, target)
                return out
        final = self._get(io, selection, fields)
        if out.shape != final.shape:
            raise SelectionError(f"{self.label}: expected out of shape {final.shape}, found {out.shape}")
        out[...] = final
        return out

    def _set(
        self,
        io: chunk_io.ChunkIO,
        selection: indexing.Selection,
        value: Any,
        fields: list[str] | str | None = None,
    ) -> None:
        """Write a selection, in one state of the array."""
        self.check_writable("elements")
        self._check_fields(fields)
        names = [fields] if isinstance(fields, str) else fields
        if isinstance(fields, str):
            cast = self._cast_field(value, fields)
        else:
            dtype = self.dtype if names is None else np.dtype([(n, self.dtype[n]) for n in names])
            cast = self._cast(value, dtype, len(selection.final_shape))
        while cast.ndim > len(selection.final_shape) and cast.shape[0] == 1:
            cast = cast[0, ...]  # as NumPy does with leading axes of one
        try:
            cast = np.broadcast_to(cast, selection.final_shape)
        except ValueError:
            raise ValueMismatchError(
                f"{self.label}: expected a value that broadcasts to the selected shape {selection.final_shape}, "
                f"found one of shape {cast.shape}"
            ) from None
        chunk_io.write(io, selection, selection.from_final(cast), names)

    def _cast_field(self, value: Any, name: str) -> np.ndarray:
        """`value` as records with that field alone, so that sub-arrays and records in it are one element each."""
        dtype = self.dtype[name]
        cast, inner = self._cast(value, dtype.base, 0), dtype.shape
        try:
            cast = np.broadcast_to(cast, np.broadcast_shapes(cast.shape, inner))
            outer = cast.shape[: cast.ndim - len(inner)]
            cells = np.empty(outer, [(name, dtype)])
            cells[name] = np.broadcast_to(cast, outer + inner)
        except ValueError:
            raise ValueMismatchError(
                f"{self.label}: expected a value for the field {name!r} that ends with its shape {inner}, "
                f"found one of shape {cast.shape}"
            ) from None
        return cells

    def _cast(self, value: Any, dtype: np.dtype, ndim: int) -> np.ndarray:
        """`value` as an array of that dtype, for a selection of `ndim` axes. Every way to write elements leads here."""
        try:
            if isinstance(self.metadata.data_type, Object):
                return self.metadata.data_type.cells(value, ndim)
            if dtype.kind in "TUS":
                return as_text(value, dtype)
            check_record_text(value, dtype)
        except ValueMismatchError as error:
            raise ValueMismatchError(f"{self.label}: {error.message}", **error.fields) from None
        if dtype.kind == "O":
            return self._cast_bytes(value)
        return value.astype(dtype, copy=False) if isinstance(value, np.ndarray) else np.asarray(value, dtype)

    def _cast_bytes(self, value: Any) -> np.ndarray:
        """`value` as an object array of bytes; refused before anything is written where an item is none."""
        array = np.asarray(value, object) if not isinstance(value, (bytes, bytearray)) else object_scalar(bytes(value))
        for item in array.flat:
            if not isinstance(item, (bytes, bytearray)):
                raise ValueMismatchError(f"{self.label}: expected bytes, found {type(item).__name__}")
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{self.label}: reading it makes a copy; np.asarray(..., copy=False) cannot be met")
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
                raise SelectionError(f"{self.label}: expected {self.ndim} numbers, one for each axis, found {bound}")
            columns.append(column)
        return tuple(slice(*triple) for triple in zip(*columns, strict=True))

    def get_basic_selection(self, selection: Any = Ellipsis, *, out: Any = None, fields: Any = None) -> Any:
        """Integers, slices, ellipsis, new axes."""
        io = self.io
        return self._get(io, self._select(io, indexing.basic, selection), fields, out)

    def set_basic_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write integers, slices, ellipsis."""
        io = self.io
        self._set(io, self._select(io, indexing.basic, selection), value, fields)

    def get_orthogonal_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Each axis by itself: as ``oindex[...]``."""
        io = self.io
        return self._get(io, self._select(io, indexing.orthogonal, selection), fields, out)

    def set_orthogonal_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write each axis by itself."""
        io = self.io
        self._set(io, self._select(io, indexing.orthogonal, selection), value, fields)

    def get_coordinate_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Points by their coordinates: as ``vindex[...]``."""
        io = self.io
        return self._get(io, self._select(io, indexing.coordinates, selection), fields, out)

    def set_coordinate_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write points by their coordinates."""
        io = self.io
        self._set(io, self._select(io, indexing.coordinates, selection), value, fields)

    def get_mask_selection(self, mask: Any, *, out: Any = None, fields: Any = None) -> Any:
        """The elements where a mask of the array's shape is true."""
        io = self.io
        return self._get(io, self._select(io, indexing.mask, mask), fields, out)

    def set_mask_selection(self, mask: Any, value: Any, *, fields: Any = None) -> None:
        """Write the elements where a mask of the array's shape is true."""
        io = self.io
        self._set(io, self._select(io, indexing.mask, mask), value, fields)

    def get_block_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Whole chunks (or shards) by their coordinates: as ``blocks[...]``."""
        io = self.io
        return self._get(io, self._select(io, indexing.blocks, selection), fields, out)

    def set_block_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write whole chunks (or shards) by their coordinates."""
        io = self.io
        self._set(io, self._select(io, indexing.blocks, selection), value, fields)

    def isel(self, indexers: Mapping[str, Any] | None = None, **by_name: Any) -> Any:
        """Select by the names of dimensions, each by itself: ``a.isel(time=3, lat=slice(0, 10))``.

        ``a[{"time": 3}]`` says the same, and takes values: ``a[{"time": 3}] = 0``.
        """
        key = {**(indexers or {}), **by_name}
        io = self.io
        return self._get(io, self._select(io, indexing.parse, key))

    def plan(self, selection: Any = Ellipsis, look: bool = False) -> ReadPlan:
        """What it would cost to read ``a[selection]``: chunks, keys, ranges, requests and bytes. Nothing is read.

        With `look` the store is asked for what the metadata cannot tell: the indexes of shards, and sizes.
        ``a.oindex.plan``, ``a.vindex.plan`` and ``a.blocks.plan`` do the same for those.
        """
        io = self.io
        return ReadPlan(io, self._select(io, indexing.parse, selection), look)

    def plan_write(self, selection: Any = Ellipsis) -> WritePlan:
        """What it would cost to write ``a[selection]``: which write units are whole, and which must be read first."""
        io = self.io
        return WritePlan(io, self._select(io, indexing.parse, selection))

    @property
    def lazy(self) -> LazyView:
        """The array as a view to select from before anything is read: ``a.lazy[100:][:, ::2].result()``."""
        return LazyView(self, tuple([range(n) for n in self.shape]))

    @property
    def oindex(self) -> Selector:
        """Orthogonal selection: ``a.oindex[[0, 5], :, [1, 2]]`` takes each axis by itself."""
        return Selector(self, indexing.orthogonal)

    @property
    def vindex(self) -> Selector:
        """Points: ``a.vindex[[0, 5], [1, 2]]`` takes the elements (0, 1) and (5, 2)."""
        return Selector(self, indexing.coordinates)

    @property
    def blocks(self) -> Selector:
        """Whole chunks (shards, where there are any): ``a.blocks[0, 1:3]``."""
        return Selector(self, indexing.blocks)

    # --- its chunks, one by one

    def chunk_key(self, coords: Iterable[int]) -> str:
        """The store key of a chunk (of a shard, where there are shards)."""
        io = self.io
        return io.key(self._checked(coords, io))

    def _checked(self, coords: Iterable[int], io: chunk_io.ChunkIO) -> tuple[int, ...]:
        given = tuple(int(c) for c in coords)
        counts = io.grid.counts
        if len(given) != len(counts) or not all(0 <= c < n for c, n in zip(given, counts, strict=True)):
            raise SelectionError(
                f"{self.label}: expected chunk coordinates below {counts}, found {given}", coords=given
            )
        return given

    def read_chunk(self, coords: Iterable[int]) -> np.ndarray:
        """The elements of one chunk, cut at the array's edge; the fill value where it is not stored."""
        io = self.io
        return self._get(io, indexing.basic((*io.grid.region(self._checked(coords, io)), ...), io.shape))

    def encoded_chunk(self, coords: Iterable[int]) -> bytes | None:
        """The stored bytes of one chunk, as they are; None where it is not stored."""
        with self.io.bounded():
            data = self.store.get(self.chunk_key(coords))
        return None if data is None else bytes(data)

    def chunk_coords(self, key: str) -> tuple[int, ...] | None:
        """The coordinates of a chunk (of a shard, where there are shards) by its store key; None for any other key.

        They may lie beyond the array's edge, where an array was cut, or others are making it larger.
        """
        io = self.io
        return io.keys.decode(key[len(io.prefix) :], self.ndim) if key.startswith(io.prefix) else None

    def chunk_region(self, coords: Iterable[int]) -> tuple[slice, ...]:
        """The slices of the array that a chunk holds (a shard, where there are shards), cut at the array's edge."""
        io = self.io
        return io.grid.region(self._checked(coords, io))

    def stored_chunks(self) -> Iterator[tuple[int, ...]]:
        """Coordinates of the chunks that are stored (shards, where there are shards), in C order: by one listing."""
        return self._stored(self.io, nodes.keys_below(self.store, self.path))

    def _stored(self, io: chunk_io.ChunkIO, keys: Iterable[str]) -> Iterator[tuple[int, ...]]:
        start, counts = len(io.prefix), io.grid.counts
        found = (io.keys.decode(key[start:], self.ndim) for key in keys)
        yield from sorted(c for c in found if c is not None and all(i < n for i, n in zip(c, counts, strict=True)))

    @property
    def nchunks_initialized(self) -> int:
        """How many chunks are stored; with sharding, the chunks of the shards that are stored."""
        return self.chunks_in(nodes.keys_below(self.store, self.path))

    def chunks_in(self, keys: Iterable[str]) -> int:
        """How many chunks lie under these keys of the store; with sharding, the chunks of the shards."""
        io, inner = self.io, self._inner
        stored = list(self._stored(io, keys))
        if inner is None:
            return len(stored)
        return sum(
            math.prod(-(-(s.stop - s.start) // c) for s, c in zip(io.grid.region(coords), inner, strict=True))
            for coords in stored
        )

    def nbytes_stored(self) -> int:
        """Bytes of all stored values of this array, metadata included."""
        return sum(size for _, size in nodes.sizes_below(self.store, self.path))

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
        coords: Iterable[tuple[int, ...]] = self.stored_chunks() if stored_only else self.grid
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

    # --- its shape

    def refresh(self) -> tuple[int, ...]:
        """Take on the metadata as they are now, since others may have changed them; returns the shape."""
        self._bind(nodes.read_array(self.store, self.path, self.metadata))
        return self.shape

    def resize(self, *shape: Any) -> None:
        """Change the shape. What is cut off is gone, and stays gone when the array grows again.

        A reader sees the array cut at once, then larger: never elements that are about to go. Until it has its new
        shape, in the metadata of the groups above as well, there is a mark in `unfinished`.
        """
        resizing.resize(self, tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape))

    def append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        """Add `data` at the end of an axis, and return the shape that ends with it.

        Any number of writers may append at once: blocks do not mix, none is lost, and those of one writer keep their
        order. `shape` is then the newest one. Requests, where the block takes `whole` write units and `partial` ones:
        2 + `whole` + 2 `partial`, and 1 more where units are new; in buckets and in SQLite 4 + `whole` + 2 `partial`,
        of which a unit that hangs over the new edge is one; and 1 for each group above, which may be consolidated.
        Nothing is listed. What a killed writer left is in `unfinished`; the next append takes its place.
        """
        return resizing.append(self, data, axis)

    def reserve(self, count: int, axis: int = 0) -> Reservation:
        """Room for `count` elements behind the end of an axis, which no reader sees until it is committed.

        For a block that comes in parts, or from many workers: they write to ``reservation.arrays[0]``, the array as it
        will be, where the room begins at ``reservation.starts[0]``. Meanwhile nobody else changes the shape: others
        are told who is at it. ``with`` commits at its end, or takes all back where there was an error. Room in several
        arrays that are to grow as one is made by `tutorial_zarr.resizing.reservations.Reservation`.

        >>> import tutorial_zarr as zarr
        >>> a = zarr.create_array({}, shape=(2,), chunks=(4,), dtype="i4")
        >>> with a.reserve(3) as room:
        ...     room.arrays[0][room.starts[0] :] = 7
        ...     a.refresh()
        (2,)
        >>> a[:].tolist()
        [0, 0, 7, 7, 7]
        """
        return Reservation([Room(self, count, axis)])

    @property
    def unfinished(self) -> dict[str, Unfinished]:
        """Changes of the shape that others are making, or that a killed writer left, by name; `refresh` looks again."""
        return self.metadata.unfinished

    def clear_unfinished(self, older_than: float = 3600.0) -> None:
        """Take back what writers left that were killed more than so many seconds ago, as far as that loses nothing.

        Chunks beyond the shape are deleted. Where the last elements are those of an append that did not end, the
        array is cut to where it began. A mark in the midst of an array stays, for `finish`. Room in several arrays is
        let in where all of them have their elements. What a writer is known to be at work on stays.
        """
        resizing.clear_unfinished(self, older_than)

    def finish(self, name: str, data: Any = None) -> None:
        """Take away a mark that a killed writer left: with `data`, once they are written in the place that it marks.

        Without data, what was not written stays the fill value. Chunks beyond the shape go with `resize`.
        """
        resizing.finish(self, name, data)

    # --- how it is shown

    def _repr_html_(self) -> str:
        return open_door("drawing").array_card(self)

    @property
    def info(self) -> Any:
        """A summary to print or to show on a page; it reads and lists nothing in the store."""
        return open_door("drawing").array_info(self)

    def info_complete(self) -> Any:
        """`info`, and what the store tells by one listing: how much is stored, and the ratio."""
        return open_door("drawing").array_info(self, complete=True)


class Selector:
    """What stands behind ``oindex``, ``vindex`` and ``blocks``: brackets with a meaning of their own."""

    def __init__(self, array: Array, parse: Callable[..., indexing.Selection]) -> None:
        self._array, self._parse = array, parse

    def __getitem__(self, key: Any) -> Any:
        io, (rest, fields) = self._array.io, indexing.pop_fields(key)
        return self._array._get(io, self._array._select(io, self._parse, rest), fields)

    def __setitem__(self, key: Any, value: Any) -> None:
        io, (rest, fields) = self._array.io, indexing.pop_fields(key)
        self._array._set(io, self._array._select(io, self._parse, rest), value, fields)

    def plan(self, selection: Any, look: bool = False) -> ReadPlan:
        """As `Array.plan`."""
        io = self._array.io
        return ReadPlan(io, self._array._select(io, self._parse, selection), look)


class ChunkTask:
    """Reads one chunk and calls a function on it. A class, so that it can be sent to another process."""

    def __init__(self, array: Array, fn: Callable[[tuple[int, ...], np.ndarray], Any]) -> None:
        self.array, self.fn = array, fn

    def __call__(self, coords: tuple[int, ...]) -> Any:
        return self.fn(coords, self.array.read_chunk(coords))


def _all_integers(key: Any, ndim: int) -> bool:
    """Whether NumPy would give a scalar, not an array."""
    entries = key if isinstance(key, tuple) else (key,)
    return len(entries) == ndim and all(
        (isinstance(e, (int, np.integer)) and not isinstance(e, (bool, np.bool_)))
        or (isinstance(e, np.ndarray) and e.ndim == 0 and e.dtype.kind in "iu")
        for e in entries
    )
