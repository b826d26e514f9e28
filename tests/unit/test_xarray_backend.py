"""xarray through the engine `tutorial_zarr`: what is read, what is written, and what is refused."""

import importlib.util
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import MetadataError, NodeExistsError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores import MemoryStore, TraceStore

xr = pytest.importorskip("xarray", reason="the engine needs xarray, which is not installed")
numcodecs = pytest.importorskip("numcodecs", reason="codecs are named as numcodecs names them; it is not installed")

from tutorial_zarr.integrations.xarray_backend import DataStore, ZarrBackend, to_zarr  # noqa: E402 - it needs xarray
from tutorial_zarr.integrations.xarray_backend.variables import DimensionNamesError, decode_fill_value  # noqa: E402

needs_dask = pytest.mark.skipif(importlib.util.find_spec("dask") is None, reason="dask is not installed")
both_formats = pytest.mark.parametrize("zarr_format", [2, 3])


def weather():
    """A dataset with what makes datasets hard: times, text, packing, masks, booleans, a scalar, coordinates."""
    rng = np.random.default_rng(7)
    temperature = np.round(rng.normal(10, 5, (4, 3)), 1)
    temperature[1, 2] = np.nan
    dataset = xr.Dataset(
        {
            "temperature": (("time", "station"), temperature, {"units": "degC"}),
            "rain": (("time", "station"), rng.random((4, 3)) > 0.5),
            "count": ((), np.int16(7)),
            "remark": ("station", np.array(["", "föhn", "a longer one"], np.dtypes.StringDType())),
        },
        coords={
            "time": np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], "M8[ns]"),
            "station": [11, 12, 13],
            "name": ("station", np.array(["Bern", "Zürich", "Sion"])),
        },
        attrs={"title": "made up"},
    )
    dataset["temperature"].encoding = {"dtype": "i2", "scale_factor": 0.1, "_FillValue": -999, "chunks": (2, 2)}
    return dataset


def opened(store, **options):
    return xr.open_dataset(store, engine=ZarrBackend, **options)


def keys(store):
    return {key: bytes(value) for key, value in store.items()}


# --- reading and writing back


def test_the_engine_is_declared_as_an_entry_point_of_xarray():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["entry-points"]["xarray.backends"]["tutorial_zarr"].partition(":")
    assert getattr(importlib.import_module(module), name) is ZarrBackend


def test_a_path_without_an_engine_is_left_to_xarrays_own_where_that_works(tmp_path, monkeypatch):
    place = tmp_path / "a.zarr"
    to_zarr(weather(), place)
    for installed in (True, False):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, found=installed: found or None)
        assert ZarrBackend().guess_can_open(place) is not installed
        assert ZarrBackend().guess_can_open(MemoryStore())
        assert not ZarrBackend().guess_can_open(str(tmp_path / "a.nc"))


@both_formats
def test_a_dataset_comes_back_identical(zarr_format, tmp_path):
    for place in ({}, tmp_path / "a folder ü.zarr", str(tmp_path / "file.zarr.zip")):
        to_zarr(weather(), place, zarr_format=zarr_format)
        with opened(place) as back:
            xr.testing.assert_identical(back.load(), weather())
            assert back.temperature.encoding["chunks"] == (2, 2)


@both_formats
def test_what_was_opened_can_be_written_again_in_either_format(zarr_format):
    first, second = {}, {}
    to_zarr(weather(), first, zarr_format=zarr_format)
    to_zarr(opened(first), second, zarr_format=5 - zarr_format)
    xr.testing.assert_identical(opened(second).load(), weather())
    assert zarr.open_array(second, path="temperature").dtype == "i2"


@pytest.mark.interop
@both_formats
def test_xarray_with_zarr_python_reads_what_is_written_here_and_the_other_way_round(zarr_format, tmp_path):
    pytest.importorskip("zarr", reason="zarr-python is not installed")
    to_zarr(weather(), tmp_path / "ours.zarr", zarr_format=zarr_format)
    theirs = xr.open_dataset(tmp_path / "ours.zarr", engine="zarr")
    xr.testing.assert_identical(theirs.load(), weather())
    theirs.drop_encoding().to_zarr(tmp_path / "theirs.zarr", zarr_format=zarr_format, consolidated=False)
    xr.testing.assert_identical(opened(tmp_path / "theirs.zarr").load(), weather())


def counted(dataset, variable, read):
    """How many chunks `read` fetches of a variable."""
    store = MemoryStore()
    to_zarr(dataset, store, consolidated=False)
    trace = TraceStore(store)
    found = opened(trace)[variable]
    before = len(trace.requests)
    result = read(found)
    values = result.values
    np.testing.assert_array_equal(values, read(dataset[variable]).values)
    return len({request.key for request in trace.requests[before:]})


