"""04_06 again, from outside: codes by SciPy's vq, recall by NumPy, k-means by SciPy, distances by faiss.

Nothing here imports this project's library.
"""

import hashlib
from functools import cache

import numpy as np
import pytest

from data_gen import passages

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_06_product_quantization.ipynb"
pytestmark = pytest.mark.gallery

ROWS, QUESTIONS, FEATURES = 703, 93, 384


@cache
def book():
    arrays = passages.make().arrays
    return arrays["vectors"].astype("f8"), arrays["query_vectors"].astype("f8")


def tens(scores):
    return [set(np.argsort(-line, kind="stable")[:10]) for line in scores]


def recall(found, wanted):
    return np.mean([len(one & other) / 10 for one, other in zip(found, wanted, strict=True)])


def decoded(codes, books):
    return books[np.arange(len(books)), codes].reshape(len(codes), -1).astype("f8")


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_the_codes_in_the_store_are_scipys(left, read):
    vq = pytest.importorskip("scipy.cluster.vq")
    out, facts, zarr_format = left
    read_all = {name: read(out / "manual.zarr", name) for name in ("codes", "codebooks", "vectors", "passage")}
    assert {kept for _, _, kept in read_all.values()} == {zarr_format}
    codes, books, vectors, passage = (values for values, _, _ in read_all.values())
    assert (codes.shape, codes.dtype, read_all["codes"][1]) == ((ROWS, 48), np.dtype("u1"), (64, 48))
    assert (books.shape, vectors.shape, read_all["vectors"][1]) == ((48, 256, 8), (ROWS, FEATURES), (64, FEATURES))
    assert sorted(passage.tolist()) == list(range(ROWS))
    whole, asked = book()
    np.testing.assert_allclose(vectors, whole[passage], rtol=0, atol=2**-20)
    for piece in range(48):
        part = vectors[:, piece * 8 : piece * 8 + 8].astype("f8")
        found, distance = vq.vq(part, books[piece].astype("f8"), check_finite=False)
        differ = found != codes[:, piece]  # none, but for rows that lie between two centroids
        own = np.linalg.norm(part - books[piece][codes[:, piece]], axis=1)
        np.testing.assert_allclose(own[differ], distance[differ], rtol=1e-12)
    coded = asked @ decoded(codes, books).T  # decoded in full, no tables
    exact = tens(asked @ whole[passage].T)
    assert facts["recall_of_the_store"]["10"] == pytest.approx(recall(tens(coded), exact), abs=0.0011)
    for count, share in facts["recall_of_the_store"].items():
        some = [set(np.argsort(-line, kind="stable")[: int(count)]) for line in coded]
        assert share == pytest.approx(recall(some, exact), abs=0.0011)
    # the first half has trained them: the recall of each half alone is in the facts, averaged over two turns
    first, later = slice(0, 351), slice(351, ROWS)
    exactly = [
        (
            decoded(codes[half], books).reshape(-1, 48, 8)
            == np.rint(whole[passage[half]] * 2**20).reshape(-1, 48, 8) / 2**20
        )
        .all(2)
        .mean()
        for half in (first, later)
    ]
    assert [facts["pieces_given_exactly"][name] for name in ("seen", "new")] == pytest.approx(exactly, abs=1e-9)
    alone = [recall(tens(coded[:, half]), tens(asked @ whole[passage[half]].T)) for half in (first, later)]
    assert alone[0] == pytest.approx(facts["recall_by_bytes"]["48"]["seen"], abs=0.02)
    assert alone[1] == pytest.approx(facts["recall_by_bytes"]["48"]["new"], abs=0.02)


def test_scipys_k_means_shows_the_same_gap(committed):
    vq = pytest.importorskip("scipy.cluster.vq")
    whole, asked = book()
    mixed = np.argsort(np.random.PCG64(0).random_raw(ROWS), kind="stable")
    seen, new = np.sort(mixed[:351]), np.sort(mixed[351:])
    assert [len(seen), len(new)] == committed["halves"]
    for pieces, k in ((12, 256), (48, 64), (48, 256)):
        rng, codes, books = np.random.default_rng(1), [], []
        for part in np.split(whole, pieces, axis=1):
            start = part[rng.choice(seen, k, replace=False)]
            centroids, _ = vq.kmeans2(part[seen], start, iter=8, minit="matrix", missing="warn")
            books.append(centroids)
            codes.append(vq.vq(part, centroids)[0])
        coded = asked @ decoded(np.stack(codes, 1), np.stack(books)).T
        table = committed["recall_by_bytes"][str(pieces)] if k == 256 else committed["recall_by_centroids"][str(k)]
        for name, half in (("seen", seen), ("new", new)):
            share = recall(tens(coded[:, half]), tens(asked @ whole[half].T))
            assert table[name] == pytest.approx(share, abs=0.04), (pieces, k, name)


