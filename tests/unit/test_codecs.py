"""Codecs as classes: each shows the JSON that names it, declares its fields, and cannot be changed."""

import inspect
import json
import pickle
import re
import sys

import numcodecs
import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import codecs, dtypes
from tutorial_zarr.codecs import registry
from tutorial_zarr.codecs.base import ArrayBytesCodec, BytesBytesCodec, ChunkSpec, Codec
from tutorial_zarr.codecs.fields import Choice, Field, Flag, IntegerField
from tutorial_zarr.codecs.pipeline import Pipeline, build_codecs
from tutorial_zarr.errors import MetadataError, MissingDependencyError
from tutorial_zarr.metadata import v3

OURS = {name: kind for name, kind in registry._factories.items() if kind.__module__.startswith("tutorial_zarr.")}


def shown(kind, file):
    """The entries of one metadata document that the docstring of a class shows, parsed."""
    text, decoder = inspect.cleandoc(kind.__doc__), json.JSONDecoder()
    starts = re.finditer(rf"^ *{re.escape(file)} +(?=\{{)", text, re.MULTILINE)
    return [decoder.raw_decode(text, start.end())[0] for start in starts]


def entries(name):
    return [entry for entry in shown(OURS[name], "zarr.json") if entry["name"] == name]


def in_v2(name):
    """The id under which Zarr v2 has a codec, or None."""
    identifier = name.removeprefix("numcodecs.")
    known = identifier in numcodecs.registry.codec_registry or identifier in ("pcodec", "zfpy")
    return identifier if known and name not in ("crc32c", "gzip", "blosc", "bitround", "packbits") else None


def spec(data_type="int32", shape=(4, 6)):
    kind = dtypes.from_json(data_type)
    return ChunkSpec(shape, kind, kind.default_fill())


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_codec_shows_its_entry_in_zarr_json_and_makes_it_again(name):
    assert entries(name), f"{OURS[name].__name__} shows no entry of {name!r}"
    for entry in entries(name):
        codec = registry.build(v3.extension(entry, "codecs"))
        assert type(codec) is OURS[name]
        assert codec.to_json() == entry


@pytest.mark.parametrize("name", sorted(name for name, kind in OURS.items() if kind.fields is not None))
def test_the_entries_that_are_shown_have_every_field_and_no_other_member(name):
    members = {key for entry in entries(name) for key in entry.get("configuration", {})}
    assert members == {field.key for field in OURS[name].fields.values()}


@pytest.mark.parametrize("name", sorted(name for name in OURS if in_v2(name)))
def test_a_codec_of_numcodecs_shows_its_entry_in_zarray_as_numcodecs_and_we_read_it(name):
    found = [entry for entry in shown(OURS[name], ".zarray") if entry["id"] == in_v2(name)]
    assert found, f"{OURS[name].__name__} shows no entry of {in_v2(name)!r} in .zarray"
    for entry in found:
        if in_v2(name) in numcodecs.registry.codec_registry:
            assert entry.items() <= numcodecs.get_codec(dict(entry)).get_config().items()
        rest = {key: value for key, value in entry.items() if key != "id"}
        built = registry.build(v3.extension({"name": f"numcodecs.{entry['id']}", "configuration": rest}, "codecs")) if (
            not entry["id"].startswith("vlen-")
        ) else registry.build(v3.extension(entry["id"], "codecs"))  # fmt: skip
        assert built.configuration == rest


def test_a_class_that_shows_nothing_is_found():
    class Silent(BytesBytesCodec):
        """``silent``: {"name": "silent"} in a sentence is no entry."""

    assert shown(Silent, "zarr.json") == []


# --- fields


class Example(BytesBytesCodec):
    """One of each."""

    level = IntegerField(0, 9, default=5)
    exact = Flag(default=False)
    place = Choice(("start", "end"), key="where")
    mode = Choice({"slow": 0, "fast": 1, "none": 2}, default=1)
    words = Field((), "words as a list of strings", lambda value: isinstance(value, list))