@pytest.mark.parametrize(
    ("read", "chunks"),
    [
        (lambda a: a.isel(x=slice(0, 4), y=0), 1),
        (lambda a: a.isel(x=slice(None, None, -5)), 4),
        (lambda a: a.isel(x=[0, 19], y=[0, 1]), 2),
        (lambda a: a.isel(x=xr.DataArray([0, 19, 1], dims="p"), y=xr.DataArray([0, 9, 3], dims="p")), 2),
        (lambda a: a.isel(x=3, y=4), 1),
        (lambda a: a[5:5], 0),
    ],
    ids=["slices", "backwards", "each axis", "points", "one element", "nothing"],
)
def test_only_the_chunks_that_a_selection_touches_are_read(read, chunks):
    values = np.arange(200.0).reshape(20, 10)
    dataset = xr.Dataset({"a": (("x", "y"), values)})
    dataset.a.encoding["chunks"] = (5, 10)
    dataset["a"].variable.encoding["chunks"] = (5, 10)
    assert counted(dataset, "a", read) == chunks


def test_consolidated_metadata_is_used_where_it_is_there():
    store = MemoryStore()
    to_zarr(weather().drop_vars("remark"), store, consolidated=True)  # xarray may look at text to find its type
    trace = TraceStore(store)
    opened(trace, decode_times=False, create_default_indexes=False)
    got = {request.key for request in trace.requests if request.verb != "HEAD"}
    assert got == {"zarr.json"}
    without = MemoryStore()
    to_zarr(weather(), without, consolidated=False)
    with pytest.raises(FileNotFoundError, match="expected consolidated metadata"):
        opened(without, consolidated=True)


def test_an_array_that_cannot_be_read_does_not_hide_the_others():
    store = {}
    to_zarr(weather(), store, consolidated=False)
    store["count/zarr.json"] = b'{"zarr_format": 3, "node_type": "array"}'
    with pytest.warns(ZarrWarning, match="left out 'count'"):
        assert "temperature" in opened(store)


@both_formats
def test_an_array_without_names_for_its_axes_is_refused_and_says_what_is_missing(zarr_format):
    store = {}
    zarr.create_array(store, name="a", shape=(2, 3), zarr_format=zarr_format, dtype="f4")
    zarr.open_group(store, zarr_format=zarr_format, mode="a")
    with pytest.raises(DimensionNamesError, match="with 2 names, which are required for xarray"):
        opened(store)


def test_the_dimensions_of_netcdf_stores_are_found():
    store = {}
    zarr.create_group(store, zarr_format=2, attributes={"_NCProperties": "version=2"})
    zarr.create_array(store, name="a", data=np.arange(6).reshape(2, 3), zarr_format=2)
    document = store["a/.zarray"].decode().rstrip().removesuffix("}")
    store["a/.zarray"] = (document + ', "_NCZARR_ARRAY": {"dimrefs": ["/lat", "/group/lon"]}}').encode()
    found = opened(store)
    assert found.a.dims == ("lat", "lon")
    assert found.attrs == {}


# --- fill values


def test_fill_values_mask_in_v2_and_do_not_in_v3():
    for zarr_format, masked in ((2, True), (3, False)):
        store = {}
        array = zarr.create_array(
            store, name="a", shape=(3,), dtype="i4", fill_value=7, zarr_format=zarr_format, dimension_names=["x"]
        )
        array[0] = 1
        zarr.open_group(store, mode="a", zarr_format=zarr_format)
        assert bool(opened(store).a.isnull().any()) is masked
        assert bool(opened(store, use_zarr_fill_value_as_mask=not masked).a.isnull().any()) is not masked


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_was_not_computed_is_missing_and_not_a_measured_zero(zarr_format, dtype, tmp_path):
    dask = pytest.importorskip("dask.array")
    dataset = xr.Dataset({"v": ("x", dask.zeros(4, chunks=2))})
    encoding = {"v": {"dtype": dtype, "scale_factor": 0.5, "_FillValue": -1}}
    to_zarr(dataset, tmp_path, zarr_format=zarr_format, compute=False, encoding=encoding)
    for engine in ("tutorial_zarr", "zarr"):
        with xr.open_dataset(tmp_path, engine=engine) as found:
            assert found.v.isnull().values.tolist() == [True] * 4
    assert zarr.open_array(tmp_path, path="v", mode="r").fill_value == -1


def test_text_of_zarr_python_2_whose_fill_value_is_0_has_no_missing_values(tmp_path):
    """As xarray reads it: what is empty was written so."""
    root = zarr.create_group(tmp_path, zarr_format=2)
    attributes = {"_ARRAY_DIMENSIONS": ["x"]}
    root.create_array("s", data=np.array(["a", ""], object), dtype=str, attributes=attributes)
    place = tmp_path / "s" / ".zarray"
    place.write_text(place.read_text().replace('"fill_value": ""', '"fill_value": 0'))
    assert '"fill_value": 0' in place.read_text()
    for engine in ("tutorial_zarr", "zarr"):
        with xr.open_dataset(tmp_path, engine=engine, consolidated=False) as found:
            assert found.s.values.tolist() == ["a", ""]


def test_v3_keeps_zarrs_fill_value_and_cf_s_apart():
    store = {}
    dataset = xr.Dataset({"a": ("x", [1.0, np.nan])})
    to_zarr(dataset, store, encoding={"a": {"_FillValue": -1.0, "fill_value": 5.0}})
    array = zarr.open_array(store, path="a")
    assert array.fill_value == 5.0
    assert array[:].tolist() == [1.0, -1.0]
    assert array.attrs["_FillValue"] == "AAAAAAAA8L8="  # the eight bytes of -1.0
    back = opened(store)
    xr.testing.assert_identical(back.load(), dataset)
    assert back.a.encoding["_FillValue"] == -1.0
    assert back.a.encoding["fill_value"] == 5.0


