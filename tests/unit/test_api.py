"""The functions at the top: how things are opened, made, saved and loaded, with zarr-python 3's names."""

import json
import zipfile

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    ChunkNotFoundError,
    GroupNotFoundError,
    MetadataError,
    NodeExistsError,
    NodeNameError,
    NodeNotFoundError,
    ReadOnlyError,
    StoreError,
    ZarrError,
)
from tutorial_zarr.stores import LocalStore, MemoryStore, WrapperStore, ZipStore

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


def files(path):
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def make(kind, store, zarr_format):
    if kind == "array":
        zarr.create_array(store, shape=(2,), dtype="int8", fill_value=0, zarr_format=zarr_format)[...] = [
            1,
            2,
        ]
    else:
        zarr.create_group(store, zarr_format=zarr_format, attributes={"old": True})


# -- the table of modes --------------------------------------------------------------------------------------


@FORMATS
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_modes_that_do_not_create_refuse_what_is_not_there(mode, zarr_format, tmp_path):
    for target in (tmp_path / "absent", {}):
        with pytest.raises(NodeNotFoundError, match=r"(?s)expected.*found"):
            zarr.open(target, mode=mode, zarr_format=zarr_format)
        with pytest.raises(ArrayNotFoundError, match="array"):
            zarr.open_array(target, mode=mode, zarr_format=zarr_format)
        with pytest.raises(GroupNotFoundError, match="group"):
            zarr.open_group(target, mode=mode, zarr_format=zarr_format)
    assert not (tmp_path / "absent").exists()


@FORMATS
@pytest.mark.parametrize("mode", ["a", "w", "w-"])
def test_modes_that_create_make_what_is_not_there(mode, zarr_format, tmp_path):
    a = zarr.open_array(tmp_path / "array", mode=mode, shape=(2,), dtype="int8", zarr_format=zarr_format)
    a[...] = 5
    g = zarr.open_group(tmp_path / "group", mode=mode, zarr_format=zarr_format, attributes={"k": 1})
    g.create_group("inner")
    assert zarr.open(tmp_path / "array", mode="r")[...].tolist() == [5, 5]
    assert zarr.open(tmp_path / "array", mode="r").zarr_format == zarr_format
    assert dict(zarr.open(tmp_path / "group", mode="r").attrs) == {"k": 1}
    assert isinstance(zarr.open({}, mode=mode, zarr_format=zarr_format), zarr.Group)
    assert isinstance(zarr.open({}, mode=mode, shape=(1,), dtype="int8", zarr_format=zarr_format), zarr.Array)


@FORMATS
@pytest.mark.parametrize("mode", ["r", "r+", "a"])
def test_modes_that_keep_find_what_is_there(mode, zarr_format, tmp_path):
    make("array", tmp_path / "array", zarr_format)
    make("group", tmp_path / "group", zarr_format)
    before = files(tmp_path)
    a = zarr.open_array(tmp_path / "array", mode=mode)
    assert a[...].tolist() == [1, 2]
    assert zarr.open(tmp_path / "array", mode=mode)[...].tolist() == [1, 2]
    g = zarr.open_group(tmp_path / "group", mode=mode)
    assert dict(g.attrs) == {"old": True}
    assert files(tmp_path) == before
    if mode == "r":
        with pytest.raises(ReadOnlyError, match="read"):
            a[0] = 9
        with pytest.raises(ReadOnlyError, match="read"):
            g.attrs["new"] = 1
    else:
        a[0] = 9
        g.attrs["new"] = 1
        assert zarr.open_array(tmp_path / "array", mode="r")[0] == 9


@FORMATS
def test_mode_w_deletes_what_is_there(zarr_format, tmp_path):
    make("array", tmp_path / "array", zarr_format)
    make("group", tmp_path / "group", zarr_format)
    a = zarr.open_array(tmp_path / "array", mode="w", shape=(3,), dtype="int16", fill_value=7, zarr_format=zarr_format)
    assert a[...].tolist() == [7, 7, 7]
    assert dict(zarr.open_group(tmp_path / "group", mode="w", zarr_format=zarr_format).attrs) == {}
    assert len(files(tmp_path / "array")) == 1  # the new metadata, and nothing of the old


