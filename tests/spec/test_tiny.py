"""`tiny.py`: what it reads is right, what it cannot read it refuses, and what it writes others read."""

import itertools
import math
import runpy
import zlib
from pathlib import Path

import numpy as np
import pytest
from numcodecs import Zstd

import tutorial_zarr as zarr
from spec.build import assert_same, codec, le, v2, v3, write_folder
from spec.test_write_back import MODULES
from tutorial_zarr import tiny

LAYOUTS = [(2, None), (2, "gzip"), (2, "zstd"), (3, None), (3, "gzip"), (3, "zstd")]
DAMAGE = (ValueError, RuntimeError, EOFError, OSError, zlib.error)  # what is raised of bytes that are no chunk
AXIS = [slice(None), slice(1, 5), slice(None, None, -2), slice(5, 0, -3), slice(4, 2), slice(-3, 99), 0, -1, 3]


def test_it_is_at_most_150_lines_of_code():
    count = runpy.run_path(str(Path(__file__).parents[1] / "project" / "code_lines.py"))["code_lines"]
    assert count(Path(tiny.__file__).read_text(encoding="utf-8")) <= 150


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_every_store_of_the_specifications_is_read_right_or_refused(tmp_path):
    read, wrong = 0, []
    for i, case in enumerate(case for module in MODULES for case in module.CASES):
        folder = write_folder(case.store, tmp_path / str(i)) / case.path.replace("\\", "/").strip("/")
        try:
            found = np.asarray(tiny.open(folder)[...])
        except NotImplementedError:
            continue
        except TypeError:
            wrong += [] if case.lenient else [case.id]
            continue
        try:
            assert_same(found, case.expected)
            read += 1
        except AssertionError:
            wrong.append(case.id)
    assert wrong == []
    assert read >= 260


@pytest.mark.parametrize(("zarr_format", "compressor"), LAYOUTS)
@pytest.mark.parametrize("dtype", tiny.NUMBERS)
def test_the_library_reads_what_it_writes_and_the_other_way_round(dtype, zarr_format, compressor, tmp_path):
    values = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (5, 7)).astype(dtype)
    a = tiny.create_array(tmp_path / "a", (5, 7), (2, 3), dtype, 1, compressor, 5, zarr_format, {"unit": "m"})
    assert a[...].tolist() == np.ones((5, 7), dtype).tolist()
    a[...] = values
    b = zarr.open_array(tmp_path / "a", mode="r+", strict=True)
    assert_same(b[...], values)
    assert (dict(b.attrs), b.fill_value, b.nchunks_initialized) == ({"unit": "m"}, 1, 9)
    b[1:4, 2:6] = values[:3, :4]
    values[1:4, 2:6] = values[:3, :4].copy()
    again = tiny.open(tmp_path / "a")
    assert_same(again[...], b[...])
    assert (again.attrs, again.shape, again.chunks, again.dtype) == ({"unit": "m"}, (5, 7), (2, 3), values.dtype)


@pytest.mark.interop
@pytest.mark.parametrize(("zarr_format", "compressor"), LAYOUTS)
def test_zarr_python_reads_what_it_writes_and_the_other_way_round(zarr_format, compressor, tmp_path):
    peer = pytest.importorskip("zarr")
    values = np.arange(35, dtype="f4").reshape(5, 7)
    tiny.create_group(tmp_path / "g", zarr_format, {"title": "both ways"})
    tiny.create_array(tmp_path / "g/a", (5, 7), (2, 3), "f4", math.nan, compressor, 5, zarr_format)[1:, ::2] = 3
    group = peer.open_group(tmp_path / "g")
    assert dict(group.attrs) == {"title": "both ways"}
    expected = np.full((5, 7), np.nan, "f4")
    expected[1:, ::2] = 3
    np.testing.assert_array_equal(group["a"][...], expected)
    options = {"filters": None, "order": "F"} if zarr_format == 2 else {}
    packed = {"name": compressor, "configuration": {"level": 5} | ({"checksum": False} if compressor == "zstd" else {})}
    packed = None if compressor is None else {"id": compressor, "level": 5} if zarr_format == 2 else packed
    group.create_array("b", data=values, chunks=(2, 3), compressors=packed, **options)
    group["b"].attrs["unit"] = "m"
    found = tiny.open(tmp_path / "g")
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["b"][...], values)
    assert found["b"].attrs == {"unit": "m"}


