"""Zarr v2: every compressor and every filter of numcodecs, with chunks in their own container formats.

The bytes come from the standard library and from `spec.build`; those of Blosc's inner compressors, pcodec and
zfp, which have no other writer, from their C libraries.
"""

import base64
import bz2
import gzip
import itertools
import lzma
import struct
import zlib

import numpy as np
import pytest

from spec.build import (
    NUMCODECS,
    V2,
    Literal,
    Read,
    be,
    bits,
    blosc_snappy,
    blosc_stored,
    check_folders,
    check_read,
    fletcher32,
    le,
    lz4_block,
    read,
    table,
    v2,
    with_crc,
    zstd_frame,
)
from tutorial_zarr.errors import MissingDependencyError

COMPRESSOR, FILTERS = V2 + "#chunks", V2 + "#filters"
RAW = le("i", *range(-30, 30))
SIXTY = np.arange(-30, 30, dtype="i4")
SCORE = b"Four score and seven years ago"  # the test vector in the source of lookup3


def compressed(id, compressor, chunk, dtype="<i4", expected=SIXTY, spec=COMPRESSOR, **more):
    n = expected.size
    return Read(
        f"v2.codec.{id}",
        spec,
        v2([n], [n], dtype, {"0": chunk}, compressor=compressor, fill=None),
        expected,
        **more,
    )


def filtered(id, filters, chunk, dtype, expected, compressor=None, **more):
    n = expected.size
    store = v2([n], [n], dtype, {"0": chunk}, filters=filters, compressor=compressor, fill=None)
    return Read(f"v2.filter.{id}", FILTERS, store, expected, **more)


def blosc_config(cname="lz4", shuffle=1, **more):
    return {"id": "blosc", "cname": cname, "clevel": 5, "shuffle": shuffle, "blocksize": 0} | more


def blosc_cases():
    from numcodecs import blosc

    for cname, shuffle in itertools.product(("blosclz", "lz4", "lz4hc", "zlib", "zstd"), (0, 1, 2)):
        chunk = blosc.compress(np.frombuffer(RAW * 20, "i4"), cname.encode(), 5, shuffle, 0)
        yield compressed(
            f"blosc.{cname}.shuffle_{shuffle}",
            blosc_config(cname, shuffle),
            chunk,
            expected=np.tile(SIXTY, 20),
        )
    two_blocks = blosc.compress(np.frombuffer(RAW * 20, "i4"), b"lz4", 5, 1, 2048)
    yield compressed("blosc.blocksize", blosc_config(blocksize=2048), two_blocks, expected=np.tile(SIXTY, 20))
    yield compressed("blosc.shuffle_auto", blosc_config(shuffle=-1), blosc_stored(RAW, 4))
    yield compressed("blosc.minimal", {"id": "blosc"}, blosc_stored(RAW, 4))
    yield compressed("blosc.typesize_member", blosc_config(typesize=4), blosc_stored(RAW, 4))
    yield compressed("blosc.stored", blosc_config(), blosc_stored(RAW))


def lzma_config(format=lzma.FORMAT_XZ, filters=None, check=-1, preset=None):
    return {"id": "lzma", "format": format, "check": check, "preset": preset, "filters": filters}


LZMA_RAW = [{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 1}]

COMPRESSORS = [
    compressed("zlib", {"id": "zlib", "level": 1}, zlib.compress(RAW, 1)),
    compressed("zlib_no_level", {"id": "zlib"}, zlib.compress(RAW)),
    compressed("gzip", {"id": "gzip", "level": 1}, gzip.compress(RAW, 1, mtime=0)),
    compressed(
        "gzip_two_members",
        {"id": "gzip", "level": 1},
        gzip.compress(RAW[:100], mtime=0) + gzip.compress(RAW[100:], mtime=0),
    ),
    compressed("bz2", {"id": "bz2", "level": 1}, bz2.compress(RAW, 1)),
    compressed("bz2_two_streams", {"id": "bz2", "level": 9}, bz2.compress(RAW[:100]) + bz2.compress(RAW[100:])),
    compressed("lzma_xz", lzma_config(), lzma.compress(RAW)),
    compressed("lzma_alone", lzma_config(lzma.FORMAT_ALONE), lzma.compress(RAW, lzma.FORMAT_ALONE)),
    compressed(
        "lzma_raw",
        lzma_config(lzma.FORMAT_RAW, LZMA_RAW),
        lzma.compress(RAW, lzma.FORMAT_RAW, filters=LZMA_RAW),
    ),
    compressed(
        "lzma_crc64",
        lzma_config(check=lzma.CHECK_CRC64, preset=1),
        lzma.compress(RAW, check=lzma.CHECK_CRC64, preset=1),
    ),
    compressed(
        "lz4",
        {"id": "lz4", "acceleration": 1},
        le("I", len(RAW)) + lz4_block(RAW),
        spec=NUMCODECS + "compress/lz4.html",
    ),
    compressed("zstd", {"id": "zstd", "level": 1}, zstd_frame(RAW)),
    compressed("zstd_checksum", {"id": "zstd", "level": 0, "checksum": True}, zstd_frame(RAW, checksum=True)),
    compressed("zstd_no_content_size", {"id": "zstd", "level": -3}, zstd_frame(RAW, size=False)),
    compressed(
        "zstd_two_frames",
        {"id": "zstd", "level": 1},
        zstd_frame(RAW[:100]) + zstd_frame(RAW[100:], size=False),
    ),
    *blosc_cases(),
]


