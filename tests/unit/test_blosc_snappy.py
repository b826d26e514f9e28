"""Taking a Blosc chunk apart: proved on chunks that Blosc itself wrote, with zlib inside in the place of snappy."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from tutorial_zarr.codecs import blosc_snappy

blosc = pytest.importorskip("numcodecs.blosc")


@pytest.mark.parametrize("typesize", [1, 2, 4, 8, 16, 17])
@pytest.mark.parametrize("shuffle", [0, 1, 2])
@pytest.mark.parametrize("blocksize", [0, 1024])
def test_the_container_is_taken_apart_as_blosc_puts_it_together(typesize, shuffle, blocksize):
    steps = np.random.default_rng(0).integers(0, 3, 100_003 * typesize)
    taken_apart = 0
    for elements in (1, 5, 100, 1000, 100_003):
        data = (np.cumsum(steps[: elements * typesize]) >> 5).astype("u1").tobytes()
        chunk = blosc.compress(data, b"zlib", 5, shuffle, blocksize, typesize)
        if not chunk[2] & 2:  # too small to be worth compressing: stored as it is
            assert blosc_snappy.decode(chunk, lambda stream, size: zlib.decompress(stream)) == data
            taken_apart += 1
    assert taken_apart >= 2


def test_a_block_size_of_zero_is_an_error_and_no_endless_loop():
    with pytest.raises(ValueError, match="block size"):
        blosc_snappy.decode(bytes([2, 1, 64, 1]) + bytes(12), lambda stream, size: stream)
