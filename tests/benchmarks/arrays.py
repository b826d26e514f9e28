"""The arrays that every reader is timed on: their values, and the Zarr folders that zarr-python writes.

All readers see the same files, so none profits from its own compressor. The values are made to look like
measurements (a smooth field with noise, quantised to uint16): pure noise would turn every compressor into a
copy, and zeros would turn it into nothing. They come from a seeded generator, so a second run is the same
run.

Workloads on these arrays are in `cases.py`.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Size:
    """How large the test data is: `full` for the table, `small` for a quick look."""

    name: str
    cube: int
    """Edge of the uint16 cube."""
    tiny: int
    """Edge of the float32 plane in 10 x 10 chunks."""
    strings: int
    members: int
    """Arrays in the group that is opened through consolidated metadata."""
    public: tuple[int, int, int]
    """Shape of the public zarr benchmarks' array, 1024 x 2048 x 2048 there, scaled to fit in memory."""


SIZES = {
    "full": Size("full", 384, 1000, 1_000_000, 10_000, (512, 1024, 1024)),
    "small": Size("small", 192, 500, 100_000, 1_000, (256, 512, 512)),
}

# Codecs in the words of Zarr 3. `floor.py` calls the same libraries directly.
BLOSCLZ = {
    "name": "blosc",
    "configuration": {
        "cname": "blosclz",
        "clevel": 9,
        "shuffle": "bitshuffle",
        "typesize": 2,
        "blocksize": 0,
    },
}
BLOSC_ZSTD = {
    "name": "blosc",
    "configuration": {"cname": "zstd", "clevel": 5, "shuffle": "shuffle", "typesize": 2, "blocksize": 0},
}
BLOSC_LZ4 = {
    "name": "blosc",
    "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "shuffle", "typesize": 2, "blocksize": 0},
}
ZSTD = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
GZIP = {"name": "gzip", "configuration": {"level": 5}}


@dataclass(frozen=True)
class ArraySpec:
    """One stored array: which values, in which layout."""

    name: str
    values: str
    """A key of `VALUES`."""
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None
    compressor: dict | None = None
    zarr_format: int = 3


ARRAYS = {
    spec.name: spec
    for spec in (
        ArraySpec("raw128", "cube", (128,) * 3),
        ArraySpec("blosc128", "cube", (128,) * 3, compressor=BLOSCLZ),
        ArraySpec("blosc32", "cube", (32,) * 3, compressor=BLOSCLZ),
        ArraySpec("blosczstd64", "cube", (64,) * 3, compressor=BLOSC_ZSTD),
        ArraySpec("zstd64", "cube", (64,) * 3, compressor=ZSTD),
        ArraySpec("gzip64", "cube", (64,) * 3, compressor=GZIP),
        ArraySpec("sharded", "cube", (32,) * 3, shards=(128,) * 3, compressor=BLOSCLZ),
        ArraySpec("v2lz4", "cube", (64,) * 3, compressor=BLOSC_LZ4, zarr_format=2),
        ArraySpec("tiny", "tiny", (10, 10)),
        ArraySpec("vlen", "vlen", (50_000,), compressor=ZSTD),
        ArraySpec("fixed", "fixed", (50_000,), compressor=ZSTD),
        ArraySpec("image", "image", (128, 128), compressor=ZSTD),
        ArraySpec("public_raw", "public", (256,) * 3),
        ArraySpec("public_blosc", "public", (256,) * 3, compressor=BLOSCLZ),
        ArraySpec("public_sharded", "public", (32,) * 3, shards=(256,) * 3, compressor=BLOSCLZ),
    )
}


