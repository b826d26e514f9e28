"""06_02 again, from outside: targets and totals with Python's integers and fractions, the store by other readers.

The rules are written out here a second time, with targets as fractions of two powers. Nothing here imports this
project's library, nor the module that made the blocks.
"""

import hashlib
import struct
from decimal import Decimal

import numpy as np
import pytest

from .readers import tensorstore, zarr_python, zarr_python_in_full

SOURCE = "notebooks/06_crypto/06_02_onchain_block_metrics.ipynb"
pytestmark = pytest.mark.gallery

NAMES = ("time", "bits", "subsidy", "fees", "hash")
PERIOD, HALVING, FIRST = 2_016, 210_000, 830_592
SUBSIDIES = [int(Decimal(50 * 10**8) / 2**k) for k in range(40)]


def expand(bits):
    """The target as a whole number: a mantissa of three bytes, and how many bytes the number has."""
    return int.from_bytes((bits & 0xFFFFFF).to_bytes(3, "big") + bytes(max(0, (bits >> 24) - 3)), "big")


def shrink(number):
    """The three bytes at the head of a target, one byte later where the first would look like a sign."""
    body = number.to_bytes(32, "big").lstrip(b"\0")
    body = b"\0" + body if body[0] >= 0x80 else body
    return len(body) << 24 | int.from_bytes(body[:3], "big")


def retarget(bits, first, last):
    two_weeks = 14 * 24 * 3600
    took = sorted((two_weeks // 4, last - first, two_weeks * 4))[1]
    return shrink(min(expand(bits) * took // two_weeks, 0xFFFF << 208))


@pytest.mark.parametrize("read", [zarr_python, tensorstore])
def test_the_stored_chain_keeps_the_rules(left, read):
    out, facts, zarr_format = left
    assert zarr_python_in_full(out / "chain.zarr", "hash")[1:] == ((PERIOD,), zarr_format)
    time, bits, subsidy, fees, hashes = (read(out / "chain.zarr", name) for name in NAMES)
    n = len(hashes)
    assert {len(values) for values in (time, bits, subsidy, fees)} == {n}
    assert n == facts["blocks"] + 144 + 1  # what the last section added
    assert [str(values.dtype) for values in (time, bits, subsidy, fees, hashes)] == [
        "int64",
        "uint32",
        "int64",
        "int64",
        "uint64",
    ]
    assert (np.diff(time) > 0).all()
    for k in range(n):
        if k % PERIOD:
            assert k == 0 or bits[k] == bits[k - 1]
        elif k:
            assert int(bits[k]) == retarget(int(bits[k - 1]), int(time[k - PERIOD]), int(time[k - 1]))
    heights = FIRST + np.arange(n)
    assert subsidy.tolist() == [SUBSIDIES[height // HALVING] for height in heights.tolist()]
    assert {SUBSIDIES[3], SUBSIDIES[4]} == set(subsidy.tolist())  # the halving of 840,000 is in it
    parent = 0
    for block in zip(*(values.tolist() for values in (time, bits, fees, hashes)), strict=True):
        packed = struct.pack("<QqIq", parent, *block[:3])
        parent = block[3]
        assert parent == int.from_bytes(hashlib.sha256(packed).digest()[:8], "big")
    waits = np.diff(time)[PERIOD : facts["blocks"] - 1]
    assert facts["realism"]["mean interval"] == pytest.approx(float(waits.mean()), rel=0.001)  # its end was replaced
    assert waits.std() / waits.mean() == pytest.approx(1, abs=0.05)


def test_published_targets_and_the_supply(committed):
    published = [
        (0x1D00FFFF, 1261130161, 1262152739),
        (0x1D00FFFF, 1231006505, 1233061996),
        (0x1C05A3F4, 1279008237, 1279297671),
        (0x1C387F6F, 1263163443, 1269211443),
    ]
    assert [hex(retarget(*each)) for each in published] == committed["published"]
    assert committed["published"] == ["0x1d00d86a", "0x1d00ffff", "0x1c0168fd", "0x1d00e1fd"]
    assert committed["supply"] == sum(SUBSIDIES) * HALVING == 2_099_999_997_690_000
    assert committed["halvings"] == sum(subsidy > 0 for subsidy in SUBSIDIES) == 33
    assert committed["whole_up_to"] > 4 * committed["supply"]


def test_the_running_total_in_bitcoins_goes_wrong_where_the_notebook_says(committed):
    """Python's own additions, one by one, from the tenth halving on; before it they are exact, which is shown too."""
    before = sum(SUBSIDIES[:10]) * HALVING
    assert all(
        (SUBSIDIES[k] / 1e8).as_integer_ratio()[0] * 10**8 == SUBSIDIES[k] * (SUBSIDIES[k] / 1e8).as_integer_ratio()[1]
        for k in range(10)
    )
    exact, total, first, worst = before, before / 1e8, None, 0
    assert Decimal(total) * 10**8 == before
    for halving in range(10, 33):
        amount = SUBSIDIES[halving] / 1e8
        for k in range(HALVING):
            total += amount
            exact += SUBSIDIES[halving]
            if (k + 1) % 2_100 == 0 or first is None:
                error = round(total * 1e8) - exact
                first = halving * HALVING + k if first is None and error else first
                worst = max(worst, abs(error)) if (k + 1) % 2_100 == 0 else worst
    assert committed["off"] == {"satoshis": 0, "bitcoins": round(total * 1e8) - exact}
    assert committed["off_at_most"] == {"satoshis": 0, "bitcoins": worst}
    assert committed["wrong_from"] == first
    assert committed["year"] == 2009 + int(first * 600 / (365.25 * 86_400))


def test_text_and_other_units(committed, left):
    out, facts, _ = left
    assert facts["lost"] == committed["lost"]
    fees = zarr_python(out / "chain.zarr", "fees")[: facts["blocks"] - facts["depth"]].tolist()
    lost = sum(int(float(str(Decimal(fee) / 10**8)) * 1e8) != fee for fee in fees)
    assert lost <= committed["lost"] <= lost + facts["depth"]
    assert committed["of_29_hundredths"] == int(float(Decimal(29) / 100) * 10**8) == 28_999_999
    assert committed["ether_in_int64"] == round(float(Decimal(2**63 - 1) / 10**18), 4)
    assert committed["ether_exact_in_float64"] == round(float(Decimal(2**53) / 10**18), 6)
    assert committed["five_plus_five"] == round(float(Decimal((10 * 10**18 + 2**63) % 2**64 - 2**63) / 10**18), 4)


def test_the_reorganisation(committed):
    assert committed["fork"] == committed["tip"] - committed["depth"]
    middle = committed["fork"] + committed["depth"] // 2
    assert committed["agreed"] == [committed["fork"], middle, committed["tip"] + 1]
    assert committed["ghosts"] == committed["tip"] - middle
    assert committed["broken_link"] == [middle]
    assert committed["ghosts_pay"] > committed["ghosts"] * SUBSIDIES[4]
    assert committed["seen_after_a_break"] == [committed["fork"], committed["tip"], committed["tip"] + 1]
    assert committed["chunks"] == 5 * -(-committed["blocks"] // PERIOD)
    assert committed["changed"] <= 5