@FORMATS
def test_mode_w_minus_refuses_what_is_there(zarr_format, tmp_path):
    make("array", tmp_path / "array", zarr_format)
    make("group", tmp_path / "group", zarr_format)
    before = files(tmp_path)
    for opening in (
        lambda: zarr.open_array(tmp_path / "array", mode="w-", shape=(3,), dtype="int16"),
        lambda: zarr.open(tmp_path / "array", mode="w-", shape=(3,), dtype="int16"),
        lambda: zarr.open_group(tmp_path / "array", mode="w-"),
        lambda: zarr.open_group(tmp_path / "group", mode="w-"),
        lambda: zarr.open(tmp_path / "group", mode="w-"),
        lambda: zarr.open_array(tmp_path / "group", mode="w-", shape=(3,), dtype="int16"),
    ):
        with pytest.raises(NodeExistsError, match=r"(?s)expected.*found"):
            opening()
    assert files(tmp_path) == before


@pytest.mark.parametrize("mode", ["", "x", "rw", "wb", None, 3])
def test_other_modes_are_refused(mode, tmp_path):
    for opening in (zarr.open, zarr.open_array, zarr.open_group):
        with pytest.raises((ValueError, TypeError), match=r"mode.*'r'.*'w-'"):
            opening(tmp_path / "x", mode=mode)
    assert not (tmp_path / "x").exists()


def test_opening_an_array_as_a_group_is_refused_and_the_reverse():
    array, group = {}, {}
    make("array", array, 3)
    make("group", group, 3)
    for mode in ("r", "r+", "a"):
        with pytest.raises((NodeNotFoundError, NodeExistsError), match="array"):
            zarr.open_group(array, mode=mode)
        with pytest.raises((NodeNotFoundError, NodeExistsError), match="group"):
            zarr.open_array(group, mode=mode)
        with pytest.raises((NodeNotFoundError, NodeExistsError), match="group"):
            zarr.open_array(group, mode=mode, shape=(1,), dtype="int8")


def test_the_format_is_found_by_itself():
    for zarr_format in (2, 3):
        store = {}
        make("array", store, zarr_format)
        assert zarr.open(store).zarr_format == zarr_format
        assert zarr.open_array(store).zarr_format == zarr_format
        assert zarr.open_array(store, zarr_format=zarr_format).zarr_format == zarr_format
        with pytest.raises(NodeNotFoundError, match=f"Zarr {5 - zarr_format}"):
            zarr.open_array(store, mode="r", zarr_format=5 - zarr_format)


def test_where_both_formats_lie_zarr_3_counts_and_a_warning_says_so():
    store = MemoryStore()
    make("array", store, 2)
    three = MemoryStore()
    zarr.create_array(three, shape=(4,), dtype="int8", fill_value=3)
    store.mapping |= three.mapping
    with pytest.warns(UserWarning, match="zarr_format=2"):
        assert zarr.open_array(store, mode="r").shape == (4,)
    assert zarr.open_array(store, mode="r", zarr_format=2).shape == (2,)


def test_what_is_not_there_is_told_with_what_is(tmp_path):
    zarr.create_group(tmp_path / "root").create_array("temperature", shape=(1,), dtype="int8")
    with pytest.raises(NodeNotFoundError, match=r"(?s)temprature"):
        zarr.open(tmp_path / "root", path="temprature", mode="r")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "data.csv").write_text("1,2")
    with pytest.raises(NodeNotFoundError, match=r"(?s)data\.csv"):
        zarr.open(tmp_path / "plain", mode="r")


# -- overwriting ---------------------------------------------------------------------------------------------


CREATORS = [
    lambda path, **kw: zarr.create_array(path, shape=(2,), dtype="int8", **kw),
    lambda path, **kw: zarr.create_group(path, **kw),
]


@FORMATS
@pytest.mark.parametrize("create", CREATORS)
@pytest.mark.parametrize("kind", ["array", "group"])
def test_creating_over_something_is_refused_without_overwrite(create, kind, zarr_format, tmp_path):
    make(kind, tmp_path / "x", zarr_format)
    before = files(tmp_path)
    with pytest.raises(NodeExistsError, match=rf"(?s)found an? {kind}.*overwrite=True"):
        create(tmp_path / "x")
    assert files(tmp_path) == before
    create(tmp_path / "x", overwrite=True)
    assert list(files(tmp_path / "x")) == ["zarr.json"]


