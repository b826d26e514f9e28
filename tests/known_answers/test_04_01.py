"""04_01 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

Rankings are those of one matrix product in float64, whose closest two scores are far apart; shares are counted by
sets; requests come from enumeration and bytes from the files. Nothing here imports this project's library.
"""

import math
import re
import zlib

import numpy as np
import pytest

from data_gen import passages, vectors

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_01_embeddings_in_zarr.ipynb"
pytestmark = pytest.mark.gallery

FEATURES = 384
BOOK = passages.make()
ROWS, ASKED = (BOOK.arrays[name].astype("float64") for name in ("vectors", "query_vectors"))
LABELS, ANSWERS, OCCURRENCES = (BOOK.arrays[name] for name in ("labels", "answers", "occurrences"))


def ten_best(scores):
    """For each question the ten best rows: sorted tuples of Python."""
    return [[i for _, i in sorted((-value, i) for i, value in enumerate(column))[:10]] for column in scores.T.tolist()]


def shares(scores):
    """hit@1, @5 and @10."""
    topics = [set(np.flatnonzero(row)) for row in LABELS]
    found = ten_best(scores)
    return {
        str(n): sum(any(answer in topics[i] for i in best[:n]) for best, answer in zip(found, ANSWERS, strict=True))
        / len(ANSWERS)
        for n in (1, 5, 10)
    }


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_see_the_vectors_the_labels_and_the_rows_that_were_found(left, read):
    out, facts, zarr_format = left
    expected = {
        "vectors": (BOOK.arrays["vectors"], (64, FEATURES)),
        "labels": (LABELS, (64, LABELS.shape[1])),
        "found": (np.array(ten_best(ROWS @ ASKED.T)), (len(ASKED), 10)),
    }
    for name, (values, chunks) in expected.items():
        found, of, kept = read(out / f"{name}.zarr")
        np.testing.assert_array_equal(found, values)
        assert (of, kept) == (chunks, zarr_format)
    assert facts["runs"][0] == facts["runs"][1] == 12


def test_no_two_scores_at_the_border_are_so_close_that_another_sum_could_exchange_them():
    ordered = np.sort(ROWS @ ASKED.T, axis=0)[::-1][:11]
    assert np.diff(-ordered, axis=0).min() > 1e-9  # float64 sums of 384 products differ by some 1e-16


def test_an_exact_index_of_faiss_finds_the_same_rows(left):
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatIP(FEATURES)
    index.add(BOOK.arrays["vectors"])
    _, ids = index.search(BOOK.arrays["query_vectors"], 10)
    np.testing.assert_array_equal(ids, zarr_python(left[0] / "found.zarr"))


def test_the_shares_of_questions_are_counted_right(left):
    hit = left[1]["hit"]
    assert hit["MiniLM"] == shares(ROWS @ ASKED.T)
    weak = (BOOK.arrays[f"weak_{name}vectors"].astype("float64") for name in ("", "query_"))
    assert hit["WordLlama"] == shares(np.matmul(next(weak), next(weak).T))

    def bag(text):
        found = [0] * FEATURES
        for word in re.findall(r"\w+", text.lower()):
            checksum = zlib.crc32(word.encode())
            found[checksum % FEATURES] += -1 if checksum >= 2**31 else 1
        return np.array(found) / (math.hypot(*found) or 1)

    texts = [passages.text_of(BOOK, i) for i in range(len(ROWS))]
    rows, asked = (np.stack([bag(text) for text in each]) for each in (texts, BOOK.truth["queries"]))
    # Counts of words tie often, and in the last bit not always: rounding makes equals equal again.
    order = shares((rows @ asked.T).round(12))
    assert hit["hashed words"] == pytest.approx(order, abs=2.5 / len(ANSWERS))
    for name, found in left[1]["found"].items():
        assert {n: count / len(ANSWERS) for n, count in found.items()} == hit[name]
    assert left[1]["chance"] == pytest.approx(np.mean([LABELS[:, a].mean() for a in ANSWERS]), abs=1e-6)


