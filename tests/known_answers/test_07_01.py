"""07_01 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

Temperatures come from the NetCDF files of iris-sample-data where that package is installed, read by h5netcdf, and
else from the vendored bytes; the stores are read by zarr-python and TensorStore, means are NumPy's, requests come
from enumeration and sizes from the files. Nothing here imports this project's library.
"""

import gzip
import hashlib
import importlib.util
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/07_geo/07_01_climate_cube_windows.ipynb"
pytestmark = pytest.mark.gallery

SHAPE, ROW, COLUMN = (2, 240, 37, 49), 20, 16
CHUNKS = {"maps": (1, 1, 37, 49), "series": (1, 240, 8, 8), "between": (1, 60, 16, 16)}
INNER, SHARD = (1, 24, 8, 8), (1, 240, 40, 56)
AREA = np.cos(np.radians(15 + 1.25 * np.arange(37)))


def vendored():
    """The two bytes of each hundredth of a kelvin, put together: 240 maps of A1B, and E1's from 2000 on."""
    stored = np.load(ROOT / "data_gen" / "vendor" / "air_temperature_scenarios.npz")
    maps = ((256 * stored["high"].astype("int32") + stored["low"]) / 100).astype("float32")
    return np.stack([maps[:240], np.concatenate([maps[:140], maps[240:]])])


