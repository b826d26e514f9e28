"""What people write when they make an array, turned into what a metadata document says.

The keywords are those of zarr-python 3 (and, for v2, those of zarr-python 2): `NewArray` holds them once. A codec may
be a name, JSON, or an object of this library's, numcodecs' or zarr-python's. Of each one a codec is made, once, which
tells its kind and refuses what does not fit; `to_json` is what the document says of it.

>>> from tutorial_zarr import dtypes
>>> to_extension("gzip", dtypes.from_numpy("f4"))
{'name': 'gzip', 'configuration': {'level': 5}}
"""

from __future__ import annotations

import importlib.util
import itertools
import math
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.chunk_grids import run_lengths
from tutorial_zarr.codecs import Codec, build_codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec
from tutorial_zarr.codecs.filters import aligned, in_order
from tutorial_zarr.dtypes.text import Bytes, String
from tutorial_zarr.dtypes.v2 import Object, describe_stored, object_type
from tutorial_zarr.errors import MetadataError, nearest
from tutorial_zarr.metadata import Extension, v2, v3
from tutorial_zarr.metadata.model import json_value

AUTO_CHUNK_BYTES = 1 << 22  # of the chunks that are chosen where the caller names none
UNSIZED = 16  # bytes that an element without a fixed size is taken for, where chunks are chosen
DEFAULT = object()  # a fill value that was not given; None means "undefined" in v2


@dataclass(frozen=True)
class NewArray:
    """The keywords of `api.create_array`, which says what each is, and of zarr-python 2, for a new array."""

    shape: Any = None
    dtype: Any = None
    data: Any = None
    chunks: Any = "auto"
    shards: Any = None
    filters: Any = "auto"
    compressors: Any = "auto"
    serializer: Any = "auto"
    codecs: Any = None
    fill_value: Any = DEFAULT
    order: str | None = None
    zarr_format: int | None = None
    attributes: dict[str, Any] | None = None
    chunk_key_encoding: Any = None
    dimension_names: Any = None
    object_codec: Any = None
    dimension_separator: str | None = None
    profile: Any = None


def document(new: NewArray, extent: tuple[int, ...], data_type: dtypes.DataType) -> dict[str, Any]:
    """The metadata document of a new array of that shape and type, in the format that `new` names; no attributes."""
    return _document_v3(new, extent, data_type) if new.zarr_format == 3 else _document_v2(new, extent, data_type)


# zarr-python's, of which the two about shards are advice that this library has no use for
_CONFIG = ("order", "read_missing_chunks", "sharding_coalesce_max_bytes", "sharding_coalesce_max_gap_bytes",
           "write_empty_chunks")  # fmt: skip


def configured(options: dict[str, Any]) -> dict[str, Any]:
    """`options` with zarr-python's ``config={"write_empty_chunks": ...}`` as keywords of this library."""
    if "config" not in options:
        return options
    rest = {name: value for name, value in options.items() if name != "config"}
    config = options["config"]
    if config is None:
        return rest
    if not isinstance(config, Mapping):
        config = config.to_dict() if hasattr(config, "to_dict") else {"": config}
    for name in sorted({*config} - {*_CONFIG}):
        raise TypeError(f"config: found {name!r}; {nearest(name, _CONFIG)}expected one of {', '.join(_CONFIG)}")
    if config.get("order", "C") != "C":
        raise TypeError("config: expected order 'C', in which arrays are read, found 'F'; try numpy.asfortranarray")
    found = {"write_empty_chunks": config["write_empty_chunks"]} if "write_empty_chunks" in config else {}
    if not config.get("read_missing_chunks", True):
        found["missing"] = "error"
    for name in sorted({*found} & {*options}):
        raise TypeError(f"config: expected {name} once, found it in config and beside it")
    return found | rest


