"""Zarr v3: the two registered chunk grids, ``regular`` and ``rectilinear``."""

import json

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    CORE,
    EXTENSIONS,
    GRIDS,
    LITTLE,
    Read,
    Refuse,
    check_folders,
    check_read,
    check_refusal,
    codec,
    judge_all,
    le,
    read,
    rectilinear,
    shard,
    sharding,
    table,
    v3,
)

REGULAR = GRIDS + "regular-grid/index.html#description"
RECTILINEAR = EXTENSIONS + "chunk-grids/rectilinear"
EDGES = RECTILINEAR + "#chunk-edge-lengths"
ONE_TO = {n: np.arange(1, n + 1, dtype="u1") for n in range(30)}


def regular_case(id, shape, chunks, data, expected, spec=REGULAR, fill=0):
    return Read(
        f"v3.grids.regular.{id}",
        spec,
        v3(shape, chunks, "uint8", data, fill=fill),
        np.array(expected, "u1").reshape(shape),
    )


def uneven(id, shape, lengths, data, expected, spec=EDGES, fill=0, **kwargs):
    expected = np.asarray(expected, "u1").reshape(shape)
    store = v3(shape, None, "uint8", data, chunk_grid=rectilinear(*lengths), fill=fill, **kwargs)
    return Read(f"v3.grids.rectilinear.{id}", spec, store, expected)


def cut(array, *lengths):
    """The chunks of an array cut at the lengths given per axis; beyond the edge they are padded with 99."""
    pieces = {}
    starts = [np.cumsum([0, *axis[:-1]]) for axis in lengths]
    for coords in np.ndindex(*map(len, lengths)):
        piece = np.full([axis[c] for axis, c in zip(lengths, coords, strict=True)], 99, array.dtype)
        part = array[tuple(slice(s[c], s[c] + axis[c]) for s, c, axis in zip(starts, coords, lengths, strict=True))]
        piece[tuple(map(slice, part.shape))] = part
        pieces["c/" + "/".join(map(str, coords))] = piece.tobytes()
    return pieces


PAGE = np.arange(1, 37, dtype="u1").reshape(6, 6)

