"""07_02 again, from outside: the stores read by others, tiles counted one by one, zones summed by bincount.

Tiles with a clear pixel are found by SciPy's maximum filter where the lesson reshapes; means by zone come from
np.bincount; sizes are those of the files. Nothing here imports this project's library.
"""

import math

import numpy as np
import pytest

from data_gen import satellite

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/07_geo/07_02_satellite_tiles.ipynb"
pytestmark = pytest.mark.gallery

DATES, N, EDGE, FIELD = 36, 192, 32, 6
CUTS = {"like_the_pixels": (1, EDGE, EDGE), "long_in_time": (DATES, EDGE, EDGE), "in_one": (DATES, N, N)}


@pytest.fixture(scope="module")
def made():
    return satellite.make("small")


@pytest.fixture(scope="module")
def data(made):
    return made.arrays


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_scenes_and_the_masks(left, data, read):
    out, _, zarr_format = left
    values, chunks, kept = read(out / "pixels.zarr")
    assert (chunks, kept) == ((1, EDGE, EDGE, 3), zarr_format)
    np.testing.assert_array_equal(values, data["pixels"])
    for name, cut in CUTS.items():
        values, chunks, kept = read(out / f"cloud_{name}.zarr")
        assert (chunks, kept) == (cut, zarr_format)
        np.testing.assert_array_equal(values, data["cloud"])