# --- shape, type, fill value


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape as people write one: a number is one axis."""
    given = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and 0 <= n < 1 << 63 for n in given):
        raise MetadataError(f"shape: expected integers of at least 0, found {shape!r}", key="shape")
    return tuple(int(n) for n in given)


def data_type_of(dtype: Any, data: Any, object_codec: Any) -> dtypes.DataType:
    """The data type of a dtype as people write one. What objects are, is seen in the data, or told by a codec."""
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
    if is_auto(chunks) or chunks is True or chunks is None:
        return guess_chunks(shape, itemsize)
    if chunks is False:
        return tuple(max(1, n) for n in shape)
    given = (chunks,) * len(shape) if isinstance(chunks, (int, np.integer)) else tuple(chunks)
    whole = given + (None,) * (len(shape) - len(given))  # as in zarr-python 2: the rest is whole
    whole = tuple(max(1, n) if c in (None, -1) else c for c, n in itertools.zip_longest(whole, shape, fillvalue=0))
    if len(whole) != len(shape) or not all(map(_is_length, whole)):
        raise MetadataError(
            f"{what}: expected a length of at least 1 for each axis of the shape {shape}, found {chunks!r}", key=what
        )
    return tuple(int(c) for c in whole)


def _is_length(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and bool(value >= 1)


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
        return json_value(codec)
    if isinstance(codec, type):
        raise MetadataError(
            f"codec: expected a codec, found the class {codec.__name__}; try its name as text, or an object of it",
            key="codecs",
        )
    for method in ("to_json", "get_config", "to_dict"):
        if hasattr(codec, method):
            config = json_value(getattr(codec, method)())
            # zarr-python's Blosc shows numbers for what nobody has chosen: the array decides that, there as here.
            for undecided in getattr(codec, "_tunable_attrs", ()):
                config.get("configuration", {}).pop(undecided, None)
            return config
    raise MetadataError(
        f"codec: expected a name, a dict with 'name' or 'id', or a codec, found {codec!r}", key="codecs"
    )


def identifier(codec: Any) -> str:
    """The id, or the name, of a codec in any form."""
    config = {} if isinstance(codec, str) and codec == "auto" else _config(codec)
    return config.get("id") or config.get("name", "")


SPELLED_ALIKE = ("gzip", "zstd", "blosc", "crc32c")  # ids of numcodecs that are codec names in v3 as well
SHUFFLE_NAMES = ("noshuffle", "shuffle", "bitshuffle")


def to_extension(codec: Any, data_type: dtypes.DataType) -> dict[str, Any]:
    """The v3 entry for a codec, complete: members that readers insist on are filled in."""
    return to_codec(codec, data_type).to_json()


def to_codec(codec: Any, data_type: dtypes.DataType) -> Codec:
    """The codec that people mean, with all the settings that readers insist on."""
    config = _config(codec)
    if "id" in config:
        name, options = _from_numcodecs(config, data_type)
    else:
        extension = v3.extension(config, "codecs")
        name, options = extension.name, extension.configuration
    options = {**_defaults(name, data_type), **options}
    if name == "blosc" and options["typesize"] is None:
        options["typesize"] = data_type.letter or data_type.item_size or 1
    options = in_order(options, "<") if name.startswith("numcodecs.") else options
    return build_codecs([Extension(name, options)])[0]


def _from_numcodecs(config: dict[str, Any], data_type: dtypes.DataType) -> tuple[str, dict[str, Any]]:
    """The v3 name and settings of a codec in numcodecs' form."""
    name, options = config["id"], {k: v for k, v in config.items() if k != "id"}
    if name == "blosc" and isinstance(options.get("shuffle"), int):
        automatic = 2 if data_type.item_size == 1 else 1
        options["shuffle"] = SHUFFLE_NAMES[automatic if options["shuffle"] == -1 else options["shuffle"]]
    if name == "crc32c":
        return name, {}
    if name not in (*SPELLED_ALIKE, "vlen-utf8", "vlen-bytes"):
        name = f"numcodecs.{name}"
    return name, options


def _defaults(name: str, data_type: dtypes.DataType) -> dict[str, Any]:
    """The settings of a v3 codec that are filled in where nobody says more."""
    shuffle = "bitshuffle" if data_type.item_size in (1, None) else "shuffle"
    defaults: dict[str, dict[str, Any]] = {
        "bytes": {"endian": "little"} if data_type.needs_endian else {},
        "gzip": {"level": 5},
        "zstd": {"level": 0, "checksum": False},
        "blosc": {"cname": "zstd", "clevel": 5, "shuffle": shuffle, "typesize": None, "blocksize": 0},
    }
    return defaults.get(name, {})