@pytest.mark.parametrize("foreign", ["thesis.docx", "sub/notes.txt", ".git/HEAD", "2024/12", "2024/photos/1.2"])
@pytest.mark.parametrize("with_zarr", [True, False])
@pytest.mark.parametrize(
    "destroy",
    [
        lambda path: zarr.create_array(path, shape=(2,), dtype="int8", overwrite=True),
        lambda path: zarr.create_group(path, overwrite=True),
        lambda path: zarr.open_array(path, mode="w", shape=(2,), dtype="int8"),
        lambda path: zarr.open_group(path, mode="w"),
        lambda path: zarr.open(path, mode="w"),
        lambda path: zarr.save_array(path, np.arange(3)),
    ],
)
def test_a_folder_that_holds_anything_else_is_never_overwritten(destroy, with_zarr, foreign, tmp_path):
    path = tmp_path / "precious"
    if with_zarr:
        make("group", path, 3)
    (path / foreign).parent.mkdir(parents=True, exist_ok=True)
    (path / foreign).write_text("ten years of work")
    before = files(tmp_path)
    with pytest.raises(NodeExistsError, match=rf"(?s){foreign.rpartition('/')[2]}|found a group; saving over it"):
        destroy(path)
    assert files(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for opening in (
        lambda: zarr.create_array(tmp_path / "file", shape=(2,), dtype="int8", overwrite=True),
        lambda: zarr.open_group(tmp_path / "file", mode="w"),
        lambda: zarr.open_group(tmp_path / "file", mode="a"),
    ):
        with pytest.raises((StoreError, NodeExistsError), match=r"file|folder"):
            opening()
    with pytest.raises((StoreError, NodeNotFoundError), match=r"."):
        zarr.open(tmp_path / "file", mode="r")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_mistaken_arguments_are_found_before_anything_is_deleted(tmp_path):
    make("array", tmp_path / "x", 3)
    before = files(tmp_path)
    for kwargs in (
        {"shape": (2,), "dtype": "int33"},
        {"shape": (-1,), "dtype": "int8"},
        {"shape": (2,), "dtype": "int8", "chunks": (0,)},
        {"shape": (2,), "dtype": "int8", "chunks": (1, 1)},
        {"shape": (2,), "dtype": "int8", "chunks": (1,), "shards": (2, 2)},
        {"shape": (2,), "dtype": "int8", "fill_value": "red"},
        {"shape": (2,), "dtype": "int8", "fill_value": 300},
        {"shape": (2,), "dtype": "int8", "fill_value": 1.5},  # would become 1
        {"shape": (2,), "dtype": "<U3", "fill_value": "long"},  # would become "lon"
        {"shape": (2,), "dtype": "int8", "compressors": "squeeze"},
        {"shape": (2,), "dtype": "int8", "compressors": {"name": "gzip", "configuration": {"level": 77}}},
        {"shape": (2,), "dtype": "int8", "chunks": (2,), "shards": (3,)},
        {"shape": (2,), "dtype": "int8", "attributes": {"bad": np.nan}},
        {"shape": (2,), "dtype": "int8", "dimension_names": ["x", "y"]},
        {"shape": (2,), "dtype": "int8", "chunk_key_encoding": "spiral"},
        {"shape": (2,), "dtype": "int8", "zarr_format": 4},
        {"dtype": "int8"},
        {"shape": (2,), "dtype": "int8", "no_such_keyword": 1},
    ):
        with pytest.raises((ValueError, TypeError), match=r"."):
            zarr.create_array(tmp_path / "x", overwrite=True, **kwargs)
        with pytest.raises((ValueError, TypeError), match=r"."):
            zarr.open_array(tmp_path / "x", mode="w", **kwargs)
        assert files(tmp_path) == before, kwargs


def test_a_zip_file_that_holds_anything_else_is_never_overwritten(tmp_path):
    path = tmp_path / "letters.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("letter.txt", "dear")
    before = path.read_bytes()
    for destroy in (
        lambda: zarr.create_group(path, overwrite=True),
        lambda: zarr.open_group(path, mode="w"),
        lambda: zarr.open_array(path, mode="w", shape=(2,), dtype="int8"),
    ):
        with pytest.raises((NodeExistsError, ReadOnlyError, StoreError), match=r"."):
            destroy()
        assert path.read_bytes() == before
    (tmp_path / "notes.zip").write_text("not even a zip file")
    for mode in ("w", "a", "r", "r+"):
        with pytest.raises((NodeExistsError, StoreError, NodeNotFoundError), match="zip"):
            zarr.open_group(tmp_path / "notes.zip", mode=mode)
        assert (tmp_path / "notes.zip").read_text() == "not even a zip file", mode
    with pytest.raises(MetadataError, match="int33"):
        zarr.open_array(tmp_path / "new.zip", mode="w", shape=(2,), dtype="int33")
    assert not (tmp_path / "new.zip").exists()


# -- creating ------------------------------------------------------------------------------------------------


def test_create_array_has_the_defaults_of_zarr_python():
    store = {}
    a = zarr.create_array(store, shape=(10, 20), dtype="float32")
    assert a.zarr_format == 3
    assert a.fill_value == 0
    assert a.order == "C"
    assert a.shards is None
    assert a.chunks == (10, 20)  # small enough to stay in one piece
    document = json.loads(store["zarr.json"])
    assert document["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": "/"}}
    assert document["codecs"] == [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {"name": "zstd", "configuration": {"level": 0, "checksum": False}},
    ]
    assert document["fill_value"] == 0.0
    assert list(store) == ["zarr.json"]
    two = {}
    zarr.create_array(two, shape=(10, 20), dtype="float32", zarr_format=2)
    document = json.loads(two[".zarray"])
    assert document["dtype"] == "<f4"
    assert document["order"] == "C"
    assert document["compressor"]["id"] == "zstd"
    assert document["filters"] is None
    assert document["fill_value"] == 0.0
    assert "dimension_separator" not in document or document["dimension_separator"] == "."


