"""A number that does not fit is an error, never another number: every codec that loses, and what it must refuse.

Each case is written through an array of either format: what is read afterwards is within what the codec promises, or
the write was refused, with the codec and the number in the message, and nothing was stored.
"""

import warnings

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import ChunkError, MetadataError

NAN, INF = float("nan"), float("inf")


def codec(name, **configuration):
    return name, configuration


def scale(dtype, astype, offset=0, scale=10):
    return codec("fixedscaleoffset", offset=offset, scale=scale, dtype=dtype, astype=astype)


def cast(made, taken):
    return codec("astype", encode_dtype=made, decode_dtype=taken)


# codec, dtype, values, what the message says is found
REFUSED = [
    (scale("<f4", "<u2"), "f4", [1, NAN, 2], "nan"),
    (scale("<f4", "<u2"), "f4", [1, INF], "inf"),
    (scale("<f4", "<u2"), "f4", [1, 1e9], "1e[+]?09"),
    (scale("<f4", "<u2"), "f4", [1, -0.1], "-0.1"),
    (scale("<f8", "<i4"), "f8", [1, 2.2e8], "220000000|2.2e[+]?08"),
    (scale("<f8", "<f2"), "f8", [1, 6600.0], "6600"),
    (scale("<f8", "<f2"), "f8", [1, 300.1], "300.1"),
    (scale("<f4", "<f4", scale=1e30), "f4", [1, 1e20], "1e"),
    (scale("|u1", "|u1", scale=0.1), "u1", [1, 255], "255"),
    (scale("<i8", "<i8", scale=1), "i8", [1, 2**53 + 1], "9007199254740993"),
    (scale("<i4", "<i4", scale=3, offset=0.3), "i4", [1, 3, 7, 1000], "[0-9]"),
    (scale("<f8", "<i4", scale=0), "f8", [1, 2], "0 and 0"),
    (cast("|i1", "<i4"), "i4", [1, 300], "300"),
    (cast("|u1", "<i4"), "i4", [1, -1], "-1"),
    (cast("<i4", "<f8"), "f8", [1, 2.7], "2.7"),
    (cast("<i4", "<f8"), "f8", [1, 1e10], "10000000000|1e[+]?10"),
    (cast("<i4", "<f8"), "f8", [1, NAN], "nan"),
    (cast("<f4", "<f8"), "f8", [1, 1e300], "1e[+]?300"),
    (cast("<f4", "<i4"), "i4", [1, 2**24 + 1], "16777217"),
    (cast("|b1", "<i4"), "i4", [1, 5], "5"),
    (cast("<f8", "<c16"), "c16", [1, 2 + 3j], "2\\+3j"),
    (cast("<i4", "<c16"), "c16", [1, complex(NAN, 0)], "nan"),
    (codec("quantize", digits=3, dtype="<f2"), "f2", [1, 1000], "1e[+]?03|1000"),
    (codec("quantize", digits=1, dtype="<f8", astype="<f2"), "f8", [1, 1e5], "100000"),
    (codec("bitround", keepbits=3), "f4", [1, 3.4028235e38], "3.4028"),
    (codec("bitround", keepbits=0), "f8", [1, -1.7976931348623157e308], "-1.797"),
    (codec("delta", dtype="|b1"), "?", [True, False, True], "bool"),
    (codec("delta", dtype="<f8"), "f8", [1, NAN, 3], "3|nan"),
    (codec("delta", dtype="<f8"), "f8", [1e20, 1], "1"),
    (codec("delta", dtype="<f8"), "f8", [1e308, -1e308], "-1e[+]?308"),
    (codec("delta", dtype="<i4", astype="|i1"), "i4", [1, 300], "300"),
    (codec("delta", dtype="<i4", astype="|i1"), "i4", [300, 301], "300"),
    (codec("zfpy", mode=4, tolerance=0.01), "f8", [1, NAN, 3], "nan"),
    (codec("zfpy", mode=3, precision=20), "f4", [1, INF, 3], "inf"),
    (codec("zfpy", mode=4, tolerance=0.01), "f8", [1e20, 1, 2, 3], "1"),
    (codec("zfpy", mode=4, tolerance=0.01), "i4", [1, 2, 3], "1"),
    (codec("zfpy", mode=2, rate=64), "i8", [2**63 - 1, 1, 2], "[0-9]"),
    (codec("zfpy", mode=2, rate=24), "f4", [1, 2, 3, 3.4028235e38, 5, 6, 7, 8], "3.40"),
]
ONLY_V3 = [
    (codec("zfp", mode="fixed_accuracy", tolerance=0.01), "f4", [1, NAN, 3], "nan"),
    (codec("zfp", mode="fixed_rate", rate=16), "f8", [1, -INF, 3], "-inf"),
    (codec("zfp", mode="fixed_precision", precision=16), "f2", [1, NAN], "nan"),
    (codec("zfp", mode="expert", minbits=1, maxbits=9000, maxprec=20, minexp=-9), "f4", [1, NAN], "nan"),
    (codec("zfp", mode="fixed_accuracy", tolerance=0.5), "i4", [1, 2, 3], "1"),
    (codec("zfp", mode="fixed_precision", precision=32), "i4", [1, 2, 3], "1"),
    (codec("zfp", mode="fixed_rate", rate=40), "i8", [2**63 - 1, 1, 2], "[0-9]"),
    (codec("zfp", mode="fixed_accuracy", tolerance=0.01), "f8", [1e20, 1, 2, 3], "1"),
    (codec("bitround", keepbits=3), "f4", [1, 3.4028235e38], "3.4028"),
]
ONLY_V2 = [
    (codec("packbits"), "u1", [0, 1, 5], "5"),
    (codec("packbits"), "i4", [0, 1, 512], "512"),
    (codec("categorize", dtype="<U2", astype="|u1", labels=["a", "b"]), "U2", ["a", "c"], "c"),
    (codec("delta", dtype="<M8[s]"), "M8[s]", [1, 2], "int64 stored as datetime|datetime64|<M8"),
    (codec("quantize", digits=3, dtype="<f4"), "i4", [1, 2], "<i4"),
]