def field(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A smooth uint16 field with five bits of noise, made plane by plane to keep the memory flat."""
    rng = np.random.Generator(np.random.PCG64(seed))
    axes = [np.arange(n, dtype="f4") for n in shape]
    out = np.empty(shape, dtype="u2")
    plane = np.sin(axes[-2] / 29)[:, None] * np.cos(axes[-1] / 53)[None, :]
    for i in range(shape[0]) if len(shape) == 3 else [...]:
        height = np.sin(axes[0][i] / 40) if len(shape) == 3 else 0
        noise = rng.integers(0, 32, plane.shape, dtype="u2")
        out[i] = (2000 + 600 * height + 500 * plane).astype("u2") + noise
    return out


def public(shape: tuple[int, int, int]) -> np.ndarray:
    """The function that the public zarr benchmarks store: x + y^2 / 32 + z^3, wrapped to uint16.

    Source: https://github.com/LDeakin/zarr_benchmarks (scripts/generate_benchmark_array.py).
    """
    z, y, x = (np.arange(n, dtype="u8") for n in shape)
    rows = (x + (y**2 / 32)[:, None]).astype("u8")
    out = np.empty(shape, dtype="u2")
    for i in range(shape[0]):
        out[i] = (rows + z[i] ** 3).astype("u2")
    return out


def words(count: int) -> np.ndarray:
    """Strings of 4 to 40 characters, a few of them outside ASCII, like the labels of a catalogue."""
    stems = ("gene", "Zürich", "station", "a rather long description", "京都", "x")
    return np.array(
        [f"{stems[i % 6]} {i * 7919 % 1000003:0{i % 9}d}" for i in range(count)],
        dtype=np.dtypes.StringDType(),
    )


VALUES = {
    "cube": lambda size: field((size.cube,) * 3),
    "tiny": lambda size: field((size.tiny, size.tiny)).astype("f4") / 8,
    "vlen": lambda size: words(size.strings),
    "fixed": lambda size: np.array([f"id{i * 7919 % 1000003:07d}" for i in range(size.strings)], dtype="U10"),
    "image": lambda size: field((1280, 2560)),
    "public": lambda size: public(size.public),
}


def values_of(kind: str, size: Size, folder: Path) -> np.ndarray:
    """The values of one kind: computed once per data folder, loaded from a .npy file after that."""
    file = folder / f"{kind}.npy"
    if not file.exists():
        values = VALUES[kind](size)
        np.save(file, values.astype(object) if values.dtype.kind == "T" else values)
    values = np.load(file, allow_pickle=kind == "vlen")
    return values.astype(np.dtypes.StringDType()) if values.dtype.kind == "O" else values


def write_array(spec: ArraySpec, values: np.ndarray | None, path: Path, shape: tuple[int, ...], dtype: object) -> None:
    """Create one array with zarr-python, with its chunks, or with `values=None` its metadata only."""
    import numcodecs
    import zarr

    compressor = spec.compressor
    if spec.zarr_format == 2 and compressor is not None:
        settings = compressor["configuration"]
        shuffle = ("noshuffle", "shuffle", "bitshuffle").index(settings["shuffle"])
        compressor = numcodecs.Blosc(settings["cname"], settings["clevel"], shuffle)
    with zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.FusedCodecPipeline"}):
        array = zarr.create_array(
            path,
            shape=shape,
            dtype="str" if np.dtype(dtype).kind == "T" else dtype,
            chunks=tuple(map(min, spec.chunks, shape)),
            shards=spec.shards,
            compressors=compressor,
            zarr_format=spec.zarr_format,
        )
        if values is not None:
            array[...] = values


def ensure_array(name: str, size: Size, folder: Path) -> Path:
    """The folder of one array, written by zarr-python unless it is there from an earlier call."""
    path, template = folder / name, template_of(name, folder)
    if not path.exists():
        spec = ARRAYS[name]
        values = values_of(spec.values, size, folder)
        for target, content in ((template, None), (folder / f"{name}.part", values)):
            shutil.rmtree(target, ignore_errors=True)
            write_array(spec, content, target, values.shape, values.dtype)
        (folder / f"{name}.part").rename(path)
    return path


def template_of(name: str, folder: Path) -> Path:
    """A folder with the array's metadata and no chunk: what a timed write starts from."""
    return folder / f"{name}.empty"


def member_names(size: Size) -> list[str]:
    """The names of the arrays in the large group."""
    return [f"a{i:05d}" for i in range(size.members)]


def ensure_members(size: Size, folder: Path) -> Path:
    """A Zarr 3 group of many small arrays with consolidated metadata.

    The documents are copies of one that zarr-python wrote: creating ten thousand arrays takes it half a
    minute.
    """
    path = folder / "members"
    if not path.exists():
        import zarr

        part = folder / "members.part"
        shutil.rmtree(part, ignore_errors=True)
        group = zarr.create_group(part)
        group.create_array("a00000", shape=(100, 100), chunks=(10, 10), dtype="f4", compressors=ZSTD)
        document = json.loads((part / "a00000" / "zarr.json").read_text())
        documents = {}
        for i, name in enumerate(member_names(size)):
            documents[name] = document | {"shape": [100 + i, 100]}
            (part / name).mkdir(exist_ok=True)
            (part / name / "zarr.json").write_text(json.dumps(documents[name]))
        root = json.loads((part / "zarr.json").read_text())
        root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": documents}
        (part / "zarr.json").write_text(json.dumps(root))
        part.rename(path)
    return path


def digest(results: list[np.ndarray]) -> str:
    """One hash of a list of results: equal if and only if shapes, kinds and values are."""
    hasher = hashlib.blake2b(digest_size=16)
    for result in results:
        array = np.asarray(result)
        if array.dtype.kind in "OT":
            payload = "\0".join(map(str, array.ravel().tolist())).encode()
        else:
            array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
            payload = array.reshape(-1).view(np.uint8)
        kind = "string" if array.dtype.kind in "OT" else array.dtype.str
        hasher.update(f"{array.size} {kind};".encode())
        hasher.update(payload)
    return hasher.hexdigest()


def chunk_count(spec: ArraySpec, shape: tuple[int, ...]) -> int:
    """How many chunks an array has (inner chunks, where it is sharded)."""
    return math.prod(-(-n // c) for n, c in zip(shape, spec.chunks, strict=True))