@pytest.mark.parametrize("shape", [(10**9,), (100_000, 100_000), (1, 10**8), (5000, 3, 7000), (10**12, 10**12)])
def test_automatic_chunks_are_neither_huge_nor_tiny(shape):
    a = zarr.create_array({}, shape=shape, dtype="float64")
    nbytes = 8 * np.prod(a.chunks, dtype=float)
    assert 1 << 18 <= nbytes <= 1 << 24
    assert all(1 <= c <= n for c, n in zip(a.chunks, shape, strict=True))


def test_compressors_can_be_given_in_every_form():
    import numcodecs

    expected = [{"name": "gzip", "configuration": {"level": 5}}]
    for form in (
        "gzip",
        ["gzip"],
        {"name": "gzip", "configuration": {"level": 5}},
        [{"name": "gzip", "configuration": {"level": 5}}],
        {"id": "gzip", "level": 5},
        numcodecs.GZip(level=5),
        (numcodecs.GZip(level=5),),
    ):
        store = {}
        a = zarr.create_array(store, shape=(4,), dtype="uint8", compressors=form)
        assert json.loads(store["zarr.json"])["codecs"][1:] == expected, form
        a[...] = 3
        assert zarr.open_array(store)[...].tolist() == [3, 3, 3, 3]
        two = {}
        zarr.create_array(two, shape=(4,), dtype="uint8", compressors=form, zarr_format=2)[...] = 3
        assert json.loads(two[".zarray"])["compressor"] == {"id": "gzip", "level": 5}, form
    for nothing in (None, [], ()):
        store = {}
        zarr.create_array(store, shape=(4,), dtype="uint8", compressors=nothing)
        assert [codec["name"] for codec in json.loads(store["zarr.json"])["codecs"]] == ["bytes"]


def test_blosc_is_written_with_all_that_strict_readers_want():
    store = {}
    zarr.create_array(store, shape=(4,), dtype="float64", compressors="blosc")
    configuration = json.loads(store["zarr.json"])["codecs"][1]["configuration"]
    assert set(configuration) == {"cname", "clevel", "shuffle", "typesize", "blocksize"}
    assert configuration["typesize"] == 8