def array(name, configuration, dtype, count, zarr_format, registered=False, **more):
    if zarr_format == 2:
        own = {"filters": [{"id": name, **configuration}]}
    else:
        full = name if registered else f"numcodecs.{name}"
        place = "serializer" if name.startswith("zfp") else "filters"
        own = {place: [{"name": full, "configuration": configuration}][0 if place == "serializer" else slice(None)]}
    store = {}
    options = {"shape": count, "dtype": dtype, "compressors": None, "zarr_format": zarr_format, **own, **more}
    return store, zarr.create_array(store, **options)


CASES = [
    *[(2, case, {}) for case in [*REFUSED, *ONLY_V2]],
    *[(3, case, {}) for case in REFUSED],
    *[(3, case, {"registered": True}) for case in ONLY_V3],
]


@pytest.mark.parametrize(("zarr_format", "case", "more"), CASES)
def test_what_would_be_read_as_another_number_is_refused(zarr_format, case, more):
    (name, configuration), dtype, values, found = case
    if name.startswith("zfp"):
        pytest.importorskip("zfpy", reason="the package zfpy is not installed")
    store, a = array(name, configuration, dtype, len(values), zarr_format, **more)
    before = dict(store)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy's warnings come after the fact
        with pytest.raises(ChunkError, match=rf"(?s)cannot write the chunk.*{name}.*expected .*found .*({found})"):
            a[:] = np.array(values, dtype)
    assert store == before, "nothing may be stored"


