"""Zarr v3: the members of ``zarr.json``, the forms of an extension, and what may be ignored."""

import gzip
import json
import math

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    BIG,
    CORE,
    LITTLE,
    Literal,
    Read,
    Refuse,
    be,
    check_folders,
    check_read,
    check_refusal,
    codec,
    group3,
    judge_all,
    le,
    table,
    v3,
)
from tutorial_zarr.errors import ZarrError

MANDATORY, OPTIONAL = CORE + "#mandatory", CORE + "#optional"
OBJECTS, SHORT, UNDERSTAND = CORE + "#objects", CORE + "#short-hand-names", CORE + "#must-understand"
THREE = np.array([1, 2, -3], "i2")
DATA = {"c/0": le("h", 1, 2), "c/1": le("h", -3, 99)}
ZIPPED = {"c/0": gzip.compress(le("h", 1, 2)), "c/1": gzip.compress(le("h", -3, 99))}
GZIP = codec("gzip", level=1)
ELSEWHERE = {"name": "elsewhere", "configuration": {"host": "x"}}


def case(id, spec, data=DATA, expected=THREE, lenient=False, shape=(3,), chunks=(2,), data_type="int16", **kwargs):
    store = v3(list(shape), list(chunks), data_type, data, **kwargs)
    return Read(f"v3.metadata.{id}", spec, store, expected, lenient=lenient)


def known_grid(**more):
    return {"name": "regular", "configuration": {"chunk_shape": [2]}} | more


CASES = [
    case("minimal", MANDATORY),
    case("attributes", OPTIONAL, attributes={"a": 1}),
    case("attributes_empty", OPTIONAL, attributes={}),
    case("attributes_null", OPTIONAL, attributes=None, lenient=True),
    case("storage_transformers_empty", OPTIONAL, storage_transformers=[]),
    case("dimension_names", OPTIONAL, dimension_names=["x"]),
    case("dimension_names_null_inside", OPTIONAL, dimension_names=[None]),
    case("dimension_names_empty_text", OPTIONAL, dimension_names=[""]),
    case("dimension_names_null", OPTIONAL, dimension_names=None, lenient=True),
    case(
        "dimension_names_repeated",
        OPTIONAL,
        {"c/0/0": le("h", 1)},
        np.array([[1]], "i2"),
        shape=(1, 1),
        chunks=(1, 1),
        dimension_names=["x", "x"],
    ),
    case(
        "dimension_names_of_no_dimension",
        OPTIONAL,
        {"c": le("h", 7)},
        np.array(7, "i2"),
        shape=(),
        chunks=(),
        dimension_names=[],
    ),
    # RFC 8259 does not tell 3.0 from 3; tensorstore, zarrita and GDAL take it, zarr-python and zarrs do not.
    case("shape_3.0", MANDATORY, shape=(Literal("3.0"),), lenient=True),
    case("chunk_key_encoding_object", OBJECTS, chunk_key_encoding={"name": "default"}),
    case(
        "chunk_key_encoding_empty_configuration",
        OBJECTS,
        chunk_key_encoding={"name": "default", "configuration": {}},
    ),
    case("chunk_key_encoding_short", SHORT, chunk_key_encoding="default"),
    case(
        "chunk_key_encoding_short_v2",
        SHORT,
        {"0": le("h", 1, 2), "1": le("h", -3, 0)},
        chunk_key_encoding="v2",
    ),
    case(
        "codec_short",
        SHORT,
        {"c/0": b"\1\2", "c/1": b"\3\4"},
        np.array([1, 2, 3], "u1"),
        data_type="uint8",
        codecs=["bytes"],
    ),
    case(
        "codec_object_without_configuration",
        OBJECTS,
        {"c/0": b"\1\2", "c/1": b"\3\4"},
        np.array([1, 2, 3], "u1"),
        data_type="uint8",
        codecs=[{"name": "bytes"}],
    ),
    case(
        "codec_object_empty_configuration",
        OBJECTS,
        {"c/0": b"\1\2", "c/1": b"\3\4"},
        np.array([1, 2, 3], "u1"),
        data_type="uint8",
        codecs=[{"name": "bytes", "configuration": {}}],
    ),
    case("data_type_object", OBJECTS, data_type={"name": "int16"}),
    case("must_understand_true_on_grid", UNDERSTAND, chunk_grid=known_grid(must_understand=True)),
    case(
        "must_understand_true_on_keys",
        UNDERSTAND,
        chunk_key_encoding={"name": "default", "must_understand": True},
    ),
    case(
        "must_understand_true_on_codecs",
        UNDERSTAND,
        ZIPPED,
        codecs=[LITTLE | {"must_understand": True}, GZIP | {"must_understand": True}],
    ),
    # A codec that is known is applied, whether or not another reader may leave it out.
    case(
        "must_understand_false_on_a_known_codec",
        UNDERSTAND,
        ZIPPED,
        codecs=[LITTLE, GZIP | {"must_understand": False}],
    ),
    case(
        "must_understand_false_on_an_unknown_codec",
        UNDERSTAND,
        codecs=[LITTLE, {"name": "acme.watermark", "configuration": {"x": 1}, "must_understand": False}],
    ),
    case(
        "must_understand_false_on_an_unknown_codec_first",
        UNDERSTAND,
        codecs=[{"name": "acme.hint", "must_understand": False}, LITTLE],
    ),
    case(
        "must_understand_false_on_a_storage_transformer",
        UNDERSTAND,
        storage_transformers=[ELSEWHERE | {"must_understand": False}],
    ),
    case("must_understand_false_on_a_key", UNDERSTAND, acme={"must_understand": False, "anything": [1]}),
    case("byte_order_mark", MANDATORY),
    case("members_in_any_order", MANDATORY),
]
CASES[-2].store["zarr.json"] = b"\xef\xbb\xbf" + CASES[-2].store["zarr.json"]
CASES[-1].store["zarr.json"] = json.dumps(dict(reversed(json.loads(CASES[-1].store["zarr.json"]).items()))).encode()


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


