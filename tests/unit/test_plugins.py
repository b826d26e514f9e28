"""Codecs, data types and stores of one's own: the ones that DESIGN.md shows, and the registries."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import chunk_keys, codecs, dtypes
from tutorial_zarr.errors import MetadataError, MissingDependencyError, ReadOnlyError, StoreError
from tutorial_zarr.stores import MemoryStore, make_store, register_store
from tutorial_zarr.testing import CodecCase, CodecLaws, DataTypeLaws, StoreLaws

ROOT = Path(__file__).parents[2]
SHOWN = (ROOT / "tutorial_zarr" / "DESIGN.md").read_text(encoding="utf-8").split("## A plugin of your own")[1]
SOURCE, ENTRY_POINTS = (re.search(rf"```{kind}\n(.*?)```", SHOWN, re.DOTALL)[1] for kind in ("python", "toml"))
CLASSES, CALLS = re.split(r"(?m)^(?=codecs\.register)", SOURCE)  # what a package holds; what it needs no longer


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder of an installed package `colours` with the classes and their entry points."""
    folder = tmp_path_factory.mktemp("site-packages")
    (folder / "colours.py").write_text(CLASSES, encoding="utf-8")
    information = folder / "colours-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: colours\nVersion: 1.0\n")
    groups = tomllib.loads(ENTRY_POINTS)["project"]["entry-points"]
    groups["tutorial_zarr.codecs"]["lost"] = "colours:Missing"
    lines = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in names.items()) for group, names in groups.items()]
    (information / "entry_points.txt").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder
    sys.modules.pop("colours", None)


@pytest.fixture
def colours(package):
    return importlib.import_module("colours")


def test_each_plugin_is_a_class_of_at_most_twenty_lines_of_code():
    classes = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.ClassDef)]
    assert [node.name for node in classes] == ["Mirror", "Rgb", "FlatStore"]
    for node in classes:
        lines = ast.unparse(ast.Module([node], [])).splitlines()
        code = [line for line in lines if line.strip() and not line.strip().startswith('"""')]
        assert len(code) <= 20, node.name


USE = """
import sys
import numpy as np
import tutorial_zarr as zarr
if len(sys.argv) > 2:
    exec(open(sys.argv[2], encoding="utf-8").read())
else:
    assert "colours" not in sys.modules
url = "flat://" + sys.argv[1]
options = dict(dtype="rgb", fill_value="#ff8000", compressors=["mirror", "gzip"])
a = zarr.create_array(url, shape=(4, 3), chunks=(2, 2), **options)
a[:3, 0] = np.array([(1, 2, 3)], a.dtype)
b = zarr.open_array(url, mode="r")
names = [codec.name for codec in b.codecs]
print(b[2, 0], b[3, 2], b.metadata.document["data_type"], names, len(list(b.store.list_prefix())))
"""
USED = "(1, 2, 3) (255, 128, 0) rgb ['bytes', 'mirror', 'gzip'] 3\n"


def test_found_by_entry_points_they_are_used_in_an_array_that_is_written_and_read(package, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(package)!r}, {str(ROOT)!r}]\n{USE}", tmp_path / "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (USED, "")


