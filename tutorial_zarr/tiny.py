"""Zarr in one sitting: an array is cut into chunks, each chunk is compressed into a file, and JSON says how.

>>> import tempfile
>>> folder = tempfile.mkdtemp()
>>> a = create_array(folder + "/first.zarr", shape=(1000, 1000), chunks=(100, 100), dtype="int32")
>>> a[:200, :200] = 7  # writes four chunks: the files c/0/0, c/0/1, c/1/0 and c/1/1 in the folder first.zarr
>>> open(folder + "/first.zarr")[199, 198:202].tolist()  # reads two chunks, of which one was never written
[7, 7, 0, 0]

Both formats, in folders, with groups, numbers, gzip and Zstandard. All else is refused, never guessed; the library
around this file has it: shards, text, other codecs and stores, two programs that write to one chunk at once.
"""

import gzip
import io
import itertools
import json
import math
import uuid
from pathlib import Path

import numpy as np

NUMBERS = {"bool": "b1", "float16": "f2", "float32": "f4", "float64": "f8"}  # Zarr 3's names, and those of Zarr 2
NUMBERS |= {f"{sign}int{8 * n}": f"{sign or 'i'}{n}" for sign in ("", "u") for n in (1, 2, 4, 8)}
MEMBERS = {"zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding", "codecs", "fill_value",
           "attributes", "dimension_names"}  # fmt: skip
DOCUMENTS = ("zarr.json", ".zarray", ".zgroup")


def create_array(path, shape, chunks, dtype, fill_value=0, compressor="zstd", level=3, zarr_format=3, attributes=None):
    """Make an array, of which no chunk is stored yet. `compressor`: "zstd", "gzip" or None."""
    dtype, shape, chunks = np.dtype(dtype), list(shape), list(chunks)
    fill = np.array(fill_value, dtype)[()]
    fill = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(fill), fill.item())
    if zarr_format == 2:
        array = {"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype.str, "order": "C", "filters": None}
        array |= {"fill_value": fill, "compressor": {"id": compressor, "level": level} if compressor else None}
        return _create(path, {".zarray": array, ".zattrs": attributes or {}})
    array = {"zarr_format": 3, "node_type": "array", "shape": shape, "data_type": dtype.name, "fill_value": fill}
    array["chunk_grid"] = {"name": "regular", "configuration": {"chunk_shape": chunks}}
    array["chunk_key_encoding"] = {"name": "default", "configuration": {"separator": "/"}}
    array["codecs"] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    options = {"level": level, "checksum": False} if compressor == "zstd" else {"level": level}
    array["codecs"] += [{"name": compressor, "configuration": options}] if compressor else []
    return _create(path, {"zarr.json": array | {"attributes": attributes or {}}})


def create_group(path, zarr_format=3, attributes=None):
    """Make a folder that holds arrays and groups."""
    if zarr_format == 2:
        return _create(path, {".zgroup": {"zarr_format": 2}, ".zattrs": attributes or {}})
    return _create(path, {"zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": attributes or {}}})


def _create(path, documents):
    node, folder = open(path, documents), Path(path)  # refuses what is wrong before anything is written
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: expected a new folder, or an empty one, found something in it")
    files = {folder / name: json.dumps(document, indent=2, allow_nan=False) for name, document in documents.items()}
    for file, text in files.items():
        _write(file, text.encode())
    return node


def open(path, documents=None):
    """The array or the group in a folder."""
    if documents is None:
        files = [Path(path) / name for name in (*DOCUMENTS, ".zattrs") if (Path(path) / name).exists()]
        documents = {file.name: json.loads(file.read_bytes()) for file in files}
    document = next((documents[name] for name in DOCUMENTS if name in documents), None)
    if document is None:
        raise FileNotFoundError(f"{path}: expected zarr.json, .zarray or .zgroup, found none of them")
    attributes = document.get("attributes", documents.get(".zattrs", {}))
    return (Array if "shape" in document else Group)(Path(path), document, attributes)


def _write(file, data):
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{uuid.uuid4().hex}.partial")
    partial.write_bytes(data)
    partial.replace(file)  # a reader meets the old bytes or the new ones, never half of them


def _zstd(level=1):
    from numcodecs import Zstd  # not sooner: a browser has no numcodecs, and gzip does without

    return Zstd(level)


class Group:
    """A folder of nodes: `list(group)` names them, `group["name"]` opens one."""

    def __init__(self, path, document, attributes):
        self.path, self.attrs = path, attributes

    def __iter__(self):
        return iter(sorted({file.parent.name for file in self.path.glob("*/*") if file.name in DOCUMENTS}))

    def __getitem__(self, name):
        if name not in [*self]:
            raise KeyError(f"{self.path}: expected one of {[*self]}, found {name!r}")
        return open(self.path / name)


