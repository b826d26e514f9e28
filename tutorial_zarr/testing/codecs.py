"""What every codec promises: chunks come back, its input stays as it was, bad bytes are a `CodecError`.

Subclass `CodecLaws` and list `cases`, one for each configuration worth a test. A codec is built from its JSON and
stands in the shortest chain that it can stand in: after ``bytes`` if it turns bytes into bytes, before it if it
turns arrays into arrays.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from tutorial_zarr import codecs, dtypes
from tutorial_zarr.codecs.base import ArrayArrayCodec, BytesBytesCodec, Codec
from tutorial_zarr.errors import CodecError
from tutorial_zarr.metadata import Extension

from .samples import chunk_of
from .stores import Laws

SHAPES = ((3, 4), (1, 2))
TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128", "r24"),
    {"name": "numpy.datetime64", "configuration": {"unit": "ns", "scale_factor": 1}},
    {"name": "numpy.timedelta64", "configuration": {"unit": "s", "scale_factor": 10}},
    {"name": "fixed_length_utf32", "configuration": {"length_bytes": 12}},
    {
        "name": "struct",
        "configuration": {"fields": [{"name": "id", "data_type": "int16"}, {"name": "x", "data_type": "float64"}]},
    },
)
JUNK = (b"", b"\0", b"\0" * 64, b"\xff" * 64, b"\x1f\x8b\x08" + b"\0" * 40, bytes(range(256)))
PAST = 64  # bytes on both sides of memory to decode into, which nobody may touch


@dataclass(frozen=True)
class CodecCase:
    """One configuration of a codec, and what it is tried on."""

    name: str
    configuration: dict[str, Any] = field(default_factory=dict)
    data_types: Sequence[Any] = TYPES  # each a ``data_type`` member of v3
    values: Sequence[Any] | None = None  # where a codec cannot take any bits
    error: Callable[[float], float] | None = None  # how far off a decoded value may be; None: not a bit
    before: Sequence[tuple[str, dict[str, Any]]] = ()  # codecs in front of it; by default ``bytes`` where one is needed
    after: Sequence[tuple[str, dict[str, Any]]] = ()
    shapes: Sequence[tuple[int, ...]] = SHAPES
    needs: str | None = None  # an optional package
    crashes: str = ""  # why bad bytes are not tried in this process: a library that ends the process by them

    def extension(self, name: str, configuration: dict[str, Any]) -> Extension:
        """An entry in ``codecs``, as metadata have it."""
        return Extension(name, configuration)

    def codec(self) -> Codec:
        """The codec itself."""
        [codec] = codecs.build_codecs([self.extension(self.name, self.configuration)])
        return codec

    def line(self, data_type: dtypes.DataType, shape: tuple[int, ...], codec: Codec | None = None) -> codecs.Pipeline:
        """The chain in which the codec stands."""
        codec = codec or self.codec()
        serializer: dict[str, tuple[str, dict[str, Any]]] = {"string": ("vlen-utf8", {}), "bytes": ("vlen-bytes", {})}
        plain = [serializer.get(data_type.name, ("bytes", {"endian": "little"}))]
        before = self.before or (plain if isinstance(codec, BytesBytesCodec) else ())
        after = self.after or (plain if isinstance(codec, ArrayArrayCodec) else ())
        around = [codecs.build_codecs([Extension(*each) for each in side]) for side in (before, after)]
        spec = codecs.ChunkSpec(shape, data_type, data_type.default_fill())
        return codecs.Pipeline([*around[0], codec, *around[1]], spec)

    def __str__(self) -> str:
        detail = ",".join(str(v) for v in self.configuration.values() if isinstance(v, (int, str)))
        types = self.data_types[0] if len(self.data_types) == 1 and isinstance(self.data_types[0], str) else ""
        return f"{self.name}({detail}){types}"


def each_chunk(law: Callable[..., None]) -> Callable[..., None]:
    """A test of a case that holds a law against a chain and a chunk of every data type and shape."""

    def test(self: Any, case: CodecCase) -> None:
        for line, chunk in self.chunks(case):
            try:
                law(self, case, line, chunk)
            except Exception as error:
                error.add_note(f"codec {case.name!r} {case.configuration}, {line.spec.data_type!r}, {line.spec.shape}")
                raise

    test.__name__ = law.__name__
    return test


def each_chunk_of_a_safe_codec(law: Callable[..., None]) -> Callable[..., None]:
    """The same for laws that decode what never was encoded."""
    checked = each_chunk(law)

    def test(self: Any, case: CodecCase) -> None:
        if case.crashes:
            pytest.skip(case.crashes)
        checked(self, case)

    test.__name__ = law.__name__
    return test


class CodecLaws(Laws):
    """The laws of a codec. `cases` lists what is tried."""

    cases: Sequence[CodecCase] = ()

    def pytest_generate_tests(self, metafunc: Any) -> None:
        metafunc.parametrize("case", self.cases, ids=str)

    def missing(self, package: str) -> None:
        """What happens where an optional package is not installed."""
        pytest.skip(f"the package {package} is not installed; try: python -m pip install {package}")

    def chunks(self, case: CodecCase) -> Iterator[tuple[codecs.Pipeline, np.ndarray]]:
        """A chain and a chunk for every data type and shape of a case."""
        if case.needs and importlib.util.find_spec(case.needs) is None:
            self.missing(case.needs)
        for data_type in map(dtypes.from_json, case.data_types):
            for shape in case.shapes:
                yield case.line(data_type, shape), chunk_of(data_type, shape, case.values)

    # --- chunks

    @each_chunk
    def test_decoding_what_was_encoded_gives_it_back(self, case, line, chunk):
        encoded = as_bytes(line.encode(chunk))
        decoded = line.decode(encoded)
        assert_same(decoded, chunk, case.error)
        if case.error is None:
            assert as_bytes(line.encode(np.asarray(decoded))) == encoded  # and so on for ever

    @each_chunk
    def test_it_may_stand_before_elements_in_the_other_byte_order(self, case, line, chunk):
        if isinstance(case.codec(), ArrayArrayCodec) and not case.after and line.inner_spec.data_type.needs_endian:
            for endian in ("little", "big"):
                other = replace(case, after=[("bytes", {"endian": endian})])
                swapped = other.line(line.spec.data_type, line.spec.shape)
                assert_same(swapped.decode(as_bytes(swapped.encode(chunk))), chunk, case.error)

    def test_decoding_any_chunk_gives_it_back(self, case):
        hypothesis = pytest.importorskip("hypothesis", reason="draws chunks with hypothesis, which is not installed")
        lines = [line for line, _ in self.chunks(case)]

        @hypothesis.settings(max_examples=10, deadline=None, database=None, derandomize=True)
        @hypothesis.given(hypothesis.strategies.data())
        def holds(data):
            line = data.draw(hypothesis.strategies.sampled_from(lines))

            def take(count):
                return data.draw(hypothesis.strategies.binary(min_size=count, max_size=count))

            chunk = chunk_of(line.spec.data_type, line.spec.shape, case.values, take)
            hypothesis.note(f"{line.codecs}, {line.spec.data_type!r}, {line.spec.shape}")
            assert_same(line.decode(as_bytes(line.encode(chunk))), chunk, case.error)

        holds()

    @each_chunk
    def test_the_same_chunk_gives_the_same_bytes_whatever_its_strides(self, case, line, chunk):
        first = as_bytes(line.encode(chunk))
        strided = np.concatenate([chunk, chunk], axis=-1)[..., : chunk.shape[-1]]
        anew = case.line(line.spec.data_type, line.spec.shape)
        for same in (chunk.copy(), np.asfortranarray(chunk), strided):
            assert as_bytes(anew.encode(same)) == first

    @each_chunk
    def test_neither_encoding_nor_decoding_changes_its_input(self, case, line, chunk):
        before = chunk.copy()
        encoded = bytearray(as_bytes(line.encode(chunk)))
        assert_same(chunk, before)
        stored = bytes(encoded)
        line.decode(encoded)
        assert bytes(encoded) == stored
        chunk.flags.writeable = False
        assert as_bytes(line.encode(chunk)) == stored
        assert_same(line.decode(memoryview(stored)), chunk, case.error)

    def test_threads_may_share_a_codec(self, case):
        for line, chunk in self.chunks(case):
            chunks = [np.roll(chunk, shift) for shift in range(8)]
            expected = [as_bytes(line.encode(each)) for each in chunks]
            with ThreadPoolExecutor(4) as pool:
                assert [as_bytes(data) for data in pool.map(line.encode, chunks)] == expected
                for decoded, each in zip(pool.map(line.decode, expected), chunks, strict=True):
                    assert_same(decoded, each, case.error)
            break  # one data type tells

    # --- what a codec says of itself

    @each_chunk
    def test_its_json_builds_the_same_codec(self, case, line, chunk):
        codec = case.codec()
        document = json.loads(json.dumps(codec.to_json(), allow_nan=False))
        [again] = codecs.build_codecs([case.extension(document["name"], document.get("configuration", {}))])
        assert (type(again), again.to_json()) == (type(codec), codec.to_json())
        other = case.line(line.spec.data_type, line.spec.shape, again)
        assert as_bytes(other.encode(chunk)) == as_bytes(line.encode(chunk))

    @each_chunk
    def test_the_sizes_and_types_that_it_declares_hold(self, case, line, chunk):
        array = chunk
        for codec, spec in line.array_array:
            array, after = codec.encode(array, spec), codec.resolve(spec)
            assert (array.shape, array.dtype) == (after.shape, after.data_type.numpy)
        data = line.array_bytes.encode(array, line.inner_spec)
        size = line.array_bytes.encoded_size(line.inner_spec)
        assert size in (None, len(as_bytes(data)))
        for codec, size_before in line.bytes_bytes:
            data = codec.encode(data)
            size = None if size_before is None else codec.encoded_size(size_before)
            assert size in (None, len(as_bytes(data)))
        assert line.encoded_size in (None, len(as_bytes(data)))

    @each_chunk
    def test_decoding_into_memory_fills_it_exactly(self, case, line, chunk):
        encoded = as_bytes(line.encode(chunk))
        if line.in_place:
            memory, inside = guarded(chunk.nbytes)
            line.decode_into(encoded, inside)
            assert inside.tobytes() == chunk.tobytes()
            untouched(memory)
        if isinstance(case.codec(), BytesBytesCodec):
            raw = case.line(dtypes.from_json("uint8"), (48,))
            encoded = as_bytes(raw.encode(np.arange(48, dtype=np.uint8)))
            memory, inside = guarded(48)
            raw.decode_into(encoded, inside)
            assert inside.tolist() == list(range(48))
            untouched(memory)
            for wrong in () if case.crashes else (47, 49):
                memory, inside = guarded(wrong)
                with pytest.raises(CodecError, match="codec"):
                    raw.decode_into(encoded, inside)
                untouched(memory)

    # --- bad bytes

    @each_chunk_of_a_safe_codec
    def test_truncated_bytes_are_a_codec_error(self, case, line, chunk):
        encoded = as_bytes(line.encode(chunk))
        step = max(1, len(encoded) // 40)
        for length in {*range(0, len(encoded), step), len(encoded) - 1}:
            with pytest.raises(CodecError, match=r"codec|filter|chunk|shard"):
                line.decode(encoded[:length])

    @each_chunk_of_a_safe_codec
    def test_junk_is_a_codec_error_or_a_chunk_of_the_right_shape(self, case, line, chunk):
        for junk in JUNK:
            try:
                decoded = np.asarray(line.decode(junk))
            except CodecError:
                continue
            assert decoded.shape == line.spec.shape
            assert decoded.dtype.newbyteorder("=") == line.spec.data_type.numpy

    @each_chunk_of_a_safe_codec
    def test_more_bytes_than_were_written_are_a_codec_error_or_change_nothing(self, case, line, chunk):
        encoded = as_bytes(line.encode(chunk))
        for more in (b"\0", b"junk", encoded):
            try:
                decoded = line.decode(encoded + more)
            except CodecError:
                continue
            assert_same(decoded, chunk, case.error)

    def test_a_few_bytes_never_become_more_than_the_chunk_holds(self, case):
        for _ in self.chunks(case):
            if case.crashes or not isinstance(case.codec(), BytesBytesCodec):
                return  # the other kinds make arrays, of the shape that the metadata say
            large, small = (case.line(dtypes.from_json("uint8"), (count,)) for count in (1 << 16, 16))
            bomb = as_bytes(large.encode(np.zeros(1 << 16, np.uint8)))
            with pytest.raises(CodecError, match="codec"):
                small.decode(bomb)
            memory, inside = guarded(16)
            with pytest.raises(CodecError, match="codec"):
                small.decode_into(bomb, inside)
            untouched(memory)
            break


def as_bytes(data: Any) -> bytes:
    """What a codec made, as bytes to compare."""
    return bytes(memoryview(data))


def assert_same(decoded: Any, chunk: np.ndarray, error: Callable[[float], float] | None = None) -> None:
    """Compare bit for bit, or within `error`."""
    decoded = np.asarray(decoded)
    assert decoded.shape == chunk.shape
    if chunk.dtype.kind in "OT":
        assert decoded.tolist() == chunk.tolist()
        return
    native = decoded if decoded.dtype == chunk.dtype else decoded.astype(decoded.dtype.newbyteorder("="))
    assert native.dtype == chunk.dtype
    if error is None:
        assert native.tobytes() == chunk.tobytes()
        return
    for found, expected in zip(native.flat, chunk.flat, strict=True):
        assert abs(float(found) - float(expected)) <= error(float(expected))


def guarded(nbytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory with more on both sides, and the part to decode into."""
    memory = np.full(nbytes + 2 * PAST, 0xAA, np.uint8)
    return memory, memory[PAST : PAST + nbytes]


def untouched(memory: np.ndarray) -> None:
    """Nothing was written beside the memory to decode into."""
    assert (memory[:PAST] == 0xAA).all()
    assert (memory[-PAST:] == 0xAA).all()
