"""09_04 again, from outside: zarr-python reads what was left, carving and attack are worked out with other tools.

Requests and objects are counted on paper. Nothing here imports this project's library.
"""

import gzip
import io
import itertools
import math
import struct

import numpy as np
import pytest

from data_gen import cohort

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/09_world/09_04_patient_cohorts.ipynb"
pytestmark = pytest.mark.gallery

PATIENT, PATIENTS, MEASURES, HOURS = 17, 64, 6, 168
LAYOUTS = {
    "a patient a chunk": (1, 6, 168),
    "8 patients a chunk": (8, 6, 168),
    "a measure a chunk": (64, 1, 168),
}


@pytest.fixture(scope="module")
def data():
    return cohort.make("small").arrays


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_everybody_but_her(left, data, read):
    out, facts, _ = left
    expected = data["vitals"].copy()
    expected[facts["patient"]] = math.nan
    for name in ("by_patient", "by_measure", "packed"):
        values, _, zarr_format = read(out / "hospital" / "cohort.zarr" / name)
        assert zarr_format == 3
        np.testing.assert_array_equal(values, expected)
    record = data["record"].copy()
    record[facts["patient"]] = 0
    np.testing.assert_array_equal(read(out / "hospital" / "cohort.zarr" / "record")[0], record)


def unpacked(raw):
    """The bytes of a file, and what gzip's own module makes of every place where one of its streams may begin."""
    yield raw
    for at in range(len(raw) - 2):
        if raw[at : at + 3] == b"\x1f\x8b\x08":
            whole = b""
            try:
                with gzip.open(io.BytesIO(raw[at:])) as stream:
                    while piece := stream.read1(1 << 20):  # what follows the stream is an error only afterwards
                        whole += piece
            except (OSError, EOFError):
                pass
            yield whole


def pieces_of(series):
    return [series[k : k + 4].tobytes() for k in range(len(series) - 3) if np.isfinite(series[k : k + 4]).all()]


def test_not_four_readings_of_hers_in_a_row_are_left_in_any_file(left, data):
    out, _, _ = left
    contents = [c for path in (out / "hospital").rglob("*") if path.is_file() for c in unpacked(path.read_bytes())]
    number = int(data["record"][PATIENT])
    hers = {piece for series in data["vitals"][PATIENT] for piece in pieces_of(series)}
    others = [series for row in range(PATIENTS) if row != PATIENT for series in data["vitals"][row]]
    hers -= {piece for series in others for piece in pieces_of(series)}  # four in a row can be another's as well
    assert len(hers) > 300
    for content in contents:
        assert str(number).encode() not in content
        assert struct.pack("<q", number) not in content
        assert hers.isdisjoint(content[at : at + 16] for at in range(len(content) - 15))
    neighbour = data["vitals"][PATIENT + 1, 0, :168].tobytes()
    assert sum(neighbour in content for content in contents) >= 3  # the same search finds those who stayed


def test_a_row_of_nan_leaves_seven_places_of_eight(committed):
    assert committed["counts"] == [8, 7, 6, 3, 0]
    states = list(committed["states"].values())
    assert [len(state) for state in states] == committed["counts"]
    for earlier, later in itertools.pairwise(states):
        assert set(later) < set(earlier)
    assert "shard" in committed["states"]["copies = NaN"]
    assert committed["states"]["documents"] == ["consolidated copy", "cache on disk", "backup"]
    assert committed["raw_only"] == 0
    assert committed["places"] == len(states[0])


def test_costs_are_those_of_the_borders(committed):
    for name, (n, m, h) in LAYOUTS.items():
        requests, read, objects, written = committed["costs"][name]
        assert requests == math.ceil(PATIENTS / n) * math.ceil(HOURS / h)
        assert objects == math.ceil(MEASURES / m) * math.ceil(HOURS / h)
        assert (written == 0) == (n == 1)  # nothing to write where the chunk is hers alone
        assert committed["costs_kb"][name] == [round(read / 1e3), round(written / 1e3)]
    sharded = committed["costs"]["a patient and measure, sharded"]
    assert sharded[0] == 1
    assert sharded[2] == MEASURES
    assert sharded[3] > committed["costs"]["a measure a chunk"][3]


def test_shares_and_the_bias_by_pandas(committed, data):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.moveaxis(data["vitals"], 1, -1).reshape(-1, MEASURES), columns=cohort.MEASURES)
    missing = frame.isna().mean()
    assert committed["missing"] == pytest.approx(missing.to_dict(), abs=1e-6)
    assert committed["missing_percent"] == [round(100 * share) for share in missing]
    lactate = committed["lactate"]
    assert lactate["measured"] == pytest.approx(frame["lactate"].astype("f8").mean(), abs=1e-4)
    assert lactate["percent"] == round(100 * (lactate["measured"] / lactate["real"] - 1))
    by_heart = pd.DataFrame(
        {
            "heart": [np.nanmean(row[0]) for row in data["vitals"]],
            "tests": [np.isfinite(row[3]).sum() for row in data["vitals"]],
        }
    ).sort_values("heart")["tests"]
    assert committed["tests_of_quarters"] == [by_heart[:16].mean(), by_heart[-16:].mean()]


def test_the_attack_by_pandas(committed, data):
    pd = pytest.importorskip("pandas")
    then = pd.DataFrame(data["vitals"][:, 0].astype("f8"))
    now = then.drop(index=PATIENT)
    found = then.mean().round(1) * then.count() - now.mean().round(1) * now.count()
    hers = then.loc[PATIENT]
    found[hers.isna()] = math.nan
    off = (found - hers).abs()
    days = found.groupby(found.index // 24).mean() - hers.groupby(hers.index // 24).mean()
    attack = committed["attack"]
    assert attack["hour"] == pytest.approx(off.mean(), abs=1e-3)
    assert attack["hour_most"] == pytest.approx(off.max(), abs=1e-3)
    assert attack["day_most"] == pytest.approx(days.abs().max(), abs=1e-3)
    assert attack["week"] == pytest.approx(abs(found.mean() - hers.mean()), abs=1e-3)
    # A mean that is rounded to a tenth is at most a twentieth off, for each of the patients in it.
    assert off.max() <= 0.05 * (then.count() + now.count()).max() + 1e-9


def test_the_shard_lost_what_the_index_no_longer_named(committed, data):
    raw = data["vitals"][PATIENT].tobytes()
    size = len(gzip.compress(raw, compresslevel=6, mtime=0))
    assert committed["shard"]["shrunk"] == pytest.approx(size, abs=20)
    assert committed["turned"] == {"bytes": False, "elements": True}
