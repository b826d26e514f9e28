"""09_03 again, from outside: poses by geometry, means by SciPy's circular mean, moves by the published polynomial.

Requests and objects are counted on paper. Nothing here imports this project's library.
"""

import itertools
import math

import numpy as np
import pytest

from data_gen import robot

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/09_world/09_03_robot_trajectories.ipynb"
pytestmark = pytest.mark.gallery

DEGREES, RATE, CHUNK = 360 / 65_536, 500, 4096


@pytest.fixture(scope="module")
def data():
    return robot.make("small").arrays


@pytest.fixture(scope="module")
def blocks(data):
    """Begin and end of each second; the last of a trajectory may be short."""
    offset = data["offset"].tolist()
    return [(s, min(s + RATE, b)) for a, b in itertools.pairwise(offset) for s in range(a, b, RATE)]


def apart(one, other):
    """Degrees between two directions, by the angle between two arrows."""
    one, other = np.exp(1j * np.deg2rad(one)), np.exp(1j * np.deg2rad(other))
    return np.abs(np.rad2deg(np.angle(one / other)))


def circular(block):
    stats = pytest.importorskip("scipy.stats")
    return stats.circmean(block * DEGREES, high=180, low=-180, axis=0)


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_counts_the_offsets_and_the_overview(left, data, blocks, read):
    out, facts, zarr_format = left
    values, chunks, kept = read(out / "arm.zarr" / "counts")
    assert (chunks, kept) == ((CHUNK, 6), zarr_format)
    np.testing.assert_array_equal(values, data["counts"])
    np.testing.assert_array_equal(read(out / "arm.zarr" / "offset")[0], data["offset"])
    overview = read(out / "arm.zarr" / "overview")[0]
    assert overview.dtype == np.dtype("i2")
    assert len(overview) == len(blocks) == facts["seconds"]
    means = np.array([data["true"][s:e].mean(axis=0) for s, e in blocks])
    assert apart(overview * DEGREES, means).max() < 0.02
    still = [k for k, (s, e) in enumerate(blocks) if (data["true"][s:e] == data["true"][s]).all()]
    assert len(still) >= facts["seconds_at_rest"]
    for k in still[:20]:  # where nothing moves, SciPy's circular mean is the mean
        s, e = blocks[k]
        assert apart(overview[k] * DEGREES, circular(data["counts"][s:e])).max() < 0.02
    a, b = data["offset"][12:14]
    np.testing.assert_array_equal(read(out / "each.zarr" / "t012")[0], data["counts"][a:b])


def rotation(axis, degrees):
    transform = pytest.importorskip("scipy.spatial.transform")
    return transform.Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


@pytest.mark.parametrize("angles", [(0, 0, 0, 0, 0, 0), (0, 90, -90, 0, 0, 0), (30, -20, 50, 70, -40, 180)])
def test_poses_are_those_of_rotations_about_axes(committed, angles):
    """Link after link: turn about z, go d along z and a along x, turn about x."""
    turned, place = np.eye(3), np.zeros(3)
    for q, (a, d, quarter) in zip(angles, robot.LINKS, strict=True):
        place = place + turned @ (np.array([0, 0, d]) + rotation("z", q) @ [a, 0, 0])
        turned = turned @ rotation("z", q) @ rotation("x", 90 * quarter)
    found = robot.pose(np.array(angles))
    np.testing.assert_allclose(found[:3, 3], place, atol=1e-9)
    np.testing.assert_allclose(found[:3, :3], turned, atol=1e-9)
    for name, (q, published) in robot.POSES.items():
        np.testing.assert_allclose(committed["poses"][name], published, atol=1.01e-4)
        if q == angles:
            np.testing.assert_allclose(place, published, atol=1e-4)
    assert committed["wrist_moves_mm"] == 0


def test_the_top_speed_of_a_move_is_15_eighths_of_its_mean(committed):
    """s(t) = 10 t^3 - 15 t^4 + 6 t^5: s' = 30 t^2 (1 - t)^2, which is largest in the middle."""
    assert 30 * 0.5**2 * 0.5**2 == 15 / 8
    assert committed["ratio"] == pytest.approx(15 / 8, abs=1e-3)