def test_fields_are_attributes_with_their_defaults():
    codec = Example("example", {"where": "end", "mode": "slow"})
    assert (codec.level, codec.exact, codec.place, codec.mode, codec.words) == (5, False, "end", 0, ())
    assert codec.configuration == {"where": "end", "mode": "slow"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, r"codec 'example': expected the keys where, level, exact, mode, words; found no 'where'"),
        ({"where": "end", "lvl": 1}, r"expected no keys but where, level, .*; found 'lvl'"),
        ({"where": "end", "level": 10}, r"codec 'example': expected level from 0 to 9, found 10"),
        ({"where": "end", "level": True}, r"expected level from 0 to 9, found True"),
        ({"where": "end", "exact": 0}, r"expected exact true or false, found 0"),
        ({"where": "middle"}, r"expected where 'start' or 'end', found 'middle'"),
        ({"where": None}, r"expected where 'start' or 'end', found None"),
        ({"where": "end", "mode": ["slow"]}, r"expected mode of slow, fast, none, found \['slow'\]"),
        ({"where": "end", "words": "a"}, r"expected words as a list of strings, found 'a'"),
    ],
)
def test_what_does_not_fit_a_field_is_refused(wrong, message):
    with pytest.raises(MetadataError, match=message) as caught:
        Example("example", wrong)
    assert (caught.value.key, caught.value.codec) == ("codecs", "example")


def test_a_class_may_say_that_it_takes_no_configuration_or_read_it_itself():
    with pytest.raises(MetadataError, match=r"codec 'crc32c': expected no configuration; found 'location'"):
        registry.build(v3.extension({"name": "crc32c", "configuration": {"location": "end"}}, "codecs"))

    class Free(BytesBytesCodec):
        """Declares nothing."""

    assert Free("free", {"anything": 1}).configuration == {"anything": 1}


def test_a_field_of_a_subclass_takes_the_place_of_its_base():
    class Wider(Example):
        """To 99."""

        level = IntegerField(0, 99, default=50)

    assert Wider("wider", {"where": "end"}).level == 50
    assert list(Wider.fields) == list(Example.fields)


# --- immutable


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_attribute_of_a_codec_can_be_set_or_deleted(name):
    codec = registry.build(v3.extension(entries(name)[0], "codecs"))
    before = dict(vars(codec))
    for attribute in [*before, "another"]:
        with pytest.raises(AttributeError, match=rf"codec '{name}': cannot set '{attribute}', because .* bind"):
            setattr(codec, attribute, None)
    with pytest.raises(AttributeError, match="cannot delete 'name'"):
        del codec.name
    assert vars(codec) == before


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_codec_survives_pickling(name):
    codec = registry.build(v3.extension(entries(name)[0], "codecs"))
    again = pickle.loads(pickle.dumps(codec))
    assert (type(again), again.name, again.configuration) == (type(codec), codec.name, codec.configuration)
    with pytest.raises(AttributeError, match="cannot set"):
        again.name = "another"