CASES = [
    regular_case("exact", [4], [2], {"c/0": b"\1\2", "c/1": b"\3\4"}, [1, 2, 3, 4]),
    regular_case("overhang", [3], [2], {"c/0": b"\1\2", "c/1": b"\3\xff"}, [1, 2, 3]),
    regular_case(
        "overhang_both_axes",
        [3, 3],
        [2, 2],
        cut(np.arange(1, 10, dtype="u1").reshape(3, 3), [2, 2], [2, 2]),
        range(1, 10),
    ),
    regular_case("chunk_larger_than_array", [2], [5], {"c/0": b"\1\2\xff\xff\xff"}, [1, 2]),
    regular_case("missing_chunks", [5], [2], {"c/1": b"\3\4"}, [7, 7, 3, 4, 7], fill=7),
    regular_case("chunks_beyond_the_array_are_ignored", [2], [2], {"c/0": b"\1\2", "c/1": b"junk"}, [1, 2]),
    regular_case("zero_dimensions", [], [], {"c": b"\5"}, 5),
    regular_case("zero_length", [0, 4], [2, 4], {}, []),
    regular_case("zero_length_last", [4, 0], [2, 4], {}, []),
    # The core allows a chunk length of 0 where the axis itself is empty; the grid says "greater than zero".
    regular_case("zero_length_chunk_0", [0, 4], [0, 4], {}, [], spec=CORE + "#chunk-grid"),
    regular_case("many_axes", [1] * 8, [1] * 8, {"c/" + "/".join("0" * 8): b"\5"}, [5]),
    uneven("integer", [6], [4], {"c/0": b"\1\2\3\4", "c/1": b"\5\6\xff\xff"}, ONE_TO[6]),
    uneven("integer_exact", [6], [3], {"c/0": b"\1\2\3", "c/1": b"\4\5\6"}, ONE_TO[6]),
    uneven("explicit", [6], [[1, 2, 3]], {"c/0": b"\1", "c/1": b"\2\3", "c/2": b"\4\5\6"}, ONE_TO[6]),
    uneven("run_length", [6], [[[4, 2]]], {"c/0": b"\1\2\3\4", "c/1": b"\5\6\xff\xff"}, ONE_TO[6]),
    uneven(
        "run_length_and_explicit",
        [6],
        [[[1, 3], 3]],
        {"c/0": b"\1", "c/1": b"\2", "c/2": b"\3", "c/3": b"\4\5\6"},
        ONE_TO[6],
    ),
    uneven("explicit_and_two_runs", [9], [[2, [1, 2], [2, 2], 1]], cut(ONE_TO[9], [2, 1, 1, 2, 2, 1]), ONE_TO[9]),
    uneven("run_of_one", [2], [[[2, 1]]], {"c/0": b"\1\2"}, [1, 2]),
    uneven("overflow", [6], [[4, 4, 4]], {"c/0": b"\1\2\3\4", "c/1": b"\5\6\xff\xff"}, ONE_TO[6]),
    uneven(
        "overflow_by_several_chunks",
        [3],
        [[2, 2, 5, 7]],
        {"c/0": b"\1\2", "c/1": b"\3\xff", "c/2": b"junk"},
        [1, 2, 3],
    ),
    uneven("first_chunk_holds_all", [2], [[5, 1]], {"c/0": b"\1\2\xff\xff\xff"}, [1, 2]),
    uneven("two_axes", [6, 6], [[1, 2, 3], 4], cut(PAGE, [1, 2, 3], [4, 4]), PAGE),
    uneven(
        "the_example_of_the_specification",
        [26, 38],
        [[16, 10], [24, 14]],
        cut(np.arange(26 * 38, dtype="u2").astype("u1").reshape(26, 38), [16, 10], [24, 14]),
        np.arange(26 * 38, dtype="u2").astype("u1").reshape(26, 38),
        spec=RECTILINEAR + "#indexing",
    ),
    uneven(
        "the_five_axes_of_the_specification",
        [2, 2, 2, 2, 2],
        [2, [1, 1], [[1, 2]], [[1, 1], 1], [1, 2]],
        cut(np.arange(32, dtype="u1").reshape((2,) * 5), [2], [1, 1], [1, 1], [1, 1], [1, 2]),
        range(32),
        spec=RECTILINEAR + "#example",
    ),
    uneven("missing_chunk", [6], [[1, 2, 3]], {"c/0": b"\1", "c/2": b"\4\5\6"}, [1, 9, 9, 4, 5, 6], fill=9),
    uneven("v2_keys", [3], [[1, 2]], {"0": b"\1", "1": b"\2\3"}, [1, 2, 3], chunk_key_encoding="v2"),
    uneven(
        "dot_keys",
        [3, 1],
        [[1, 2], [1]],
        {"c.0.0": b"\1", "c.1.0": b"\2\3"},
        [1, 2, 3],
        chunk_key_encoding={"name": "default", "configuration": {"separator": "."}},
    ),
    uneven(
        "transposed",
        [3, 2],
        [[1, 2], 2],
        {"c/0/0": b"\1\2", "c/1/0": b"\3\5\4\6"},
        ONE_TO[6],
        codecs=[codec("transpose", order=[1, 0]), LITTLE],
    ),
    uneven(
        "sharded",
        [6],
        [[2, 4]],
        {"c/0": shard([b"\1\2"]), "c/1": shard([b"\3\4", None])},
        [1, 2, 3, 4, 9, 9],
        fill=9,
        codecs=[sharding([2])],
    ),
    uneven(
        "sharded_overhang",
        [5],
        [[2, 4]],
        {"c/0": shard([b"\1\2"]), "c/1": shard([b"\3\4", b"\5\xff"])},
        ONE_TO[5],
        codecs=[sharding([2])],
    ),
    uneven("zero_dimensions", [], [], {"c": b"\5"}, 5),
    uneven("zero_length", [0], [[3]], {}, []),
    uneven("zero_length_integer", [0, 2], [1, [1, 1]], {}, []),
]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


def test_every_slice_of_a_grid_is_the_slice_of_the_whole():
    def judge(case):
        a = zarr.open_array(case.store, mode="r")
        n = case.expected.size
        for start in range(n):
            for stop in range(start, n + 1):
                assert a[start:stop].tolist() == case.expected[start:stop].tolist()

    judge_all((case for case in CASES if case.expected.ndim == 1), judge)


def refuse(id, words, grid, shape=(6,), spec=EDGES):
    return Refuse(
        f"v3.grids.refuse.{id}",
        spec,
        v3(list(shape), None, "uint8", chunk_grid=grid),
        ("zarr.json", "chunk_grid", *words),
    )


def inline(**configuration):
    return {"name": "rectilinear", "configuration": configuration}


