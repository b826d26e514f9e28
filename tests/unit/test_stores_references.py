"""Reference sets: keys whose bytes lie in other files, within the roots that a reader names, and nowhere else."""

import base64
import http.server
import json
import pickle
import threading
from functools import partial

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import FsspecStore, ReferenceStore, make_store

BYTES = bytes(range(64))
ARRAY = {
    "zarr_format": 2,
    "shape": [6],
    "chunks": [2],
    "dtype": "|u1",
    "compressor": None,
    "filters": None,
    "fill_value": 9,
    "order": "C",
}
REFS = {
    ".zgroup": '{"zarr_format": 2}',
    "x/.zarray": json.dumps(ARRAY),
    "x/0": "base64:" + base64.b64encode(b"\1\2").decode(),
    "x/1": ["{{u}}", 2, 2],
    "whole": ["data/bytes"],
    "text": "é",
    "document": {"zarr_format": 2},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bytes").write_bytes(BYTES)
    (tmp_path / "set.json").write_text(json.dumps({"version": 1, "templates": {"u": "data/bytes"}, "refs": REFS}))
    return tmp_path


def test_a_set_is_read_beside_its_files_without_a_word_about_where_they_are(folder):
    group = zarr.open_group(f"reference://{folder / 'set.json'}", mode="r")
    assert group["x"][...].tolist() == [1, 2, 2, 3, 9, 9]
    store = make_store(f"reference://{folder / 'set.json'}", "r")
    assert (store.get("whole"), store.get("text"), store.get("absent")) == (BYTES, "é".encode(), None)
    assert json.loads(store.get("document")) == {"zarr_format": 2}
    assert list(store.list_prefix()) == sorted(REFS)
    assert list(store.list_prefix("x")) == list(store.list_prefix("x/")) == ["x/.zarray", "x/0", "x/1"]
    assert list(store.list_dir("")) == [".zgroup", "document", "text", "whole", "x/"]
    assert [store.get_size(key) for key in ("x/0", "x/1", "whole", "text", "absent")] == [2, 2, 64, 2, None]


@pytest.mark.parametrize("key", ["inline", "part", "whole"])
def test_every_range_of_a_value_is_that_of_its_bytes(folder, key):
    refs = {"inline": "base64:" + base64.b64encode(BYTES[8:20]).decode(), "part": ["data/bytes", 8, 12]}
    (folder / "data" / "alone").write_bytes(BYTES[8:20])
    store = ReferenceStore({**refs, "whole": [str(folder / "data" / "alone")]}, roots=str(folder))
    store.folder = str(folder)
    value = BYTES[8:20]
    for start in range(14):
        for stop in (None, *range(start, 15)):
            assert bytes(store.get(key, (start, stop))) == value[start:stop], (start, stop)
    for count in range(1, 15):
        assert bytes(store.get(key, -count)) == value[-count:]
    assert store.get_ranges(key, [(0, 2), (3, None), -1]) == [value[:2], value[3:], value[-1:]]


def test_fsspec_reads_the_same_bytes_out_of_the_same_set(folder):
    pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tutorial_zarr[cloud]'")
    refs = {**REFS, "x/1": [str(folder / "data" / "bytes"), 2, 2], "whole": [str(folder / "data" / "bytes")]}
    theirs = FsspecStore("reference://", read_only=True, fo=refs, remote_protocol="file", skip_instance_cache=True)
    ours = ReferenceStore(refs, roots=folder)
    for key in ("x/0", "x/1", "whole", "text"):
        assert bytes(ours.get(key)) == bytes(theirs.get(key))


@pytest.mark.parametrize(
    "place",
    [
        "../secret",
        "data/../../secret",
        "/etc/hostname",
        "file:///etc/hostname",
        "link",
        "folder/secret",
        "data\0/bytes",
    ],
)
def test_a_file_outside_of_the_roots_is_refused_with_the_key(folder, place):
    outside = folder.with_name(folder.name + "-outside")
    outside.mkdir()
    (outside / "secret").write_bytes(BYTES)
    (folder.parent / "secret").write_bytes(BYTES)
    (folder / "link").symlink_to(outside / "secret")
    (folder / "folder").symlink_to(outside)
    (folder / "set.json").write_text(json.dumps({"a": "x", "b": [place, 0, 2]}))
    try:
        with pytest.raises(StoreError, match=r"key 'b': expected .*, found"):
            make_store(f"reference://{folder / 'set.json'}", "r").get("b")
    finally:
        (folder.parent / "secret").unlink()


@pytest.mark.parametrize(
    ("root", "url"),
    [
        ("https://host/a", "https://other/a/file"),
        ("https://host/a", "https://host/ab/file"),
        ("https://host/a", "https://host@other/a/file"),
        ("https://host/a", "https://host/a/../b/file"),
        ("https://host/a", "https://host/a/%2e%2e/b/file"),
        ("https://host/a", "http://host/a/file"),
        ("s3://bucket", "s3://bucket2/file"),
        ("s3://bucket/a", "file:///a/file"),
    ],
)
def test_another_host_or_folder_of_the_web_is_never_asked(monkeypatch, root, url):
    monkeypatch.setattr("tutorial_zarr.stores.references.make_store", lambda *place: pytest.fail(f"opened {place}"))
    with pytest.raises(StoreError, match=r"expected (bytes in|a URL without)"):
        ReferenceStore({"b": [url, 0, 2]}, roots=[root]).get("b")
    with pytest.raises(StoreError, match=r"key 'b': expected bytes in the set itself"):
        ReferenceStore({"b": ["https://host/file"]}).get("b")


def test_a_range_that_the_file_does_not_have_is_an_error_and_no_short_chunk(folder):
    refs = {"beyond": ["data/bytes", 60, 8], "far": ["data/bytes", 1 << 62, 8], "gone": ["data/absent"]}
    (folder / "set.json").write_text(json.dumps(refs))
    store = make_store(f"reference://{folder / 'set.json'}", "r")
    for key in ("beyond", "far"):
        with pytest.raises(StoreError, match=f"key '{key}': expected 8 bytes from byte"):
            store.get(key)
    for act in (store.get, store.get_size):
        with pytest.raises(StoreError, match=r"key 'gone': expected the file .* found none"):
            act("gone")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "a dict of references"),
        ({"version": 1, "refs": [1]}, "a dict of references"),
        ({"version": 2, "refs": {}}, "version 1"),
        ({"version": 1, "refs": {}, "gen": [{"key": "a{{i}}"}]}, "gen"),
        ({"version": 1, "templates": {"u": "{{u}}"}, "refs": {"a": ["{{u}}"]}}, "the template 'u'"),
        ({"version": 1, "templates": {"u": 1}, "refs": {}}, "templates as a dict of texts"),
        ({"version": 1, "templates": {"u": "x"}, "refs": {"a": ["{{v}}"]}}, "key 'a': expected a file's name"),
        ({"a": ["{{u(c='x')}}", 0, 1]}, "key 'a': expected a file's name"),
        ({"a": 1}, "key 'a': expected text"),
        ({"a": ["x", 1]}, "key 'a': expected text"),
        ({"a": ["x", -1, 2]}, "key 'a': expected offset and length"),
        ({"a": ["x", 1.5, 2]}, "key 'a': expected offset and length"),
        ({"a": ["x", True, 2]}, "key 'a': expected offset and length"),
        ({"a": ["x", 0, 1 << 70]}, "key 'a': expected offset and length"),
        ({"a": "base64:***"}, "key 'a': expected base64"),
    ],
)
def test_what_a_set_says_amiss_is_an_error_that_names_it(document, problem):
    if isinstance(document, dict):
        with pytest.raises(StoreError, match="expected") as caught:
            ReferenceStore(document, roots="/nowhere")
        assert problem in str(caught.value)
    else:
        with pytest.raises((StoreError, TypeError)):
            ReferenceStore(document)


