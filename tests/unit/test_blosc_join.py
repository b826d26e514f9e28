"""Blosc chunks joined into one: the same bytes as one by one, and the same errors."""

import itertools
import struct

import numpy as np
import pytest
from numcodecs import blosc

import tutorial_zarr as zarr
from tutorial_zarr.codecs import blosc_join
from tutorial_zarr.codecs.compressors import Blosc
from tutorial_zarr.errors import ChunkError, CodecError

CNAMES = ("blosclz", "lz4", "lz4hc", "zlib", "zstd")
COUNT = 5


def values(kind, nbytes, seed):
    rng = np.random.default_rng(seed)
    if kind == "random":
        return rng.integers(0, 256, nbytes, np.uint8)
    if kind == "constant":
        return np.full(nbytes, seed, np.uint8)
    return np.cumsum(rng.integers(-2, 3, nbytes // 2)).astype("u2").view(np.uint8)


def chunks_of(kind="smooth", nbytes=1 << 14, cname="lz4", level=5, shuffle=1, typesize=2, blocksize=0):
    plain = [values(kind, nbytes, seed) for seed in range(COUNT)]
    stored = [bytes(blosc.compress(p.tobytes(), cname.encode(), level, shuffle, blocksize, typesize)) for p in plain]
    return np.stack(plain), stored


def decoded(stored, nbytes):
    out = np.zeros((len(stored), nbytes), np.uint8)
    return out if blosc_join.decode(stored, out, blosc.decompress) else None


@pytest.mark.parametrize("cname", CNAMES)
def test_joined_chunks_decode_to_what_they_decode_to_alone(cname):
    joined = 0
    for nbytes, level, shuffle, typesize, kind, blocksize in itertools.product(
        (64, 1 << 12, 3 << 15), (1, 5), (0, 1, 2), (1, 2, 8, 20), ("smooth", "random"), (0, 1 << 15)
    ):
        plain, stored = chunks_of(kind, nbytes, cname, level, shuffle, typesize, blocksize)
        out = decoded(stored, nbytes)
        if out is not None:
            joined += 1
            np.testing.assert_array_equal(out, plain)
    assert joined > 40  # of 288: chunks that Blosc only copies, and those with a short last block, are not joined


def test_chunks_that_are_not_alike_are_not_joined():
    _, stored = chunks_of()
    for other in (chunks_of(typesize=4), chunks_of(shuffle=2), chunks_of(nbytes=1 << 13), chunks_of("random")):
        assert decoded([*stored[:2], other[1][0]], 1 << 14) is None
    assert decoded([*stored[:2], b""], 1 << 14) is None
    assert decoded([b"short", *stored], 1 << 14) is None
    assert decoded(stored, 1 << 13) is None


def test_no_stream_is_read_from_the_chunk_next_to_it():
    """Whatever one byte becomes: joined chunks are what each is by itself, or are not joined."""
    plain, stored = chunks_of(nbytes=1 << 12, typesize=2)
    codec, alone = Blosc("blosc", {"typesize": 2}), np.zeros(1 << 12, np.uint8)
    outcomes = {True: 0, False: 0}
    for position, byte in itertools.product(range(40), (0, 1, 2, 16, 127, 128, 255)):
        damaged = bytearray(stored[1])
        damaged[position] = byte
        try:
            codec.decode_into(bytes(damaged), alone)
            valid = True
        except (CodecError, RuntimeError):
            valid = False
        out = decoded([stored[0], bytes(damaged), *stored[2:]], 1 << 12)
        outcomes[out is not None] += 1
        if out is not None:
            assert valid, (position, byte)
            np.testing.assert_array_equal(out, np.stack([plain[0], alone, *plain[2:]]))
    assert min(outcomes.values()) > 0


def test_a_length_that_leads_into_the_next_chunk_is_refused():
    _, stored = chunks_of(nbytes=1 << 12, typesize=1)
    longer = bytearray(stored[0])
    (at,) = struct.unpack_from("<i", longer, 16)
    (length,) = struct.unpack_from("<i", longer, at)
    struct.pack_into("<i", longer, at, length + 40)
    assert decoded([bytes(longer), *stored[1:]], 1 << 12) is None


@pytest.mark.parametrize("shards", [None, (64, 64)])
def test_a_damaged_chunk_among_good_ones_is_named(shards):
    store = {}
    a = zarr.create_array(
        store, shape=(64, 64), chunks=(8, 64), shards=shards, dtype="uint16", compressors={"name": "blosc"}
    )
    a[...] = np.arange(64 * 64).reshape(64, 64) // 7
    key = "c/3/0" if shards is None else "c/0/0"
    data = bytearray(store[key])
    data[12:16] = b"\xff\xff\xff\x7f"  # the compressed size that the (first) chunk's header declares
    store[key] = bytes(data)
    with pytest.raises(ChunkError, match=rf"cannot decode the chunk at key '{key}'.*codec 'blosc': expected"):
        a[...]


def test_neighbours_are_decoded_straight_into_a_contiguous_output():
    a = zarr.create_array({}, shape=(1000,), chunks=(100,), dtype="float32", compressors={"name": "blosc"})
    a[:300] = np.arange(300)
    a[500:] = np.arange(500)  # chunks 3 and 4 are absent
    expected = np.concatenate([np.arange(300), np.zeros(200), np.arange(500)]).astype("float32")
    np.testing.assert_array_equal(a[...], expected)
    np.testing.assert_array_equal(a[50:950], expected[50:950])
    np.testing.assert_array_equal(a[::-1], expected[::-1])
