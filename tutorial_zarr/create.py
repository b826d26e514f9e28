"""New nodes: from the keywords that people write to documents, and from there to the store.

What the keywords mean is in `spelling`. A new array's document is composed first and then parsed like any other, so
that what is created is what a reader of the document would get.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import dtypes, nodes, replacing, spelling
from tutorial_zarr.array import Array
from tutorial_zarr.doors import open_door
from tutorial_zarr.dtypes.text import array_of
from tutorial_zarr.errors import MetadataError, NodeExistsError, nearest
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, v2, v3
from tutorial_zarr.metadata.model import dump_json, json_value
from tutorial_zarr.sources import reads_from
from tutorial_zarr.spelling import NewArray
from tutorial_zarr.stores import Store

# Rules for new arrays, by name. They stand above this layer, and are imported when somebody asks for them.
PROFILES = ("portable",)  # each behind a door
_PIECE = 1 << 28  # bytes that are copied at once from an array that is read piece by piece


def new_group(
    store: Store, path: str, zarr_format: int, attributes: dict[str, Any] | None, overwrite: bool
) -> GroupMetadata:
    """Create a group, and the groups above it that are missing."""
    check_format(zarr_format)
    metadata = nodes.new_group(zarr_format, check_attributes(attributes))
    encoded = nodes.documents(metadata, path)
    found = replacing.survey(store, path, "group", overwrite)
    replacing.make(store, path, encoded, "create group", kind="group", found=found)
    return metadata


KEYWORDS = {field.name for field in fields(NewArray)}
_OF_THE_LIBRARY = {"deferred", "read_only", "alone"}  # keywords that callers within the library set


def _check_keywords(options: dict[str, Any]) -> None:
    taken = Array.__init__.__kwdefaults__ or {}
    for name in sorted(set(options) - set(taken) - KEYWORDS):
        known = sorted({*KEYWORDS, "config", "overwrite", *taken} - _OF_THE_LIBRARY)
        raise TypeError(
            f"creating an array: found the keyword {name!r}; {nearest(name, known)}expected one of {', '.join(known)}"
        )


class Planned(NamedTuple):
    """An array that is to be made: nothing can be wrong any more with what its documents say."""

    array: Array
    documents: dict[str, bytes]
    data: Any
    options: dict[str, Any]


def new_array(store: Store, path: str, *, overwrite: bool | str = False, **options: Any) -> Array:
    """Create an array, and write `data` into it if there are any. See `api.create_array` for the keywords.

    ``overwrite="array"`` replaces an array, and no group. Of data that are read piece by piece (an array of this or
    another library), the old array may be the source.
    """
    planned = plan_array(store, path, **options)
    if planned.data is None:
        found = replacing.survey(store, path, "array", overwrite)
        replacing.make(store, path, planned.documents, "create array", kind="array", found=found)
    else:
        _write_all([planned], overwrite)
    return planned.array


def new_arrays(store: Store, arrays: dict[str, dict[str, Any]], overwrite: bool | str = False) -> None:
    """Create arrays with data, path -> keywords of each, such that a reader finds all of them, or a mark, or none."""
    for path in arrays:
        inside = [other for other in arrays if path.startswith(other + "/")]
        if inside:
            raise NodeExistsError(
                f"{nodes.label('array', path)}: expected a group above it, found that {inside[0]!r} is to be an array; "
                "an array holds no other nodes",
                path=path,
            )
    _write_all([plan_array(store, path, **options) for path, options in arrays.items()], overwrite)


def _write_all(planned: list[Planned], overwrite: bool | str) -> None:
    staged = not all(isinstance(one.data, np.ndarray) and _takes_all(one.array, one.data) for one in planned)
    news = [
        replacing.Replacement(
            one.array.store,
            one.array.path,
            one.documents,
            "create array",
            overwrite=overwrite,
            staged=staged,
            onto_itself=partial(_is_made_from, one.data, one.array),
        )
        for one in planned
    ]
    with replacing.together(news):
        for one, new in zip(planned, news, strict=True):
            for each in news:
                each.beat()
            _fill(Array(new.store, new.path, one.array.metadata, alone=True, **one.options), one.data)


def _is_made_from(data: Any, array: Array) -> bool:
    """Whether data would be others once they are written; an array that is copied onto itself stays the same."""
    return not isinstance(data, (np.ndarray, Array)) and reads_from(data, array.store, array.path)


def plan_array(store: Store, path: str, **options: Any) -> Planned:
    """What a new array is to be, by the keywords of `api.create_array`. Nothing is changed."""
    options = spelling.configured(options)
    _check_keywords(options)
    array_options = {name: options.pop(name) for name in [*options] if name not in KEYWORDS}
    new = _with_data(NewArray(**options))
    rules = None if new.profile is None else find_profile(new.profile)
    if new.zarr_format is None:
        new = replace(new, zarr_format=3 if rules is None else rules.zarr_format())
    check_format(new.zarr_format)
    if new.shape is None:
        raise MetadataError("shape: expected a shape, or data to take it from; found neither", key="shape")
    extent = spelling.shape_of(new.shape)
    new = replace(new, object_codec=_object_codec(new))
    data_type = spelling.data_type_of("f8" if new.dtype is None else new.dtype, new.data, new.object_codec)
    attributes = check_attributes(new.attributes)
    if rules is not None and new.codecs is None and spelling.is_auto(new.compressors):
        compressors = rules.compressor(data_type, new.zarr_format, spelling.default_compressor())
        new = replace(new, compressors=compressors)
    metadata = _parsed(spelling.document(new, extent, data_type), new, attributes, path)
    encoded = nodes.documents(metadata, path)
    if rules is not None:
        rules.check(metadata.to_json(), attributes, path)
    return Planned(Array(store, path, metadata, **array_options), encoded, new.data, array_options)


def _with_data(new: NewArray) -> NewArray:
    """The keywords with the shape and the type of the data, where there are any."""
    if new.data is None:
        by_fill = new.dtype is None and isinstance(new.fill_value, (np.ndarray, np.generic))
        return replace(new, dtype=new.fill_value.dtype) if by_fill else new
    data = new.data if isinstance(new.data, np.ndarray) or _in_pieces(new.data) else array_of(new.data)
    if new.shape is not None and spelling.shape_of(new.shape) != tuple(data.shape):
        raise MetadataError(f"shape: expected that of the data, {tuple(data.shape)}, found {new.shape}; give only one")
    return replace(new, data=data, shape=data.shape, dtype=data.dtype if new.dtype is None else new.dtype)


def _object_codec(new: NewArray) -> Any:
    """What says what objects are: in v2, a filter may."""
    if new.object_codec is not None or new.zarr_format == 3:
        return new.object_codec
    return next((f for f in spelling.as_list(new.filters) if spelling.identifier(f) in v2.OBJECT_CODECS), None)


def _parsed(document: dict[str, Any], new: NewArray, attributes: dict[str, Any], path: str) -> ArrayMetadata:
    """What a reader of the document would get. In v2, attributes have a document of their own."""
    where = nodes.label("array", path, new.zarr_format)
    if new.zarr_format == 3:
        return v3.parse(document | {"attributes": attributes}, where)  # type: ignore[return-value]
    if new.dimension_names is not None:
        attributes.setdefault("_ARRAY_DIMENSIONS", list(new.dimension_names))
    return v2.parse_array(document, attributes, where)


# Codecs that take whatever elements there are
_TAKE_ALL = {"bytes", "transpose", "zstd", "gzip", "zlib", "blosc", "crc32c", "adler32", "lz4", "bz2", "lzma"}
_TAKE_ALL |= {"shuffle", "sharding_indexed", "v2_filters"}


def _takes_all(array: Array, data: np.ndarray) -> bool:
    """Whether none of these values can be refused."""
    names = {name for codec in array.metadata.codecs for name in _names_in({"name": codec.name, **codec.configuration})}
    return data.dtype == array.dtype and data.dtype.kind in "biufcSV" and names <= _TAKE_ALL


def _names_in(codec: Any) -> Iterator[str]:
    """The names of a codec and of those in its configuration."""
    for key, value in codec.items() if isinstance(codec, dict) else ():
        if key in ("name", "id") and isinstance(value, str):
            yield value.removeprefix("numcodecs.")
        for inner in value if isinstance(value, list) else [value]:
            yield from _names_in(inner)


def _in_pieces(data: Any) -> bool:
    """Whether data are an array that is read piece by piece: of this library, zarr-python's, h5py's, dask's."""
    return all(hasattr(data, name) for name in ("shape", "dtype", "ndim", "chunks", "__getitem__"))


