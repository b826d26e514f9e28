"""Stores made to do harm: nothing crashes, hangs, or allocates beyond the size of the array that is read.

Two kinds of test. The first kind holds stores built for one attack each, and measures what is allocated. The
second kind changes the chunks and the documents of all other cases of this folder in many places and demands
that reading gives an array of the right kind or an error of ours, and nothing else.
"""

import bz2
import gzip
import json
import lzma
import zlib

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec import (
    test_v1,
    test_v2_codecs,
    test_v2_dtypes,
    test_v2_metadata,
    test_v2_object_codecs,
    test_v3_codecs,
    test_v3_dtypes,
    test_v3_fill_values,
    test_v3_grids,
    test_v3_metadata,
    test_v3_sharding,
)
from spec.build import (
    CRC32C,
    EMPTY,
    LITTLE,
    Literal,
    Peak,
    assemble,
    be,
    codec,
    document,
    group3,
    le,
    lz4_block,
    n5_block,
    read,
    rectilinear,
    shard,
    sharding,
    v2,
    v3,
    vlen,
    with_crc,
    write_folder,
    zstd_bomb,
    zstd_frame,
)
from tutorial_zarr.errors import ZarrError

PLAIN = codec("bytes")
MIB = 1 << 20
SIX = bytes(range(6))


def small(stored, codecs, data_type="uint8", fill=0):
    """Six elements in one chunk."""
    return v3([6], [6], data_type, {"c/0": stored}, codecs=codecs, fill=fill)


ZEROS = bytes(32 * MIB)
GZ_BOMB = gzip.compress(ZEROS, 9, mtime=0)
STRING = {"data_type": "string", "fill": ""}


def huge_zstd_size():
    """A frame that declares 2^50 bytes of content and holds six."""
    return le("I", 0xFD2FB528) + b"\xe0" + le("Q", 1 << 50) + le("I", 1 | 6 << 3)[:3] + SIX


def blosc_header(nbytes, cbytes=22):
    return bytes([2, 1, 2, 1]) + le("I", nbytes, nbytes, cbytes) + SIX


