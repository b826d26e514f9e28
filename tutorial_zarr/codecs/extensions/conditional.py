"""``conditional``: a list of bytes -> bytes codecs, of which each chunk names the ones that were applied to it.

    [ header: one bit for each codec, the first is the least significant ][ bytes ]

So a chunk that a compressor would only make larger can be stored as it is, in the same array as chunks that it
makes smaller.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/conditional
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutorial_zarr.codecs.base import Buffer, BytesBytesCodec, ChunkSpec
from tutorial_zarr.codecs.fields import Field, IntegerField
from tutorial_zarr.codecs.pipeline import parse_extensions
from tutorial_zarr.codecs.registry import build, register
from tutorial_zarr.errors import MetadataError

if TYPE_CHECKING:
    from typing import Self


class _BytesCodecs(Field[list[BytesBytesCodec | None]]):
    """The codecs; None for one that is not known and whose entry says that it may be ignored. It keeps its bit."""

    def parse(self, codec: Any, value: Any) -> list[BytesBytesCodec | None]:
        try:
            built = [build(extension) for extension in parse_extensions(value)] if value != [] else []
        except MetadataError as error:
            raise type(error)(f"codec {codec.name!r}: {error.message}", **error.fields) from error
        found: list[BytesBytesCodec | None] = []
        for each in built:
            if each is not None and not isinstance(each, BytesBytesCodec):
                raise codec.misfit("codecs that are all bytes -> bytes", each)
            found.append(each)
        return found


class Conditional(BytesBytesCodec):
    """``conditional``: each chunk names the codecs of the list that were applied to it. A codec that should choose by
    other means than size is a subclass with another `choose`.

        zarr.json   {"name": "conditional", "configuration": {"codecs": [{"name": "zstd"}], "header_bits": 8}}
    """

    codecs = _BytesCodecs()
    header_bits: Field[int | None] = Field(None)  # at least as many as there are codecs, rounded up to whole bytes

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        bits = -(-len(self.codecs) // 8) * 8
        if "header_bits" in configuration:
            bits = IntegerField(len(self.codecs), 1 << 20, key="header_bits").parse(self, self.header_bits)
        if bits % 8:
            raise self.misfit("header_bits as a multiple of 8", bits)
        self.header_size = bits // 8

    def check(self, spec: ChunkSpec) -> None:
        for codec in self.codecs:
            if codec is not None:
                codec.check(spec)

    def bind(self, spec: ChunkSpec) -> Self:
        return self.changed(codecs=[codec.bind(spec) if codec is not None else None for codec in self.codecs])

    def apply(self, mask: int, data: Buffer) -> Buffer:
        """The data encoded by the codecs of `mask`."""
        for i, codec in enumerate(self.codecs):
            if mask >> i & 1:
                data = codec.encode(data)  # type: ignore[union-attr]
        return data

    def choose(self, data: Buffer) -> tuple[int, Buffer]:
        """The mask of the codecs to apply, and what they make of the data.

        The shortest of three: the data as they are, encoded by all the codecs, and encoded by those that shrink what
        they are given. All are tried because a shuffle alone never pays; it is the compressor after it that does.
        """
        shrinking, current = 0, data
        for i, codec in enumerate(self.codecs):
            encoded = codec.encode(current) if codec is not None else current
            if memoryview(encoded).nbytes < memoryview(current).nbytes:
                shrinking, current = shrinking | 1 << i, encoded
        found = {0: data, shrinking: current}
        everything = sum(1 << i for i, codec in enumerate(self.codecs) if codec is not None)
        if everything not in found:
            found[everything] = self.apply(everything, data)
        return min(found.items(), key=lambda item: (memoryview(item[1]).nbytes, item[0].bit_count()))

    def encode(self, data: Buffer) -> Buffer:
        mask, encoded = self.choose(data)
        return mask.to_bytes(self.header_size, "little") + bytes(encoded)

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        view = memoryview(data).cast("B")
        if len(view) < self.header_size:
            raise self.fail(f"a header of {self.header_size} bytes", f"{len(view)} bytes")
        mask = int.from_bytes(view[: self.header_size], "little")
        if mask >> len(self.codecs):
            raise self.fail(f"reserved bits of 0 after the {len(self.codecs)} of the codecs", f"the mask 0x{mask:x}")
        applied: list[tuple[BytesBytesCodec, int | None]] = []
        for i, codec in enumerate(self.codecs):
            if mask >> i & 1:
                if codec is None:
                    raise self.fail("codecs that this library knows", f"bit {i}, of one that it does not, set")
                applied.append((codec, size))
                size = codec.encoded_size(size) if size is not None else None
        body: Buffer = view[self.header_size :]
        for codec, before in reversed(applied):
            body = codec.decode(body, before)
        return body


register("conditional", Conditional)
