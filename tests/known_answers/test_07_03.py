"""07_03 again, from outside: the file through h5py, the reference set through zarr-python, its places by kerchunk.

The bytes of each reference are read with `open` and decoded by zlib, NumPy and arithmetic. Nothing here imports this
project's library.
"""

import json
import math
import zlib

import numpy as np
import pytest

from data_gen import climate

SOURCE = "notebooks/07_geo/07_03_netcdf_references.ipynb"
pytestmark = pytest.mark.gallery

YEARS = 240


@pytest.fixture(scope="module")
def kelvin():
    return climate.make("small").arrays["air_temperature"]


@pytest.fixture(scope="module")
def references(left):
    return json.loads((left[0] / "references.json").read_text(encoding="utf-8"))["refs"]


def raw(out, place):
    name, begin, length = place
    assert name == "{{u}}"
    data = (out / "air.nc").read_bytes()
    assert begin + length <= len(data)
    return data[begin : begin + length]


def test_each_reference_leads_to_the_bytes_of_its_chunk(left, references, kelvin):
    out, facts, _ = left
    for year in (0, 1, 139, 140, 239):
        found = np.frombuffer(raw(out, references[f"kelvin/{year}.0.0"]), "<f4").reshape(37, 49)
        np.testing.assert_array_equal(found, kelvin[0, year])
    for name in ("kelvin", "celsius", "packed"):
        assert sum(key.startswith(name) and "/." not in key for key in references) == facts["chunks"][name]


def test_packed_is_shuffled_then_deflated_in_zlibs_envelope_then_summed(left, references, kelvin):
    for chunk in (0, 9):
        stored = raw(left[0], references[f"packed/{chunk}.0.0"])
        shuffled = np.frombuffer(zlib.decompress(stored[:-4]), "u1")  # the last four bytes are the checksum
        found = np.ascontiguousarray(shuffled.reshape(4, -1).T).view("<f4").reshape(24, 37, 49)
        np.testing.assert_array_equal(found, kelvin[0, 24 * chunk : 24 * (chunk + 1)])


def test_h5py_lists_the_same_places(left, references):
    h5py = pytest.importorskip("h5py")
    seen = {}
    with h5py.File(left[0] / "air.nc") as file:
        for name, v in file.items():
            if v.chunks is None:
                seen[f"{name}/0"] = ["{{u}}", v.id.get_offset(), v.id.get_storage_size()]
                continue

            def keep(c, name=name, chunks=v.chunks):
                index = (str(at // n) for at, n in zip(c.chunk_offset, chunks, strict=True))
                seen[f"{name}/{'.'.join(index)}"] = ["{{u}}", c.byte_offset, c.size]

            v.id.chunk_iter(keep)
    assert seen == {key: place for key, place in references.items() if isinstance(place, list)}


def test_zarr_python_reads_the_reference_set(left, references, kelvin):
    zarr = pytest.importorskip("zarr")
    fsspec = pytest.importorskip("fsspec")
    made = {"version": 1, "templates": {"u": str(left[0] / "air.nc")}, "refs": references}
    files = fsspec.filesystem(
        "reference", fo=made, remote_protocol="file", asynchronous=True, remote_options={"asynchronous": True}
    )
    group = zarr.open_group(zarr.storage.FsspecStore(files, read_only=True), mode="r", zarr_format=2)
    np.testing.assert_array_equal(group["kelvin"][...], kelvin[0])
    np.testing.assert_array_equal(group["packed"][...], kelvin[0])
    assert (group["celsius"][...] == 0).sum() == left[1]["lost"]


def test_what_xarray_lost_is_what_is_stored_as_zero(committed, kelvin):
    degrees = np.rint(kelvin[0] - np.float32(273.15))
    there = degrees[degrees != 0].astype("f8")
    assert committed["values"] == degrees.size == math.prod(committed["shape"])
    assert committed["lost"] == int((degrees == 0).sum())
    assert committed["lost_percent"] == round(100 * committed["lost"] / committed["values"], 1)
    assert committed["lost_in_2000"] == int((degrees[140] == 0).sum())
    assert committed["means"] == pytest.approx([degrees.mean(dtype="f8"), there.mean()], abs=1e-3)
    assert committed["too_warm"] == round(float(there.mean() - degrees.mean(dtype="f8")), 2)


def test_requests_are_those_of_the_chunks(committed):
    years = {"kelvin": 1, "packed": 24}
    for name, cut in years.items():
        assert committed["chunks"][name] == YEARS // cut
        assert committed["costs"][f"{name}: a map"] == 1
        assert committed["costs"][f"{name}: a place"] == YEARS // cut
        assert committed["decade"][name] == len({year // cut for year in range(140, 150)})
    assert committed["nbytes"] == {"kelvin": YEARS * 37 * 49 * 4, "celsius": YEARS * 37 * 49 * 2, "a map": 37 * 49 * 4}


def test_the_years_of_another_world_are_those_that_differ(committed, kelvin):
    differ = np.flatnonzero((kelvin[0] != kelvin[1]).any(axis=(1, 2)))
    assert committed["years_of_another_world"] == len(differ)
    assert committed["first_of_them"] == 1860 + differ[0]
    assert committed["years_equal"] == YEARS - len(differ)
    assert committed["packed_error"].endswith("Error")


def test_hdf5s_scale_and_offset_makes_a_number_of_nan(committed, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "scaled.h5", "w") as file:
        file.create_dataset("t", data=np.float32([20.123, np.nan, 20.456, 21.789]), chunks=(4,), scaleoffset=2)
    with h5py.File(tmp_path / "scaled.h5") as file:
        assert committed["scaled"] == pytest.approx(file["t"][...].tolist(), abs=1e-3)
        number = file["t"].id.get_create_plist().get_filter(0)[0]
    assert f"filter {number} " in committed["refused"]
    assert not np.isnan(committed["scaled"]).any()
