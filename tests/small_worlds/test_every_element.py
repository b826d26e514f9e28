"""Every kind of element, through every filter, in every byte order, on every shape, by every way to read and assign.

What a NumPy array of the same elements holds, ours holds to the bit: written, read back, read by another handle, in
the other format and in other chunks; and each read twice, with memory that nobody wrote full of one pattern, and of
another.
"""

import itertools

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.testing.poison import PATTERNS, poisoned
from tutorial_zarr.tools.convert import rechunk, to_v2, to_v3

SHAPES = {(): (), (5,): (2,), (3, 4): (2, 3)}
NUMBERS = ["i1", "i2", "i4", "u2", "u8", "f2", "f4", "f8"]
NESTED = [("n", [("n", "<i2"), ("v", ">f4")]), ("w", "?"), ("t", "<U2"), ("s", ">i2", (2,)), ("m", ">i8")]
WHOLE = [field for field in NESTED if len(field) == 2]
OTHERS = ["?", "c8", "M8[s]", "m8[ms]", "U3", "S2", "V3", "string", NESTED, WHOLE, [("a", "<i4"), ("b", ">i4")]]


def native(dtype):
    """What the elements are in memory."""
    return np.dtypes.StringDType() if dtype == "string" else np.dtype(dtype).newbyteorder("=")


def elements(dtype, shape, seed=0):
    """Elements that differ, small and whole enough for every filter here."""
    count = int(np.prod(shape, dtype=int))
    dtype = native(dtype)
    if dtype.names:
        found = np.zeros(count, dtype)
        for i, name in enumerate(dtype.names):
            found[name] = elements(dtype[name].base, (count, *dtype[name].shape), seed + i + 1)
        return found.reshape(shape)
    numbers = (np.arange(count) * 7 + 3 * seed + 1) % 23 + 1
    if dtype.kind in "UT":
        return np.array([chr(96 + n) * (n % 3 + 1) for n in numbers.tolist()], dtype).reshape(shape)
    if dtype.kind == "S":
        return np.array([bytes([96 + n]) for n in numbers.tolist()], dtype).reshape(shape)
    if dtype.kind == "V":
        return np.frombuffer(b"".join(bytes([n, 0, 9]) for n in numbers.tolist()), dtype).reshape(shape).copy()
    if dtype.kind == "b":
        return (numbers % 2 == 1).reshape(shape)
    return numbers.astype("i8").astype(dtype).reshape(shape)


def bits(array):
    array = np.asarray(array)
    return array.tolist() if array.dtype.kind in "OT" else np.ascontiguousarray(array).tobytes()


def same(found, expected, what):
    found, expected = np.asarray(found, expected.dtype if isinstance(found, list) else None), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    if expected.dtype.names:  # some fields of many have gaps between them
        assert found.dtype == expected.dtype, f"{what}: {found.dtype}, expected {expected.dtype}"
        for name in expected.dtype.names:
            same(found[name], expected[name], f"{what}: {name}")
        return
    assert found.dtype == expected.dtype, f"{what}: {found.dtype}, expected {expected.dtype}"
    assert bits(found) == bits(expected), f"{what}: found {found!r}, expected {expected!r}"


def chains(dtype):
    """Filters under their ids that give such elements back exactly: (filters, which formats know them)."""
    yield []
    if dtype == "string":
        return
    kind, size = np.dtype(dtype).kind, np.dtype(dtype).itemsize
    if kind == "b":
        yield [{"id": "packbits"}]
        yield [{"id": "delta", "dtype": "|u1"}]
    if kind in "mM":
        yield from ([{"id": "delta", "dtype": f"{order}i8"}] for order in "<>")
    if kind in "iuf":
        for order, made in ("<<", ">>", "<>"):  # of what a filter takes, and of what it makes
            mine = f"{order}{dtype}"
            yield [{"id": "delta", "dtype": mine, "astype": made + ("i2" if kind == "i" and size > 2 else dtype)}]
            yield [{"id": "fixedscaleoffset", "offset": 1, "scale": 2, "dtype": mine, "astype": f"{made}i2"}]
            yield [{"id": "astype", "decode_dtype": mine, "encode_dtype": f"{made}i2"}]
            yield [
                {"id": "fixedscaleoffset", "offset": -3, "scale": 4, "dtype": mine, "astype": f"{made}i4"},
                {"id": "delta", "dtype": f"{order}i4"},
            ]
            if kind == "f":
                yield [{"id": "quantize", "digits": 1, "dtype": mine}]
        if kind == "f":
            yield [{"id": "bitround", "keepbits": 8}]


