"""Which chains of codecs are tried: made from the registry of codecs, not from a list of chains.

Every registered name is asked what it is. A compressor (bytes to bytes, of a size that nobody knows beforehand) is
tried at several levels; what only reorders bytes (as many come out as went in) is tried in front of each compressor;
what turns numbers into bytes by itself is tried alone; filters are tried in front of the compressors that stand in
`YARDSTICKS`. So a codec of your own takes part as soon as it is registered. What only a configuration can say
stands in `SETTINGS`; what cannot compress stands in `LEFT_OUT`, with the reason.

Left out here: codecs that lose something, which are in `lossy`.

>>> from tutorial_zarr.labs.compression.sample import take
>>> chains, skipped = lossless(take(np.arange(9000, dtype="u2")))
>>> "gzip 5" in [chain.label for chain in chains], skipped
(True, [])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutorial_zarr.codecs import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec, Codec, registry
from tutorial_zarr.codecs.extensions.numcodecs_engines import PCODEC_TYPES
from tutorial_zarr.codecs.sharding import ShardingCodec
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.dtypes.numbers import Bool, Float, Integer
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.metadata import Extension

from .sample import Sample

JSON = dict[str, Any]
Skipped = tuple[str, str]  # a codec, and why it was not tried

LEFT_OUT = {
    "bytes": "is part of every chain",
    "endian": "is the former name of bytes",
    "reshape": "changes no byte",
    "sharding_indexed": "groups chunks, and each of them is compressed by itself",
    "n5_default": "is the frame of N5's chunks",
    "conditional": "chooses among other codecs",
    "numcodecs.base64": "makes bytes larger, for text",
    "numcodecs.astype": "stores another type without saying what is lost",
    "numcodecs.zfpy": "is zfp, with a header",
    "vlen-utf8": "is how text is stored",
    "vlen-bytes": "is how text is stored",
}
SCALING = ("scale_offset", "cast_value", "numcodecs.fixedscaleoffset")
BITROUND = ("numcodecs.bitround", "bitround")  # the same to floats; the first has more readers
LOSSY = (*BITROUND, "numcodecs.quantize")


@dataclass(frozen=True)
class Promise:
    """How far off an element may be, as an array of limits for an array of values; and the same in words."""

    words: str
    limit: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Chain:
    """Codecs in the order in which a chunk passes through them, each as a v3 entry."""

    codecs: tuple[JSON, ...]
    promise: Promise | None = None  # None: not a bit is lost
    costly: bool = False  # at a level that is for archives: slow to write
    caution: str = ""  # what has to hold beyond the sample
    name: str = ""

    @property
    def label(self) -> str:
        """The codecs and what is set of them, in the order of the chain."""
        return self.name or ", ".join(map(words, self.codecs)) or "none"

    def options(self, zarr_format: int) -> JSON:
        """The keywords for `create_array`."""
        kinds: dict[type, list[JSON]] = {ArrayArrayCodec: [], ArrayBytesCodec: [], BytesBytesCodec: []}
        for entry in self.codecs:
            codec = registry.build(Extension(entry["name"], entry.get("configuration", {})))
            kinds[next(kind for kind in kinds if isinstance(codec, kind))].append(entry)
        filters, serializers, compressors = kinds.values()
        if zarr_format == 3:
            options: JSON = {"filters": filters, "serializer": serializers[0] if serializers else None}
            options["compressors"] = compressors
            return {key: value for key, value in options.items() if value or key == "compressors"}
        order = {"order": "F"} if any(entry["name"] == "transpose" for entry in filters) else {}
        filters = [entry for entry in filters if entry["name"] != "transpose"]
        last = serializers or compressors[-1:]
        return order | {"filters": [*filters, *compressors[:-1]] or None, "compressors": last[0] if last else None}


SHUFFLE_NAMES = ("noshuffle", "shuffle", "bitshuffle", "automatic shuffle")  # -1 is the last


def words(entry: JSON) -> str:
    """A codec in a table: its name, and what is set of it."""
    name, configuration = entry["name"].removeprefix("numcodecs."), entry.get("configuration", {})
    if name == "blosc":
        shuffle = configuration["shuffle"]
        shuffle = SHUFFLE_NAMES[shuffle] if isinstance(shuffle, int) else shuffle  # as Zarr 2 has it
        parts = [configuration["cname"], str(configuration["clevel"])]
        if shuffle != "noshuffle":
            size = configuration.get("typesize", 0)
            parts += [shuffle, *([f"by {size}"] if size not in (0, *NUMBER_SIZES) else [])]
        return f"blosc({' '.join(parts)})"
    if name in ("delta", "shuffle", "transpose"):
        return name
    if name == "fixedscaleoffset":
        return f"scale_offset {1 / configuration['scale']:g} to {np.dtype(configuration['astype']).name}"
    if name == "scale_offset":
        return f"scale_offset {1 / configuration['scale']:g}"
    if name == "cast_value":
        return f"cast_value {configuration['data_type']}"
    values = [
        f"{value:g}" if isinstance(value, float) else str(value)
        for value in configuration.values()
        if isinstance(value, (int, float, str)) and not isinstance(value, bool)
    ]
    return " ".join([name, *values])


def entry(name: str, **configuration: Any) -> JSON:
    """A v3 entry."""
    return {"name": name, "configuration": configuration} if configuration else {"name": name}


def from_v2(config: JSON) -> JSON:
    """The v3 entry of a codec as numcodecs and Zarr 2 write it."""
    return entry(f"numcodecs.{config['id']}", **{key: value for key, value in config.items() if key != "id"})


# --- what a configuration has to say, the cheapest first

BLOSC_LEVELS = {"lz4": (5,), "lz4hc": (9,), "blosclz": (5,), "zlib": (5,), "zstd": (1, 3, 5, 9)}
COSTLY = {"blosc": 6, "zstd": 10, "gzip": 6, "bz2": 6, "lzma": 4}  # from this level on
YARDSTICKS = ("blosc", "zstd", "gzip")  # the compressor behind filters: the first of these that is installed
MIDDLE: dict[str, JSON] = {"blosc": {"cname": "zstd", "clevel": 3}, "zstd": {"level": 3}, "gzip": {"level": 5}}


NUMBER_SIZES = (1, 2, 4, 8, 16)  # of numbers, in bytes
MOST_TYPESIZE = 255  # blosc's


def type_sizes(data_type: DataType) -> list[int]:
    """How many bytes belong together for a shuffle: those of a number; in UTF-32 those of a character, and those of
    the whole text; of what is too long for blosc, one.

    >>> from tutorial_zarr import dtypes
    >>> [type_sizes(dtypes.from_numpy(np.dtype(name))) for name in ("f8", "U14", "U200", "S10", "S300")]
    [[8], [4, 56], [4], [10], [1]]
    """
    size = data_type.item_size or 1
    whole = [size] if size <= MOST_TYPESIZE else []
    if data_type.numpy.kind == "U":
        return [4, *(n for n in whole if n not in NUMBER_SIZES)]
    return whole or [1]


def _blosc(data_type: DataType) -> Iterator[JSON]:
    for cname, levels in BLOSC_LEVELS.items():
        for clevel in levels:
            for place, size in enumerate(type_sizes(data_type)):
                shuffles = [*([] if place else ["noshuffle"]), *(["shuffle"] if size > 1 else []), "bitshuffle"]
                for shuffle in shuffles:
                    yield {"cname": cname, "clevel": clevel, "shuffle": shuffle, "typesize": size, "blocksize": 0}


SETTINGS: dict[str, Callable[[DataType], Iterable[JSON]]] = {
    "blosc": _blosc,
    "zstd": lambda data_type: ({"level": level, "checksum": False} for level in (1, 3, 9, 19)),
    "gzip": lambda data_type: ({"level": level} for level in (1, 5, 9)),
    "zlib": lambda data_type: [{"level": 5}],
    "bz2": lambda data_type: [{"level": 9}],
    "lzma": lambda data_type: [{"preset": 1}, {"preset": 6}],
    "lz4": lambda data_type: [{"acceleration": 1}],
    "shuffle": lambda data_type: [{"elementsize": type_sizes(data_type)[0]}],
    "delta": lambda data_type: [{"dtype": data_type.numpy.newbyteorder("<").str}],
    "pcodec": lambda data_type: [{"level": 8}],
    "zfp": lambda data_type: [{"mode": "reversible"}],
}


def settings(name: str, data_type: DataType) -> list[JSON]:
    """The configurations in which a codec is tried; an empty one for a codec of which nothing is known."""
    known = SETTINGS.get(name.removeprefix("numcodecs."))
    found = [{}] if known is None else list(known(data_type))
    if name == "numcodecs.blosc":  # as Zarr 2 has it: a number, and the element's size is not said
        found = [each | {"shuffle": SHUFFLE_NAMES.index(each["shuffle"])} for each in found]
        found = [{key: value for key, value in each.items() if key != "typesize"} for each in found]
        found = [each for place, each in enumerate(found) if each not in found[:place]]
    return found


def candidates(zarr_format: int) -> list[str]:
    """Registered names that a document of this format may hold, each codec under one name."""
    names = registry.names()
    if zarr_format == 2:  # numcodecs' ids, and the one order of elements that is not a codec there
        return [name for name in names if name.startswith("numcodecs.") or name == "transpose"]
    return [name for name in names if name.removeprefix("numcodecs.") not in names or not name.startswith("numcodecs.")]


def role(codec: Codec) -> str:
    """What a codec does to sizes: filter, serializer, rearranger, checksum or compressor."""
    if isinstance(codec, ArrayArrayCodec):
        return "filter"
    if isinstance(codec, ArrayBytesCodec):
        return "serializer"
    size = codec.encoded_size(1 << 16)  # type: ignore[attr-defined]
    return "compressor" if size is None else "rearranger" if size == 1 << 16 else "checksum"


def today(sample: Sample) -> Chain | None:
    """The array's own chain; None where it has no codec but ``bytes``."""
    array = sample.array
    if array.zarr_format == 2:
        document = array.metadata.document
        listed = [*(document.get("filters") or []), *([document["compressor"]] if document["compressor"] else [])]
        entries = [from_v2(each) for each in listed if not each["id"].startswith("vlen-")]
    else:
        chain = next((codec.codecs for codec in array.codecs if isinstance(codec, ShardingCodec)), array.codecs)
        entries = [codec.to_json() for codec in chain if codec.name not in ("bytes", "vlen-utf8", "vlen-bytes")]
    if not entries:
        return None
    return Chain(tuple(entries), name=f"as it is now: {', '.join(map(words, entries))}")