def _fill(array: Array, data: Any) -> None:
    """Write data into a new array: those that are read piece by piece, some write units at a time."""
    itemsize = array.itemsize or 1
    if isinstance(data, np.ndarray) or not array.ndim or array.nbytes <= _PIECE:
        array[...] = data[...] if isinstance(data, Array) else data
        return
    axis, row = array.grid.axes[0], itemsize * math.prod(array.shape[1:])
    start, unit = 0, 0
    while start < array.shape[0]:
        stop = start
        while stop < array.shape[0] and (stop == start or (stop - start + axis.size(unit)) * row <= _PIECE):
            stop, unit = min(axis.start(unit) + axis.size(unit), array.shape[0]), unit + 1
        array[start:stop] = data[start:stop]
        start = stop


def find_profile(profile: Any) -> Any:
    """The rules of that name; what has `zarr_format`, `compressor` and `check` is rules itself."""
    if isinstance(profile, str):
        if profile not in PROFILES:
            raise MetadataError(
                f"profile: expected {' or '.join(map(repr, PROFILES))}, found {profile!r}", key="profile"
            )
        return open_door(f"profile:{profile}")()
    return profile


def check_format(zarr_format: Any) -> None:
    """Refuse a Zarr format other than 2 and 3."""
    if zarr_format not in (2, 3):
        raise MetadataError(f"zarr_format: expected 2 or 3, found {zarr_format!r}", key="zarr_format")


