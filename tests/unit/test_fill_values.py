"""Fill values of the narrow floats: the nearest element, found by looking at all of them."""

from __future__ import annotations

import numpy as np
import pytest

from tutorial_zarr import dtypes
from tutorial_zarr.errors import MetadataError

pytest.importorskip("ml_dtypes")


def test_a_fill_value_between_two_bfloat16_is_rounded_once():
    bfloat16 = dtypes.from_json("bfloat16")
    assert bfloat16.to_bits(bfloat16.fill_from_json(1 + 2**-8 + 2**-40)) == 0x3F81  # by way of float32: 0x3f80
    assert bfloat16.to_bits(bfloat16.fill_from_json(1 + 2**-8)) == 0x3F80  # a tie: to even
    assert bfloat16.to_bits(bfloat16.fill_from_json(-0.0)) == 0x8000
    assert np.isinf(bfloat16.fill_from_json(1e39).astype("f8"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("float4_e2m1fn", 1000), ("float8_e4m3fnuz", 1000), ("float8_e8m0fnu", 0), ("float8_e8m0fnu", -3)],
)
def test_a_fill_value_that_a_narrow_float_cannot_hold_is_refused(name, value):
    with pytest.raises(MetadataError, match=rf"fill_value.*{name}.*{value}"):
        dtypes.from_json(name).fill_from_json(value)


@pytest.mark.parametrize("name", ["float4_e2m1fn", "float6_e3m2fn", "float8_e5m2", "float8_e8m0fnu", "bfloat16"])
def test_every_finite_element_is_its_own_nearest(name):
    narrow = dtypes.from_json(name)
    width = narrow.bits or 8 * narrow.numpy.itemsize
    for bits in range(0, 1 << width, 1 if width < 9 else 97):
        with np.errstate(invalid="ignore"):  # some of the bits are signalling NaNs
            number = float(narrow.from_bits(bits).astype("f8"))
        if np.isfinite(number):
            assert narrow.to_bits(narrow.fill_from_json(number)) == bits
