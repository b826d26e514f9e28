"""02_03 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The dataset is compared with the NetCDF files of the Met Office, variable by variable, where iris-sample-data is
installed, and else with the vendored bytes; stores are read by zarr-python and by xarray on it, documents with json,
and requests come from enumeration. Nothing here imports this project's library.
"""

import datetime
import gzip
import importlib.util
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/02_labs/02_03_dataset_layout.ipynb"
pytestmark = pytest.mark.gallery

SHAPE, AXES = (2, 240, 37, 49), ["scenario", "year", "latitude", "longitude"]
DOCUMENTS = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}
ROW, COLUMN = 24, 22  # 45 degrees north, and 266.25 east


def vendored():
    """The two bytes of each hundredth of a kelvin, put together: 240 maps of A1B, and E1's from 2000 on."""
    stored = np.load(ROOT / "data_gen" / "vendor" / "air_temperature_scenarios.npz")
    maps = ((256 * stored["high"].astype("int32") + stored["low"]) / 100).astype("float32")
    return np.stack([maps[:240], np.concatenate([maps[:140], maps[240:]])])


def document_files(folder):
    return [
        path
        for path in folder.rglob("*")
        if path.name in DOCUMENTS and "record" not in path.relative_to(folder).as_posix()
    ]


def chunk_files(folder):
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {key: path.read_bytes() for key, path in files.items() if path.name not in DOCUMENTS}


def dimensions(folder, zarr_format):
    """The names of an array's axes, from its documents."""
    if zarr_format == 3:
        return json.loads((folder / "zarr.json").read_text(encoding="utf-8")).get("dimension_names")
    attributes = folder / ".zattrs"
    return json.loads(attributes.read_text(encoding="utf-8"))["_ARRAY_DIMENSIONS"] if attributes.exists() else None


# --- the three layouts


def test_xarray_on_zarr_python_finds_every_variable_of_the_netcdf_files(left):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    pytest.importorskip("zarr")
    package = importlib.util.find_spec("iris_sample_data")
    if package is None:
        pytest.skip("iris-sample-data is not installed; the vendored values are tested without it")
    given = Path(package.origin).with_name("sample_data")
    with xr.open_dataset(left[0] / "climate.zarr", engine="zarr", consolidated=False) as ours:
        for name in ("A1B", "E1"):
            path = given / f"{name}_north_america.nc"
            with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as theirs:
                mine = ours.sel(scenario=name)
                np.testing.assert_allclose(mine["air_temperature"], theirs["air_temperature"], rtol=0, atol=0.00502)
                np.testing.assert_array_equal(mine["latitude"], theirs["latitude"])
                np.testing.assert_array_equal(mine["longitude"], theirs["longitude"])
                year = 1970 + theirs["time"].to_numpy() // (24 * 360)  # this model's years have 360 days
                np.testing.assert_array_equal(mine["time"].dt.year, year)
                for attribute in ("standard_name", "units"):
                    found = mine["air_temperature"].attrs[attribute]
                    assert found == theirs["air_temperature"].attrs[attribute]


def test_xarray_on_zarr_python_finds_the_vendored_values_under_their_labels(left):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    out, facts, _ = left
    for name, time in (("dataset", "year"), ("climate", "time")):
        with xr.open_dataset(out / f"{name}.zarr", engine="zarr", consolidated=False) as dataset:
            assert set(dataset.coords) == {"scenario", time, "latitude", "longitude"}
            np.testing.assert_array_equal(dataset["air_temperature"], vendored())
            np.testing.assert_array_equal(dataset["latitude"], 15 + 1.25 * np.arange(37))
            np.testing.assert_array_equal(dataset["longitude"], 225 + 1.875 * np.arange(49))
            near = dataset["air_temperature"].sel(scenario="E1").sel(latitude=45, longitude=266.7, method="nearest")
            np.testing.assert_array_equal(near, vendored()[1, :, ROW, COLUMN])
            assert [near["latitude"].item(), near["longitude"].item()] == [45, 266.25]
            assert facts["place"] == [45, 266.7, ROW, COLUMN]
            assert facts["last_value"] == pytest.approx(near[-1].item(), abs=0.005)
            years = dataset["year"] if time == "year" else dataset["time"].dt.year
            np.testing.assert_array_equal(years, np.arange(1860, 2100))
            if time == "time":
                assert near.sel(time="2050").item() == vendored()[1, 190, ROW, COLUMN]
                assert {(t.month, t.day) for t in dataset["time"].to_index()} == {(7, 1)}


def test_days_are_counted_as_the_calendar_counts_them(left):
    zarr = pytest.importorskip("zarr")
    time = zarr.open_group(str(left[0] / "climate.zarr"), mode="r")["time"]
    first = datetime.date(1860, 1, 1)
    assert time[...].tolist() == [(datetime.date(year, 7, 1) - first).days for year in range(1860, 2100)]
    assert time.attrs["units"] == "days since 1860-01-01"


def test_the_warming_of_the_place_is_that_of_the_values(left):
    place = vendored()[:, :, ROW, COLUMN].astype("float64")
    assert left[1]["warmer"] == pytest.approx(place[:, 210:].mean(1) - place[:, :30].mean(1), abs=1e-5)


