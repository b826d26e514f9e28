"""New nodes: from the keywords that people write to a metadata document, and from there to the store.

A new array's document is written first and then parsed like any other, so that what is created is what a reader
of the document would get. The keywords are those of zarr-python 3 (and, for v2, those of zarr-python 2).
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import dtypes, nodes, replacing
from tutorial_zarr.array import Array
from tutorial_zarr.chunk_grids import run_lengths
from tutorial_zarr.codecs import build_codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec
from tutorial_zarr.codecs.filters import aligned, in_order
from tutorial_zarr.doors import open_door
from tutorial_zarr.dtypes.text import Bytes, String, array_of
from tutorial_zarr.dtypes.v2 import Object, describe_stored, object_type
from tutorial_zarr.errors import MetadataError, NodeExistsError, nearest
from tutorial_zarr.metadata import GroupMetadata, v2, v3
from tutorial_zarr.metadata.model import dump_json, plain
from tutorial_zarr.sources import reads_from
from tutorial_zarr.stores import Store

AUTO_CHUNK_BYTES = 1 << 22  # of the chunks that are chosen where the caller names none
# Rules for new arrays, by name. They stand above this layer, and are imported when somebody asks for them.
PROFILES = ("portable",)  # each behind a door
_PIECE = 1 << 28  # bytes that are copied at once from an array that is read piece by piece
DEFAULT = object()  # a fill value that was not given; None means "undefined" in v2


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


_OF_THE_LIBRARY = {"deferred", "read_only", "alone"}  # keywords that callers within the library set


# zarr-python's, of which the two about shards are advice that this library has no use for
_CONFIG = ("order", "read_missing_chunks", "sharding_coalesce_max_bytes", "sharding_coalesce_max_gap_bytes",
           "write_empty_chunks")  # fmt: skip


def configured(options: dict[str, Any]) -> dict[str, Any]:
    """`options` with zarr-python's ``config={"write_empty_chunks": ...}`` as keywords of this library."""
    if options.get("config") is None:
        return {name: value for name, value in options.items() if name != "config"}
    config = options["config"]
    if not isinstance(config, Mapping):
        config = config.to_dict() if hasattr(config, "to_dict") else {"": config}
    for name in sorted({*config} - {*_CONFIG}):
        raise TypeError(f"config: found {name!r}; {nearest(name, _CONFIG)}expected one of {', '.join(_CONFIG)}")
    if config.get("order", "C") != "C":
        raise TypeError("config: expected order 'C', in which arrays are read, found 'F'; try numpy.asfortranarray")
    found = {"write_empty_chunks": config["write_empty_chunks"]} if "write_empty_chunks" in config else {}
    if not config.get("read_missing_chunks", True):
        found["missing"] = "error"
    twice = sorted({*found} & {*options})
    if twice:
        raise TypeError(f"config: expected {twice[0]} once, found it in config and beside it")
    return {**found, **{name: value for name, value in options.items() if name != "config"}}


def _check_keywords(options: dict[str, Any]) -> None:
    taken = Array.__init__.__kwdefaults__ or {}
    for name in sorted(set(options) - set(taken)):
        known = sorted({*plan_array.__kwdefaults__, "config", "overwrite", *taken} - _OF_THE_LIBRARY)
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