def to_v2_codec(codec: Any, data_type: dtypes.DataType) -> dict[str, Any]:
    """The v2 entry for a codec: an object with an ``id``."""
    config = _config(codec)
    if "id" in config:
        return json_value(config)
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


def default_compressor() -> str:
    """zstd; and, with a warning, gzip where neither numcodecs nor Python 3.14 has it. The metadata says which it is."""
    if importlib.util.find_spec("numcodecs") or importlib.util.find_spec("_zstd"):
        return "zstd"
    warnings.warn("arrays are compressed with gzip, as nothing here writes zstd; try compressors='gzip'", stacklevel=2)
    return "gzip"


def as_list(codecs: Any) -> list[Any]:
    """Codecs as a list: None is none, one by itself one."""
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


def _serializer(new: NewArray, data_type: dtypes.DataType, widened: bool) -> Codec:
    if new.serializer not in ("auto", None):
        return to_codec(new.serializer, data_type)
    if isinstance(data_type, (String, Bytes)):
        return to_codec("vlen-utf8" if isinstance(data_type, String) else "vlen-bytes", data_type)
    if data_type.needs_endian or widened:
        endian = _endian(new.dtype, data_type)
        return to_codec({"name": "bytes", "configuration": {"endian": endian}}, data_type)
    return to_codec("bytes", data_type)


def _codecs_v3(new: NewArray, ndim: int, data_type: dtypes.DataType) -> list[Codec]:
    if new.codecs is not None:
        if not (new.serializer in ("auto", None) and is_auto(new.filters) and is_auto(new.compressors)):
            raise MetadataError("codecs: expected either codecs, or filters, serializer and compressors; found both")
        return [to_codec(codec, data_type) for codec in as_list(new.codecs)]
    filters = _filters_v3(new, ndim, data_type)
    last = [to_codec(c, data_type) for c in _compressors(new)]
    if last and isinstance(last[0], ArrayBytesCodec):  # pcodec and zfpy: they take the serializer's place
        return [*filters, *last]
    return [*filters, _serializer(new, data_type, _widened(filters)), *last]


def _filters_v3(new: NewArray, ndim: int, data_type: dtypes.DataType) -> list[Codec]:
    """The array -> array codecs; of an array in the order "F" a transpose comes first."""
    found = [to_codec(f, data_type) for f in _filters(new)]
    if new.order == "F" and ndim > 1:
        backwards = {"order": list(range(ndim))[::-1]}
        found.insert(0, to_codec({"name": "transpose", "configuration": backwards}, data_type))
    if not all(isinstance(c, ArrayArrayCodec) for c in found):
        raise MetadataError(
            f"filters: expected array -> array codecs, found {[c.name for c in found]}; "
            "compressors go into compressors=, an array -> bytes codec into serializer=",
            key="filters",
        )
    return found


def _filters(new: NewArray) -> list[Any]:
    return [] if is_auto(new.filters) else as_list(new.filters)


def _compressors(new: NewArray) -> list[Any]:
    return [default_compressor()] if is_auto(new.compressors) else as_list(new.compressors)


def _widened(filters: list[Codec]) -> bool:
    """Whether filters make elements of several bytes, whatever they are given."""
    for each in filters:
        config = each.configuration
        made = config.get("encode_dtype") or config.get("astype") or config.get("data_type")
        if made is not None and dtypes.from_numpy(made).needs_endian:
            return True
    return False


def is_auto(value: Any) -> bool:
    """Whether a choice is left to the library."""
    return isinstance(value, str) and value == "auto"


def _document_v3(new: NewArray, shape: tuple[int, ...], data_type: dtypes.DataType) -> dict[str, Any]:
    if new.object_codec is not None:
        raise MetadataError("object_codec: Zarr 3 has no object codecs; try dtype=str, or zarr_format=2")
    chain = [codec.to_json() for codec in _codecs_v3(new, len(shape), data_type)]
    grid = _chunk_grid(new.chunks, shape, data_type.item_size or UNSIZED, "chunks")
    if new.shards is not None:
        grid, chain = _sharded(new.shards, shape, data_type, grid, chain)
    found: dict[str, Any] = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": data_type.to_json(),
        "chunk_grid": grid,
        "chunk_key_encoding": _key_encoding(new),
        "fill_value": _fill_json(data_type, new.fill_value, 3),
        "codecs": chain,
        "attributes": {},
    }
    if new.dimension_names is not None:
        found["dimension_names"] = list(new.dimension_names)
    return found