def serializers(dtype):
    """v3's arrays to bytes, and what stands in front of them."""
    yield {}
    if dtype == "string":
        return
    dtype = np.dtype(dtype)
    if dtype.kind in "iuf" and dtype.itemsize >= 2:
        yield {"serializer": {"name": "numcodecs.pcodec", "configuration": {"level": 1}}}
    if dtype.kind in "if" and dtype.itemsize >= 4:
        yield {"serializer": {"name": "zfp", "configuration": {"mode": "reversible"}}}
        yield {"serializer": {"name": "numcodecs.zfpy", "configuration": {"mode": 4}}}


def ordered(dtype, order):
    """The dtype as a caller names it, in a byte order; records have one for each field."""
    return dtype if isinstance(dtype, list) or dtype == "string" else np.dtype(dtype).newbyteorder(order)


def layouts(dtype):
    """The keywords of arrays that hold such elements, one after the other."""
    for order, chain in itertools.product("<>", chains(dtype)):
        yield {"zarr_format": 2, "dtype": ordered(dtype, order), "filters": chain or None, "order": "CF"[order == ">"]}
        if dtype is NESTED:
            continue  # sub-arrays are Zarr 2's alone
        named = [{"name": f"numcodecs.{f['id']}", "configuration": {k: f[k] for k in f if k != "id"}} for f in chain]
        yield {"dtype": ordered(dtype, order), "filters": named or "auto", "order": "CF"[order == "<"]}
    for more in () if dtype is NESTED else serializers(dtype):
        yield {"dtype": ordered(dtype, ">"), "shards": True, **more}


# --- ways to read, each with what NumPy says to it


def readings(shape, names, unit):
    """(name, how to read an array, how NumPy does it)."""
    yield "...", lambda a: a[...], lambda m: m
    yield "None", lambda a: a[None, ...], lambda m: m[None, ...]
    yield "asarray", np.asarray, lambda m: m
    yield "lazy", lambda a: a.lazy[...].result(), lambda m: m
    mask = np.arange(int(np.prod(shape, dtype=int))).reshape(shape) % 2 == 0
    yield "mask", lambda a: a[mask], lambda m: m[mask]
    yield "get_mask", lambda a: a.get_mask_selection(mask), lambda m: m[mask]
    yield "no mask", lambda a: a[np.zeros(shape, bool)], lambda m: m[np.zeros(shape, bool)]
    yield "True", lambda a: a[np.array(True)], lambda m: m[np.array(True)] if not shape else m[None, ...]
    yield "basic", lambda a: a.get_basic_selection(...), lambda m: m
    yield "oindex", lambda a: a.oindex[...], lambda m: m
    yield "out", lambda a: a.get_basic_selection(..., out=np.zeros(shape, a.dtype)), lambda m: m
    if not shape:
        yield "()", lambda a: a[()], lambda m: m[()]
    else:
        yield "last", lambda a: a[(-1,) * len(shape)], lambda m: m[(-1,) * len(shape)]
        yield "back", lambda a: a[::-2], lambda m: m[::-2]
        points = tuple(np.array([0, n - 1, 1]) for n in shape)
        yield "vindex", lambda a: a.vindex[points], lambda m: m[points]
        yield "grid", lambda a: a.oindex[tuple([2, 0] for _ in shape)], lambda m: m[np.ix_(*([2, 0] for _ in shape))]
        yield "blocks", lambda a: a.blocks[0], lambda m: m[:unit]
        yield "iterate", list, lambda m: m
    for name in names:
        yield f"field {name}", lambda a, name=name: a[name], lambda m, name=name: m[name]
        if shape:
            yield f"field {name} of one", lambda a, name=name: a[1:2, name], lambda m, name=name: m[1:2][name]
    if names:
        yield "fields", lambda a: a[list(names[:2])], lambda m: m[list(names[:2])]


# --- ways to assign: (name, for which shapes, how; the same call does for both)


