"""A part of the hostile corpus in every run of the tests; all of it is ``python -m tests.faults.hostile_run``."""

import functools
import sys
import time

import pytest

from tutorial_zarr.errors import ZarrError

if not sys.platform.startswith("linux"):
    pytest.skip("needs fork and a limit on address space", allow_module_level=True)

from . import hostile_run

# Of each kind of attack one or two; the reprs, readers and commands that do most.
STORES = [
    "bomb gzip_in_gzip",
    "bomb shard_of_2_40_inner_chunks",
    "vast petabytes",
    "document deep_codecs",
    "open bomb zstd shard",
    "nasty 2",
    "nasty 3",
    "many attributes",
    "a long text as fill value",
    "an absent shard of many",
    "joined streams",
    "sparse zarr.json",
    "sparse c/0",
    "pipe c/0",
    "a link that leads out",
    "packed document",
    "a view that never ends",
    "changed 0",
    "changed 1",
    "changed 2",
]
QUICK = ("read", "show", "doctor", "info", "tree --json", "anatomy", "rechunk")


@functools.cache
def corpus():
    return list(hostile_run.corpus(3, 0))


@pytest.mark.parametrize("name", STORES)
@pytest.mark.filterwarnings("ignore")
def test_nothing_is_beyond_the_limits(name):
    found = [write for each, write in corpus() if each == name or each.startswith(name + ":")]
    assert len(found) == 1
    results = dict(hostile_run.meet(found[0], QUICK))
    assert list(results) == list(QUICK)
    assert {act: result for act, result in results.items() if result not in ("fine", "refused")} == {}


@pytest.mark.filterwarnings("ignore")
def test_what_is_beyond_them_is_noticed(monkeypatch):
    def refuse(place):
        raise ZarrError("no")

    def busy(place):
        while True:
            pass

    def network(place):
        __import__("socket").create_connection(("127.0.0.1", 9))

    acts = {
        "fine": lambda place: None,
        "refuses": refuse,
        "greedy": lambda place: bytearray(500 << 20),
        "busy": busy,
        "waits": lambda place: time.sleep(60),
        "dies": lambda place: __import__("os")._exit(3),
        "raises": lambda place: [][1],
        "asks": network,
        "last": lambda place: None,
    }
    monkeypatch.setattr(hostile_run, "ACTS", acts)
    monkeypatch.setattr(hostile_run, "SECONDS", 1)
    monkeypatch.setattr(hostile_run, "PATIENCE", 100)
    results = dict(hostile_run.meet(lambda folder: folder, tuple(name for name in acts if name != "waits")))
    monkeypatch.setattr(hostile_run, "PATIENCE", 1)
    results |= hostile_run.meet(lambda folder: folder, ("waits",))
    assert (results["fine"], results["refuses"], results["last"]) == ("fine", "refused", "fine")
    for name, words in (
        ("greedy", "MemoryError"),
        ("busy", "more than 1 s of the processor"),
        ("waits", "more than 1 s by the clock"),
        ("dies", "the process died"),
        ("raises", "IndexError"),
        ("asks", "the network"),
    ):
        assert results[name].startswith("BEYOND\t")
        assert words in results[name]