def plan_array(
    store: Store,
    path: str,
    *,
    shape: Any = None,
    dtype: Any = None,
    data: Any = None,
    chunks: Any = "auto",
    shards: Any = None,
    filters: Any = "auto",
    compressors: Any = "auto",
    serializer: Any = "auto",
    codecs: Any = None,
    fill_value: Any = DEFAULT,
    order: str | None = None,
    zarr_format: int | None = None,
    attributes: dict[str, Any] | None = None,
    chunk_key_encoding: Any = None,
    dimension_names: Any = None,
    object_codec: Any = None,
    dimension_separator: str | None = None,
    profile: Any = None,
    **array_options: Any,
) -> Planned:
    """What a new array is to be, by the keywords of `api.create_array`. Nothing is changed."""
    array_options = configured(array_options)
    _check_keywords(array_options)
    rules = None if profile is None else find_profile(profile)
    if zarr_format is None:
        zarr_format = 3 if rules is None else rules.zarr_format()
    check_format(zarr_format)
    if data is not None:
        data = data if isinstance(data, np.ndarray) or _in_pieces(data) else array_of(data)
        if shape is not None and _shape(shape) != tuple(data.shape):
            raise MetadataError(f"shape: expected that of the data, {tuple(data.shape)}, found {shape}; give only one")
        shape, dtype = data.shape, data.dtype if dtype is None else dtype
    if shape is None:
        raise MetadataError("shape: expected a shape, or data to take it from; found neither", key="shape")
    extent = _shape(shape)
    if dtype is None and isinstance(fill_value, (np.ndarray, np.generic)):
        dtype = fill_value.dtype
    if object_codec is None and zarr_format == 2:
        object_codec = next((f for f in _as_list(filters) if _identifier(f) in v2.OBJECT_CODECS), None)
    data_type = _data_type("f8" if dtype is None else dtype, data, object_codec)
    checked = check_attributes(attributes)
    if rules is not None and codecs is None and _is_auto(compressors):
        compressors = rules.compressor(data_type, zarr_format, _default_compressor())
    if zarr_format == 3:
        if object_codec is not None:
            raise MetadataError("object_codec: Zarr 3 has no object codecs; try dtype=str, or zarr_format=2")
        separator = None if dimension_separator is None else {"name": "default", "separator": dimension_separator}
        document = _document_v3(
            extent, data_type, dtype, chunks, shards, filters, compressors, serializer, codecs, fill_value, order,
            chunk_key_encoding or separator, dimension_names,
        )  # fmt: skip
        if checked:
            document["attributes"] = checked
        metadata: Any = v3.parse(document, nodes.label("array", path, 3))
    else:
        if shards is not None or codecs is not None or serializer not in ("auto", None):
            raise MetadataError("shards, codecs and serializer: only Zarr 3 has them; try zarr_format=3")
        separator = dimension_separator or _v2_separator(chunk_key_encoding)
        document = _document_v2(
            extent, data_type, dtype, chunks, filters, compressors, fill_value, order, separator, object_codec
        )
        if dimension_names is not None:
            checked.setdefault("_ARRAY_DIMENSIONS", list(dimension_names))
        metadata = v2.parse_array(document, checked, nodes.label("array", path, 2))
    encoded = nodes.documents(metadata, path)
    if rules is not None:
        rules.check(metadata.to_json(), checked, path)
    return Planned(Array(store, path, metadata, **array_options), encoded, data, array_options)


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
    checked = plain(dict(attributes or {}))
    dump_json(checked, "attributes")
    return checked


def check_dtype(node: Array, dtype: Any, exact: bool, where: str) -> None:
    """Refuse an array whose type is not `dtype`, or cannot hold it safely."""
    if dtype is None:
        return
    wanted = dtypes.from_numpy(dtype).numpy
    if node.dtype != wanted and (exact or not np.can_cast(wanted, node.dtype)):
        raise NodeExistsError(f"{where}: expected the type {wanted}, found {node.dtype}; try another name")


def _shape(shape: Any) -> tuple[int, ...]:
    given = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and 0 <= n < 1 << 63 for n in given):
        raise MetadataError(f"shape: expected integers of at least 0, found {shape!r}", key="shape")
    return tuple(int(n) for n in given)


def _data_type(dtype: Any, data: Any, object_codec: Any) -> dtypes.DataType:
    data_type = dtypes.from_numpy(dtype)
    if isinstance(data_type, Object) and object_codec is None:
        kinds = {type(item) for item in np.asarray(data, object).flat} if data is not None else set()
        if kinds and kinds <= {str}:
            return String()
        if kinds and kinds <= {bytes}:
            return Bytes()
        raise MetadataError(
            "dtype object: expected to be told what the objects are; try dtype=str, dtype=bytes, or (Zarr 2 only) "
            "object_codec={'id': 'json2'}",
            key="dtype",
        )
    return object_type(_config(object_codec)) if isinstance(data_type, Object) else data_type


def _fill_json(data_type: dtypes.DataType, fill_value: Any, zarr_format: int) -> Any:
    if fill_value is DEFAULT or (fill_value is None and zarr_format == 3):
        fill = data_type.default_fill()
    elif fill_value is None:
        return None
    else:
        fill = data_type.scalar(fill_value)
    return data_type.fill_to_json(fill) if zarr_format == 3 else data_type.fill_to_v2(fill)


# --- chunks and shards