#  what is stored is far smaller than what it says to be, or than what it unpacks to
BOMBS = {
    "gzip": small(GZ_BOMB, [PLAIN, codec("gzip", level=9)]),
    "gzip_many_members": small(gzip.compress(bytes(MIB), 9, mtime=0) * 32, [PLAIN, codec("gzip", level=9)]),
    "gzip_in_gzip": small(gzip.compress(GZ_BOMB), [PLAIN, codec("gzip", level=9), codec("gzip", level=9)]),
    "gzip_under_crc32c": small(with_crc(GZ_BOMB), [PLAIN, codec("gzip", level=9), CRC32C]),
    "gzip_inner_chunk": small(shard([GZ_BOMB]), [sharding([6], [PLAIN, codec("gzip", level=9)])]),
    "gzip_under_vlen": small(GZ_BOMB, [codec("vlen-utf8"), codec("gzip", level=9)], **STRING),
    "zstd": small(zstd_bomb(1024), [PLAIN, codec("zstd", level=1)]),
    "zstd_many_frames": small(zstd_bomb(8) * 128, [PLAIN, codec("zstd", level=1)]),
    "zstd_declared_size": small(huge_zstd_size(), [PLAIN, codec("zstd", level=1)]),
    "blosc_declared_size": small(
        blosc_header(2**31 - 17),
        [PLAIN, codec("blosc", cname="lz4", clevel=5, shuffle="noshuffle", typesize=1, blocksize=0)],
    ),
    "conditional": small(b"\1" + GZ_BOMB, [PLAIN, codec("conditional", codecs=[codec("gzip", level=9)])]),
    "n5_default": v3(
        [6],
        [6],
        "uint8",
        {"c/0": n5_block((6,), GZ_BOMB)},
        codecs=[codec("n5_default", codecs=[codec("transpose", order=[0]), PLAIN, codec("gzip", level=9)])],
    ),
    "n5_declared_shape": v3(
        [6],
        [6],
        "uint8",
        {"c/0": n5_block((2**32 - 1,), SIX)},
        codecs=[codec("n5_default", codecs=[codec("transpose", order=[0]), PLAIN])],
    ),
    "numcodecs.zlib": small(zlib.compress(ZEROS, 9), [PLAIN, codec("numcodecs.zlib", level=9)]),
    "numcodecs.bz2": small(bz2.compress(ZEROS), [PLAIN, codec("numcodecs.bz2", level=9)]),
    "numcodecs.lzma": small(lzma.compress(ZEROS), [PLAIN, codec("numcodecs.lzma")]),
    "numcodecs.lz4": small(le("I", 2**31 - 1) + lz4_block(SIX), [PLAIN, codec("numcodecs.lz4")]),
    "v2_zlib": v2([6], [6], "|u1", {"0": zlib.compress(ZEROS, 9)}, compressor={"id": "zlib", "level": 9}),
    "v2_gzip": v2([6], [6], "|u1", {"0": GZ_BOMB}, compressor={"id": "gzip", "level": 9}),
    "v2_bz2": v2([6], [6], "|u1", {"0": bz2.compress(ZEROS)}, compressor={"id": "bz2", "level": 9}),
    "v2_lzma": v2([6], [6], "|u1", {"0": lzma.compress(ZEROS)}, compressor={"id": "lzma"}),
    "v2_zstd": v2([6], [6], "|u1", {"0": zstd_bomb(1024)}, compressor={"id": "zstd", "level": 1}),
    "v2_lz4": v2([6], [6], "|u1", {"0": le("I", 2**31 - 1) + lz4_block(SIX)}, compressor={"id": "lz4"}),
    "v2_blosc": v2([6], [6], "|u1", {"0": blosc_header(2**31 - 17)}, compressor={"id": "blosc"}),
    "v2_zlib_under_filter": v2(
        [6],
        [6],
        "|u1",
        {"0": zlib.compress(ZEROS, 9)},
        compressor={"id": "zlib", "level": 9},
        filters=[{"id": "delta", "dtype": "|u1"}],
    ),
    "vlen_count": small(le("I", 2**32 - 1) + bytes(40), [codec("vlen-utf8")], **STRING),
    "vlen_length": small(le("I", 6, 2**32 - 1) + bytes(40), [codec("vlen-utf8")], **STRING),
    "vlen_bytes_count": small(le("I", 2**31) + bytes(40), [codec("vlen-bytes")], "bytes", ""),
    "v2_vlen_count": v2([6], [6], "|O", {"0": le("I", 2**31) + bytes(40)}, fill=None, filters=[{"id": "vlen-utf8"}]),
    "v2_vlen_array_count": v2(
        [6],
        [6],
        "|O",
        {"0": le("I", 2**31) + bytes(40)},
        fill=None,
        filters=[{"id": "vlen-array", "dtype": "<i4"}],
    ),
    "v2_json2_shape": v2([6], [6], "|O", {"0": b'[1,"|O",[1099511627776]]'}, fill=None, filters=[{"id": "json2"}]),
    "v2_msgpack2_shape": v2(
        [6],
        [6],
        "|O",
        {"0": b"\x93\x01\xa2|O\x91" + b"\xcf" + be("Q", 1 << 40)},
        fill=None,
        filters=[{"id": "msgpack2"}],
    ),
    # Whole documents that promise much: the chunk is small, and so is the part that is asked for.
    "shard_of_2_40_inner_chunks": v3(
        [2**40], [2**40], "uint8", {"c/0": shard([b"\1"])}, codecs=[sharding([1], [PLAIN])]
    ),
    "shard_of_2_62_inner_chunks": v3([2**62], [2**62], "uint8", {"c/0": b""}, codecs=[sharding([1], [PLAIN])]),
    "shard_entry_of_2_63_bytes": small(assemble(SIX, [(0, 2**63)]), [sharding([6], [PLAIN])]),
    "chunk_of_2_40_bytes": v3([2**40], [2**40], "uint8", {"c/0": SIX}, codecs=[PLAIN]),
    "chunk_of_2_40_gzipped": v3(
        [2**40], [2**40], "uint8", {"c/0": gzip.compress(SIX)}, codecs=[PLAIN, codec("gzip", level=1)]
    ),
    "chunk_of_2_40_zstd": v3(
        [2**40], [2**40], "uint8", {"c/0": zstd_frame(SIX)}, codecs=[PLAIN, codec("zstd", level=1)]
    ),
    "chunk_of_2_40_blosc": v3(
        [2**40],
        [2**40],
        "uint8",
        {"c/0": blosc_header(6)},
        codecs=[PLAIN, codec("blosc", cname="lz4", clevel=5, shuffle="noshuffle", typesize=1, blocksize=0)],
    ),
    "chunk_of_2_40_bits": v3([2**40], [2**40], "bool", {"c/0": SIX}, codecs=["packbits"], fill=False),
    "chunk_of_2_40_strings": v3([2**40], [2**40], "string", {"c/0": vlen(b"a")}, codecs=["vlen-utf8"], fill=""),
    "v2_chunk_of_2_40_bytes": v2([2**40], [2**40], "<f8", {"0": SIX}),
    "v2_chunk_of_2_40_filtered": v2([2**40], [2**40], "<f8", {"0": SIX}, filters=[{"id": "delta", "dtype": "<f8"}]),
    "v2_chunk_of_2_40_objects": v2([2**40], [2**40], "|O", {"0": SIX}, fill="", filters=[{"id": "vlen-utf8"}]),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_chunk_cannot_make_a_reader_allocate_much(name):
    store = BOMBS[name]
    with Peak() as peak, pytest.raises(ZarrError, match=r"'(c/)?0'"):
        zarr.open_array(store, mode="r")[:6]
    # xz by itself takes 8 for its dictionary; and text of any length is allowed, whatever it decodes to
    assert peak.bytes < (128 if name == "gzip_under_vlen" else 16) * MIB


#  nothing is stored at all: the answer is the fill value, and costs no more than the part that is asked for
VAST = {
    "shape_and_chunk": v3([2**62], [2**50], "float64", fill=7),
    "many_chunks": v3([2**62], [1], "float64", fill=7),
    "many_axes_many_chunks": v3([2**40] * 4, [1] * 4, "uint8", fill=7),
    "shards": v3([2**62], [2**50], "uint8", fill=7, codecs=[sharding([2**10])]),
    "shard_of_2_40_inner_chunks": v3([2**40], [2**40], "uint8", fill=7, codecs=[sharding([1])]),
    "rectilinear_of_one_length": v3([2**62], None, "uint8", chunk_grid=rectilinear(2**50), fill=7),
    "rectilinear_edges": v3([2**62], None, "uint8", chunk_grid=rectilinear([2**61, 2**61]), fill=7),
    "transposed": v3([2**40, 2], [2**30, 2], "uint8", fill=7, codecs=[codec("transpose", order=[1, 0]), LITTLE]),
    "reshaped": v3([2**40, 2], [2**30, 2], "uint8", fill=7, codecs=[codec("reshape", shape=[-1]), LITTLE]),
    "gzip": v3([2**62], [2**50], "uint8", fill=7, codecs=[LITTLE, codec("gzip", level=1)]),
    "v2": v2([2**62], [2**50], "<f8", fill=7),
    "v2_order_F": v2([2**40, 2], [2**30, 2], "<f8", fill=7, order="F"),
}


@pytest.mark.parametrize("name", VAST)
def test_a_vast_empty_array_costs_what_is_asked_of_it(name):
    with Peak() as peak:
        a = zarr.open_array(VAST[name], mode="r")
        first = (slice(5, 8), *[0] * (a.ndim - 1))
        last = (slice(a.shape[0] - 3, a.shape[0]), *[0] * (a.ndim - 1))
        assert a[first].tolist() == a[last].tolist() == [7, 7, 7]
    assert peak.bytes < 8 * MIB


def nested(kind, depth):
    """The text of members that nest a type or codecs `depth` times; written out, as `json` would give up."""
    if kind == "struct":
        field = '{"name": "struct", "configuration": {"fields": [{"name": "x", "data_type": '
        return {
            "data_type": Literal(field * depth + '"int8"' + "}]}}" * depth),
            "fill_value": Literal('{"x": ' * depth + "0" + "}" * depth),
            "codecs": [PLAIN],
        }
    if kind == "sharding_indexed":
        index = json.dumps([LITTLE, CRC32C])
        configuration = f'{{"chunk_shape": [1], "index_codecs": {index}, "codecs": '
        outer = '[{"name": "sharding_indexed", "configuration": ' + configuration
        return {"codecs": Literal(outer * depth + '["bytes"]' + "}}]" * depth)}
    outer = '[{"name": "conditional", "configuration": {"codecs": '
    return {"codecs": Literal('["bytes", ' + (outer * depth)[1:] + '["crc32c"]' + "}}]" * depth)}


def doc(shape=(1,), **members):
    return v3(shape, [1], "uint8", **members)["zarr.json"]


def deep(text, opening="[", closing="]", depth=100_000):
    return text.replace(b'"@"', (opening * depth + closing * depth).encode())


#  documents: id -> (zarr.json, words of the error)
DOCUMENTS = {
    "deep_attributes": (deep(doc(attributes={"a": "@"})), ["zarr.json"]),
    "deep_attributes_cut": (doc(attributes={"a": "@"}).replace(b'"@"', b"[" * 100_000), ["zarr.json"]),
    "deep_objects": (
        deep(doc(attributes={"a": "@"}), '{"a":', "}").replace(b'{"a":}', b'{"a":1}'),
        ["zarr.json"],
    ),
    "deep_shape": (deep(doc(shape="@")), ["zarr.json"]),
    "deep_codecs": (deep(doc(codecs="@")), ["zarr.json"]),
    "deep_fill_value": (deep(doc(fill="@")), ["zarr.json"]),
    "deep_unknown_member": (deep(doc(acme={"must_understand": False, "x": "@"})), ["zarr.json"]),
    "not_closed": (b"[" * 1_000_000, ["zarr.json"]),
    "a_million_digits": (doc(shape=[Literal("9" * 1_000_000)]), ["zarr.json"]),
    "shape_beyond_64_bits": (doc(shape=[10**30]), ["zarr.json", "shape"]),
    "shape_of_2_63": (doc(shape=[2**63]), ["zarr.json", "shape"]),
    "chunk_beyond_64_bits": (v3([1], [10**30], "uint8")["zarr.json"], ["zarr.json", "chunk"]),
    "fill_value_1e400_for_an_integer": (doc(fill=Literal("1e400")), ["zarr.json", "fill_value"]),
    "rectilinear_run_of_2_40": (
        v3([2**40], None, "uint8", chunk_grid=rectilinear([[1, 2**40]]))["zarr.json"],
        ["zarr.json", "chunk_grid"],
    ),
    "rectilinear_run_of_2_70": (
        v3([1], None, "uint8", chunk_grid=rectilinear([[1, 2**70]]))["zarr.json"],
        ["zarr.json", "chunk_grid"],
    ),
    "rectilinear_sum_beyond_64_bits": (
        v3([1], None, "uint8", chunk_grid=rectilinear([2**62] * 4))["zarr.json"],
        None,
    ),
    "raw_type_of_2_60_bits": (v3([1], [1], f"r{2**60}", fill=[0])["zarr.json"], ["zarr.json"]),
    "raw_type_of_many_digits": (v3([1], [1], "r" + "8" * 5000, fill=[0])["zarr.json"], ["zarr.json"]),
    "utf32_of_2_62_bytes": (
        v3([1], [1], {"name": "fixed_length_utf32", "configuration": {"length_bytes": 2**62}}, fill="")["zarr.json"],
        ["zarr.json"],
    ),
    "conditional_header_of_2_40_bits": (
        doc(codecs=[PLAIN, codec("conditional", codecs=[], header_bits=2**40)]),
        None,
    ),
    "packbits_of_2_40": (doc(codecs=[codec("packbits", first_bit=2**40)]), ["zarr.json", "packbits"]),
    "transpose_of_many_axes": (
        doc(codecs=[codec("transpose", order=list(range(100_000))), PLAIN]),
        ["zarr.json", "transpose"],
    ),
    "too_many_axes": (v3([1] * 65, [1] * 65, "uint8")["zarr.json"], ["zarr.json", "64"]),
    "byte_0": (b"\0" * 100, ["zarr.json"]),
    "no_text": (bytes(range(256)), ["zarr.json", "UTF-8"]),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_refused_and_costs_little(name):
    text, words = DOCUMENTS[name]
    with Peak() as peak:
        try:
            zarr.open_array({"zarr.json": text}, mode="r")
        except ZarrError as error:
            message = str(error)
            assert all(word in message for word in words or [])
            assert len(message) < 10_000
        else:
            assert words is None
    assert peak.bytes < 64 * MIB  # a document of a few MB takes its text a few times over


@pytest.mark.parametrize("depth", [10, 300, 2000])
@pytest.mark.parametrize("kind", ["struct", "sharding_indexed", "conditional"])
def test_nesting_that_json_can_hold_opens_or_is_refused(kind, depth):
    """Recursion of our own must not end as a RecursionError."""
    plain = json.loads(doc())
    try:
        a = zarr.open_array({"zarr.json": document(plain | nested(kind, depth))}, mode="r")
        opened = a[...].shape == (1,)
    except ZarrError:
        opened = depth > 10
    assert opened


def test_an_array_without_elements_costs_nothing_whatever_its_elements_would():
    data_type = {"name": "fixed_length_utf32", "configuration": {"length_bytes": 2**28}}
    with Peak() as peak:
        try:
            assert zarr.open_array(v3([0], [1], data_type, fill=""), mode="r").shape == (0,)
        except ZarrError as error:
            assert "length_bytes" in str(error)  # noqa: PT017 - a limit to the length is as good
    assert peak.bytes < 64 * MIB


def test_lone_surrogates_in_attributes_are_read_and_never_written_as_broken_utf8():
    store = {"zarr.json": doc(attributes={"a": "@"}).replace(b"@", b"\\ud800")}
    a = zarr.open_array(store, mode="r+")
    assert a.attrs["a"] == "\ud800"
    try:
        a.attrs["b"] = 1
    except ZarrError:
        assert json.loads(store["zarr.json"].decode())["attributes"] == {"a": "\ud800"}
    else:
        assert json.loads(store["zarr.json"].decode())["attributes"] == {"a": "\ud800", "b": 1}


def test_consolidated_metadata_cannot_lead_out_of_the_store(tmp_path):
    secret = v3([1], [1], "uint8", {"c/0": b"\x2a"})
    write_folder(secret, tmp_path / "outside")
    outside = json.loads(secret["zarr.json"])
    member = {
        "kind": "inline",
        "must_understand": False,
        "metadata": {"../outside": outside, "ok": outside, "/abs": outside, "a/../../outside": outside},
    }
    write_folder(group3(consolidated_metadata=member), tmp_path / "inside")
    try:
        root = zarr.open_group(tmp_path / "inside", mode="r")
        for _, node in root.members(max_depth=None):
            assert node[...].tolist() == [0]
        for name in ("../outside", "a/../../outside"):
            with pytest.raises(ZarrError, match=r"\.\."):
                root[name]
    except ZarrError as error:
        assert "consolidated" in str(error) or ".." in str(error)  # noqa: PT017 - refusing is as good


def test_a_shard_of_only_marks_reads_as_fill_values_whatever_its_size():
    store = v3([64], [64], "uint8", {"c/0": assemble(b"", [EMPTY] * 64)}, codecs=[sharding([1], [PLAIN])], fill=3)
    assert read(store).tolist() == [3] * 64


# --- every other case, damaged

MODULES = {
    module.__name__.rpartition(".test_")[2]: module
    for module in (
        test_v1,
        test_v2_codecs,
        test_v2_dtypes,
        test_v2_metadata,
        test_v2_object_codecs,
        test_v3_codecs,
        test_v3_dtypes,
        test_v3_fill_values,
        test_v3_grids,
        test_v3_metadata,
        test_v3_sharding,
    )
}


def damages(data):
    """Cut, lengthened, and changed in some places: always the same ones."""
    n = len(data)
    yield b""
    yield data[: n // 2]
    yield data[:-1]
    yield data + b"\0"
    yield data[n // 2 :]
    yield bytes(n)
    yield b"\xff" * n
    for at in {0, 1, 4, 5, 12, n // 3, n - 17, n - 5, n - 1}:
        if 0 <= at < n:
            yield data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
            yield data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :]


def outcome(store, case):
    """None where reading gives an array of the right kind or an error of ours; else what it gave."""
    try:
        found = read(store, case.path, **case.options)
    except ZarrError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    right = found.shape == case.expected.shape and found.dtype == case.expected.dtype
    return None if right else f"{found.dtype} {found.shape}"


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore")
def test_damaged_chunks_give_an_array_or_an_error_of_ours(name):
    wrong = []
    with Peak() as peak:
        for case in MODULES[name].CASES[:: 3 if "dtypes" in name else 1]:  # the bytes of types are much alike
            if "pickle" in case.id:  # a damaged pickle may do anything, which is why it has to be asked for
                continue
            key = next(
                (
                    k
                    for k in case.store
                    if not k.endswith(("zarr.json", ".zarray", ".zgroup", ".zattrs", "meta", "attrs"))
                ),
                None,
            )
            found = [outcome(case.store | {key: damaged}, case) for damaged in damages(case.store[key])] if key else []
            wrong.extend((case.id, problem) for problem in found if problem)
    assert wrong == []
    assert peak.bytes < 64 * MIB


VALUES = [
    None,
    0,
    -1,
    2**70,
    1.5,
    Literal("1e400"),
    "x",
    "",
    [],
    [[]],
    [None],
    {},
    {"name": None},
    {"name": "x", "configuration": []},
    True,
]
DOCUMENT_NAMES = ("zarr.json", ".zarray", "meta")


@pytest.mark.parametrize("name", ["v1", "v2_metadata", "v2_object_codecs", "v3_metadata", "v3_sharding", "v3_grids"])
@pytest.mark.filterwarnings("ignore")
def test_documents_with_a_member_of_any_other_kind_open_or_give_an_error_of_ours(name):
    wrong = []
    for case in MODULES[name].CASES[:12]:
        key = next(k for k in case.store if k.rsplit("/", 1)[-1] in DOCUMENT_NAMES)
        original = json.loads(case.store[key].decode("utf-8-sig"))
        for member in original:
            for value in VALUES:
                store = case.store | {key: document(original | {member: value})}
                try:
                    zarr.open_array(store, mode="r", path=case.path)
                except ZarrError:
                    pass
                except Exception as error:
                    wrong.append((case.id, member, value, f"{type(error).__name__}: {error}"))
    assert wrong == []


def configurations(chain, path=()):
    """Every place in a codec list that holds a configuration value: (path to it)."""
    for i, entry in enumerate(chain):
        if isinstance(entry, dict):
            for key, value in entry.get("configuration", {}).items():
                yield (*path, i, "configuration", key)
                if key in ("codecs", "index_codecs") and isinstance(value, list):
                    yield from configurations(value, (*path, i, "configuration", key))


def replaced(tree, path, value):
    if not path:
        return value
    copy = list(tree) if isinstance(tree, list) else dict(tree)
    copy[path[0]] = replaced(tree[path[0]], path[1:], value)
    return copy


@pytest.mark.filterwarnings("ignore")
def test_codecs_with_a_configuration_of_any_other_kind_open_or_give_an_error_of_ours():
    wrong, seen = [], set()
    for case in [*test_v3_codecs.CASES, *test_v3_sharding.CASES]:
        original = json.loads(case.store["zarr.json"])
        for path in configurations(original["codecs"]):
            place = original["codecs"][path[0]]["name"], path[1:]
            if place in seen:
                continue
            seen.add(place)
            for value in VALUES:
                store = case.store | {
                    "zarr.json": document(original | {"codecs": replaced(original["codecs"], path, value)})
                }
                try:
                    zarr.open_array(store, mode="r")[...]
                except ZarrError:
                    pass
                except Exception as error:
                    wrong.append((place, value, f"{type(error).__name__}: {error}"))
    assert wrong == []


def test_vlen_lengths_that_add_up_beyond_memory_are_refused_early():
    store = v3([6], [6], "bytes", {"c/0": le("I", 6) + le("I", 2**31 - 1) * 6}, codecs=["vlen-bytes"], fill="")
    with Peak() as peak, pytest.raises(ZarrError, match=r"vlen-bytes"):
        read(store)
    assert peak.bytes < MIB


def test_numpy_holds_the_limit_of_axes_that_is_named():
    assert np.zeros((1,) * 64).ndim == 64