def test_writing_the_metadata_back_loses_nothing():
    """Unknown but ignorable members, forms of names, integers: the same JSON apart from the attribute set."""

    def judge(case):
        store = dict(case.store)
        before = json.loads(store["zarr.json"].decode("utf-8-sig"))
        zarr.open_array(store, mode="r+").attrs["touched"] = True
        after = json.loads(store["zarr.json"])
        assert after.pop("attributes").pop("touched") is True
        before.pop("attributes", None)
        assert after == before

    judge_all(CASES, judge)


def refuse(id, words, spec=MANDATORY, doc=None, **kwargs):
    store = v3(**({"shape": [3], "chunks": [2], "data_type": "int16", "data": DATA} | kwargs))
    if doc is not None:
        store["zarr.json"] = doc
    return Refuse(f"v3.metadata.refuse.{id}", spec, store, ("zarr.json", *words))


def refusals():
    for key in (
        "node_type",
        "shape",
        "data_type",
        "chunk_grid",
        "chunk_key_encoding",
        "codecs",
        "fill_value",
    ):
        yield refuse(f"{key}_missing", [key], drop=[key])
    for value in ("3", 2, 4, None, True, [3]):
        yield refuse(f"zarr_format_{value!r}", ["zarr_format"], zarr_format=value)
    yield refuse("zarr_format_missing", ["zarr_format"], drop=["zarr_format"])
    for value in ("arrays", None, 1):
        yield refuse(f"node_type_{value!r}", ["node_type"], node_type=value)
    for value in (3, "3", None, [-1], [1.5], ["3"], [True], [None], [[3]], {"x": 3}):
        yield refuse(f"shape_{value!r}", ["shape"], shape=value)
    for value in ([2, 2], [], [0], [-2], [1.5], ["2"], [True], 2, None):
        yield refuse(f"chunk_shape_{value!r}", ["chunk_grid"], chunks=value, spec=CORE + "#chunk-grid")
    for label, value in (
        ("unknown", {"name": "hexagonal", "configuration": {}}),
        ("short", "regular"),
        ("null", None),
        ("no_configuration", {"name": "regular"}),
        ("empty", {"name": "regular", "configuration": {}}),
        ("no_name", {"configuration": {"chunk_shape": [2]}}),
        ("list", [2]),
        ("more", known_grid(configuration={"chunk_shape": [2], "origin": [0]})),
        ("unknown_ignorable", {"name": "hexagonal", "must_understand": False}),
    ):
        yield refuse(f"chunk_grid_{label}", ["chunk_grid"], chunk_grid=value, spec=CORE + "#chunk-grid")
    for label, value in (
        ("unknown", {"name": "reversed"}),
        ("unknown_short", "reversed"),
        ("null", None),
        ("list", ["default"]),
        ("separator", {"name": "default", "configuration": {"separator": "-"}}),
        ("separator_v2", {"name": "v2", "configuration": {"separator": ""}}),
        ("separator_null", {"name": "default", "configuration": {"separator": None}}),
        ("more", {"name": "default", "configuration": {"separator": "/", "prefix": "d"}}),
        ("unknown_ignorable", {"name": "reversed", "must_understand": False}),
    ):
        yield refuse(
            f"chunk_key_encoding_{label}",
            ["chunk_key_encoding"],
            chunk_key_encoding=value,
            spec=CORE + "#chunk-key-encoding",
        )
    chain = CORE + "#codecs"
    for label, value, words in (
        ("empty", [], []),
        ("null", Literal("null"), []),
        ("name", "bytes", []),
        ("object", LITTLE, []),
        ("of_numbers", [1], []),
        ("no_array_to_bytes", [GZIP], ["array", "bytes"]),
        ("none_but_transpose", [codec("transpose", order=[0])], []),
        ("two_array_to_bytes", [LITTLE, LITTLE], ["array", "bytes"]),
        ("bytes_first", [GZIP, LITTLE], ["gzip"]),
        ("array_to_array_last", [LITTLE, codec("transpose", order=[0])], ["transpose"]),
        ("array_to_array_between", [LITTLE, codec("transpose", order=[0]), GZIP], ["transpose"]),
        ("unknown", [LITTLE, codec("acme.unknown")], ["acme.unknown"]),
        ("unknown_short", [LITTLE, "acme.unknown"], ["acme.unknown"]),
        ("no_name", [{"configuration": {"endian": "little"}}], ["name"]),
        ("name_number", [{"name": 1}], ["name"]),
        ("configuration_list", [{"name": "bytes", "configuration": ["little"]}], []),
        ("configuration_null", [{"name": "bytes", "configuration": None}], []),
        ("must_understand_text", [LITTLE | {"must_understand": "false"}], ["must_understand"]),
    ):
        yield refuse(f"codecs_{label}", ["codec", *words], codecs=value, spec=chain)
    for label, value in (("list", []), ("text", "a"), ("number", 1)):
        yield refuse(f"attributes_{label}", ["attributes"], attributes=value, spec=OPTIONAL)
    for label, value in (
        ("unknown", [ELSEWHERE]),
        ("unknown_short", ["elsewhere"]),
        ("explicit", [ELSEWHERE | {"must_understand": True}]),
        ("object", ELSEWHERE),
        ("null", None),
        ("number", [1]),
    ):
        yield refuse(
            f"storage_transformers_{label}",
            ["storage_transformers"],
            storage_transformers=value,
            spec=OPTIONAL,
        )
    for label, value in (
        ("short", []),
        ("long", ["x", "y"]),
        ("numbers", [1]),
        ("text", "x"),
        ("object", {"0": "x"}),
    ):
        yield refuse(f"dimension_names_{label}", ["dimension_names"], dimension_names=value, spec=OPTIONAL)
    for label, value in (
        ("number", 1),
        ("null", None),
        ("text", "x"),
        ("false", False),
        ("object", {"x": 1}),
        ("true", {"must_understand": True}),
        ("text_false", {"must_understand": "false"}),
        ("list", [{"must_understand": False}]),
        ("extension", {"name": "acme"}),
    ):
        yield refuse(f"unknown_key_{label}", ["acme"], acme=value, spec=UNDERSTAND)
    plain = v3([3], [2], "int16")["zarr.json"]
    yield refuse("not_json", ["JSON"], doc=b"not json")
    yield refuse("empty", ["JSON"], doc=b"")
    yield refuse("cut_short", ["JSON"], doc=plain[:-5])
    yield refuse("list", ["object"], doc=b"[" + plain + b"]")
    yield refuse("null_document", ["object"], doc=b"null")
    yield refuse("comment", ["JSON"], doc=plain[:-1] + b"/* comment */}")
    yield refuse("trailing_comma", ["JSON"], doc=plain[:-1] + b",}")
    yield refuse("utf16", ["UTF-8"], doc=plain.decode().encode("utf-16"))
    yield refuse("broken_utf8", ["UTF-8"], doc=plain[:-1] + b', "attributes": {"a": "\xff"}}')
    yield refuse("duplicate_key", ["shape", "twice"], doc=plain[:-1] + b', "shape": [5]}')