@pytest.mark.parametrize(
    ("stored", "dtype", "value"),
    [("AAAAAAAA8L8=", "f8", -1.0), (-9999, "f4", -9999.0), ("-9999", "f4", -9999.0), (3, "u1", 3),
     ("YWI=", "S2", b"ab"), (["AAAAAAAA8D8=", "AAAAAAAAAEA="], "c16", 1 + 2j), (True, "bool", True),
     ("no", "U2", "no")],
)  # fmt: skip
def test_fill_values_among_attributes_are_read_however_they_are_spelled(stored, dtype, value):
    assert decode_fill_value(stored, np.dtype(dtype)) == value


def test_a_fill_value_that_is_none_is_refused():
    with pytest.raises(MetadataError, match="attribute _FillValue: expected a value of the type float64, found"):
        decode_fill_value("not a number", np.dtype("f8"), "a")


def test_a_missing_value_of_nan_survives_although_json_has_none():
    store = {}
    to_zarr(xr.Dataset({"a": ("x", [1.0, np.nan])}), store, encoding={"a": {"missing_value": np.nan}})
    assert zarr.open_array(store, path="a").attrs["missing_value"] == "NaN"
    assert np.isnan(opened(store).a.encoding["missing_value"])


# --- encodings


def test_layout_is_taken_from_the_encoding_and_found_there_again():
    store = {}
    encoding = {"chunks": (2, 2), "shards": (4, 2), "compressors": [{"name": "gzip", "configuration": {"level": 1}}]}
    to_zarr(xr.Dataset({"a": (("x", "y"), np.ones((8, 4)))}), store, encoding={"a": encoding})
    array = zarr.open_array(store, path="a")
    assert (array.chunks, array.shards, array.compressors[0].name) == ((2, 2), (4, 2), "gzip")
    found = opened(store).a.encoding
    assert (found["chunks"], found["shards"]) == ((2, 2), (4, 2))
    assert found["preferred_chunks"] == {"x": 4, "y": 2}
    again = {}
    to_zarr(opened(store), again)
    assert again["a/zarr.json"] == store["a/zarr.json"]


@both_formats
@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ({"compressor": numcodecs.Zstd(3)}, ["zstd"]),
        ({"compressor": numcodecs.Blosc("lz4"), "filters": None}, ["blosc"]),
        ({"compressor": None}, []),
        ({"compressors": None}, []),
        ({"compressors": [None]}, []),
        ({"compressors": []}, []),
        ({"compressors": numcodecs.GZip(2)}, ["gzip"]),
        ({"compressors": "auto", "compressor": {"id": "zlib", "level": 2}}, ["numcodecs.zlib"]),
        ({"chunks": None, "shards": None, "serializer": None, "write_empty_chunks": None}, ["zstd"]),
    ],
)
def test_codecs_are_written_as_users_of_xarray_name_them(zarr_format, encoding, names):
    store = {}
    dataset = xr.Dataset({"a": ("x", np.arange(4.0))})
    to_zarr(dataset, store, zarr_format=zarr_format, encoding={"a": encoding})
    found = [codec.to_json()["name"] for codec in zarr.open_array(store, path="a").compressors]
    assert found == [name if zarr_format == 3 else f"numcodecs.{name.removeprefix('numcodecs.')}" for name in names]
    xr.testing.assert_identical(opened(store).load(), dataset)


def test_two_names_for_one_thing_are_refused():
    with pytest.raises(ValueError, match="expected one of compressor and compressors in the encoding, found both"):
        to_zarr(
            xr.Dataset({"a": ("x", [1])}), {}, encoding={"a": {"compressor": "zstd", "compressors": [numcodecs.Zstd()]}}
        )


@pytest.mark.parametrize("codec", [numcodecs.Zstd(3), numcodecs.Blosc("zstd"), numcodecs.GZip(4)])
@pytest.mark.parametrize("engine", [ZarrBackend, "zarr"])
def test_a_codec_of_zarr_2_gets_the_name_that_zarr_3_has_for_it(codec, engine, tmp_path):
    old, new, again = tmp_path / "2.zarr", {}, {}
    text = np.array(["ab", "c", "", "d"], object)
    dataset = xr.Dataset({"a": ("x", np.arange(4.0)), "t": ("x", text)})
    to_zarr(dataset, old, zarr_format=2, encoding={"a": {"compressors": [codec], "filters": [numcodecs.Delta("f8")]}})
    if engine == "zarr":
        pytest.importorskip("zarr", reason="zarr-python is not installed")
    to_zarr(xr.open_dataset(old, engine=engine), new, zarr_format=3)
    named = [entry["name"] for entry in zarr.open_array(new, path="a").metadata.document["codecs"]]
    assert named == ["numcodecs.delta", "bytes", codec.codec_id]
    xr.testing.assert_identical(opened(new).load(), dataset)
    document = json.loads(new["a/zarr.json"])
    configuration = {k: v for k, v in codec.get_config().items() if k != "id"}  # as this library wrote it once
    document["codecs"][-1] = {"name": f"numcodecs.{codec.codec_id}", "configuration": configuration}
    new["a/zarr.json"] = json.dumps(document).encode()
    to_zarr(opened(new, consolidated=False), again)
    named = [entry["name"] for entry in zarr.open_array(again, path="a").metadata.document["codecs"]]
    assert named == ["numcodecs.delta", "bytes", codec.codec_id]
    xr.testing.assert_identical(opened(again).load(), dataset)


