"""Web servers: what GET and HEAD can read, and what a hostile server is not given."""

import gzip
import http.server
import json
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import doctor, limits
from tutorial_zarr.cli.info import describe
from tutorial_zarr.errors import LimitError, MetadataError, NodeNameError, ReadOnlyError, StoreError, ZarrError
from tutorial_zarr.stores import LocalStore, bounds, make_store
from tutorial_zarr.viz import anatomy

from .test_hostile_data import Peak

pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")

VALUE = b"0123456789"
HTTP_DATE = "Sat, 21 Nov 2026 06:44:51 GMT"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the server's `answer(handler, key, byte_range)` says: (status, headers, body)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        status, headers, body = self.server.answer(self, self.path, self.headers.get("Range"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(answer):
    """A server; gives its URL, and the list of requests that it sees."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answer, server.seen, server.daemon_threads = answer, [], True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def from_values(values, ranges=True):
    """An honest server of {path: bytes}."""

    def answer(handler, path, byte_range):
        value = values.get(path.partition("?")[0])
        if value is None:
            return 404, {}, b"no"
        if not byte_range or not ranges:
            return 200, {}, value
        first, _, last = byte_range.removeprefix("bytes=").partition("-")
        start = max(len(value) - int(last), 0) if not first else int(first)
        stop = len(value) if not first or not last else min(int(last) + 1, len(value))
        if start >= len(value):
            return 416, {"Content-Range": f"bytes */{len(value)}"}, b""
        return 206, {"Content-Range": f"bytes {start}-{stop - 1}/{len(value)}"}, value[start:stop]

    return answer


@pytest.mark.parametrize("ranges", [True, False])
def test_ranges_are_those_of_a_python_slice_whether_the_server_knows_ranges_or_not(ranges):
    with serving(from_values({"/s/a%20b": VALUE, "/s/empty": b""}, ranges)) as (url, seen):
        store = make_store(url + "/s/")
        for byte_range in [None, (2, 5), (8, 50), (20, 50), (2, 2), (5, 2), (7, None), (20, None), -3, -30, 0]:
            cut = slice(byte_range, None) if isinstance(byte_range, int) else slice(*(byte_range or (None, None)))
            wanted = b"" if byte_range == 0 else VALUE[cut]
            assert store.get("a b", byte_range) == wanted, byte_range
            assert store.get("empty", byte_range) == b""
            assert store.get("absent", byte_range) is None
        assert (store.get_size("a b"), store.get_size("absent"), store.exists("a b")) == (10, None, True)
        assert store.get_ranges("a b", [(0, 2), -3]) == [b"01", b"789"]
        assert pickle.loads(pickle.dumps(store)).get("a b") == VALUE
        assert {headers["Accept-Encoding"] for _, _, headers in seen} == {"identity"}


def test_an_array_is_read_and_nothing_is_written_or_listed(tmp_path):
    values = np.arange(400, dtype="u2").reshape(20, 20)
    zarr.create_array(LocalStore(tmp_path), name="x", data=values, chunks=(5, 5), shards=(10, 10))
    files = {f"/{key}": LocalStore(tmp_path).get(key) for key in LocalStore(tmp_path).list_prefix()}
    with serving(from_values(files)) as (url, _):
        assert np.array_equal(zarr.open_array(url, path="x", mode="r")[3:17, 4:9], values[3:17, 4:9])
        store = make_store(url)
        assert (store.read_only, store.concurrency) == (True, 64)
        with pytest.raises(StoreError, match=r"expected a store that lists its keys, found a web server.*consolidate"):
            list(store.list_dir())
        with pytest.raises(ReadOnlyError, match="expected a writable store"):
            store.set("a", b"")
        with pytest.raises(NodeNameError, match="expected names joined by '/'"):
            store.get("../a")


def test_a_query_goes_with_every_request_and_into_no_message():
    with serving(from_values({"/s/a": VALUE})) as (url, seen):
        store = make_store(url + "/s?signature=SECRET", storage_options={"headers": {"X-Token": "T"}})
        assert store.get("a") == VALUE
        assert seen[0][1] == "/s/a?signature=SECRET"
        assert seen[0][2]["X-Token"] == "T"
        assert "SECRET" not in repr(store)
    store = make_store(store.url + "?signature=SECRET", storage_options={"retries": 0})
    with pytest.raises(StoreError, match=r"cannot read key 'a': .*is the server up") as raised:
        store.get("a")
    assert "SECRET" not in str(raised.value)
    assert raised.value.transient


def test_a_redirect_on_the_same_server_is_followed_and_one_to_another_is_refused():
    with serving(from_values({"/a": b"secret of the inner network"})) as (other, seen_by_other):

        def answer(handler, path, byte_range):
            if path == "/moved/a":
                return 302, {"Location": "/new/a"}, b""
            if path == "/away/a":
                return 302, {"Location": other + "/a"}, b""
            if path == "/round/a":
                return 302, {"Location": "/round/a"}, b""
            return 200, {}, VALUE

        with serving(answer) as (url, seen):
            assert make_store(url + "/moved").get("a") == VALUE
            with pytest.raises(StoreError, match=r"found a redirect to '127\.0\.0\.1:\d+', which is refused"):
                make_store(url + "/away", storage_options={"headers": {"Authorization": "Bearer x"}}).get("a")
            with pytest.raises(StoreError, match="the server answered 302"):
                make_store(url + "/round").get("a")
            assert len(seen) == 2 + 1 + 6
    assert seen_by_other == []


@pytest.mark.parametrize(
    "headers", [{"Content-Range": "bytes 0-2/10"}, {}, {"Content-Range": "bytes 5-9/10"}, {"Content-Range": "bytes x"}]
)
def test_a_server_that_sends_another_range_than_was_asked_for_is_not_believed(headers):
    with (
        serving(lambda handler, path, byte_range: (206, headers, b"123")) as (url, _),
        pytest.raises(StoreError, match=r"expected the range \(5, 8\), found Content-Range .*cannot be trusted"),
    ):
        make_store(url).get("a", (5, 8))


WHOLE, PART = {"Content-Range": "bytes 0-9/10"}, {"Content-Range": "bytes 6-9/10"}
ANSWERS = [  # what was asked for, the answer, and what comes of it; None where that is an error
    (None, 206, WHOLE, VALUE, VALUE),
    (None, 206, PART, b"6789", None),
    (None, 206, {"Content-Range": "bytes 0-3/10"}, b"0123", None),
    (None, 416, {}, b"", None),
    (-4, 206, PART, b"6789", b"6789"),
    (-4, 206, WHOLE, VALUE, b"6789"),
    (-4, 206, {"Content-Range": "bytes 8-9/10"}, b"89", None),
    (-4, 206, {"Content-Range": "bytes 0-2/3"}, b"012", b"012"),
    (-4, 416, {"Content-Range": "bytes */0"}, b"", b""),
    (-4, 416, {"Content-Range": "bytes */10"}, b"", None),
    ((2, 6), 206, {"Content-Range": "bytes 2-5/10"}, b"2345", b"2345"),
    ((2, 6), 206, {"Content-Range": "bytes 2-9/10"}, b"23456789", b"2345"),
    ((2, 6), 206, {"Content-Range": "bytes 2-3/10"}, b"23", None),
    ((2, 6), 206, {"Content-Range": "bytes 2-3/4"}, b"23", b"23"),
    ((2, 6), 206, {"Content-Range": "bytes 2-3/*"}, b"23", b"23"),
    ((2, None), 206, {"Content-Range": "bytes 2-3/10"}, b"23", None),
    ((20, 26), 416, {"Content-Range": "bytes */10"}, b"", b""),
    ((2, 6), 416, {"Content-Range": "bytes */10"}, b"", None),
]


@pytest.mark.parametrize(("byte_range", "status", "headers", "body", "expected"), ANSWERS)
def test_of_an_answer_no_other_bytes_are_taken_than_those_that_were_asked_for(
    byte_range, status, headers, body, expected
):
    with serving(lambda *_: (status, headers, body)) as (url, _):
        store = make_store(url)
        if expected is None:
            with pytest.raises(StoreError, match=r"key 'a': expected the .*, found Content-Range .*cannot be trusted"):
                store.get("a", byte_range)
        else:
            assert store.get("a", byte_range) == expected


@pytest.mark.parametrize("status", [405, 501])
def test_a_server_that_knows_get_alone_is_read_and_asked_once_for_more(status, tmp_path):
    zarr.create_array(LocalStore(tmp_path), data=np.arange(8), chunks=(2,), shards=(4,))
    files = {f"/{key}": LocalStore(tmp_path).get(key) for key in LocalStore(tmp_path).list_prefix()} | {"/empty": b""}
    honest = from_values(files)

    def answer(handler, path, byte_range):
        return (status, {}, b"") if handler.command == "HEAD" else honest(handler, path, byte_range)

    with serving(answer) as (url, seen):
        assert zarr.open(url, mode="r")[1:7].tolist() == [1, 2, 3, 4, 5, 6]
        store = make_store(url)
        assert [store.exists(key) for key in ("zarr.json", "empty", "absent")] == [True, True, False]
        assert [store.get_size(key) for key in ("c/0", "empty", "absent")] == [len(files["/c/0"]), 0, None]
        assert [command for command, _, _ in seen].count("HEAD") == 1  # opening and reading need none


def test_a_server_that_knows_no_range_from_the_end_is_asked_by_the_size(tmp_path):
    zarr.create_array(LocalStore(tmp_path), data=np.arange(8), chunks=(2,), shards=(8,))
    files = {f"/{key}": LocalStore(tmp_path).get(key) for key in LocalStore(tmp_path).list_prefix()}
    honest = from_values(files | {"/a": VALUE, "/empty": b""})

    def answer(handler, path, byte_range):
        if (byte_range or "").startswith("bytes=-") and path != "/absent":
            return 416, {}, b""
        return honest(handler, path, byte_range)

    with serving(answer) as (url, _):
        assert zarr.open(url, mode="r")[2:4].tolist() == [2, 3]
        store = make_store(url)
        assert [store.get("a", n) for n in (-3, -30, 0)] == [b"789", VALUE, b""]
        assert (store.get("empty", -3), store.get("absent", -3)) == (b"", None)


def files_of(folder):
    return {
        f"/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def test_opening_and_reading_costs_one_request_for_the_metadata_and_one_for_each_chunk(tmp_path):
    root = zarr.create_group(tmp_path)
    root.create_array("a", data=np.arange(16).reshape(4, 4), chunks=(2, 2))
    zarr.consolidate_metadata(tmp_path)
    with serving(from_values(files_of(tmp_path))) as (url, seen):
        assert zarr.open_array(f"{url}/a", mode="r")[0, 0] == 0
        assert [entry[:2] for entry in seen] == [("GET", "/a/zarr.json"), ("GET", "/a/c/0/0")]
        seen.clear()
        assert zarr.open_group(url, mode="r")["a"][3, 3] == 15
        assert [entry[:2] for entry in seen] == [("GET", "/zarr.json"), ("GET", "/a/c/1/1")]


def test_where_nothing_is_listed_each_key_is_asked_for_once(tmp_path):
    """Its size says that it is there, and so do its bytes."""
    root = zarr.create_group(tmp_path, attributes={"title": "on the web"})
    a = root.create_array("a", shape=(4, 4), chunks=(2, 2), dtype="i4")
    a[:2] = 1  # two of the four chunks
    s = root.create_array("s", data=np.arange(8), chunks=(2,), shards=(4,))
    zarr.consolidate_metadata(tmp_path)
    of_a, of_s = [f"/a/c/{i}/{j}" for i in (0, 1) for j in (0, 1)], ["/s/c/0", "/s/c/1"]
    documents = ["/zarr.json", "/a/zarr.json", "/s/zarr.json"]

    def asked(act):
        seen.clear()
        act()
        return Counter(entry[:2] for entry in seen)

    def each(verb, keys):
        return Counter((verb, key) for key in keys)

    with serving(from_values(files_of(tmp_path))) as (url, seen):
        a, s, store = zarr.open_array(f"{url}/a"), zarr.open_array(f"{url}/s"), make_store(url)
        own = each("GET", ["/a/zarr.json"])
        sizes = each("HEAD", ["/a/zarr.json", *of_a])
        assert asked(a.nbytes_stored) == asked(lambda: a.nchunks_initialized) == own + sizes
        assert asked(lambda: describe(a)) == asked(lambda: a.info_complete()) == own + sizes
        assert asked(lambda: anatomy(a)) == own + own + sizes
        assert describe(a)["nchunks_stored"] == 2
        found = asked(lambda: doctor.census(s))
        assert [found[("HEAD", key)] for key in of_s] == [1, 1]
        found = asked(lambda: zarr.copy(zarr.open_group(store), {}, dry_run=True))
        assert found - each("HEAD", documents + of_a + of_s) == Counter(
            {key: n for key, n in found.items() if key[0] == "GET"}
        )
        assert not any("/c/" in key for verb, key in found if verb == "GET")
        target = {}
        found = asked(lambda: zarr.copy(zarr.open_group(store), target))
        assert {key: n for key, n in found.items() if "/c/" in key[1]} == each("GET", of_a + of_s)
        assert sorted(target) == sorted(key[1:] for key in files_of(tmp_path))


def test_of_many_threads_one_finds_out_that_a_server_knows_no_head(tmp_path):
    zarr.create_array(tmp_path, data=np.arange(1, 65), chunks=(1,))
    honest = from_values(files_of(tmp_path))

    def answer(handler, path, byte_range):
        return (405, {}, b"") if handler.command == "HEAD" else honest(handler, path, byte_range)

    with serving(answer) as (url, seen):
        assert zarr.open(url, mode="r").nchunks_initialized == 64
        assert [command for command, _, _ in seen].count("HEAD") == 1


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_needs_to_know_the_keys_asks_for_those_that_the_metadata_name(zarr_format, tmp_path):
    root = zarr.create_group(tmp_path / "g", zarr_format=zarr_format, attributes={"title": "on the web"})
    a = root.create_array("in/a", shape=(4, 4), chunks=(2, 2), dtype="i4", attributes={"unit": "m"})
    a[:2] = 1  # two of the four chunks
    with serving(from_values(files_of(tmp_path))) as (url, seen):
        found = zarr.open_array(f"{url}/g/in/a", mode="r")
        assert (found.nchunks_initialized, found.nbytes_stored()) == (2, a.nbytes_stored())
        seen.clear()
        assert found.nchunks_initialized == 2
        assert len(seen) == {3: 1 + 5, 2: 3 + 6}[zarr_format]  # the metadata; then each document and chunk
        assert {path for _, path, _ in seen} <= {f"/g/in/a/{key}" for key in ("zarr.json", ".zarray", ".zattrs")} | {
            f"/g/in/a/{found.chunk_key((i, j))}" for i in range(2) for j in range(2)
        }
        target = {}
        zarr.copy(found, target, name="b")
        assert zarr.open_array(target, mode="r", path="b")[...].tolist() == a[...].tolist()
        (zarr.convert.to_v2 if zarr_format == 3 else zarr.convert.to_v3)(f"{url}/g/in/a", target=tmp_path / "converted")
        assert zarr.open_array(tmp_path / "converted", mode="r")[...].tolist() == a[...].tolist()
        with pytest.raises(StoreError, match="expected a store that lists its keys"):
            zarr.copy(zarr.open_group(f"{url}/g", mode="r", use_consolidated=False), {}, name="b")
    zarr.consolidate_metadata(tmp_path / "g")
    with serving(from_values(files_of(tmp_path))) as (url, seen):
        target = {}
        zarr.copy(zarr.open_group(f"{url}/g", mode="r"), target, name="b")
        copied = zarr.open_group(target, mode="r", path="b")
        assert (dict(copied.attrs), copied["in/a"].attrs["unit"]) == ({"title": "on the web"}, "m")
        assert copied["in/a"][...].tolist() == a[...].tolist()


def test_no_more_keys_are_asked_for_one_by_one_than_a_server_should_bear(tmp_path):
    zarr.create_array(tmp_path / "a", shape=(1000, 1000), chunks=(1, 1), dtype="i1")
    with serving(from_values(files_of(tmp_path))) as (url, seen):
        found = zarr.open_array(f"{url}/a", mode="r")
        with pytest.raises(StoreError, match="has 1000000 chunks, and no more than 10000 keys are asked"):
            found.nbytes_stored()
        assert len(seen) < 5


def test_a_redirect_to_no_url_is_an_error_of_the_store():
    with (
        serving(lambda *_: (302, {"Location": "http://[/"}, b"")) as (url, _),
        pytest.raises(StoreError, match=r"key 'a': expected a URL in a redirect, found"),
    ):
        make_store(url).get("a")


def test_an_answer_takes_memory_for_what_has_come_and_not_for_what_it_says():
    sent = [b"Content-Length: 4000000000000", b"Content-Length: %d" % (1 << 64)]
    sent += [b"Transfer-Encoding: chunked\r\n\r\nE8D4A51000\r\n", b"Content-Length: x"]
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        for each in sent:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + each + b"\r\n\r\n" * (b"chunked" not in each) + VALUE)

    thread = threading.Thread(target=answer)
    thread.start()
    store = make_store(f"http://127.0.0.1:{listener.getsockname()[1]}", storage_options={"retries": 0})
    try:
        with Peak() as peak:
            for _ in sent[:-1]:
                with pytest.raises(StoreError, match=r"cannot read key 'a'"):
                    store.get("a")
        assert peak.bytes < 40 << 20
        with pytest.raises(StoreError, match=r"key 'a': expected a size in Content-Length, found 'x'"):
            store.get_size("a")
    finally:
        thread.join()
        listener.close()


def test_a_busy_server_is_asked_again_and_a_forbidden_key_is_not_absent():
    answers = [(503, {"Retry-After": "86400"}, b""), (500, {}, b""), (200, {}, VALUE), (403, {}, b"")]
    with serving(lambda *_: answers.pop(0)) as (url, seen):
        store = make_store(url)
        assert store.get("a") == VALUE
        assert len(seen) == 3
        with pytest.raises(StoreError, match=r"the server answered 403 Forbidden; what it needs.*absent=\(403, 404\)"):
            store.get("a")
    with serving(lambda *_: (403, {}, b"")) as (url, _):
        assert make_store(url, storage_options={"absent": (403, 404)}).get("a") is None
    with (
        serving(lambda *_: (503, {}, b"")) as (url, seen),
        pytest.raises(StoreError, match=r"cannot read key 'a': .*503"),
    ):
        make_store(url, storage_options={"retries": 2}).get("a")
    assert len(seen) == 3


def test_a_server_that_never_answers_is_given_up():
    stop = threading.Event()
    with serving(lambda *_: stop.wait(10) and (200, {}, b"")) as (url, _):
        with pytest.raises(StoreError, match=r"cannot read key 'a': .*ReadTimeoutError") as raised:
            make_store(url, storage_options={"timeout": 0.1, "retries": 0}).get("a")
        assert raised.value.transient
        stop.set()


# --- the same tricks, played on the client of a bucket


def bucket(url, **options):
    keys = {"key": "K", "secret": "S", "token": "TOKEN", "region": "us-east-1", "endpoint_url": url}
    pytest.importorskip("obstore", reason="obstore is not installed: pip install 'tutorial_zarr[cloud]'")
    return make_store("s3://bucket/x", storage_options={**keys, **options})


def test_a_bucket_that_redirects_elsewhere_takes_no_signature_there_and_no_data():
    with (
        serving(lambda *_: (200, {"ETag": '"1"', "Last-Modified": HTTP_DATE}, VALUE)) as (other, seen_by_other),
        serving(lambda handler, path, _: (307, {"Location": other + path}, b"")) as (url, seen),
    ):
        with pytest.raises(StoreError, match="cannot write key 'a': 307"):
            bucket(url).set("a", b"data")
        assert "authorization" in {name.lower() for name in seen[0][2]}
        assert seen_by_other == []
        assert bucket(url).get("a") == VALUE
        assert "authorization" not in {name.lower() for name in seen_by_other[0][2]}


def test_a_bucket_that_is_busy_is_asked_again_and_one_that_never_answers_is_given_up():
    answers = [(503, {}, b""), (500, {}, b""), (200, {"ETag": '"1"', "Last-Modified": HTTP_DATE}, VALUE)]
    with serving(lambda *_: answers.pop(0)) as (url, seen):
        assert bucket(url).get("a") == VALUE
        assert len(seen) == 3
    with serving(lambda *_: (503, {}, b"")) as (url, seen):
        with pytest.raises(StoreError, match="cannot read key 'a': 503 Service Unavailable") as raised:
            bucket(url, retries=1).get("a")
        assert raised.value.transient
        assert len(seen) == 2
    stop = threading.Event()
    with serving(lambda *_: stop.wait(10) and (200, {}, b"")) as (url, _):
        with pytest.raises(StoreError, match="cannot read key 'a'") as raised:
            bucket(url, timeout=0.2, retries=0).get("a")
        assert raised.value.transient
        stop.set()


# --- what a server may cost


class Raw(threading.Thread):
    """A server that answers a connection with the bytes that `answer(request)` yields, as long as they are taken."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.sent, self.requests = answer, 0, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                request = connection.recv(1 << 16)
                self.requests += 1
                for piece in self.answer(request):
                    connection.sendall(piece)
                    self.sent += len(piece)
            except OSError:
                pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.socket.close()