def guess_chunks(shape: tuple[int, ...], itemsize: int, target: int = AUTO_CHUNK_BYTES) -> tuple[int, ...]:
    """A chunk shape of at most `target` bytes: the array's own, its longest axis halved until it fits.

    >>> guess_chunks((10_000, 10_000), 8)
    (625, 625)
    """
    chunk = [max(1, n) for n in shape]
    while math.prod(chunk) * max(itemsize, 1) > target and max(chunk) > 1:
        axis = chunk.index(max(chunk))
        chunk[axis] = -(-chunk[axis] // 2)
    return tuple(chunk)


def _chunk_shape(chunks: Any, shape: tuple[int, ...], itemsize: int, what: str = "chunks") -> tuple[int, ...]:
    if (isinstance(chunks, str) and chunks == "auto") or chunks is True or chunks is None:
        return guess_chunks(shape, itemsize)
    if chunks is False:
        return tuple(max(1, n) for n in shape)
    given = (chunks,) * len(shape) if isinstance(chunks, (int, np.integer)) else tuple(chunks)
    if len(given) < len(shape):  # as in zarr-python 2: the rest is whole
        given = given + tuple(None for _ in shape[len(given) :])
    if len(given) == len(shape):
        given = tuple(max(1, n) if c in (None, -1) else c for c, n in zip(given, shape, strict=True))
    if len(given) != len(shape) or not all(isinstance(c, (int, np.integer)) and c >= 1 for c in given):
        raise MetadataError(
            f"{what}: expected a length of at least 1 for each axis of the shape {shape}, found {chunks!r}", key=what
        )
    return tuple(int(c) for c in given)


def _chunk_grid(chunks: Any, shape: tuple[int, ...], itemsize: int, what: str) -> dict[str, Any]:
    """The ``chunk_grid``: rectilinear where an axis of `chunks` is a list of lengths, else regular."""
    if isinstance(chunks, (list, tuple)) and any(isinstance(c, (list, tuple)) for c in chunks):
        shapes = [run_lengths([int(n) for n in c]) if isinstance(c, (list, tuple)) else int(c) for c in chunks]
        return {"name": "rectilinear", "configuration": {"kind": "inline", "chunk_shapes": shapes}}
    shape_of_chunk = _chunk_shape(chunks, shape, itemsize, what)
    return {"name": "regular", "configuration": {"chunk_shape": list(shape_of_chunk)}}


# --- codecs


def _config(codec: Any) -> dict[str, Any]:
    """A codec in any of the forms that people pass, as a dict: ours, numcodecs', zarr-python's, JSON, a name."""
    if isinstance(codec, str):
        return {"name": codec}
    if isinstance(codec, dict):
        return plain(codec)
    for method in ("to_json", "get_config", "to_dict"):
        if hasattr(codec, method):
            return plain(getattr(codec, method)())
    raise MetadataError(
        f"codec: expected a name, a dict with 'name' or 'id', or a codec, found {codec!r}", key="codecs"
    )


def _identifier(codec: Any) -> str:
    config = {} if isinstance(codec, str) and codec == "auto" else _config(codec)
    return config.get("id") or config.get("name", "")


SPELLED_ALIKE = ("gzip", "zstd", "blosc", "crc32c")  # ids of numcodecs that are codec names in v3 as well
SHUFFLE_NAMES = ("noshuffle", "shuffle", "bitshuffle")


def to_extension(codec: Any, data_type: dtypes.DataType) -> dict[str, Any]:
    """The v3 entry for a codec, complete: members that readers insist on are filled in."""
    config = _config(codec)
    if "id" in config:  # numcodecs' form
        name, options = config["id"], {k: v for k, v in config.items() if k != "id"}
        if name == "blosc" and isinstance(options.get("shuffle"), int):
            automatic = 2 if data_type.item_size == 1 else 1
            options["shuffle"] = SHUFFLE_NAMES[automatic if options["shuffle"] == -1 else options["shuffle"]]
        if name not in SPELLED_ALIKE:
            name = name if name in ("vlen-utf8", "vlen-bytes") else f"numcodecs.{name}"
        elif name == "crc32c":
            options = {}
    else:
        extension = v3.extension(config, "codecs")
        name, options = extension.name, dict(extension.configuration)
    size = data_type.item_size or 1
    defaults: dict[str, dict[str, Any]] = {
        "bytes": {"endian": "little"} if data_type.needs_endian else {},
        "gzip": {"level": 5},
        "zstd": {"level": 0, "checksum": False},
        "blosc": {
            "cname": "zstd",
            "clevel": 5,
            "shuffle": "bitshuffle" if size == 1 else "shuffle",
            "typesize": size,
            "blocksize": 0,
        },
    }
    options = {**defaults.get(name, {}), **options}
    if name == "blosc" and options["typesize"] is None:
        options["typesize"] = size
    options = in_order(options, "<") if name.startswith("numcodecs.") else options
    if options or name.startswith("numcodecs."):  # zarr-python insists on the member there
        return {"name": name, "configuration": options}
    return {"name": name}


def to_v2_codec(codec: Any, data_type: dtypes.DataType) -> dict[str, Any]:
    """The v2 entry for a codec: an object with an ``id``."""
    config = _config(codec)
    if "id" in config:
        return plain(config)
    extension = v3.extension(config, "codecs")
    name = extension.name.removeprefix("numcodecs.")
    options = dict(extension.configuration)
    if name == "blosc":
        options = {"cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0} | options
        if isinstance(options["shuffle"], str):
            options["shuffle"] = SHUFFLE_NAMES.index(options["shuffle"])
        options.pop("typesize", None)
    defaults: dict[str, dict[str, Any]] = {"gzip": {"level": 5}, "zlib": {"level": 1}, "zstd": {"level": 0}}
    return {"id": name, **defaults.get(name, {}), **options}


def _default_compressor() -> str:
    """zstd; and gzip where numcodecs is not installed, as in a browser. The metadata says which it is."""
    return "zstd" if importlib.util.find_spec("numcodecs") else "gzip"


def _as_list(codecs: Any) -> list[Any]:
    if codecs is None:
        return []
    return list(codecs) if isinstance(codecs, (list, tuple)) else [codecs]


def _endian(dtype: Any, data_type: dtypes.DataType) -> str:
    """The byte order that a dtype asks for, little where it asks for none."""
    try:
        order = np.dtype(dtype).byteorder
    except (TypeError, ValueError):  # a name or an object that is Zarr's own
        return "little"
    return "big" if order == ">" or (order == "=" and sys.byteorder == "big") else "little"


def _typestr(dtype: Any, data_type: dtypes.DataType) -> Any:
    """The v2 ``dtype`` member. A record keeps the byte order of each of its fields."""
    document = dtypes.to_v2(data_type, _endian(dtype, data_type))
    if isinstance(document, list) and not isinstance(dtype, (dtypes.DataType, dict)):
        return describe_stored(np.dtype(dtype))
    return document


def _serializer(serializer: Any, data_type: dtypes.DataType, endian: str, widened: bool) -> dict[str, Any]:
    if serializer not in ("auto", None):
        return to_extension(serializer, data_type)
    if isinstance(data_type, String):
        return {"name": "vlen-utf8"}
    if isinstance(data_type, Bytes):
        return {"name": "vlen-bytes"}
    if data_type.needs_endian or widened:
        return {"name": "bytes", "configuration": {"endian": endian}}
    return {"name": "bytes"}


def _codecs_v3(
    ndim: int,
    data_type: dtypes.DataType,
    dtype: Any,
    filters: Any,
    compressors: Any,
    serializer: Any,
    codecs: Any,
    order: str | None,
) -> list[dict[str, Any]]:
    if codecs is not None:
        if any(c not in ("auto", None) for c in (serializer,)) or not _is_auto(filters) or not _is_auto(compressors):
            raise MetadataError("codecs: expected either codecs, or filters, serializer and compressors; found both")
        return [to_extension(codec, data_type) for codec in _as_list(codecs)]
    chain = [] if _is_auto(filters) else [to_extension(f, data_type) for f in _as_list(filters)]
    if order == "F" and ndim > 1:
        chain.insert(0, {"name": "transpose", "configuration": {"order": list(range(ndim))[::-1]}})
    built = build_codecs([v3.extension(c, "filters") for c in chain])
    if not all(isinstance(c, ArrayArrayCodec) for c in built):
        raise MetadataError(
            f"filters: expected array -> array codecs, found {[c.name for c in built]}; "
            "compressors go into compressors=, an array -> bytes codec into serializer=",
            key="filters",
        )
    last = [_default_compressor()] if _is_auto(compressors) else _as_list(compressors)
    tail = [to_extension(c, data_type) for c in last]
    first = build_codecs([v3.extension(c, "compressors") for c in tail[:1]])
    if first and isinstance(first[0], ArrayBytesCodec):  # pcodec and zfpy: they take the serializer's place
        return [*chain, *tail]
    return [*chain, _serializer(serializer, data_type, _endian(dtype, data_type), _widened(chain)), *tail]


def _widened(filters: list[dict[str, Any]]) -> bool:
    """Whether filters make elements of several bytes, whatever they are given."""
    for each in filters:
        config = each.get("configuration", {})
        made = config.get("encode_dtype") or config.get("astype") or config.get("data_type")
        if made is not None and dtypes.from_numpy(made).needs_endian:
            return True
    return False


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"


def _document_v3(
    shape: tuple[int, ...],
    data_type: dtypes.DataType,
    dtype: Any,
    chunks: Any,
    shards: Any,
    filters: Any,
    compressors: Any,
    serializer: Any,
    codecs: Any,
    fill_value: Any,
    order: str | None,
    chunk_key_encoding: Any,
    dimension_names: Any,
) -> dict[str, Any]:
    chain = _codecs_v3(len(shape), data_type, dtype, filters, compressors, serializer, codecs, order)
    itemsize = data_type.item_size or 16
    grid = _chunk_grid(chunks, shape, itemsize, "chunks")
    if shards is not None:
        if grid["name"] != "regular":
            raise MetadataError("chunks: expected one chunk shape inside shards; uneven lengths go into shards=")
        inner = grid["configuration"]["chunk_shape"]
        if isinstance(shards, str) and shards == "auto":
            shards = [c * max(1, min(4, -(-n // c))) for n, c in zip(shape, inner, strict=True)]
        grid = _chunk_grid(shards, shape, itemsize, "shards")
        chain = [
            {
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": inner,
                    "codecs": chain,
                    "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
                    "index_location": "end",
                },
            }
        ]
    encoding = chunk_key_encoding or {"name": "default", "separator": "/"}
    if isinstance(encoding, str):
        encoding = {"name": encoding}
    if isinstance(encoding, dict) and "separator" in encoding:
        encoding = {"name": encoding["name"], "configuration": {"separator": encoding["separator"]}}
    if "configuration" not in encoding:
        encoding = {**encoding, "configuration": {"separator": "." if encoding.get("name") == "v2" else "/"}}
    document: dict[str, Any] = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": data_type.to_json(),
        "chunk_grid": grid,
        "chunk_key_encoding": encoding,
        "fill_value": _fill_json(data_type, fill_value, 3),
        "codecs": chain,
        "attributes": {},
    }
    if dimension_names is not None:
        document["dimension_names"] = list(dimension_names)
    return document


def _v2_separator(chunk_key_encoding: Any) -> str:
    if chunk_key_encoding is None:
        return "."
    config = chunk_key_encoding if isinstance(chunk_key_encoding, dict) else {"name": chunk_key_encoding}
    if config.get("name", "v2") != "v2":
        raise MetadataError("chunk_key_encoding: Zarr 2 has only 'v2'", key="chunk_key_encoding")
    return config.get("separator", config.get("configuration", {}).get("separator", "."))


def _document_v2(
    shape: tuple[int, ...],
    data_type: dtypes.DataType,
    dtype: Any,
    chunks: Any,
    filters: Any,
    compressors: Any,
    fill_value: Any,
    order: str | None,
    separator: str,
    object_codec: Any,
) -> dict[str, Any]:
    chain = [] if _is_auto(filters) else [to_v2_codec(f, data_type) for f in _as_list(filters)]
    if data_type.item_size is None and not any(f["id"] in v2.OBJECT_CODECS for f in chain):
        chosen = object_codec or {"id": "vlen-utf8" if isinstance(data_type, String) else "vlen-bytes"}
        chain.append(to_v2_codec(chosen, data_type))
    last = [_default_compressor()] if _is_auto(compressors) else _as_list(compressors)
    if len(last) > 1:
        raise MetadataError(
            f"compressors: Zarr 2 has one compressor, found {len(last)}; try filters=", key="compressor"
        )
    typestr = _typestr(dtype, data_type)
    document: dict[str, Any] = {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": list(_chunk_shape(chunks, shape, data_type.item_size or 16)),
        "dtype": typestr,
        "compressor": to_v2_codec(last[0], data_type) if last else None,
        "fill_value": _fill_json(data_type, fill_value, 2),
        "order": order or "C",
        "filters": aligned(chain, dtypes.v2.stored_dtype(typestr)) or None,
    }
    if separator != ".":
        document["dimension_separator"] = separator
    return document


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