def test_uneven_chunks_are_written_and_read():
    store = {}
    to_zarr(xr.Dataset({"a": ("x", np.arange(10))}), store, encoding={"a": {"chunks": ((3, 7),)}})
    assert opened(store).a.encoding["chunks"] == ((3, 7),)


@both_formats
def test_an_encoding_that_is_not_known_is_refused_before_anything_is_written(zarr_format):
    store = {}
    with pytest.raises(ValueError, match="unexpected encoding parameters for Zarr"):
        to_zarr(weather(), store, zarr_format=zarr_format, encoding={"rain": {"chunk": (1, 1)}})
    with pytest.raises(KeyError, match="expected names of variables, found \\['snow'\\]"):
        to_zarr(weather(), store, encoding={"snow": {}})
    with pytest.raises(MetadataError, match="codec: expected a name, a dict"):
        to_zarr(weather(), store, encoding={"rain": {"compressors": [1]}})
    assert store == {}


# --- modes


@both_formats
def test_nothing_that_is_there_is_overwritten_unless_asked(zarr_format):
    store = {}
    to_zarr(weather(), store, zarr_format=zarr_format)
    before = keys(store)
    with pytest.raises(NodeExistsError, match="found a group; try mode='w'"):
        to_zarr(weather(), store)
    assert keys(store) == before
    to_zarr(weather()[["count"]], store, mode="w", zarr_format=zarr_format)
    assert set(opened(store).variables) == {"count", "time", "station", "name"} & set(weather()[["count"]].variables)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_new_root_is_written_with_its_consolidated_metadata_in_one_piece(zarr_format):
    store = TraceStore(MemoryStore())
    to_zarr(weather(), store, zarr_format=zarr_format)
    copies = ".zmetadata" if zarr_format == 2 else "zarr.json"
    assert [request.verb for request in store.requests if request.key == copies].count("PUT") == 1
    held = dict(store.store.mapping)
    zarr.consolidate_metadata(store)
    assert store.store.mapping == held  # and it is the same as when it is gathered


def test_mode_a_adds_variables_and_keeps_consolidated_metadata_up_to_date():
    store = {}
    to_zarr(weather(), store)
    to_zarr(weather()[["temperature"]].rename(temperature="dew"), store, mode="a", consolidated=False)
    xr.testing.assert_identical(opened(store, consolidated=True).dew.load(), weather().temperature.rename("dew"))


def test_a_dataset_that_is_refused_leaves_the_store_as_it_was():
    store = {}
    to_zarr(weather(), store)
    before = keys(store)
    wrong = weather().assign_attrs(limit=np.nan)
    with pytest.raises(MetadataError, match="found the number nan at limit"):
        to_zarr(wrong, store, mode="w")
    wrong = weather()
    wrong["rain"].attrs["valid"] = {1: 2}
    with pytest.raises(MetadataError, match="expected keys that are text"):
        to_zarr(wrong, store, mode="w")
    with pytest.raises(ValueError, match="non-pre-existing variables \\['dew'\\]"):
        to_zarr(weather().assign(dew=weather().temperature), store, mode="r+")
    with pytest.raises(TypeError, match="expected a name that is text"):
        to_zarr(xr.Dataset({1: ("x", [1])}), store, mode="w")
    with pytest.raises(ValueError, match="already exists, but encoding was provided"):
        to_zarr(weather(), store, mode="a", encoding={"rain": {"chunks": (1, 1)}})
    assert keys(store) == before


# --- appending


@both_formats
def test_appending_makes_the_arrays_longer(zarr_format):
    store = {}
    first, rest = weather().isel(time=slice(3)), weather().isel(time=slice(3, None))
    to_zarr(first, store, zarr_format=zarr_format)
    to_zarr(rest, store, append_dim="time")
    xr.testing.assert_identical(opened(store).load(), weather())
    assert zarr.open_array(store, path="temperature").chunks == (2, 2)


