"""`LazyView`: a selection of an array that nothing has read yet.

A view remembers, for each axis, which indices it stands for; selecting from it selects among those, and only
`result` reads, once and no more than what is left. Each axis is by itself, as with ``oindex``. Points, whose axes
go together, are not views: read first, then pick.

>>> import numpy as np, tutorial_zarr as zarr
>>> a = zarr.array(np.arange(24).reshape(4, 6), chunks=(2, 3))
>>> view = a.lazy[1:][:, ::2]
>>> view
<LazyView of / shape=(3, 3) dtype=int64>
>>> view[-1].result()
array([18, 20, 22])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr import indexing
from tutorial_zarr.errors import SelectionError, spelled

Along = range | np.ndarray | int  # the indices that a view has along one axis of the array; an int: a dropped axis


class LazyView:
    """Made by ``array.lazy[...]``."""

    def __init__(self, array: Any, along: tuple[Along, ...]) -> None:
        self.array, self._along = array, along

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that `result` will have."""
        return tuple([len(indices) for indices in self._along if not isinstance(indices, int)])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """As the array's."""
        return self.array.dtype

    @property
    def dimension_names(self) -> tuple[str | None, ...] | None:
        """The names of the axes that are left."""
        names = self.array.dimension_names
        if names is None:
            return None
        return tuple([n for n, indices in zip(names, self._along, strict=True) if not isinstance(indices, int)])

    @property
    def selection(self) -> tuple[Any, ...]:
        """What `result` will ask the array for, as ``oindex`` takes it."""
        return tuple([_as_slice(i) if isinstance(i, range) else i for i in self._along])

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a view without axes")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<LazyView of {spelled(self.array.name)} shape={self.shape} dtype={self.dtype}>"

    def __getitem__(self, key: Any) -> LazyView:
        try:
            selection = indexing.orthogonal(indexing.by_name(key, self.dimension_names), self.shape)
        except SelectionError as error:
            raise SelectionError(f"{self!r}: {error.message}", **error.fields) from None
        picked = enumerate(selection.factors)
        along: list[Along] = []
        for indices in self._along:
            if isinstance(indices, int):
                along.append(indices)
                continue
            axis, factor = next(picked)
            if isinstance(factor, indexing.Indices):
                along.append(np.asarray(indices)[factor.index])
            elif axis in selection.drop:
                along.append(int(indices[factor.start]))
            else:
                stop = factor.start + factor.count * factor.step
                along.append(indices[factor.start : stop : factor.step][:: -1 if axis in selection.flip else 1])
        return LazyView(self.array, tuple(along))

    def isel(self, **indexers: Any) -> LazyView:
        """Select by the names of dimensions."""
        return self[indexers]

    def _select(self, io: Any) -> indexing.Selection:
        """The selection in one state of the array, which may have been cut since the view was made."""
        for axis, (indices, length) in enumerate(zip(self._along, io.shape, strict=True)):
            if isinstance(indices, range) and len(indices) and max(indices[0], indices[-1]) >= length:
                raise SelectionError(
                    f"{self!r}: expected an axis {axis} of more than {max(indices[0], indices[-1])} elements, found "
                    f"{length}: the array was cut since the view was made"
                )
        return indexing.orthogonal(self.selection, io.shape)

    def result(self) -> Any:
        """Read what the view stands for."""
        io = self.array.io
        return self.array._get(io, self._select(io))

    def __setitem__(self, key: Any, value: Any) -> None:
        io = self.array.io
        self.array._set(io, self[key]._select(io), value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{self!r}: reading makes a copy, and copy=False forbids it")
        return np.asarray(self.result(), dtype)


def _as_slice(indices: range) -> slice:
    """The slice that selects a range: a range that runs down to index 0 has the stop None, not -1."""
    if len(indices) == 0:
        return slice(0, 0)
    return slice(indices.start, indices.stop if indices.stop >= 0 else None, indices.step)
