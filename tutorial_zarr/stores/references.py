r"""Keys whose bytes lie in other files: what kerchunk and VirtualiZarr write about NetCDF, HDF5, GRIB and TIFF files.

    open_group("reference://air.json")                                  the files that lie beside air.json
    open_group("reference://air.json", storage_options={"roots": ["s3://bucket/years"]})

A reference set says of each key where its bytes are: in the set itself, in a file, or in a range of one. It comes from
somebody else as data do, and it could name any file of yours and any server that you reach. So it may name only what
lies below `roots`: folders, or URLs of anything that `make_store` opens. By default that is the folder of the set.

    {"version": 1, "templates": {"u": "1950.nc"},
     "refs": {".zgroup": "{\"zarr_format\": 2}", "x/0": "base64:AAE=", "x/1": ["{{u}}", 4096, 512], "x/2": ["x.bin"]}}

A key that the set does not have is absent. A file that it names and that is not there is an error.

Spec: https://fsspec.github.io/kerchunk/spec.html
"""

from __future__ import annotations

import base64
import binascii
import functools
import io
import json
import math
import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tutorial_zarr.errors import MissingDependencyError, StoreError
from tutorial_zarr.stores import make_store  # this module is imported when it is asked for, after that one

from .base import ByteRange, Store, check_key, cut
from .bounds import check_size
from .secrets import public

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
TABLES = 16  # of Parquet that are kept in memory
_TEMPLATE = re.compile(r"{{\s*(\w+)\s*}}")


class Place(NamedTuple):
    """Where the bytes of a key lie: so many of a file, from an offset on; all of it where `length` is None."""

    url: str
    offset: int = 0
    length: int | None = None


class ReferenceStore(Store):
    """A reference set as a store that is only read.

    references       the set as a dict, or the path or URL of its JSON file, or of kerchunk's folder of Parquet files
    roots            folders and URLs below which the files must lie; of a dict, none unless they are named
    storage_options  for the stores in which the files lie
    """

    read_only = True

    def __init__(
        self,
        references: Any,
        roots: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        storage_options: dict[str, Any] | None = None,
    ) -> None:
        self.options, self.folder = storage_options or {}, ""
        self.name = "a dict" if isinstance(references, Mapping) else public(os.fspath(references))
        if not isinstance(references, Mapping):
            self.folder, _, name = os.fspath(references).rstrip("/").rpartition("/")
            self.folder = _absolute(self.folder or ("/" if os.fspath(references).startswith("/") else "."))
            references = self._read(name)
        if roots is None:
            roots = [self.folder] if self.folder else []
        self.roots = [_absolute(root) for root in ([roots] if isinstance(roots, (str, os.PathLike)) else roots)]
        self.refs = references if isinstance(references, _Tables) else _parsed(references, self._fail)
        self._stores: dict[str, Store] = {}

    def _read(self, name: str) -> Any:
        """Return the set that lies in its folder: a JSON document, or Parquet files."""
        store = make_store(self.folder, "r", self.options)
        keys = [f"{name}/.zmetadata", name]  # in this order, as a web server may answer with a page for a folder
        if name.endswith(".json") and _URL.match(self.folder):
            keys.reverse()  # a request costs more than to ask the system here
        for key in keys:
            data = store.get(key)
            if data is not None:
                found = _json(data, self._fail)
                return found if key == name else _Tables(store, name, found, self._fail)
        raise self._fail("", f"expected a JSON file or a folder with .zmetadata at {self.name!r}, found neither")

    def _fail(self, key: str, problem: str) -> StoreError:
        where = f"key {key!r}: " if key else ""
        return StoreError(f"reference set {self.name}: {where}{problem}", key=key)

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        found = self._find(key)
        if not isinstance(found, Place):
            return None if found is None else cut(found, byte_range)
        store, name = self._file(key, found.url)
        wanted = _part(found, byte_range)
        if found.length is not None:
            check_size(key, wanted[1] - wanted[0])
        value = store.get(name, wanted)
        if value is None:
            raise self._gone(key, found)
        if found.length is not None and len(value) != wanted[1] - wanted[0]:
            raise self._fail(
                key,
                f"expected {wanted[1] - wanted[0]} bytes from byte {wanted[0]} on in {public(found.url)!r}, found "
                f"{len(value)}: the file is not the one that the set was made of",
            )
        return value

    def get_size(self, key: str) -> int | None:
        found = self._find(key)
        if not isinstance(found, Place):
            return None if found is None else len(found)
        if found.length is not None:
            return found.length
        store, name = self._file(key, found.url)
        size = store.get_size(name)
        if size is None:
            raise self._gone(key, found)
        return size

    def _gone(self, key: str, place: Place) -> StoreError:
        return self._fail(key, f"expected the file {public(place.url)!r}, which the set names, found none")

    def set(self, key: str, value: Any) -> None:
        self.check_writable()

    def delete(self, key: str) -> None:
        self.check_writable()

    def _find(self, key: str) -> bytes | Place | None:
        found = self.refs.get(check_key(key))
        return found if found is None or isinstance(found, (bytes, Place)) else _understood(found, key, {}, self._fail)

    def _file(self, key: str, url: str) -> tuple[Store, str]:
        """Return the store and the key of a file, if it lies below one of the roots."""
        place = url if _URL.match(url) or os.path.isabs(url) else f"{self.folder or '.'}/{url}"
        place = _absolute(place)
        if not any(place.startswith(root.rstrip("/") + "/") or place == root for root in self.roots):
            allowed = ", ".join(map(public, self.roots)) or "the set itself"
            raise self._fail(
                key,
                f"expected bytes in {allowed}, found {public(url)!r}; if you trust the set, try "
                "storage_options={'roots': [...]} with the folders or URLs that it may name",
            )
        folder, _, name = place.rpartition("/")
        if folder not in self._stores:
            self._stores[folder] = make_store(folder or "/", "r", self.options)
        return self._stores[folder], check_key(name)

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        start = prefix + "/" if prefix else ""
        keys = self._sorted
        for at in range(bisect_left(keys, start), len(keys)):
            if not keys[at].startswith(start):
                return
            yield keys[at]

    @functools.cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.refs)

    def __repr__(self) -> str:
        return f"ReferenceStore({self.name})"