@pytest.mark.parametrize("data", [b"[1]", b"\xff", b"{", b"[" * 100_000])
def test_a_file_that_is_no_set_is_an_error_of_the_store(folder, data):
    (folder / "set.json").write_bytes(data)
    with pytest.raises(StoreError, match="reference set"):
        make_store(f"reference://{folder / 'set.json'}", "r")


def test_the_spelling_of_fsspec_is_told_what_is_asked_here(folder):
    found = make_store("reference://", "r", {"fo": str(folder / "set.json")})
    assert bytes(found.get("x/1")) == BYTES[2:4]
    with pytest.raises(StoreError, match=r"'roots'.*found 'remote_protocol'"):
        make_store("reference://", "r", {"fo": str(folder / "set.json"), "remote_protocol": "file"})
    with pytest.raises(StoreError, match="expected the path or the URL of a reference set"):
        make_store("reference://", "r")
    with pytest.raises(StoreError, match="neither"):
        make_store(f"reference://{folder / 'absent.json'}", "r")


def test_nothing_is_written_and_a_copy_of_the_store_reads_the_same(folder):
    store = make_store(f"reference://{folder / 'set.json'}", "a")
    for act in (lambda: store.set("x/0", b""), lambda: store.delete("x/0")):
        with pytest.raises(zarr.errors.ReadOnlyError):
            act()
    again = pickle.loads(pickle.dumps(store))
    assert bytes(again.get("x/1")) == bytes(store.get("x/1")) == BYTES[2:4]


