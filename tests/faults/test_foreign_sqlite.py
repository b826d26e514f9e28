"""SQLite files of somebody else: looked at before they are asked for anything."""

import gc
import json
import sqlite3
import weakref

import pytest

import tutorial_zarr as zarr
from tutorial_zarr import limits
from tutorial_zarr.errors import MetadataError, StoreError
from tutorial_zarr.stores import SQLiteStore, sqlite

from .test_hostile_data import Peak

FOR_EVER = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT CAST(i AS TEXT) AS k, x'00' AS v FROM n"
)
SCHEMAS = {
    "view": [f"CREATE VIEW zarr AS {FOR_EVER}"],
    "other columns": ["CREATE TABLE zarr (k TEXT PRIMARY KEY, v BLOB, w BLOB)"],
    "generated": ["CREATE TABLE zarr (k TEXT PRIMARY KEY, v BLOB AS (zeroblob(1000000000)))"],
    "check": ["CREATE TABLE zarr (k TEXT PRIMARY KEY, v BLOB CHECK (length(randomblob(1000000000)) > 0))"],
    "trigger": [
        sqlite._TABLE,
        "CREATE TRIGGER t AFTER INSERT ON zarr BEGIN DELETE FROM zarr WHERE k <> new.k; END",
    ],
    "index": [sqlite._TABLE, "CREATE INDEX i ON zarr (abs(length(v)))"],
    "other table": ["CREATE TABLE theses (title TEXT)"],
}


def made(path, statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_that_is_not_ours_is_refused_and_left_alone(name, read_only, tmp_path):
    path = tmp_path / "a.sqlite"
    before = made(path, SCHEMAS[name])
    with pytest.raises(StoreError, match=r"expected a file with the table zarr .*it is not read, nor written to"):
        list(SQLiteStore(path, read_only=read_only).list_prefix())
    assert path.read_bytes() == before


THEIRS = "CREATE TABLE IF NOT EXISTS zarr(k TEXT PRIMARY KEY, v BLOB)"


@pytest.mark.parametrize("table", [sqlite._TABLE, THEIRS, THEIRS.replace("zarr", '"zarr" ')])
def test_the_tables_of_this_library_and_of_zarr_python_2_are_read_and_written(table, tmp_path):
    path = tmp_path / "a.sqlite"
    made(path, [table, "INSERT INTO zarr VALUES ('a', x'0102')"])
    with SQLiteStore(path) as store:
        store.set("b", b"3")
        assert (store.get("a"), store.get("b"), list(store.list_prefix())) == (b"\1\2", b"3", ["a", "b"])


def test_values_and_keys_that_are_no_bytes_and_no_text_are_errors_of_ours(tmp_path):
    path = tmp_path / "a.sqlite"
    made(path, [sqlite._TABLE, "INSERT INTO zarr VALUES ('text', 'abc'), ('number', 7), (x'00ff', x'00')"])
    store = SQLiteStore(path, read_only=True)
    for key in ("text", "number"):
        with pytest.raises(StoreError, match=rf"key '{key}': expected bytes, found (str|int)"):
            store.get(key)
    with pytest.raises(StoreError, match=r"expected keys that are text"):
        list(store.list_prefix())


def test_a_request_that_takes_more_steps_than_the_file_explains_ends(tmp_path):
    path = tmp_path / "a.sqlite"
    store = SQLiteStore(path)
    store.set("a", b"1")
    with pytest.raises(StoreError, match=r"interrupted"):
        store._run(f"SELECT count(*) FROM ({FOR_EVER})")
    assert store.get("a") == b"1"


def test_a_value_is_measured_before_it_is_read(tmp_path):
    path = tmp_path / "a.sqlite"
    zarr.create_array(path, shape=(4,), dtype="i4")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE zarr SET v = zeroblob(40000000)")
    connection.close()
    with (
        limits.override(document_bytes=1 << 20),
        Peak() as peak,
        pytest.raises(MetadataError, match=r"at most 1048576"),
    ):
        zarr.open(path, mode="r")
    assert peak.bytes < 1 << 20


def test_a_zip_entry_is_measured_before_it_is_read(tmp_path):
    import zipfile

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("zarr.json", json.dumps({"zarr_format": 3}) + " " * 40_000_000, zipfile.ZIP_DEFLATED)
    with (
        limits.override(document_bytes=1 << 20),
        Peak() as peak,
        pytest.raises(MetadataError, match=r"at most 1048576"),
    ):
        zarr.open(path, mode="r")
    assert peak.bytes < 1 << 20


def connections():
    return {id(each) for each in gc.get_objects() if isinstance(each, sqlite3.Connection)}


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_refused_is_let_go_at_once(read_only, tmp_path):
    path = tmp_path / "a.sqlite"
    before = bytearray(made(path, [sqlite._TABLE]))
    before[100] = 99  # the kind of the first page
    path.write_bytes(before)
    held = connections()
    gc.disable()
    try:
        with pytest.raises(StoreError, match=r"malformed"):
            list(SQLiteStore(path, read_only=read_only).list_prefix())
        gone = weakref.ref(SQLiteStore(tmp_path / "b.sqlite"))
        assert gone() is None
        assert connections() <= held
    finally:
        gc.enable()


def test_text_that_is_no_text_is_an_error_of_the_store(tmp_path):
    path = tmp_path / "a.sqlite"
    before = made(path, [sqlite._TABLE])
    path.write_bytes(before.replace(b"CREATE TABLE zarr", b"CREATE TABLE z\xffrr"))
    with pytest.raises(StoreError, match=r"a\.sqlite: "):
        list(SQLiteStore(path, read_only=True).list_prefix())