def open_reference_store(url: str, mode: str, options: dict[str, Any]) -> Store:
    """Open ``reference://PATH`` or ``reference://https://...``; `options` are `roots`, and those of the files' stores.

    fsspec's spelling of it, ``reference://`` with ``storage_options={"fo": ...}``, is understood as well.
    """
    rest = dict(options)
    references = url.removeprefix("reference://") or rest.pop("fo", "")
    if not references:
        raise StoreError("reference://: expected the path or the URL of a reference set behind it, found none")
    for name, instead in {"remote_protocol": "roots", "target_protocol": "roots", "remote_options": "options"}.items():
        if name in rest:
            raise StoreError(
                f"reference://: expected 'roots', the folders and URLs that the set may name, found {name!r}, fsspec's "
                f"{instead}; try storage_options={{'roots': [...]}}, or FsspecStore('reference://', ...) for fsspec's"
            )
    return ReferenceStore(references, rest.pop("roots", None), rest)


def _absolute(place: str | os.PathLike[str]) -> str:
    """Return a place without ``..`` and links: for a folder its real path, for a URL itself."""
    place = os.fspath(place)
    if place.startswith("file://"):
        place = place.removeprefix("file://")
    if not _URL.match(place):
        return os.path.realpath(place).replace(os.sep, "/")
    if not {"..", "."}.isdisjoint(place.split("/")) or "\\" in place or "%2e" in place.lower():
        raise StoreError(f"reference set: expected a URL without '.' and '..', found {public(place)!r}")
    return place.rstrip("/")


def _json(data: Any, fail: Any) -> Any:
    try:
        return json.loads(bytes(data))
    except (ValueError, RecursionError) as cause:
        raise fail("", f"expected JSON, found something else: {cause}") from cause


