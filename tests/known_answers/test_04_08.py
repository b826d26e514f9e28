"""04_08 again, from outside: the same rows from a Philox of our own, the stores read by others, accuracies by SciPy.

Philox is written out here from its paper, number by number, with Python's integers; the normal distribution and the
nearest rows are SciPy's. Nothing here imports this project's library.
"""

import hashlib
import heapq
import math

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_08_synthetic_data_pipeline.ipynb"
pytestmark = pytest.mark.gallery

ROWS, CHUNK, FEATURES, SEED = 8_192, 256, 16, 0
WORD = (1 << 64) - 1


def philox(key, number):
    """Number `number` of the stream of a key of two words: Philox4x64-10 (Salmon et al. 2011)."""
    (k0, k1), (block, place) = key, divmod(number, 4)
    c = [block + 1, 0, 0, 0]  # NumPy counts up before it draws
    for _ in range(10):
        one, two = c[0] * 0xD2E7470EE14C6C93, c[2] * 0xCA5A826395121157
        c = [(two >> 64) ^ c[1] ^ k0, two & WORD, (one >> 64) ^ c[3] ^ k1, one & WORD]
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & WORD, (k1 + 0xBB67AE8584CAA73B) & WORD
    return c[place]


def element(row, feature):
    """One feature of one row, by itself."""
    first, second = ((philox((SEED, 1), 2 * (row * FEATURES + feature) + k) >> 11) * 2.0**-53 for k in (0, 1))
    noise = math.sqrt(-2 * math.log1p(-first)) * math.cos(2 * math.pi * second)
    return noise + (label(row) - 0.5) * 2 / 4


def label(row):
    return philox((SEED, 0), row) >> 63


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_other_readers_find_the_rows_of_a_philox_of_our_own(left, read, threads):
    out, _, zarr_format = left
    x, chunks, kept = read(out / f"by_{threads}.zarr", "x")
    assert (x.shape, chunks, kept) == ((ROWS, FEATURES), (CHUNK, FEATURES), zarr_format)
    y, chunks, _ = read(out / f"by_{threads}.zarr", "y")
    assert (y.shape, chunks) == ((ROWS,), (CHUNK,))
    for row in (0, 1, 255, 256, 4_353, ROWS - 1):
        assert int(y[row]) == label(row)
        np.testing.assert_allclose(x[row], [element(row, k) for k in range(FEATURES)], rtol=0, atol=6e-6)


def test_all_stores_hold_the_same_bytes(left):
    out, facts, _ = left
    folders = [sorted(p for p in (out / f"by_{many}.zarr").rglob("*") if p.is_file()) for many in (1, 2, 8)]
    hashes = {
        tuple((p.relative_to(out).as_posix().partition("/")[2], hashlib.sha256(p.read_bytes()).digest()) for p in files)
        for files in folders
    }
    assert len(hashes) == 1
    assert len(folders[0]) >= 2 * facts["chunks"]


def test_the_best_accuracy_is_the_normal_distributions(committed):
    stats = pytest.importorskip("scipy.stats")
    assert committed["best_accuracy"] == pytest.approx(stats.norm.cdf(1), abs=1e-6)
    assert committed["sum_of_labels"] == sum(label(row) for row in range(ROWS))


def rows_of_the_second_recipe(many):
    """What workers that are all seeded with the seed make, with the lesson's schedule worked out again."""
    speed = [int(bits) % 7 + 3 for bits in np.random.PCG64([SEED, 0]).random_raw(many)]
    generators, queue, made = [np.random.default_rng(SEED) for _ in range(many)], [(0, k) for k in range(many)], {}
    for chunk in range(ROWS // CHUNK):
        now, k = heapq.heappop(queue)
        y = generators[k].integers(0, 2, CHUNK)
        x = generators[k].standard_normal((CHUNK, FEATURES)) + np.where(y, 0.25, -0.25)[:, None]
        made[chunk] = np.column_stack([x, y]).astype("f4")
        heapq.heappush(queue, (now + speed[k], k))
    return np.concatenate([made[chunk] for chunk in sorted(made)])


@pytest.mark.parametrize("many", [1, 2, 8])
def test_the_nearest_row_is_a_twin(committed, many):
    spatial = pytest.importorskip("scipy.spatial")
    table = rows_of_the_second_recipe(many)
    job = "1 worker" if many == 1 else f"{many} workers"
    assert committed["distinct_rows"][job] == len({row.tobytes() for row in table})
    order = np.argsort(np.random.PCG64(SEED + 1).random_raw(ROWS), kind="stable")
    held, kept = order[: ROWS // 4], order[ROWS // 4 :]
    _, nearest = spatial.cKDTree(table[kept, :16].astype("f8")).query(table[held, :16].astype("f8"))
    right = (table[kept][nearest, 16] == table[held, 16]).mean()
    assert committed["accuracy_seed_in_each_worker"][job] == pytest.approx(right, abs=1e-9)
    if many != 2:
        assert (right > committed["best_accuracy"]) == (many == 8)


def test_how_many_datasets_each_recipe_makes_follows_from_what_it_depends_on(committed):
    different = committed["different"]
    assert different["seed and element"] == 1
    assert different["seed and chunk"] == 2  # two sizes of chunks
    assert different["one generator, shared"] >= 4  # nearly every job has an order of its own
    assert committed["advance_5"] == 5 * 4 + 1
    assert len(set(committed["first_of_three_seeds"].values())) == 1
    assert committed["same_cut"]["integers(0, 256, n, 'uint8')"] is False
    assert sum(committed["same_cut"].values()) == 3
    assert (committed["missing"], committed["puts"]) == ([3, 17, 30], 3)
