"""What is fuzzed: from bytes that anybody may have made, to an array or an error of ours, and nothing else.

A target is a name, seeds to change, and a function that takes the changed bytes. It must return, or raise a
`ZarrError`; anything else is a bug, and so is a call that takes long or much memory. The seeds are the documents
and the chunks of the stores in `tests/spec`, one of each shape. `fuzz_run` changes them by chance, `fuzz_atheris`
guided by coverage, and `test_fuzz` a little of both each time the tests run.
"""

import importlib
import io
import json
import os
import socket
import sqlite3
import struct
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from spec import build
from spec.build import Read

import tutorial_zarr as zarr
from tutorial_zarr import chunk_keys, codecs, convert, doctor, limits, nodes, replacing, viz
from tutorial_zarr.codecs import pipeline as pipeline_of
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.metadata import Extension, parse_json
from tutorial_zarr.stores import FsspecStore, HTTPStore, MemoryStore, ReferenceStore, SQLiteStore, ZipStore, paced
from tutorial_zarr.stores.base import check_key
from tutorial_zarr.tools.doctor import manifest

MODULES = "v1 v2_codecs v2_dtypes v2_metadata v2_object_codecs v3_codecs v3_dtypes v3_fill_values v3_grids v3_metadata"
DOCUMENTS = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata", "meta", "attrs")
LIMITS = {"memory_bytes": 1 << 26, "unsized_bytes": 1 << 26, "listed_chunks": 1 << 16}  # so that excess shows early


class Target(NamedTuple):
    """One thing to be fuzzed."""

    name: str
    seeds: list
    run: object  # run(data) returns, or raises a ZarrError
    repair: object = None  # data -> data with its checksums made right again, to get past them


class Bug(Exception):  # noqa: N818 - not an error of the library, but about it
    """Something that must not happen."""


def spec_cases():
    """The stores of the specifications that can be read without trusting a pickle."""
    for name in [*MODULES.split(), "v3_sharding"]:
        for case in importlib.import_module(f"spec.test_{name}").CASES:
            if isinstance(case, Read) and "pickle" not in case.id:
                yield name, case


def look(array):
    """Read a few elements, however large the array says that it is."""
    return array[tuple(slice(0, min(n, 8)) for n in array.shape[:4]) + (0,) * max(0, array.ndim - 4)]


def pick(data, choices):
    """One of the choices: always the same for the same bytes, so that what they did can be seen again."""
    return choices[zlib.crc32(data) % len(choices)]


def meet(store, keys=None):
    """Ask a store for everything that a reader asks for, of some keys or of those it lists, and read its array."""
    if keys is None:
        keys = [*list(store.list_prefix())[:8], "zarr.json", "c/0"]
        list(store.list_dir())
    for key in keys:
        for byte_range in (None, (0, 10), (2, None), -4):
            try:
                value = store.get(key, byte_range)
            except ZarrError:
                continue
            length = {(0, 10): 10, -4: 4}.get(byte_range)
            if value is not None and length is not None and len(value) > length:
                raise Bug(f"{key!r} {byte_range}: {len(value)} bytes")
        try:
            size, found = store.get_size(key), store.exists(key)
        except ZarrError:
            continue
        if size is not None and (type(size) is not int or size < 0 or type(found) is not bool):
            raise Bug(f"{key!r}: size {size!r}, exists {found!r}")
    look(zarr.open_array(store, mode="r"))


# --- documents


def _document_target(name):
    seeds, around = [], []
    for module, case in spec_cases():
        for key, value in case.store.items():
            if key.rsplit("/", 1)[-1] == name and ("dtypes" not in module or len(seeds) % 5 == 0):
                seeds.append(value)
                around.append((case.store, key, case.path))
    seeds += {
        ".zgroup": [b'{"zarr_format": 2}'],
        "zarr.json": [
            b'{"zarr_format": 3, "node_type": "group", "attributes": {"a": [1, {"b": null}]}}',
            b'{"zarr_format":3,"node_type":"group","consolidated_metadata":{"kind":"inline","metadata":{"a":{}}}}',
        ],
        ".zmetadata": [
            b'{"zarr_consolidated_format": 1, "metadata": {"a/.zgroup": {"zarr_format": 2}, "a/.zattrs": {}}}'
        ],
        ".zattrs": [b'{"_ARRAY_DIMENSIONS": ["x"], "y": [1.5, "z", {"k": null}]}'],
    }.get(name, [])

    def run(data):
        store, key, path = pick(data, around) if around else ({}, name, "")
        store = MemoryStore({**store, key: data})
        if name in (".zgroup", ".zmetadata", ".zattrs") or b'"group"' in data:
            store = MemoryStore({".zgroup": b'{"zarr_format": 2}', name: data})
            path = ""
        node = zarr.open(store, mode="r", path=path)
        if isinstance(node, zarr.Array):
            look(node)
            dict(node.attrs)
        else:
            dict(node.attrs)
            list(node.members(max_depth=2))
            str(node.tree())
        repr(node)
        if len(data) % 8 == 0:  # these take longer
            _show(node)

    return Target(f"document {name}", seeds, run)


