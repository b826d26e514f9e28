"""What to write in the place of an element that a reader does not have, and how elements are called in a sentence.

>>> words("codec:gzip"), words("layout:sharded"), change_of(("layout:sharded",))
('the codec gzip', 'shards', 'chunks without shards')
"""

from __future__ import annotations

from collections.abc import Sequence

CATEGORIES = {
    "codec": "the codec ",
    "codec2": "the codec ",
    "type": "the type ",
    "format": "Zarr ",
    "keys": "chunk keys ",
    "grid": "the chunk grid ",
    "blosc": "blosc with ",
    "cast": "a cast to ",
    "field": "a field of ",
}
# Element -> how it is called, what to do about it.
ELEMENTS = {
    "layout:0-d": ("an array without axes", "the shape (1,) instead of ()"),
    "layout:F order": ("elements in F order", "order='C'"),
    "layout:codecs-after-shards": ("codecs around shards", "the codecs inside the shards"),
    "layout:filters": ("filters", "an array without filters"),
    "layout:index-at-start": ("a shard's index at its start", "index_location='end'"),
    "layout:index-big-endian": ("a big-endian index of shards", "a little-endian index"),
    "layout:index-without-checksum": ("an index of shards without checksum", "crc32c behind the index"),
    "layout:sharded": ("shards", "chunks without shards"),
    "layout:shards-in-shards": ("shards inside shards", "shards of one level"),
    "layout:transpose-before-shards": ("transpose before shards", "transpose inside the shards"),
    "layout:transpose-of-three": ("transpose of three axes or more", "an array without transpose"),
    "layout:two-transposes": ("two transposes", "one transpose that does what both do"),
    "layout:zero-length": ("an axis of length 0", "the array as soon as it has elements"),
    "grid:rectilinear": ("the chunk grid rectilinear", "chunks of one size, the grid regular"),
    "endian:big": ("big-endian elements", "little-endian elements"),
    "fill:beyond-doubles": ("a fill value beyond 2**53", "a fill value up to 2**53"),
    "fill:bits": ("a fill value written as bits", "a fill value that is a number"),
    "fill:not-finite": ("a fill value that is NaN or infinite", "a fill value that is a number"),
    "fill:null": ("no fill value (null)", "a fill value, such as 0"),
    "attributes:any": ("attributes", "an array without attributes"),
    "attributes:beyond-doubles": ("attributes with integers beyond 2**53", "such integers as text"),
    "data:NaN-bits": ("NaN with bits of its own", "the NaN of NumPy"),
    "groups:consolidated": ("consolidated metadata", "a hierarchy that is not consolidated"),
    "groups:tree": ("groups", "an array of its own"),
    "names:below-a-group": ("an array below a group", "an array of its own"),
    "names:dimension-null": ("a dimension without a name", "a name for each dimension"),
    "names:dimensions": ("names of dimensions", "an array without names of dimensions"),
    "names:dimensions-twice": ("a dimension's name used twice", "names that differ"),
    "names:in-need-of-quoting": ("a path with a space or one of # ? %", "a path of letters, digits and _"),
    "names:not-ascii": ("a path that is not ASCII", "a path of ASCII letters"),
    "struct:nested": ("records inside records", "one array for each field"),
    "struct:subarray": ("records whose fields have shapes", "one array for each field"),
    "time:scale-factor": ("times in steps of several units", "times in steps of one unit"),
}
TEXT = frozenset(("type:string", "type:fixed_length_utf32"))
BYTES = ("bytes", "variable_length_bytes", "null_terminated_bytes", "binary")
RAW = ("r*", "raw_bytes")
COMPRESSORS = ("zstd", "blosc", "gzip", "zlib", "bz2", "lzma", "lz4", "pcodec", "zfp", "zfpy")


def words(element: str) -> str:
    """An element as one says it."""
    if element in ELEMENTS:
        return ELEMENTS[element][0]
    category, _, name = element.partition(":")
    return CATEGORIES.get(category, f"{category} ") + name


def compresses(element: str) -> bool:
    """Whether the element is a codec in the place of which another compressor may stand."""
    return element.partition(":")[2].removeprefix("numcodecs.") in COMPRESSORS


def change_of(blamed: tuple[str, ...]) -> str:
    """What to write in the place of one of these elements, where no other of its kind is read by the readers asked."""
    element = min(blamed, key=lambda e: (e not in ELEMENTS, e.startswith(("format:", "type:")), e))
    if element in ELEMENTS:
        return ELEMENTS[element][1]
    category, _, name = element.partition(":")
    if category == "type":
        return _other_values(element, name)
    if category == "field":
        return "one array for each field"
    if category == "format":
        return "another reader: there is no Zarr format of which it reads this array"
    return f"an array without {words(element)}"


def _other_values(element: str, name: str) -> str:
    """How the values of a type are stored as plain numbers."""
    if element in TEXT or name == "object":
        return "integers that stand for the words, and the words in an attribute"
    if name == "bool":
        return "uint8"
    if name in BYTES:
        return "uint8 with one axis more"
    if name in RAW:
        return "uint8 with one axis more, as long as an element has bytes"
    if name == "struct":
        return "one array for each field"
    if name.startswith("complex"):
        return "float32 or float64 with one axis more, for the real and the imaginary part"
    if name.startswith(("numpy.", "int", "uint")):
        return "int64, and the unit in an attribute" if name.startswith("numpy.") else "int8 or uint8"
    return "float32"


def names(these: Sequence[str], most: int = 20) -> str:
    """Names in a sentence.

    >>> names(["gdal"]), names(["gdal", "zarrs", "z5py"]), names(["a", "b", "c", "d"], 2)
    ('gdal', 'gdal, zarrs and z5py', 'a, b and 2 more')
    """
    shown = [*these[:most], *([f"{len(these) - most:,} more"] if len(these) > most else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