def test_tuples_stand_for_lists_in_a_configuration():
    sharding = {"name": "sharding_indexed", "configuration": {"chunk_shape": (1, 2), "codecs": ["bytes"]}}
    a = zarr.create_array({}, shape=(4, 4), chunks=(2, 4), dtype="uint8", codecs=[sharding], fill_value=0)
    assert a.chunks == (1, 2)
    transpose = {"name": "transpose", "configuration": {"order": (1, 0)}}
    b = zarr.create_array({}, shape=(2, 3), chunks=(2, 3), dtype="uint8", filters=[transpose], compressors=None)
    b[...] = [[1, 2, 3], [4, 5, 6]]
    assert b.encoded_chunk((0, 0)) == bytes([1, 4, 2, 5, 3, 6])


def test_data_gives_shape_and_type():
    data = np.arange(6, dtype="uint16").reshape(2, 3)
    a = zarr.create_array({}, data=data, chunks=(1, 3))
    assert a.shape == (2, 3)
    assert a.dtype == np.uint16
    assert a[...].tolist() == data.tolist()
    with pytest.raises(ValueError, match="shape"):
        zarr.create_array({}, data=data, shape=(3, 3))
    with pytest.raises(ValueError, match="shape"):
        zarr.create_array({}, dtype="int8")


@FORMATS
def test_f_order_is_column_by_column_in_the_chunk(zarr_format):
    a = zarr.create_array(
        {},
        shape=(2, 3),
        chunks=(2, 3),
        dtype="uint8",
        order="F",
        compressors=None,
        fill_value=0,
        zarr_format=zarr_format,
    )
    a[...] = [[1, 2, 3], [4, 5, 6]]
    assert a.encoded_chunk((0, 0)) == bytes([1, 4, 2, 5, 3, 6])
    assert a.order == "F"


@FORMATS
def test_the_family_of_constant_arrays(zarr_format):
    kw = {"shape": (2, 3), "dtype": "int16", "zarr_format": zarr_format}
    assert zarr.zeros(**kw)[...].tolist() == [[0] * 3] * 2
    assert zarr.ones(**kw)[...].tolist() == [[1] * 3] * 2
    assert zarr.full(fill_value=7, **kw)[...].tolist() == [[7] * 3] * 2
    assert zarr.empty(**kw).shape == (2, 3)
    assert zarr.zeros(**kw).nchunks_initialized == 0
    assert zarr.ones(**kw).nchunks_initialized == 0
    template = zarr.full(fill_value=7, chunks=(1, 2), attributes={"not": "copied"}, **kw)
    for make_like, value in ((zarr.zeros_like, 0), (zarr.ones_like, 1), (zarr.empty_like, None)):
        like = make_like(template)
        assert (like.shape, like.dtype, like.chunks) == ((2, 3), np.dtype("int16"), (1, 2))
        assert like.zarr_format == zarr_format
        assert value is None or (like[...] == value).all()
        assert like.store != template.store
    assert (zarr.full_like(template, 9)[...] == 9).all()
    assert (zarr.full_like(np.zeros((4,), "int8"), 9)[...] == 9).all()


def test_array_copies_what_numpy_takes():
    for data in (
        [1, 2, 3],
        np.arange(3.0),
        [[True, False]],
        5,
        [],
        ["a", "né"],
        zarr.ones((2,), dtype="int8"),
    ):
        a = zarr.array(data)
        assert a[...].tolist() == np.asarray(data).tolist()
    assert zarr.array([1, 2], dtype="float32").dtype == np.float32
    store = {}
    zarr.array([1, 2, 3], store=store, chunks=(2,))
    assert zarr.open_array(store)[...].tolist() == [1, 2, 3]


def test_zarr_2_keywords_still_work():
    store = {}
    a = zarr.create(
        shape=(4,),
        store=store,
        path="x",
        chunks=(2,),
        dtype="<i2",
        compressor={"id": "zlib", "level": 3},
        fill_value=1,
        order="C",
        zarr_format=2,
        filters=[{"id": "delta", "dtype": "<i2"}],
    )
    a[:2] = 5
    assert zarr.open_array(store, path="x")[...].tolist() == [5, 5, 1, 1]
    assert json.loads(store["x/.zarray"])["compressor"] == {"id": "zlib", "level": 3}
    b = zarr.open_array(store, mode="w", path="y", shape=(2,), dtype="int8", compressor=None, zarr_format=2)
    assert json.loads(store["y/.zarray"])["compressor"] is None
    assert b.shape == (2,)


