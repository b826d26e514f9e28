# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Search vectors by reading all of them, exactly
#
# **Question.** Do I need a vector database for a hundred thousand vectors?
#
# ![The scores of all passages for one question, cut into chunks; the ten best are marked, they lie in a few of the
# chunks.](../../articles/figures/04_01_scan.svg)
#
# *One question, all passages. Each chunk hands in its ten best; the ten best of those are the ten best of all.*
#
# A text becomes a vector (an **[embedding](https://en.wikipedia.org/wiki/Word_embedding "A vector that a model makes of
# a text or an image, so that similar ones lie close together.")**), and texts with similar meaning end up close
# together, so the answer is the row whose **[dot product](https://en.wikipedia.org/wiki/Dot_product "The sum of the
# products of two vectors, feature by feature; of vectors of length one it is the cosine of their angle.")** with the
# question is largest. That is one pass over a matrix. Before you run a server and keep an approximate index up to date,
# work out what the pass costs.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 45 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/resizing` |
# | **Article** | [Read all of it](../../articles/11_embeddings_in_zarr.md) |
# | **Data** | Python's manual as vectors (`data_gen/passages.py`), and a mixture (`data_gen/vectors.py`) |
#
# **You will be able to**
#
# - find the ten nearest rows without holding the matrix, the same ten for any chunks and any number of workers
# - tell by questions with known answers which vectors are worth searching
# - halve and quarter the bytes, and measure what that loses
# - say what a query costs in requests and bytes, from a thousand rows to a hundred million
# - notice a ranking that depends on how the data are cut
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `k` is how many neighbours are asked for, `chunk_rows` how many vectors are in a chunk, `question` the one in the
# first figure.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: grow to 100,000 vectors instead of 10,000
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
k = 10
chunk_rows = 64
question = 22

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import heapq
import itertools
import re
import zlib
from functools import reduce

import numpy as np

import tutorial_zarr as zarr
from data_gen import passages, vectors
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, print_timings, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, prefixed

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(k=(k, 1, 100), chunk_rows=(chunk_rows, 1, 703), question=(question, 0, 92))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A manual whose questions have known answers
#
# What `help()` knows about Python, cut into passages, and a question for each name in its index: which topic answers
# it is known. all-MiniLM-L6-v2, a small language model, made a vector of each passage and each question. Do they look
# like vectors of text?

# %%
book = passages.make()
rows, asked = book.arrays["vectors"], book.arrays["query_vectors"]
labels, answers, occurrences = (book.arrays[name] for name in ("labels", "answers", "occurrences"))
queries, topics = book.truth["queries"], book.truth["topics"]
texts = [passages.text_of(book, i) for i in range(len(rows))]
print(*(f"{key}: {value}" for key, value in book.provenance.items()), sep="\n")
print(f"{len(rows)} passages x {rows.shape[1]} {rows.dtype}, {len(queries)} questions, {len(topics)} topics")

# %%
realism = passages.realism(book)
for fact, (value, low, high) in realism.items():
    assert low <= value <= high
    print(f"{fact:46}{value:6.2f}   expected {low:.2f} to {high:.2f}")
print(f"\nquestion {question}: {queries[question]!r}, answered by the topic {topics[answers[question]]!r}")

# %% [markdown] tags=["section-idea"]
# ## The ten best of all are among the ten best of their chunks
#
# All vectors have length one, so a dot product is a cosine. Score every row, keep the ten best: the **[exact nearest
# neighbours](https://en.wikipedia.org/wiki/Nearest_neighbor_search "The rows closest to a question, found by comparing
# it with every row; an approximate index compares fewer and may miss some.")**. A row that is among the ten best of all
# is among the ten best of its chunk, so no more than ten rows of a chunk ever have to be remembered.

# %%
line = rows.astype("float64") @ asked[question].astype("float64")
ids, of_chunks = np.arange(len(rows)), []
for first in range(0, len(rows), chunk_rows):
    part = ids[first : first + chunk_rows]
    of_chunks.append(part[np.argsort(-line[part], kind="stable")[:k]])
