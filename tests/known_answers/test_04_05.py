"""04_05 again, from outside: run the notebook, read the store that it left, and work out every answer anew.

The sky comes from the vendored file; the store is read by zarr-python and TensorStore. Waves are SciPy's, distances at
all places come from SciPy's correlation, bounds from windows of pixels. Nothing here imports this project's library.
"""

from pathlib import Path

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_05_vision_patch_pyramids.ipynb"
pytestmark = pytest.mark.gallery

SIDE, CELL = 32, 8


@pytest.fixture(scope="module")
def sky():
    return 4 * np.load(Path(__file__).parents[2] / "data_gen" / "vendor" / "deep_field.npz")["shades"]


def blocks(picture, size):
    rows, columns = (n // size for n in picture.shape)
    return picture[: rows * size, : columns * size].reshape(rows, size, columns, size).swapaxes(1, 2).astype("f8")


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_pixels_and_waves_of_scipy(left, sky, read):
    fft = pytest.importorskip("scipy.fft")
    out, facts, zarr_format = left
    pixels, chunks, kept = read(out / "sky.zarr", "pixels")
    assert np.array_equal(pixels, sky)
    assert (chunks, kept) == ((32, 32), zarr_format)
    assert facts["nchunks"] == 28 * 32
    fine, _, _ = read(out / "sky.zarr", "2")
    coarse, chunks, _ = read(out / "sky.zarr", "3")
    assert chunks == (16, 16, 4)
    waves = fft.dctn(blocks(sky, CELL), axes=(2, 3), norm="ortho")
    np.testing.assert_allclose(coarse, waves[:, :, :2, :2].reshape(109, 125, 4), rtol=0, atol=1e-3)
    np.testing.assert_allclose((waves**2).sum(axis=(2, 3)), (blocks(sky, CELL) ** 2).sum(axis=(2, 3)))  # Parseval
    means = (fine[..., 0] / 4).reshape(109, 2, 125, 2).mean(axis=(1, 3))  # a level is the mean of the one before
    np.testing.assert_array_equal(coarse[..., 0] / 8, means)


def distances(sky, cut):
    """The squared distance at every place, by correlation."""
    signal = pytest.importorskip("scipy.signal")
    one = np.ones((SIDE, SIDE))
    own = signal.fftconvolve(sky.astype("f8") ** 2, one, "valid")
    both = signal.fftconvolve(sky.astype("f8"), cut[::-1, ::-1].astype("f8"), "valid")
    return np.rint(own - 2 * both + (cut.astype("f8") ** 2).sum())


def test_each_galaxy_is_nearest_to_itself_and_the_coarse_sky_says_otherwise(committed, sky):
    coarse, wrong = blocks(sky, CELL).mean(axis=(2, 3)), 0
    for (y, x), found in zip(committed["galaxies"], committed["first_tries"], strict=True):
        assert (y % CELL, x % CELL) == (4, 4)  # the most there can be
        cut = sky[y : y + SIDE, x : x + SIDE]
        wanted = blocks(cut, CELL).mean(axis=(2, 3))
        apart = sum((coarse[i : i + 106, j : j + 122] - wanted[i, j]) ** 2 for i in range(4) for j in range(4)) * 64
        assert [8 * int(n) for n in np.unravel_index(apart.argmin(), apart.shape)] == found
        wrong += max(abs(found[0] - y), abs(found[1] - x)) >= CELL
        if (y, x) == (388, 108):
            assert committed["by_mistake"] == pytest.approx(apart.min())
            assert committed["at_home"] == pytest.approx(apart[y // 8, x // 8])
            exact = distances(sky, cut)
            assert exact.size == committed["places"]
            assert np.argwhere(exact == 0).tolist() == [[y, x]]
    assert (wrong, committed["right_of_nine"]) == (committed["wrong_of_nine"], 9 - wrong)


def test_the_cells_of_the_sky_are_never_further_apart_than_its_pixels(sky):
    cut = np.clip(sky[388:420, 108:140].astype(int) + np.arange(1024).reshape(32, 32) % 9 - 4, 0, 255)
    exact = distances(sky, cut)
    for y, x in [(0, 0), (388, 108), (391, 111), (840, 968), (456, 712), (500, 13)]:
        first_y, first_x = -y % CELL, -x % CELL
        inside = [p[first_y : first_y + 24, first_x : first_x + 24] for p in (sky[y : y + SIDE, x : x + SIDE], cut)]
        one, other = (blocks(p, CELL).mean(axis=(2, 3)) for p in inside)
        assert 64 * ((one - other) ** 2).sum() <= exact[y, x]


def test_counts_follow_from_the_places_that_are_left(committed):
    galaxies, dark = committed["summary"]["galaxies"], committed["summary"]["dark sky"]
    assert galaxies["places"] == round(np.median(committed["left_galaxies"]))
    assert galaxies["chunks"] == round(np.median(committed["chunks_galaxies"]))
    assert committed["spiral"] == {"compared": 1, "chunks": 4, "percent": 100 * 4 / 896}
    assert committed["requests"]["most"] <= galaxies["most_chunks"] < dark["fewest_chunks"]
    assert galaxies["first_try"] < committed["many"]
    assert committed["overhead"] == [1 + 1 / 4 + 1 / 16 + 1 / 64, 4 / 3]
    rivals = committed["rivals"]
    medians = [rivals[name]["median"] for name in ("four means of 4 x 4", "four waves of 8 x 8", "one mean of 8 x 8")]
    assert medians == sorted(medians)


def test_the_darkest_cells_are_made_up(committed, sky):
    with_zeros = np.zeros((880, 1008))
    with_zeros[:872, :1000] = sky
    cells = blocks(with_zeros, 16).mean(axis=(2, 3))
    half = {(54, x) for x in range(63)} | {(y, 62) for y in range(55)}
    for name, values in (("filled up with zeros", cells), ("whole cells only", cells[:54, :62])):
        order = np.argsort(values, axis=None, kind="stable")[:10]
        places = [divmod(int(n), values.shape[1]) for n in order]
        wanted = [sum(p in half for p in places), round(float(values.flat[order].mean()), 2)]
        assert committed["darkest"][name] == wanted