def _show(node):
    """What shows a node, and what plans to convert it."""
    repr(node.info), node._repr_html_(), repr(node.attrs)
    if isinstance(node, zarr.Group):
        node.tree()._repr_html_()
    else:
        found = viz.anatomy(node, chunk=(0,) * node.ndim)
        str(found), found._repr_html_(), str(viz.chunk_grid(node))
    str(convert.convert(node.store, 5 - node.metadata.zarr_format, {}, dry_run=True))


def document_targets():
    """One target for each kind of document."""
    return [_document_target(name) for name in DOCUMENTS if name != "attrs"]


def parse_target():
    """JSON alone."""
    seeds = [b'{"a": [1, 2.5e3, "x\\u00e9", null, true, {"b": {}}]}', b"\xef\xbb\xbf{}", b'{"n": NaN, "i": -Infinity}']
    return Target("json", seeds, lambda data: parse_json(data, "zarr.json", strict=len(data) % 2 == 0))


# --- chunks


def chunk_targets():
    """One target for each chain of codecs: its chunk in an array that is opened once."""
    targets, seen = [], set()
    for module, case in spec_cases():
        document = next((v for k, v in case.store.items() if k.endswith(("zarr.json", ".zarray", "meta"))), b"")
        key = next((k for k in case.store if k.rsplit("/", 1)[-1] not in DOCUMENTS), None)
        if key is None or module in ("v3_fill_values", "v3_grids", "v3_metadata", "v2_metadata"):
            continue
        try:
            store = MemoryStore(dict(case.store))
            array = zarr.open_array(store, mode="r", path=case.path, **case.options)
            expected = look(array)
        except ZarrError:
            continue  # an optional package is missing
        chain = tuple(codec.name for codec in array.codecs), document.find(b"blosc") > 0, array.dtype.kind
        if (chain, module) in seen and "sharding" not in module:
            continue
        seen.add((chain, module))
        targets.append(_chunk_target(case, store, array, key, np.asarray(expected)))
    return targets


def _chunk_target(case, store, array, key, expected):
    def run(data):
        store.mapping[key] = data
        found = np.asarray(look(array))
        if found.shape != expected.shape or (found.dtype != expected.dtype and expected.dtype.kind not in "OT"):
            raise Bug(f"{case.id}: expected {expected.dtype} {expected.shape}, found {found.dtype} {found.shape}")

    seeds = [value for k, value in case.store.items() if k.rsplit("/", 1)[-1] not in DOCUMENTS]
    return Target(f"chunk {case.id}", seeds, run, _with_sum_of_index if "sharding" in case.id else None)


def _with_sum_of_index(data):
    """A shard whose index sum is right for an index of 4 entries at the end."""
    return data[:-4] + build.crc32c(data[-68:-4]) if len(data) >= 68 else data


# --- containers, keys, reports


SMALL = build.v3([6], [3], "uint8", {"c/0": b"123", "c/1": b"456"})
SHARD = build.v3(
    [8], [8], "uint8", {"c/0": build.shard([b"1234", b"5678"])}, codecs=[build.sharding([4], [build.codec("bytes")])]
)


def _place(name):
    """A file of its own, in memory where the system has such a folder; goes with the function that holds it."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    return folder, Path(folder.name) / name


def zip_target():
    """A zip file's directory and entries."""
    folder, place = _place("store.zip")

    def run(data, folder=folder):
        place.write_bytes(data)
        with ZipStore(place, "r") as store:
            meet(store)

    seeds = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as packed:
            for key, value in SMALL.items():
                packed.writestr(key, value)
        seeds.append(out.getvalue())
    return Target("zip", seeds, run)


