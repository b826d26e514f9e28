"""NetCDF and HDF5 files as Zarr: every value and attribute, a piece at a time, or a refusal that says what it is."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import cli
from tutorial_zarr.errors import MetadataError, MissingDependencyError, NodeExistsError, ValueMismatchError
from tutorial_zarr.stores import MemoryStore, TraceStore

xr = pytest.importorskip("xarray", reason="reading NetCDF needs xarray, which is not installed")
h5py = pytest.importorskip("h5py", reason="reading HDF5 needs h5py, which is not installed")
pytest.importorskip("h5netcdf", reason="reading NetCDF needs h5netcdf, which is not installed")

from tutorial_zarr.integrations.xarray_backend import ZarrBackend, from_netcdf, netcdf, to_zarr  # noqa: E402 - it needs xarray

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


@both_formats
def test_a_nan_among_attributes_is_kept_and_in_nobody_s_way(zarr_format, tmp_path):
    with h5py.File(tmp_path / "nan.h5", "w") as raw:
        raw["a"] = np.arange(3.0)
        raw["a"].attrs["actual_range"] = np.array([np.nan, 2.0])
        raw["a"].attrs["valid_max"] = np.inf
        raw.attrs["limit"] = np.float32("nan")
    store = {}
    from_netcdf(tmp_path / "nan.h5", store, zarr_format=zarr_format, consolidated=True)
    array = zarr.open_group(store, mode="r+")["a"]
    array.attrs["later"] = 1
    again = xr.open_dataset(store, engine=ZarrBackend)
    np.testing.assert_array_equal(again.a.attrs["actual_range"], [np.nan, 2.0])
    assert (again.a.attrs["valid_max"], again.a.attrs["later"]) == (np.inf, 1)
    copied = {}
    to_zarr(again, copied, zarr_format=5 - zarr_format)
    to_zarr(again.assign(b=again.a * 2), store, mode="a")
    for place in (store, copied):
        found = xr.open_dataset(place, engine=ZarrBackend)
        assert found.a.values.tolist() == [0.0, 1.0, 2.0]
        assert np.isnan(found.attrs["limit"])


def test_what_json_cannot_hold_is_refused_by_name_before_anything_is_written(tmp_path):
    with h5py.File(tmp_path / "odd.h5", "w") as raw:
        raw["fine"] = np.arange(3)
        raw["odd"] = np.arange(3)
        raw["odd"].attrs["limit"] = 1 + 2j
    store = {}
    with pytest.raises(MetadataError, match="found a complex at limit"):
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


def test_a_dimension_that_the_file_does_not_have_is_refused(file, tmp_path, capsys):
    store = {}
    for options in ({"chunks": {"nodim": 10}}, {"shards": {"time": 8, "nodim": 10}}):
        with pytest.raises(ValueMismatchError, match="expected dimensions of the file, time, x; found 'nodim'"):
            from_netcdf(file, store, **options)
    assert store == {}
    assert cli.main(["import", str(file), str(tmp_path / "out"), "--chunks", "nodim=10"]) == 1
    assert "chunks: expected dimensions of the file, time, x; found 'nodim'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists() or zarr_keys(tmp_path / "out") == []


def zarr_keys(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


class Stops:
    """Stands for a file of which reading stops half-way: by an error, by Ctrl-C."""

    def __init__(self, monkeypatch, error, at):
        self.left, self.error = at, error
        real = xr.Variable.values.fget

        def values(variable):
            self.left -= 1
            if self.left < 0:
                raise self.error
            return real(variable)

        monkeypatch.setattr(xr.Variable, "values", property(values, xr.Variable.values.fset))


@both_formats
@pytest.mark.parametrize("error", [OSError("the file cannot be read"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [0, 3])
def test_an_import_that_stops_leaves_what_was_there_and_the_same_call_does_it(
    zarr_format, error, at, file, tmp_path, monkeypatch
):
    place = tmp_path / "out.zarr"
    with monkeypatch.context() as patched:
        Stops(patched, error, at)
        with pytest.raises(type(error)):
            from_netcdf(file, place, zarr_format=zarr_format)
    assert zarr_keys(place) == []
    from_netcdf(file, place, zarr_format=zarr_format, consolidated=True)
    whole = {name: (place / name).read_bytes() for name in zarr_keys(place)}
    with monkeypatch.context() as patched:
        Stops(patched, error, at)
        with pytest.raises(type(error)):
            from_netcdf(file, place, mode="w", zarr_format=5 - zarr_format, chunks={"time": 5})
    assert {name: (place / name).read_bytes() for name in zarr_keys(place)} == whole
    from_netcdf(file, place, mode="w", zarr_format=5 - zarr_format, chunks={"time": 5})
    with xr.open_dataset(file, engine="h5netcdf") as source:
        xr.testing.assert_identical(xr.open_dataset(place, engine=ZarrBackend).load(), source.load())


KILLED = """
import os, sys
import xarray as xr
from tutorial_zarr.integrations.xarray_backend import from_netcdf
real, left = xr.Variable.values.fget, [int(sys.argv[4])]

def values(variable):
    left[0] -= 1
    if left[0] < 0:
        os._exit(9)
    return real(variable)