def checksums():
    crc, adler = le("I", zlib.crc32(RAW)), le("I", zlib.adler32(RAW))
    yield filtered("crc32_at_the_start", [{"id": "crc32"}], crc + RAW, "<i4", SIXTY)
    yield filtered("crc32_location_start", [{"id": "crc32", "location": "start"}], crc + RAW, "<i4", SIXTY)
    yield filtered("crc32_location_end", [{"id": "crc32", "location": "end"}], RAW + crc, "<i4", SIXTY)
    yield filtered("adler32_at_the_start", [{"id": "adler32"}], adler + RAW, "<i4", SIXTY)
    yield filtered("adler32_location_end", [{"id": "adler32", "location": "end"}], RAW + adler, "<i4", SIXTY)
    yield filtered("crc32c_at_the_end", [{"id": "crc32c"}], with_crc(RAW), "<i4", SIXTY)
    start = with_crc(RAW)[-4:] + RAW
    yield filtered("crc32c_location_start", [{"id": "crc32c", "location": "start"}], start, "<i4", SIXTY)
    yield filtered("fletcher32", [{"id": "fletcher32"}], RAW + fletcher32(RAW), "<i4", SIXTY)
    score = np.frombuffer(SCORE, "u1")
    config = {"id": "jenkins_lookup3", "initval": 0, "prefix": None}
    yield filtered("jenkins_lookup3", [config], SCORE + le("I", 0x17770551), "|u1", score)
    config = {"id": "jenkins_lookup3", "initval": 1, "prefix": None}
    yield filtered("jenkins_lookup3_initval", [config], SCORE + le("I", 0xCD628161), "|u1", score)


SCALE = {"id": "fixedscaleoffset", "offset": 1000, "scale": 10, "dtype": "<f8", "astype": "|u1"}
FLAGS = np.array([True, False, False, True, True, False, True, False, True, True])

FILTER_CASES = [
    filtered("delta", [{"id": "delta", "dtype": "<i4"}], le("i", 5, 2, -10), "<i4", np.array([5, 7, -3], "i4")),
    filtered(
        "delta_astype",
        [{"id": "delta", "dtype": "<i4", "astype": "<i2"}],
        le("h", 30000, 30000, 1),
        "<i4",
        np.array([30000, 60000, 60001], "i4"),
    ),
    filtered(
        "delta_astype_float",
        [{"id": "delta", "dtype": "<f8", "astype": "<f4"}],
        le("f", 1.5, 0.25),
        "<f8",
        np.array([1.5, 1.75]),
    ),
    filtered(
        "delta_big_endian",
        [{"id": "delta", "dtype": ">i4", "astype": ">i2"}],
        be("h", 1, 1),
        ">i4",
        np.array([1, 2], "i4"),
    ),
    filtered("delta_wraps", [{"id": "delta", "dtype": "|u1"}], bytes([200, 100]), "|u1", np.array([200, 44], "u1")),
    filtered("fixedscaleoffset", [SCALE], bytes([0, 5, 255]), "<f8", np.array([1000, 1000.5, 1025.5])),
    filtered(
        "fixedscaleoffset_big_endian",
        [{"id": "fixedscaleoffset", "offset": -1, "scale": 2, "dtype": ">f4", "astype": ">i2"}],
        be("h", -2, 3),
        ">f4",
        np.array([-2, 0.5], "f4"),
    ),
    filtered(
        "quantize",
        [{"id": "quantize", "digits": 1, "dtype": "<f8", "astype": "<f4"}],
        le("f", 0.125, 0.75),
        "<f8",
        np.array([0.125, 0.75]),
    ),
    filtered(
        "astype",
        [{"id": "astype", "encode_dtype": "<f4", "decode_dtype": "<f8"}],
        le("f", 0.1),
        "<f8",
        np.array([np.float32(0.1)], "f8"),
    ),
    filtered(
        "astype_to_integers",
        [{"id": "astype", "encode_dtype": "|i1", "decode_dtype": ">i4"}],
        b"\xff\x05",
        ">i4",
        np.array([-1, 5], "i4"),
    ),
    # numcodecs' packbits: the number of padding bits, then the highest bit first. v3's is the other way.
    filtered("packbits", [{"id": "packbits"}], bytes([6, 0b10011010, 0b11000000]), "|b1", FLAGS),
    filtered("packbits_full_bytes", [{"id": "packbits"}], bytes([0, 0b10011010]), "|b1", FLAGS[:8]),
    filtered(
        "bitround",
        [{"id": "bitround", "keepbits": 3}],
        le("f", 0.101562500, 1280),
        "<f4",
        np.array([0.1015625, 1280], "f4"),
    ),
    filtered(
        "shuffle",
        [{"id": "shuffle", "elementsize": 4}],
        bytes([1, 5, 2, 6, 3, 7, 4, 8]),
        "<u4",
        np.array([0x04030201, 0x08070605], "u4"),
    ),
    filtered("base64", [{"id": "base64"}], base64.b64encode(RAW), "<i4", SIXTY),
    filtered(
        "two_filters_in_reverse_order",
        [{"id": "delta", "dtype": "<i4"}, {"id": "shuffle", "elementsize": 4}],
        bytes([1, 1, 0, 0, 0, 0, 0, 0]),
        "<i4",
        np.array([1, 2], "i4"),
    ),
    filtered(
        "delta_then_zlib",
        [{"id": "delta", "dtype": "<i4"}],
        zlib.compress(le("i", 5, 2, -10)),
        "<i4",
        np.array([5, 7, -3], "i4"),
        compressor={"id": "zlib", "level": 1},
    ),
    # fixedscaleoffset narrows to one byte, and delta goes on with that.
    filtered(
        "scale_then_delta",
        [SCALE, {"id": "delta", "dtype": "|u1"}],
        bytes([5, 250]),
        "<f8",
        np.array([1000.5, 1025.5]),
    ),
    filtered(
        "categorize",
        [{"id": "categorize", "dtype": "<U1", "astype": "|u1", "labels": ["a", "b"]}],
        bytes([2, 1, 0]),
        "<U1",
        np.array(["b", "a", ""]),
    ),
    filtered(
        "signalling_nan_through_shuffle",
        [{"id": "shuffle", "elementsize": 4}],
        struct.pack("<I", 0x7F800001),
        "<f4",
        bits(4, 0x7F800001),
    ),
    *checksums(),
]