def sqlite_target():
    """A SQLite file's pages; read, and then written to."""
    folder, place = _place("store.sqlite")

    def run(data, folder=folder):
        for beside in ("-wal", "-shm", "-journal"):
            Path(f"{place}{beside}").unlink(missing_ok=True)
        place.write_bytes(data)
        os.utime(place, (1, 1))  # at rest for long, so that nobody waits to be sure of that
        with SQLiteStore(place, read_only=True) as store:
            try:
                meet(store)
            except ZarrError:
                pass
        with SQLiteStore(place) as store:
            store.set("c/0", b"789")
            store.update("c/1", lambda old: bytes(old or b"") + b"0")
            store.delete_prefix("c")

    seeds = []
    for page, store in ((512, SMALL), (512, {**SHARD, "long": b"x" * 2000}), (4096, SMALL)):
        made = place.with_name(f"{len(seeds)}.sqlite")
        with sqlite3.connect(made) as connection:
            connection.execute(f"PRAGMA page_size={page}")
            connection.execute("CREATE TABLE zarr (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID")
            connection.executemany("INSERT INTO zarr VALUES (?, ?)", store.items())
        connection.close()
        seeds.append(made.read_bytes())
    return Target("sqlite", seeds, run)


def web_target():
    """What a web server sends: status, headers and body of one answer among others that are honest."""
    connection = _connection()

    def run(data):
        connection.values = {f"/s/{key}": value for key, value in pick(data, [SMALL, SHARD]).items()}
        connection.hostile, connection.sent = data, 0
        key = pick(data[1:], ["zarr.json", "c/0", "c/1", ""])  # of the last, all answers are hostile
        connection.which = f"/s/{key}"
        store = HTTPStore("http://fuzz.invalid/s", retries=0, timeout=5)
        store.pool.ConnectionCls = connection
        try:
            meet(store, [key or "c/0"])
        finally:
            store.pool.close()
        if connection.sent > 500:
            raise Bug(f"{connection.sent} requests")

    body = SMALL["zarr.json"]
    head = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: '
    pieces = b"%x\r\n%s\r\n4;a=b\r\nabcd\r\n0\r\nTrailer: x\r\n\r\n" % (len(body), body)
    seeds = [
        head + b"%d\r\n\r\n" % len(body) + body,
        head + b"3\r\nContent-Encoding: gzip\r\n\r\n123",
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces,
        b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/40\r\nContent-Length: 10\r\n\r\n0123456789",
        b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 36-39/40\r\nContent-Length: 4\r\n\r\n6789",
        b"HTTP/1.1 416 No\r\nContent-Range: bytes */40\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /s/c/1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 308 There\r\nLocation: https://other.invalid/s/c/1?x=[y]\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n123",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
        b"HTTP/1.1 503 Busy\r\nRetry-After: 100000000\r\nContent-Length: 0\r\n\r\n",
    ]
    return Target("web", seeds, run)


def _connection():
    """A class of connections whose other end is in this process: it sends one answer and ends."""
    from urllib3.connection import HTTPConnection

    class Connection(HTTPConnection):
        response_class = paced._Response
        other = None

        def putrequest(self, method, url, *arguments, **options):
            self.asked, self.wanted = (method, url), None
            super().putrequest(method, url, *arguments, **options)

        def putheader(self, name, *values):
            if str(name).lower() == "range":
                self.wanted = str(values[0])
            super().putheader(name, *values)

        def _new_conn(self):
            kind, (method, path) = type(self), self.asked
            kind.sent += 1
            answer = kind.hostile if path.startswith(kind.which) else _honest(kind.values.get(path), self.wanted)
            if method == "HEAD" and answer is not kind.hostile:
                answer = answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            sock, self.other = socket.socketpair()
            self.other.sendall(answer)
            self.other.shutdown(socket.SHUT_WR)
            return sock

        def close(self):
            super().close()
            if self.other is not None:
                self.other.close()

    return Connection


def _honest(value, wanted):
    """The answer of a server that knows ranges."""
    if value is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    status, more = b"200 OK", b""
    if wanted is not None:
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(len(value) - int(last), 0)
        stop = min(int(last) + 1, len(value)) if first and last else len(value)
        if start >= len(value):
            return b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n"
        status, more = b"206 Partial", b"Content-Range: bytes %d-%d/%d\r\n" % (start, stop - 1, len(value))
        value = value[start:stop]
    return b'HTTP/1.1 %s\r\nETag: "1"\r\n%sContent-Length: %d\r\n\r\n%s' % (status, more, len(value), value)