@FORMATS
def test_zarr_python_3_s_config_is_understood(zarr_format):
    a = zarr.create_array(
        {}, shape=2, chunks=1, dtype="i4", zarr_format=zarr_format, config={"write_empty_chunks": True}
    )
    a[:] = 0
    assert a.nchunks_initialized == 2
    b = zarr.open_array(a.store, mode="r", config={"read_missing_chunks": False, "sharding_coalesce_max_bytes": 1})
    a.store.delete(a.chunk_key((0,)))
    with pytest.raises(ChunkNotFoundError):
        b[:]
    group = zarr.create_group({}, zarr_format=zarr_format)
    c = group.create_array("c", shape=2, chunks=1, dtype="i4", config={"write_empty_chunks": False, "order": "C"})
    c[:] = 0
    assert c.nchunks_initialized == 0
    for config, words in [
        ({"write_empty_chunk": True}, "found 'write_empty_chunk'; did you mean 'write_empty_chunks'"),
        ({"order": "F"}, "expected order 'C'"),
        (3, "config: found ''"),
    ]:
        with pytest.raises(TypeError, match=words):
            zarr.create_array({}, shape=2, dtype="i4", config=config)
    with pytest.raises(TypeError, match="write_empty_chunks once"):
        zarr.create_array({}, shape=2, dtype="i4", config={"write_empty_chunks": True}, write_empty_chunks=True)


def test_a_file_url_leads_where_the_path_leads(tmp_path, monkeypatch):
    for name in ["a b.zarr", "100%.zarr", "a%20b.zarr", "ä#?.zarr"]:
        place = tmp_path / name
        zarr.create_array(place.as_uri(), data=np.array([1, 2]))
        assert place.is_dir()
        for url in [
            place.as_uri(),
            place.as_uri().replace("file:///", "file:/"),
            f"file://localhost{place.as_uri()[7:]}",
        ]:
            assert zarr.open_array(url, mode="r")[:].tolist() == [1, 2]
    (tmp_path / "c d").mkdir()
    zarr.create_array(tmp_path / "as%20it", data=np.array([3]))  # a path that somebody put behind file:// as it is
    assert zarr.open_array(f"file://{tmp_path}/as%20it", mode="r")[:].tolist() == [3]
    monkeypatch.chdir(tmp_path)
    assert zarr.open_array("file://a b.zarr", mode="r")[:].tolist() == [1, 2]


def test_a_chain_of_urls_is_opened_by_fsspec(tmp_path):
    pytest.importorskip("fsspec")
    zarr.create_array(tmp_path / "a.zarr", data=np.arange(4))
    url = f"simplecache::{(tmp_path / 'a.zarr').as_uri()}"
    assert zarr.open_array(url, mode="r", storage_options={"simplecache": {"cache_storage": str(tmp_path / "c")}})[
        :
    ].tolist() == [0, 1, 2, 3]
    zarr.save_array(tmp_path / "b.zip", np.arange(3))
    assert zarr.open_array(f"zip::{(tmp_path / 'b.zip').as_uri()}", mode="r")[:].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (str, ["a", "né", ""]),
        ("string", ["a", "né", ""]),
        (bytes, [b"a", b"\0", b""]),
        ("<U3", ["abc", "", "né"]),
        ("S3", [b"abc", b"", b"x"]),
        ("M8[s]", np.array([0, 1, "NaT"], "M8[s]").tolist()),
        (bool, [True, False, True]),
        (float, [1.5, 2.5, 3.5]),
        (int, [1, 2, 3]),
        (np.float32, [1.5, 2.5, 3.5]),
        ("complex64", [1j, 2, 3]),
        (">i4", [1, 2, 3]),
        ([("a", "<i4"), ("b", "<f8")], [(1, 2.5), (3, 4.5), (5, 6.5)]),
    ],
)
@FORMATS
def test_types_can_be_given_as_numpy_takes_them(dtype, value, zarr_format):
    store = {}
    a = zarr.create_array(store, shape=(3,), dtype=dtype, chunks=(2,), zarr_format=zarr_format)
    a[...] = np.array(value, dtype=dtype) if isinstance(dtype, list) else value
    assert zarr.open_array(store, mode="r")[...].tolist() == value


# -- stores --------------------------------------------------------------------------------------------------