def refusals():
    for label, lengths in (
        ("sum_too_small", [[1, 2]]),
        ("run_too_short", [[[2, 2]]]),
        ("empty_list", [[]]),
        ("zero", [0]),
        ("negative", [-1]),
        ("zero_edge", [[0, 6]]),
        ("negative_edge", [[-1, 7]]),
        ("run_of_zeros", [[[0, 3], 6]]),
        ("run_count_zero", [[[3, 0], 6]]),
        ("run_count_negative", [[[3, -1], 6]]),
        ("run_of_three", [[[3, 2, 1]]]),
        ("run_of_one_number", [[[6]]]),
        ("float", [6.5]),
        ("float_edge", [[5.5, 1]]),
        ("text", ["6"]),
        ("null", [None]),
        ("true", [True]),
        ("edge_true", [[True, 6]]),
        ("nested_run", [[[[3, 2], 1]]]),
        ("too_few_axes", []),
        ("too_many_axes", [6, 6]),
    ):
        yield refuse(f"rectilinear.{label}", ["rectilinear"], rectilinear(*lengths))
    yield refuse("rectilinear.kind_missing", ["kind"], inline(chunk_shapes=[6]), spec=RECTILINEAR + "#configuration")
    yield refuse(
        "rectilinear.kind_other",
        ["kind", "external"],
        inline(kind="external", chunk_shapes=[6]),
        spec=RECTILINEAR + "#configuration",
    )
    yield refuse("rectilinear.no_shapes", ["chunk_shapes"], inline(kind="inline"), spec=RECTILINEAR + "#configuration")
    yield refuse(
        "rectilinear.chunk_shape_of_zep3",
        ["chunk_shapes"],
        inline(kind="inline", chunk_shape=[6]),
        spec=RECTILINEAR + "#prior-work",
    )
    yield refuse(
        "rectilinear.unknown_key",
        ["origin"],
        inline(kind="inline", chunk_shapes=[6], origin=[0]),
        spec=RECTILINEAR + "#configuration",
    )
    yield refuse(
        "rectilinear.not_a_list",
        ["chunk_shapes"],
        inline(kind="inline", chunk_shapes=6),
        spec=RECTILINEAR + "#configuration",
    )
    yield refuse("rectilinear.short_hand", ["rectilinear"], "rectilinear", spec=RECTILINEAR + "#metadata")
    # The draft that rectilinear replaced, and a grid that is not registered: unknown, therefore refused.
    yield refuse("rectangular", ["rectangular"], {"name": "rectangular", "configuration": {"chunk_shape": [[2, 4]]}})
    yield refuse(
        "regular_bounded",
        ["zarrs.regular_bounded"],
        {"name": "zarrs.regular_bounded", "configuration": {"chunk_shape": [4]}},
    )
    yield refuse(
        "regular.chunk_0_on_a_long_axis",
        ["chunk_shape"],
        {"name": "regular", "configuration": {"chunk_shape": [0]}},
        spec=REGULAR,
    )


@table(refusals())
def test_refuses(case):
    check_refusal(case, case.store)


def grid_of(store):
    return json.loads(store["zarr.json"])["chunk_grid"]["configuration"]["chunk_shapes"]


def test_growing_a_rectilinear_axis_adds_an_edge():
    store = dict(next(case.store for case in CASES if case.id.endswith("rectilinear.explicit")))
    a = zarr.open_array(store, mode="r+")
    a.resize((8,))
    assert json.loads(store["zarr.json"])["shape"] == [8]
    assert read(store).tolist() == [1, 2, 3, 4, 5, 6, 0, 0]
    a[6:] = [7, 8]
    assert store["c/0"] == b"\1"
    assert read(store).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_appending_to_a_rectilinear_array_leaves_the_chunks_as_they_are():
    store = dict(next(case.store for case in CASES if case.id.endswith("rectilinear.run_length_and_explicit")))
    before = {key: value for key, value in store.items() if key.startswith("c/")}
    zarr.open_array(store, mode="r+").append(np.array([7, 8, 9], "u1"))
    assert read(store).tolist() == list(range(1, 10))
    assert {key: store[key] for key in before} == before


def test_growing_an_axis_of_one_length_keeps_the_integer():
    store = v3([6], None, "uint8", {"c/0": b"\1\2\3\4", "c/1": b"\5\6\0\0"}, chunk_grid=rectilinear(4))
    zarr.open_array(store, mode="r+").resize((9,))
    assert grid_of(store) == [4]
    assert read(store).tolist() == [1, 2, 3, 4, 5, 6, 0, 0, 0]


def test_shrinking_a_rectilinear_axis_keeps_a_valid_grid():
    store = dict(next(case.store for case in CASES if case.id.endswith("rectilinear.explicit")))
    zarr.open_array(store, mode="r+").resize((2,))
    assert read(store).tolist() == [1, 2]
    zarr.open_array(store, mode="r+").resize((6,))
    assert read(store).tolist() == [1, 2, 0, 0, 0, 0]


@pytest.mark.parametrize("chunks", [[[1, 2, 3]], [[[1, 2], 4]]], ids=["explicit", "run_length"])
def test_an_array_with_uneven_chunks_is_created_as_a_rectilinear_grid(chunks):
    store = v3([6], None, "uint8", chunk_grid=rectilinear(*chunks))
    zarr.open_array(store, mode="r+")[...] = ONE_TO[6]
    assert read(store).tolist() == ONE_TO[6].tolist()
    lengths = [1, 2, 3] if chunks[0][0] == 1 else [1, 1, 4]
    assert [len(store[f"c/{i}"]) for i in range(3)] == lengths


def test_chunks_of_16_bits_are_cut_by_elements():
    store = v3([3], None, "uint16", {"c/0": le("H", 1), "c/1": le("H", 2, 3)}, chunk_grid=rectilinear([1, 2]))
    assert read(store).tolist() == [1, 2, 3]
