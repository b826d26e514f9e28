"""NumPy's brackets and their relatives: what is selected, read and written.

What stands between the brackets is understood in `indexing`; the chunks are read and written in `chunk_io`. Each
operation takes the array's state once (`ChunkIO`: shape, grid, codecs) and stays with it, whatever another thread
makes of the handle meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tutorial_zarr import chunk_io, indexing, limits
from tutorial_zarr.dtypes.text import as_text, check_record_text, object_scalar
from tutorial_zarr.dtypes.v2 import Object
from tutorial_zarr.errors import SelectionError, ValueMismatchError
from tutorial_zarr.lazy import LazyView
from tutorial_zarr.plan import Plan, WritePlan

from .base import ArrayBase

Select = Callable[[chunk_io.ChunkIO], indexing.Selection]  # what a selection is in one state of the array


class Selecting(ArrayBase):
    """Reading and writing elements."""

    def __getitem__(self, key: Any) -> Any:
        rest, fields = indexing.pop_fields(key)
        return self._get(self._parsed(rest), fields, scalar=_all_integers(rest, self.ndim))

    def __setitem__(self, key: Any, value: Any) -> None:
        rest, fields = indexing.pop_fields(key)
        self._set(self._parsed(rest), value, fields)

    def _select(self, select: Select, io: chunk_io.ChunkIO) -> indexing.Selection:
        try:
            return select(io)
        except SelectionError as error:
            raise SelectionError(f"{self._label}: {error.message}; its shape is {io.shape}", **error.fields) from None

    def _check_fields(self, fields: list[str] | str | None) -> None:
        if fields is None:
            return
        names = [fields] if isinstance(fields, str) else fields
        if not isinstance(names, list) or not names:
            raise SelectionError(f"{self._label}: expected the name of a field or a list of names, found {fields!r}")
        for field in names:
            if field not in (self.dtype.names or ()):
                known = f"a field of {', '.join(map(repr, self.dtype.names))}" if self.dtype.names else (
                    "integers and slices, for its elements have no fields that text could name"
                )  # fmt: skip
                raise SelectionError(f"{self._label}: expected {known}, found {field!r}", field=field)

    def _get(
        self,
        select: Select,
        fields: list[str] | str | None = None,
        out: np.ndarray | None = None,
        scalar: bool = False,
    ) -> Any:
        io = self._io
        selection = self._select(select, io)
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
                chunk_io.read(io, selection, target)
                return out
        limits.check_memory(self._label, math.prod(selection.shape) * io.element_nbytes)
        result = np.empty(selection.shape, self.dtype)
        chunk_io.read(io, selection, result)
        final = selection.to_final(result)
        if fields is not None:
            final = final[fields]
        if out is not None:
            if out.shape != final.shape:
                raise SelectionError(f"{self._label}: expected out of shape {final.shape}, found {out.shape}")
            out[...] = final
            return out
        return final[()] if scalar else final

    def _set(self, select: Select, value: Any, fields: list[str] | str | None = None) -> None:
        self._check_writable("elements")
        io = self._io
        selection = self._select(select, io)
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
                f"{self._label}: expected a value that broadcasts to the selected shape {selection.final_shape}, "
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
                f"{self._label}: expected a value for the field {name!r} that ends with its shape {inner}, "
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
            raise ValueMismatchError(f"{self._label}: {error.message}", **error.fields) from None
        if dtype.kind == "O":
            return self._cast_bytes(value)
        return value.astype(dtype, copy=False) if isinstance(value, np.ndarray) else np.asarray(value, dtype)

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
        return self._get(lambda io: indexing.basic(selection, io.shape), fields, out)

    def set_basic_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write integers, slices, ellipsis."""
        self._set(lambda io: indexing.basic(selection, io.shape), value, fields)

    def get_orthogonal_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Each axis by itself: as ``oindex[...]``."""
        return self._get(lambda io: indexing.orthogonal(selection, io.shape), fields, out)

    def set_orthogonal_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write each axis by itself."""
        self._set(lambda io: indexing.orthogonal(selection, io.shape), value, fields)

    def get_coordinate_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Points by their coordinates: as ``vindex[...]``."""
        return self._get(lambda io: indexing.coordinates(selection, io.shape), fields, out)

    def set_coordinate_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write points by their coordinates."""
        self._set(lambda io: indexing.coordinates(selection, io.shape), value, fields)

    def get_mask_selection(self, mask: Any, *, out: Any = None, fields: Any = None) -> Any:
        """The elements where a mask of the array's shape is true."""
        return self._get(lambda io: indexing.mask(mask, io.shape), fields, out)

    def set_mask_selection(self, mask: Any, value: Any, *, fields: Any = None) -> None:
        """Write the elements where a mask of the array's shape is true."""
        self._set(lambda io: indexing.mask(mask, io.shape), value, fields)

    def get_block_selection(self, selection: Any, *, out: Any = None, fields: Any = None) -> Any:
        """Whole chunks (or shards) by their coordinates: as ``blocks[...]``."""
        return self._get(lambda io: indexing.blocks(selection, io.grid), fields, out)

    def set_block_selection(self, selection: Any, value: Any, *, fields: Any = None) -> None:
        """Write whole chunks (or shards) by their coordinates."""
        self._set(lambda io: indexing.blocks(selection, io.grid), value, fields)

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
        io = self._io
        return Plan(io, self._select(self._parsed(selection), io), look)

    def plan_write(self, selection: Any = Ellipsis) -> WritePlan:
        """What it would cost to write ``a[selection]``: which write units are whole, and which must be read first."""
        io = self._io
        return WritePlan(io, self._select(self._parsed(selection), io))

    def _parsed(self, key: Any) -> Select:
        if isinstance(key, Mapping):
            return lambda io: indexing.orthogonal(indexing.by_name(key, self.dimension_names), io.shape)
        return lambda io: indexing.parse(key, io.shape)

    @property
    def lazy(self) -> LazyView:
        """The array as a view to select from before anything is read: ``a.lazy[100:][:, ::2].result()``."""
        return LazyView(self, tuple([range(n) for n in self.shape]))

    @property
    def oindex(self) -> Selector:
        """Orthogonal selection: ``a.oindex[[0, 5], :, [1, 2]]`` takes each axis by itself."""
        return Selector(self, lambda key, io: indexing.orthogonal(key, io.shape))

    @property
    def vindex(self) -> Selector:
        """Points: ``a.vindex[[0, 5], [1, 2]]`` takes the elements (0, 1) and (5, 2)."""
        return Selector(self, lambda key, io: indexing.coordinates(key, io.shape))

    @property
    def blocks(self) -> Selector:
        """Whole chunks (shards, where there are any): ``a.blocks[0, 1:3]``."""
        return Selector(self, lambda key, io: indexing.blocks(key, io.grid))


class Selector:
    """What stands behind ``oindex``, ``vindex`` and ``blocks``: brackets with a meaning of their own."""

    def __init__(self, array: Selecting, select: Callable[[Any, chunk_io.ChunkIO], indexing.Selection]) -> None:
        self._array, self._select = array, select

    def __getitem__(self, key: Any) -> Any:
        rest, fields = indexing.pop_fields(key)
        return self._array._get(lambda io: self._select(rest, io), fields)

    def __setitem__(self, key: Any, value: Any) -> None:
        rest, fields = indexing.pop_fields(key)
        self._array._set(lambda io: self._select(rest, io), value, fields)

    def plan(self, selection: Any, look: bool = False) -> Plan:
        """As `Array.plan`."""
        io = self._array._io
        return Plan(io, self._array._select(lambda io: self._select(selection, io), io), look)


def _all_integers(key: Any, ndim: int) -> bool:
    """Whether NumPy would give a scalar, not an array."""
    entries = key if isinstance(key, tuple) else (key,)
    return len(entries) == ndim and all(
        (isinstance(e, (int, np.integer)) and not isinstance(e, (bool, np.bool_)))
        or (isinstance(e, np.ndarray) and e.ndim == 0 and e.dtype.kind in "iu")
        for e in entries
    )
