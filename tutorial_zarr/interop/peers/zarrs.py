# /// script
# requires-python = ">=3.12"
# dependencies = ["zarr>=3,<4", "zarrs>=0.2", "numcodecs", "google-crc32c"]
# ///
"""zarrs, in Rust, as the codec pipeline of zarr-python 3: that parses the metadata, zarrs reads and writes chunks.

The pipeline is strict: what zarrs does not have is refused and not handed to the default pipeline.
"""

from __future__ import annotations

import sys
from pathlib import Path

import zarr
import zarrs  # noqa: F401 - the pipeline

sys.path.append(str(Path(__file__).parent))  # behind the packages, so that no file here hides one of them

from peer_protocol import serve
from zarr_python import ZarrPython

zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "codec_pipeline.strict": True})


class Zarrs(ZarrPython):
    """What zarrs does of the protocol."""

    name = "zarrs"
    packages = ("zarrs", "zarr", "numpy")

    def capabilities(self) -> list[str]:
        """zarr-python's types; the codecs of its README."""
        text = (
            "fixed_length_utf32 null_terminated_bytes raw_bytes numpy.* struct structured bytes variable_length_bytes"
        )
        types = [e for e in super().capabilities() if e.startswith("type:")]
        types += [f"!type:{name}" for name in text.split()]
        codecs = ["blosc", "bz2", "crc32c", "fixedscaleoffset", "gzip", "pcodec", "zfpy", "zlib", "zstd", "shuffle"]
        codecs += ["adler32", "fletcher32", "vlen-utf8", "vlen-bytes", "transpose"]
        return [
            *types,
            *(f"codec:{name}" for name in (*codecs, "zstd with checksum")),
            *(f"codec:numcodecs.{name}" for name in codecs if name not in ("blosc", "crc32c", "gzip", "zstd")),
            *(f"codec2:{name}" for name in ("blosc", "bz2", "gzip", "zlib", "zstd", "pcodec", "zfpy", "vlen-*")),
            *("blosc:*", "format:*", "grid:*", "keys:*", "endian:*", "fill:*", "names:*", "attributes:*", "groups:*"),
            *("layout:*", "data:*", "!layout:F order", "!layout:filters", "!format:2+endian:big"),
        ]


if __name__ == "__main__":
    serve(Zarrs())