def test_a_store_can_be_a_path_a_string_a_dict_or_a_store(tmp_path):
    mapping = {}
    for store in (tmp_path / "a", str(tmp_path / "b"), mapping, MemoryStore(), LocalStore(tmp_path / "c")):
        zarr.create_array(store, shape=(2,), dtype="int8", fill_value=0)[...] = [1, 2]
        assert zarr.open_array(store, mode="r")[...].tolist() == [1, 2]
    assert set(mapping) == {"zarr.json", "c/0"}
    assert (tmp_path / "b" / "c" / "0").is_file()
    with pytest.raises(TypeError, match="store"):
        zarr.open_group(5)


def test_no_store_at_all_is_memory():
    a = zarr.zeros((3,), dtype="int8")
    a[0] = 1
    assert isinstance(a.store, MemoryStore)
    assert zarr.zeros((3,)).store != a.store


def test_a_path_that_ends_in_zip_is_a_zip_file(tmp_path):
    path = tmp_path / "a.zip"
    root = zarr.open_group(path, mode="w")
    root.create_array("x", shape=(4,), chunks=(2,), dtype="int32", fill_value=0)[...] = [1, 2, 3, 4]
    root.store.close()
    assert zipfile.is_zipfile(path)
    again = zarr.open_group(path, mode="r")
    assert again["x"][...].tolist() == [1, 2, 3, 4]
    assert isinstance(again.store, ZipStore) or again.read_only
    with pytest.raises(ReadOnlyError, match="read"):
        again["x"][0] = 5


def test_names_that_would_leave_the_store_are_refused(tmp_path):
    for name in ("..", "../x", "a/../../x"):
        with pytest.raises(NodeNameError, match="name"):
            zarr.create_array(tmp_path / "root", name=name, shape=(1,), dtype="int8")
        with pytest.raises(NodeNameError, match="name"):
            zarr.open(tmp_path / "root", path=name, mode="r")
    assert files(tmp_path) == {}


def test_a_zip_file_whose_entries_would_leave_the_store_is_refused(tmp_path):
    for i, name in enumerate(["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil"]):
        path = tmp_path / f"{i}.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("zarr.json", '{"zarr_format": 3, "node_type": "group"}')
            file.writestr(zipfile.ZipInfo(name), b"x")
        with pytest.raises(NodeNameError, match="evil"):
            zarr.open_group(path, mode="r")


# -- save and load -------------------------------------------------------------------------------------------


@FORMATS
def test_an_array_in_memory_can_be_saved_and_opened_again(zarr_format, tmp_path):
    a = zarr.create_array({}, shape=(5, 7), chunks=(2, 3), dtype="float32", fill_value=0)
    a[...] = np.arange(35).reshape(5, 7)
    zarr.save(tmp_path / "a.zarr", a, zarr_format=zarr_format)
    again = zarr.open(tmp_path / "a.zarr", mode="r")
    assert isinstance(again, zarr.Array)
    assert again.zarr_format == zarr_format
    np.testing.assert_array_equal(again[...], a[...], strict=True)
    np.testing.assert_array_equal(zarr.load(tmp_path / "a.zarr"), a[...], strict=True)


@FORMATS
def test_several_arrays_are_saved_as_a_group_and_loaded_as_a_dict(zarr_format, tmp_path):
    for path in (tmp_path / "g.zarr", tmp_path / "g.zip"):
        zarr.save(path, np.arange(3), np.eye(2), named=np.array(["a", "b"]), zarr_format=zarr_format)
        loaded = zarr.load(path)
        assert set(loaded) == {"arr_0", "arr_1", "named"}
        assert loaded["arr_0"].tolist() == [0, 1, 2]
        assert loaded["arr_1"].tolist() == [[1, 0], [0, 1]]
        assert loaded["named"].tolist() == ["a", "b"]


def test_saving_over_an_array_replaces_it(tmp_path):
    zarr.save_array(tmp_path / "a", np.arange(10))
    zarr.save_array(tmp_path / "a", np.arange(3))
    assert zarr.load(tmp_path / "a").tolist() == [0, 1, 2]