@table(refusals())
def test_refuses(case):
    check_refusal(case, case.store)


def test_attributes_of_every_json_kind_are_read():
    attributes = {
        "int": 2**53 + 1,
        "huge": 2**70,
        "float": 1.5,
        "zero": 0,
        "t": True,
        "none": None,
        "list": [1, [2]],
        "object": {"nested": {"x": []}},
        "text": "é漢😀",
        "": "empty key",
        "shape": [1],
    }
    a = zarr.open_array(v3([1], [1], "int8", attributes=attributes), mode="r")
    assert dict(a.attrs) == attributes
    assert dict(zarr.open_group(group3(attributes=attributes), mode="r").attrs) == attributes


def test_a_bare_nan_in_attributes_is_read_and_strictly_not():
    """zarr-python writes it; tensorstore, zarrita and zarrs refuse the document. Read here, never written."""
    store = v3([1], [1], "int8", attributes={"gap": Literal("NaN"), "top": [Literal("Infinity")]})
    attrs = dict(zarr.open_array(store, mode="r").attrs)
    assert math.isnan(attrs["gap"])
    assert attrs["top"] == [math.inf]
    with pytest.raises(ZarrError, match=r"(?s)zarr\.json.*NaN"):
        zarr.open_array(store, mode="r", strict=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf], {"x": np.float32("nan")}], ids=str)
