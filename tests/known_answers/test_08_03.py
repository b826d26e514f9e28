"""08_03 again, from outside: zarr-python reads the group, counts are scikit-allel's or NumPy's, theta is the model's.

Requests are counted on paper. Nothing here imports this project's library.
"""

import gzip
import math
import subprocess
import sys
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data_gen import coalescent

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/08_bio/08_03_vcf_zarr_matrices.ipynb"
pytestmark = pytest.mark.gallery

PEOPLE, STRETCHES, THETA = 40, 300, 5
GROUPS = (5, 10, 20, 40)


@pytest.fixture(scope="module")
def data():
    return coalescent.make("small").arrays


def shown(n):
    return float(sum(Fraction(1, k) for k in range(1, n)))


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_calls(left, data, read):
    out, _, zarr_format = left
    for name in ("people.vcz/call_genotype", "by_person.zarr"):
        values, _, found = read(out / name)
        assert found == zarr_format
        np.testing.assert_array_equal(values, data["genotype"])
    np.testing.assert_array_equal(read(out / "people.vcz" / "variant_position")[0], data["position"])


def test_vcztools_makes_the_same_text_of_it(left, data):
    out, _, _ = left
    pytest.importorskip("vcztools")
    tool = Path(sys.executable).with_name("vcztools")
    ran = subprocess.run([tool, "view", "--no-header", out / "people.vcz"], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert [int(row[1]) for row in rows] == data["position"].tolist()
    assert [[row[3], row[4]] for row in rows] == data["allele"].tolist()
    calls = [[call.replace(".", "-1").split("/") for call in row[9:]] for row in rows]
    np.testing.assert_array_equal(np.array(calls).astype("i1"), data["genotype"])


def test_theta_of_all_ways_site_by_site(committed, data):
    for at, m in enumerate(GROUPS):
        complete, reference, own = 0, 0, 0.0
        for site in data["genotype"][:, :m].reshape(-1, 2 * m).tolist():
            zeros, ones = site.count(0), site.count(1)
            complete += ones > 0 and zeros > 0 and zeros + ones == 2 * m
            reference += 0 < ones < 2 * m
            own += 1 / shown(zeros + ones) if ones and zeros else 0
        theta = committed["theta"]
        assert theta["complete sites only"][at] == pytest.approx(complete / shown(2 * m) / STRETCHES, abs=1e-4)
        assert theta["gap = reference"][at] == pytest.approx(reference / shown(2 * m) / STRETCHES, abs=1e-4)
        assert theta["each site by its own"][at] == pytest.approx(own / STRETCHES, abs=1e-4)
        ones = data["complete"][:, :m].sum((1, 2))
        whole = np.count_nonzero((ones > 0) & (ones < 2 * m)) / shown(2 * m) / STRETCHES
        assert committed["nothing_lost"][at] == pytest.approx(whole, abs=1e-4)


def test_theta_lies_within_its_standard_error(committed):
    n = 2 * PEOPLE
    squares = sum(1 / k**2 for k in range(1, n))
    error = math.sqrt((THETA * shown(n) + THETA**2 * squares) / STRETCHES) / shown(n)
    assert committed["error"] == pytest.approx(error, abs=1e-4)
    off = (committed["theta"]["each site by its own"][3] - THETA) / error
    assert committed["off"] == pytest.approx(off, abs=0.01)
    assert abs(off) < 3
    assert committed["off_complete"] == pytest.approx(
        (THETA - committed["theta"]["complete sites only"][3]) / error, abs=0.06
    )


def test_complete_sites_are_a_power_of_the_people(committed, data):
    for m, share in committed["stay"].items():
        complete = (data["genotype"][:, : int(m), 0] >= 0).all(axis=1)
        assert share == pytest.approx(complete.mean(), abs=1e-6)
        assert share == pytest.approx(0.98 ** int(m), abs=0.03)
    assert committed["stay_percent"] == [round(100 * share) for share in committed["stay"].values()]
    assert (committed["chromosomes"], committed["with_one_gap"], committed["there"]) == (80, 78, 0.98)
    assert committed["groups"] == list(GROUPS)
    assert committed["missing"] == pytest.approx((data["genotype"][..., 0] == -1).mean(), abs=1e-6)


def test_frequencies_by_masked_arrays(committed, data):
    known = np.ma.masked_less(data["genotype"], 0).reshape(-1, 2 * PEOPLE)
    assert committed["frequency"] == pytest.approx(float(known.mean(axis=1).mean()), abs=1e-4)
    plain = data["genotype"].reshape(-1, 2 * PEOPLE).mean(axis=1)
    assert committed["naive"] == pytest.approx(plain.mean(), abs=1e-4)
    assert committed["negative_percent"] == round(100 * float((plain < 0).mean()), 1)


def test_frequencies_and_theta_by_scikit_allel(committed, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        allel = pytest.importorskip("allel")
        counts = allel.GenotypeArray(data["genotype"]).count_alleles(max_allele=1)
        assert committed["frequency"] == pytest.approx(float(counts.to_frequencies()[:, 1].mean()), abs=1e-4)
        # One stretch at a time, with nothing missing: theta per base, times the bases.
        whole = allel.GenotypeArray(data["complete"]).count_alleles(max_allele=1)
        position, total = data["position"], 0.0
        for stretch in np.unique(position // coalescent.APART):
            here = position // coalescent.APART == stretch
            start = int(stretch) * coalescent.APART + 1
            stop = start + coalescent.LENGTH - 1
            total += allel.watterson_theta(position[here], whole[here], start=start, stop=stop) * coalescent.LENGTH
    assert committed["nothing_lost"][3] == pytest.approx(total / STRETCHES, abs=1e-4)


def test_requests_are_those_of_the_borders(committed, data):
    low, high = committed["region"]
    position = data["position"]
    assert (position[low:high] >= 10_000_000).all()
    assert (position[low:high] < 11_000_000).all()
    assert position[low - 1] < 10_000_000
    assert position[high] >= 11_000_000
    assert committed["chunk"] == 500
    sites = len(position)
    for layout, (tall, wide) in {"by site": (500, 40), "by person": (5000, 4)}.items():
        rows = (high - 1) // tall - low // tall + 1
        assert committed["costs"][f"{layout}: a region, all people"][0] == rows * (PEOPLE // wide)
        assert committed["costs"][f"{layout}: all sites, one person"][0] == math.ceil(sites / tall)


def test_sizes_by_gzips_own_module(committed, data):
    some = data["genotype"][: 500 * (len(data["genotype"]) // 500)]
    straight, turned = 0, 0
    for start in range(0, len(some), 500):
        piece = some[start : start + 500]
        straight += len(gzip.compress(piece.tobytes(), 6))
        turned += len(gzip.compress(piece.transpose(1, 2, 0).tobytes(), 6))
    assert committed["smaller"]["site by site"] == pytest.approx(some.nbytes / straight, rel=0.05)
    assert committed["smaller"]["person by person"] == pytest.approx(some.nbytes / turned, rel=0.05)


def test_gaps_that_choose(committed, data):
    complete = data["complete"].reshape(-1, 2 * PEOPLE)
    even = np.random.PCG64(1).random_raw(len(complete) * PEOPLE).reshape(-1, PEOPLE) * 2.0**-64
    mixed = complete[:, 0::2] != complete[:, 1::2]
    gone = mixed & (even < 0.5)
    hidden = committed["hidden"]
    assert hidden["percent"] == round(100 * float(gone.mean()), 1)
    for name, out in (("theta", gone), ("by_lot", even < gone.mean()), ("whole", np.zeros_like(gone))):
        known = np.ma.masked_array(complete, np.repeat(out, 2, axis=1))
        ones, n = known.sum(axis=1).filled(0), known.count(axis=1)
        total = sum(1 / shown(int(k)) for k in n[(ones > 0) & (ones < n)])
        assert hidden[name] == pytest.approx(total / STRETCHES, abs=1e-4)
    assert hidden["off"] == pytest.approx((hidden["whole"] - hidden["theta"]) / committed["error"], abs=0.1)