MIB = 1 << 20


def endless(_):
    yield b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n"
    for _ in range(200):
        yield b" " * MIB


def endless_headers(_):
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-A: " + b"a" * 60_000 + b"\r\n"


def slowly(text, pause=0.05):
    def answer(_):
        for byte in text:
            yield bytes([byte])
            time.sleep(pause)

    return answer


def test_a_document_without_end_is_given_up_at_the_limit():
    with Raw(endless) as server, limits.override(document_bytes=MIB):
        with Peak() as peak, pytest.raises(MetadataError, match=r"zarr.json|answer"):
            zarr.open(make_store(server.url, mode="r", storage_options={"retries": 0}), mode="r")
        assert server.sent < 32 * MIB
        assert peak.bytes < 16 * MIB


def test_a_chunk_and_the_range_of_a_shard_without_end_are_given_up(tmp_path):
    for shards in (None, (4,)):
        zarr.create_array(tmp_path / "a", shape=(8,), chunks=(2,), shards=shards, dtype="i4", overwrite=True)[:] = 1
        document = (tmp_path / "a" / "zarr.json").read_bytes()

        def answer(request, document=document):
            if b"zarr.json" in request:
                yield b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(document) + document
            elif b".z" in request:
                yield b"HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            else:
                yield from endless(request)

        with Raw(answer) as server:
            array = zarr.open_array(make_store(server.url, mode="r", storage_options={"retries": 0}), mode="r")
            for act in (lambda a=array: a[:], lambda a=array: a[0], lambda a=array: a.encoded_chunk((0,))):
                with Peak() as peak, pytest.raises(ZarrError):
                    act()
                assert peak.bytes < 100 * MIB
            assert server.sent < 150 * MIB


