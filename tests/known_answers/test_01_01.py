"""01_01 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The answers come from zarr-python, TensorStore, NumPy and arithmetic; nothing here imports this project.
"""

import gzip
import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from .readers import tensorstore, zarr_python

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/01_core_zarr/01_01_first_zarr_array.ipynb"
pytestmark = pytest.mark.gallery


def expected_matrix():
    row, column = np.mgrid[:1000, :1000]
    written = (row < 200) & (column < 200)
    return np.where(written, 1000 * row + column, 0).astype("int32")


def by_hand(folder, path=""):
    """Read an int32 array of 1000 x 1000 in gzip chunks of 100 x 100 with nothing but gzip and NumPy."""
    place, values = Path(folder, path), np.zeros((1000, 1000), "<i4")
    for i, j in itertools.product(range(10), range(10)):
        chunk = place / (f"c/{i}/{j}" if (place / "zarr.json").is_file() else f"{i}.{j}")
        if chunk.is_file():
            tile = np.frombuffer(gzip.decompress(chunk.read_bytes()), "<i4")
            values[i * 100 : (i + 1) * 100, j * 100 : (j + 1) * 100] = tile.reshape(100, 100)
    return values


def chunk_files(folder):
    documents = {".zarray", ".zattrs", ".zgroup", "zarr.json"}
    return sorted(file for file in Path(folder).rglob("*") if file.is_file() and file.name not in documents)


@pytest.mark.parametrize("read", [zarr_python, tensorstore, by_hand])
@pytest.mark.parametrize("name", ["matrix_v2.zarr", "matrix_v3.zarr"])
def test_other_readers_see_the_matrix_in_both_formats(left, name, read):
    np.testing.assert_array_equal(read(left[0] / name), expected_matrix())


@pytest.mark.parametrize("read", [zarr_python, tensorstore, by_hand])
def test_the_saved_and_reopened_array_is_the_matrix(left, read):
    np.testing.assert_array_equal(read(left[0] / "saved.zarr", "matrix"), expected_matrix())


def test_the_formats_are_the_ones_that_were_asked_for(left):
    out, _, zarr_format = left
    document = {2: ".zarray", 3: "zarr.json"}
    for folder in (out / "saved.zarr" / "matrix", out / "land.zarr"):
        found = json.loads((folder / document[zarr_format]).read_text(encoding="utf-8"))
        assert found["zarr_format"] == zarr_format
        assert not (folder / document[5 - zarr_format]).exists()


def test_the_sum_is_the_one_of_arithmetic_and_of_the_store(left):
    out, facts, _ = left
    assert facts["sum"] == 3_983_980_000 == 1000 * 200 * sum(range(200)) + 200 * sum(range(200))
    assert facts["sum"] == int(zarr_python(out / "matrix_v3.zarr").sum(dtype="int64"))


