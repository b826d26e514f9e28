# /// script
# requires-python = ">=3.12"
# dependencies = ["acquire-zarr>=0.10", "numpy"]
# ///
"""acquire-zarr, in C++: a writer of streams for microscopes. It has three axes or more, of which the first grows,
and writes sharded arrays of Zarr 3, plain or with Blosc; the fill value is always 0.
"""

from __future__ import annotations

import importlib.metadata

import acquire_zarr as aqz
import numpy as np
from peer_protocol import Case, Peer, Unsupported, serve

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


class AcquireZarr(Peer):
    """What acquire-zarr does of the protocol."""

    name = "acquire-zarr"

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("acquire-zarr", "numpy")}

    def capabilities(self) -> list[str]:
        """https://github.com/acquire-project/acquire-zarr"""
        return [
            *(f"type:{name}" for name in TYPES),
            *("format:3", "grid:regular", "keys:default/", "layout:sharded", "codec:blosc"),
            *("blosc:lz4", "blosc:zstd", "blosc:*shuffle", "fill:not-finite"),
        ]

    def write(self, case: Case) -> None:
        document = case.document
        shape = case.data.shape
        chain = document["codecs"] if case.zarr_format == 3 else []
        if case.data.dtype.name not in TYPES or len(shape) < 3 or [c["name"] for c in chain] != ["sharding_indexed"]:
            raise Unsupported("acquire-zarr writes sharded arrays of numbers with three axes or more")
        if case.node or case.attributes or case.regions != [tuple(slice(0, n) for n in shape)]:
            raise Unsupported("this program writes single arrays, whole")
        inner = chain[0]["configuration"]
        chunks, shards = inner["chunk_shape"], document["chunk_grid"]["configuration"]["chunk_shape"]
        names = [codec["name"] for codec in inner["codecs"]]
        if names not in (["bytes"], ["bytes", "blosc"]) or inner.get("index_location") != "end":
            raise Unsupported(f"the chain {', '.join(names)}")
        if document["chunk_grid"]["name"] != "regular":
            raise Unsupported("a grid other than the regular one")
        kinds = [aqz.DimensionType.TIME, *[aqz.DimensionType.OTHER] * (len(shape) - 3)]
        kinds += [aqz.DimensionType.SPACE, aqz.DimensionType.SPACE]
        dimensions = [
            aqz.Dimension(
                name=f"d{axis}",
                kind=kind,
                array_size_px=0 if axis == 0 else n,
                chunk_size_px=chunk,
                shard_size_chunks=shard // chunk,
            )
            for axis, (kind, n, chunk, shard) in enumerate(zip(kinds, shape, chunks, shards, strict=True))
        ]
        compression = None
        if len(names) == 2:
            options = inner["codecs"][1]["configuration"]
            codec = {"lz4": "BLOSC_LZ4", "zstd": "BLOSC_ZSTD"}.get(options["cname"])
            if codec is None:
                raise Unsupported(f"Blosc with {options['cname']}")
            compression = aqz.CompressionSettings(
                compressor=aqz.Compressor.BLOSC1,
                codec=getattr(aqz.CompressionCodec, codec),
                level=options["clevel"],
                shuffle=("noshuffle", "shuffle", "bitshuffle").index(options["shuffle"]),
            )
        array = aqz.ArraySettings(
            dimensions=dimensions,
            data_type=getattr(aqz.DataType, case.data.dtype.name.upper()),
            compression=compression,
        )
        settings = aqz.StreamSettings(
            store_path=str(case.path), version=aqz.ZarrVersion.V3, overwrite=True, arrays=[array]
        )
        stream = aqz.ZarrStream(settings)
        stream.append(np.ascontiguousarray(case.data))
        stream.close()


if __name__ == "__main__":
    serve(AcquireZarr())
