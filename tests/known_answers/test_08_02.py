"""08_02 again, from outside: objects and pieces by SciPy, sizes by numcodecs, requests counted on paper.

Nothing here imports this project's library.
"""

import itertools
import math

import numpy as np
import pytest

from data_gen import coins

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/08_bio/08_02_segmentation_masks.ipynb"
pytestmark = pytest.mark.gallery
ndimage = pytest.importorskip("scipy.ndimage")

EIGHT = np.ones((3, 3))
HEIGHT, WIDTH, CHUNK = 303, 384, 64


@pytest.fixture(scope="module")
def mask():
    return coins.make("small").arrays["grey"] > 107


@pytest.fixture(scope="module")
def objects(mask):
    return ndimage.label(mask, EIGHT)[0]


def first_places(labels):
    """Each label replaced by the place of its first pixel, counted from 1."""
    names, first = np.unique(labels, return_index=True)
    return np.where(names == 0, 0, first + 1)[np.searchsorted(names, labels)]


def in_pieces(mask, high, wide):
    """SciPy's labels of each chunk alone, named by places in the whole picture."""
    whole, count = np.zeros(mask.shape, "i8"), 0
    for i, j in itertools.product(range(0, HEIGHT, high), range(0, WIDTH, wide)):
        part, n = ndimage.label(mask[i : i + high, j : j + wide], EIGHT)
        whole[i : i + high, j : j + wide] = np.where(part, part + count, 0)
        count += n
    return whole, count


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_mask_and_the_pieces(left, mask, read):
    out, facts, zarr_format = left
    values, chunks, kept = read(out / "mask.zarr")
    assert (chunks, kept) == ((CHUNK, CHUNK), zarr_format)
    np.testing.assert_array_equal(values, mask)
    pieces, count = in_pieces(mask, CHUNK, CHUNK)
    np.testing.assert_array_equal(read(out / "labels.zarr")[0], first_places(pieces))
    assert facts["pieces"] == count


def test_the_stored_pieces_and_the_table_give_scipys_labels(left, objects):
    out, facts, _ = left
    pieces, numbers = zarr_python(out / "objects.zarr")
    known, number = np.append(0, pieces), np.append(0, numbers)
    stored = zarr_python(out / "labels.zarr")
    np.testing.assert_array_equal(number[np.searchsorted(known, stored)], objects)
    assert facts["objects"] == objects.max() == len(set(numbers.tolist()))
    assert facts["renamed"] == facts["pieces"] - facts["objects"]
    assert facts["table_bytes"] == 2 * 4 * facts["pieces"]


def test_the_pieces_of_every_cut(committed, mask):
    for length, count in committed["pieces_by_length"].items():
        assert in_pieces(mask, int(length), int(length))[1] == count
    assert committed["pieces_by_row"] == in_pieces(mask, 1, WIDTH)[1]
    assert committed["bright"] == mask.sum()
    assert committed["threshold"] == coins.THRESHOLD
    assert committed["shape"] == [HEIGHT, WIDTH]


def test_the_pairs_that_meet_across_borders(committed, mask):
    pieces, _ = in_pieces(mask, CHUNK, CHUNK)
    met = set()
    for y, x in zip(*np.nonzero(pieces), strict=True):
        for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
            if 0 <= y + dy < HEIGHT and 0 <= x + dx < WIDTH and pieces[y + dy, x + dx] not in (0, pieces[y, x]):
                met.add(frozenset((pieces[y, x], pieces[y + dy, x + dx])))
    assert committed["pairs"] == len(met)


def test_the_threshold_is_otsus():
    grey = coins.make("small").arrays["grey"].ravel().astype("f8")
    between = []
    for t in range(1, 255):
        low, high = grey[grey <= t], grey[grey > t]
        between.append(low.size * high.size * (low.mean() - high.mean()) ** 2 if low.size and high.size else 0)
    assert 1 + int(np.argmax(between)) == coins.THRESHOLD


def chunks_of(y0, y1, x0, x1):
    return set(itertools.product(range(y0 // CHUNK, (y1 - 1) // CHUNK + 1), range(x0 // CHUNK, (x1 - 1) // CHUNK + 1)))


def test_requests_counted_on_paper(committed):
    down, across = math.ceil(HEIGHT / CHUNK), math.ceil(WIDTH / CHUNK)
    assert committed["chunks"] == down * across == 30
    assert committed["border_reads"] == (down - 1) * 2 * across + (across - 1) * 2 * down
    share = ((down - 1) * 2 * WIDTH + (across - 1) * 2 * HEIGHT) / (HEIGHT * WIDTH)
    assert committed["border_share"] == pytest.approx(share, abs=1e-6)
    held, cached, plain = set(), [], []
    for at in range(0, WIDTH - 127, 16):
        needed = chunks_of(96, 224, at, at + 128)
        plain.append(len(needed))
        cached.append(len(needed - held))
        held |= needed
    assert committed["walked"] == {"no cache": plain, "cache": cached}
    assert committed["together"] == {"no cache": sum(plain), "cache": sum(cached)}
    assert committed["steps"] == len(plain)


def test_sizes_by_numcodecs(committed, mask, objects):
    from numcodecs import BZ2, Blosc, GZip, Zstd

    codecs = {
        "zstd": Zstd(3),
        "byte shuffle, zstd": Blosc("zstd", 3, 1),
        "bit shuffle, zstd": Blosc("zstd", 3, 2),
        "gzip": GZip(5),
        "bzip2": BZ2(9),
    }
    for name, values in (("1 to 96", objects), ("places", first_places(objects))):
        for codec, size in committed["sizes"][name].items():
            assert size == len(codecs[codec].encode(np.ascontiguousarray(values, "i4")))
    # What others measured on scikit-image's labels of the same mask.
    assert committed["sizes"]["1 to 96"] == {
        "zstd": 8188,
        "byte shuffle, zstd": 5950,
        "bit shuffle, zstd": 7704,
        "gzip": 8550,
        "bzip2": 5260,
    }
    packed = np.packbits(mask)
    assert committed["packed_bytes"] == packed.nbytes
    assert committed["mask_bytes"] == len(Zstd(3).encode(packed))
    assert committed["label_bytes"] == 4 * mask.size


def test_the_mean_of_labels_invents_objects(committed, objects):
    edge = invented = 0
    for y, x in itertools.product(range(0, HEIGHT - 1, 2), range(0, WIDTH - 1, 2)):
        four = objects[y : y + 2, x : x + 2].ravel().tolist()
        edge += len(set(four)) > 1
        invented += math.floor(sum(four) / 4 + 0.5) not in four
    assert (committed["on_edge"], committed["invented"]) == (edge, invented)
    assert committed["left_of_one_of_four"] == len(np.unique(objects[: HEIGHT - 1 : 2, ::2])) - 1
    assert committed["at_least_200_pixels"] == (np.bincount(objects.ravel())[1:] >= 200).sum()
    assert committed["percent"]["invented"] == round(100 * invented / edge)
    assert committed["percent"]["border"] == round(100 * committed["border_share"], 1)