def test_saving_an_array_over_a_group_is_refused(tmp_path):
    zarr.save_group(tmp_path / "g", x=np.arange(3))
    with pytest.raises(NodeExistsError, match="group"):
        zarr.save_array(tmp_path / "g", np.arange(3))
    assert zarr.load(tmp_path / "g")["x"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_arrays_of_a_group_are_saved_in_each_others_place(zarr_format):
    store = MemoryStore()
    zarr.save_group(store, x=np.arange(5), y=np.arange(7.0), zarr_format=zarr_format)
    root = zarr.open_group(store, mode="r")
    zarr.save_group(store, w=root["x"], x=root["y"], y=root["x"], z=np.arange(2), zarr_format=zarr_format)
    assert {name: array.tolist() for name, array in zarr.load(store).items()} == {
        "w": [0, 1, 2, 3, 4],
        "x": [0, 1, 2, 3, 4, 5, 6],
        "y": [0, 1, 2, 3, 4],
        "z": [0, 1],
    }
    assert zarr.open_array(store, path="x").dtype == "f8"
    assert not [key for key in store.mapping if ".unfinished" in key]


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ({"x": np.arange(9), "g": np.arange(3)}, NodeExistsError, "expected an array or nothing.*found a group"),
        ({"x": np.arange(9), "x/y": np.arange(3)}, NodeExistsError, "'x' is to be an array; an array holds no other"),
        ({"x": np.arange(9), "x/": np.arange(3)}, NodeNameError, "expected each name once"),
        ({"x": np.arange(9), "n": np.array([1, None], object)}, ZarrError, "object"),
        ({"x": np.arange(9), "z": np.arange(3), "__z": np.arange(3)}, NodeNameError, "reserved"),
    ],
)
def test_of_arrays_that_are_saved_at_once_all_are_refused_where_one_is(arrays, error, message):
    store = MemoryStore()
    root = zarr.create_group(store)
    root["x"], root["g/y"] = np.arange(4), np.arange(5)
    before = dict(store.mapping)
    with pytest.raises(error, match=message):
        zarr.save_group(store, **arrays)
    assert dict(store.mapping) == before


def test_a_source_that_fails_leaves_all_arrays_that_it_was_saved_with():
    class Failing(WrapperStore):
        def get(self, key, byte_range=None):
            if key.endswith("c/1"):
                raise StoreError("no answer", key=key)
            return super().get(key, byte_range)

    store, source = MemoryStore(), MemoryStore()
    root = zarr.create_group(store)
    root["x"], root["y"] = np.arange(4), np.arange(5)
    zarr.create_array(source, data=np.arange(6), chunks=2)
    before = dict(store.mapping)
    with pytest.raises(StoreError, match="no answer"):
        zarr.save_group(store, x=np.arange(9), n=np.arange(2), y=zarr.open_array(Failing(source), mode="r"))
    assert dict(store.mapping) == before


def test_saving_a_group_does_not_store_its_names(tmp_path):
    root = zarr.create_group({})
    root["x"] = np.arange(3)
    try:
        zarr.save(tmp_path / "g", root)
    except (TypeError, ValueError):
        assert files(tmp_path) == {}
    else:
        assert zarr.load(tmp_path / "g")["x"].tolist() == [0, 1, 2]


def test_loading_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(NodeNotFoundError, match="nothing"):
        zarr.load(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


@FORMATS
def test_a_path_within_the_store_can_be_saved_to_and_loaded_from(zarr_format, tmp_path):
    zarr.save_array(tmp_path / "root", np.arange(3), path="a/b", zarr_format=zarr_format)
    assert zarr.load(tmp_path / "root", path="a/b").tolist() == [0, 1, 2]
    assert zarr.open_group(tmp_path / "root", mode="r")["a/b"].shape == (3,)


def test_the_same_calls_give_the_same_files(tmp_path):
    for name in ("first", "second"):
        root = zarr.open_group(tmp_path / name, mode="w", attributes={"b": 1, "a": [1.5, None]})
        root.create_array("x", data=np.arange(100).reshape(10, 10), chunks=(3, 3), shards=(6, 6), compressors="gzip")
        root.create_array("y", data=np.array(["a", "né"]), zarr_format=3)
        zarr.consolidate_metadata(tmp_path / name)
        zarr.save(tmp_path / f"{name}.zip", np.arange(10), x=np.eye(3))
    assert files(tmp_path / "first") == files(tmp_path / "second")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
