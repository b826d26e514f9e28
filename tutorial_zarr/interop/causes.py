"""Why a reader shows something else than was meant, and what cures it.

A silent cell of the table of `survey` has one cause, found here by what the cell is of: writer, situation, array,
reader and view, as patterns. A silent cell without a cause still has to be looked into.

>>> cause_of("zarr-python", "counts-v2", "v", "xarray", "decoded")
'fill-value-becomes-missing'
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Cause:
    """One reason for silent cells."""

    id: str
    what: str  # what happens, a sentence
    instead: str  # what the program should write instead
    cells: tuple[str, ...]  # patterns of "writer/situation/node/reader/view"


CAUSES = (
    Cause(
        "shuffle-elementsize-0",
        "netCDF-C writes its shuffle as a filter with elementsize 0. numcodecs takes the 0 as it is and gives the bytes"
        " in another order, so that zarr-python and what stands on it read other numbers.",
        "Pass shuffle=False with zlib, or compress with zstd or blosc.",
        ("netcdf-c/zlib/*",),
    ),
    Cause(
        "letters-in-reverse",
        "netCDF-C calls letters >S1. zarrita takes this for a byte order and turns every four letters round.",
        "Write text as strings (NC_STRING), or edit the type in .zarray to |S1.",
        ("netcdf-c/letters/s/zarrita/*",),
    ),
    Cause(
        "fortran-order-read-as-c",
        "netCDF-C passes over the member `order` of Zarr 2 and reads Fortran's order as C's.",
        'Write order="C", which is the default everywhere.',
        ("*/fortran/*/netcdf-c/*",),
    ),
    Cause(
        "byte-default-becomes-missing",
        "The netCDF4 package masks 255 in unsigned bytes and -127 in signed ones, netCDF's default fill values, though"
        " netCDF says that bytes have none.",
        "Give the array the attribute _FillValue, a byte that no element has, or say set_auto_mask(False) in reading.",
        ("*/picture-v2/*/netcdf-c/decoded",),
    ),
    Cause(
        "fill-value-is-no-attribute",
        "netCDF-C looks for missing values in the attribute _FillValue. xarray and GDAL keep theirs in Zarr 2's"
        " fill_value alone, so that netCDF-C shows a gap as a number.",
        "Give the attribute missing_value beside it, which netCDF-C and xarray both honour.",
        ("*/*/*/netcdf-c/decoded",),
    ),
    Cause(
        "fill-value-becomes-no-data",
        "GDAL takes the fill value of an array for 'no data', in both formats, and passes over the attribute"
        " _FillValue. With the usual fill value 0 every zero that was measured is masked.",
        "Give the array a fill value that no measurement has (NaN for floats).",
        ("*/*/*/gdal/decoded",),
    ),
    Cause(
        "fill-value-never-computed",
        "xarray keeps _FillValue as an attribute in format 3 and leaves the array's fill value at 0. Until the values"
        " are computed, each reads as a measured 0, not as missing.",
        "Compute at once, or give the array the same fill value: encoding={'v': {'fill_value': -1, '_FillValue': -1}}.",
        ("*/packed-not-computed/*",),
    ),
    Cause(
        "missing-text-becomes-a-word",
        "A string array has no missing element. None becomes an empty word in xarray and zarr-python 2, and the word"
        " 'None' in zarr-python 3.",
        "Choose a word for missing text yourself, and say it in the attributes; or keep a mask beside the text.",
        ("*/text-with-gap/*",),
    ),
    Cause(
        "appended-in-other-units",
        "xarray stores times as whole numbers of the units that the first write chose. Hours appended to days become"
        " whole numbers of days.",
        "Fix the units at the first write: encoding={'time': {'units': 'seconds since 2020-01-01'}}.",
        ("xarray/times-appended/*",),
    ),
    Cause(
        "appended-numbers-wrap",
        "xarray casts what is appended to the type that is stored and does not look whether it fits. 400 at a scale of"
        " 0.01 is 40000, which turns into -25536 in int16.",
        "Choose type and scale for all values to come, and compare the least and the greatest before an append.",
        ("xarray/packed-appended/*",),
    ),
    Cause(
        "gap-becomes-a-number",
        "An integer without _FillValue cannot say that a value is missing. xarray warns, and casts NaN to 0.",
        "Name _FillValue beside dtype in the encoding: a number that no measurement has.",
        ("xarray/gap-as-int16/*",),
    ),
    Cause(
        "chunk-left-out-without-fill-value",
        "xarray gives integers of Zarr 2 no fill value, and chunks of zeros alone are left out all the same. In their"
        " place zarr-python 2 shows memory as it finds it, and z5py the least integer.",
        "Pass write_empty_chunks=True, or write Zarr 3, where each array has a fill value.",
        ("xarray/zero-block-v2/*",),
    ),
    Cause(
        "consolidated-out-of-date",
        "xarray takes shapes from the consolidated metadata, which know nothing of a later append by zarr-python.",
        "Call zarr.consolidate_metadata again after each append.",
        ("zarr-python/appended-after-consolidation/*",),
    ),
    Cause(
        "hdf5-fill-value-becomes-missing",
        "kerchunk and VirtualiZarr copy HDF5's fill value, 0 unless somebody set it, into references of Zarr 2, where"
        " xarray takes it for missing.",
        "Open the references with mask_and_scale=False, or set fill_value to null in each .zarray of the references.",
        ("hdf5/kerchunk/*", "hdf5/virtualizarr/*"),
    ),
    Cause(
        "missing-by-convention",
        "VCF Zarr has -1 for a missing integer and names it in no attribute, so that readers show a number.",
        "Mask what is -1 (and -2, which pads) where you read it, or open with a library that knows VCF Zarr.",
        ("bio2zarr/*",),
    ),
    Cause(
        "letters-become-words",
        "xarray joins the last axis of one-letter bytes (S1) into words, as CF has it.",
        "Open with concat_characters=False, or write text as strings.",
        ("zarr-python-2/letters/*/*/decoded",),
    ),
    Cause(
        "fill-value-becomes-missing",
        "In Zarr 2 xarray takes the fill value for missing values. zarr-python gives numbers the fill value 0, so that"
        " every zero that was measured becomes NaN.",
        "Create the array with fill_value=None (or NaN for floats), write Zarr 3, or write with xarray.",
        tuple(
            f"{writer}/*/*/{reader}/decoded"
            for writer in ("zarr-python", "zarr-python-2", "zarrs", "tutorial-zarr")
            for reader in ("xarray", "tutorial-zarr")
        ),
    ),
)  # the first whose pattern fits


def cause_of(writer: str, situation: str, node: str, reader: str, view: str) -> str:
    """The id of the cause of a silent cell, "" where there is none."""
    name = f"{writer}/{situation}/{node}/{reader}/{view}"
    return next((each.id for each in CAUSES if any(fnmatchcase(name, p) for p in each.cells)), "")
