"""The rows of the bridge table of 01_10, each run on both sides."""

import asyncio
import inspect
import json
import pkgutil
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr import codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec
from tutorial_zarr.errors import ChunkError
from tutorial_zarr.stores import MemoryStore, Store
from tutorial_zarr.stores.base import check_key, cut
from tutorial_zarr.testing import CodecLaws, StoreLaws

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows speak of zarr-python 3.4")
VALUES = np.array([1.0, 2.0, 4.0, 8.0])


class Negative(ArrayArrayCodec):
    def resolve(self, spec):
        return spec

    def encode(self, array, spec):
        return -array

    def decode(self, array, spec):
        return -array


@dataclass(frozen=True)
class NegativeThere(zarr.abc.codec.ArrayArrayCodec):
    is_fixed_size = True

    @classmethod
    def from_dict(cls, data):
        return cls()

    def to_dict(self):
        return {"name": "example.negative"}

    def resolve_metadata(self, chunk_spec):
        return replace(chunk_spec)

    async def _encode_single(self, chunk_data, chunk_spec):
        return chunk_data.from_ndarray_like(-chunk_data.as_ndarray_like())

    async def _decode_single(self, chunk_data, chunk_spec):
        return chunk_data.from_ndarray_like(-chunk_data.as_ndarray_like())

    def compute_encoded_size(self, input_byte_length, chunk_spec):
        return input_byte_length


@pytest.mark.bridge(
    "a codec: `resolve`, `encode`, `decode`",
    "`zarr.abc.codec.ArrayArrayCodec`: `resolve_metadata`, `_encode_single`, `_decode_single` (`async`), `from_dict`, `to_dict`",  # noqa: E501
    "-",
)
@pytest.mark.bridge("`codecs.register(name, Class)`", "`zarr.registry.register_codec(name, Class)`", "-")
def test_the_same_codec_on_both_sides(tmp_path):
    codecs.register("example.negative", Negative)
    zarr.registry.register_codec("example.negative", NegativeThere)
    ours = tutorial_zarr.create_array(
        tmp_path / "ours", data=VALUES, filters=[{"name": "example.negative"}], compressors=None
    )
    theirs = zarr.create_array(
        str(tmp_path / "theirs"), shape=(4,), chunks=(4,), dtype="f8", filters=[NegativeThere()], compressors=None
    )
    theirs[:] = VALUES
    chunks = [(tmp_path / side / "c" / "0").read_bytes() for side in ("ours", "theirs")]
    assert chunks[0] == chunks[1] == (-VALUES).tobytes()
    assert np.array_equal(zarr.open_array(str(tmp_path / "ours"), mode="r")[:], VALUES)
    assert np.array_equal(tutorial_zarr.open_array(tmp_path / "theirs", mode="r")[:], VALUES)
    assert np.array_equal(ours[:], theirs[:])