def _parsed(document: Any, fail: Any) -> dict[str, bytes | Place]:
    """Return key -> bytes or place, of a document in version 0 or 1 of the format."""
    refs = document.get("refs") if isinstance(document, Mapping) and "refs" in document else document
    if not isinstance(refs, Mapping):
        raise fail("", f"expected a dict of references, found {type(refs).__name__}")
    templates: dict[str, str] = {}
    if refs is not document:
        if document.get("version") != 1:
            raise fail("", f"expected version 1, found {document.get('version')!r}")
        if document.get("gen"):
            raise fail("", "expected references one by one, found a rule that makes them ('gen')")
        templates = _templates(document.get("templates") or {}, fail)
    return {check_key(str(key)): _understood(ref, str(key), templates, fail) for key, ref in refs.items()}


def _templates(templates: Any, fail: Any) -> dict[str, str]:
    if not isinstance(templates, Mapping) or not all(isinstance(text, str) for text in templates.values()):
        raise fail("", f"expected templates as a dict of texts, found {str(templates)[:100]!r}")
    for name, text in templates.items():
        if "{{" in text or "{%" in text:
            raise fail("", f"expected the template {name!r} as plain text, found one that calls others: {text[:100]!r}")
    return dict(templates)


def _understood(ref: Any, key: str, templates: dict[str, str], fail: Any) -> bytes | Place:
    """Return what one reference means."""
    if isinstance(ref, str):
        return _inline(ref, key, fail)
    if isinstance(ref, Mapping):  # a document that stands there as JSON
        return json.dumps(ref).encode()
    if not isinstance(ref, Sequence) or len(ref) not in (1, 3) or not isinstance(ref[0], str):
        raise fail(key, f"expected text, [file] or [file, offset, length], found {str(ref)[:100]}")
    url = _TEMPLATE.sub(lambda found: templates.get(found[1], found[0]), ref[0])
    if "{{" in url or "\0" in url:
        raise fail(key, f"expected a file's name with templates of the set, found {ref[0][:100]!r}")
    numbers = [] if [*ref[1:]] == [None, None] else ref[1:]
    if not all(type(each) is int and 0 <= each < 1 << 63 for each in numbers):
        raise fail(key, f"expected offset and length as integers from 0 on, found {str(ref[1:])[:100]}")
    return Place(url, *numbers)