def test_what_cannot_be_appended_without_loss_is_refused():
    def refused(dataset, match):
        store = {}
        to_zarr(base, store)
        before = keys(store)
        with pytest.raises(ValueError, match=match):
            to_zarr(dataset, store, append_dim="time")
        assert keys(store) == before

    times = np.array(["2024-01-01", "2024-01-02"], "M8[ns]")
    base = xr.Dataset(
        {"n": ("time", np.array([1, 2], "i2")), "s": ("time", np.array(["ab", "cd"]))}, coords={"time": times}
    )
    base["p"] = "time", [0.5, np.nan]
    base["p"].encoding = {"dtype": "i2", "scale_factor": 0.1, "_FillValue": -1}
    later = base.assign_coords(time=times + np.timedelta64(2, "D"))
    refused(later.assign(n=("time", [1, 70_000])), "the stored type int16 holds exactly, found 70000")
    refused(later.assign(n=("time", [1.0, np.nan])), "the stored type int16 holds exactly, found nan")
    refused(later.assign(p=("time", [1.0, 4000.0])), "the stored type int16 holds exactly, found 40000.0")
    refused(later.assign(n=("time", [1.0, 2.5])), "the stored type int16 holds exactly, found 2.5")
    refused(later.assign(s=("time", ["ab", "abc"])), "Mismatched dtypes for variable s")
    refused(later.drop_vars("n").assign(n=(("time", "x"), [[1], [2]])), "different dimension names")
    with pytest.warns(UserWarning, match="can't be serialized faithfully"):
        refused(
            later.assign_coords(time=times + np.timedelta64(1, "h")), "expected values that can be stored with units"
        )
    store = {}
    to_zarr(base, store)
    with pytest.raises(ValueError, match="append_dim='t' does not match any existing dataset dimensions"):
        to_zarr(later, store, append_dim="t")


@both_formats
def test_a_new_variable_of_another_length_is_refused_as_the_group_could_not_be_opened(zarr_format):
    store = {}
    to_zarr(weather().isel(time=slice(3)), store, zarr_format=zarr_format)
    before = keys(store)
    rest = weather().isel(time=slice(3, None))
    with pytest.raises(ValueError, match=r"'dew': expected 4 elements along 'time', as array '.*' has .*, found 1"):
        to_zarr(rest.assign(dew=rest.temperature), store, append_dim="time")
    with pytest.raises(ValueError, match=r"'dew': expected 3 elements along 'time', as array '.*' has .*, found 4"):
        to_zarr(weather()[["temperature"]].rename(temperature="dew").drop_vars("time"), store, mode="a")
    assert keys(store) == before


def grid(rows=(0, 1), x=(10, 20), start=1.0, **coords):
    values = start + np.arange(len(rows) * len(x), dtype=float).reshape(len(rows), len(x))
    return xr.Dataset({"a": (("t", "x"), values)}, coords={"t": list(rows), "x": list(x), **coords})


@both_formats
@pytest.mark.parametrize("mode", ["a", "a-"])
def test_an_append_does_not_put_other_labels_on_the_rows_that_are_there(zarr_format, mode):
    store = {}
    to_zarr(grid(height=2.0, name=("x", ["p", "q"]), lat=(("t", "x"), np.ones((2, 2)))), store, zarr_format=zarr_format)
    before = keys(store)
    later = grid((2,), height=2.0, name=("x", ["p", "q"]), lat=(("t", "x"), np.ones((1, 2))))
    wrong = [later.isel(x=[1, 0]), later.assign_coords(x=[10, 21])]
    if mode == "a":  # a- leaves what has not the dimension, and is no coordinate of an axis
        wrong += [later.assign_coords(height=3.0), later.assign_coords(name=("x", ["q", "p"]))]
    for dataset in [*wrong, *(one.chunk(x=1) for one in wrong)]:
        with pytest.raises(ValueError, match="expected the values of the coordinate that is in the store"):
            to_zarr(dataset, store, append_dim="t", mode=mode, safe_chunks=False)
    assert keys(store) == before
    to_zarr(later, store, append_dim="t", mode=mode)
    assert opened(store).a.values.tolist() == [[1, 2], [3, 4], [1, 2]]


def test_coordinates_are_compared_as_they_are_stored_and_a_nan_equals_a_nan():
    store = {}
    label = np.array([np.nan, 0.1])
    to_zarr(grid(w=("x", label), n=("x", ["u", "v"])), store, encoding={"w": {"dtype": "f4"}})
    to_zarr(grid((2,), w=("x", label), n=("x", np.array(["u", "v"], object))), store, append_dim="t")
    assert opened(store).sizes["t"] == 3


@both_formats
def test_an_append_brings_all_variables_that_have_the_dimension(zarr_format):
    store = {}
    to_zarr(grid().assign(b=("t", [5, 6]), c=("x", [7, 8])), store, zarr_format=zarr_format)
    before = keys(store)
    with pytest.raises(ValueError, match=r"found a dataset without \['b'\]"):
        to_zarr(grid((2,)), store, append_dim="t")
    with pytest.raises(ValueError, match=r"without \['t'\]"):
        to_zarr(grid((2,)).assign(b=("t", [7])).drop_vars("t"), store, append_dim="t")
    assert keys(store) == before
    to_zarr(grid((2,)).assign(b=("t", [7])), store, append_dim="t")
    assert opened(store).b.values.tolist() == [5, 6, 7]