def tiles(mask, edge):
    """The tiles with a clear pixel, by the corners of a minimum over windows."""
    ndimage = pytest.importorskip("scipy.ndimage")
    least = ndimage.minimum_filter(mask, size=(1, edge, edge), origin=(0, -(edge // 2), -(edge // 2)))
    return least[:, ::edge, ::edge] == 0


def test_tiles_that_are_worth_a_request(committed, data):
    worth = tiles(data["cloud"], EDGE)
    assert (committed["tiles"], committed["needed"]) == (worth.size, int(worth.sum()))
    assert committed["skipped"] == pytest.approx(1 - worth.mean(), abs=1e-6)
    assert committed["cloud"] == pytest.approx(data["cloud"].mean(), abs=1e-6)
    for e, share in zip(committed["edges"], committed["skips"]["clouds"], strict=True):
        assert share == pytest.approx(1 - tiles(data["cloud"], e).mean(), abs=1e-6)
    for e in (EDGE, EDGE // 2):
        worth = tiles(data["cloud"], e)
        wanted = [1 - worth.mean(), worth.sum(), worth.sum() * e * e / (data["cloud"] == 0).sum()]
        assert committed["halved"][str(e)] == pytest.approx(wanted, abs=1e-6)


def test_scattered_clouds_leave_nothing_to_skip_as_the_chance_says(committed, data):
    cover = data["cloud"].mean(axis=(1, 2))
    for e, share in zip(committed["edges"], committed["skips"]["salt"], strict=True):
        expected = (cover ** (e * e)).mean()  # that all pixels of a tile are cloud, if each is drawn for itself
        assert share == pytest.approx(expected, abs=0.004 if e < 32 else 0.03)


def test_requests_are_the_chunks_of_mask_and_pixels(committed, data):
    needed, every = int(tiles(data["cloud"], EDGE).sum()), DATES * (N // EDGE) ** 2
    assert committed["requests"] == {
        "everything": every,
        "mask like the pixels": every + needed,
        "mask long in time": (N // EDGE) ** 2 + needed,
        "mask in one": 1 + needed,
    }
    assert committed["bands"] == {"together": every, "apart": 2 * every}
    inside = data["parcel"] == FIELD
    rows, columns = (i // EDGE for i in np.nonzero(inside))
    box = {(y, x) for y in range(rows.min(), rows.max() + 1) for x in range(columns.min(), columns.max() + 1)}
    t, y, x = np.nonzero((data["cloud"] == 0) & inside)
    pixels = {(a, b // EDGE, c // EDGE) for a, b, c in zip(t.tolist(), y.tolist(), x.tolist(), strict=True)}
    assert committed["of_field"] == {"mask": len(box), "pixels": len(pixels), "box": DATES * len(box)}


def test_megabytes_are_those_of_the_files(left, data):
    out, facts, zarr_format = left
    if facts["n"] != N:
        pytest.skip("quick only")

    def size(path):
        files = [f for f in path.rglob("*") if f.is_file() and "z" not in f.name]
        return sum(f.stat().st_size for f in files) / 1e6

    everything = size(out / "pixels.zarr")
    assert facts["megabytes"]["everything"] == pytest.approx(everything, abs=0.051)
    worth, used = tiles(data["cloud"], EDGE), 0
    for t, y, x in np.argwhere(worth).tolist():
        key = f"c/{t}/{y}/{x}/0" if zarr_format == 3 else f"{t}.{y}.{x}.0"
        used += (out / "pixels.zarr" / key).stat().st_size / 1e6
    for name in CUTS:
        wanted = used + size(out / f"cloud_{name}.zarr")
        assert facts["megabytes"][f"mask {name.replace('_', ' ')}"] == pytest.approx(wanted, abs=0.051)


def test_scenes_that_a_filter_keeps_and_the_field_by_bincount(committed, made, data):
    cloud, parcel = data["cloud"], data["parcel"]
    clear = cloud == 0
    clean = cloud.mean(axis=(1, 2)) < 0.2
    assert committed["clean_scenes"] == clean.sum()
    assert committed["kept_by_clean"] == pytest.approx(clear[clean].sum() / clear.sum(), abs=1e-6)
    red, infrared = (data["pixels"][..., k].astype("f8") for k in (1, 2))
    index = (infrared - red) / (infrared + red)
    errors, dates = [], []
    for t in range(DATES):
        zones = parcel[clear[t]]
        many = np.bincount(zones, minlength=40)
        if many[FIELD]:
            mean = np.bincount(zones, weights=index[t][clear[t]], minlength=40)[FIELD] / many[FIELD]
            errors.append(abs(mean - made.truth["ndvi"][t, FIELD]))
            dates.append(t)
    assert committed["dates_of_field"] == len(dates)
    assert committed["clean_dates_of_field"] == int(clean[dates].sum())
    assert committed["field_error"] == pytest.approx(max(errors), abs=1e-6)
    off = index.max(axis=0) - made.truth["ndvi"].max(0)[parcel]
    zones = np.bincount(parcel.ravel(), weights=off.ravel(), minlength=40), np.bincount(parcel.ravel(), minlength=40)
    water = np.array(made.truth["kind"]) == "water"
    for name, kind in (("land", ~water), ("water", water)):
        assert committed["composite"][name] == pytest.approx(zones[0][kind].sum() / zones[1][kind].sum(), abs=1e-6)
    assert 0 < committed["composite"]["land"] <= 0.02 < committed["composite"]["water"]


def test_water_in_unsigned_numbers(committed, made, data):
    water = np.array([kind == "water" for kind in made.truth["kind"]])[data["parcel"]] & (data["cloud"] == 0)
    red, infrared = (data["pixels"][..., k][water].astype("i8") for k in (1, 2))
    assert committed["water"] == pytest.approx(np.median((infrared - red) / (infrared + red)), abs=1e-6)
    wrapped = np.median((infrared - red) % 65_536 / ((infrared + red) % 65_536))
    assert committed["water_wrapped"] == pytest.approx(wrapped, abs=0.051)
    assert committed["water"] < 0 < committed["water_wrapped"]


def test_what_a_fill_value_of_zero_makes_of_the_sky(committed, data):
    first = data["cloud"][:, :EDGE, :EDGE]
    assert committed["shares"]["0"] == {"nodata": 1.0, "lost": 1.0}
    assert committed["fill_values"] == [0, 255]
    assert committed["percent"]["nodata"] == [100, 54]
    assert committed["shares"]["255"] == {"nodata": committed["cloud"], "lost": 0.0}
    assert (first == 0).mean() < 1


def test_percents_are_the_shares_as_they_are_written(committed):
    percent = committed["percent"]
    for name, share in (("cloud", "cloud"), ("kept", "kept_by_clean"), ("skipped", "skipped")):
        assert math.isclose(percent[name], 100 * committed[share], abs_tol=0.51)
    assert percent["skips"] == [round(100 * v) for v in committed["skips"]["clouds"]]
    assert percent["salt"] == [round(100 * v) for v in committed["skips"]["salt"]]
    assert percent["halved"] == [round(100 * v[0]) for v in committed["halved"].values()]