def test_bad_means_are_counted_the_same_way(committed, data, blocks):
    busy = np.zeros(len(data["counts"]), bool)
    for start, stop in data["moves"]:
        busy[start:stop] = True
    joint, true = data["counts"][:, 5], data["true"][:, 5]
    still = np.array([not busy[s:e].any() for s, e in blocks])
    was = np.array([true[s:e].mean() for s, e in blocks])
    plain = apart(np.array([joint[s:e].mean() for s, e in blocks]) * DEGREES, was)
    short = [joint[s] + (joint[s:e].astype("i8") - joint[s] + 32_768) % 65_536 - 32_768 for s, e in blocks]
    other = apart(np.array([x.mean() for x in short]) * DEGREES, was)
    assert committed["seconds_at_rest"] == int(still.sum())
    for name, error in (("plain_mean", plain), ("short_mean", other)):
        shares = [(error[which] > 90).mean() for which in (still, ~still)]
        assert committed["bad"][name] == pytest.approx(shares, abs=1e-6)
        assert committed["largest_error"][name] == pytest.approx(error.max(), abs=2e-4)
    assert committed["bad_percent"] == [round(100 * x) for x in committed["bad"]["plain_mean"]]
    assert committed["bad_seconds"] == int((plain > 90).sum())
    assert committed["bad_percent_of_all"] == round(100 * (plain > 90).mean())
    assert committed["bad"]["plain_mean"][0] > committed["bad"]["plain_mean"][1]


def test_objects_and_requests_are_those_of_the_borders(committed, data):
    offset, n = data["offset"].tolist(), len(data["counts"])
    pieces = [math.ceil((b - a) / CHUNK) for a, b in itertools.pairwise(offset)]
    chunks = math.ceil(n / CHUNK)
    assert committed["objects"] == {"one array": chunks + 1, "one each": sum(pieces) + len(pieces) + 1}
    a, b = offset[12:14]
    assert committed["cut"] == {"one array": [1, (b - 1) // CHUNK - a // CHUNK + 1], "one each": [1, pieces[12]]}
    assert committed["joint_of_all"] == {"one array": chunks, "one each": sum(pieces) + len(pieces)}
    assert committed["bytes"] == n * 6 * 2
    assert committed["overview_bytes"] == committed["seconds"] * 6 * 2
    assert committed["seams"][1] == chunks - 1


def test_seams_are_where_a_chunk_begins_on_the_other_side(committed, data, blocks):
    """Each chunk, unwrapped alone, is off by whole turns from one that was unwrapped in a row."""
    joint = data["counts"][:, 5] * DEGREES
    row = np.rad2deg(np.unwrap(np.deg2rad(joint)))
    turns = [round((row[s] - joint[s]) / 360) for s in range(0, len(joint), CHUNK)]  # by which the chunk is low
    assert committed["seams"][0] == sum(a != b for a, b in itertools.pairwise(turns))
    low = np.repeat(turns, CHUNK)[: len(joint)]
    was = np.array([data["true"][s:e, 5].mean() for s, e in blocks])
    off = apart(np.array([(row - 360 * low)[s:e].mean() for s, e in blocks]), was)
    assert committed["wrong_seconds"] == int((off > 1).sum())
    assert committed["largest_seam_error"] == pytest.approx(off.max(), abs=0.01)


def test_new_samples_between_two_are_as_often_wrong_as_it_says(committed, data):
    joint, true = data["counts"][:, 5] * DEGREES, data["true"][:, 5]
    bad, n = 0, 0
    for a, b in itertools.pairwise(data["offset"].tolist()):
        between = np.interp(np.arange(b - a - 1) + 0.5, np.arange(b - a), joint[a:b])
        bad += int((apart(between, (true[a : b - 1] + true[a + 1 : b]) / 2) > 90).sum())
        n += b - a - 1
    assert committed["between_bad_percent"] == [round(100 * bad / n, 1), 0.0]