@pytest.mark.parametrize("chunks", [(1, 1), (2, 3), (4, 2), (7, 9)])
def test_every_selection_reads_and_assigns_what_numpy_does(chunks, tmp_path):
    expected = np.arange(42, dtype="i4").reshape(6, 7)
    a = tiny.create_array(tmp_path / "a", (6, 7), chunks, "i4")
    a[...] = expected
    for selection in [item for axis in AXIS for item in (axis, (axis,), (axis, ...), (..., axis), (axis, ..., 2))]:
        assert np.array_equal(a[selection], expected[selection])
    for number, selection in enumerate(itertools.product(AXIS, AXIS)):
        expected[selection] = a[selection] = -number
        assert np.array_equal(a[selection], expected[selection])
    assert np.array_equal(a[...], expected)
    for wrong in [(6,), (slice(None),) * 3, (..., [0, 1]), "x", None]:
        with pytest.raises((IndexError, TypeError, ValueError)):
            a[wrong]
    with pytest.raises(ValueError, match="broadcast"):
        a[:2] = np.zeros((3, 7))
    assert np.array_equal(a[...], expected)


def test_an_array_without_axes_and_one_without_elements(tmp_path):
    for zarr_format, key in [(2, "0"), (3, "c")]:
        a = tiny.create_array(tmp_path / f"{zarr_format}/a", (), (), "f8", 1.5, zarr_format=zarr_format)
        assert a[...] == 1.5
        a[...] = 2
        assert a[()] == 2
        assert (tmp_path / f"{zarr_format}/a" / key).exists()
        b = tiny.create_array(tmp_path / f"{zarr_format}/b", (0, 3), (2, 2), "i4", zarr_format=zarr_format)
        b[...] = 1
        assert b[...].shape == (0, 3)


def test_groups_name_their_members_and_lead_nowhere_else(tmp_path):
    root = tiny.create_group(tmp_path / "root", attributes={"a": 1})
    tiny.create_array(tmp_path / "root/x", (2,), (2,), "i4")
    tiny.create_group(tmp_path / "root/g")
    (tmp_path / "root/notes").mkdir()
    tiny.create_group(tmp_path / "beside")
    assert (list(root), root.attrs, list(root["g"]), root["x"].shape) == (["g", "x"], {"a": 1}, [], (2,))
    for name in ["notes", "..", "../beside", "", "/", str(tmp_path / "beside")]:
        with pytest.raises(KeyError, match="expected one of"):
            root[name]
    with pytest.raises(FileNotFoundError, match=r"expected zarr.json, .zarray or .zgroup, found none"):
        tiny.open(tmp_path)


def test_nothing_is_written_where_something_is_and_nothing_half(tmp_path):
    tiny.create_array(tmp_path / "a", (4,), (2,), "i4")[:] = 1
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(FileExistsError, match="expected a new folder"):
        tiny.create_array(tmp_path / "a", (5,), (2,), "i4")
    wrong = [{"dtype": "S3", "fill_value": b""}, {"chunks": (2, 2)}, {"chunks": (0,)}, {"compressor": "blosc"}]
    wrong += [{"attributes": {"x": math.nan}}, {"attributes": {"x": object()}}, {"dtype": "u1", "fill_value": 256}]
    for zarr_format, options in itertools.product([2, 3], wrong):
        with pytest.raises((NotImplementedError, ValueError, TypeError, OverflowError)):
            tiny.create_array(tmp_path / "b", **{"shape": (4,), "chunks": (2,), "dtype": "i4"} | options,
                              zarr_format=zarr_format)  # fmt: skip
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_chunk_that_is_damaged_or_a_bomb_is_an_error(tmp_path):
    for name, encode in [
        ("gzip", lambda data: zlib.compress(data, 9, 31)),
        ("zstd", lambda d: bytes(Zstd(9).encode(d))),
    ]:
        a = tiny.create_array(tmp_path / name, (4,), (4,), "i4", compressor=name)
        a[:] = 1
        whole = (tmp_path / name / "c/0").read_bytes()
        for data in [encode(bytes(15)), encode(bytes(17)), encode(bytes(1 << 24)), whole[:-1], b"", b"x"]:
            (tmp_path / name / "c/0").write_bytes(data)
            with pytest.raises(DAMAGE):
                a[...]
            with pytest.raises(DAMAGE):
                a[1] = 2
            assert (tmp_path / name / "c/0").read_bytes() == data


def test_a_document_leads_to_no_file_outside_of_the_array(tmp_path):
    for store in [
        v3([4], [2], "int16", chunk_key_encoding={"name": "v2", "configuration": {"separator": "/../../"}}),
        v2([4, 4], [2, 2], "<i2", dimension_separator="/../"),
    ]:
        with pytest.raises(NotImplementedError, match=r"found .*/"):
            tiny.open(write_folder(store, tmp_path / str(len(list(tmp_path.iterdir())))))


def test_nothing_that_it_does_not_know_is_passed_over(tmp_path):
    one = {"c/0": le("h", 1, 2)}
    stores = [v3([2], [2], "int16", one, more=more) for more in [{"x": 1}, {"must_understand": False}, ["x"], 1]]
    stores += [v3([2], [2], "int16", one, codecs=[codec("bytes", endian="little"), codec("crc32c")])]
    for i, store in enumerate(stores):
        with pytest.raises(NotImplementedError, match=r"found .*(more|crc32c)"):
            tiny.open(write_folder(store, tmp_path / str(i)))
