"""Buckets: what every server must do alike, and what can go wrong with them."""

import http.server
import os
import pickle
import threading
import zlib

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import NodeNameError, ReadOnlyError, StoreError
from tutorial_zarr.stores import ABSENT, FsspecStore, ObjectStore, make_store
from tutorial_zarr.stores import object as bucket_store


@pytest.fixture
def store(cloud, monkeypatch):
    url, options, kind = cloud
    if kind == "fake_gcs":
        monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", options["endpoint_url"])
        return FsspecStore(url, **options)
    return make_store(url, storage_options=options)


VALUE = b"0123456789"
RANGES = [None, (2, 5), (0, 10), (8, 50), (20, 50), (2, 2), (5, 2), (7, None), (20, None), -3, -30, 0]


def cut(value, byte_range):
    if byte_range is None:
        return value
    if isinstance(byte_range, int):
        return value[byte_range:] if byte_range else b""
    return value[byte_range[0] : byte_range[1]]


def test_ranges_are_those_of_a_python_slice(store):
    store.set("a/b", VALUE)
    store.set("empty", b"")
    for byte_range in RANGES:
        assert store.get("a/b", byte_range) == cut(VALUE, byte_range), byte_range
        assert store.get("empty", byte_range) == b"", byte_range
        assert store.get("absent", byte_range) is None, byte_range


def test_several_ranges_come_in_their_order_with_one_call(store):
    store.set("a", VALUE)
    for ranges in ([(8, 30), (0, 2), (4, 5)], [(0, 2), (2, 4)], [(0, 2), (50, 70)], [(0, 2), -3, (4, None)], []):
        assert store.get_ranges("a", ranges) == [cut(VALUE, each) for each in ranges], ranges
    assert store.get_ranges("absent", [(0, 1), (5, 7)]) == [None, None]


def test_keys_are_listed_below_a_prefix_and_not_beside_it(store):
    keys = ["a/b", "a/c/d", "ab", "zarr.json", "é ü/x#y%20?"]
    for key in keys:
        store.set(key, b"1")
    assert list(store.list_prefix()) == sorted(keys)
    assert list(store.list_prefix("a")) == ["a/b", "a/c/d"]
    assert list(store.list_dir()) == ["a/", "ab", "zarr.json", "é ü/"]
    assert list(store.list_dir("a")) == ["b", "c/"]
    assert list(store.list_dir("absent")) == []
    assert (store.exists("a"), store.exists("a/b"), store.get_size("a/b")) == (False, True, 1)
    store.delete("a/b")
    store.delete("absent")
    store.delete_prefix("a")
    assert list(store.list_prefix()) == ["ab", "zarr.json", "é ü/x#y%20?"]


def test_a_key_cannot_leave_the_store(store):
    for key in ("../a", "a/../../b", "a//b", "/a"):
        with pytest.raises(NodeNameError, match="expected names joined by '/'"):
            store.set(key, b"")
        with pytest.raises(NodeNameError, match="expected names joined by '/'"):
            store.get(key)


def test_an_array_in_shards_survives_the_way_to_the_server_and_back(store):
    values = np.arange(10_000, dtype="i4").reshape(100, 100)
    array = zarr.create_array(store, name="x", data=values, chunks=(10, 10), shards=(50, 50))
    assert np.array_equal(zarr.open_array(store, path="x")[7:93, 41:60], values[7:93, 41:60])
    array[3:5, 3:5] = -1
    values[3:5, 3:5] = -1
    assert np.array_equal(zarr.open_group(pickle.loads(pickle.dumps(store)))["x"][...], values)


def test_64_threads_that_add_one_to_one_value_count_right(store):
    def work():
        store.update("n", lambda old: str(int(old or 0) + 1).encode())

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("n") == b"64"


# --- what only one server need show


