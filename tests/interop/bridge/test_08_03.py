"""The bridge of 08_03 and of article 34: genotypes, and what a code for missing becomes, run on both sides."""

import math
import warnings

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

CALLS = np.array([[[0, 1], [-1, -1]], [[1, 1], [0, -2]]], "i1")


@pytest.mark.bridge(
    '`create_array("call_genotype", fill_value=-2)`, `a[...]`, `attrs`', "the same names, in the same group", "-"
)
@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(("one", "other"), [(tutorial_zarr, zarr), (zarr, tutorial_zarr)])
def test_the_group_is_the_same(tmp_path, one, other, zarr_format):
    root = one.create_group(str(tmp_path / "g.vcz"), zarr_format=zarr_format)
    root.attrs["vcf_zarr_version"] = "0.4"
    root.create_array("call_genotype", shape=(3, 2, 2), dtype="i1", chunks=(1, 2, 2), fill_value=-2)[:2] = CALLS
    read = other.open_group(str(tmp_path / "g.vcz"), mode="r")
    assert dict(read.attrs) == {"vcf_zarr_version": "0.4"}
    assert np.array_equal(read["call_genotype"][:2], CALLS)
    assert (read["call_genotype"][2] == -2).all()


@pytest.mark.bridge(
    "`fill_value=0` in format 2: `a[...]` gives the reference",
    "`xarray.open_zarr` gives NaN for each reference allele, since it takes the fill value for missing",
    "-",
)
def test_the_reference_is_taken_for_missing(tmp_path):
    xarray = pytest.importorskip("xarray")
    for zarr_format in (2, 3):
        place = str(tmp_path / f"{zarr_format}.vcz")
        root = tutorial_zarr.create_group(place, zarr_format=zarr_format)
        axes = ["variants", "samples", "ploidy"]
        a = root.create_array("call_genotype", data=CALLS, chunks=CALLS.shape, fill_value=0, dimension_names=axes)
        assert np.array_equal(a[...], CALLS)
        with xarray.open_zarr(place, consolidated=False) as opened:
            seen = opened["call_genotype"].values
        wanted = np.where(CALLS == 0, math.nan, CALLS.astype("f4")) if zarr_format == 2 else CALLS
        assert seen.dtype.kind == ("f" if zarr_format == 2 else "i")
        np.testing.assert_array_equal(seen, wanted)


@pytest.mark.bridge(
    '`bitround` keeps the two NaNs of VCF Zarr, missing and "no such entry"',
    "`numcodecs.BitRound(10)` makes both infinite",
    "-",
)
def test_rounding_keeps_what_is_missing(tmp_path):
    numcodecs = pytest.importorskip("numcodecs")
    values = np.array([0x7F800001, 0x7F800002, 0x3DCCCCCD], "u4").view("f4")
    rounding = numcodecs.BitRound(keepbits=10)
    kept = {"chunks": (3,), "fill_value": 1, "zarr_format": 2, "filters": [rounding], "compressors": None}
    ours = tutorial_zarr.create_array(str(tmp_path / "ours"), data=values, **kept)[...]
    assert np.array_equal(ours.view("u4")[:2], values.view("u4")[:2])
    theirs = zarr.create_array(str(tmp_path / "theirs"), shape=(3,), dtype="f4", **kept)
    theirs[:] = values
    assert np.isinf(theirs[:2]).all()
    assert ours[2] == theirs[2]


VCF = """##fileformat=VCFv4.2
##contig=<ID=1>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb
1\t7\t.\tA\tC,G,T,CA,CT\t.\tPASS\t.\tGT\t0|5\t1
"""


@pytest.mark.bridge(
    "an allele is a number, and `variant_allele` as wide as needed",
    "scikit-allel reads three further letters unless told otherwise, and the call 5 all the same; its `vcf_to_zarr` "
    "fails with zarr-python 3",
    "here: a reader of VCF",
)
def test_an_allele_without_a_letter(tmp_path):
    letters = np.array([["A", "C", "G", "T", "CA", "CT"]]).astype(np.dtypes.StringDType())
    alleles = tutorial_zarr.create_array(str(tmp_path / "variant_allele"), data=letters)
    call = tutorial_zarr.create_array(str(tmp_path / "call"), data=np.array([[[0, 5], [1, -2]]], "i1"))
    assert alleles[0, int(call[0, 0, 1])] == "CT"
    assert not any("vcf" in name for name in dir(tutorial_zarr))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        allel = pytest.importorskip("allel")
    path = tmp_path / "six.vcf"
    path.write_text(VCF)
    read = allel.read_vcf(str(path))
    assert read["variants/ALT"].tolist() == [["C", "G", "T"]]
    assert read["calldata/GT"].tolist() == [[[0, 5], [1, -1]]]
    assert allel.read_vcf(str(path), numbers={"ALT": 5})["variants/ALT"].shape == (1, 5)
    with pytest.raises(AttributeError, match="create_dataset"):
        allel.vcf_to_zarr(str(path), str(tmp_path / "six.zarr"), fields="*")