def _sharded(
    shards: Any, shape: tuple[int, ...], data_type: dtypes.DataType, grid: dict[str, Any], chain: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The grid of shards, and the one codec of shards whose inner chunks have that grid and those codecs."""
    if grid["name"] != "regular":
        raise MetadataError("chunks: expected one chunk shape inside shards; uneven lengths go into shards=")
    inner = grid["configuration"]["chunk_shape"]
    if is_auto(shards):
        shards = [c * max(1, min(4, -(-n // c))) for n, c in zip(shape, inner, strict=True)]
    configuration = {
        "chunk_shape": inner,
        "codecs": chain,
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }
    sharding = {"name": "sharding_indexed", "configuration": configuration}
    return _chunk_grid(shards, shape, data_type.item_size or UNSIZED, "shards"), [sharding]


def _key_encoding(new: NewArray) -> dict[str, Any]:
    """The ``chunk_key_encoding`` of v3, complete."""
    encoding = new.chunk_key_encoding
    if not encoding:
        encoding = {"name": "default", "separator": new.dimension_separator or "/"}
    if isinstance(encoding, dict) and "separator" in encoding and "configuration" not in encoding:
        rest = {member: value for member, value in encoding.items() if member != "separator"}
        encoding = {**rest, "configuration": {"separator": encoding["separator"]}}
    name, configuration, _ = v3.extension(encoding, "chunk_key_encoding")
    if not configuration and name in ("default", "v2"):
        configuration = {"separator": "." if name == "v2" else "/"}
    return {"name": name, **({"configuration": configuration} if configuration else {})}


def _separator_v2(new: NewArray) -> str:
    if new.dimension_separator:
        return new.dimension_separator
    if new.chunk_key_encoding is None:
        return "."
    given = new.chunk_key_encoding
    config = given if isinstance(given, dict) else {"name": given}
    if config.get("name", "v2") != "v2":
        raise MetadataError("chunk_key_encoding: Zarr 2 has only 'v2'", key="chunk_key_encoding")
    return config.get("separator", config.get("configuration", {}).get("separator", "."))


def _document_v2(new: NewArray, shape: tuple[int, ...], data_type: dtypes.DataType) -> dict[str, Any]:
    if new.shards is not None or new.codecs is not None or new.serializer not in ("auto", None):
        raise MetadataError("shards, codecs and serializer: only Zarr 3 has them; try zarr_format=3")
    separator, typestr = _separator_v2(new), _typestr(new.dtype, data_type)
    compressors = _compressors(new)
    if len(compressors) > 1:
        raise MetadataError(
            f"compressors: Zarr 2 has one compressor, found {len(compressors)}; try filters=", key="compressor"
        )
    filters = aligned(_filters_v2(new, data_type), dtypes.v2.stored_dtype(typestr))
    found: dict[str, Any] = {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": list(_chunk_shape(new.chunks, shape, data_type.item_size or UNSIZED)),
        "dtype": typestr,
        "compressor": to_v2_codec(compressors[0], data_type) if compressors else None,
        "fill_value": _fill_json(data_type, new.fill_value, 2),
        "order": new.order or "C",
        "filters": filters or None,
    }
    if separator != ".":
        found["dimension_separator"] = separator
    return found


def _filters_v2(new: NewArray, data_type: dtypes.DataType) -> list[dict[str, Any]]:
    """The ``filters`` of v2; the last of elements without a fixed size is the one that makes bytes of them."""
    chain = [to_v2_codec(f, data_type) for f in _filters(new)]
    if data_type.item_size is None and not any(f["id"] in v2.OBJECT_CODECS for f in chain):
        chosen = new.object_codec or {"id": "vlen-utf8" if isinstance(data_type, String) else "vlen-bytes"}
        chain.append(to_v2_codec(chosen, data_type))
    return chain
