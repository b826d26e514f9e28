"""04_02 again, from outside: rows read by others, chunks by sets, Yao's formula by SciPy, and caches by functools.

The candidates are sorted by pandas, the walk is taken again in plain Python, and the cache is the LRU cache of Python's
standard library. Nothing here imports this project's library; the data come from its generator of data.
"""

import functools
import hashlib

import numpy as np
import pytest

from data_gen import passages

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_02_rag_dataset_cache.ipynb"
pytestmark = pytest.mark.gallery

BOOK = passages.make()
ROWS, ASKED = BOOK.arrays["vectors"], BOOK.arrays["query_vectors"]
N, K, SIZE, M = 703, 64, 8, 88


@functools.cache
def candidates():
    """By question: the passages that the rough search chooses, the best first."""
    pd = pytest.importorskip("pandas")
    weak, asked = (BOOK.arrays[name].astype("f8") for name in ("weak_vectors", "weak_query_vectors"))
    scores = pd.DataFrame(np.einsum("pf,qf->pq", weak, asked).round(9))
    return [scores[q].sort_values(ascending=False, kind="stable").index[:K].tolist() for q in scores]


@functools.cache
def orders():
    weak = BOOK.arrays["weak_vectors"].astype("f8")
    similar = np.einsum("if,jf->ij", weak, weak).round(9).tolist()
    way, left = [0], set(range(1, N))
    while left:
        way.append(min(left, key=lambda passage: (-similar[way[-1]][passage], passage)))
        left.remove(way[-1])
    bits = np.random.PCG64(0).random_raw(N).tolist()
    return {"shuffled": sorted(range(N), key=bits.__getitem__), "by topic": list(range(N)), "by similarity": way}


