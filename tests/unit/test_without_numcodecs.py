"""Where numcodecs, threads and file locks are not, as in a browser: the same bytes, in NumPy, one after the other."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import parallel, spelling
from tutorial_zarr.codecs.extensions import in_numpy
from tutorial_zarr.codecs.extensions.numcodecs_engines import numcodecs_codec
from tutorial_zarr.errors import CodecError, MissingDependencyError, StoreError
from tutorial_zarr.loaders import Loader
from tutorial_zarr.stores import LocalStore, ZipStore, locks

TESTS = Path(__file__).parents[1]
RANDOM = np.random.Generator(np.random.PCG64(24))
WHOLE = [
    RANDOM.integers(-100, 100, n).astype(kind) for n in (1, 2, 7, 64, 1001) for kind in ("<i2", ">i4", "<i8", "u1")
]
FLOATS = [(RANDOM.normal(size=n) * 50).astype(kind) for n in (1, 2, 7, 64, 1001) for kind in ("<f4", "<f8", ">f8")]
FLOATS += [np.array([0.0, -0.0, 0.5, 1.5, -2.5, 1e-7, 12345.678])]
BYTES = [RANDOM.integers(0, 256, 8 * n, "u1") for n in (0, 1, 5, 128)]
MASKS = [RANDOM.random(n) < 0.5 for n in (0, 1, 7, 8, 9, 1000)]
TEXT = [np.array(items, object) for items in ([], [""], ["a", "ü", "", "€" * 300], [None, 0, "b"])]
RAW = [np.array(items, object) for items in ([], [b""], [b"a", b"\0\xff" * 200, b""], [None, b"b"])]


def both(identifier, arrays, **configuration):
    return [(identifier, configuration, array) for array in arrays]


def typed(identifier, arrays, astypes, **configuration):
    return [
        (identifier, {"dtype": array.dtype.str, "astype": astype, **configuration}, array)
        for array in arrays
        for astype in (None, *astypes)
    ]


CASES = [
    *typed("delta", WHOLE, ("<i2", "i8", ">i4")),
    *typed("delta", FLOATS, ("f4", "f8")),
    *typed("fixedscaleoffset", [*WHOLE, *FLOATS], ("i2", ">i4", "f4"), offset=3, scale=10),
    *typed("fixedscaleoffset", FLOATS, ("i8",), offset=-2.5, scale=0.125),
    *(case for digits in (-2, 0, 1, 3) for case in typed("quantize", FLOATS, ("f4",), digits=digits)),
    *(("astype", {"encode_dtype": to, "decode_dtype": a.dtype.str}, a) for a in WHOLE for to in ("i2", ">i8", "f4")),
    *both("packbits", MASKS),
    *(case for size in (1, 2, 4, 8) for case in both("shuffle", BYTES, elementsize=size)),
    *both("shuffle", BYTES),
    *both("base64", BYTES),
    *both(
        "fletcher32", [*(b[:n] for b in BYTES[1:] for n in (len(b), 3)), np.zeros(9, "u1"), np.full(131070, 255, "u1")]
    ),
    *both("vlen-utf8", TEXT),
    *both("vlen-bytes", RAW),
]


def plain(data):
    """What an engine gave, as bytes, or as a list of objects."""
    array = np.asarray(data) if isinstance(data, np.ndarray) else np.frombuffer(data, "u1")
    return array.tolist() if array.dtype == object else (array.dtype.str, array.tobytes())


@pytest.mark.parametrize("identifier", in_numpy.ENGINES)
def test_an_engine_in_numpy_makes_the_bytes_of_numcodecs_and_reads_them(identifier):
    cases = [(configuration, array) for name, configuration, array in CASES if name == identifier]
    assert cases or identifier == "bitround", "that one is rounded here in any case"
    for configuration, array in cases:
        theirs, ours = numcodecs_codec(identifier, configuration), in_numpy.ENGINES[identifier](**configuration)
        with np.errstate(all="ignore"):
            stored = theirs.encode(array)
            assert plain(ours.encode(array)) == plain(stored), (configuration, array)
            if identifier != "fletcher32":  # whose checksum alone is asked for
                raw = stored.tobytes() if isinstance(stored, np.ndarray) else bytes(stored)
                assert plain(ours.decode(raw)) == plain(theirs.decode(raw)), (configuration, array)


@pytest.mark.parametrize("identifier", ["vlen-utf8", "vlen-bytes"])
def test_damaged_text_is_refused_as_numcodecs_refuses_it(identifier):
    theirs, ours = numcodecs_codec(identifier, {}), in_numpy.ENGINES[identifier]()
    whole = ours.encode(np.array(["ab", ""] if identifier == "vlen-utf8" else [b"ab", b""], object))
    with pytest.raises(ValueError, match="expected 4294967295 items, found"):  # numcodecs allocates them
        ours.decode(b"\xff\xff\xff\xff" + whole[4:])
    for stored in (*(whole[:n] for n in range(len(whole))), whole[:4] + b"\xff" * 9):
        for engine in (theirs, ours):
            with pytest.raises(ValueError, match=r"corrupt buffer|expected|codec can't decode"):
                engine.decode(stored)


@pytest.fixture
def without(monkeypatch):
    """No numcodecs."""
    for name in [*sys.modules]:
        if name.partition(".")[0] == "numcodecs":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numcodecs", None)


BITROUND = {"name": "numcodecs.bitround", "configuration": {"keepbits": 5}}
SCALED = {
    "name": "numcodecs.fixedscaleoffset",
    "configuration": {"offset": 0, "scale": 10, "dtype": "<f8", "astype": "<i4"},
}


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    ("data", "filters"),
    [
        (np.linspace(-3, 400, 50), [BITROUND]),
        (np.linspace(-3, 400, 50).round(1), [SCALED]),
        (np.arange(50) ** 2, [{"name": "numcodecs.delta", "configuration": {"dtype": "<i8", "astype": "<i4"}}]),
        (np.arange(50) % 3 == 0, [{"name": "numcodecs.packbits", "configuration": {}}]),
        (np.array(["", "ü", "zarr"] * 10, object), []),
    ],
    ids=["bitround", "fixedscaleoffset", "delta", "packbits", "text"],
)
def test_an_array_has_the_same_bytes_without_numcodecs(request, data, filters, zarr_format):
    kept = {"filters": filters or "auto", "compressors": "gzip", "zarr_format": zarr_format, "chunks": (8,)}
    kept |= {"dtype": str} if data.dtype == object else {}
    here, there = {}, {}
    zarr.create_array(here, data=data, **kept)
    request.getfixturevalue("without")
    array = zarr.create_array(there, data=data, **kept)
    assert there == here
    assert array[...].tolist() == zarr.open_array(here)[...].tolist()


@pytest.mark.usefixtures("without")
def test_what_is_not_in_numpy_is_refused_by_name():
    with pytest.raises(MissingDependencyError, match=r"jenkins_lookup3.*pip install numcodecs"):
        zarr.create_array({}, data=np.arange(9), compressors={"name": "numcodecs.jenkins_lookup3"})
    with pytest.raises(CodecError, match=r"'quantize': expected a configuration that it takes, found \{'digits': 1\}"):
        numcodecs_codec("quantize", {"digits": 1})


def test_the_default_compressor_is_gzip_where_nothing_writes_zstd_and_says_so(monkeypatch):
    monkeypatch.setattr(spelling.importlib.util, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="compressed with gzip, as nothing here writes zstd"):
        array = zarr.create_array({}, shape=4, dtype="i4")
    assert [codec["name"] for codec in array.metadata.document["codecs"]] == ["bytes", "gzip"]


def test_zstd_of_python_and_of_numcodecs_read_each_other():
    pytest.importorskip("compression.zstd")
    theirs, ours = numcodecs_codec("zstd", {"level": 3}), in_numpy.ZstdEngine()
    assert ours.decompress(ours.compress(b"", 0, True)) == b""  # which numcodecs refuses to read
    for data in (b"chunk", bytes(range(256)) * 999):
        assert bytes(theirs.decode(ours.compress(data, 0, True))) == data
        assert bytes(ours.decompress(bytes(theirs.encode(data)))) == data
    out = np.empty(5, "u1")
    ours.decompress(ours.compress(b"chunk", -3, False), out)
    assert out.tobytes() == b"chunk"
    twice = ours.compress(b"chunk", 1, False) + ours.compress(b"s", 1, False)
    assert ours.decompress(twice, np.empty(6, "u1")).tobytes() == ours.decompress(twice) == b"chunks"
    for size, found in ((5, "more"), (4, "more"), (7, "6")):
        with pytest.raises(RuntimeError, match=f"zstd: expected {size} bytes, found {found}"):
            ours.decompress(twice, np.empty(size, "u1"))
    with pytest.raises(RuntimeError, match="zstd: expected a whole frame"):
        ours.decompress(ours.compress(b"chunk", 1, False)[:-2])
    with pytest.raises(RuntimeError, match="zstd: "):
        ours.decompress(b"no frame at all")


# --- no threads


@pytest.fixture
def no_threads(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.usefixtures("no_threads")
def test_a_stream_goes_one_by_one_where_no_thread_starts():
    begun = []
    pairs = parallel.stream(lambda n: begun.append(n) or 2 * n, range(5), 4, ordered=False)
    assert (next(pairs), begun) == ((0, 0), [0]), "nothing is read ahead"
    assert list(pairs) == [(n, 2 * n) for n in range(1, 5)]


@pytest.mark.usefixtures("no_threads")
def test_arrays_and_loaders_work_where_no_thread_starts():
    zarr.set_workers(4)
    try:
        array = zarr.create_array({}, data=np.arange(1 << 20), chunks=(1 << 16,), compressors="gzip")
        assert np.array_equal(array[...], np.arange(1 << 20))
        assert sum(int(chunk.sum()) for _, chunk in array.chunk_stream(parallel=4)) == int(array[...].sum())
        loader = Loader(array, 1 << 15, shuffle="chunks", buffer=1, seed=1, prefetch=2)
        assert sorted(np.concatenate([np.ravel(batch) for batch in loader]).tolist()) == list(range(1 << 20))
    finally:
        zarr.set_workers(None)


# --- one process, no file locks


@pytest.fixture
def no_locks(monkeypatch):
    """As in a browser: what fcntl has is not asked."""
    monkeypatch.setattr(locks, "BROWSER", True)
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "_taken", set())


@pytest.mark.usefixtures("no_locks")
def test_one_handle_writes_a_zip_file_at_a_time(tmp_path):
    first = ZipStore(tmp_path / "a.zip", mode="w")
    first.set("key", b"1")
    second = ZipStore(tmp_path / "a.zip", mode="a")
    with pytest.raises(StoreError, match="expected to be the one that writes, found that another handle does"):
        second.set("key", b"2")
    first.close()
    second.set("other", b"2")
    second.close()
    assert sorted(ZipStore(tmp_path / "a.zip", mode="r").list_prefix()) == ["key", "other"]


@pytest.mark.usefixtures("no_locks")
def test_a_folder_is_written_updated_and_appended_to(tmp_path):
    store = LocalStore(tmp_path)
    for number in range(50):
        store.set(f"c/{number % 3}", bytes([number]))
    store.update("c/0", lambda old: bytes(old) + b"!")
    assert bytes(store.get("c/0")) == b"0!"
    array = zarr.create_array(tmp_path / "a", shape=(0,), chunks=(4,), dtype="i4")
    for number in range(9):
        array.append(np.array([number], "i4"))
    assert array[...].tolist() == list(range(9))
    assert not list(tmp_path.rglob("*.partial"))
    assert len(locks._taken) < 20, "descriptors are used again"


@pytest.mark.usefixtures("no_locks")
def test_the_lock_of_a_file_is_one_handles(tmp_path):
    path = str(tmp_path / "key.lock.partial")
    with locks.FileLock(path, "key", 1.0):
        assert locks.is_held(path)
        with pytest.raises(StoreError, match="found another process holding it"), locks.FileLock(path, "key", 0.0):
            pass
    assert not locks.is_held(path)


# --- all of it at once, in a Python that has none of it

CHILD = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
from spec.build import assert_same, documents_of
from spec.test_write_back import MODULES
from tutorial_zarr.gallery import as_browser
as_browser.confine()
import tutorial_zarr as zarr
assert "numcodecs" not in sys.modules and "google_crc32c" not in sys.modules
read, written, missing, wrong = 0, 0, set(), []
for case in (case for module in MODULES for case in module.CASES):
    try:
        assert_same(zarr.open_array(case.store, mode="r", path=case.path, **case.options)[...], case.expected)
        read += 1
        if case.exact and case.writable:
            store = documents_of(case.store)
            zarr.open_array(store, mode="r+", path=case.path, **case.options)[...] = case.expected
            assert_same(zarr.open_array(store, mode="r", path=case.path, **case.options)[...], case.expected)
            written += 1
    except zarr.errors.MissingDependencyError as error:
        missing.add(error.message.partition("needs the package ")[2].partition(",")[0])
    except Exception as error:
        if "needs the package" not in str(error):
            wrong.append(f"{case.id}: {type(error).__name__}: {error}")
store = zarr.create_array(sys.argv[2] + "/a", shape=(64, 64), chunks=(8, 8), shards=(32, 32), dtype="f4")
store[:40] = 1
store.resize((80, 64))
print(read, written, sorted(missing), wrong, float(zarr.open_array(sys.argv[2] + "/a")[...].sum()), sep="|")
"""


def test_the_stores_of_the_specifications_are_read_and_written_in_a_python_as_in_a_browser(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(TESTS), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read, written, missing, wrong, total = done.stdout.strip().split("|")
    assert wrong == "[]"
    assert (int(read) >= 400, int(written) >= 300, float(total)) == (True, True, 40 * 64), (read, written)
    assert "numcodecs" in missing