def test_headers_without_end_are_given_up():
    with Raw(endless_headers) as server, pytest.raises(StoreError):
        make_store(server.url, mode="r", storage_options={"retries": 0}).get("a")
    assert server.sent < 64 * MIB


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * 1000,
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 300,
    ],
    ids=["body", "headers", "chunked"],
)
def test_a_byte_now_and_then_is_given_up(text):
    with Raw(slowly(text)) as server:
        store = make_store(server.url, mode="r", storage_options={"retries": 0, "timeout": 0.3})
        start = time.monotonic()
        with pytest.raises(StoreError, match=r"cannot read key 'a'") as caught:
            store.get("a")
        assert time.monotonic() - start < 5
        assert caught.value.transient


def test_a_slow_line_that_keeps_its_pace_is_waited_for():
    body = bytes(range(256)) * 400

    def answer(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        for at in range(0, len(body), 12_800):
            time.sleep(0.1)
            yield body[at : at + 12_800]

    with Raw(answer) as server:
        assert make_store(server.url, mode="r", storage_options={"retries": 0, "timeout": 0.4}).get("a") == body


def test_an_answer_that_was_packed_on_the_way_is_refused_and_not_unpacked():
    packed = gzip.compress(b" " * (64 * MIB))
    with serving(lambda *_: (200, {"Content-Encoding": "gzip"}, packed)) as (url, seen):
        with Peak() as peak, pytest.raises(StoreError, match=r"as they are stored, found them packed by 'gzip'"):
            make_store(url).get("a")
        assert seen[0][2]["Accept-Encoding"] == "identity"
    assert peak.bytes < 4 * MIB


def test_a_server_without_ranges_that_sends_too_much_is_stopped():
    with Raw(endless) as server, bounds.at_most(MIB, lambda key, size: LimitError(f"{key}: {size}")):
        store = make_store(server.url, mode="r", storage_options={"retries": 0})
        with pytest.raises(LimitError):
            store.get("a", (0, 10))
        with store.snapshot("a") as value, pytest.raises(LimitError):
            value.get((0, 10))
    assert server.sent < 64 * MIB


def test_what_is_busy_is_asked_again_and_an_error_has_the_last_word():
    answers = iter([503, 429, 500])

    def answer(handler, path, byte_range):
        status = next(answers, 200)
        return status, {}, VALUE

    with serving(answer) as (url, seen):
        assert make_store(url).get("a") == VALUE
        assert len(seen) == 4
    with serving(lambda *_: (503, {}, b"")) as (url, seen):
        with pytest.raises(StoreError, match=r"the server answered 503 .*; try again later") as caught:
            make_store(url, storage_options={"retries": 1}).get("a")
        assert caught.value.transient
        assert len(seen) == 2


# --- groups whose members nobody lists


def image(folder, zarr_format):
    """An image with two scales and a label, as OME-Zarr 0.4 and 0.5 have it; and a member that is not named."""
    root = zarr.create_group(folder, zarr_format=zarr_format)
    for name, length in (("0", 8), ("1", 4), ("labels/nuclei/0", 8)):
        root.create_array(name, data=np.arange(1, length + 1), chunks=(4,))
    root.create_array("aside", shape=(1,), dtype="u1")
    names = ["0", "1", "2", "../up", "a/../../b", "", 7, "x\\y"]
    several = {"multiscales": [{"datasets": [{"path": name} for name in names]}]}
    for path, found in (
        ("", several),
        ("labels", {"labels": ["nuclei"]}),
        ("labels/nuclei", {"multiscales": [{"datasets": [{"path": "0"}]}]}),
    ):
        zarr.open_group(folder, path=path, mode="r+").attrs.update(
            found if zarr_format == 2 else {"ome": {"version": "0.5", **found}}
        )


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_ome_zarr_image_is_followed_by_its_metadata(zarr_format, tmp_path, run):
    image(tmp_path, zarr_format)
    with serving(from_values(files_of(tmp_path))) as (url, _):
        assert [member["name"] for member in json.loads(run("info", url, "--json")[1])["members"]] == [
            "0",
            "1",
            "labels",
        ]
        code, out, err = run("tree", url)
        assert (code, err) == (0, "")
        assert [line.lstrip("├└│─ ").split("  ")[0] for line in out.splitlines()[1:]] == [
            "0",
            "1",
            "labels",
            "nuclei",
            "0",
            "note: the server lists nothing; shown is what the OME-Zarr metadata name",
        ]
        code, out, err = run("lint", url)
        assert [path in out for path in ("labels/nuclei/0", "aside", "the server lists nothing")] == [
            True,
            False,
            True,
        ], err
        told = run("explain", url)[1]
        version = {2: "0.4", 3: "0.5"}[zarr_format]
        assert told.startswith(f"Zarr {zarr_format}, 3 arrays\nWho wrote it:\n  OME-Zarr {version} (certain): ")
        report = doctor.examine(make_store(url))
        assert report.ok, report
        assert sorted(row.path for row in report.arrays) == ["0", "1", "labels/nuclei/0"]
        assert report.unseen == []


def test_of_a_group_whose_members_nobody_names_all_is_said_that_is_known(tmp_path, run):
    zarr.create_group(tmp_path, attributes={"title": "alone"}).create_array("a", data=np.arange(1, 5))
    with serving(from_values(files_of(tmp_path))) as (url, _):
        report = json.loads(run("info", url, "--json")[1])
        assert (report["members"], report["attributes"]) == (None, {"title": "alone"})
        assert (
            "the server lists nothing, and no document here names them; give the URL of an array" in run("info", url)[1]
        )
        for command in ("tree", "lint", "copy"):
            code, out, err = run(command, url, *([tmp_path / "copy"] if command == "copy" else []))
            assert (code, out) == (1, "")
            assert err.endswith(
                "expected a store that lists its keys, found a web server, which does not; give the URL of an array in "
                "it, or consolidate the metadata where the store is written\n"
            )
        code, out, _ = run("explain", url)
        assert (code, out.splitlines()[0]) == (0, "Zarr 3, a group whose members nothing names")
        code, out, _ = run("doctor", url)
        assert code == 0
        assert (
            "nobody looked at what lies below the root: no metadata name the members; try --path with an array" in out
        )
        assert "groups were followed" not in run("doctor", url, "--path", "a")[1]
        assert run("lint", f"{url}/a")[0] == 0
        group = zarr.open_group(url, mode="r")
        assert group["a"][...].tolist() == [1, 2, 3, 4]
        with pytest.raises(KeyError, match="expected a member 'b', found none; it holds what the store does not list"):
            group["b"]


def test_a_web_server_that_lists_nothing_is_not_empty_through_fsspec_either(tmp_path):
    pytest.importorskip(
        "fsspec.implementations.http", reason="fsspec reads the web with aiohttp, which is not installed"
    )
    pytest.importorskip("aiohttp", reason="fsspec reads the web with aiohttp, which is not installed")
    zarr.create_array(tmp_path / "a", data=np.arange(1, 9), chunks=(2,))
    with serving(from_values(files_of(tmp_path))) as (url, _):
        store = make_store(f"simplecache::{url}/a", "r", {"simplecache": {"cache_storage": str(tmp_path / "cache")}})
        array = zarr.open_array(store)
        assert array.nchunks_initialized == 4
        assert array.nbytes_stored() == zarr.open_array(tmp_path / "a").nbytes_stored()
        for listing in (store.list_prefix, store.list_dir):
            with pytest.raises(StoreError, match="expected a store that lists its keys, found a web server"):
                list(listing())


MEASURE = """
import sys, tracemalloc
import tutorial_zarr as zarr
array = zarr.open_array(sys.argv[1], mode="r")
array[:1]
tracemalloc.start()
out = array[...] if sys.argv[2] == "all" else array[5:7]
print(tracemalloc.get_traced_memory()[1], out.nbytes)
"""


def test_a_read_takes_its_result_and_a_few_chunks_for_each_request_in_flight(tmp_path):
    # What each of the 64 workers holds is one chunk, its encoded bytes and a connection, not a batch of 16 chunks.
    chunk = 4096 * 4
    values = np.random.default_rng(0).integers(0, 1000, (400, 4096)).astype("i4")
    zarr.create_array(tmp_path, data=values, chunks=(1, 4096), fill_value=-1)
    files = {f"/{key}": bytes(LocalStore(tmp_path).get(key)) for key in LocalStore(tmp_path).list_prefix()}
    with serving(from_values(files)) as (url, _):
        peaks = {}
        for what in ("all", "window"):
            command = [sys.executable, "-c", MEASURE, url, what]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks[what], nbytes = map(int, done.stdout.split())
        assert peaks["all"] - values.nbytes < 64 * 8 * chunk
        assert peaks["window"] - nbytes < 8 * chunk