# --- chains


def lossless(sample: Sample, levels: bool = True) -> tuple[list[Chain], list[Skipped]]:
    """The chains that promise every bit, and what was not tried. Without `levels`, each codec at one level."""
    data_type, text = sample.data_type, sample.data_type.item_size is None
    found: dict[str, list[list[JSON]]] = {"filter": [], "serializer": [], "rearranger": [], "compressor": []}
    skipped: list[Skipped] = []
    for name in candidates(sample.zarr_format):
        if name in (*LEFT_OUT, *SCALING, *LOSSY):
            continue
        try:
            entries = [entry(name, **each) for each in _settings(name, sample)]
            for each in entries:
                kind = role(registry.build(Extension(name, each.get("configuration", {}))))  # type: ignore[arg-type]
        except ZarrError as error:
            skipped.append((name, str(error)))
            continue
        if entries and kind in found and not (text and kind != "compressor"):
            found[kind].append(entries)
    chains = [Chain(())]
    for entries in found["compressor"]:
        wanted = [each for each in entries if levels or _is_middle(each) or len(entries) == 1]
        chains += [Chain((each,), costly=_is_costly(each)) for each in wanted]
    for entries in found["rearranger"]:
        if data_type.item_size == 1:
            continue  # bytes that are elements are in order already
        for first in entries:
            for compressors in found["compressor"]:
                if compressors[0]["name"].endswith("blosc"):
                    continue  # brings its own
                middle = [each for each in compressors if _is_middle(each)] or compressors[:1]
                chains += [Chain((first, each), costly=_is_costly(each)) for each in middle]
    chains += [Chain((each,)) for entries in found["serializer"] for each in entries]
    prepared = [(each,) for entries in found["filter"] for each in entries] + [*decimal_filters(sample)]
    for filters in prepared:
        scaled = filters[0]["name"] in SCALING
        caution = _caution(filters, sample)
        chains += [Chain((*filters, *last), caution=caution) for last in tails(sample, 4 if scaled else None)]
    return chains, skipped


