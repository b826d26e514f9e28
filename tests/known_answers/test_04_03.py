"""04_03 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

Pixels and labels are read by zarr-python and TensorStore and compared with the file they come from; a full shuffle is
the order of Philox's raw bits; chunks of a batch are SciPy's hypergeometric distribution; entropies are SciPy's; bytes
are those of the files; the model is written once more. Nothing here imports this project's library.
"""

import math

import numpy as np
import pytest

from data_gen import digits

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_03_training_data_loader.ipynb"
pytestmark = pytest.mark.gallery

ROWS, CHUNK, BATCH = 14_370, 256, 64
WAYS = ("order", "chunks", "blocks", "buffer", "larger", "full")


def full_shuffle():
    """The rows of epoch 0: the key says epoch 0, the stream that all parts share."""
    bits = np.random.Philox(np.random.SeedSequence(0, spawn_key=(0, 0, 0, 0)))
    return np.argsort(bits.random_raw(ROWS), kind="stable")


def entropies(labels):
    stats = pytest.importorskip("scipy.stats")
    parts = [labels[i : i + BATCH] for i in range(0, len(labels), BATCH)]
    return [float(stats.entropy(np.bincount(part, minlength=10))) for part in parts]


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
@pytest.mark.parametrize(("name", "chunks"), [("x", (CHUNK, 64)), ("y", (CHUNK,))])
def test_other_readers_see_the_digits_and_their_labels(left, read, name, chunks):
    expected = digits.make("small").arrays[{"x": "pixels", "y": "label"}[name]]
    values, found, zarr_format = read(left[0] / "digits.zarr" / name)
    np.testing.assert_array_equal(values, expected)
    assert (found, zarr_format) == (chunks, left[2])


def test_the_rows_are_sorted_and_none_is_a_test_row(left):
    data, labels = digits.make("small").arrays, zarr_python(left[0] / "digits.zarr" / "y")
    assert (np.diff(labels.astype(int)) >= 0).all()
    assert not set(data["original"].tolist()) & set(data["test_original"].tolist())
    facts = left[1]
    assert (facts["rows"], facts["test_rows"], facts["features"], facts["copies"]) == (ROWS, 360, 64, 10)
    assert (facts["chunks"], facts["batches"]) == (math.ceil(ROWS / CHUNK), math.ceil(ROWS / BATCH))
    assert facts["most_entropy"] == pytest.approx(math.log(10))
    assert facts["array_megabytes"] == ROWS * 64 * 4 / 1e6


def test_the_chunks_of_a_batch_are_those_of_the_hypergeometric_distribution(left):
    stats = pytest.importorskip("scipy.stats")
    sizes = [min(CHUNK, ROWS - first) for first in range(0, ROWS, CHUNK)]
    expected = sum(1 - stats.hypergeom.pmf(0, ROWS, size, BATCH) for size in sizes)
    facts = left[1]
    assert facts["chunks_of_a_batch"] == pytest.approx(expected, rel=1e-9)
    assert facts["expected_chunks"] == pytest.approx(expected * facts["batches"], rel=1e-9)
    assert facts["times_everything"] == pytest.approx(expected * facts["batches"] / len(sizes), rel=1e-9)


def stored(folder, zarr_format):
    """Bytes of each stored chunk of both arrays, by array and number."""
    sizes = {}
    for name in ("x", "y"):
        for number in range(math.ceil(ROWS / CHUNK)):
            key = {
                2: f"{number}.0" if name == "x" else f"{number}",
                3: f"c/{number}/0" if name == "x" else f"c/{number}",
            }
            file = folder / "digits.zarr" / name / key[zarr_format]
            sizes[name, number] = file.stat().st_size if file.exists() else 0
    return sizes


