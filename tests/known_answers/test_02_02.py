"""02_02 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

Rounded values are computed here by frexp and rint, not by bits; sizes are those of the files; other readers bring
the values. Nothing here imports this project's library.
"""

import zlib

import numpy as np
import pytest

from data_gen import air_temperature, ticks

from .readers import tensorstore, zarr_python

SOURCE = "notebooks/02_labs/02_02_compression_shootout.ipynb"
pytestmark = pytest.mark.gallery

KEEPS = (13, 11, 9, 7)
DOCUMENTS = {".zarray", ".zattrs", "zarr.json"}


def kelvin():
    return air_temperature.make("small").arrays["air_temperature"]


def rounded(values, keep):
    mantissa, exponent = np.frexp(values.astype("f8"))  # the mantissa from 0.5 to 1 holds the leading bit too
    return np.ldexp(np.rint(mantissa * 2.0 ** (keep + 1)) / 2.0 ** (keep + 1), exponent).astype("f4")


def shuffled_zlib(values):
    planes = np.ascontiguousarray(values).view("u1").reshape(-1, values.itemsize).T
    return len(zlib.compress(planes.tobytes(), 5))


def chunk_bytes(place):
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and path.name not in DOCUMENTS)


@pytest.mark.parametrize("read", [zarr_python, tensorstore])
def test_other_readers_see_the_rounded_temperatures(left, read):
    np.testing.assert_array_equal(read(left[0] / "for_all.zarr"), rounded(kelvin(), 9))
    np.testing.assert_array_equal(read(left[0] / "exact.zarr"), kelvin())


@pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr version 3")
def test_zarr_python_reads_what_the_codec_rounded_within_what_it_promises(left):
    out, facts, _ = left
    for keep in KEEPS:
        found = zarr_python(out / f"keep_{keep}.zarr")
        np.testing.assert_array_equal(found, rounded(kelvin(), keep))
        off = np.abs(found.astype("f8") - kelvin())
        assert (off <= np.abs(kelvin()) / 2 ** (keep + 1)).all()
        assert facts["by_hand"][str(keep)] == [kelvin().nbytes / shuffled_zlib(found), off.max()]
        assert {facts["lossy_error"][label] for label in facts["lossy_error"] if f"bitround {keep}," in label} == {
            off.max()
        }


def test_what_a_read_fetches_is_what_lies_in_the_files(left):
    out, facts, _ = left
    for name, (requests, nbytes) in facts["fetched"].items():
        assert requests == 2
        assert nbytes == chunk_bytes(out / f"{name}.zarr")
    assert facts["fetched"]["keep_9_level_1"][1] < facts["fetched"]["exact_level_9"][1] / 2


def test_the_sizes_of_the_shootout_are_numcodecs(left):
    numcodecs = pytest.importorskip("numcodecs")
    facts = left[1]
    parts = [np.ascontiguousarray(part) for part in (kelvin()[:12], kelvin()[12:])]
    dollars = np.ascontiguousarray(ticks.make("tiny").arrays["price"][:, :1])
    for shuffle, words in ((0, "blosc(zstd 3)"), (1, "blosc(zstd 3 shuffle)")):
        codec = numcodecs.Blosc("zstd", 3, shuffle)
        assert facts["lossless"][words] == sum(len(codec.encode(part)) for part in parts)
        assert facts["dollars"][words] == len(codec.encode(dollars))
    assert facts["lossless"]["none"] == facts["raw"] == kelvin().nbytes
    assert facts["verdict"]["temperature"]["shuffle"] == "helps"
    assert facts["verdict"]["dollars"]["shuffle"] == "hurts"
    assert facts["lossless"]["blosc(zstd 3 shuffle)"] < facts["lossless"]["blosc(zstd 3)"]
    assert facts["dollars"]["blosc(zstd 3 shuffle)"] > facts["dollars"]["blosc(zstd 3)"]


def test_the_bits_that_are_coins_are_counted(left):
    bits = kelvin().view("<u4")
    changed = bits[..., 1:] ^ bits[..., :-1]
    shares = np.array([(changed >> place & 1).mean() for place in range(22, -1, -1)])
    even = (shares > 0.4413) & (shares < 0.5587)  # where the entropy of a coin with such a bias is above 0.99
    assert left[1]["noisy_bits"] == even.sum()


def test_what_goes_wrong_goes_wrong_by_arithmetic(left):
    facts = left[1]
    hot = int(np.array(270_000).astype("i2"))
    assert facts["wrapped"] == pytest.approx([300.0, hot / 100])
    off = np.abs(rounded(kelvin(), 9).astype("f8") - kelvin())
    assert facts["boast"] == [(off > 0.1).sum(), off.max()]
    seven = rounded(kelvin(), 7).astype("f8")
    warming = kelvin()[-1].astype("f8") - kelvin()[0]
    lost = np.abs(seven[-1] - seven[0] - warming) / np.abs(warming)
    assert facts["relative"] == pytest.approx([(np.abs(seven - kelvin()) / kelvin()).max(), np.median(lost)], rel=1e-4)
    tenths = np.rint((kelvin() - 250) * 10).astype("i2")
    assert facts["tenths"] == kelvin().nbytes / shuffled_zlib(tenths)


def test_the_advice_keeps_the_tolerance(left):
    within = left[1]["within"]
    assert 0 < within["error"] <= within["tolerance"] == 0.05


def test_the_facts_of_this_run_are_near_the_ones_beside_the_notebook(left, committed):
    facts = left[1]
    assert set(facts) == set(committed) | ({"figures"} & set(facts))
    exact = ("values", "raw", "noisy_bits", "recommended", "wrapped", "boast")
    assert {name: facts[name] for name in exact} == {name: committed[name] for name in exact}
    for keep in KEEPS:
        assert facts["by_hand"][str(keep)] == pytest.approx(committed["by_hand"][str(keep)], rel=0.03)
