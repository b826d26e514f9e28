"""NetCDF and HDF5 files as Zarr: every value and attribute, a piece at a time, or a refusal that says what it is."""

import importlib.util
import json

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import cli
from tutorial_zarr.errors import MetadataError, MissingDependencyError, NodeExistsError
from tutorial_zarr.stores import MemoryStore, TraceStore

xr = pytest.importorskip("xarray", reason="reading NetCDF needs xarray, which is not installed")
h5py = pytest.importorskip("h5py", reason="reading HDF5 needs h5py, which is not installed")
pytest.importorskip("h5netcdf", reason="reading NetCDF needs h5netcdf, which is not installed")

from tutorial_zarr.xarray_backend import ZarrBackend, from_netcdf, netcdf  # noqa: E402 - it needs xarray

both_formats = pytest.mark.parametrize("zarr_format", [2, 3])


@pytest.fixture
def file(tmp_path):
    """A NetCDF file with packed values, masks, times, text, a scalar, and a group."""
    values = np.round(np.linspace(-5, 30, 240), 1).reshape(24, 10)
    values[3, 4] = np.nan
    dataset = xr.Dataset(
        {
            "t": (("time", "x"), values, {"units": "degC", "valid": np.array([1, 2], "i2")}),
            "place": ("x", np.array([f"städtchen {i}" for i in range(10)])),
            "crs": ((), np.int32(4326)),
        },
        coords={"time": np.datetime64("2024-01-01", "ns") + np.arange(24) * np.timedelta64(1, "h"), "x": np.arange(10)},
        attrs={"title": "made up"},
    )
    dataset["t"].encoding = {"dtype": "i2", "scale_factor": 0.1, "_FillValue": -99, "chunksizes": (6, 5), "zlib": True}
    path = tmp_path / "some data ü.nc"
    dataset.to_netcdf(path, engine="h5netcdf")
    dataset[["t"]].to_netcdf(path, engine="h5netcdf", group="deep/er", mode="a")
    return path


@both_formats
def test_a_file_and_all_its_groups_are_copied_value_by_value(file, zarr_format):
    store = {}
    from_netcdf(file, store, zarr_format=zarr_format)
    for group in (None, "deep/er"):
        with xr.open_dataset(file, engine="h5netcdf", group=group) as source:
            xr.testing.assert_identical(xr.open_dataset(store, engine=ZarrBackend, group=group).load(), source.load())
    array = zarr.open_array(store, path="deep/er/t")
    with h5py.File(file) as raw:
        np.testing.assert_array_equal(array[...], raw["deep/er/t"][...])
    assert array.dtype == "i2"


def test_the_layout_is_the_one_that_is_asked_for(file):
    store = {}
    from_netcdf(file, store, chunks={"time": 4, "x": 5}, shards={"time": 12}, consolidated=True)
    array = zarr.open_array(store, path="t")
    assert (array.chunks, array.shards) == ((4, 5), (12, 10))
    assert zarr.open_array(store, path="place").shards == (10,)
    assert zarr.open_group(store, use_consolidated=True)["deep/er/t"].shape == (24, 10)
    store = {}
    from_netcdf(file, store, chunks="file", skip=["place", "deep/er/t"])
    assert zarr.open_array(store, path="t").chunks == (6, 5)
    assert "consolidated_metadata" not in json.loads(store["zarr.json"])
    assert [name for name, _ in zarr.open_group(store)["deep/er"].members()] == ["time", "x"]
    assert "place" not in zarr.open_group(store)


def test_each_chunk_is_written_once_and_no_more_than_a_piece_is_held(file, monkeypatch):
    monkeypatch.setattr(netcdf, "COPY_BYTES", 2 * 4 * 10 * 2)  # two shards of t
    trace, seen = TraceStore(MemoryStore()), []
    from_netcdf(file, trace, chunks={"time": 4, "x": 5}, shards={"time": 4}, progress=lambda *at: seen.append(at))
    written = [request.key for request in trace.requests if request.verb == "PUT" and "/c" in request.key]
    assert len(written) == len(set(written))
    sizes = np.diff([0, *(done for done, _ in seen)])
    assert seen[-1][0] == seen[-1][1]
    assert sizes.tolist().count(2 * 4 * 10 * 2) == 8  # three pieces of each t, and one of each time