def test_files_behind_a_web_server_are_asked_for_their_ranges_alone(folder):
    pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Range")))
            start, stop = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop}/64")
            self.send_header("Content-Length", str(stop + 1 - start))
            self.end_headers()
            self.wfile.write(BYTES[start : stop + 1])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}/data"
    try:
        store = ReferenceStore({**REFS, "x/1": [f"{root}/bytes", 2, 2], "whole": "", "x/2": "ab"}, roots=[root])
        assert zarr.open_array(store, path="x", mode="r")[2:4].tolist() == [2, 3]
    finally:
        server.shutdown()
        server.server_close()
    assert asked == [("/data/bytes", "bytes=2-3")]


def test_a_json_file_is_asked_for_once_and_nothing_below_it(folder):
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def send_head(self):
            asked.append(self.path)
            return super().send_head()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        ReferenceStore(f"http://127.0.0.1:{server.server_port}/set.json")
        assert asked == ["/set.json"]
        with pytest.raises(StoreError, match=r"expected a JSON file or a folder with \.zmetadata at .*, found neither"):
            ReferenceStore(f"http://127.0.0.1:{server.server_port}/absent.parq")
    finally:
        server.shutdown()
        server.server_close()
    assert asked[1:] == ["/absent.parq/.zmetadata", "/absent.parq"]


def test_a_folder_of_tables_may_be_called_as_a_json_file_is(folder):
    (folder / "folder.json").mkdir()
    document = {"metadata": {".zgroup": {"zarr_format": 2}}, "record_size": 3}
    (folder / "folder.json" / ".zmetadata").write_text(json.dumps(document))
    assert ReferenceStore(str(folder / "folder.json")).get(".zgroup") is not None


def test_references_in_parquet_files_are_those_of_the_json(folder):
    fastparquet = pytest.importorskip("fastparquet", reason="fastparquet is not installed: pip install fastparquet")
    pd = pytest.importorskip("pandas")
    place = folder / "set.parq"
    (place / "x").mkdir(parents=True)
    shape = {**ARRAY, "shape": [10]}
    metadata = {".zgroup": {"zarr_format": 2}, "x/.zarray": shape}
    (place / ".zmetadata").write_text(json.dumps({"metadata": metadata, "record_size": 3}))
    where = str(folder / "data" / "bytes")
    rows = [(where, 2, 2, None), (None, 0, 0, None), (where, 8, 2, None), (None, 0, 0, b"\7\7"), (where, 12, 2, None)]
    for number in range(2):
        table = pd.DataFrame(rows[3 * number : 3 * number + 3], columns=["path", "offset", "size", "raw"])
        table["path"] = table["path"].astype(object)
        kept = {"raw": "bytes", "path": "utf8"}
        fastparquet.write(str(place / "x" / f"refs.{number}.parq"), table, object_encoding=kept, write_index=False)
    store = make_store(f"reference://{place}", "r", {"roots": [str(folder)]})
    found = zarr.open_array(store, path="x", mode="r")[...]
    np.testing.assert_array_equal(found, [2, 3, 9, 9, 8, 9, 7, 7, 12, 13])
    assert sorted(store.list_prefix("x")) == ["x/.zarray", "x/0", "x/2", "x/3", "x/4"]
    assert store.get("x/5") is None
    assert store.get("x/a") is None
