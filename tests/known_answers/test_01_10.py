"""01_10 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The private codec is undone with zlib and NumPy from the bytes on the disk, the table is read with sqlite3 alone, and
zarr-python reads what was handed on. Nothing here imports this project's library.
"""

import gzip
import json
import sqlite3

import numpy as np
import pytest

from data_gen import ticks

SOURCE = "notebooks/01_core_zarr/01_10_codec_and_backend_plugins.ipynb"
pytestmark = pytest.mark.gallery


@pytest.fixture(scope="module")
def prices():
    return ticks.make("small").arrays["price"]


def test_the_private_chunks_are_differences_of_whole_ticks(left, prices):
    out, facts, _ = left
    total = 0
    for share in range(prices.shape[1]):
        data = (out / "ticks.zarr" / "c" / "0" / str(share)).read_bytes()
        total += len(data)
        cents = np.cumsum(np.frombuffer(gzip.decompress(data), "<i8"))
        assert (cents / 100).tobytes() == np.ascontiguousarray(prices[:, share]).tobytes()
        if share == 0:
            assert facts["first_ticks"] == cents[0] == round(prices[0, 0] * 100)
    assert facts["bytes"]["ticks"] == total
    assert (facts["prices"], facts["shares"]) == (prices.size, prices.shape[1])


def test_the_sizes_are_those_of_the_files(left, prices):
    out, facts, _ = left
    for name, folder in (("gzip", "public"), ("ticks", "ticks"), ("careless", "careless")):
        stored = sum(path.stat().st_size for path in (out / f"{folder}.zarr" / "c").rglob("*") if path.is_file())
        assert facts["bytes"][name] == stored
        assert facts["ratio"][name] == pytest.approx(prices.nbytes / stored)
    assert facts["bytes"]["raw"] == prices.nbytes
    each = {
        "float64": 8.0,
        "gzip": facts["bytes"]["gzip"] / prices.size,
        "ticks, gzip": facts["bytes"]["ticks"] / prices.size,
    }
    assert facts["bytes_per_price"] == pytest.approx(each)


def test_another_reader_sees_what_was_handed_on_and_stops_at_the_private_codec(left, prices):
    zarr = pytest.importorskip("zarr")
    out, facts, _ = left
    for name in ("public", "handed_on"):
        np.testing.assert_array_equal(zarr.open_array(str(out / f"{name}.zarr"), mode="r")[...], prices)
    document = json.loads((out / "ticks.zarr" / "zarr.json").read_text(encoding="utf-8"))
    assert [codec["name"] for codec in document["codecs"]] == facts["codecs"] == ["example.ticks", "bytes", "gzip"]
    with pytest.raises(Exception, match=r"example\.ticks"):
        zarr.open_array(str(out / "ticks.zarr"), mode="r")[...]


def test_two_public_filters_write_the_same_bytes_and_change_what_is_no_whole_tick(left):
    numcodecs = pytest.importorskip("numcodecs")
    out, facts, _ = left
    chunks = {
        name: {p.name: p.read_bytes() for p in (out / f"{name}.zarr" / "c").rglob("*") if p.is_file()}
        for name in ("ticks", "handed_on")
    }
    assert chunks["ticks"] == chunks["handed_on"]
    found = facts["public_filters"]
    assert (found["chunks"], found["same"]) == (len(chunks["ticks"]), len(chunks["ticks"]))
    scaling = numcodecs.FixedScaleOffset(offset=0, scale=100, dtype="<f8", astype="<i8")
    assert found["third_of_a_cent"] == scaling.decode(scaling.encode(np.array([1 / 300])))[0]


def test_the_table_holds_the_same_bytes_as_the_folder(left):
    out, facts, _ = left
    folder = {p.relative_to(out / "folder.zarr").as_posix(): p for p in (out / "folder.zarr").rglob("*") if p.is_file()}
    db = sqlite3.connect(out / "table.sqlite")
    table = dict(db.execute("select key, value from objects"))
    db.close()
    assert {key: path.read_bytes() for key, path in folder.items()} == table
    assert facts["same_keys"] == len(table)


def test_the_careless_codec_wraps_and_the_careless_store_forgets_the_slash(left):
    facts = left[1]
    found = facts["berkshire"]
    wrapped = np.array(round(found["stored"] * 10_000)).astype("int32")
    assert found["read"] == pytest.approx(wrapped / 10_000)
    assert found["limit"] == (2 ** found["bits"] - 1) / 10_000
    assert facts["highest"] == np.iinfo("int32").max / 100
    assert facts["left"] == {"TableStore": ["Seals", "sea_ice"], "CarelessStore": []}
    with sqlite3.connect(":memory:") as db:
        names = [
            name for name in ("sea", "sea_ice", "Seals") if db.execute("select ? like 'sea%'", (name,)).fetchone()[0]
        ]
    db.close()
    assert names == ["sea", "sea_ice", "Seals"]  # all of them go


def test_the_laws_clear_the_careful_and_name_the_careless(left):
    broken = left[1]["broken"]
    assert broken["example.ticks"] == broken["TableStore"] == []
    assert "test_decoding_what_was_encoded_gives_it_back" in broken["example.careless"]
    assert "test_a_prefix_ends_at_a_slash" in broken["CarelessStore"]
    assert {name: len(laws) for name, laws in broken.items()} == left[1]["broken_count"]


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    # The bytes of gzip depend on the zlib that Python was built with, the keys of a store on the format.
    free = {"figures", "bytes", "ratio", "bytes_per_price", "same_keys"}
    assert {k: v for k, v in left[1].items() if k not in free} == {k: v for k, v in committed.items() if k not in free}