def test_recall_is_counted_right_and_sizes_are_those_of_the_types(left):
    facts, exact = left[1], [set(best) for best in ten_best(ROWS @ ASKED.T)]
    peak = np.abs(ROWS).max()
    forms = {
        "float32": ROWS,
        "float16": ROWS.astype("float16").astype("float64"),
        "int8": np.rint(BOOK.arrays["vectors"] * (127 / peak)).astype("int8").astype("float64"),
        "one bit": np.where(ROWS >= 0, 1.0, -1.0),
    }
    for name, form in forms.items():
        found = ten_best(form @ ASKED.T)
        kept = sum(len(best & set(other)) for best, other in zip(exact, found, strict=True)) / (10 * len(exact))
        assert facts["recall"][name] == kept
        assert facts["hit_at_5"][name] == shares(form @ ASKED.T)["5"]
    kinds = {"float32": "f4", "float16": "f2", "int8": "i1"}
    widths = {name: len(np.zeros(FEATURES, kind).tobytes()) for name, kind in kinds.items()}
    assert facts["bytes_of_a_vector"] == {**widths, "one bit": len(np.packbits(ROWS[0] >= 0))}
    assert facts["rows_in_a_second"] == {name: 10**9 // size for name, size in facts["bytes_of_a_vector"].items()}


def test_requests_are_chunks_and_bytes_are_those_of_the_files(left):
    out, facts, _ = left
    files = [path for path in (out / "mixture.zarr").rglob("*") if path.is_file()]
    chunks = [path for path in files if path.name not in {".zarray", ".zattrs", "zarr.json"}]
    last = facts["counted"][-1]
    assert (last["requests"], last["nbytes"]) == (len(chunks), sum(path.stat().st_size for path in chunks))
    for entry in [*facts["counted"], *facts["computed"]]:
        assert entry["requests"] == math.ceil(entry["rows"] / 512)
        assert entry["nbytes"] == entry["requests"] * 512 * FEATURES * 4
        if str(entry["rows"]) in facts["megabytes"]:
            assert facts["megabytes"][str(entry["rows"])] == entry["nbytes"] / 1e6
            assert facts["gigabytes"][str(entry["rows"])] == entry["nbytes"] / 1e9
    bucket = facts["from_a_bucket"]
    for rows, seconds in bucket["seconds"].items():
        chunks = math.ceil(int(rows) / 512)
        waiting = chunks / bucket["in_flight"] * bucket["waits_ms"] / 1000
        moving = chunks * 512 * FEATURES * 4 / (bucket["mb_per_s"] * 1e6)
        assert seconds == pytest.approx(waiting + moving)
    share = facts["hit_at_5"]["float32"]
    assert facts["noise_points"] == round(196 * math.sqrt(share * (1 - share) / len(ASKED)))
    assert facts["found_at_5"] == {name: round(share * len(ASKED)) for name, share in facts["hit_at_5"].items()}
    assert facts["held_megabytes"] == (4 * 512 + 10) * FEATURES * 4 / 1e6
    assert [entry["rows"] for entry in facts["computed"]] == [10**power for power in range(3, 9)]


def test_all_questions_share_one_pass(left):
    chunks = math.ceil(len(ROWS) / 64)
    for count, found in left[1]["passes"].items():
        assert found == {"requests": chunks, "bytes_each": chunks * 64 * FEATURES * 4 / int(count)}
    assert set(left[1]["passes"]) == {"1", str(len(ASKED))}


def test_the_generated_vectors_in_the_store_are_the_generator_s_and_spread_like_the_real_ones(left):
    found = zarr_python(left[0] / "mixture.zarr")
    np.testing.assert_array_equal(found, np.concatenate(list(vectors.blocks(10_000, 0))))
    for facts, rows in (("realism", ROWS), ("shape_of_generated", found[:2000].astype("float64"))):
        cosines = rows @ rows.T
        pairs = cosines[np.triu_indices(len(rows), 1)]
        np.fill_diagonal(cosines, -1)
        assert left[1][facts]["mean cosine of two vectors"] == pytest.approx(pairs.mean(), abs=6e-5)
        nearest = float(np.median(cosines.max(1)))
        assert left[1][facts]["median cosine of nearest neighbours"] == pytest.approx(nearest, abs=6e-5)


def float32_sum(left, right, features):
    """Products of all rows with all questions, added up in float32 in the order of `features`."""
    total = np.zeros((len(left), len(right)), "float32")
    for feature in features:
        total = total + np.multiply.outer(left[:, feature], right[:, feature])
    return total


def test_float32_in_lanes_ranks_copies_by_where_they_lie(left):
    rows, asked = BOOK.arrays["vectors"][OCCURRENCES], BOOK.arrays["query_vectors"]
    by_lanes = [float32_sum(rows, asked, range(lane, FEATURES, 8)) for lane in range(8)]
    lanes = by_lanes[0]
    for lane in by_lanes[1:]:
        lanes = lanes + lane
    single = float32_sum(rows, asked, range(FEATURES))

    def product(length):
        place = np.arange(len(rows)) % length
        of_block = np.minimum(length, len(rows) - (np.arange(len(rows)) - place))  # the last block is shorter
        return np.where((place < of_block // 16 * 16)[:, None], lanes, single)

    one, two = (np.array(ten_best(product(length))) for length in (len(rows), 100))
    assert left[1]["moved"] == {"float32 in lanes": int((one != two).any(1).sum()), "float64 in order": 0}
    assert (left[1]["with_copies"], left[1]["copies"]) == (len(rows), len(rows) - len(ROWS))
    texts = [[OCCURRENCES[ranking].tolist() for ranking in found] for found in (one, two)]
    assert (
        left[1]["texts"]["moved"] == sum(a != b for a, b in zip(*texts, strict=True)) == 0
    )  # only copies change places


def test_a_merge_by_score_alone_takes_copies_in_the_order_of_arrival(left):
    scores = ROWS @ ASKED.T
    first, last = [], []
    for column in scores.T.tolist():
        keys = [(-column[i], place // 100, place) for place, i in enumerate(OCCURRENCES.tolist())]
        first.append([place for *_, place in sorted(keys)[:10]])
        last.append([place for *_, place in sorted((value, -chunk, place) for value, chunk, place in keys)[:10]])
    assert left[1]["tied"] == sum(one != two for one, two in zip(first, last, strict=True))
    texts = [[OCCURRENCES[ranking].tolist() for ranking in found] for found in (first, last)]
    assert left[1]["texts"]["tied"] == sum(a != b for a, b in zip(*texts, strict=True)) == 0


def test_long_vectors_and_three_of_each_chunk_find_less(left):
    facts = left[1]
    long = ROWS * np.diff(BOOK.arrays["token_offsets"])[:, None]
    assert facts["long"] == shares(long @ ASKED.T)
    assert facts["long"]["5"] < facts["hit"]["MiniLM"]["5"]
    chunks = [[i // 64 for i in best] for best in ten_best(ROWS @ ASKED.T)]
    assert facts["three_each"] == sum(all(best.count(c) <= 3 for c in best) for best in chunks)
    assert facts["candidates"] == sum(min(10, len(ROWS) - start) for start in range(0, len(ROWS), 64))


def test_the_example_is_a_question_of_the_manual(left):
    example = left[1]["example"]
    number = BOOK.truth["queries"].index(example["question"])
    assert example["topic"] == BOOK.truth["topics"][ANSWERS[number]]
    column = ROWS @ ASKED[number]
    assert example["scores"] == pytest.approx(sorted(column.tolist(), reverse=True)[:10], abs=1e-6)
    assert example["chunks"] == sorted({i // 64 for i in np.argsort(-column)[:10].tolist()})


def test_the_facts_of_this_run_are_those_beside_the_notebook(left, committed):
    drawn = {"figures"}
    assert {k: v for k, v in left[1].items() if k not in drawn} == {
        k: v for k, v in committed.items() if k not in drawn
    }