@needs_dask
@both_formats
def test_an_append_whose_source_fails_leaves_no_array_longer(zarr_format, tmp_path):
    import dask.array as da

    def fails(block, block_info=None):
        if block_info[0]["chunk-location"] == (2,):
            raise OSError("the source is down")
        return block

    for place in ({}, tmp_path / "a.zarr"):
        to_zarr(xr.Dataset({"a": ("t", np.arange(4.0)), "b": ("t", np.arange(4))}).chunk(t=2), place)
        rows = da.map_blocks(fails, da.arange(6, chunks=2, dtype=float), dtype=float)
        with pytest.raises(OSError, match="the source is down"):
            to_zarr(xr.Dataset({"a": ("t", rows), "b": ("t", np.arange(6))}), place, append_dim="t")
        for name in "ab":
            array = zarr.open_array(place, path=name, mode="r+")
            assert (array.shape, array.unfinished) == ((4,), {})
            array.resize(10)
            assert set(array[4:].tolist()) <= {0} or np.isnan(array[4:]).all()  # nothing of it comes to light


def test_two_that_append_at_once_are_both_there(monkeypatch):
    store, others = {}, [xr.Dataset({"x": ("t", np.full(4, 7.0)), "y": ("t", np.full(4, 7))})]
    to_zarr(xr.Dataset({"x": ("t", np.zeros(4)), "y": ("t", np.zeros(4, int))}), store)
    real = DataStore.carry_out

    def between(self, *rest):
        if others:
            to_zarr(others.pop(), store, append_dim="t")
        return real(self, *rest)

    monkeypatch.setattr(DataStore, "carry_out", between)
    to_zarr(xr.Dataset({"x": ("t", np.full(4, 9.0)), "y": ("t", np.full(4, 9))}), store, append_dim="t")
    for name in "xy":
        assert opened(store)[name].values.tolist() == [0] * 4 + [7] * 4 + [9] * 4


def test_who_appends_while_another_one_writes_is_told(monkeypatch):
    store = {}
    to_zarr(xr.Dataset({"x": ("t", np.zeros(4))}), store)
    with zarr.open_array(store, path="x", mode="r+").reserve(2), pytest.raises(OSError, match="nothing was written"):
        to_zarr(xr.Dataset({"x": ("t", np.full(4, 9.0))}), store, append_dim="t")
    assert opened(store).x.shape == (6,)


def test_a_nan_among_the_attributes_that_are_stored_is_in_nobody_s_way():
    store = {}
    to_zarr(xr.Dataset({"a": ("t", [1.0]), "b": ("t", [1])}), store, consolidated=False)
    for key in ("zarr.json", "a/zarr.json"):
        document = json.loads(store[key])
        store[key] = json.dumps({**document, "attributes": {"limit": float("nan")}}).encode()
    rows = xr.Dataset({"a": ("t", [2.0]), "b": ("t", [2])}, attrs={"limit": np.float64("nan")})
    to_zarr(rows, store, append_dim="t")
    found = opened(store)
    assert (found.a.values.tolist(), found.b.values.tolist()) == ([1, 2], [1, 2])
    assert np.isnan(found.attrs["limit"])
    again = {}
    to_zarr(found, again)
    assert np.isnan(opened(again).a.attrs["limit"])


# --- onto its own source


@needs_dask
@both_formats
@pytest.mark.parametrize("chunks", [None, {}])
@pytest.mark.parametrize("engine", [ZarrBackend, "zarr"])
def test_a_dataset_is_written_onto_its_own_source(zarr_format, chunks, engine, tmp_path):
    place = tmp_path / "a.zarr"
    if engine == "zarr":
        pytest.importorskip("zarr", reason="zarr-python is not installed")
    to_zarr(grid(), place, zarr_format=zarr_format, encoding={"a": {"chunks": (1, 2)}})
    source = xr.open_dataset(place, engine=engine, chunks=chunks)
    to_zarr(source.assign(b=source.a[::-1] * 2), place, mode="w")
    wanted = grid().assign(b=grid().a[::-1] * 2)
    xr.testing.assert_equal(opened(place).load(), wanted)
    source = xr.open_dataset(place, engine=engine, chunks=chunks)
    to_zarr(source.assign(a=source.a.roll(t=1)).drop_vars(["t", "x"]), place, mode="a")
    np.testing.assert_array_equal(opened(place).a, grid().a.roll(t=1))
    source = xr.open_dataset(place, engine=engine, chunks=chunks)
    part = source[["a"]].drop_vars(["t", "x"]).isel(t=slice(None, None, -1))
    to_zarr(part, place, region={"t": slice(0, 2)}, safe_chunks=False)
    np.testing.assert_array_equal(opened(place).a, grid().a.roll(t=1)[::-1])


@needs_dask
def test_values_that_are_to_be_written_later_must_not_come_from_what_is_replaced(tmp_path):
    place = tmp_path / "a.zarr"
    to_zarr(grid(), place)
    before = opened(place).load()
    source = opened(place, chunks={})
    for mode in ("w", "a"):
        with pytest.raises(ValueError, match="expected values that are not read from"):
            to_zarr(source * 2, place, mode=mode, compute=False)
    xr.testing.assert_identical(opened(place).load(), before)