def netcdf():
    """The files as the Met Office gave them away; they are found without importing the package."""
    h5netcdf = pytest.importorskip("h5netcdf")
    package = importlib.util.find_spec("iris_sample_data")
    if package is None:
        pytest.skip("iris-sample-data is not installed; the vendored values are tested without it")
    folder = Path(package.origin).with_name("sample_data")
    cubes = []
    for name in ("A1B", "E1"):
        with h5netcdf.File(folder / f"{name}_north_america.nc", "r") as file:
            assert file["air_temperature"].chunks == (1, 37, 49)  # as it was given away: one map to a chunk
            cubes.append(file["air_temperature"][...])
            np.testing.assert_array_equal(file["latitude"][...], 15 + 1.25 * np.arange(37))
            np.testing.assert_array_equal(1970 + file["time"][...] // (24 * 360), np.arange(1860, 2100))
    return np.stack(cubes)


def region(cube):
    """The mean of each scenario and year, cells weighted by their area."""
    return np.tensordot(cube.astype("float64").mean(axis=3), AREA / AREA.sum(), axes=1)


def warming(yearly):
    return yearly[..., -30:].mean(-1) - yearly[..., :30].mean(-1)


@pytest.mark.parametrize("source", [vendored, netcdf])
def test_the_kelvin_are_those_of_the_model(left, source):
    cube, facts = source(), left[1]
    expected = warming(region(cube))
    assert [facts["kelvin"]["A1B"], facts["kelvin"]["E1"]] == pytest.approx(expected, abs=1e-4)
    assert [round(value, 3) for value in facts["kelvin"].values()] == [4.519, 2.436]
    for kelvin in (*facts["kelvin_by_layout"].values(), facts["kelvin_by_xarray"]):
        assert kelvin == pytest.approx(expected, abs=2e-4)
    assert facts["kelvin_apart"] == pytest.approx(expected[0] - expected[1], abs=1e-4)
    change = cube[:, -30:].astype("float64").mean(1) - cube[:, :30].astype("float64").mean(1)
    assert facts["place_kelvin"] == pytest.approx(change[:, ROW, COLUMN], abs=0.005)
    for found, field in zip(facts["map_kelvin"].values(), change, strict=True):
        assert found == pytest.approx([field.min(), field.max()], abs=0.005)
    plain = warming(cube[0].astype("float64").mean(axis=(1, 2)))
    assert facts["unweighted"]["kelvin"] == pytest.approx(plain, abs=1e-4)
    assert facts["unweighted"]["too_high"] == pytest.approx(plain - expected[0], abs=2e-4)


@pytest.mark.parametrize("source", [vendored, netcdf])
def test_the_years_in_common_and_those_above_two_kelvin_are_those_of_the_model(left, source):
    cube, facts = source(), left[1]
    same = [bool((one == other).all()) for one, other in zip(*cube, strict=True)]
    assert same == [True] * facts["years_in_common"] + [False] * (240 - facts["years_in_common"])
    assert facts["last_common_year"] == 1859 + same.count(True)
    above = region(cube) - region(cube)[:, :30].mean(axis=1, keepdims=True)
    for scenario, name in enumerate(("A1B", "E1")):
        middle = {1860 + i: above[scenario, i - 5 : i + 6].mean() for i in range(5, 235)}
        assert facts["crossings"][name] == min(year for year, value in middle.items() if value > 2)
        assert facts["last_eleven_years"][scenario] == pytest.approx(middle[2094], abs=2e-4)


def test_the_vendored_values_are_those_of_the_files_but_for_rounding():
    np.testing.assert_allclose(vendored(), netcdf(), rtol=0, atol=0.00502)


def place_of(out, name):
    return out / f"{name}.zarr" / ("air_temperature" if name == "maps" else "")


@pytest.mark.parametrize("name", [*CHUNKS, "shards"])
def test_zarr_python_sees_the_same_values_in_every_layout(left, name):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    array = zarr.open_array(str(place_of(out, name)), mode="r")
    np.testing.assert_array_equal(array[...], vendored())
    assert facts["sha256"][name] == hashlib.sha256(vendored().tobytes()).hexdigest()
    if name == "shards":
        assert (array.chunks, array.shards, array.metadata.zarr_format) == (INNER, SHARD, 3)
    else:
        assert (array.chunks, array.metadata.zarr_format) == (CHUNKS[name], zarr_format)


@pytest.mark.parametrize("name", [*CHUNKS, "shards"])
def test_tensorstore_sees_the_same_values_in_every_layout(left, name):
    ts = pytest.importorskip("tensorstore")
    place = place_of(left[0], name)
    driver = "zarr3" if (place / "zarr.json").is_file() else "zarr"
    array = ts.open({"driver": driver, "kvstore": {"driver": "file", "path": f"{place}/"}}).result()
    np.testing.assert_array_equal(array.read().result(), vendored())


def test_xarrays_own_engine_finds_coordinates_and_the_same_warming(left):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    with xr.open_zarr(left[0] / "maps.zarr", consolidated=False) as dataset:
        area = np.cos(np.deg2rad(dataset["latitude"]))
        yearly = dataset["air_temperature"].astype("float64").weighted(area).mean(("latitude", "longitude"))
        early, late = (yearly.sel(year=slice(*ends)).mean("year") for ends in ((1860, 1889), (2070, 2099)))
        assert list(left[1]["kelvin"].values()) == pytest.approx((late - early).to_numpy(), abs=1e-6)
        assert list(dataset["air_temperature"].attrs["scenarios"]) == ["A1B", "E1"]


def chunk_files(folder):
    documents = {".zarray", ".zattrs", "zarr.json"}
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in documents]


def number_of(path, folder):
    """The coords in a chunk's key, of v2 or v3."""
    return tuple(int(part) for part in ".".join(path.relative_to(folder).parts).split(".") if part != "c")


READS = {
    "a map": (range(1), range(140, 141), range(37), range(49)),
    "a series": (range(1), range(240), range(ROW, ROW + 1), range(COLUMN, COLUMN + 1)),
    "everything": tuple(range(n) for n in SHAPE),
}