def test_hdf5_that_is_no_netcdf_is_read_with_made_up_dimensions(tmp_path):
    with h5py.File(tmp_path / "plain.h5", "w") as raw:
        raw["inner/a"] = np.arange(6.0).reshape(2, 3)
        raw["inner"].attrs["note"] = "no dimensions"
    store = {}
    from_netcdf(tmp_path / "plain.h5", store)
    array = zarr.open_array(store, path="inner/a")
    assert array[...].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert all(name.startswith("phony_dim_") for name in array.dimension_names)
    assert zarr.open_group(store)["inner"].attrs["note"] == "no dimensions"


@pytest.mark.skipif(importlib.util.find_spec("scipy") is None, reason="scipy, which reads NetCDF 3, is not installed")
def test_netcdf_3_is_read_as_well(tmp_path):
    dataset = xr.Dataset({"a": (("x", "y"), np.arange(6.0).reshape(2, 3))}, attrs={"k": "v"})
    dataset.to_netcdf(tmp_path / "old.nc", engine="scipy", format="NETCDF3_CLASSIC")
    store = {}
    from_netcdf(tmp_path / "old.nc", store)
    xr.testing.assert_identical(xr.open_dataset(store, engine=ZarrBackend).load(), dataset)


def test_what_json_cannot_hold_is_refused_by_name_before_anything_is_written(tmp_path):
    with h5py.File(tmp_path / "odd.h5", "w") as raw:
        raw["fine"] = np.arange(3)
        raw["odd"] = np.arange(3)
        raw["odd"].attrs["limit"] = np.nan
    store = {}
    with pytest.raises(MetadataError, match="found the number nan at limit"):
        from_netcdf(tmp_path / "odd.h5", store)
    with pytest.raises(MetadataError, match="variable 'odd': "):
        from_netcdf(tmp_path / "odd.h5", store)
    assert store == {}
    from_netcdf(tmp_path / "odd.h5", store, skip=["odd"])
    assert list(zarr.open_group(store)) == ["fine"]


def test_what_is_there_is_not_overwritten_and_what_is_no_such_file_is_named(file, tmp_path):
    from_netcdf(file, tmp_path / "out.zarr")
    with pytest.raises(NodeExistsError, match="found a group; try mode='w'"):
        from_netcdf(file, tmp_path / "out.zarr")
    with pytest.raises(FileNotFoundError, match="expected a NetCDF or HDF5 file, found none"):
        from_netcdf(tmp_path / "none.nc", {})
    (tmp_path / "text.nc").write_text("not a NetCDF file")
    with pytest.raises(MissingDependencyError, match="expected a file that one of xarray's engines reads"):
        from_netcdf(tmp_path / "text.nc", {})
    with pytest.raises(ValueError, match="or 'w' to delete what is there, found 'a'"):
        from_netcdf(file, {}, mode="a")
    for wrong in ({"chunks": (1, 2)}, {"shards": 5}):
        with pytest.raises(ValueError, match=r"expected .* by dimension"):
            from_netcdf(file, {}, **wrong)


# --- the command


def test_the_command_copies_and_says_what_it_copied(file, tmp_path, capsys):
    arguments = ["import", str(file), str(tmp_path / "out.zarr"), "--chunks", "time=4", "--shards", "time=12"]
    assert cli.main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["arrays"], report["groups"]) == (8, 2)
    assert report["bytes_stored"] > 0
    array = zarr.open_array(tmp_path / "out.zarr", path="t")
    assert (array.chunks, array.shards) == ((4, 10), (12, 10))
    assert cli.main(arguments) == 1
    assert "found a group" in capsys.readouterr().err
    assert cli.main([*arguments, "--overwrite", "--zarr-format", "2"]) == 1  # v2 has no shards
    capsys.readouterr()
    assert cli.main(["import", str(file), str(tmp_path / "two"), "--zarr-format", "2", "--chunks-of-the-file"]) == 0
    assert "bytes stored" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--chunks", "time"], ["--chunks", "time=0"], ["--zarr-format", "4"]])
def test_a_wrong_option_is_exit_code_2(file, tmp_path, capsys, arguments):
    assert cli.main(["import", str(file), str(tmp_path / "out"), *arguments]) == 2
    assert not (tmp_path / "out").exists()
    assert "Error" in capsys.readouterr().err