def _settings(name: str, sample: Sample) -> list[JSON]:
    """What a codec is tried with on this sample; none where it does not apply."""
    data_type, ndim = sample.data_type, sum(n > 1 for n in sample.chunks[0].shape)
    if name == "transpose":
        backwards = list(range(sample.array.ndim))[::-1]
        return [{"order": backwards}] if ndim > 1 and sample.array.order == "C" else []
    if name.endswith("delta") and not isinstance(data_type, (Integer, Float)):
        return []
    if name.endswith("packbits") and not isinstance(data_type, Bool):
        return []  # of anything else it keeps all bits
    if name == "numcodecs.pcodec" and data_type.numpy not in PCODEC_TYPES:
        return []
    if name == "zfp" and not isinstance(data_type, (Integer, Float)):
        return []
    return settings(name, data_type)


def _is_middle(entry_: JSON) -> bool:
    """Whether it is the setting by which compressors are compared with each other."""
    configuration = entry_.get("configuration", {})
    wanted = MIDDLE.get(entry_["name"].removeprefix("numcodecs."), {})
    if "cname" in configuration:  # each of blosc's compressors has one
        return configuration["cname"] != "zstd" or configuration["clevel"] == wanted["clevel"]
    return all(configuration.get(key) == value for key, value in wanted.items())