def test_more_keys_than_a_page_holds_are_listed_and_deleted(seaweed):
    store = make_store(seaweed[0], storage_options=seaweed[1])
    keys = [f"c/{i:05}" for i in range(2_300)]
    threads = [threading.Thread(target=lambda i=i: [store.set(key, b"") for key in keys[i::16]]) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.set("d", b"")
    assert list(store.list_prefix("c")) == keys
    assert list(store.list_dir("c")) == [key[2:] for key in keys]
    store.delete_prefix("c")
    assert list(store.list_prefix()) == ["d"]


def test_an_update_is_put_only_where_nobody_else_was_first(seaweed):
    one, other = (make_store(seaweed[0], storage_options=seaweed[1]) for _ in range(2))
    calls = []

    def change(old):
        calls.append(old)
        if len(calls) < 3:
            other.set("n", b"%d" % len(calls))  # another machine writes between our read and our write
        return (old or b"") + b"!"

    one.update("n", change)
    assert calls == [None, b"1", b"2"]
    assert one.get("n") == b"2!"
    _, tag = one.get_tagged("n")
    assert one.set_if("n", b"mine", ABSENT) is False
    assert one.set_if("n", b"mine", tag) is True
    assert one.set_if("n", b"late", tag) is False
    assert [store.set_if_absent("once", value) for store, value in ((one, b"1"), (other, b"2"))] == [True, False]
    assert other.get("once") == b"1"


def test_a_write_whose_answer_was_lost_is_recognised_as_ones_own(seaweed):
    """A retried conditional put finds its own first try there; the name beside the bytes tells."""
    store = make_store(seaweed[0], storage_options=seaweed[1])
    client, tried = store.client, []

    class LosesTheFirstAnswer:
        def __getattr__(self, name):
            return getattr(obstore, name)

        def put(self, *arguments, **options):
            obstore.put(*arguments, **options)
            tried.append(options["mode"])
            if len(tried) == 1:
                return obstore.put(*arguments, **options)  # what a client does that got no answer
            return None

    import obstore

    store._client = client
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tutorial_zarr.stores.object._obstore", LosesTheFirstAnswer)
        store.update("n", lambda old: str(int(old or 0) + 1).encode())
    assert tried == ["create"]
    assert store.get("n") == b"1", "counted once, although put twice"


def test_a_server_is_asked_once_whether_it_keeps_conditions(seaweed, monkeypatch):
    monkeypatch.setattr(bucket_store, "_ignored", {})
    probes, real = [], ObjectStore._probe
    monkeypatch.setattr(ObjectStore, "_probe", lambda self: probes.append(self) or real(self))
    one, other = (make_store(seaweed[0], storage_options=seaweed[1]) for _ in range(2))
    for store in (one, other):
        for _ in range(3):
            store.update("n", lambda old: (old or b"") + b"1")
    assert one.get("n") == b"1" * 6
    assert len(probes) == 1
    assert list(one.list_prefix()) == ["n"], "what was tried with is gone"


class Forgetful(http.server.BaseHTTPRequestHandler):
    """A server that speaks like S3, as far as needed, and knows no conditions, or only that on absence."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("ETag", f'"{zlib.crc32(body):x}"')
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path in self.server.values else 404, self.server.values.get(self.path, b""))

    def do_HEAD(self):
        self.do_GET()

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.puts += 1
        if self.server.knows_absence and self.headers.get("If-None-Match") and self.path in self.server.values:
            self.answer(412)
            return
        self.server.values[self.path] = body
        self.answer(200)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(501)

    def do_DELETE(self):
        self.do_POST()

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize(("knows_absence", "ignored"), [(False, "If-None-Match"), (True, "If-Match")])
def test_a_server_that_ignores_conditions_is_found_out_before_an_update_is_lost(knows_absence, ignored):
    pytest.importorskip("obstore", reason="obstore is not installed: pip install 'tutorial_zarr[cloud]'")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    server.values, server.puts, server.knows_absence, server.daemon_threads = {}, 0, knows_absence, True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        options = {"endpoint_url": f"http://127.0.0.1:{server.server_port}", "region": "x", "key": "a", "secret": "b"}
        store = make_store("s3://bucket/x", storage_options=options)
        store.set("n", b"0")
        for update in (lambda: store.update("n", lambda old: b"1"), lambda: store.set_if_absent("m", b"1")):
            before = server.puts
            with pytest.raises(StoreError, match=rf"found one that ignores {ignored},.*'conditional': False"):
                update()
            assert server.puts - before <= 3
        assert server.puts <= 4, "it is asked once"
        assert (store.get("n"), store.get("m")) == (b"0", None)
        alone = make_store("s3://bucket/x", storage_options={**options, "conditional": False})
        alone.update("n", lambda old: old + b"1")
        assert (alone.get("n"), alone.set_if_absent("n", b"2"), alone.update_deletes) == (b"01", False, True)
    finally:
        server.shutdown()
        server.server_close()


def test_a_deletion_of_many_keys_goes_on_past_one_that_is_absent(tmp_path):
    """As obstore's own folder says "not found" to it, so do Google's and Azure's servers."""
    obstore_store = pytest.importorskip("obstore.store", reason="obstore is not installed")

    class Racing(ObjectStore):
        racing = False

        def list_prefix(self, prefix=""):
            found = list(super().list_prefix(prefix))
            if found and self.racing:
                super().delete(found[0])  # somebody else was quicker with this one, whenever it is looked
            yield from found

    store = Racing(obstore_store.LocalStore(str(tmp_path)))
    for i in range(300):
        store.set(f"a/c/{i}", b"1")
    store.set("b", b"1")
    store.racing = True
    store.delete_prefix("a")
    store.racing = False
    assert list(store.list_prefix()) == ["b"]


def test_an_update_that_deletes_is_refused_since_a_bucket_cannot_do_it_safely(seaweed):
    store = make_store(seaweed[0], storage_options=seaweed[1])
    store.update("absent", lambda old: None)
    store.set("a", b"1")
    assert store.update_deletes is False
    with pytest.raises(StoreError, match="no object store can do on condition"):
        store.update("a", lambda old: None)
    assert store.get("a") == b"1"


def test_only_an_absent_key_is_absent(seaweed):
    url, options = seaweed
    absent = "s3://nosuchbucket/x"
    for read in (lambda s: s.get("a"), lambda s: s.exists("a"), lambda s: list(s.list_prefix())):
        with pytest.raises(
            StoreError, match=r"s3://nosuchbucket/x: cannot .*404.*does the bucket|NoSuchBucket"
        ) as raised:
            read(make_store(absent, storage_options=options))
        assert "SECRET" not in str(raised.value)
    anonymous = {"endpoint_url": options["endpoint_url"], "anon": True}
    with pytest.raises(StoreError, match=r"cannot read key 'a': 403 Forbidden: AccessDenied.*anon.*credentials"):
        make_store(url, storage_options=anonymous).get("a")
    wrong = {**options, "secret": "WRONG"}
    with pytest.raises(StoreError, match="cannot read key 'a': 403 Forbidden: SignatureDoesNotMatch"):
        make_store(url, storage_options=wrong).get("a")
    with pytest.raises(StoreError, match=r"cannot read key 'a'.*is the server up, and the endpoint right") as raised:
        make_store(url, storage_options={**options, "endpoint_url": "http://127.0.0.1:9", "retries": 0}).get("a")
    assert raised.value.transient


def test_public_data_are_read_without_a_key(seaweed):
    url, options = seaweed
    public = url.replace("private", "public")
    zarr.save_array(make_store(public, storage_options=options), np.arange(5))
    anonymous = {"endpoint_url": options["endpoint_url"], "anon": True}
    assert list(zarr.open_array(public, mode="r", storage_options=anonymous)[:]) == [0, 1, 2, 3, 4]
    with pytest.raises(StoreError, match="cannot write key 'a': 403"):
        make_store(public, storage_options=anonymous).set("a", b"")
    with pytest.raises(ReadOnlyError, match="expected a writable store"):
        make_store(public, "r", storage_options=options).set("a", b"")


def test_options_that_nobody_knows_are_refused():
    with pytest.raises(StoreError, match=r"s3://b/p: cannot open with the options \['bogus'\].*bogus"):
        make_store("s3://b/p", storage_options={"bogus": 1}).get("a")
    with pytest.raises(StoreError, match=r"cannot open it with the options \['anon'\]"):
        make_store("folder", storage_options={"anon": True})


def test_a_pickled_store_opens_its_connection_anew(seaweed):
    store = make_store(seaweed[0], storage_options=seaweed[1])
    store.set("a", b"1")
    again = pickle.loads(pickle.dumps(store))
    assert again == store
    assert again._client is None
    assert again.get("a") == b"1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_is_told_and_does_not_wait_for_ever(seaweed):
    store = make_store(seaweed[0], storage_options=seaweed[1])
    assert store.get("a") is None
    child = os.fork()
    if child == 0:
        try:
            store.get("a")
        except StoreError as error:
            os._exit(7 if "spawn" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_requests_are_in_flight_together_as_far_as_the_store_allows():
    assert make_store("s3://b/p").concurrency == 64
    assert make_store("s3://b/p", storage_options={"concurrency": 5}).concurrency == 5


def test_a_store_made_by_obstore_is_a_store():
    obstore_store = pytest.importorskip("obstore.store", reason="obstore is not installed")
    store = ObjectStore(obstore_store.MemoryStore())
    zarr.save_array(store, np.arange(5))
    assert list(zarr.open_array(store)[:]) == [0, 1, 2, 3, 4]
