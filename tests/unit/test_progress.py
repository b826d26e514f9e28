"""`progress=` means the same wherever it stands."""

import sys

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import progress as progress_module
from tutorial_zarr.progress import follow, meter


def recorder():
    seen = []
    return seen, lambda done, total: seen.append((done, total))


def test_a_function_is_told_after_each_step_how_many_are_done():
    seen, note = recorder()
    with meter(note, 5, "a job") as advance:
        advance()
        advance(4)
    assert seen == [(1, 5), (5, 5)]


def test_a_step_is_done_when_the_next_item_is_asked_for():
    seen, note = recorder()
    items = follow([10, 20], note, "a job")
    assert (next(items), seen) == (10, [])
    assert (next(items), seen) == (20, [(1, 2)])
    assert list(items) == []
    assert seen == [(1, 2), (2, 2)]


def test_an_unknown_total_is_none():
    seen, note = recorder()
    assert list(follow(iter("ab"), note, "letters")) == ["a", "b"]
    assert seen == [(1, None), (2, None)]


@pytest.mark.parametrize("silent", [None, False])
def test_nothing_is_shown_unless_it_is_asked_for(silent, capfd):
    assert list(follow(range(3), silent, "a job")) == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


def test_true_shows_a_bar_on_the_error_stream_when_the_job_takes_long(monkeypatch, capfd):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(progress_module, "SHOW_AFTER", 0)
    assert list(follow(range(3), True, "counting")) == [0, 1, 2]
    out, err = capfd.readouterr()
    assert out == ""
    assert "counting" in err
    assert "3/3" in err


def test_true_shows_nothing_for_a_job_that_is_done_at_once(capfd):
    assert list(follow(range(3), True, "counting")) == [0, 1, 2]
    assert capfd.readouterr().out == ""


def test_true_is_silent_without_tqdm(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert list(follow(range(3), True, "a job")) == [0, 1, 2]
    assert capfd.readouterr() == ("", "")


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match=r"progress: expected True, False, None or a function .* found 'yes'"):
        list(follow([1], "yes", "a job"))


def test_an_error_in_the_job_passes_through_the_meter():
    seen, note = recorder()

    def job():
        with meter(note, 2, "a job") as advance:
            advance()
            raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        job()
    assert seen == [(1, 2)]


def numbers():
    a = zarr.create_array({}, shape=(4,), chunks=(1,), dtype="u1")
    a[:] = np.arange(1, 5)
    return a


def test_chunks_are_counted_as_they_stream_and_as_they_are_mapped():
    seen, note = recorder()
    assert len(list(numbers().chunk_stream(progress=note))) == 4
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    seen, note = recorder()
    assert sorted(numbers().parallel_chunk_map(lambda coords, chunk: int(chunk[0]), progress=note)) == [1, 2, 3, 4]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(list(numbers().chunk_stream(progress=True))) == 4


def test_a_copy_counts_its_objects_and_consolidation_its_nodes():
    root = zarr.create_group({})
    root["a"], root["b/c"] = np.arange(3), np.arange(4)
    seen, note = recorder()
    zarr.copy(root["a"], root, "copy", progress=note)
    assert seen == [(1, 2), (2, 2)]  # zarr.json and one chunk
    seen, note = recorder()
    zarr.consolidate_metadata(root.store, progress=note)
    assert seen == [(n, None) for n in (1, 2, 3, 4, 5)]  # the root, a, b, b/c, copy
