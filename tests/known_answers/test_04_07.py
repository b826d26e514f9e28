"""04_07 again, from outside: the runs read by others, sums by SciPy, and the chunks counted on the disk.

Which chunks must exist is worked out from the lengths with NumPy alone, and which do is what lies in the folder. To
SciPy the line of steps is a sparse matrix, whose product sums each run. Nothing here imports this project's library.
"""

import math

import numpy as np
import pytest

from .readers import tensorstore, tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_07_agent_trace_tensors.ipynb"
pytestmark = pytest.mark.gallery
RUNS, WIDTH, ROWS, COLUMNS = 512, 1200, 16, 64


def chunks_needed(lengths, rows=ROWS):
    """How many chunks of `COLUMNS` steps hold a step, by a mask of all cells."""
    mask = np.arange(math.ceil(WIDTH / COLUMNS) * COLUMNS) < np.asarray(lengths)[:, None]
    return int(mask.reshape(RUNS // rows, rows, -1, COLUMNS).any(axis=(1, 3)).sum())


@pytest.fixture
def line(left):
    """The steps in a line, where each run begins, and how long each is; read by zarr-python."""
    out, _, _ = left
    offsets = zarr_python(out / "line.zarr", "offsets")
    return zarr_python(out / "line.zarr", "steps"), offsets, np.diff(offsets)


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_each_run_in_the_rectangle_and_in_the_line(left, line, read):
    out, facts, zarr_format = left
    steps, offsets, lengths = line
    by_length = zarr_python(out / "index.zarr", "by_length")
    np.testing.assert_array_equal(zarr_python(out / "index.zarr", "lengths"), lengths)
    assert (np.diff(lengths[by_length]) >= 0).all()
    assert sorted(by_length) == list(range(RUNS))
    for name, order in (("arrived", range(RUNS)), ("sorted", by_length)):
        values, chunks, kept = read(out / f"{name}.zarr", "")
        assert (values.shape, chunks, kept) == ((RUNS, WIDTH, 8), (ROWS, COLUMNS, 8), zarr_format)
        for k, run in enumerate(order):
            np.testing.assert_array_equal(values[k, : lengths[run]], steps[offsets[run] : offsets[run + 1]])
            assert np.isnan(values[k, lengths[run] :]).all()
    assert (facts["runs"], facts["width"], facts["steps"]) == (RUNS, WIDTH, len(steps))
    assert facts["longest"] == lengths.max()


def test_the_sum_of_each_run_is_the_product_with_a_sparse_matrix(left, line):
    sparse = pytest.importorskip("scipy.sparse")
    out, facts, _ = left
    steps, offsets, lengths = line
    ones = sparse.csr_array((np.ones(len(steps)), np.arange(len(steps)), offsets), shape=(RUNS, len(steps)))
    sums = ones @ steps.astype("f8")
    np.testing.assert_allclose(np.nansum(tensorstore(out / "shards.zarr").astype("f8"), axis=1), sums, rtol=1e-12)
    assert facts["output_tokens_of_the_longest"] == sums[lengths.argmax(), 1]
    third = steps[offsets[lengths.argmax()] :][2 * COLUMNS : 3 * COLUMNS, 1].astype("f8").sum()
    assert facts["after_the_loss"] == facts["output_tokens_of_the_longest"] - third
    assert facts["longest_run"] == lengths.argmax()


def test_the_chunks_on_the_disk_are_those_that_the_lengths_ask_for(left, line):
    out, facts, _ = left
    _, _, lengths = line
    for name, fact, which in (
        ("arrived", "as they arrived", lengths),
        ("sorted", "sorted by length", np.sort(lengths)),
    ):
        folder = out / f"{name}.zarr"
        files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".z") and p.name != "zarr.json"]
        assert len(files) == chunks_needed(which) == facts["chunks"][fact]
        assert facts["share_percent"][fact] == round(100 * len(files) / facts["chunks_of_the_grid"], 1)
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        assert facts["bytes_kb"][fact] == round(size / 1000)
        assert facts["requests"][f"rectangle, {fact}"] == RUNS // ROWS * math.ceil(WIDTH / COLUMNS)
        assert facts["in_vain"][f"rectangle, {fact}"] == facts["requests"][f"rectangle, {fact}"] - len(files)
        assert facts["requests"][f"{fact}, by lengths"] == len(files) + (1 if name == "arrived" else 2)
        assert facts["in_vain"][f"{fact}, by lengths"] == 0


def test_the_other_requests_follow_from_the_lengths(left, line):
    out, facts, _ = left
    _, offsets, lengths = line
    assert facts["requests"]["rectangle, in shards"] == len(list((out / "shards.zarr").rglob("c/*/0/0")))
    assert facts["requests"]["one line of steps"] == math.ceil(offsets[-1] / (ROWS * COLUMNS)) + 1
    asked = RUNS * math.ceil(WIDTH / COLUMNS)
    assert facts["single"] == [asked, asked - chunks_needed(lengths, 1)]
    assert facts["single_percent"] == round(100 * chunks_needed(lengths, 1) / asked, 1)
    run = facts["run"]
    assert lengths[run] == 15
    neighbours = lengths[run // ROWS * ROWS :][:ROWS]
    in_a_row = math.ceil(WIDTH / COLUMNS)
    assert facts["one_run"]["rectangle"] == [in_a_row, in_a_row - math.ceil(neighbours.max() / COLUMNS)]
    parts = (offsets[run + 1] - 1) // (ROWS * COLUMNS) - offsets[run] // (ROWS * COLUMNS) + 1
    assert facts["one_run"]["one line of steps"] == [parts + 1, 0]
    assert facts["one_run"]["by its length"] == [2, 0]
    assert facts["one_run"]["in shards, by its length"] == [3, 0]  # the lengths, the shard's index, a chunk


def test_the_runs_are_as_long_as_published(left, line, committed):
    _, _, lengths = line
    assert committed["percentiles"] == {str(q): pytest.approx(np.percentile(lengths, q)) for q in (25, 50, 90, 99)}
    for share, published in ((25, 4), (50, 15), (90, 135), (99, 1107)):
        assert committed["percentiles"][str(share)] == pytest.approx(published, rel=0.25)
    assert committed["padding_percent"] == round(100 - 100 * lengths.sum() / (RUNS * WIDTH), 2)
    assert committed["bytes_saved_percent"] < 2
    assert committed["line_kb"] < min(committed["bytes_kb"].values())
