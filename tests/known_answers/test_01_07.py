"""01_07 again, from outside: run the notebook, read the dataset that it left, and work out every answer anew.

What was appended day by day is read by zarr-python and compared with the record. The write amplification is counted by
filling an array of counters row by row, with no formula. Nothing here imports this project's library.
"""

import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/01_core_zarr/01_07_appendable_time_series.ipynb"
pytestmark = pytest.mark.gallery


@pytest.fixture(scope="module")
def record():
    with np.load(ROOT / "data_gen" / "vendor" / "buoy_b01.npz") as archive:
        return archive["time"], archive["temperature"]


def test_another_reader_sees_the_record_with_its_gaps(left, record):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    group = zarr.open_group(str(out / "buoy.zarr"), mode="r", zarr_format=zarr_format)
    for name, values in zip(("time", "temperature"), record, strict=True):
        np.testing.assert_array_equal(group[name][...], values[: facts["rows"]])
    assert group["temperature"].chunks == (facts["chunk"],)
    assert group["time"].chunks == (4096,)
    assert facts["readings"] == len(record[0])


def test_xarray_decodes_the_times(left, record):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    out, facts, zarr_format = left
    dataset = xarray.open_zarr(out / "buoy.zarr", consolidated=False, zarr_format=zarr_format)
    assert dataset.sizes["time"] == facts["rows"]
    times = dataset["time"].to_numpy().astype("datetime64[s]").astype("int64")
    np.testing.assert_array_equal(times, record[0][: facts["rows"]])


def written_for_each_row(block, chunk):
    """Rows written for each new row, by writing blocks into chunks until both end together."""
    rows = math.lcm(block, chunk)
    chunks = np.repeat(np.arange(rows // chunk), chunk)  # row -> its chunk
    return sum(len(set(chunks[start : start + block])) for start in range(0, rows, block)) * chunk / rows


def test_the_amplification_is_what_counting_gives(left):
    facts = left[1]
    chunk = facts["chunk"]
    for block, value in facts["formula"].items():
        assert value == pytest.approx(written_for_each_row(int(block), chunk))
    for block, value in facts["measured"].items():
        assert value == pytest.approx(written_for_each_row(int(block), chunk))
    assert facts["long_block"][1] == pytest.approx(written_for_each_row(facts["long_block"][0], chunk))
    assert facts["buffer"] == {"block": 7, "without": pytest.approx(written_for_each_row(7, chunk)), "with": 1.0}
    weeks = facts["weeks"]
    assert weeks["daily"] == pytest.approx(written_for_each_row(48, weeks["rows"]))
    assert weeks["monthly"] == pytest.approx(written_for_each_row(30 * 48, weeks["rows"]))


def test_the_edge_is_stored_whole(left):
    facts = left[1]
    assert facts["edge"] == {"rows": facts["chunk"] + 2, "bytes": facts["chunk"] * 4, "of_data": 2 * 4}
    assert facts["chunk_bytes"] == facts["chunk"] * 4


def test_the_times_of_a_year_take_as_many_requests_as_chunks(left):
    facts = left[1]
    for length, requests in facts["opening"].items():
        assert requests == -(-365 * 48 // int(length))
        assert facts["time_chunk_bytes"][length] == 8 * int(length)


def test_a_cut_shows_old_or_new_with_append_and_zeros_with_the_shape_first(left):
    facts = left[1]
    assert facts["torn"] == {"days": 4, "zeros": facts["chunk"]}
    days = [days for days, whole in facts["append_cut"] if whole]
    assert len(days) == len(facts["append_cut"]) == facts["cuts"] + 1
    assert days == [3] * facts["cuts"] + [4]


def test_the_gaps_are_those_of_the_record(left, record):
    facts, (time, _) = left[1], record
    steps = dict(facts["steps"])
    assert sum(steps.values()) == len(time) - 1
    assert all((np.diff(time) == step).sum() == count for step, count in steps.items())
    assert facts["gap_hours"] == (np.diff(time) / 3600).max()
    at = {"gap_year": np.argmax(np.diff(time)), "twice_year": np.argmin(np.diff(time))}
    assert {k: facts[k] for k in at} == {k: np.datetime64(int(time[i]), "s").astype(object).year for k, i in at.items()}
    hours = (time - time[0]) // 3600
    assert facts["shared_hours"] == len(time) - len(set(hours.tolist()))
    assert facts["times_twice"] == len(time) - len(set(time.tolist()))


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    facts = left[1]
    assert {k: v for k, v in facts.items() if k != "figures"} == {k: v for k, v in committed.items() if k != "figures"}