def references_target():
    """A reference set of kerchunk's, as fsspec reads it and we do: JSON that says of each key where its bytes are."""
    folder, place = _place("references.json")

    def run(data, folder=folder):
        place.write_bytes(data)
        options = {"fo": str(place), "remote_protocol": "memory", "skip_instance_cache": True}
        meet(FsspecStore("reference://", read_only=True, **options))
        meet(ReferenceStore(place, roots=["memory://fuzz"]))

    texts = {key: value.decode("latin-1") for key, value in SMALL.items()}
    parts = {"zarr.json": texts["zarr.json"], "c/0": "base64:MTIz", "c/1": ["memory://fuzz/chunks", 3, 3]}
    named = {**parts, "c/1": ["{{u}}/chunks", 3, 3], "c/2": ["{{u}}/whole"]}
    nested = {**parts, "zarr.json": json.loads(SMALL["zarr.json"])}
    made = [texts, {"version": 1, "refs": parts}, {"version": 1, "templates": {"u": "memory://fuzz"}, "refs": named}]
    made += [nested, {"version": 1, "refs": nested, "gen": [{"key": "c/{{i}}", "url": "x", "dimensions": {"i": [1]}}]}]
    return Target("references", [json.dumps(each).encode() for each in made], run)


def marks_target():
    """The mark of unfinished work: read, completed or taken back by whoever opens for writing, repairs or creates."""
    beside = {f"b/{key}": value for key, value in SMALL.items()}
    start = {"zarr.json": b'{"zarr_format": 3, "node_type": "group"}', **beside}
    start |= {f"a/{key}": value for key, value in SHARD.items()}
    start |= {f"a/{nodes.STAGED}/{key}": value for key, value in SMALL.items() if key != "zarr.json"}

    def run(data):
        store = MemoryStore({**start, f"a/{nodes.MARK}": data})
        try:
            look(zarr.open_array(MemoryStore(dict(store.mapping)), mode="r", path="a"))
            str(doctor.examine(store, jobs=1))
            pick(data, [_finish, _repair, _open_to_write, _make_anew, _delete])(store)
        finally:
            if {key: store.mapping.get(key) for key in beside} != beside:
                raise Bug("what lies elsewhere was changed")

    by = {"host": "elsewhere", "pid": 1, "started": "1", "token": "00"}
    mark = {"action": "create array", "what": "0" * 16, "by": by, "since": 1.5, "state": "writing", "staged": True}
    documents = {"documents": {"zarr.json": SMALL["zarr.json"].decode()}}
    made = [mark, {**mark, "state": "clearing", **documents}, {**mark, "state": "moving", "keep": ["c"], **documents}]
    made += [
        {**mark, "state": "clearing", "only": ["c"], **documents},
        {**mark, "staged": False},
        {**mark, "state": "moving", "up": 1, **documents},
    ]
    return Target("marks", [json.dumps(each).encode() for each in made], run)


def _finish(store):
    replacing.finish(store, "a")


def _repair(store):
    doctor.repair(store, doctor.examine(store, jobs=1))


def _open_to_write(store):
    zarr.open_group(store, mode="r+")["a"][:1] = 1


def _make_anew(store):
    zarr.create_array(store, name="a", shape=(4,), chunks=(2,), dtype="u1", overwrite=True)


def _delete(store):
    del zarr.open_group(store, mode="r+")["a"]


def key_target():
    """Keys and paths: none leads out of a store, and what is a chunk's key is the key of its coordinates."""
    encodings = [
        chunk_keys.parse(Extension(name, {"separator": separator})) for name in ("default", "v2") for separator in "/."
    ]

    def run(data):
        key = data.decode("utf-8", "surrogateescape")
        for encoding in encodings:
            for ndim in (0, 1, 2, 5):
                coords = encoding.decode(key, ndim)
                if coords is not None and encoding.encode(coords) != key:
                    raise Bug(f"{encoding.name}: {key!r} gives {coords}, which gives {encoding.encode(coords)!r}")
        for check in (check_key, nodes.normalize_path):
            try:
                parts = check(key).split("/")
            except ZarrError:
                continue
            if {".", ".."} & set(parts) or any("\\" in part or "\0" in part for part in parts):
                raise Bug(f"{check.__name__} lets {key!r} through")

    seeds = [b"c/0/1", b"0.0", b"c", b"0", b"a/b/../c", b"c.1.2", b"..\\x", b"/etc", b"a//b", b"C:\\x", b"con"]
    return Target("keys", seeds, run)


def manifest_target():
    """The lines of a manifest."""
    seeds = [(manifest.line("0" * 64, "a/b") + "\n" + manifest.line("f" * 64, "c\\\nd") + "\n").encode()]
    return Target("manifest", seeds, lambda data: manifest.parse(data.decode("utf-8", "replace").split("\n")))


def doctor_target():
    """The doctor, who must report on anything and raise on nothing."""
    stores = [case.store for module, case in spec_cases() if module in ("v3_sharding", "v3_metadata", "v2_metadata")]

    def run(data):
        store = dict(pick(data, stores))
        store[pick(data[1:], sorted(store))] = data
        try:
            str(doctor.examine(MemoryStore(store), jobs=1))
        except ZarrError as error:
            raise Bug(f"the doctor raised {error}") from error

    return Target("doctor", [value for store in stores for value in store.values()], run)