def test_the_bytes_of_an_epoch_are_those_of_the_files_as_often_as_they_are_read(left):
    facts, sizes = left[1], stored(left[0], left[2])
    for way in WAYS[:-1]:
        assert (facts["requests"][way], facts["bytes"][way]) == (2 * 57, sum(sizes.values()))
        assert facts["counted"][way] == {"requests": facts["requests"][way], "bytes": facts["bytes"][way]}
    order = full_shuffle()
    touched = [np.unique(order[i : i + BATCH] // CHUNK).tolist() for i in range(0, ROWS, BATCH)]
    assert facts["requests"]["full"] == 2 * sum(map(len, touched))
    assert facts["bytes"]["full"] == sum(sizes[name, c] for batch in touched for c in batch for name in ("x", "y"))
    assert facts["times_the_bytes"] == pytest.approx(facts["bytes"]["full"] / facts["bytes"]["buffer"])
    assert facts["more_bytes"] == 0
    assert facts["requests"]["full"] == pytest.approx(2 * facts["expected_chunks"], rel=0.01)


def test_the_orders_are_those_of_the_raw_bits(left):
    facts, order = left[1], full_shuffle()
    assert facts["orders"]["full"] == order[:200].tolist()
    assert facts["orders"]["order"] == list(range(200))
    assert np.array_equal(np.sort(order), np.arange(ROWS))
    bits = np.random.Philox(np.random.SeedSequence(0, spawn_key=(0, 0, 0, 0)))
    first = int(np.argsort(bits.random_raw(57), kind="stable")[0])  # the chunk that comes first
    assert {row // CHUNK for row in facts["orders"]["chunks"]} == {first}


def test_the_entropies_are_scipys(left):
    facts, labels = left[1], zarr_python(left[0] / "digits.zarr" / "y")
    for way, order in (("order", np.arange(ROWS)), ("full", full_shuffle())):
        assert facts["entropy"][way] == pytest.approx(np.mean(entropies(labels[order])), abs=1e-5)
    mixed = [facts["entropy"][way] for way in ("order", "chunks", "blocks", "buffer", "larger", "full")]
    assert mixed == sorted(mixed)
    assert mixed[-1] < facts["most_entropy"]


def test_a_model_learns_as_it_says_from_rows_in_order_and_from_a_full_shuffle(left):
    """The same model, written once more; its batches of epoch 1 are those of that epoch's key."""
    facts, data = left[1], digits.make("small").arrays
    x, y = zarr_python(left[0] / "digits.zarr" / "x"), zarr_python(left[0] / "digits.zarr" / "y")
    x, tests = (np.hstack([part.astype("f8"), np.ones((len(part), 1))]) for part in (x, data["test_pixels"]))
    keys = [np.random.Philox(np.random.SeedSequence(0, spawn_key=(epoch, 0, 0, 0))) for epoch in (0, 1)]
    shuffled = np.concatenate([np.argsort(key.random_raw(ROWS), kind="stable") for key in keys])
    for way, order in (("order", np.tile(np.arange(ROWS), 2)), ("full", shuffled)):
        weights, found = np.zeros((65, 10)), []
        for epoch in (0, ROWS):
            for i in range(0, ROWS, BATCH):
                rows = order[epoch + i : min(epoch + i + BATCH, epoch + ROWS)]
                scores = x[rows] @ weights
                shares = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
                shares[np.arange(len(rows)), y[rows]] -= 1
                weights -= 0.5 / len(rows) * x[rows].T @ shares
                found.append(np.mean(np.argmax(tests @ weights, axis=1) == data["test_label"]))
        assert facts["accuracy"][way] == pytest.approx(np.mean(found[-100:]), abs=2e-3)
    order, full = facts["accuracy"]["order"], facts["accuracy"]["full"]
    assert order < 0.3 < facts["accuracy"]["chunks"] < facts["accuracy"]["blocks"] < facts["accuracy"]["buffer"] < full
    assert facts["points_less"] == pytest.approx(100 * (full - facts["accuracy"]["buffer"]), abs=0.06)


def test_workers_that_share_nothing_see_each_row_twice(left):
    assert left[1]["careless"] == [2 * ROWS, ROWS]
    assert left[1]["batches_left"] == left[1]["batches"] - 100
    assert left[1]["chunks_read_again"]["blocks"] <= 2 * left[1]["buffer"] < left[1]["chunks_read_again"]["buffer"]


def test_memory_is_the_buffer_and_what_is_ahead(left):
    row, rows = 64 * 4 + 1, 8 * CHUNK + BATCH
    for ahead, megabytes in left[1]["memory_megabytes"].items():
        assert megabytes == row * (rows + (int(ahead) + 2) * CHUNK) / 1e6