@pytest.mark.bridge("entry points of the group `tutorial_zarr.codecs`", "entry points of the group `zarr.codecs`", "-")
def test_an_installed_package_brings_a_codec(tmp_path):
    information = tmp_path / "site" / "example_codecs-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: example_codecs\nVersion: 1.0\n")
    groups = "".join(
        f"[{group}]\nexample.installed = example_codecs:{name}\n"
        for group, name in (("tutorial_zarr.codecs", "Ours"), ("zarr.codecs", "Theirs"))
    )
    (information / "entry_points.txt").write_text(groups)
    (information.parent / "example_codecs.py").write_text(
        "from tutorial_zarr.codecs.base import ArrayArrayCodec as A\n"
        "from zarr.abc.codec import ArrayArrayCodec as B\n"
        "class Ours(A): pass\n"
        "class Theirs(B):\n"
        "    is_fixed_size = True\n"
        "    @classmethod\n"
        "    def from_dict(cls, data): return cls()\n"
        "    def to_dict(self): return {'name': 'example.installed'}\n"
    )
    tutorial_zarr.create_array(tmp_path / "a", data=VALUES, compressors=None)
    document = json.loads((tmp_path / "a" / "zarr.json").read_text())
    document["codecs"].insert(0, {"name": "example.installed"})
    (tmp_path / "a" / "zarr.json").write_text(json.dumps(document))
    for library, name in (("tutorial_zarr", "Ours"), ("zarr", "Theirs")):
        script = (
            f"import sys, warnings; sys.path.insert(0, {str(information.parent)!r}); warnings.simplefilter('ignore')\n"
            f"import {library} as z\n"
            "assert 'example_codecs' not in sys.modules\n"
            f"a = z.open_array({str(tmp_path / 'a')!r}, mode='r')\n"
            "print(type((a.codecs if hasattr(a, 'codecs') else a.metadata.codecs)[0]).__name__)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert done.stdout.split() == [name], done.stderr


@pytest.mark.bridge("`CodecLaws`", "no tests for a codec of your own", "all of them")
def test_nothing_there_tests_a_codec():
    import zarr.testing

    for module in pkgutil.iter_modules(zarr.testing.__path__):
        found = vars(__import__(f"zarr.testing.{module.name}", fromlist=["_"]))
        kits = [name for name, kit in found.items() if inspect.isclass(kit) and any(map(_is_test, dir(kit)))]
        assert not [name for name in kits if "codec" in name.lower()]
    assert any(map(_is_test, dir(CodecLaws)))


def _is_test(name):
    return name.startswith("test_")


class Four(Store):
    def __init__(self):
        self.held = {}

    def get(self, key, byte_range=None):
        return cut(self.held[key], byte_range) if key in self.held else None

    def set(self, key, value):
        self.held[check_key(key)] = bytes(value)

    def delete(self, key):
        self.held.pop(key, None)

    def list_prefix(self, prefix=""):
        yield from sorted(key for key in self.held if key.startswith(prefix + "/" if prefix else ""))


@pytest.mark.bridge(
    "`Store`: get, set, delete and `list_prefix`",
    "`zarr.abc.store.Store`: twelve members to write, eight of them asynchronous",
    "`update`, with which no change is lost",
)
def test_a_store_of_four_methods():
    root = tutorial_zarr.create_group(Four())
    root.create_array("a", data=VALUES)
    assert np.array_equal(root["a"][:], VALUES)
    root.store.update("n", lambda old: b"1")
    assert root.store.get("n") == b"1"

    base = zarr.abc.store.Store
    assert len(base.__abstractmethods__) == 12
    hints = {name: str(inspect.signature(getattr(base, name)).return_annotation) for name in ("list", "list_dir")}
    assert all("AsyncIterator" in hint for hint in hints.values())
    waits = [name for name in base.__abstractmethods__ if inspect.iscoroutinefunction(getattr(base, name))]
    assert len(waits) + len(["list", "list_dir", "list_prefix"]) == 8
    with pytest.raises(TypeError, match="abstract"):
        type("Empty", (base,), {})()
    assert not hasattr(base, "update")


@pytest.mark.bridge(
    '`list_prefix("sea")`: what lies below `sea/`',
    '`list_prefix("sea")` lists `sea_ice` too; `delete_dir("sea")` ends at the slash',
    "-",
)
def test_where_a_prefix_ends():
    keys = ("sea/c", "sea_ice/c")
    assert list(MemoryStore(dict.fromkeys(keys, b"x")).list_prefix("sea")) == ["sea/c"]

    async def there():
        store = zarr.storage.MemoryStore()
        for key in keys:
            await store.set(key, zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(b"x"))
        listed = [key async for key in store.list_prefix("sea")]
        await store.delete_dir("sea")
        return sorted(listed), [key async for key in store.list()]

    assert asyncio.run(there()) == (["sea/c", "sea_ice/c"], ["sea_ice/c"])


@pytest.mark.bridge(
    "`StoreLaws`",
    "`zarr.testing.store.StoreTests`, also a class to inherit from",
    "laws of threads and of updates",
)
def test_both_bring_tests_for_a_store():
    from zarr.testing.store import StoreTests

    assert any(map(_is_test, dir(StoreTests)))
    assert "hread" not in inspect.getsource(StoreTests).replace("threading.max_workers", "")
    assert not [name for name in dir(StoreTests) if "update" in name]
    named = [name for name in dir(StoreLaws) if _is_test(name)]
    assert any("threads" in name for name in named)
    assert any("update" in name for name in named)


@pytest.mark.bridge(
    "`numcodecs.fixedscaleoffset`, `numcodecs.delta`",
    "the same names, the same bytes",
    "a NaN that does not fit is refused",
)
def test_public_filters(tmp_path):
    from zarr.codecs import numcodecs as there

    scaling = {"offset": 0, "scale": 100, "dtype": "<f8", "astype": "<i8"}
    filters = [{"name": "numcodecs.fixedscaleoffset", "configuration": scaling}]
    filters += [{"name": "numcodecs.delta", "configuration": {"dtype": "<i8"}}]
    options = {"filters": filters, "compressors": None}
    tutorial_zarr.create_array(tmp_path / "ours", data=VALUES, **options)
    theirs = zarr.create_array(
        str(tmp_path / "theirs"),
        shape=(4,),
        chunks=(4,),
        dtype="f8",
        filters=[there.FixedScaleOffset(**scaling), there.Delta(dtype="<i8")],
        compressors=None,
    )
    theirs[:] = VALUES
    assert (tmp_path / "ours" / "c" / "0").read_bytes() == (tmp_path / "theirs" / "c" / "0").read_bytes()
    for side in ("ours", "theirs"):
        assert np.array_equal(zarr.open_array(str(tmp_path / side), mode="r")[:], VALUES)
    nan = np.full(4, np.nan)
    with pytest.raises(ChunkError, match="expected finite numbers"):
        tutorial_zarr.create_array({}, data=nan, fill_value=0.0, **options)
    theirs[:] = nan
    assert not np.isnan(theirs[:]).any()