def assignments(shape, dtype, unit):
    """(name, how to assign to an array, how to NumPy's)."""
    value, one = elements(dtype, shape, 5), elements(dtype, (), 6)
    mask = np.arange(int(np.prod(shape, dtype=int))).reshape(shape) % 3 == 0

    def put(index, what):
        return lambda a: a.__setitem__(index, what)

    yield "...", put(..., value), put(..., value)
    yield "one", put(..., one[()]), put(..., one[()])
    yield "mask", put(mask, one), put(mask, one)
    yield "back", put(..., value[::-1] if shape else value), put(..., value[::-1] if shape else value)
    if shape:
        yield "part", put(slice(1, None), value[1:]), put(slice(1, None), value[1:])
        yield "element", put((1,) * len(shape), one[()]), put((1,) * len(shape), one[()])
        points = tuple(np.array([0, 2]) for _ in shape)
        yield "vindex", lambda a: a.vindex.__setitem__(points, one), put(points, one)
        yield "oindex", lambda a: a.oindex.__setitem__(points, one), put(np.ix_(*points), one)
        cut = slice(0, unit)
        yield "blocks", lambda a: a.set_block_selection(0, value[cut]), put(cut, value[cut])
    for name in native(dtype).names or ():
        part = elements(dtype, shape, 8)[name]
        yield f"field {name}", put(name, part), put(name, part)
        yield f"one field {name}", put(name, one[name]), put(name, one[name])
    if native(dtype).names:
        both = list(native(dtype).names[:2])
        yield "fields", put(both, elements(dtype, shape, 9)[both]), put(both, elements(dtype, shape, 9)[both])


def every_reading(array, model, what):
    """Each way to read, with memory full of either pattern."""
    for byte in PATTERNS:
        with poisoned(byte):
            for name, read, expected in readings(
                model.shape, model.dtype.names or (), (array.shards or array.chunks or [0])[0]
            ):
                same(read(array), expected(model), f"{what}: {name}")


def make(store, shape, layout):
    chunks = SHAPES[shape]
    more = dict(layout)
    if more.pop("shards", None):
        more["shards"] = tuple(2 * n for n in chunks)
    return zarr.create_array(store, shape=shape, chunks=chunks, compressors=None, **more)


def kinds():
    return [
        pytest.param(dtype, id=dtype if isinstance(dtype, str) else f"record{i}")
        for i, dtype in enumerate([*NUMBERS, *OTHERS])
    ]


@pytest.mark.parametrize("dtype", kinds())
def test_every_element_is_read_as_it_was_written(dtype):
    for i, (layout, shape) in enumerate(itertools.product(layouts(dtype), SHAPES)):
        store, what = {}, f"{layout}, {shape}"
        a = make(store, shape, layout)
        same(a[...], np.zeros(shape, a.dtype), f"{what}: unwritten")
        model = elements(dtype, shape)
        a[...] = model
        same(a[...], model, what)
        if shape == () or i % 4 == 0:  # reading every way costs most
            every_reading(zarr.open_array(store, mode="r"), model, what)


@pytest.mark.parametrize("dtype", kinds())
def test_every_way_to_assign_changes_what_numpy_would_change(dtype):
    ways = [name for name, _, _ in assignments((3, 4), dtype, 2)]
    for i, (layout, shape) in enumerate(itertools.product(layouts(dtype), SHAPES)):
        a, model = make({}, shape, layout), elements(dtype, shape)
        a[...] = model
        for j, (name, ours, theirs) in enumerate(assignments(shape, dtype, (a.shards or a.chunks or [0])[0])):
            if (i + j) % 3 and len(ways) < 12 and shape:  # by turns
                continue
            with poisoned(PATTERNS[j % 2]):
                ours(a)
            theirs(model if shape else (model := model.copy()))
            same(a[...], model, f"{layout}, {shape}: {name}")


@pytest.mark.parametrize("dtype", kinds())
def test_every_element_survives_the_other_format_and_other_chunks(dtype):
    for i, (layout, shape) in enumerate(itertools.product(layouts(dtype), SHAPES)):
        old = layout.get("zarr_format") == 2
        store, model, what = {}, elements(dtype, shape), f"{layout}, {shape}"
        make(store, shape, layout)[...] = model
        if dtype is not NESTED and (old or not set(layout) & {"shards", "serializer"}):
            target = {}
            (to_v3 if old else to_v2)(store, target)
            with poisoned(PATTERNS[i % 2]):
                same(zarr.open_array(target)[...], model, f"{what}: converted")
        if shape and i % 5 == 0:
            target = {}
            rechunk(store, target, chunks=tuple(n + 1 for n in SHAPES[shape]))
            with poisoned(PATTERNS[i % 2]):
                same(zarr.open_array(target)[...], model, f"{what}: rechunked")