xr.Variable.values = property(values)
from_netcdf(sys.argv[1], sys.argv[2], mode=sys.argv[3])
"""


@pytest.mark.parametrize("at", [2])
def test_an_import_that_is_killed_shows_no_reader_a_whole_store_and_the_same_command_does_it(
    file, tmp_path, at, capsys
):
    place = tmp_path / "out.zarr"

    def kill(mode):
        run = subprocess.run([sys.executable, "-c", KILLED, str(file), str(place), mode, str(at)], check=False)
        assert run.returncode == 9

    kill("w-")
    with pytest.raises(FileNotFoundError):
        xr.open_dataset(place, engine=ZarrBackend)
    assert cli.main(["info", str(place)]) == 1
    assert "unfinished" in capsys.readouterr().err
    assert cli.main(["import", str(file), str(place)]) == 0
    with xr.open_dataset(file, engine="h5netcdf") as source:
        source.load()
    xr.testing.assert_identical(xr.open_dataset(place, engine=ZarrBackend).load(), source)
    kill("w")
    xr.testing.assert_identical(xr.open_dataset(place, engine=ZarrBackend).load(), source)
    assert cli.main(["import", str(file), str(place), "--overwrite", "--chunks", "time=5"]) == 0
    xr.testing.assert_identical(xr.open_dataset(place, engine=ZarrBackend).load(), source)
    assert not any(".unfinished" in name for name in zarr_keys(place))


PUTS = """
import os, signal, sys
from tutorial_zarr.cli import main
from tutorial_zarr.integrations.xarray_backend import netcdf
from tutorial_zarr.stores import LocalStore
netcdf.COPY_BYTES = 2 * 6 * 10 * 2  # two chunks of t at once
real, left = LocalStore.set, [int(sys.argv[1])]

def set(store, key, value):
    if "/c/" in key:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL) if sys.argv[2] == "kill" else (_ for _ in ()).throw(KeyboardInterrupt)
        print("PUT", key.replace(".unfinished/new/", ""), flush=True)
    real(store, key, value)

LocalStore.set = set
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("how", ["kill", "stop"])
@pytest.mark.parametrize("replaced", [False, True])
def test_an_import_that_is_cut_short_goes_on_with_the_same_command(how, replaced, tmp_path):
    file, place = tmp_path / "in.nc", tmp_path / "out.zarr"
    dataset = xr.Dataset({name: (("time", "x"), np.arange(480, dtype="i2").reshape(48, 10)) for name in ("s", "t")})
    dataset.to_netcdf(file, engine="h5netcdf")
    if replaced:
        to_zarr(xr.Dataset({"old": ("x", np.arange(10))}), place)
    words = ["import", file, place, "--chunks", "time=6", *(["--overwrite"] if replaced else [])]

    def run(*words, until=1000):
        line = [sys.executable, "-c", PUTS, until, how, *words]
        done = subprocess.run([*map(str, line)], check=False, capture_output=True, text=True)
        return done.returncode, [row[4:] for row in done.stdout.splitlines() if row.startswith("PUT ")], done.stderr

    code, first, said = run(*words, until=7)
    assert (code, len(first)) == (130 if how == "stop" else -9, 7)
    assert how == "kill" or said.endswith("no reader sees the copy before it is whole. The same command finishes it\n")
    if replaced:
        assert list(zarr.open_group(place)) == ["old"]
    else:
        with pytest.raises(FileNotFoundError):
            xr.open_dataset(place, engine=ZarrBackend)
    code, second, said = run(*words, until=3)
    assert code == (130 if how == "stop" else -9)
    assert not {*first[:6]} & {*second}, said  # pieces that were written whole are not written again
    code, third, said = run(*words)
    assert code == 0, said
    assert not {*first[:6], *second[:2]} & {*third}
    assert len({*first, *second, *third}) == 16
    xr.testing.assert_identical(xr.open_dataset(place, engine=ZarrBackend).load(), dataset)
    assert not any(".unfinished" in name for name in zarr_keys(place))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("change", ["file", "options", "another call"])
def test_what_a_killed_import_left_is_not_taken_for_part_of_another(change, tmp_path):
    file, place = tmp_path / "in.nc", tmp_path / "out.zarr"
    dataset = xr.Dataset({name: (("time", "x"), np.arange(480, dtype="i2").reshape(48, 10)) for name in ("s", "t")})
    dataset.to_netcdf(file, engine="h5netcdf")

    def run(until, *more):
        line = [sys.executable, "-c", PUTS, until, "kill", "import", file, place, *more]
        return subprocess.run([*map(str, line)], check=False, capture_output=True).returncode

    assert run(7, "--chunks", "time=6") == -9
    options = ["--chunks", "time=6"]
    if change == "file":
        dataset = dataset + 1
        dataset.to_netcdf(file, engine="h5netcdf")
    elif change == "options":
        options = ["--chunks", "time=6", "--chunks", "x=5"]
    else:  # it clears what is there, and is killed before it has written anything
        assert run(0, "--chunks", "time=8") == -9
    assert run(1000, *options) == 0
    xr.testing.assert_identical(xr.open_dataset(place, engine=ZarrBackend).load(), dataset)


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
    assert "found a Zarr store; try --overwrite, or another STORE" in capsys.readouterr().err
    assert cli.main([*arguments, "--overwrite", "--zarr-format", "2"]) == 1  # v2 has no shards
    capsys.readouterr()
    assert cli.main(["import", str(file), str(tmp_path / "two"), "--zarr-format", "2", "--chunks-of-the-file"]) == 0
    assert "bytes stored" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--chunks", "time"], ["--chunks", "time=0"], ["--zarr-format", "4"]])
def test_a_wrong_option_is_exit_code_2(file, tmp_path, capsys, arguments):
    assert cli.main(["import", str(file), str(tmp_path / "out"), *arguments]) == 2
    assert not (tmp_path / "out").exists()
    assert "Error" in capsys.readouterr().err