def optional_cases():
    """Formats that only their own C library writes. The packages come with the extra `codecs`."""
    if (zfpy := _import("zfpy")) is not None:
        wave = np.sin(np.linspace(0, 3, 60)).reshape(6, 10)
        stream = zfpy.compress_numpy(wave, tolerance=0.001, write_header=True)
        config = {
            "id": "zfpy",
            "mode": 4,
            "compression_kwargs": {"tolerance": 0.001},
            "tolerance": 0.001,
            "rate": -1,
            "precision": -1,
        }
        spec = NUMCODECS + "compress/zfpy.html"
        store = v2([6, 10], [6, 10], "<f8", {"0.0": stream}, compressor=config, fill=None)
        yield Read("v2.codec.zfpy", spec, store, zfpy.decompress_numpy(stream), exact=False)
        exact = zfpy.compress_numpy(wave.astype("f4"), write_header=True)
        config = {
            "id": "zfpy",
            "mode": 5,
            "compression_kwargs": {},
            "tolerance": -1,
            "rate": -1,
            "precision": -1,
        }
        store = v2([6, 10], [6, 10], "<f4", {"0.0": exact}, compressor=config, fill=None)
        # numcodecs reads this mode and cannot write it.
        yield Read("v2.codec.zfpy_reversible", spec, store, wave.astype("f4"), writable=False)
    if (pcodec := _import("pcodec")) is not None:
        stream = pcodec.standalone.simple_compress(SIXTY, pcodec.ChunkConfig())
        config = {
            "id": "pcodec",
            "level": 8,
            "mode_spec": "auto",
            "delta_spec": "auto",
            "paging_spec": "equal_pages_up_to",
        }
        yield compressed("pcodec", config, bytes(stream), spec=NUMCODECS + "compress/pcodec.html")


def _import(name):
    try:
        return __import__(name)
    except ImportError:
        return None


CASES = [*COMPRESSORS, *FILTER_CASES, *optional_cases()]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders([case for case in CASES if "zfpy" in case.id or "lz4" in case.id], tmp_path)


def test_blosc_with_snappy_is_read_or_names_the_package_that_reads_it():
    """Snappy is in Blosc's format and in no build of numcodecs."""
    raw = bytes(range(40))
    store = v2([40], [40], "|u1", {"0": blosc_snappy(raw)}, compressor=blosc_config("snappy", 0), fill=0)
    try:
        found = read(store)
    except MissingDependencyError as error:
        assert "pip install" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert found.tobytes() == raw


def test_the_checksums_of_build_agree_with_published_vectors():
    assert fletcher32(b"") == le("I", 0)
    assert with_crc(b"123456789")[-4:] == le("I", 0xE3069283)


@pytest.mark.parametrize("level", [0, -1, 22], ids=str)
def test_a_zstd_level_does_not_matter_to_reading(level):
    store = v2(
        [60],
        [60],
        "<i4",
        {"0": zstd_frame(RAW)},
        compressor={"id": "zstd", "level": level},
        fill=Literal("0"),
    )
    assert read(store).tobytes() == RAW
