"""A short fuzz of every target with one seed; the long one is ``python -m tests.faults.fuzz_run --inputs 1000000``.

What the long one found is tested where it was mended. Two finds were in decoders of others: pcodec took memory for the
numbers that a header promised, and zstd went on for ever where a second frame ended early (`test_hostile_data`).
"""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fuzz_targets

import tutorial_zarr as zarr
from tutorial_zarr.errors import CodecError, StoreError, ZarrError
from tutorial_zarr.stores import MemoryStore

TARGETS = {target.name: target for target in fuzz_targets.all_targets()}
INPUTS = 20


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_changed_bytes_give_an_array_or_an_error_of_ours(name):
    target, rng = TARGETS[name], random.Random(name)
    with fuzz_targets.allowed():
        for _ in range(INPUTS):
            fuzz_targets.check(target, fuzz_targets.mutate(rng.choice(target.seeds), rng, target.seeds))


@pytest.mark.filterwarnings("ignore")
def test_a_zip_file_changed_anywhere_opens_or_gives_an_error_of_ours():
    target = TARGETS["zip"]
    with fuzz_targets.allowed():
        for seed in target.seeds:
            for at in range(0, len(seed), 3):
                fuzz_targets.check(target, seed[:at] + bytes([seed[at] ^ 0x80]) + seed[at + 1 :])


def test_a_bug_is_noticed():
    def broken(data):
        raise KeyError(data)

    with pytest.raises(KeyError, match=r"x"):
        fuzz_targets.check(fuzz_targets.Target("broken", [b"x"], broken), b"x")

    def greedy(data):
        raise CodecError("cannot decode") from MemoryError("5 TiB")

    with pytest.raises(fuzz_targets.Bug, match=r"memory was taken beyond the limit: 5 TiB"):
        fuzz_targets.check(fuzz_targets.Target("greedy", [b"x"], greedy), b"x")

    def its_own(data):
        error = ZarrError("round")
        raise error from error

    with pytest.raises(fuzz_targets.Bug, match=r"its own cause"):
        fuzz_targets.check(fuzz_targets.Target("its own", [b"x"], its_own), b"x")


def test_an_error_of_the_store_reaches_the_reader_as_it_is(tmp_path):
    class Fails(MemoryStore):
        def get(self, key, byte_range=None):
            if key.startswith("c"):
                raise failure
            return super().get(key, byte_range)

    failure = StoreError("503: slow down")
    failure.__cause__ = OSError("no route to host")
    array = zarr.create_array(Fails(), shape=(4,), chunks=(2,), dtype="u1")
    with pytest.raises(StoreError) as raised:
        array[...]
    assert raised.value is failure
    assert str(raised.value.__cause__) == "no route to host"