@functools.cache
def chunks(name):
    """By question: the chunks that its candidates lie in, from front to back."""
    row = {passage: i for i, passage in enumerate(orders()[name])}
    return [sorted({row[passage] // SIZE for passage in each}) for each in candidates()]


@pytest.mark.parametrize("name", ["shuffled", "by topic", "by similarity"])
def test_other_readers_find_the_passages_in_their_order(left, name):
    out, _, zarr_format = left
    folder, order = out / f"{name.replace(' ', '_')}.zarr", orders()[name]
    for read in (zarr_python_in_full, tensorstore_in_full):
        vectors, shape, kept = read(folder, "vectors")
        np.testing.assert_array_equal(vectors, ROWS[order])
        assert (tuple(shape), kept) == ((SIZE, 384), zarr_format)
    assert zarr_python(folder, "passage").tolist() == order
    assert list(zarr_python(folder, "text")) == [passages.text_of(BOOK, i) for i in order]


def test_other_readers_find_the_tokens_in_both_layouts(left):
    folder = left[0] / "by_similarity.zarr"
    padded, line = zarr_python(folder, "tokens"), zarr_python(folder, "line")
    edges = BOOK.arrays["token_offsets"]
    each = [BOOK.arrays["tokens"][edges[i] : edges[i + 1]].tolist() for i in orders()["by similarity"]]
    assert line.tolist() == [token for tokens in each for token in tokens]
    for row, tokens in zip(padded.tolist(), each, strict=True):
        assert row == tokens + [0] * (256 - len(tokens))
    assert left[1]["padding_percent"] == pytest.approx(100 * (1 - len(line) / padded.size))


def test_chunks_touched_are_what_sets_say(committed):
    pd = pytest.importorskip("pandas")
    for name in orders():
        counts = pd.Series([len(each) for each in chunks(name)])
        assert committed["mean_chunks"][name] == pytest.approx(counts.mean())
        assert committed["p95_chunks"][name] == pytest.approx(counts.quantile(0.95))
        assert committed["example"]["touched"][name] == counts[committed["example"]["question"]]
    assert committed["mean_chunks"]["by similarity"] < committed["mean_chunks"]["by topic"] < 35 < 46


def test_yaos_formula_is_the_hypergeometric_distributions_and_holds(committed):
    stats = pytest.importorskip("scipy.stats")
    assert [str(count) for count in committed["counts"]] == list(committed["yao"])
    for count, found in committed["yao"].items():
        drawn = int(count)
        full = 1 - stats.hypergeom(N, SIZE, drawn).pmf(0)
        last = 1 - stats.hypergeom(N, N % SIZE, drawn).pmf(0)
        assert found == pytest.approx((M - 1) * full + last)
        assert committed["cardenas"][count] == pytest.approx(M * -np.expm1(drawn * np.log1p(-1 / M)))
        assert committed["cardenas"][count] < found
        assert committed["measured"][count] == pytest.approx(found, abs=1.5)


def test_requests_of_one_question(committed):
    q, of_chunk = committed["example"]["question"], SIZE * 384 * 4
    many = len(chunks("shuffled")[q])
    expected = {"row by row": K, "fetch, above": many, "array.oindex[ids]": many, "all rows": M}
    assert committed["spent"] == {
        way: {"requests": count, "bytes": count * of_chunk} for way, count in expected.items()
    }


def test_the_re_ranked_order_is_that_of_brute_force_and_its_texts_are_the_manuals(left):
    facts, digest, found, rough, best_of_all = left[1], hashlib.sha256(), 0, 0, 0
    labels, answers = BOOK.arrays["labels"], BOOK.arrays["answers"]
    for q, each in enumerate(candidates()):
        scores = np.einsum("pf,f->p", ROWS.astype("f8"), ASKED[q].astype("f8")).round(9)
        five = sorted(each, key=lambda passage: -scores[passage])[:5]
        digest.update("\n".join(passages.text_of(BOOK, i) for i in five).encode())
        found += labels[five, answers[q]].any()
        rough += labels[each[:5], answers[q]].any()
        best_of_all += labels[np.lexsort((np.arange(N), -scores))[:5], answers[q]].any()
    assert facts["texts_sha256"] == digest.hexdigest()
    counts = {"rough": rough, "re-ranked": found, "all rows": best_of_all}
    assert facts["hit_at_5"] == {name: pytest.approx(count / 93) for name, count in counts.items()}


def test_the_caches_of_the_standard_library_hit_as_often(committed):
    for name, hits in committed["hits"].items():
        order, turn = name.split(", ")
        read = [each[::-1] if "backwards" in turn and q % 2 else each for q, each in enumerate(chunks(order))]
        assert committed["reads"][name] == sum(map(len, read))
        for size, expected in hits.items():
            cached = functools.lru_cache(maxsize=int(size))(lambda chunk: chunk)
            for each in read:
                for chunk in each:
                    cached(chunk)
            assert cached.cache_info().hits == expected, (name, size)
            assert committed["requests_left"][name][size] == cached.cache_info().misses
    assert committed["hits"]["shuffled, front to back"]["33"] == 0
    percent = {name: hits["55"] / committed["reads"][name] for name, hits in committed["hits"].items()}
    assert percent["shuffled, every second one backwards"] < percent["shuffled, front to back"]  # a loss, here
    assert committed["example_of_three"] == 6


def test_requests_for_tokens(committed):
    edges, order = BOOK.arrays["token_offsets"], orders()["by similarity"]
    lengths = np.diff(edges)[order]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    size = -(-int(starts[-1]) // M)
    row = {passage: i for i, passage in enumerate(order)}
    assert committed["longest"] == max(lengths) == 256
    counts = []
    for each in candidates():
        touched = {t // size for p in each for t in range(int(starts[row[p]]), int(starts[row[p] + 1]))}
        counts.append(len(touched))
    assert committed["requests_for_tokens"]["line"] == pytest.approx(np.mean(counts))
    assert committed["requests_for_tokens"]["tokens"] == pytest.approx(committed["mean_chunks"]["by similarity"])