@needs_dask
@pytest.mark.parametrize("mode", ["w", "a", "r+"])
def test_a_source_that_fails_leaves_what_was_there(mode, tmp_path):
    import dask.array as da

    def fails(block, block_info=None):
        if block_info[0]["chunk-location"] == (1, 0):
            raise OSError("the source is down")
        return block

    place = tmp_path / "a.zarr"
    dataset = grid().chunk(t=1)
    to_zarr(dataset, place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    wrong = dataset.assign(a=(("t", "x"), da.map_blocks(fails, da.zeros((2, 2), chunks=(1, 2)), dtype=float)))
    with pytest.raises(OSError, match="the source is down"):
        to_zarr(wrong, place, mode=mode)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    with pytest.raises(OSError, match="the source is down"):
        to_zarr(wrong, tmp_path / "b.zarr")
    assert [path for path in (tmp_path / "b.zarr").rglob("*") if path.is_file()] == []


# --- labels


def test_a_coordinate_does_not_change_under_variables_that_stay():
    store = {}
    to_zarr(grid().assign(b=("x", [1, 2])), store)
    before = keys(store)
    turned = grid().isel(x=[1, 0])
    for dataset in (turned, turned[["a"]].rename(a="c")):
        with pytest.raises(ValueError, match=r"labels elements of '(b' that stay|a' and 1 more)"):
            to_zarr(dataset, store, mode="a")
    with pytest.raises(ValueError, match="since it labels elements of"):
        to_zarr(turned.isel(t=[0]), store, region={"t": slice(0, 1), "x": slice(0, 2)})
    assert keys(store) == before
    to_zarr(turned.assign(b=("x", [2, 1])), store, mode="a")  # all that it labels is written with it
    xr.testing.assert_equal(opened(store).load(), turned.assign(b=("x", [2, 1])))


@both_formats
def test_a_tree_is_appended_to_as_one(zarr_format):
    def tree(rows):
        below = grid(rows)[["a"]].drop_vars("t").rename(a="below", x="y")
        return xr.DataTree.from_dict({"/": grid(rows), "/g": below, "/h": xr.Dataset({"c": ("z", [1])})})

    store = {}
    to_zarr(tree((0, 1)), store, zarr_format=zarr_format)
    before = keys(store)
    with pytest.raises(ValueError, match="array '/g/below' belongs to the same tree"):
        to_zarr(grid((2,)), store, append_dim="t")
    with pytest.raises(ValueError, match="array '/t' belongs to the same tree"):
        to_zarr(tree((2,))["g"].to_dataset(inherit=False), store, group="g", append_dim="t")
    with pytest.raises(ValueError, match="does not match any existing dimensions of the tree"):
        to_zarr(tree((2,)), store, append_dim="q", mode="a")
    assert keys(store) == before
    to_zarr(tree((2,)), store, append_dim="t", mode="a")
    found = xr.open_datatree(store, engine=ZarrBackend)
    assert (found["a"].shape, found["g/below"].shape, found["h/c"].shape) == ((3, 2), (3, 2), (1,))


def test_zarrs_own_times_are_appended_to_where_their_unit_holds_the_new_ones():
    store = {}
    first = np.array(["2025-01-01", "NaT"], "M8[s]")
    group = zarr.open_group(store, mode="a")
    group.create_array("t", data=first, dimension_names=["n"])
    group.create_array("d", data=np.array([1, 2], "m8[s]"), dimension_names=["n"])
    later = np.array(["2025-01-03", "NaT"], "M8[ns]")
    rows = xr.Dataset({"t": ("n", later), "d": ("n", np.array([3, 4], "m8[s]"))})
    to_zarr(rows, store, append_dim="n")
    before = keys(store)
    np.testing.assert_array_equal(zarr.open_array(store, path="t")[:], np.concatenate([first, later.astype("M8[s]")]))
    assert zarr.open_array(store, path="d")[:].astype(int).tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"datetime64\[s\] holds exactly, found 2025-01-03T00:00:00.5"):
        to_zarr(rows.assign(t=("n", later + np.timedelta64(500, "ms"))), store, append_dim="n")
    with pytest.raises(ValueError, match="Mismatched dtypes for variable d"):
        to_zarr(rows.assign(d=("n", later)), store, append_dim="n")
    assert keys(store) == before


# --- regions


@both_formats
def test_a_region_is_written_by_slices_or_found_by_coordinates(zarr_format):
    store = {}
    dataset = xr.Dataset({"a": ("x", np.arange(10))}, coords={"x": np.arange(10) * 10})
    to_zarr(dataset, store, zarr_format=zarr_format)
    part = dataset.isel(x=slice(3, 6)) * 100
    to_zarr(part.drop_vars("x"), store, region={"x": slice(3, 6)})
    to_zarr(part.isel(x=slice(1, None)) + 1, store, region="auto")
    assert opened(store).a.values.tolist() == [0, 1, 2, 300, 401, 501, 6, 7, 8, 9]


def test_a_region_that_does_not_fit_is_refused():
    store = {}
    dataset = xr.Dataset({"a": ("x", np.arange(10))}, coords={"x": np.arange(10) * 10})
    to_zarr(dataset, store)
    before = keys(store)
    for region, data, kind, match in [
        ({"x": slice(0, 5)}, dataset, ValueError, "different dimension sizes: expected 5 along 'x', found 10"),
        ({"y": slice(0, 5)}, dataset, ValueError, "not in Dataset dimensions: 'y'"),
        ({"x": slice(0, 10, 2)}, dataset, ValueError, "step on all slices"),
        ({"x": [1, 2]}, dataset, TypeError, "must be slice objects"),
        ("auto", dataset.isel(x=[1, 3]), ValueError, "non-contiguous indices"),
        ("auto", dataset.assign_coords(x=np.arange(10)), KeyError, "Not all values of coordinate 'x'"),
        ({"x": slice(0, 10)}, dataset.assign(b=1), ValueError, "drop_vars\\(\\['b'\\]\\)"),
    ]:
        with pytest.raises(kind, match=match):
            to_zarr(data, store, region=region)
    assert keys(store) == before