def test_a_bare_nan_is_never_written_and_a_failed_set_changes_nothing(value):
    store = v3([1], [1], "int8", attributes={"a": 1})
    before = store["zarr.json"]
    a = zarr.open_array(store, mode="r+")
    with pytest.raises(ZarrError, match=r"(?s)attributes.*bad"):
        a.attrs["bad"] = value
    assert store["zarr.json"] == before
    assert dict(a.attrs) == {"a": 1}
    a.attrs["good"] = 2
    assert json.loads(store["zarr.json"])["attributes"] == {"a": 1, "good": 2}


def test_a_bare_nan_outside_attributes_is_refused():
    with pytest.raises(ZarrError, match=r"(?s)zarr\.json.*NaN"):
        zarr.open_array(v3([1], [1], "float32", fill=Literal("NaN")), mode="r", strict=True)


def test_big_integers_in_attributes_survive_a_rewrite():
    store = v3([1], [1], "int8", attributes={"id": 2**63 + 1, "huge": 10**40})
    zarr.open_array(store, mode="r+").attrs["x"] = 1
    assert json.loads(store["zarr.json"])["attributes"] == {"id": 2**63 + 1, "huge": 10**40, "x": 1}


def test_dimension_names_are_exposed_as_they_stand():
    names = ["x", None, "", "x"]
    a = zarr.open_array(v3([1] * 4, [1] * 4, "int8", dimension_names=names), mode="r")
    assert tuple(a.dimension_names) == tuple(names)
    assert zarr.open_array(v3([1], [1], "int8"), mode="r").dimension_names is None


def test_an_example_of_the_specification_opens():
    """https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#example"""
    store = v3(
        [10000, 1000],
        [1000, 100],
        "float64",
        {"c/9/9": be("d", *range(100000))},
        fill="NaN",
        codecs=[BIG],
        dimension_names=["rows", "columns"],
        attributes={"foo": 42, "bar": "apples", "baz": [1, 2, 3, 4]},
    )
    a = zarr.open_array(store, mode="r")
    assert (a.nchunks, a.dimension_names, a.attrs["bar"]) == (100, ("rows", "columns"), "apples")
    assert a[9000, 901] == 1
    assert np.isnan(a[0, 0])
