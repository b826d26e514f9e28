"""gzip and zlib are decoded by isal, where it is installed, and by Python's zlib elsewhere: the outcome is the same."""

import zlib

import numpy as np
import pytest

from tutorial_zarr.codecs import compressors
from tutorial_zarr.codecs.registry import build
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.metadata import Extension

isal_zlib = pytest.importorskip("isal.isal_zlib", reason="isal is not installed")
PLAIN = np.cumsum(np.random.default_rng(0).integers(-2, 3, 150)).astype("i2").tobytes()


def outcome(codec, data):
    try:
        return bytes(codec.decode(data, len(PLAIN)))
    except (ZarrError, zlib.error, isal_zlib.IsalError):
        return None


@pytest.mark.parametrize("name", ["gzip", "numcodecs.zlib"])
def test_every_damaged_byte_and_every_cut_has_the_same_outcome(name, monkeypatch):
    codec = build(Extension(name, {"level": 5}))
    good = bytes(codec.encode(PLAIN))
    damaged = [good[:n] for n in range(len(good))] + [good + b"\0\0", good + b"x", good + good]
    for position in range(len(good)):
        damaged += [good[:position] + bytes([good[position] ^ flip]) + good[position + 1 :] for flip in (1, 8, 64, 255)]
    results = {}
    for decoder in (zlib.decompressobj, isal_zlib.decompressobj):
        monkeypatch.setattr(compressors, "zlib_decoder", lambda decoder=decoder: decoder)
        assert outcome(codec, good) == PLAIN
        results[decoder] = [outcome(codec, data) for data in damaged]
    ours, theirs = results.values()
    # The three high bits of gzip's flags are reserved, and only zlib looks at them.
    differ = [data for data, a, b in zip(damaged, ours, theirs, strict=True) if a != b]
    assert all(name == "gzip" and data[3] & 0xE0 for data in differ)
    assert ours.count(PLAIN) >= 2  # zeros at the end are padding, and the time in the header says nothing
    assert ours.count(None) > 500