def test_what_needs_no_training_and_what_is_arithmetic(committed):
    whole, asked = book()
    mixed = np.argsort(np.random.PCG64(0).random_raw(ROWS), kind="stable")
    halves = mixed[:351], mixed[351:]
    forms = {"one bit": np.sign(whole), "int8": np.rint(whole * (127 / np.abs(whole).max()))}
    for name, form in forms.items():
        shares = [recall(tens(asked @ form[half].T), tens(asked @ whole[half].T)) for half in halves]
        assert committed["untrained"][name] == pytest.approx(np.mean(shares), abs=0.003)
    spent = committed["spent"]
    assert spent["codebooks"] == {"requests": 1, "bytes": 256 * FEATURES * 4}
    assert spent["all codes"] == {"requests": 11, "bytes": 11 * 64 * 48}
    assert spent["all vectors"] == {"requests": 11, "bytes": 11 * 64 * FEATURES * 4}
    assert spent["50 vectors"]["requests"] <= 11
    assert spent["50 vectors"]["bytes"] == spent["50 vectors"]["requests"] * 64 * FEATURES * 4
    for entry in committed["scale"]:
        assert entry["bytes_each"] == round(48 + 256 * FEATURES * 4 / entry["rows"], 1)
        for length in (16, 512):
            m = -(-entry["rows"] // length)
            touched = 1 - (1 - 1 / m) ** 50
            assert entry[f"look_{length}_mb"] == pytest.approx(m * touched * length * FEATURES * 4 / 1e6, abs=0.006)
    gaps = [found["seen"] - found["new"] for found in committed["recall_by_rows"].values()]
    assert gaps == sorted(gaps, reverse=True)


def test_faiss_finds_the_same_scores_from_the_same_codebooks(left):
    faiss = pytest.importorskip("faiss")
    out, _, _ = left
    names = ("codes", "codebooks", "vectors")
    codes, books, vectors = (zarr_python_in_full(out / "manual.zarr", name)[0] for name in names)
    index = faiss.IndexPQ(FEATURES, 48, 8, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(books.astype("f4").ravel(), index.pq.centroids)
    index.is_trained = True
    faiss.copy_array_to_vector(codes.ravel(), index.codes)
    index.ntotal = len(codes)
    assert (index.pq.compute_codes(vectors) == codes).mean() > 0.999
    asked = book()[1].astype("f4")
    scores, found = index.search(asked, 10)
    table = asked.astype("f8") @ decoded(codes, books).T
    np.testing.assert_allclose(scores, np.take_along_axis(table, found, 1), rtol=0, atol=1e-5)
    np.testing.assert_allclose(scores, -np.sort(-table, axis=1)[:, :10], rtol=0, atol=1e-5)


def test_one_question_more_changes_faiss_distances(committed):
    faiss = pytest.importorskip("faiss", "1.15.1")
    rows = book()[0].astype("f4")
    index = faiss.IndexFlatL2(FEATURES)
    index.add(rows)
    fewer, more = committed["asked_at_once"]
    assert faiss.cvar.distance_compute_blas_threshold == committed["numbers_at_once"]
    assert fewer * FEATURES <= committed["numbers_at_once"] < more * FEATURES
    assert (index.search(rows[:fewer], 1)[0] == 0).all()
    assert 0.05 < (index.search(rows[:more], 1)[0] != 0).mean() < 0.95


def test_the_two_formulas_in_float32(committed):
    rows = book()[0].astype("f4")
    in_order = np.cumsum(rows * rows, axis=1, dtype="f4")[:, -1]
    lanes = [np.cumsum(rows[:, k::8] * rows[:, k::8], axis=1, dtype="f4")[:, -1] for k in range(8)]
    total = np.zeros(ROWS, "f4")
    for lane in lanes:
        total = total + lane
    zero = (in_order + in_order - 2 * total == 0).mean()
    assert committed["at_distance_zero_of_itself"] == {
        "squared differences": 1.0,
        "the short formula": pytest.approx(float(zero), abs=1e-9),
    }


def test_both_formats_hold_the_same_codes(left):
    out, facts, _ = left
    codes = zarr_python_in_full(out / "manual.zarr", "codes")[0]
    assert codes[0, :8].tolist() == facts["first_codes"]
    digest = hashlib.sha256(np.ascontiguousarray(codes).tobytes()).hexdigest()
    assert digest.startswith("555e69e7bcc8")  # exact arithmetic: the same on every machine