# --- dask


@needs_dask
def test_blocks_that_would_be_written_into_one_chunk_at_the_same_time_are_refused_or_moved():
    dataset = xr.Dataset({"a": (("x", "y"), np.arange(96).reshape(12, 8))})
    chunked = dataset.chunk({"x": (5, 7), "y": 8})
    encoding = {"a": {"chunks": (2, 8), "shards": (4, 8)}}
    store = {}
    with pytest.raises(ValueError, match="found an edge at 5, within the unit from 4 to 8"):
        to_zarr(chunked, store, encoding=encoding)
    assert store == {}
    to_zarr(chunked, store, encoding=encoding, align_chunks=True)
    xr.testing.assert_identical(opened(store).load(), dataset)
    to_zarr(opened(store, chunks={}), {})  # the blocks chosen for reading are those that can be written


@needs_dask
def test_a_region_of_blocks_must_fill_its_chunks_where_others_may_write_beside_it():
    dataset = xr.Dataset({"a": ("x", np.zeros(10, int))}).chunk(x=5)
    store = {}
    to_zarr(dataset, store)
    part = xr.Dataset({"a": ("x", np.ones(5, int))}).chunk(x=5)
    with pytest.raises(ValueError, match="found an edge at 2, within the unit from 0 to 5"):
        to_zarr(part, store, region={"x": slice(2, 7)})
    to_zarr(part, store, region={"x": slice(5, 10)})
    assert opened(store).a.values.tolist() == [0] * 5 + [1] * 5


@needs_dask
def test_without_compute_only_metadata_is_written_until_the_delayed_is_computed(tmp_path):
    dataset = xr.Dataset({"a": ("x", np.arange(1, 11))}).chunk(x=5)
    place = tmp_path / "later.zip"
    later = to_zarr(dataset, place, compute=False)
    store = {}
    delayed = to_zarr(dataset, store, compute=False)
    assert not any("/c/" in key for key in store)
    delayed.compute()
    later.compute()
    for written in (store, place):
        xr.testing.assert_identical(opened(written).load(), dataset.compute())


@needs_dask
def test_values_that_a_stored_type_cannot_hold_are_refused_when_their_block_is_written():
    store = {}
    to_zarr(xr.Dataset({"a": ("x", np.zeros(4, "i1"))}), store)
    wide = xr.Dataset({"a": ("x", np.array([1, 2, 3, 300]))}).chunk(x=4)
    with pytest.raises(ValueError, match="the stored type int8 holds exactly, found 300"):
        to_zarr(wide, store, mode="r+")


@needs_dask
def test_opened_with_chunks_a_dataset_is_read_block_by_block():
    store = {}
    to_zarr(weather(), store)
    lazy = opened(store, chunks={})
    assert lazy.temperature.chunks == ((2, 2), (2, 1))
    xr.testing.assert_identical(lazy.load(), weather())


# --- trees and data arrays


@both_formats
def test_trees_of_groups_come_back(zarr_format):
    tree = xr.DataTree.from_dict({"/": weather()[["count"]], "/north/a": weather(), "/south": weather().isel(time=[0])})
    store = {}
    to_zarr(tree, store, zarr_format=zarr_format)
    with xr.open_datatree(store, engine=ZarrBackend) as back:
        xr.testing.assert_identical(back.load(), tree)
    assert set(xr.open_groups(store, engine=ZarrBackend)) == {"/", "/north", "/north/a", "/south"}
    xr.testing.assert_identical(opened(store, group="north/a").load(), weather())
    part = xr.open_datatree(store, engine=ZarrBackend, group="north")
    assert part.groups == ("/", "/a")


def test_a_group_is_written_beside_others():
    store = {}
    to_zarr(weather(), store, group="one")
    to_zarr(weather(), store, group="two/three")
    assert [name for name, _ in zarr.open_group(store).groups()] == ["one", "two"]
    xr.testing.assert_identical(opened(store, group="/two/three").load(), weather())


def test_data_arrays_keep_their_names_also_where_they_have_none():
    for name in (None, "a", "x"):
        array = xr.DataArray([1, 2, 3], dims="x", coords={"x": [10, 20, 30]}, name=name)
        store = {}
        to_zarr(array, store)
        assert not any(part.startswith("__") for key in store for part in key.split("/"))
        xr.testing.assert_identical(xr.open_dataarray(store, engine=ZarrBackend).load(), array)


def test_missing_text_is_written_as_empty_text():
    store = {}
    text = np.array(["ab", None], np.dtypes.StringDType(na_object=None))
    with pytest.warns(UserWarning, match="missing text is stored as empty text"):
        to_zarr(xr.Dataset({"a": ("x", text)}), store)
    assert opened(store).a.values.tolist() == ["ab", ""]