handed = np.concatenate(of_chunks)  # what the chunks hand in
winners = np.argsort(-line, kind="stable")[:k]
assert set(winners) <= set(handed)
home = sorted({int(i) // chunk_rows for i in winners})

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.6, 3.6)
panel.vlines(ids[::chunk_rows] - 0.5, -1, 1, color=GREY, linewidth=0.5, alpha=0.5)
panel.scatter(ids, line, s=5, color=GREY, alpha=0.6, linewidth=0)
panel.scatter(handed, line[handed], s=14, color=SKY, label=f"the {k} best of a chunk")
panel.scatter(winners, line[winners], s=34, color=VERMILION, label=f"the {k} best of all")
panel.set(xlabel="passage", ylabel="cosine", xlim=(-5, len(rows) + 5), ylim=(line.min() - 0.03, line.max() + 0.14))
panel.set_title(f"{queries[question]} {len(of_chunks)} chunks, {len(handed)} candidates")
panel.legend(loc="upper right", ncols=2)
described = (
    f"The cosine of {len(rows)} passages with one question. The {k} best lie between {line[winners[-1]]:.2f} and "
)
described += f"{line[winners[0]]:.2f}, in {len(home)} of {len(of_chunks)} chunks."
scan = viz.Chart.of(figure, "One question, all passages", described)
scan.save(out / "figures" / "04_01_scan.svg")
scan

# %% [markdown]
# That finds the rows with the highest score, without fail. Whether they *answer* is up to the vectors. There are three
# kinds below: words thrown into 384 buckets, a mean of word vectors, and MiniLM.
#
# **Write down a guess.** Of a hundred questions, how many find their topic among the first five passages, with
# each? And how much is lost when a vector takes a quarter of the bytes?

# %% [markdown] tags=["section-build"]
# ## Build it small: a heap with the worst on top
#
# A heap of `k` entries with the worst on top. A row that is better than the worst takes its place; among equals the
# lower row number is better. The score is a float64, summed feature by feature, in this order, for every row.


# %%
def score(matrix, queries, dtype="float64"):
    """Products of all rows with all queries, (row, query)."""
    columns, weights = np.array(matrix.T, dtype, order="C"), queries.T.astype(dtype)
    total = np.zeros((len(matrix), len(queries)), dtype)
    for column, weight in zip(columns, weights, strict=True):
        total += column[:, None] * weight
    return total


# %%
def nearest(chunks, query, k):
    """Row numbers of the k highest scores; `chunks` gives (first row, rows)."""
    heap = []
    for first, part in chunks:
        for local, value in enumerate(score(part, query[None])[:, 0].tolist()):
            keep = heapq.heappush if len(heap) < k else heapq.heappushpop
            keep(heap, (value, -(first + local)))  # the row number of the whole: first + local
    return [-row for _, row in sorted(heap, reverse=True)]


# %%
whole = score(rows, asked)
exact = np.argsort(-whole, axis=0, kind="stable")[:k].T  # the full matrix, and a sort that keeps equals in order
for q in range(0, len(asked), 10):
    parts = ((first, rows[first : first + chunk_rows]) for first in range(0, len(rows), chunk_rows))
    assert nearest(parts, asked[q], k) == exact[q].tolist()
for place, row in enumerate(exact[question][:3], 1):
    print(f"{place}. {whole[row, question]:.3f} [{', '.join(np.array(topics)[labels[row]])}] {texts[row][:80]}...")

# %% [markdown]
# Why so pedantic about the sum? The product of two float32 is *exact* in a float64; all rounding is in the sums. With a
# fixed order, a vector has the same score wherever it lies. A matrix product promises no order, as we shall see.

# %% [markdown] tags=["section-library"]
# ## One pass on many threads, merged in any order
#
# `parallel_chunk_map` reads a chunk on some thread and calls `work`; `reduce` merges what comes, in any order. All
# questions go through in one pass.


# %%
def best(scores, ids):
    """Of each query the k highest scores and their row numbers; among equals the lower number."""
    order = np.lexsort((ids, -scores), axis=1)[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)


def merge(one, two):
    scores = np.concatenate([one[0], two[0]], axis=1)
    return best(scores, np.concatenate([one[1], two[1]], axis=1))


# %%
def search(array, queries, workers=workers, ordered=False):
    def work(coords, part):
        ids = coords[0] * array.chunks[0] + np.arange(len(part))
        return best(score(part, queries).T, np.tile(ids, (len(queries), 1)))

    return reduce(merge, array.parallel_chunk_map(work, max_concurrency=workers, ordered=ordered))


# %%
raw = {"compressors": None, "zarr_format": zarr_format, "overwrite": True}
features = rows.shape[1]
stored = zarr.create_array(out / "vectors.zarr", data=rows, chunks=(chunk_rows, features), **raw)
zarr.create_array(out / "labels.zarr", data=labels, chunks=(chunk_rows, len(topics)), **raw)  # the same rows
_, found = search(stored, asked)
zarr.create_array(out / "found.zarr", data=found, chunks=found.shape, **raw)
best_scores = np.take_along_axis(whole.T, exact, 1)

# %%
trials = list(itertools.product((40, 100, 703), (1, 8), (True, False)))
same = 0
for length, count, ordered in trials:
    cut = zarr.create_array({}, data=rows, chunks=(length, features), **raw)
    values, places = search(cut, asked, count, ordered)
    same += np.array_equal(places, exact) and np.array_equal(values, best_scores)
print(f"{same} of {len(trials)} runs, in chunks of 40 to 703 rows: the rows and the last bit of their scores are equal")
assert same == len(trials)
assert np.array_equal(found, exact)

# %% [markdown]
# So the search is exact. Now, does it find answers? The first of the three kinds of vectors is made here: each word
# adds or subtracts one, in a bucket that its CRC-32 names (**[feature
# hashing](https://en.wikipedia.org/wiki/Feature_hashing "Turning words into a vector without a dictionary: a hash of
# each word says which feature it is counted in.")**).


# %%
def hashed(texts):
    found = np.zeros((len(texts), features))
    for row, text in zip(found, texts, strict=True):
        for word in re.findall(r"\w+", text.lower()):
            checksum = zlib.crc32(word.encode())
            row[checksum % features] += 1 - 2 * (checksum >> 31)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def hits(matrix, queries):
    """The share of questions with a passage of the right topic among the first 1, 5 and 10."""
    order = np.argsort(-score(matrix, queries), axis=0, kind="stable")[:10]
    right = labels[order, answers]
    return {n: float(right[:n].any(0).mean()) for n in (1, 5, 10)}


# %%
kinds = {
    "hashed words": (hashed(texts), hashed(queries)),
    "WordLlama": (book.arrays["weak_vectors"], book.arrays["weak_query_vectors"]),
    "MiniLM": (rows, asked),
}
hit = {name: hits(*pair) for name, pair in kinds.items()}
chance = float((labels.sum(0)[answers] / len(rows)).mean())
for name, shares in hit.items():
    print(f"{name:13} " + "  ".join(f"hit@{n} {share:.3f}" for n, share in shares.items()))
print(f"a passage drawn at random: {chance:.3f}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.4)
for place, ((name, shares), colour) in enumerate(zip(hit.items(), (ORANGE, SKY, BLUE), strict=True)):
    bars = panel.bar(np.arange(3) + 0.27 * (place - 1), shares.values(), 0.25, color=colour, label=name)
    panel.bar_label(bars, [f"{share:.2f}" for share in shares.values()], padding=2, fontsize=9)
panel.set_xticks(range(3), ["first", "among the first 5", "among the first 10"])
panel.set(title="Questions whose topic is found", ylabel="share of the questions", ylim=(0, 1.1))
panel.legend(loc="upper left", ncols=3)
described = "Bars: the share of questions whose topic is among the first 1, 5 and 10 passages. "
described += " ".join(f"{name}: {', '.join(f'{s:.2f}' for s in shares.values())}." for name, shares in hit.items())
answered = viz.Chart.of(figure, "Which vectors find answers", described)
answered.save(out / "figures" / "04_01_hits.svg")
answered

# %% [markdown]
# All three were searched exactly. What separates them is in the vectors, and no index can put it there.

# %% [markdown] tags=["section-bytes"]
# ## Digits that look like noise, and what fewer of them lose
#
# The first chunk is a file, and its first bytes are the first four numbers of the first vector. Mantissas of real
# vectors look like noise, and hardly compress; so they are stored as they are.

# %%
content = (out / "vectors.zarr" / stored.chunk_key((0, 0))).read_bytes()
print(viz.hexdump(content[:16], notes={at: f"feature {at // 4}" for at in range(0, 16, 4)}))
print(np.frombuffer(content[:16], "<f4"), rows[0, :4])
assert np.frombuffer(content, "<f4").reshape(-1, features)[:chunk_rows].tobytes() == rows[:chunk_rows].tobytes()
print(f"zlib makes it {rows.nbytes / len(zlib.compress(rows.tobytes())):.1f} times smaller")

# %% [markdown]
# What does save bytes is to keep fewer bits
# (**[quantization](https://en.wikipedia.org/wiki/Quantization_%28signal_processing%29 "Keeping fewer distinct values for
# each number, to save bytes, at the price of a small error.")**): half of them, a quarter (whole numbers from -127 to
# 127), or the sign alone. The **[recall](https://en.wikipedia.org/wiki/Precision_and_recall "The share of what should
# be found that is found; here, of the exact ten nearest rows.")** is the share of the exact ten that is found.

# %%
peak = float(np.abs(rows).max())
forms = {
    "float32": rows,
    "float16": rows.astype("float16"),
    "int8": np.rint(rows * (127 / peak)).astype("int8"),
    "one bit": np.where(rows >= 0, 1, -1).astype("int8"),
}
sizes = {"float32": 4 * features, "float16": 2 * features, "int8": features, "one bit": features // 8}
recall, hit_of = {}, {}
for name, form in forms.items():
    places = np.argsort(-score(form, asked), axis=0, kind="stable")[:k].T
    recall[name] = sum(len(np.intersect1d(*pair)) for pair in zip(places, exact, strict=True)) / exact.size
    hit_of[name] = hits(form, asked)[5]
    print(f"{name:8} {sizes[name]:5} B a vector, recall@{k} {recall[name]:.3f}, hit@5 {hit_of[name]:.3f}")

# %%
noise = 196 * (hit_of["float32"] * (1 - hit_of["float32"]) / len(asked)) ** 0.5
print(f"with {len(asked)} questions a share is known to {noise:.0f} percentage points, 19 times of 20")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.4)
at = list(sizes.values())
panel.plot(at, recall.values(), color=BLUE, marker="o", label=f"recall@{k}: the same rows as float32")
panel.plot(at, hit_of.values(), color=VERMILION, marker="s", label="hit@5: the right topic")
panel.set(xscale="log", ylim=(0.5, 1.08), xlabel="bytes of a vector", ylabel="share")
panel.set_xticks(at, [f"{name}\n{size} B" for name, size in sizes.items()])
panel.minorticks_off()
panel.set_title("What fewer bits lose")
panel.legend(loc="lower right")
described = f"Recall@{k} and hit@5 against bytes. " + " ".join(
    f"{name}, {sizes[name]} B: {recall[name]:.3f} and {hit_of[name]:.3f}." for name in forms
)
bits = viz.Chart.of(figure, "Recall against bytes", described)
bits.save(out / "figures" / "04_01_recall.svg")
bits

# %% [markdown]
# Other readers see the same vectors, and the same rows found.

# %% tags=["nbval-ignore-output", "hide-cell"] jupyter={"source_hidden": true}
for name, expected in (("vectors", rows), ("labels", labels), ("found", exact)):
    report = interop_check(out / f"{name}.zarr", expected=expected)
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A pass counted, from a thousand rows to a hundred million
#
# An array that grows, as documents come in. These vectors are generated, in clusters around eighty centres; they mean
# nothing, but have the spread of real ones. At each size one pass with eight queries is counted.

# %%
mixture = np.concatenate(list(vectors.blocks(10_000 if quick else 100_000, seed)))
for fact, (value, low, high) in vectors.shape_of(mixture).items():
    assert low <= value <= high
    print(f"{fact:46}generated {value:6.2f}, real {realism[fact][0]:6.2f}")
some = next(vectors.blocks(8, seed + 1))
per_chunk = 512
grown = zarr.create_array(
    out / "mixture.zarr", shape=(0, features), chunks=(per_chunk, features), dtype="float32", **raw
)

# %%
counted = []
for size in [1_000, 3_000, 10_000] if quick else [1_000, 3_000, 10_000, 30_000, 100_000]:
    grown.append(mixture[grown.shape[0] : size])
    trace = TraceStore(grown.store)
    traced = zarr.open_array(trace, mode="r")
    trace.clear()
    _, places = search(traced, some)
    assert np.array_equal(places, np.argsort(-score(mixture[:size], some), axis=0, kind="stable")[:k].T)
    counted.append({"rows": size, "requests": trace.count("GET"), "nbytes": trace.nbytes("GET")})
    print(f"{size:8,} rows: {trace.count('GET'):4} requests, {trace.nbytes('GET'):12,} bytes")


# %% [markdown]
# A chunk is a request, and chunks at the edge are stored whole. So requests and bytes need no measurement: here they
# are up to a hundred million rows.


# %%
def cost(rows, itemsize, per_chunk=per_chunk):
    chunks = -(-rows // per_chunk)
    return {"rows": rows, "requests": chunks, "nbytes": chunks * per_chunk * features * itemsize}


assert counted == [cost(size["rows"], 4) for size in counted]
costs = [cost(10**power, 4) for power in range(3, 9)]
print("       rows  requests        float32           int8   at 1 GB/s")
for entry in costs:
    seconds = entry["nbytes"] / 1e9
    print(f"{entry['rows']:11,} {entry['requests']:9,} {entry['nbytes'] / 1e6:11,.1f} MB", end=" ")
    print(f"{entry['nbytes'] / 4e6:11,.1f} MB {seconds:9.3f} s")
within = {name: int(1e9 / size) for name, size in sizes.items()}
print("\nrows that are read in a second at 1 GB/s:", ", ".join(f"{name} {n:,}" for name, n in within.items()))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
sweep = 10 ** np.arange(3, 9)
held = np.minimum(workers * per_chunk + k, sweep) * sizes["float32"]
figure, (left, right) = viz.canvas(7.2, 3.4, 1, 2, sharey=True)
for name, colour in zip(("float32", "float16", "int8"), (BLUE, SKY, GREEN), strict=True):
    left.loglog(sweep, sweep * sizes[name], color=colour, label=name)
left.scatter([c["rows"] for c in counted], [c["nbytes"] for c in counted], color=VERMILION, zorder=3, label="counted")
left.axhline(1e9, color=GREY, linestyle="--", linewidth=1, label="a second at 1 GB/s")
right.loglog(sweep, sweep * sizes["float32"], color=GREY, label="the whole matrix")
right.loglog(sweep, held, color=BLUE, label=f"{workers} chunks and {k} rows")
for panel, title in ((left, "Bytes of one pass"), (right, "Bytes of vectors in memory")):
    panel.set(xlabel="vectors", title=title, ylim=(2e5, 2e13))
    panel.xaxis.set_major_formatter(prefixed())
    panel.yaxis.set_major_formatter(prefixed("B"))
    panel.legend(loc="upper left")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = "Left: bytes of one pass against the number of vectors, for three types. A second at 1 GB/s is reached at "
described += (
    f"{within['float32']:,} vectors of float32 and {within['int8']:,} of int8. Right: of the vectors the pass holds "
)
described += (
    f"{held[-1] / 1e6:.1f} MB in memory however many there are, the whole matrix {sweep[-1] * 1536 / 1e9:.1f} GB."
)
growth = viz.Chart.of(figure, "What a pass costs", described)
growth.save(out / "figures" / "04_01_cost.svg")
growth

# %% [markdown]
# The right panel is computed, not measured, and leaves out the float64 copies that `score` makes, twice as large. Nor
# is reading all of a pass: from a bucket the requests wait, and the scores have to be computed. First the bucket of
# 01_02 (30 ms, 8 requests in flight, 100 MB/s), in the model; then a pass over a hundred thousand, on this machine.

# %%
from_a_bucket = {}
for rows_in_all in (10**5, 10**6):
    one_pass = cost(rows_in_all, 4)
    from_a_bucket[str(rows_in_all)] = one_pass["requests"] / 8 * 0.030 + one_pass["nbytes"] / 100e6
print("a pass from a bucket, in the model:", {n: f"{seconds:.1f} s" for n, seconds in from_a_bucket.items()})

# %% tags=["nbval-ignore-output"]
many = zarr.create_array({}, shape=(100_000, features), chunks=(per_chunk, features), dtype="float32", **raw)
for first in range(0, len(many), 10_000):
    many[first : first + 10_000] = mixture[:10_000]
kept_rows, one_question = many[...], some[:1]
print_timings(
    {
        "read 100,000 vectors": lambda: many[...],
        "the pass: read, score, merge": lambda: search(many, one_question),
        "one float32 product": lambda: kept_rows @ one_question.T,
    }
)

# %% [markdown]
# In memory nothing waits for a disk, so what is left is computing. Where a pass is too slow there is one thing to try
# before an index: ask together. A pass reads everything once, for one question or for a thousand; only the scoring
# grows.

# %%
passes = {}
for count in (1, len(asked)):
    trace = TraceStore(stored.store)
    traced = zarr.open_array(trace, mode="r")
    trace.clear()
    search(traced, asked[:count])
    passes[count] = {"requests": trace.count("GET"), "bytes_each": trace.nbytes("GET") / count}
    print(
        f"questions {count:2}: {passes[count]['requests']} requests, {passes[count]['bytes_each']:,.0f} bytes for each"
    )

# %% [markdown] tags=["section-wrong"]
# ## Copies left in, and sums in float32
#
# Several topics quote one another, so the manual holds some passages twice. A fast matrix product may sum blocks of
# rows in lanes (**[SIMD](https://en.wikipedia.org/wiki/Single_instruction,_multiple_data "One instruction of a
# processor that works on several numbers side by side, called lanes.")**) and the few rows that are left over in
# another way. Here is that, spelled out, on the manual as it was, with its copies.


# %%
def fast(matrix, queries):
    """Float32 in eight lanes, sixteen rows at a time; the rest of the rows one feature after the other."""
    even = len(matrix) // 16 * 16
    lanes = sum(score(matrix[:even, i::8], queries[:, i::8], "float32") for i in range(8))
    return np.concatenate([lanes, score(matrix[even:], queries, "float32")])


def ranked(product, length):
    parts = [product(copied[first : first + length], asked) for first in range(0, len(copied), length)]
    scores = np.concatenate(parts)
    return scores, np.argsort(-scores, axis=0, kind="stable")[:k].T


# %%
copied = rows[occurrences]
one, full = ranked(fast, len(copied))
two, cut = ranked(fast, 100)
moved = int((full != cut).any(1).sum())
moved_texts = int((occurrences[full] != occurrences[cut]).any(1).sum())
print(f"{len(copied)} passages, {len(copied) - len(rows)} copies; scores differ by {np.abs(one - two).max():.0e}")
print(f"float32 in lanes: {moved} of {len(asked)} rankings depend on the chunks, and {moved_texts} lists of texts")
_, full = ranked(score, len(copied))
_, cut = ranked(score, 100)
print(f"float64 in order: {int((full != cut).any(1).sum())} of {len(asked)}")
assert np.array_equal(full, cut)

# %% tags=["nbval-ignore-output"]
_, full = ranked(lambda a, b: a @ b.T, len(copied))
_, cut = ranked(lambda a, b: a @ b.T, 100)
print(f"NumPy's own float32 product on this machine: {int((full != cut).any(1).sum())} of {len(asked)}")

# %% [markdown]
# A difference in the seventh digit decides between copies, and copies sit next to each other at the top. A reader sees
# the same text either way, but a row number that was stored, cited or compared in a test is another one. Remove copies,
# sum in float64, and give equals an order.
#
# **A merge without the row number.** The first to arrive wins a tie. Let the chunks arrive in another order, and the
# row numbers change.


# %%
def merge_by_score(one, two):
    scores, ids = (np.concatenate(pair, axis=1) for pair in zip(one, two, strict=True))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)


pieces = []
for first in range(0, len(copied), 100):
    part = score(copied[first : first + 100], asked).T
    pieces.append(best(part, np.tile(first + np.arange(part.shape[1]), (len(asked), 1))))

# %%
arrived, backwards = (reduce(merge_by_score, order)[1] for order in (pieces, pieces[::-1]))
tied = int((arrived != backwards).any(1).sum())
tied_texts = int((occurrences[arrived] != occurrences[backwards]).any(1).sum())
print(f"by score alone: the rows of {tied} of {len(asked)} answers change when the chunks come the other way round")
print(f"and the texts of {tied_texts}")
assert np.array_equal(reduce(merge, pieces)[1], reduce(merge, pieces[::-1])[1])

# %% [markdown]
# **Vectors that are not of length one.** A product with a longer vector is larger. With the sum over the tokens of a
# passage in place of their mean, long passages come first for most questions.

# %%
tokens = np.diff(book.arrays["token_offsets"])
long = hits(rows * tokens[:, None], asked)
print(f"hit@5 {hit['MiniLM'][5]:.3f} with length one, {long[5]:.3f} with the length of the text")

# %% [markdown] tags=["section-predict"]
# ## Three candidates from each chunk
#
# Let each of the eleven chunks hand in only its three best instead of ten. That leaves thirty-three candidates for ten
# places. For how many of the 93 questions are the ten still the right ones? Write it down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
each = 3
parts = [ids[first : first + chunk_rows] for first in range(0, len(ids), chunk_rows)]
few = np.concatenate([part[np.argsort(-whole[part], axis=0, kind="stable")[:each]] for part in parts])
short = best(np.take_along_axis(whole, few, 0).T, few.T)[1]
kept = int((short == exact).all(1).sum()) if short.shape == exact.shape else 0
print(f"{kept} of {len(asked)} are still right")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_01.1
#
# Chunks have 512 rows. A worker reports row 300 of chunk (137, 0). Which row of the array is that?
#
# <details><summary>Hint</summary>
# How many rows lie in the chunks before it?</details>

# %% tags=["exercise"]
row = ...
check("04_01.1", row)

# %% [markdown]
# ### Exercise 04_01.2
#
# The rows 40, 7, 3, 11 and 25 have the scores 0.5, 0.9, 0.9, 0.5 and 0.9. They came in this order, from three workers.
# Give the best four as a list of rows, the best first, so that it is the same list in any other order of arrival.
#
# <details><summary>Hint</summary>
# Two of them have to share a place that only one can have.</details>

# %% tags=["exercise"]
best_four = ...
check("04_01.2", best_four)

# %% [markdown]
# ### Exercise 04_01.3
#
# Repair `merge_two`. `one` and `two` are lists of (score, row), each from another part of the rows and sorted. The
# result is the `k` best of both in the same form: the highest score first, and among equal scores the lower row.
#
# <details><summary>Hint</summary>
# `reverse=True` turns both around, the scores and the row numbers.</details>


# %% tags=["exercise"]
def merge_two(one, two, k):
    return sorted(one + two, reverse=True)[:k]


check("04_01.3", merge_two)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `parallel_chunk_map(work)` that keeps the k best of each chunk | `dask.array.argtopk(scores, k)`: the same two steps | the lower row number first among equal scores |
# | `work(coords, part)`: a chunk comes with its coordinates | `dask.array.map_blocks(work, ...)` with `block_info`: with its place in the array, too | in zarr-python alone: a map over chunks |
# | `array.append(rows)`: elements first, shape last | `array.append(rows)`: shape first | a reader that never sees a row before its elements |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store).counter` | the bytes and the range of each request |
# | `create_array(data=..., chunks=..., attributes=...)` | the same names | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - The ten best of all are among the ten best of their chunks. Merging (score, row number) is exact, for any chunks and
#   any number of workers.
# - Exact search finds the highest scores; the vectors decide whether those are answers. Measure hit@k on questions of
#   your own before you tune anything.
# - Half the bytes lose nothing here, a quarter next to nothing. A sign alone costs a quarter of the recall, and so few
#   answers that 93 questions cannot tell.
# - A pass costs a request for each chunk and all bytes. A hundred thousand float32 vectors are 154 MB; reading them
#   takes 0.2 s at 1 GB/s and 2.3 s from the bucket of 01_02, in the model. Scoring comes on top: measure it. If an
#   answer may take that long, no database is needed for it.
# - Sums of float32 depend on their order, and copies make that visible. Remove copies, sum in float64, break ties by
#   row number.
#
# **Open questions.** What does an approximate index miss, and who notices? What if each question may only see some of
# the rows? What changes when a **[shard](../GLOSSARY.md#shard)** holds eight chunks?
#
# **To read further.**
#
# - [FAISS](https://arxiv.org/abs/2401.08281): what approximate indexes do, and what they trade for their speed
# - [Sentence-BERT](https://arxiv.org/abs/1908.10084): how a language model is taught to make vectors of sentences
# - [Goldberg on floating-point arithmetic](https://doi.org/10.1145/103162.103163): why the order of a sum shows in its
#   last bits
#
# **Next.** [04_02](04_02_rag_dataset_cache.ipynb): what does it take to fetch 64 scattered documents, question after
# question?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# All chunks before it are full.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_01.1", 137 * 512 + 300)

# %% [markdown]
# Three share the best score, and are ordered by number; of the two with 0.5 the lower number stays.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
scored = {40: 0.5, 7: 0.9, 3: 0.9, 11: 0.5, 25: 0.9}
check("04_01.2", sorted(scored, key=lambda row: (-scored[row], row))[:4])

# %% [markdown]
# The negative score sorts downwards while the row number still sorts upwards.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def merge_two(one, two, k):
    return sorted(one + two, key=lambda pair: (-pair[0], pair[1]))[:k]


check("04_01.3", merge_two)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "passages": len(rows),
        "firsts": [1, 5, 10],
        "largest_int8": int(np.abs(forms["int8"]).max()),
        "rows_in_a_chunk_that_grows": per_chunk,
        "features": features,
        "with_copies": len(copied),
        "copies": len(copied) - len(rows),
        "questions": len(asked),
        "topics": len(topics),
        "k": k,
        "chunk_rows": chunk_rows,
        "chunks": len(of_chunks),
        "candidates": len(handed),
        "realism": {fact: round(value, 4) for fact, (value, _, _) in realism.items()},
        "shape_of_generated": {fact: round(value, 4) for fact, (value, _, _) in vectors.shape_of(mixture).items()},
        "example": {
            "question": queries[question],
            "topic": topics[answers[question]],
            "scores": [round(float(value), 6) for value in line[winners]],
            "chunks": home,
        },
        "runs": [same, len(trials)],
        "rows_in_a_chunk_of_the_runs": sorted({length for length, _, _ in trials}),
        "hit": {name: {str(n): share for n, share in shares.items()} for name, shares in hit.items()},
        "found": {
            name: {str(n): round(share * len(asked)) for n, share in shares.items()} for name, shares in hit.items()
        },
        "chance": round(chance, 6),
        "bytes_of_a_vector": sizes,
        "recall": recall,
        "hit_at_5": hit_of,
        "counted": counted,
        "computed": costs,
        "megabytes": {str(entry["rows"]): entry["nbytes"] / 1e6 for entry in costs},
        "gigabytes": {str(entry["rows"]): entry["nbytes"] / 1e9 for entry in costs},
        "rows_in_a_second": within,
        "held_megabytes": held[-1] / 1e6,
        "passes": {str(count): found for count, found in passes.items()},
        "moved": {"float32 in lanes": moved, "float64 in order": 0},
        "tied": tied,
        "texts": {"moved": moved_texts, "tied": tied_texts},
        "from_a_bucket": {"waits_ms": 30, "in_flight": 8, "mb_per_s": 100, "seconds": from_a_bucket},
        "found_at_5": {name: round(share * len(asked)) for name, share in hit_of.items()},
        "noise_points": round(noise),
        "long": {str(n): share for n, share in long.items()},
        "three_each": kept,
    },
)