def check_attributes(attributes: dict[str, Any] | None) -> dict[str, Any]:
    """Attributes as plain JSON, refused where JSON cannot hold them."""
    checked = json_value(dict(attributes or {}))
    dump_json(checked, "attributes")
    return checked


def check_dtype(node: Array, dtype: Any, exact: bool, where: str) -> None:
    """Refuse an array whose type is not `dtype`, or cannot hold it safely."""
    if dtype is None:
        return
    wanted = dtypes.from_numpy(dtype).numpy
    if node.dtype != wanted and (exact or not np.can_cast(wanted, node.dtype)):
        raise NodeExistsError(f"{where}: expected the type {wanted}, found {node.dtype}; try another name")


def copy_of(array: Array, zarr_format: int) -> dict[str, Any]:
    """The keywords that make an array like another one, with its attributes and the names of its axes.

    In the other format it has the same compressors, but none of the filters.
    """
    options, attributes = like(array, zarr_format=zarr_format), dict(array.metadata.attributes)
    if array.zarr_format != zarr_format:
        if array.zarr_format == 2:
            attributes.pop("_ARRAY_DIMENSIONS", None)
            compressor = array.metadata.document.get("compressor")
            options["compressors"] = None if compressor is None else [compressor]
        else:
            options["compressors"] = [codec.to_json() for codec in array.compressors] or None
        options["dimension_names"] = array.dimension_names
    return {**options, "attributes": attributes}


def like(array: Any, **options: Any) -> dict[str, Any]:
    """The keywords that make an array like another one: its shape, type and, if it is Zarr, its layout."""
    found: dict[str, Any] = {"shape": array.shape, "dtype": array.dtype}
    if isinstance(array, Array):
        found["zarr_format"] = options.get("zarr_format", array.zarr_format)
        found["dtype"] = array.metadata.data_type
        found["chunks"], found["fill_value"] = array.chunks, array.metadata.fill_value
        if found["zarr_format"] == array.zarr_format == 3:
            found["shards"], found["dimension_names"] = array.shards, array.dimension_names
            sharding = array._sharding
            chain = array.codecs if sharding is None else sharding.codecs
            found["codecs"] = [codec.to_json() for codec in chain]
        elif found["zarr_format"] == array.zarr_format == 2:
            document = array.metadata.document
            found["filters"], found["compressors"] = document.get("filters"), document.get("compressor")
            found["order"] = document["order"]
    return {**found, **options}