LEAVES_OPEN = {
    "blosc": [{}, {"shuffle": "shuffle"}, {"shuffle": "bitshuffle", "cname": "zstd"}],
    "numcodecs.blosc": [{}, {"shuffle": -1}, {"shuffle": 2}],
    "numcodecs.shuffle": [{}, {"elementsize": 0}],
    "conditional": [{"codecs": [{"name": "numcodecs.shuffle", "configuration": {}}, {"name": "zstd"}]}],
    "sharding_indexed": [{"chunk_shape": [2, 3], "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]}],
    "n5_default": [
        {
            "codecs": [
                {"name": "transpose", "configuration": {"order": [1, 0]}},
                {"name": "bytes", "configuration": {"endian": "big"}},
            ]
        }
    ],
    "numcodecs.astype": [{"encode_dtype": "<i8"}],
    "cast_value": [{"data_type": "float64"}],
    "v2_filters": [],
}


def chain(codec):
    """A whole chain around one codec."""
    plain = build_codecs([v3.extension({"name": "bytes", "configuration": {"endian": "little"}}, "codecs")])
    if isinstance(codec, ArrayBytesCodec):
        return [codec]
    return [*plain, codec] if isinstance(codec, BytesBytesCodec) else [codec, *plain]


@pytest.mark.parametrize(("name", "configuration"), [(n, c) for n, several in LEAVES_OPEN.items() for c in several])
def test_a_codec_that_served_one_array_encodes_another_as_a_new_one_does(name, configuration):
    values = np.random.default_rng(0).integers(0, 100, (4, 6))
    entry = {"name": name, "configuration": configuration}
    used = registry.build(v3.extension(entry, "codecs"))
    before = dict(vars(used))
    data, lines = {}, {each: Pipeline(chain(used), spec(each)) for each in ("int8", "int64", "int16")}
    for data_type, line in lines.items():  # one codec in three chains at once
        array = values.astype(data_type)
        new = Pipeline(chain(registry.build(v3.extension(entry, "codecs"))), spec(data_type))
        data[data_type] = bytes(memoryview(line.encode(array)))
        assert data[data_type] == bytes(memoryview(new.encode(array)))
        assert (line.decode(data[data_type]) == array).all()
    assert vars(used) == before


def test_a_chain_of_v2_filters_takes_the_size_of_an_element_from_each_array_anew():
    document = {"zarr_format": 2, "shape": [24], "chunks": [24], "compressor": None, "fill_value": 0, "order": "C"}
    found = []
    for dtype in ("|i1", "<i8"):
        store = {".zarray": json.dumps({**document, "dtype": dtype, "filters": [{"id": "shuffle", "elementsize": 0}]})}
        array = zarr.open_array({key: value.encode() for key, value in store.items()}, mode="r+")
        array[:] = np.arange(24)
        stored = array.store.get("0")
        expected = np.arange(24, dtype=dtype).view("u1").reshape(24, -1).T.tobytes()
        found.append(bytes(stored) == expected)
    assert found == [True, True]


def test_a_store_keeps_the_configuration_as_it_was_written_and_not_what_a_codec_took_from_the_array():
    array = zarr.create_array({}, shape=8, dtype="i4", compressors={"id": "blosc", "shuffle": -1}, zarr_format=2)
    array[:] = 1
    assert array.metadata.document["compressor"].get("typesize") is None
    assert array.metadata.document["compressor"]["shuffle"] == -1


def test_optional_packages_are_named_where_they_are_missing(monkeypatch):
    class Fresh(codecs.compressors.Lz4):
        """Whose module is not loaded yet."""

        engine = codecs.compressors.NumcodecsModule("lz4")

    monkeypatch.setitem(sys.modules, "numcodecs.lz4", None)
    with pytest.raises(MissingDependencyError, match="codec 'fresh' needs the package numcodecs"):
        Fresh("fresh").encode(b"")
    monkeypatch.undo()
    assert Fresh("fresh").decode(Fresh("fresh").encode(b"chunk")) == b"chunk"


def test_a_plugin_that_forgets_the_base_class_learns_so():
    class Forgets(BytesBytesCodec):
        """Without super().__init__."""

        level = IntegerField(0, 9, default=5)

        def __init__(self, name, configuration):
            self.name = name

    with pytest.raises(AttributeError, match=r"Forgets has no 'level' yet; its __init__ must call Codec.__init__"):
        _ = Forgets("forgets", {}).level
    assert isinstance(Forgets.level, IntegerField)


def test_the_base_reads_no_configuration():
    assert Codec("x").fields is None


@pytest.mark.parametrize(("dtype", "typesize"), [("U14", 4), ("S14", 1), ("f4", 4), ([("a", "i2"), ("b", "f8")], 10)])
def test_blosc_takes_a_character_of_text_for_an_element(dtype, typesize):
    """A shuffle by whole texts tears letters apart that are alike: it was worse than none."""
    pytest.importorskip("numcodecs")
    a = zarr.create_array({}, shape=(8,), dtype=dtype, compressors="blosc")
    assert a.codecs[-1].to_json()["configuration"]["typesize"] == typesize
    if typesize == 10:
        return
    names = np.random.default_rng(0).choice(["Alabama", "Wyoming", "West Virginia", "Utah", "Ohio"], 10_000)
    data = names.astype(dtype) if a.dtype.kind in "US" else np.arange(10_000, dtype=dtype)
    sizes = {}
    for zarr_format, blosc in (
        (3, {"name": "blosc"}),
        (2, {"id": "blosc", "cname": "zstd", "clevel": 5, "shuffle": 1}),
    ):
        store = {}
        a = zarr.create_array(store, data=data, chunks=data.shape, compressors=blosc, zarr_format=zarr_format)
        assert (a[:] == data).all()
        (key,) = [key for key in store if not key.endswith((".json", ".zarray"))]
        sizes[zarr_format] = bytes(store[key])[3]  # the header's type size
    assert sizes == {2: typesize, 3: typesize}