def _inline(text: str, key: str, fail: Any) -> bytes:
    if not text.startswith("base64:"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("base64:"), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise fail(key, f"expected base64, found something else: {cause}") from cause


def _part(place: Place, byte_range: ByteRange) -> Any:
    """Return the range of the file that a range of a key's value is."""
    if place.length is None:
        return byte_range
    if isinstance(byte_range, int):
        start, stop = max(place.length + byte_range, 0) if byte_range else place.length, place.length
    else:
        start, end = byte_range or (0, None)
        stop = place.length if end is None else min(end, place.length)
    return place.offset + min(start, stop), place.offset + stop


class _Tables(Mapping[str, Any]):
    """References in Parquet files, a table for so many chunks; each is read when a key of it is asked for."""

    def __init__(self, store: Store, name: str, document: Any, fail: Any) -> None:
        self.store, self.name, self.fail = store, name, fail
        found = document if isinstance(document, Mapping) else {}
        documents, rows = found.get("metadata"), found.get("record_size")
        if not isinstance(documents, Mapping) or type(rows) is not int or rows < 1:
            raise fail("", "expected .zmetadata with 'metadata' and 'record_size', found another document")
        self.rows: int = rows
        self.documents = {check_key(str(key)): json.dumps(value).encode() for key, value in documents.items()}
        self.grids = {
            key.removesuffix(".zarray").rstrip("/"): self._grid(key, value)
            for key, value in documents.items()
            if key.rpartition("/")[2] == ".zarray"
        }
        self._tables: dict[tuple[str, int], dict[str, Any]] = {}

    def _grid(self, key: str, document: Any) -> tuple[int, ...]:
        shape, chunks = ((document or {}).get(name) for name in ("shape", "chunks"))
        for axis in (shape, chunks):
            if not isinstance(axis, list) or not all(type(n) is int and n >= 0 for n in axis):
                raise self.fail(key, "expected shape and chunks as lists of integers, found something else")
        return tuple(-(-length // max(chunk, 1)) for length, chunk in zip(shape or [], chunks or [], strict=True))

    def __getitem__(self, key: str) -> Any:
        if key in self.documents:
            return self.documents[key]
        folder, _, name = key.rpartition("/")
        number = self._number(folder, name)
        row = None if number is None else self._row(folder, number)
        if row is None:
            raise KeyError(key)
        return row

    def _row(self, folder: str, number: int) -> Any:
        """Return what a table says of a chunk; None where it was never written."""
        table, at = self._table(folder, number // self.rows), number % self.rows
        if at >= len(table["path"]):
            return None
        row = {column: values[at] for column, values in table.items()}
        if isinstance(row.get("raw"), bytes):
            return row["raw"]
        if not isinstance(row["path"], str):
            return None
        offset, size = int(row["offset"]), int(row["size"])
        return [row["path"], offset, size] if offset or size else [row["path"]]

    def _number(self, folder: str, name: str) -> int | None:
        """Return the position of a chunk in C order; None for what is no chunk of an array of the set."""
        grid = self.grids.get(folder)
        if grid is None or not re.fullmatch(r"[0-9]{1,19}(\.[0-9]{1,19})*", name):
            return None
        coords, number, grid = [int(part) for part in name.split(".")], 0, grid or (1,)
        if len(coords) != len(grid) or any(i >= n for i, n in zip(coords, grid, strict=True)):
            return None
        for i, n in zip(coords, grid, strict=True):
            number = number * n + i
        return number

    def _table(self, folder: str, number: int) -> dict[str, Any]:
        if (folder, number) not in self._tables:
            if len(self._tables) >= TABLES:
                self._tables.pop(next(iter(self._tables)), None)
            self._tables[folder, number] = self._load(folder, number)
        return self._tables[folder, number]

    def _load(self, folder: str, number: int) -> dict[str, Any]:
        key = f"{self.name}/{folder}/refs.{number}.parq".replace("//", "/")
        data = self.store.get(key)
        if data is None:
            raise self.fail(folder, f"expected the table refs.{number}.parq, found none")
        try:
            table = _columns(bytes(data))
        except ImportError as cause:
            raise MissingDependencyError(f"references in Parquet files: {cause}; try pip install pyarrow") from cause
        except Exception as cause:  # each of the two has errors of its own
            raise self.fail(folder, f"cannot read the table refs.{number}.parq: {cause}") from cause
        if not {"path", "offset", "size"} <= table.keys():
            raise self.fail(folder, f"expected path, offset and size in refs.{number}.parq, found {sorted(table)}")
        return table

    def __iter__(self) -> Iterator[str]:
        yield from self.documents
        for folder, grid in self.grids.items():
            names = list(self.store.list_dir(f"{self.name}/{folder}".rstrip("/")))
            tables = sorted(int(found[1]) for name in names if (found := re.fullmatch(r"refs\.(\d+)\.parq", name)))
            for table in tables:
                for at in range(len(self._table(folder, table)["path"])):
                    number = table * self.rows + at
                    if number < math.prod(grid) and self._row(folder, number) is not None:
                        yield f"{folder}/{_chunk_name(number, grid)}".lstrip("/")

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _columns(data: bytes) -> dict[str, list[Any]]:
    """Return the columns of a Parquet file, by pyarrow or by fastparquet, as kerchunk has it."""
    try:
        from pyarrow import parquet
    except ImportError:
        import fastparquet

        table = fastparquet.ParquetFile(io.BytesIO(data)).to_pandas()
        return {str(name): table[name].tolist() for name in table.columns}
    columns: dict[str, list[Any]] = parquet.read_table(io.BytesIO(data)).to_pydict()
    return columns


def _chunk_name(number: int, grid: tuple[int, ...]) -> str:
    coords = []
    for n in reversed(grid):
        number, i = divmod(number, n)
        coords.append(str(i))
    return ".".join(reversed(coords)) or "0"
