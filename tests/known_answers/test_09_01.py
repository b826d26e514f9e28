"""09_01 again, from outside: stores read by others, runs and counts by pandas, writes by walking through the arrivals.

Nothing here imports this project's library.
"""

import numpy as np
import pytest

from data_gen import buoy, sensors

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/09_world/09_01_iot_sensor_fleets.ipynb"
pytestmark = pytest.mark.gallery

DAY, ROWS = 1440, 16


@pytest.fixture(scope="module")
def data():
    return sensors.make("small")


@pytest.fixture(scope="module")
def chunks(data):
    """A table of all readings: chunk, the midnight that closes it, and the minute of arrival."""
    pd = pytest.importorskip("pandas")
    arrival = data.arrays["arrival"]
    device, minute = np.indices(arrival.shape)
    table = pd.DataFrame({"minute": minute.ravel(), "came": arrival.ravel()})
    table["midnight"] = (table["minute"] // DAY + 1) * DAY
    table["chunk"] = device.ravel() // ROWS * 1000 + table["minute"] // DAY
    return table


def written(table, wait, by="came", every=1):
    """Writes of each chunk: one, and one for each distinct period in which something late comes."""
    late = table[table["came"] >= table["midnight"] + wait]
    extra = (late[by] // every).groupby(late["chunk"]).nunique()
    return 1 + extra.reindex(table["chunk"].unique(), fill_value=0)


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_fleet_as_one_batch_would_have_written_it(left, data, read):
    out, facts, zarr_format = left
    values, chunks, kept = read(out / "fleet.zarr" / "values")
    assert (chunks, kept) == ((ROWS, DAY, 4), zarr_format)
    np.testing.assert_array_equal(values, data.arrays["values"])
    quality, _, _ = read(out / "fleet.zarr" / "quality")
    assert np.array_equal(quality == 0, np.isnan(values[..., 0]))
    assert [int((quality == code).sum()) for code in range(3)] == facts["quality"]


def test_losses_come_in_runs_as_the_two_states_say(committed, data):
    pd = pytest.importorskip("pandas")
    lost = np.delete(data.arrays["arrival"], data.truth["dead"], axis=0) < 0
    lengths = []
    for row in lost:
        series = pd.Series(row)
        lengths += series.groupby((series != series.shift()).cumsum()).sum().loc[lambda n: n > 0].tolist()
    assert committed["loss_theory"] == pytest.approx(0.002 / 0.052, abs=1e-6)
    assert committed["loss_found"] == pytest.approx(lost.mean(), abs=1e-6)
    assert (committed["runs"], committed["mean_run"]) == (len(lengths), pytest.approx(np.mean(lengths), abs=1e-6))
    assert abs(np.mean(lengths) - 20) < 4 * 20 / len(lengths) ** 0.5  # the deviation of a geometric run is its mean
    for k, share in committed["runs_as_long"].items():
        assert share == pytest.approx(np.mean(np.array(lengths) >= int(k)), abs=1e-6)
        assert share == pytest.approx(0.95 ** (int(k) - 1), abs=0.04)


def test_the_buoys_gaps_by_its_clock(committed):
    time = buoy.make("small").arrays["time"]
    whole = np.arange(time[0], time[-1] + 1, 1800)
    missing = np.flatnonzero(~np.isin(whole, time))
    gaps = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    assert committed["buoy_gaps"] == [len(gap) for gap in gaps]
    assert (committed["buoy_missing"], committed["buoy_readings"]) == (len(missing), len(time))
    assert committed["buoy_half_hours"] == len(whole)


def test_late_readings_and_their_delays(committed, chunks):
    late = chunks[chunks["came"] > chunks["minute"]]
    delay = late["came"] - late["minute"]
    after = (chunks["came"] >= chunks["midnight"]).sum()
    assert committed["late"] == pytest.approx(len(late) / len(chunks), abs=1e-6)
    assert (committed["mean_delay"], committed["longest_delay"]) == (round(delay.mean()), delay.max())
    assert committed["after_midnight_readings"] == after
    assert committed["after_midnight"] == pytest.approx(after / len(chunks), abs=1e-6)
    hours = [delay.mean() / 60, delay.max() / 60, committed["enough"] / 60]
    assert committed["hours"] == [round(float(value), 1) for value in hours]


def test_writes_are_the_minutes_that_bring_something_late(committed, chunks):
    at_once = written(chunks, 0)
    assert committed["chunks"] == len(at_once)
    assert committed["at_once"] == {
        "writes": at_once.sum(),
        "mean": pytest.approx(at_once.mean(), abs=1e-6),
        "most": at_once.max(),
    }
    assert committed["late_share_of_writes"] == pytest.approx(1 - len(at_once) / at_once.sum(), abs=1e-6)
    for wait, mean in committed["patience"].items():
        assert mean == pytest.approx(written(chunks, int(wait)).mean(), abs=1e-6)
    enough = committed["enough"]
    assert written(chunks, enough).mean() <= 1.1 < written(chunks, enough - 1).mean()
    assert committed["enough_mean"] == pytest.approx(written(chunks, enough).mean(), abs=1e-6)
    assert committed["at_most"] == 1.1
    passes = written(chunks, 0, every=DAY)
    assert committed["corrected"]["writes"] == passes.sum()
    assert committed["corrected"]["mean"] == pytest.approx(passes.mean(), abs=1e-6)
    assert committed["corrected"]["most"] == passes.max()
    counts = [at_once.sum(), written(chunks, enough).sum(), passes.sum()]
    assert list(committed["puts"].values()) == counts


def test_chunks_of_all_devices_meet_more_late_readings(committed, chunks):
    length = committed["across"]["length"]
    assert length * 64 == DAY * ROWS
    table = chunks.assign(chunk=chunks["minute"] // length, midnight=(chunks["minute"] // length + 1) * length)
    counts = written(table, 0)
    assert committed["across"]["writes"] == counts.sum()
    assert committed["across"]["mean"] == pytest.approx(counts.mean(), abs=1e-6)


def test_the_planted_devices_are_found_and_no_others(committed, data):
    assert committed["drifting"] == data.truth["drifting"]
    assert (committed["stuck"], committed["dead"]) == ([data.truth["stuck"]], [data.truth["dead"]])
    values = data.arrays["values"].astype(float)
    first, last = (np.nanmean(values[:, days, 0], axis=1) for days in (slice(DAY), slice(2 * DAY, 3 * DAY)))
    change = last - first
    found = np.flatnonzero(np.abs(change - np.median(change)) > 0.8)
    assert found.tolist() == committed["drifting"]


def test_the_slowest_device_and_the_longest_silence(committed, data):
    arrival = data.arrays["arrival"]
    assert committed["days_closed"] == data.truth["dies"] // DAY
    silences = []
    for row in np.delete(arrival, data.truth["dead"], axis=0):
        heard = np.sort(row[(row >= 0) & (row < arrival.shape[1])])
        silences.append((heard[1:] - heard[:-1]).max())
    assert committed["silence_hours"] == round(max(silences) / 60, 1)


def test_percents_are_the_shares_as_they_are_written(committed):
    percent = committed["percent"]
    assert percent["loss_theory"] == round(100 * committed["loss_theory"], 1)
    assert percent["loss_found"] == round(100 * committed["loss_found"], 2)
    assert percent["runs_as_long"] == round(100 * committed["runs_as_long"]["20"])
    assert percent["late"] == round(100 * committed["late"], 1)
    assert percent["after_midnight"] == round(100 * committed["after_midnight"], 2)
    assert percent["of_writes"] == round(100 * committed["late_share_of_writes"], 1)