def codec_target():
    """A ``codecs`` list: built, bound to a chunk, tried on an array."""
    from tutorial_zarr.dtypes import from_json

    spec = codecs.ChunkSpec((4, 4), from_json("uint16"), np.zeros((), "u2"))
    seeds = [build.document({"codecs": build.json.loads(case.store[key])["codecs"]})
             for module, case in spec_cases() if module in ("v3_codecs", "v3_sharding")
             for key in case.store if key == "zarr.json"]  # fmt: skip

    def run(data):
        chain = pipeline_of.parse_extensions(parse_json(data, "zarr.json").get("codecs"))
        pipeline = pipeline_of.build_pipeline(chain, spec)
        pipeline.decode(pipeline.encode(np.arange(16, dtype="u2").reshape(4, 4)))

    return Target("codecs", seeds, run)


def all_targets():
    """Every target."""
    return [
        *document_targets(),
        parse_target(),
        codec_target(),
        zip_target(),
        sqlite_target(),
        web_target(),
        references_target(),
        marks_target(),
        key_target(),
        manifest_target(),
        doctor_target(),
        *chunk_targets(),
    ]


# --- changes

INTERESTING = [0, 1, 2, 3, 4, 8, 16, 64, 127, 128, 255, 256, 65535, 1 << 31, (1 << 31) - 1, (1 << 32) - 1, 1 << 63]
TOKENS = (
    b"null true false NaN Infinity -1 0 1 1e400 2.0 9223372036854775807 18446744073709551616 {} [] [[]] "
    b'"" "name" "configuration" "must_understand" "codecs" "bytes" "gzip" "blosc" "zstd" "transpose" "r8" "struct" '
    b'"sharding_indexed" "numcodecs.delta" "numcodecs.packbits" "numcodecs.zfpy" "|O" "<M8[ns]" "vlen-utf8" '
    b'"regular" "rectilinear" "chunk_shape" "order" "F" "endian" "dtype" "id" "filters" "zlib" "lzma"'
).split()


def mutate(data, rng, others):
    """`data` changed in one to a few places."""
    out = bytearray(data)
    for _ in range(1 + int(rng.expovariate(0.7))):
        size = len(out)
        at = rng.randrange(size + 1)
        kind = rng.randrange(12)
        if kind == 0 and size:
            out[at % size] ^= 1 << rng.randrange(8)
        elif kind == 1 and size:
            out[at % size] = rng.randrange(256)
        elif kind == 2:
            del out[at:]
        elif kind == 3:
            del out[at : at + rng.randrange(1, 9)]
        elif kind == 4:
            out[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif kind == 5:
            piece = bytes(out[at : at + rng.randrange(1, 40)])
            out[at:at] = piece * rng.choice((1, 1, 2, 50))
        elif kind == 6:
            number, width = rng.choice(INTERESTING), rng.choice((1, 2, 4, 8))
            out[at : at + width] = (
                struct.pack("<Q", number)[:width] if rng.random() < 0.7 else struct.pack(">Q", number)[-width:]
            )
        elif kind == 7:
            other = rng.choice(others)
            where = rng.randrange(len(other) + 1)
            out[at:] = other[where:]
        elif kind in (8, 9):
            token = rng.choice(TOKENS)
            found = [i for i, c in enumerate(out) if c in b',:[{"']
            if found:
                at = rng.choice(found) + 1
                end = next((i for i in range(at, len(out)) if out[i] in b",]}"), at)
                out[at:end] = token
            else:
                out[at:at] = token
        elif kind == 10:
            out[at:at] = rng.choice((b"[", b"{", b'{"a":', b"\0", b"\xff")) * rng.choice((1, 3, 2000))
        elif size:
            out[at : at + 8] = bytes(min(8, size - at))
        if len(out) > 1 << 16:
            del out[1 << 16 :]
    return bytes(out)


def allowed():
    """The limits under which fuzzing runs."""
    return limits.override(**LIMITS)


def check(target, data):
    """Run a target; raises `Bug` on whatever is not an array and not an error of ours."""
    try:
        target.run(data)
    except ZarrError as error:
        cause, seen = error, []
        while cause is not None:
            if isinstance(cause, MemoryError) and not isinstance(cause, ZarrError):
                raise Bug(f"memory was taken beyond the limit: {cause}") from error
            if cause in seen:
                raise Bug(f"an error that is its own cause: {cause}") from None
            seen.append(cause)
            cause = cause.__cause__
