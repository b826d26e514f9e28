"""Loaders in worker processes: each gives its part, by fork and by spawn, from a store that is open in the parent.

A handle that two processes shared would have one file position, or one connection, and each would now and then get
what the other one asked for. So the parent reads first, both workers read at the same time, and every element is
compared.
"""

import contextlib
import multiprocessing
import os
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.loaders import Loader
from tutorial_zarr.loaders.order import SHUFFLES
from tutorial_zarr.stores import LocalStore, MemoryStore, ZipStore

from .test_http import from_values, serving

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
METHODS = [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()]
ROWS = 2000
VALUES = np.random.default_rng(0).integers(0, 1 << 30, (ROWS, 8)).astype("i4")


@contextlib.contextmanager
def opened(kind, folder):
    """An array of `VALUES` and one of row numbers, in a store of that kind that is open for reading, and was read."""

    def fill(store):
        zarr.create_array(store, name="x", data=VALUES, chunks=(50, 8), compressors="zstd")
        zarr.create_array(store, name="y", data=np.arange(ROWS), chunks=(500,), compressors=None)

    def arrays(place):
        group = zarr.open_group(place, mode="r")
        found = {"x": group["x"], "y": group["y"]}
        assert np.array_equal(found["x"][:300], VALUES[:300])
        return found

    if kind == "folder":
        fill(LocalStore(folder / "a"))
        yield arrays(LocalStore(folder / "a"))
    elif kind == "zip":
        with ZipStore(folder / "a.zip", "w") as store:
            fill(store)
        with ZipStore(folder / "a.zip") as store:
            yield arrays(store)
    else:
        pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")
        memory = MemoryStore()
        zarr.create_group(memory)
        fill(memory)
        with serving(from_values({f"/a/{key}": value for key, value in memory.mapping.items()})) as (url, _):
            yield arrays(f"{url}/a")


def wrong_rows(batches):
    """Row numbers that came, and how many elements were not those of the array."""
    seen, wrong = [], 0
    for batch in batches:
        wrong += int((batch["x"] != VALUES[batch["y"]]).sum())
        seen += batch["y"].tolist()
    return seen, wrong


def work(loader, barrier, answers):
    """In a worker: two epochs, which begin when the others are ready."""
    barrier.wait(60)
    answers.put([wrong_rows(loader) for _ in range(2)])


@pytest.mark.parametrize("kind", ["folder", "zip", "http"])
@pytest.mark.parametrize(("method", "shuffle"), [(METHODS[0], "full"), (METHODS[0], "chunks"), ("spawn", "chunks")])
def test_two_processes_give_every_row_once_and_every_element_right(kind, method, shuffle, tmp_path):
    context = multiprocessing.get_context(method)
    with opened(kind, tmp_path) as arrays:
        loader = Loader(arrays, 64, shuffle=shuffle, buffer=4, seed=3)
        kept = iter(loader)
        next(kept)  # reads are ahead in the parent while it forks
        barrier, answers = context.Barrier(2), context.Queue()
        workers = [
            context.Process(target=work, args=(loader.shard(rank, 2), barrier, answers), daemon=True)
            for rank in range(2)
        ]
        for worker in workers:
            worker.start()
        seen, wrong = wrong_rows(kept)
        found = [answers.get(timeout=60) for _ in workers]
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0]
        assert (len(seen), wrong) == (ROWS - 64, 0)
    for epoch in range(2):
        parts = [part[epoch] for part in found]
        assert sum(wrong for _, wrong in parts) == 0
        assert sorted(row for rows, _ in parts for row in rows) == list(range(ROWS))


# --- PyTorch


@pytest.fixture
def data_loader():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.set_num_threads(1)
    return torch.utils.data.DataLoader


def taken(batches):
    """The row numbers of each batch of tensors; every element is compared."""
    found = []
    for batch in batches:
        rows = batch["y"].numpy()
        assert np.array_equal(batch["x"].numpy(), VALUES[rows])
        found.append(rows.tolist())
    return found


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_a_data_loader_without_workers_gives_the_batches_as_tensors(data_loader, shuffle, tmp_path):
    with opened("folder", tmp_path) as arrays:
        loader = Loader(arrays, 64, shuffle=shuffle, seed=1)
        batches = taken(data_loader(loader.dataset(), batch_size=None))
        assert batches == [rows.tolist() for rows in loader.indices(0)]
        assert loader.epoch == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["folder", "zip", "http"])
def test_the_worker_processes_of_a_data_loader_share_the_rows_out(data_loader, kind, method, tmp_path):
    with opened(kind, tmp_path) as arrays:
        loader, epochs = Loader(arrays, 64, buffer=4, seed=2), []
        for epoch in range(2):
            loader.set_epoch(epoch)
            options = {"batch_size": None, "num_workers": 2, "multiprocessing_context": method}
            epochs.append(taken(data_loader(loader.dataset(), **options)))
            assert sorted(row for rows in epochs[-1] for row in rows) == list(range(ROWS))
        assert epochs[0] != epochs[1]
        loader.load_state_dict(loader.state_dict(batch=13, workers=2) | {"epoch": 0})
        assert taken(data_loader(loader.dataset(), **options)) == epochs[0][13:]


@pytest.mark.slow
def test_workers_that_stay_go_on_to_the_next_epoch_by_themselves(data_loader, tmp_path):
    with opened("folder", tmp_path) as arrays:
        loader = Loader(arrays, 64, buffer=4)
        batches = data_loader(loader.dataset(), batch_size=None, num_workers=2, persistent_workers=True)
        first, second = taken(batches), taken(batches)
        assert first != second
        assert sorted(row for rows in second for row in rows) == list(range(ROWS))


@pytest.mark.slow
def test_a_state_for_other_workers_is_refused_in_the_worker(data_loader, tmp_path):
    with opened("folder", tmp_path) as arrays:
        loader = Loader(arrays, 64)
        loader.load_state_dict(loader.state_dict(batch=13, workers=3))
        with pytest.raises(ValueError, match="expected the 3 worker processes whose batches the state counts, found 2"):
            list(data_loader(loader.dataset(), batch_size=None, num_workers=2))


def test_threads_of_the_parent_are_not_in_its_children(tmp_path):
    """A child that is forked while reads are ahead has none of their threads, and reads by itself."""
    if "fork" not in METHODS:
        pytest.skip("this system does not fork")
    with opened("folder", tmp_path) as arrays:
        loader = Loader(arrays, 64, prefetch=4)
        kept = iter(loader)
        next(kept)
        child = os.fork()
        if child == 0:
            try:
                alone = threading.active_count() == 1
                seen, wrong = wrong_rows(loader.shard(0, 1))
                os._exit(not (alone and not wrong and sorted(seen) == list(range(ROWS))))
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