def _is_costly(entry_: JSON) -> bool:
    configuration = entry_.get("configuration", {})
    level = next((configuration[key] for key in ("level", "clevel", "preset") if key in configuration), 0)
    return level >= COSTLY.get(entry_["name"].removeprefix("numcodecs."), 1 << 30)


def yardstick(sample: Sample) -> list[JSON]:
    """The compressor by which filters are judged, with each shuffle that it has."""
    names = {name.removeprefix("numcodecs."): name for name in candidates(sample.zarr_format)}
    for name in YARDSTICKS:
        entries = [
            entry(names[name], **each)
            for each in (settings(names[name], sample.data_type) if name in names else [])
            if all(each.get(key) == value for key, value in MIDDLE[name].items())
        ]
        if entries:
            return entries
    return []


def tails(sample: Sample, item_size: int | None = None) -> list[tuple[JSON, ...]]:
    """What stands behind a filter: the yardstick, for elements of `item_size` bytes where the filter changes that."""
    found: list[tuple[JSON, ...]] = []
    for each in yardstick(sample):
        configuration = dict(each["configuration"])
        if item_size and "typesize" in configuration:
            configuration["typesize"] = item_size
        found.append((each | {"configuration": configuration},))
    return found


def _caution(filters: tuple[JSON, ...], sample: Sample) -> str:
    """What a sample cannot prove."""
    if filters[0]["name"] not in SCALING:
        floats = sample.data_type.numpy.kind == "f" and filters[0]["name"].endswith("delta")
        return (
            "exact on this sample; where differences of floats do not add up again, they are refused" if floats else ""
        )
    return f"exact as long as every value is a whole multiple of {1 / filters[0]['configuration']['scale']:g}"


# --- floats that are decimals


def decimal_filters(sample: Sample) -> Iterator[tuple[JSON, ...]]:
    """For floats that are whole multiples of a power of ten, such as cents: the filters that store them as integers."""
    digits = decimals(sample)
    if digits is None:
        return
    scaled = scaling_filters(sample, 10.0**-digits, 0.0, np.dtype("int32"))
    yield scaled
    names = candidates(sample.zarr_format)
    if "numcodecs.delta" in names:
        yield (*scaled, entry("numcodecs.delta", dtype="<i4"))


def decimals(sample: Sample) -> int | None:
    """With how many decimals every value of the sample is written, up to 6; None where they are not decimals."""
    if sample.data_type.name not in ("float32", "float64") or sample.has_nan or len(sample.finite) == 0:
        return None
    coarse = 16 * float(np.finfo(sample.data_type.numpy).eps) * float(np.abs(sample.finite).max())
    for digits in range(7):
        if 10.0**-digits < coarse:
            return None  # as fine as the type itself: then every number is a decimal
        scale = sample.data_type.numpy.type(10.0**digits)
        if all(_is_decimal(chunk, scale) for chunk in sample.chunks):
            return digits
    return None


def _is_decimal(chunk: np.ndarray, scale: Any) -> bool:
    with np.errstate(all="ignore"):
        whole = np.rint(chunk * scale)
        fits = np.abs(whole).max() < 2**30  # room for what is not in the sample
        return bool(fits) and (whole / scale).tobytes() == chunk.tobytes()


def per_step(step: float) -> float:
    """The scale of a step: a whole number where it is one, in spite of how 0.01 is stored."""
    scale = 1 / step
    return float(round(scale)) if abs(scale - round(scale)) < 1e-9 * scale else scale


def scaling_filters(sample: Sample, step: float, offset: float, integer: np.dtype) -> tuple[JSON, ...]:
    """The filters that store floats as multiples of `step` above `offset`, in an integer type."""
    kind, scale = sample.data_type.numpy, per_step(step)
    if sample.zarr_format == 2:
        dtypes = {"dtype": kind.newbyteorder("<").str, "astype": integer.newbyteorder("<").str}
        return (entry("numcodecs.fixedscaleoffset", offset=offset, scale=scale, **dtypes),)
    cast: JSON = {"data_type": integer.name}
    if sample.has_nan or np.isnan(sample.array.metadata.fill):
        least = int(np.iinfo(integer).min)  # an integer that no value takes stands for NaN
        cast["scalar_map"] = {"encode": [["NaN", least]], "decode": [[least, "NaN"]]}
    moved = {"offset": offset} if offset else {}
    return (entry("scale_offset", **moved, scale=scale), entry("cast_value", **cast))