def test_registered_by_a_call_they_are_used_in_an_array_that_is_written_and_read(tmp_path):
    (tmp_path / "shown.py").write_text(SOURCE, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n{USE}",
            tmp_path / "x",
            tmp_path / "shown.py",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (USED, "")


@pytest.mark.usefixtures("package")
class TestMirror(CodecLaws):
    cases = [CodecCase("mirror", data_types=["uint8", "float64", "string"])]


@pytest.mark.usefixtures("package")
class TestRgb(DataTypeLaws):
    data_types = ["rgb"]


class TestFlatStore(StoreLaws):
    @pytest.fixture(autouse=True)
    def module(self, colours):
        self.kind = colours.FlatStore

    def make(self, tmp_path):
        return self.kind(tmp_path / "flat")


@pytest.mark.usefixtures("package")
def test_an_entry_point_that_leads_nowhere_is_an_error_that_names_its_package():
    with pytest.raises(MissingDependencyError, match=r"'lost'.*colours:Missing.*reinstall the package colours"):
        codecs.build_codecs([zarr.metadata.Extension("lost", {})])


def test_a_name_that_nobody_knows_is_refused():
    with pytest.raises(MetadataError, match="'nobodys' is not a codec"):
        codecs.build_codecs([zarr.metadata.Extension("nobodys", {})])
    with pytest.raises(MetadataError, match="'nobodys' is not a data type"):
        dtypes.from_json("nobodys")


def test_a_registered_scheme_opens_its_store_with_the_whole_url_the_mode_and_the_options():
    seen = []

    def factory(url, mode, storage_options):
        seen.append((url, mode, storage_options))
        return MemoryStore({"a": b"1"})

    register_store("seen", factory)
    assert make_store("seen://bucket/a b?x=1", "r+", {"token": "t"}).get("a") == b"1"
    assert make_store("seen://bucket").get("a") == b"1"
    assert seen == [("seen://bucket/a b?x=1", "r+", {"token": "t"}), ("seen://bucket", "a", {})]


def test_a_store_behind_a_url_opened_for_reading_refuses_to_write():
    register_store("seen", lambda url, mode, storage_options: MemoryStore({"a": b"1"}))
    with pytest.raises(ReadOnlyError, match="expected a writable store"):
        make_store("seen://bucket", "r").set("a", b"2")


def test_an_unknown_scheme_is_an_error_that_lists_the_known_ones():
    with pytest.raises(StoreError, match=r"expected a path or a URL with .*file://.*found gopher://"):
        make_store("gopher://hole")


class Reversed(chunk_keys.ChunkKeyEncoding):
    """Keys with the last axis first; `encode` and `decode` are all that it says."""

    def __init__(self):
        super().__init__("example.reversed", "r/", "/", "r")

    def encode(self, coords):
        return super().encode(coords[::-1])

    def decode(self, key, ndim):
        coords = super().decode(key, ndim)
        return None if coords is None else coords[::-1]


@pytest.fixture
def reversed_keys(monkeypatch):
    monkeypatch.setattr(chunk_keys, "_encodings", dict(chunk_keys._encodings))
    chunk_keys.register("example.reversed", lambda configuration: Reversed())


def test_a_chunk_key_encoding_of_ones_own_serves_every_way_of_reading(reversed_keys):
    store, data = MemoryStore(), np.arange(48).reshape(6, 8)
    a = zarr.create_array(store, name="x", data=data, chunks=(3, 2), chunk_key_encoding="example.reversed")
    assert "x/r/3/1" in store.mapping
    assert json.loads(store.get("x/zarr.json"))["chunk_key_encoding"] == {"name": "example.reversed"}
    np.testing.assert_array_equal(a[...], data)
    np.testing.assert_array_equal(a.vindex[[0, 5], [3, 7]], data[[0, 5], [3, 7]])
    np.testing.assert_array_equal(a.oindex[[0, 5], [3, 7]], data[np.ix_([0, 5], [3, 7])])
    assert (a.nchunks_initialized, a.chunk_coords("x/r/3/1")) == (8, (1, 3))
    zarr.create_array(store, name="x", shape=(2,), dtype="i4", overwrite=True)
    assert not list(store.list_prefix("x/r"))


def test_a_configuration_of_a_chunk_key_encoding_is_kept_whole():
    found = {}

    def factory(configuration):
        found.update(configuration)
        return Reversed()

    known = dict(chunk_keys._encodings)
    try:
        chunk_keys.register("example.other", factory)
        given = {"name": "example.other", "configuration": {"other": 1}}
        zarr.create_array({}, shape=(2,), dtype="i4", chunk_key_encoding=given)
        assert found == {"other": 1}
    finally:
        chunk_keys._encodings.clear()
        chunk_keys._encodings.update(known)


@pytest.mark.parametrize("given", [{"separator": "."}, 3, {"name": "default", "sepparator": "."}], ids=str)
def test_a_chunk_key_encoding_that_is_none_is_refused_in_a_sentence(given):
    with pytest.raises(MetadataError, match="chunk_key_encoding"):
        zarr.create_array({}, shape=(2,), dtype="i4", chunk_key_encoding=given)


def test_a_codec_is_given_by_an_object_and_not_by_its_class_or_its_configuration_alone():
    with pytest.raises(MetadataError, match="found the class Gzip; try its name"):
        zarr.create_array({}, shape=(2,), dtype="i4", compressors=codecs.compressors.Gzip)
    with pytest.raises(MetadataError, match="expected the codec's name, and then its configuration"):
        codecs.compressors.Gzip({"level": 3})
