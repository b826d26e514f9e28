"""What an array is: its metadata, bound to a grid, codecs and a store; its properties, attributes and pickling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr import chunk_grids, chunk_keys, consolidation, nodes
from tutorial_zarr.attributes import Attributes, Change
from tutorial_zarr.chunk_io import ChunkIO
from tutorial_zarr.codecs import Codec, build_codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec
from tutorial_zarr.codecs.sharding import ShardingCodec
from tutorial_zarr.codecs.transpose import Transpose
from tutorial_zarr.errors import MetadataError, ReadOnlyError, ZarrError, spelled
from tutorial_zarr.metadata import ArrayMetadata
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.locks import process_lock
from tutorial_zarr.words import shape_text


class ArrayBase:
    """What an array is, before anything is read or written."""

    _doubt: Any = None  # what `ChunkIO.doubt` is, of an array that consolidated metadata told of

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
        self._options = {
            "allow_pickle": allow_pickle, "missing": missing, "write_empty_chunks": write_empty_chunks, "alone": alone
        }  # fmt: skip
        self.metadata = metadata
        self._bound: ChunkIO | None = None
        if not deferred:
            self._bind(metadata)

    @property
    def _io(self) -> ChunkIO:
        """Grid, codecs and keys as the metadata names them. Built on opening; by a listing, when first needed."""
        bound = self._bound  # looked at once: another thread may bind, or unbind
        return self._bind(self.metadata) if bound is None else bound

    def _bind(self, metadata: ArrayMetadata) -> ChunkIO:
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
                self._options["alone"],
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
        return self._unit if self._inner is None else self._inner

    @property
    def shards(self) -> tuple[Any, ...] | None:
        """The shard shape: what is written at once; None without sharding."""
        return None if self._inner is None else self._unit

    @property
    def _sharding(self) -> ShardingCodec | None:
        codec = self._io.pipeline.array_bytes
        return codec if isinstance(codec, ShardingCodec) and self._inner is not None else None

    @property
    def _inner(self) -> tuple[int, ...] | None:
        """The shape of inner chunks along the array's axes; None without shards, or where a codec reshapes them."""
        pipeline = self._io.pipeline
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
        inner, io = self._inner, self._io
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
        return Attributes(lambda: self.metadata.attributes, self._change_attributes)

    def _change_attributes(self, change: Change) -> None:
        self._check_writable("its attributes")
        with process_lock((id(self), "attributes")):  # so that of two threads the later one's result stays
            before = self.shape
            found = nodes.change_attributes(self.store, self.path, self.metadata, change)
            self.metadata = found  # type: ignore[assignment]
            if self.shape != before:  # others have appended since
                self._bound = None
        consolidation.renew(self.store, self.path, self.zarr_format, tree=False)

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
        head = spelled(f"<Array {self.name} shape={self.shape} dtype={self.dtype}")
        try:
            shards = f" shards={shape_text(self.shards)}" if self.shards else ""
            return f"{head} chunks={shape_text(self.chunks)}{shards}>"
        except ZarrError as error:  # listed although its codecs are unknown
            return f"{head}, cannot be read: {error}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayBase) and (self.store, self.path) == (other.store, other.path)

    __hash__ = None  # type: ignore[assignment]

    def at(self, store: Store, path: str, alone: bool = False) -> Any:
        """The array that these metadata describe, in another place; nothing is read, written or checked there.

        `alone`: while it is being made there, and nobody else can write into it.
        """
        return type(self)(store, path, self.metadata, **{**self._options, "alone": alone})

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store, "path": self.path, "read_only": self.read_only, "options": self._options,
                "metadata": self.metadata}  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.store, self.path, self.read_only = state["store"], state["path"], state["read_only"]
        self._options = state["options"]
        self._bind(state["metadata"])