class Array:
    """Numbers in chunks, read and assigned by integers and slices: `a[3, ::2]`, `a[...] = 0`."""

    def __init__(self, path, document, attributes):
        self.path, self.attrs, self.shape = path, attributes, tuple(document["shape"])
        layout = _layout_v2(document) if document["zarr_format"] == 2 else _layout_v3(document)
        self.chunks, self.stored, self.axes, codecs, self.lead, self.separator = layout
        if [name for name, _ in codecs] not in ([], ["gzip"], ["zstd"]) or self.separator not in ("/", "."):
            raise NotImplementedError(f"{path}: expected gzip, zstd or neither, found {codecs}, {self.separator!r}")
        if len(self.chunks) != len(self.shape) or any(n < 1 <= s for n, s in zip(self.chunks, self.shape, strict=True)):
            raise ValueError(f"{path}: expected a chunk length for each axis of {self.shape}, found {self.chunks}")
        self.codec, options = codecs[0] if codecs else (None, {})
        self.level, self.dtype, fill = options.get("level", 1), self.stored.newbyteorder("="), document["fill_value"]
        if isinstance(fill, str) and fill.startswith("0x"):  # the bits of a float
            fill = np.array(int(fill, 16), f"u{self.dtype.itemsize}").view(self.dtype)
        self.fill_value = np.array(0 if fill is None else fill, self.dtype)

    def __getitem__(self, selection):
        indices, kept = self._indices(selection)
        out = np.full([len(i) for i in indices], self.fill_value, self.dtype)
        for coords, inside, where in self._touched(indices):
            if (chunk := self._read(coords)) is not None:
                out[where] = chunk[inside]
        return out[kept]

    def __setitem__(self, selection, value):
        indices, kept = self._indices(selection)
        block = np.empty([len(i) for i in indices], self.dtype)
        block[kept] = value  # NumPy casts and broadcasts, or refuses before anything is changed
        for coords, inside, where in self._touched(indices):
            lengths = [min(n, size - i * n) for i, n, size in zip(coords, self.chunks, self.shape, strict=True)]
            old = self._read(coords) if block[where].size < math.prod(lengths) else None  # what is not selected stays
            chunk = np.full(self.chunks, self.fill_value if old is None else old, self.dtype)
            chunk[inside] = block[where]
            raw = chunk.astype(self.stored).transpose(self.axes).tobytes()
            if self.codec:
                raw = gzip.compress(raw, self.level, mtime=0) if self.codec == "gzip" else _zstd(self.level).encode(raw)
            _write(self._file(coords), raw)

    def _read(self, coords):
        try:
            data, size = self._file(coords).read_bytes(), math.prod(self.chunks) * self.dtype.itemsize
        except FileNotFoundError:  # nothing but absence means the fill value
            return None
        if self.codec == "gzip":
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(size + 1)
        elif self.codec == "zstd":
            _zstd().decode(data, np.empty(size, "u1"))  # refuses more than a chunk, before it has taken the memory
            data = _zstd().decode(data)
        if len(data) != size:
            raise ValueError(f"{self._file(coords)}: expected {size} bytes in a chunk, found {len(data)}")
        chunk = np.frombuffer(data, self.stored).reshape([self.chunks[i] for i in self.axes])
        return chunk.transpose(np.argsort(self.axes))

    def _file(self, coords):
        return self.path / self.separator.join(map(str, [*self.lead, *coords] or [0]))  # [0]: of a v2 scalar

    def _indices(self, selection):
        """The selected indices of each axis; and what drops the axes of integers, as in NumPy."""
        items = selection if isinstance(selection, tuple) else (selection,)
        head = tuple(itertools.takewhile(lambda item: item is not ..., items))
        tail = items[len(head) + 1 :]
        items = (*head, *[slice(None)] * (len(self.shape) - len(head) - len(tail)), *tail)
        picked = [range(n)[item] for n, item in zip(self.shape, items, strict=True)]
        kept = tuple(slice(None) if isinstance(p, range) else 0 for p in picked)
        return [p if isinstance(p, range) else [p] for p in picked], kept

    def _touched(self, indices):
        """Each chunk that is touched: its coordinates; the selected elements, in it and in what is read or assigned."""
        for parts in itertools.product(*map(_cut, indices, self.chunks)):
            coords, inside, where = zip(*parts, strict=True) if parts else ((), (), ())
            yield coords, np.ix_(*inside), np.ix_(*where)


def _cut(indices, n):
    """The indices of an axis, chunk by chunk of length n."""
    for i, pairs in itertools.groupby(enumerate(indices), lambda pair: pair[1] // n):
        where, found = zip(*pairs, strict=True)
        yield i, [index - i * n for index in found], where


def _layout_v2(document):
    """Of a .zarray: chunk shape, data type, order of the axes in the bytes, codecs, and what makes a file's name."""
    dtype, axes = document["dtype"], range(len(document["shape"]))[:: -1 if document["order"] == "F" else 1]
    if str(dtype)[1:] not in NUMBERS.values():
        raise NotImplementedError(f"expected numbers, found {dtype}")
    codecs = [(codec["id"], codec) for codec in [*(document.get("filters") or []), document.get("compressor")] if codec]
    return tuple(document["chunks"]), np.dtype(dtype), axes, codecs, [], document.get("dimension_separator", ".")


def _layout_v3(document):
    """The same of a zarr.json."""
    parts = [document["data_type"], document["chunk_grid"], document["chunk_key_encoding"], *document["codecs"]]
    parts = [(part, {}) if isinstance(part, str) else (part["name"], part.get("configuration", {})) for part in parts]
    (dtype, _), (grid, sizes), (keys, naming), *codecs = parts
    axes, others = range(len(document["shape"])), [key for key in document if key not in MEMBERS and document[key]]
    while codecs[0][0] == "transpose":
        axes = [axes[axis] for axis in codecs.pop(0)[1]["order"]]
    (to_bytes, order), *codecs = codecs
    if dtype not in NUMBERS or grid != "regular" or keys not in ("default", "v2") or to_bytes != "bytes" or others:
        raise NotImplementedError(f"expected numbers in a regular grid, found {[dtype, grid, keys, to_bytes, *others]}")
    dtype, lead = np.dtype(dtype).newbyteorder(order.get("endian", "little")), ["c"] if keys == "default" else []
    return tuple(sizes["chunk_shape"]), dtype, axes, codecs, lead, naming.get("separator", "/" if lead else ".")
