"""08_01 again, from outside: run the notebook, read the images that it left, and work out every answer anew.

The brain comes from nilearn's own file where that package is installed, read byte by byte, and else from the vendored
differences; the stores are read by zarr-python and TensorStore, means are NumPy's, requests come from enumeration and
from the files, and images are judged by ome-zarr-models. Nothing here imports this project's library.
"""

import gzip
import importlib.util
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/08_bio/08_01_multiscale_pyramids.ipynb"
pytestmark = pytest.mark.gallery

SHAPE, ORIGIN, CHUNK, LEVELS = (189, 233, 197), (-72, -134, -98), 32, 4
POINT, SCREEN, ZOOMS = (-32, -58, 4), 64, (256, 128, 64, 32)


def vendored():
    """Differences along three axes, added up again; the half that is missing is the mirror image."""
    half = np.load(ROOT / "data_gen" / "vendor" / "mni152_t1_1mm.npz")["differences"]
    for axis in range(3):
        half = np.add.accumulate(half, axis=axis, dtype="u1")
    return np.concatenate([half, np.flip(half[:, :, :98], axis=2)], axis=2)


def nifti():
    """The file as nilearn ships it; it is found without importing the package."""
    package = importlib.util.find_spec("nilearn")
    if package is None:
        pytest.skip("nilearn is not installed; the vendored voxels are tested without it")
    folder = Path(package.origin).parent / "datasets" / "data"
    content = gzip.decompress((folder / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz").read_bytes())
    rows = np.frombuffer(content, "<f4", 12, 280).reshape(3, 4)
    np.testing.assert_array_equal(rows, [[1, 0, 0, ORIGIN[2]], [0, 1, 0, ORIGIN[1]], [0, 0, 1, ORIGIN[0]]])
    return np.frombuffer(content, "u1", math.prod(SHAPE), 352).reshape(SHAPE)


def block_means(volume):
    """The levels: means of eight voxels, halves rounded up, an odd voxel at the end left out."""
    levels = [volume]
    while len(levels) < LEVELS:
        z, y, x = (n // 2 for n in levels[-1].shape)
        cubes = levels[-1][: 2 * z, : 2 * y, : 2 * x].reshape(z, 2, y, 2, x, 2)
        levels.append(np.floor(cubes.mean(axis=(1, 3, 5)) + 0.5).astype("u1"))
    return levels


@pytest.fixture(scope="module")
def levels():
    return block_means(vendored())


def grid(shape):
    return list(itertools.product(*(range(math.ceil(n / CHUNK)) for n in shape)))


def occupied(level):
    """The coords of the chunks that hold anything but 0."""
    return {c for c in grid(level.shape) if level[tuple(slice(i * CHUNK, (i + 1) * CHUNK) for i in c)].any()}


def path_of(out, k, coords, zarr_format):
    return out.joinpath("brain.ome.zarr", str(k), *(["c"] if zarr_format == 3 else []), *map(str, coords))


def position(k, mm):
    """The index of the voxel of a level that is nearest to a place."""
    voxels = [np.arange(n // 2**k) * 2**k + o + (2**k - 1) / 2 for n, o in zip(SHAPE, ORIGIN, strict=True)]
    return [int(len(v) - 1 - np.abs(v - place)[::-1].argmin()) for v, place in zip(voxels, mm, strict=True)]


@pytest.mark.parametrize("source", [vendored, nifti])
def test_zarr_python_sees_block_means_of_the_real_brain_on_every_level(left, source):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    group = zarr.open_group(str(out / "brain.ome.zarr"), mode="r")
    assert group.metadata.zarr_format == zarr_format
    for k, level in enumerate(block_means(source())):
        np.testing.assert_array_equal(group[str(k)][...], level)
        assert group[str(k)].chunks == (CHUNK,) * 3
        assert facts["shapes"][k] == list(level.shape)


def test_tensorstore_sees_them_too(left, levels):
    ts = pytest.importorskip("tensorstore")
    out, _, zarr_format = left
    for k, level in enumerate(levels):
        kvstore = {"driver": "file", "path": f"{out / 'brain.ome.zarr' / str(k)}/"}
        array = ts.open({"driver": "zarr3" if zarr_format == 3 else "zarr", "kvstore": kvstore}).result()
        np.testing.assert_array_equal(array.read().result(), level)


def test_the_vendored_voxels_are_those_of_the_file():
    np.testing.assert_array_equal(vendored(), nifti())


def test_the_copies_cost_a_seventh_of_the_voxels_at_most(left, levels):
    facts = left[1]
    assert facts["voxels"] == [math.prod(level.shape) for level in levels]
    assert facts["overhead"] == pytest.approx(sum(facts["voxels"]) / math.prod(SHAPE))
    assert round(facts["overhead"], 4) == 1.1404
    assert 1 < facts["overhead"] < 8 / 7
    assert facts["overhead_percent"] == pytest.approx(100 * facts["overhead"] - 100)
    assert facts["overhead_forever_percent"] == pytest.approx(100 * (8 / 7 - 1))


def test_the_empty_chunks_are_those_that_hold_only_zeros_and_no_file_is_there(left, levels):
    out, facts, zarr_format = left
    for k, level in enumerate(levels):
        full, every = occupied(level), grid(level.shape)
        there = {coords for coords in every if path_of(out, k, coords, zarr_format).is_file()}
        assert there == full
        assert facts["chunks"][k] == len(every)
        assert (facts["stored"][k], facts["empty"][k]) == (len(full), len(every) - len(full))
        nbytes = sum(path_of(out, k, coords, zarr_format).stat().st_size for coords in full)
        assert facts["bytes"][k] == nbytes
        assert facts["bytes_per_voxel"][k] == pytest.approx(nbytes / (level > 0).sum())
    assert (facts["chunks"][0], facts["empty"][0]) == (336, 206)
    assert facts["empty_percent"] == pytest.approx(100 * 206 / 336)
    assert facts["bytes_in_all"] == sum(facts["bytes"])
    assert facts["more_bytes_percent"] == pytest.approx(100 * (sum(facts["bytes"]) / facts["bytes"][0] - 1))
    assert facts["more_bytes_percent"] > facts["overhead_percent"]


def test_the_numbers_of_the_brain_are_those_of_its_voxels(left):
    facts, volume = left[1], vendored()
    assert facts["nbytes"] == volume.nbytes == math.prod(SHAPE)
    assert facts["zeros_percent"] == pytest.approx(100 * (volume == 0).mean())
    assert facts["litres"] == pytest.approx(np.count_nonzero(volume) / 1e6)
    pairs = (volume[..., 1:] > 0) & (volume[..., :-1] > 0)
    apart = np.abs(volume[..., 1:].astype(int) - volume[..., :-1])[pairs].mean()
    assert facts["differences"][0] == pytest.approx(apart, abs=1e-6)
    assert facts["differences"] == sorted(facts["differences"])


def attributes(folder):
    document = folder / "zarr.json"
    if document.is_file():
        return json.loads(document.read_text(encoding="utf-8"))["attributes"]["ome"]
    return json.loads((folder / ".zattrs").read_text(encoding="utf-8"))


def test_every_voxel_of_every_level_lies_at_the_mean_of_the_voxels_that_it_was_made_of(left, levels):
    out, facts, _ = left
    (image,) = attributes(out / "brain.ome.zarr")["multiscales"]
    centres = [np.arange(n) + float(o) for n, o in zip(SHAPE, ORIGIN, strict=True)]
    for k, (level, dataset) in enumerate(zip(levels, image["datasets"], strict=True)):
        scale, translation = dataset["coordinateTransformations"]
        assert [scale["scale"], translation["translation"]] == facts["places"][k]
        for axis, n in enumerate(level.shape):
            here = np.arange(n) * scale["scale"][axis] + translation["translation"][axis]
            np.testing.assert_allclose(here, centres[axis], rtol=0, atol=1e-12)
        centres = [c[: len(c) // 2 * 2].reshape(-1, 2).mean(axis=1) for c in centres]


def test_the_centre_of_brightness_stays_with_translations_and_creeps_away_without(left, levels):
    facts = left[1]
    for k, level in enumerate(levels):
        weights = level.astype("f8")
        found = [
            np.average(np.arange(n) * 2.0**k, weights=weights.sum(axis=tuple({0, 1, 2} - {axis}))) + ORIGIN[axis]
            for axis, n in enumerate(level.shape)
        ]
        half = (2**k - 1) / 2
        assert facts["drifting"][k] == pytest.approx(found, abs=1e-5)
        assert facts["middles"][k] == pytest.approx(np.add(found, half), abs=1e-5)
    apart = np.abs(np.subtract(facts["middles"], facts["middles"][0]))
    assert facts["stays_within_mm"] == pytest.approx(apart.max(), abs=1e-5)
    assert facts["stays_within_mm"] < 0.05
    assert facts["jump_mm"] == (2 ** (LEVELS - 1) - 1) / 2 == 3.5
    assert facts["half_voxels"] == [np.arange(2**k).mean() for k in range(LEVELS)]
    taken = levels[0][::2, ::2, ::2].astype("f8")
    where = [
        np.average(np.arange(n) * 2.0, weights=taken.sum(axis=tuple({0, 1, 2} - {a}))) + ORIGIN[a] + 0.5
        for a, n in enumerate(taken.shape)
    ]
    assert facts["every_second_off"] == pytest.approx(np.subtract(where, facts["middles"][0]), abs=1e-5)
    assert facts["every_second_off"] == pytest.approx([0.5] * 3, abs=0.05)


def test_the_judge_accepts_our_image_and_rejects_the_broken_ones_but_for_the_one_that_jumps(left):
    pytest.importorskip("ome_zarr_models")
    import zarr
    from ome_zarr_models import v04, v05

    out, _, zarr_format = left
    model = {2: v04, 3: v05}[zarr_format].Image
    for name in ("brain", "no_translation"):
        found = model.from_zarr(zarr.open_group(str(out / f"{name}.ome.zarr"), mode="r"))
        assert len(found.datasets[0]) == LEVELS
    for name, reason in (("short_scale", "dimension"), ("two_z", "unique"), ("coarse_first", "lower resolution")):
        with pytest.raises(ValueError, match=reason):
            model.from_zarr(zarr.open_group(str(out / f"{name}.ome.zarr"), mode="r"))


def test_ome_zarr_reads_every_level(left, levels):
    pytest.importorskip("ome_zarr", reason="ome-zarr comes with the extra `bio`")
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    (node,) = Reader(parse_url(str(left[0] / "brain.ome.zarr")))()
    for seen, level in zip(node.data, levels, strict=True):
        np.testing.assert_array_equal(np.asarray(seen), level)


def view(k, wide, place=POINT):
    """The voxels that a viewer shows: z, y, and the slice on x; a window at the border is moved in."""
    shape = [n // 2**k for n in SHAPE]
    index, n = position(k, place), wide // 2**k
    first = [max(0, min(i - n // 2, extent - n)) for i, extent in zip(index, shape, strict=True)]
    ends = [range(f, min(f + n, extent)) for f, extent in zip(first, shape, strict=True)]
    return ends[0], ends[1], [index[2]]


def asked(out, levels, k, box, zarr_format):
    """Requests, those that find nothing, and bytes, for a box of voxels of level `k`."""
    chunks = set(itertools.product(*({i // CHUNK for i in axis} for axis in box)))
    found = chunks & occupied(levels[k])
    nbytes = sum(path_of(out, k, coords, zarr_format).stat().st_size for coords in found)
    return {"requests": len(chunks), "empty": len(chunks - found), "bytes": nbytes}


def test_the_viewer_asks_for_the_chunks_under_its_screen_and_no_others(left, levels):
    out, facts, zarr_format = left
    assert facts["zooms_mm"] == list(ZOOMS)
    assert facts["last_level"] == LEVELS - 1
    for wide in ZOOMS:
        k = facts["zooms"][str(wide)]["level"]
        assert wide / 2**k <= SCREEN < wide / 2 ** (k - 1) or k == 0
        spent = {name: facts["zooms"][str(wide)][name] for name in ("requests", "empty", "bytes")}
        assert spent == asked(out, levels, k, view(k, wide), zarr_format)
        assert facts["level_0_alone"][str(wide)] == asked(out, levels, 0, view(0, wide), zarr_format)
    whole = [range(n) for n in levels[-1].shape[:2]]
    first = asked(out, levels, LEVELS - 1, [*whole, [position(LEVELS - 1, POINT)[2]]], zarr_format)
    assert facts["first_look"] == {**first, "kilobytes": first["bytes"] / 1000}
    assert (first["requests"], facts["level_0_alone"]["256"]["requests"]) == (1, 48)
    assert facts["most_requests"] == max(most for _, most in facts["spread"].values()) <= (SCREEN // CHUNK + 1) ** 2
    for wide, ends in facts["spread"].items():
        k, counts = facts["zooms"][wide]["level"], []
        for s in np.linspace(0, 1, facts["places_visited"]):
            place = [o + f * (n - 1) for o, n, f in zip(ORIGIN, SHAPE, (s, s**2, 1 - s), strict=True)]
            counts.append(math.prod(len({i // CHUNK for i in axis}) for axis in view(k, int(wide), place)))
        assert ends == [min(counts), max(counts)]


def test_between_two_levels_a_screen_asks_for_more(left):
    facts, most = left[1], 0
    for s in np.linspace(0, 1, facts["places_visited"]):
        place = [o + f * (n - 1) for o, n, f in zip(ORIGIN, SHAPE, (s, s**2, 1 - s), strict=True)]
        for wide in range(min(ZOOMS), max(ZOOMS) + 1):
            k = max(k for k in range(LEVELS) if wide // 2**k >= SCREEN or k == 0)
            shape, index, n = [m // 2**k for m in SHAPE], position(k, place), round(wide / 2**k)
            first = [max(0, min(i - n // 2, m - n)) for i, m in zip(index[:2], shape, strict=False)]
            ends = [min(f + n, m) for f, m in zip(first, shape, strict=False)]
            most = max(most, math.prod((e - 1) // CHUNK - f // CHUNK + 1 for f, e in zip(first, ends, strict=True)))
    voxels = range(2 * SCREEN - 1)
    bound = max(len({(start + i) // CHUNK for i in voxels}) for start in range(CHUNK)) ** 2
    assert facts["between_levels"] == {"most": most, "bound": bound} == {"most": 25, "bound": 25}


def test_a_slice_asks_for_its_empty_chunks_and_a_shard_does_not(left, levels):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    x = position(0, POINT)[2]
    box = [range(SHAPE[0]), range(SHAPE[1]), [x]]
    assert facts["slice"]["plain"] == asked(out, levels, 0, box, zarr_format)
    assert facts["found"] == facts["slice"]["plain"]["requests"] - facts["slice"]["plain"]["empty"]
    array = zarr.open_array(str(out / "sharded.zarr"), mode="r")
    assert (array.chunks, array.shards) == ((CHUNK,) * 3, (4 * CHUNK,) * 3)
    np.testing.assert_array_equal(array[...], levels[0])
    files = {
        tuple(map(int, f.relative_to(out / "sharded.zarr" / "c").parts)): f.read_bytes()
        for f in (out / "sharded.zarr" / "c").rglob("*")
        if f.is_file()
    }
    assert facts["slice"]["objects"] == [len(occupied(levels[0])), len(files)]
    present, least, nbytes = 0, 0, 0
    for (_, _, column), data in files.items():
        index = np.frombuffer(data[-16 * 64 - 4 : -4], "<u8").reshape(4, 4, 4, 2)
        present += int((index[..., 0] != 2**64 - 1).sum())
        if column == x // (4 * CHUNK):
            spans = index[:, :, x // CHUNK % 4].reshape(-1, 2)
            spans = spans[spans[:, 0] != 2**64 - 1]
            least, nbytes = least + 1 + (len(spans) > 0), nbytes + 16 * 64 + 4 + int(spans[:, 1].sum())
    assert present == len(occupied(levels[0]))
    shards = facts["slice"]["shards"]
    assert shards["empty"] == 0
    assert least <= shards["requests"] <= 4 + facts["found"] < facts["slice"]["plain"]["requests"]
    assert shards["bytes"] >= nbytes  # chunks that lie close together are fetched as one, with what is between them


def test_the_other_numbers_are_arithmetic(left):
    facts = left[1]
    huge = [1000 * n for n in SHAPE]
    assert facts["huge"]["shape"] == huge
    assert facts["huge"]["petabytes"] == pytest.approx(math.prod(huge) / 1e15)
    assert facts["huge"]["slice_requests"] == math.ceil(huge[0] / CHUNK) * math.ceil(huge[1] / CHUNK)
    needed = next(k for k in range(40) if max(huge) / 2**k <= CHUNK)
    assert facts["huge"]["levels"] == needed + 1
    assert [str(length) for length in facts["knob_lengths"]] == list(facts["knob"])
    for length, cost in facts["knob"].items():
        screen = range(facts["large_screen"])
        most = max(len({(start + i) // int(length) for i in screen}) for start in range(int(length)))
        assert cost["requests"] == most**2
        assert cost["megabytes"] == pytest.approx(most**2 * int(length) ** 3 / 1e6)
    for name, pair in facts["bounds"].items():
        for length, bound in zip((32, 64), pair, strict=True):
            most = [
                max(len({(a + i) // length for i in range(int(p))}) for a in range(length)) for p in name.split(" x ")
            ]
            assert bound == math.prod(most)
    slabs = [min(33, SHAPE[0] - start) // 2 for start in range(0, SHAPE[0], 33)]
    assert facts["torn"] == [33, sum(slabs), SHAPE[0] // 2]
    assert facts["sums"] == pytest.approx([sum(4.0**-k for k in range(60)), sum(8.0**-k for k in range(60))])


def test_the_facts_of_this_run_are_near_the_ones_beside_the_notebook(left, committed):
    """Another zlib may leave a few bytes more or less; what follows from the voxels alone is equal."""
    facts = left[1]

    def without_bytes(value):
        if not isinstance(value, dict):
            return value
        measured = {"bytes", "bytes_in_all", "bytes_per_voxel", "more_bytes_percent", "kilobytes", "figures", "slice"}
        return {name: without_bytes(inner) for name, inner in value.items() if name not in measured}

    assert set(facts) == set(committed)
    assert without_bytes(facts) == without_bytes(committed)
    assert facts["bytes"] == pytest.approx(committed["bytes"], rel=0.03)
