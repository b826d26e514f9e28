"""Blosc chunks decoded or encoded at once: the same bytes as one by one, and the same errors."""

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
NAMES = ("noshuffle", "shuffle", "bitshuffle")
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


@pytest.mark.parametrize("cname", CNAMES)
def test_rows_encoded_at_once_have_the_bytes_that_each_has_alone(cname):
    counts = {True: 0, False: 0}
    for nbytes, level, shuffle, typesize, blocksize in itertools.product(
        (1 << 12, 1 << 16, 3 << 15, 1 << 17), (0, 1, 5, 9), (0, 1, 2), (1, 2, 3, 8, 20), (0, 1 << 12, 1 << 15)
    ):
        codec = Blosc(
            "blosc",
            {"cname": cname, "clevel": level, "shuffle": NAMES[shuffle], "typesize": typesize, "blocksize": blocksize},
        )
        rows = np.stack([values(kind, nbytes, seed) for seed, kind in enumerate(("smooth", "constant", "smooth"))])
        found = codec.encode_all(rows)
        counts[found is not None] += 1
        if found is not None:
            assert found == [bytes(codec.encode(row)) for row in rows], (nbytes, level, shuffle, typesize, blocksize)
    assert min(counts.values()) > 20, counts


@pytest.mark.parametrize("cname", CNAMES)
def test_rows_that_hardly_become_smaller_have_the_bytes_that_each_has_alone(cname):
    """Blosc leaves a stream as it is where there is no room for it: the room depends on what stands before."""
    rng, nbytes, joined = np.random.default_rng(7), 1 << 16, 0
    for typesize, noisy in itertools.product((1, 2, 4), range(0, 101, 4)):
        codec = Blosc("blosc", {"cname": cname, "clevel": 5, "shuffle": "shuffle", "typesize": typesize})
        rows = rng.integers(0, 256, (6, nbytes), np.uint8)
        for i, row in enumerate(rows):
            row[: nbytes * (100 - noisy) // 100 + 40 * i] = i
        found = codec.encode_all(rows)
        joined += found is not None
        assert found is None or found == [bytes(codec.encode(row)) for row in rows]
    assert 10 < joined < 78


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


@pytest.mark.parametrize(
    ("chunks", "shards"), [((32, 64), None), ((128, 256), None), ((32, 64), (128, 256)), ((1, 300), None)]
)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_small_chunks_are_written_as_each_would_be_alone(zarr_format, chunks, shards):
    """Whole and in part, at the edge, empty ones and such as hardly become smaller, in folders and in shards."""
    rng, codec = np.random.default_rng(3), {"id": "blosc"} if zarr_format == 2 else {"name": "blosc"}
    values = np.cumsum(rng.integers(-2, 3, (150, 300)), axis=1).astype("uint16")
    values[:64, 64:128] = 0
    values[64:128, :64] = rng.integers(0, 1 << 16, (64, 64))
    expected, stored = values.copy(), []
    expected[10:100, 33:299] += np.uint16(1)
    if zarr_format == 2 and shards:
        pytest.skip("Zarr 2 has no shards")
    for step in (150, (shards or chunks)[0]):
        array = zarr.create_array(
            store := {}, zarr_format=zarr_format, shape=(150, 300), chunks=chunks, shards=shards, dtype="uint16",
            compressors=codec,
        )  # fmt: skip
        for i in range(0, 150, step):
            array[i : i + step] = values[i : i + step]
        array[10:100, 33:299] = expected[10:100, 33:299]
        np.testing.assert_array_equal(array[...], expected)
        stored.append(store)
    assert stored[0] == stored[1]
    assert len(stored[0]) > 2


def test_an_array_without_axes_is_written():
    for dtype in ("int8", np.dtype([("id", "<i4"), ("x", "<f8")])):
        value = np.ones((), dtype)
        a = zarr.create_array({}, shape=(), dtype=dtype, compressors={"name": "blosc"})
        a[...] = value
        assert a[...] == value