def chunks_of(read, lengths):
    return list(itertools.product(*({i // n for i in axis} for axis, n in zip(read, lengths, strict=True))))


@pytest.mark.parametrize(("name", "lengths"), CHUNKS.items())
def test_requests_come_from_enumeration_and_bytes_from_the_files(left, name, lengths):
    out, facts, _ = left
    folder = place_of(out, name)
    sizes = {number_of(path, folder): path.stat().st_size for path in chunk_files(folder)}
    counts = {read: len(chunks_of(box, lengths)) for read, box in READS.items()}
    assert {read: cost["requests"] for read, cost in facts["costs"][name].items()} == counts
    assert facts["predicted"][name] == [counts["a map"], counts["a series"]]
    assert facts["objects"][name] == counts["everything"] == len(sizes)
    for read, places in places_read().items():
        nbytes = sum(sizes[chunk] for box in places for chunk in chunks_of(box, lengths)) / len(places)
        assert facts["costs"][name][read]["bytes"] == pytest.approx(nbytes)
        assert facts["kib"][name][read] == pytest.approx(nbytes / 1024)
    for read, wanted in (("a map", 37 * 49 * 4), ("a series", 240 * 4)):
        assert facts["carried"][name][read] == pytest.approx(facts["costs"][name][read]["bytes"] / wanted)
    assert facts["stored"][name] >= sum(sizes.values())


def places_read():
    """Where the notebook's quick run reads: three maps, three places."""
    maps = [(range(1), range(year, year + 1), range(37), range(49)) for year in (0, 119, 239)]
    rows, columns = (0, 18, 36), (0, 24, 48)
    series = [(range(1), range(240), range(r, r + 1), range(c, c + 1)) for r, c in zip(rows, columns, strict=True)]
    return {"a map": maps, "a series": series, "everything": [READS["everything"]]}


def shard_index(data):
    """The (offset, size) of each inner chunk of a shard, from its last bytes."""
    count = math.prod(n // c for n, c in zip(SHARD, INNER, strict=True))
    index = np.frombuffer(data[-16 * count - 4 : -4], "<u8").reshape(10, 5, 7, 2).astype("int64")
    return index, 16 * count + 4


def test_a_shard_gives_a_map_as_one_stretch_and_a_series_as_ten(left):
    out, facts, _ = left
    files = sorted(chunk_files(out / "shards.zarr"))
    assert len(files) == facts["objects"]["shards"] == 2
    data = files[0].read_bytes()
    index, tail = shard_index(data)
    assert facts["shard"] == {"bytes": len(data), "index": tail, "chunks": 350}
    for read, places in places_read().items():
        if read == "everything":
            assert facts["costs"]["shards"][read] == {"requests": 2, "bytes": sum(f.stat().st_size for f in files)}
            continue
        stretches, nbytes = [], 0
        for box in places:
            spans = sorted(tuple(index[coords[1:]]) for coords in chunks_of(box, INNER))
            ends = [offset + size for offset, size in spans]
            gaps = [start - end for end, (start, _) in zip(ends, spans[1:], strict=False)]
            assert all(gap == 0 or gap > 1 << 13 for gap in gaps)  # joined where they touch, else far apart
            stretches.append(1 + sum(gap > 0 for gap in gaps))
            nbytes += sum(size for _, size in spans)
        assert set(stretches) == {1 if read == "a map" else 10}
        cost = facts["costs"]["shards"][read]
        assert cost["requests"] == stretches[0] + 1
        assert cost["bytes"] == pytest.approx(tail + nbytes / len(places))
        assert facts["kib"]["shards"][read] == pytest.approx(cost["bytes"] / 1024)
        wanted = {"a map": 37 * 49 * 4, "a series": 240 * 4}[read]
        assert facts["carried"]["shards"][read] == pytest.approx(cost["bytes"] / wanted)


def test_a_chunk_of_the_shard_and_one_of_the_series_unpack_to_the_place(left):
    out = left[0]
    data = sorted(chunk_files(out / "shards.zarr"))[0].read_bytes()
    offset, size = shard_index(data)[0][2, ROW // 8, COLUMN // 8]
    inside = np.frombuffer(gzip.decompress(data[offset : offset + size]), "<f4").reshape(24, 8, 8)
    np.testing.assert_array_equal(inside[:, ROW % 8, COLUMN % 8], vendored()[0, 48:72, ROW, COLUMN])
    folder = place_of(out, "series")
    found = {number_of(path, folder): path for path in chunk_files(folder)}
    block = np.frombuffer(gzip.decompress(found[0, 0, 2, 2].read_bytes()), "<f4").reshape(240, 8, 8)
    np.testing.assert_array_equal(block[:, ROW % 8, COLUMN % 8], vendored()[0, :, ROW, COLUMN])


def test_a_rechunk_reads_what_its_plan_says_and_keeps_to_its_budget(left):
    facts = left[1]
    for budget, plan in facts["plans"].items():
        number, unit = budget.split()
        assert 0 < plan["peak_kib"] <= int(number) * {"KiB": 1, "MiB": 1024}[unit]
        assert plan["reads"] >= 480  # every map at least once
        assert plan["writes"] >= 70
    assert facts["source_requests"] >= 480
    reads = [plan["reads"] for plan in facts["plans"].values()]
    assert reads == sorted(reads)  # less memory, more reads


def test_a_mean_of_means_moves_with_the_chunks_and_merged_sums_do_not(left):
    facts, cube = left[1], vendored().astype("float64")
    for name, (_, _, rows, columns) in CHUNKS.items():
        corners = itertools.product(range(0, 37, rows), range(0, 49, columns))
        means = [
            np.average(cube[0, :, r : r + rows, c : c + columns].mean(axis=2), axis=1, weights=AREA[r : r + rows])
            for r, c in corners
        ]
        yearly = np.mean(means, axis=0)
        assert facts["mean_of_means"][name]["first_year"] == pytest.approx(yearly[0], abs=1e-5)
        assert facts["mean_of_means"][name]["warming"] == pytest.approx(warming(yearly), abs=1e-5)
    assert facts["first_year"] == pytest.approx(region(cube)[0, 0], abs=1e-5)
    assert facts["colder"] == pytest.approx(facts["first_year"] - facts["mean_of_means"]["series"]["first_year"])


def test_a_lost_chunk_is_0_kelvin_to_numpy_and_a_lack_of_area_to_the_merge(left):
    lost, cube = left[1]["lost"], vendored()[0, 0].astype("float64")
    weights = np.broadcast_to(AREA[:, None], (37, 49))
    gone = np.zeros((37, 49), bool)
    gone[16:24, 16:24] = True
    assert lost["0.0"]["numpy"] == pytest.approx((cube * weights * ~gone).sum() / weights.sum(), abs=1e-5)
    assert lost["nan"]["numpy"] is lost["nan"]["warming"] is None
    with_a_hole = (vendored()[0].astype("float64") * weights * ~gone).sum(axis=(1, 2)) / weights.sum()
    assert lost["0.0"]["warming"] == pytest.approx(warming(with_a_hole), abs=1e-5)
    for found in lost.values():
        assert found["merged"] == pytest.approx(np.average(cube[~gone], weights=weights[~gone]), abs=1e-5)
        assert found["merge_off"] == pytest.approx(found["merged"] - np.average(cube, weights=weights), abs=1e-5)
        assert found["area_percent"] == pytest.approx(100 * weights[~gone].sum() / weights.sum(), abs=1e-5)


def test_the_other_numbers_are_arithmetic(left):
    facts = left[1]
    box = (range(1), range(130, 160), range(10, 18), range(20, 28))
    assert facts["region_requests"] == [len(chunks_of(box, lengths)) for lengths in CHUNKS.values()]
    assert facts["through_xarray"] == 240
    # With all years in an inner chunk a map needs every one of them: the shard is read whole, without its index.
    assert facts["all_years"] == {"a map": 1, "a series": 1 + 1}
    assert facts["place"] == [15 + 1.25 * ROW, 360 - (225 + 1.875 * COLUMN)]
    assert (facts["nbytes"], facts["threads_agree"]) == (math.prod(SHAPE) * 4, 3)


def test_the_facts_of_this_run_are_near_the_ones_beside_the_notebook(left, committed):
    """Another zlib may leave a few bytes more or less; what follows from the values alone is equal."""
    facts = left[1]
    assert set(facts) == set(committed)
    assert facts["carried"]["series"] == pytest.approx(committed["carried"]["series"], rel=0.03)
    measured = {"costs", "kib", "carried", "shard", "stored", "figures"}
    assert {k: v for k, v in facts.items() if k not in measured} == {
        k: v for k, v in committed.items() if k not in measured
    }