def test_only_documents_make_the_difference(left):
    out, facts, zarr_format = left
    places = {"loose": out / "loose", "dataset": out / "dataset.zarr", "climate": out / "climate.zarr"}
    chunks = {name: chunk_files(place / "air_temperature") for name, place in places.items()}
    assert chunks["loose"] == chunks["dataset"] == chunks["climate"]
    assert len(chunks["loose"]) == 2 * 4 * 3 * 4
    for name, place in places.items():
        sizes = [path.stat().st_size for path in document_files(place)]
        count = {k: v for k, v in chunk_files(place).items() if "record" not in k}
        assert facts["layouts"][name] == {"documents": len(sizes), "bytes": sum(sizes), "chunks": len(count)}
        assert facts["added"][name] == sum(sizes) - facts["layouts"]["loose"]["bytes"]
        for array in ("air_temperature", "scenario", "latitude", "longitude"):
            named = {"dataset": AXES, "climate": ["scenario", "time", "latitude", "longitude"], "loose": None}[name]
            expected = named if array == "air_temperature" or named is None else [array]
            assert dimensions(place / array, zarr_format) == expected
    assert facts["nbytes"] == math.prod(SHAPE) * 4


def test_the_dataset_by_hand_is_the_one_of_the_library(left):
    out, facts, _ = left
    by_hand, library = out / "by_hand.zarr", out / "dataset.zarr"
    assert chunk_files(by_hand) == chunk_files(library)
    documents = {path.relative_to(by_hand): path.read_text(encoding="utf-8") for path in document_files(by_hand)}
    assert facts["keys"] == len(documents) + len(chunk_files(by_hand))
    for key, text in documents.items():
        assert json.loads(text) == json.loads((library / key).read_text(encoding="utf-8"))


def test_a_chunk_unpacks_to_its_block(left):
    out, _, zarr_format = left
    key = "0.2.1.1" if zarr_format == 2 else "c/0/2/1/1"
    packed = (out / "climate.zarr" / "air_temperature" / key).read_bytes()
    block = np.frombuffer(gzip.decompress(packed), "<f4").reshape(60, 16, 16)
    np.testing.assert_array_equal(block, vendored()[0, 120:180, 16:32, 16:32])


# --- lists of unequal length


def test_the_lists_of_records_are_those_of_the_values(left):
    zarr = pytest.importorskip("zarr")
    group, facts = zarr.open_group(str(left[0] / "climate.zarr"), mode="r"), left[1]["records"]
    years, offsets = group["record_year"][...], group["record_offset"][...]
    means = vendored()[0].astype("float64").mean(axis=2).round(6)
    lengths = []
    for row in range(37):
        expected = [1860 + y for y in range(1, 240) if means[y, row] > means[:y, row].max()]
        assert years[offsets[row] : offsets[row + 1]].tolist() == expected
        lengths.append(len(expected))
    assert facts == {
        "values": sum(lengths),
        "offsets": 38,
        "shortest": min(lengths),
        "longest": max(lengths),
        "rectangle": 37 * max(lengths),
    }


# --- requests


def test_opening_takes_each_document_and_each_chunk_of_a_coordinate(left):
    _, facts, zarr_format = left
    to_open = facts["to_open"]
    # Six nodes; v2 has a document of attributes for each. One more is asked for and not there.
    documents = (1 + 5) * (1 if zarr_format == 3 else 2) + 1
    assert to_open["node by node"] == {"documents": documents, "lists": 1, "chunks": 4}
    assert to_open["years in chunks of one"] == {"documents": documents, "lists": 1, "chunks": 3 + 240}
    assert to_open["consolidated"]["lists"] == 0
    assert to_open["consolidated"]["documents"] < documents
    assert to_open["consolidated"]["chunks"] == 4
    assert facts["changed"] == {"documents": documents, "lists": 1, "chunks": 3 + 20}


def chunks_touched(selection, lengths):
    return len(list(itertools.product(*({i // n for i in axis} for axis, n in zip(selection, lengths, strict=True)))))


def test_an_axis_that_became_names_costs_documents_and_requests(left):
    _, facts, zarr_format = left
    everything = [range(n) for n in SHAPE]
    questions = {
        "a map": (range(1), range(1), *everything[2:]),
        "a place": (*everything[:2], range(1), range(1)),
    }
    for depth, (name, found) in enumerate(facts["one_or_many"].items()):
        arrays = math.prod(SHAPE[:depth])
        expected = {"documents": 1 + arrays if zarr_format == 3 else 2 * (1 + arrays) + 2}
        for question, box in questions.items():
            asked = math.prod(len(axis) for axis in box[:depth])
            expected[question] = asked * chunks_touched(box[depth:], (1, 60, 37, 49)[depth:])
        assert found == expected, name


def test_what_is_cut_otherwise_is_fetched_again_and_again(left):
    blocks = list(itertools.product(range(0, 37, 12), range(0, 49, 12)))
    for name, (chunks, requests) in left[1]["cut"].items():
        length = int(name.rpartition(" ")[2])
        assert chunks == -(-37 // length) * -(-49 // length)
        reads = [
            chunks_touched((range(r, min(r + 12, 37)), range(c, min(c + 12, 49))), (length, length)) for r, c in blocks
        ]
        assert requests == sum(reads)
    assert left[1]["blocks"] == len(blocks)


def test_xarray_on_zarr_python_loses_the_same_zeros(tmp_path, left):
    xr = pytest.importorskip("xarray")
    zarr = pytest.importorskip("zarr")
    for version in (2, 3):
        folder = tmp_path / f"v{version}.zarr"
        group = zarr.open_group(str(folder), mode="w", zarr_format=version)
        named = {"dimension_names": ["day"]} if version == 3 else {"attributes": {"_ARRAY_DIMENSIONS": ["day"]}}
        group.create_array("storms", data=np.array([3, 0, 0, 2]), **named)
        with xr.open_dataset(folder, engine="zarr", consolidated=False) as opened:
            assert left[1]["vanished"][str(version)] == float(opened["storms"].mean())
    assert left[1]["vanished"] == {"2": 5 / 2, "3": 5 / 4}


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    facts = left[1]
    assert set(facts) == set(committed)
    if left[2] == 3:
        assert facts == committed