KEPT = [
    (scale("<f4", "<u2"), "f4", [0, 6553.5, 0.1]),
    (scale("<f4", "<f4"), "f4", [NAN, INF, 1.5]),
    (scale("|u1", "<i2", offset=10, scale=1), "u1", [5, 0, 255]),  # 5 - 10 is no uint8, and numpy would wrap around
    (scale("|u1", "<i4", offset=300, scale=2), "u1", [5, 0, 255]),
    (scale("|i1", "<i4", offset=0, scale=100), "i1", [5, 0, -128]),
    (cast("|i1", "<f8"), "f8", [-128, 127, 0]),
    (cast("<f2", "<f8"), "f8", [NAN, -INF, 1.5]),
    (cast("<f8", "<c16"), "c16", [1, -2.5]),
    (cast("<i8", "<M8[s]"), "M8[s]", [1, "NaT"]),
    (codec("quantize", digits=1, dtype="<f4"), "f4", [NAN, INF, -INF, 0.5]),
    (codec("bitround", keepbits=10), "f4", [NAN, INF, -INF, 0.5]),
    (codec("bitround", keepbits=0), "f4", [NAN, INF, -INF, 1]),
    (codec("delta", dtype="<f8"), "f8", [1, 2.5, -7]),
    (codec("delta", dtype="|u1"), "u1", [255, 0, 7]),
    (codec("delta", dtype="<i8"), "M8[s]", ["NaT", 5, 0]),
    (codec("delta", dtype="|u1"), "?", [True, False, True]),
    (codec("zfpy", mode=4), "f8", [NAN, INF, 1e300]),
    (codec("zfpy", mode=4), "i4", [2**31 - 1, -(2**31), 5]),
    (codec("zfpy", mode=4, tolerance=0.5), "f8", [0.0, 0, 0, 0]),
]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("case", KEPT)
def test_what_fits_is_stored_and_read_again(case, zarr_format):
    (name, configuration), dtype, values = case
    if name == "zfpy":
        pytest.importorskip("zfpy", reason="the package zfpy is not installed")
    store, a = array(name, configuration, dtype, len(values), zarr_format, write_empty_chunks=True)
    missing = [isinstance(v, str) for v in values]
    values = np.array([0 if isinstance(v, str) else v for v in values]).astype(dtype)
    if any(missing):
        values[missing] = "NaT"
    a[:] = values
    np.testing.assert_array_equal(zarr.open_array(store)[:], values)


def test_nan_keeps_its_bits_through_numcodecs_bitround_where_that_would_round_it_to_a_number():
    values = np.array([0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000, 0x3F800001], "u4").view("f4")
    for zarr_format, keepbits in ((2, 0), (2, 5), (3, 0), (3, 22)):
        _, a = array("bitround", {"keepbits": keepbits}, "f4", 4, zarr_format)
        a[:] = values
        assert a[:].view("u4")[:3].tolist() == [0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000]


def test_a_fill_value_that_a_filter_cannot_store_is_read_and_refused_where_a_chunk_would_hold_it():
    options = dict(scale("<f4", "<u2")[1])
    _, a = array("fixedscaleoffset", options, "f4", 5, 2, chunks=2, fill_value=NAN)
    assert np.isnan(a[:]).all()
    a[:4] = [1, 2, 3, 4]
    for selection in (4, slice(4, 5)):  # this chunk hangs over the edge, and its rest would be 0 when the array grows
        with pytest.raises(ChunkError, match="found nan"):
            a[selection] = 1
    np.testing.assert_array_equal(a[:], [1, 2, 3, 4, NAN])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "complex64", "r24"])
def test_pcodec_says_on_creation_what_it_cannot_hold(dtype):
    pcodec = {"name": "numcodecs.pcodec", "configuration": {"level": 1}}
    with pytest.raises(MetadataError, match=rf"numcodecs\.pcodec.*expected elements of float16.*found {dtype}"):
        zarr.create_array({}, shape=3, dtype=dtype, serializer=pcodec)


def test_numcodecs_packbits_takes_booleans_alone():
    with pytest.raises(MetadataError, match=r"numcodecs\.packbits.*expected booleans, found int32"):
        zarr.create_array({}, shape=3, dtype="i4", filters=[{"name": "numcodecs.packbits", "configuration": {}}])


def test_zfp_may_round_integers_where_it_was_told_to_keep_fewer_bits():
    pytest.importorskip("zfpy", reason="the package zfpy is not installed")
    serializer = {"name": "zfp", "configuration": {"mode": "fixed_precision", "precision": 12}}
    a = zarr.create_array({}, shape=64, dtype="i4", serializer=serializer, compressors=None)
    a[:] = values = np.arange(64) * 10**6
    assert 0 < np.abs(a[:] - values).max() < 10**7
    with pytest.raises(ChunkError, match=r"integers that come back about as they are, found 63000.* read as 0"):
        a[:] = np.arange(64)[::-1] * 1000  # 12 bits of 32, counted from the first
