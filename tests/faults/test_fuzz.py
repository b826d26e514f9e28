"""A short fuzz of every target with one seed; the long one is ``python tests/faults/fuzz_run.py --inputs 1000000``."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fuzz_targets

TARGETS = {target.name: target for target in fuzz_targets.all_targets()}
INPUTS = 20
# Inputs that fuzzing found, and what they did: kept, so that they do it no more.
FOUND = {
    "chunk v3.codecs.numcodecs.pcodec": [  # made the decoder ask for 4 GiB, and end the process without them
        b"pco!\x03\x00null\x05\x0f\x04\x01\x03;\x00\x00\x10\x01\x01\x80\x00\x00\x00\xe7@\x00\xe2\xff\xff\x7f\x00",
    ],
    "chunk v3.codecs.zstd": [  # a frame without a size, and the beginning of another: never came back
        bytes.fromhex("28b52ffd003841000002000300060007 0028b52ffd"),
    ],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_changed_bytes_give_an_array_or_an_error_of_ours(name):
    target, rng = TARGETS[name], random.Random(name)
    with fuzz_targets.allowed():
        for data in FOUND.get(name, []):
            fuzz_targets.check(target, data)
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
        from tutorial_zarr.errors import CodecError

        raise CodecError("cannot decode") from MemoryError("5 TiB")

    with pytest.raises(fuzz_targets.Bug, match=r"memory was taken beyond the limit: 5 TiB"):
        fuzz_targets.check(fuzz_targets.Target("greedy", [b"x"], greedy), b"x")