def test_four_files_of_a_hundred_chunks_are_on_the_disk(left):
    out, facts, _ = left
    for name in ("matrix_v2.zarr", "matrix_v3.zarr"):
        files = chunk_files(out / name)
        assert len(files) == facts["chunks_stored"] == 4
        assert {len(gzip.decompress(file.read_bytes())) for file in files} == {facts["chunk_bytes_decoded"]} == {40_000}
    assert (facts["chunks"], facts["chunks_absent"]) == ((1000 // 100) ** 2, 96)
    assert facts["values_written"] == 200 * 200


def test_the_chunks_of_both_formats_are_the_same_bytes(left):
    out, facts, _ = left
    for i, j in itertools.product(range(2), range(2)):
        v2, v3 = out / "matrix_v2.zarr" / f"{i}.{j}", out / "matrix_v3.zarr" / "c" / str(i) / str(j)
        assert v2.read_bytes() == v3.read_bytes()
        assert v2.read_bytes()[4:8] == bytes(4), "no clock in the header"
    assert facts["chunk_bytes_stored"] == (out / "matrix_v2.zarr" / "0.0").stat().st_size


def test_the_table_of_costs_is_what_enumeration_gives(left):
    out, facts, _ = left
    sizes = {(i, j): (out / "matrix_v2.zarr" / f"{i}.{j}").stat().st_size for i in (0, 1) for j in (0, 1)}
    windows = {
        "one value": (range(137, 138), range(42, 43)),
        "one row": (range(5, 6), range(1000)),
        "10 x 10, inside": (range(10, 20), range(10, 20)),
        "10 x 10, on an edge": (range(10, 20), range(95, 105)),
        "10 x 10, on a corner": (range(95, 105), range(95, 105)),
    }
    assert set(windows) == set(facts["costs"])
    for name, (rows, columns) in windows.items():
        touched = {(r // 100, c // 100) for r in rows for c in columns}
        stored = touched & set(sizes)
        asked = 4 * len(rows) * len(columns)
        assert facts["costs"][name] == {
            "gets": len(touched),
            "fetched": sum(sizes[coords] for coords in stored),
            "decoded": 40_000 * len(stored),
            "amplification": 40_000 * len(stored) / asked,
        }


def test_the_stream_asked_for_no_more_than_was_taken(left):
    assert left[1]["stream_taken"] == left[1]["stream_requests"] == 5


def test_the_other_counts_follow_from_division(left):
    facts = left[1]
    assert facts["edge_chunks"] == (-(-250 // 100)) ** 2
    assert facts["edge_bytes_of_values"] == 250 * 250 * 4
    assert facts["edge_bytes_stored"] == facts["edge_chunks"] * 100 * 100 * 4
    assert facts["moved_chunks"] == len({(r // 100, c // 100) for r in range(50, 250) for c in range(50, 250)})
    assert facts["huge_chunks"] == (100_000 // 100) ** 2
    assert facts["huge_gigabytes"] == 100_000**2 * 4 / 1e9
    assert facts["huge_chunks_stored"] == 4
    assert facts["example_chunk"] == [137 // 100, 42 // 100]


def vendored_land():
    with np.load(ROOT / "data_gen" / "vendor" / "land_percent_1deg.npz") as archive:
        return archive["land_percent"]


def share(land):
    weights = np.cos(np.deg2rad(89.5 - np.arange(180)))
    return 100 * float((land.mean(axis=1) * weights).sum() / weights.sum()) / 100


@pytest.mark.parametrize("read", [zarr_python, tensorstore])
def test_the_map_in_the_store_is_the_vendored_map(left, read):
    np.testing.assert_array_equal(read(left[0] / "land.zarr"), vendored_land())


def test_the_open_sea_is_not_stored(left):
    out, facts, _ = left
    with_land = vendored_land().reshape(18, 10, 36, 10).any(axis=(1, 3))
    assert len(chunk_files(out / "land.zarr")) == facts["land_chunks_stored"] == int(with_land.sum())
    assert facts["land_chunks"] == with_land.size
    assert facts["land_chunks_absent"] == facts["strict_extra_objects"] == int((~with_land).sum())


def test_a_lost_chunk_takes_its_land_away(left):
    facts = left[1]
    land = vendored_land()
    assert facts["land_percent_before"] == pytest.approx(share(land), abs=1e-9)
    land[100:110, 120:130] = 0
    assert facts["land_percent_after"] == pytest.approx(share(land), abs=1e-9)


@pytest.mark.parametrize("other", ["zarr-python", "tensorstore"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_others_wrote_is_on_the_disk_too(left, other, zarr_format):
    pytest.importorskip({"zarr-python": "zarr"}.get(other, other))
    row, column = np.mgrid[:1000, :1000]
    found = zarr_python(left[0] / "others" / f"{other}_v{zarr_format}.zarr")
    np.testing.assert_array_equal(found, (1000 * row + column).astype("int32"))


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    out, facts, zarr_format = left
    figures = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (out / "figures").glob("*.svg")}
    assert facts["figures"] == figures
    if zarr_format == 2:  # the running example has other keys and a shorter document
        differing = {name for name in committed if committed[name] != facts.get(name)}
        assert differing <= {"huge_bytes_stored"}
    else:
        assert facts == committed
