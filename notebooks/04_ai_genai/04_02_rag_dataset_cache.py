# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fetch scattered documents without reading everything
#
# **Question.** What does it take to fetch 64 scattered documents, question after question?
#
# ![The share of reads that a cache answers, against the share of the chunks that it holds. In a shuffled store, read from
# front to back, a cache of a third answers none.](../../articles/figures/04_02_cache.svg)
#
# *The same 93 questions three times. Red: a cache that holds a third of the data, and never helps.*
#
# A search names 64 candidates, and you fetch them to look closer. They lie here and there. Each drags its whole chunk
# along, and the next question comes for others. A cache in memory is the obvious cure, and the picture shows how it
# can fail without any error.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [04_01](04_01_embeddings_in_zarr.ipynb), [01_09](../01_core_zarr/01_09_profiling.ipynb) |
# | **Code** | `tutorial_zarr/indexing.py`, `tutorial_zarr/stores/cache.py` |
# | **Article** | [A third of it in memory, and not one hit](../../articles/12_rag_dataset_cache.md) |
# | **Data** | Python's manual in passages, with vectors of two models (`data_gen/passages.py`) |
#
# **You will be able to**
#
# - fetch rows by their numbers, each chunk once, in the order that was asked
# - say beforehand how many chunks scattered rows touch
# - put rows in an order in which questions touch fewer chunks
# - tell when a cache is too small to help at all, and what to do about it
# - choose between padded and ragged documents
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `k` is how many candidates a question has, `chunk_rows` how many passages lie in a chunk.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: the mean of 400 shuffled stores instead of 40
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
k = 64
chunk_rows = 8

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from collections import OrderedDict
from hashlib import sha256
from math import comb

import numpy as np

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import passages
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import CacheStore, LocalStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(k=(k, 16, 128), chunk_rows=(chunk_rows, 4, 16))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A rough search and a better one
#
# The manual of [04_01](04_01_embeddings_in_zarr.ipynb): 703 passages and 93 questions, with vectors of two models. The
# small one, WordLlama, is quick and often wrong. So we let it choose 64 candidates, and sort those again with the
# vectors of the better one, MiniLM: **[re-ranking](https://en.wikipedia.org/wiki/Learning_to_rank "Sorting a short list
# of candidates once more, by a score that is better and too expensive to compute for everything.")**.

# %%
book = passages.make()
rows, asked = book.arrays["vectors"], book.arrays["query_vectors"]
weak, weak_asked = book.arrays["weak_vectors"].astype("f8"), book.arrays["weak_query_vectors"].astype("f8")
texts = np.array([passages.text_of(book, i) for i in range(len(rows))], dtype=object)
for name, (value, low, high) in passages.realism(book).items():
    assert low <= value <= high, name

# %%
scores = (weak @ weak_asked.T).round(9)  # rounded, so that equals are equal on every machine
candidates = np.argsort(-scores, axis=0, kind="stable")[:k].T  # by question: numbers of passages, the best first
n, m = len(rows), -(-len(rows) // chunk_rows)
print(f"{len(asked)} questions with {k} candidates each, out of {n} passages in {m} chunks of {chunk_rows}")

# %% [markdown] tags=["section-idea"]
# ## One passage drags its neighbours along
#
# A chunk is fetched whole. If the candidates lie together, their neighbours are candidates too, and one fetch serves
# many: **[locality](https://en.wikipedia.org/wiki/Locality_of_reference "What is needed together, or soon after, lies
# close together; caches and blocks live on it.")**. The order of the rows is ours to choose, so take three: shuffled, as
# documents arrive that nobody sorted; the order of the manual, which goes by topic; and a walk that goes from each
# passage to the most similar one that is left.


# %%
def walk(vectors):
    """All rows, each followed by the most similar of those that are left."""
    similar, left, order = (vectors @ vectors.T).round(9), np.ones(len(vectors), bool), [0]
    left[0] = False
    for _ in range(len(vectors) - 1):
        order.append(int(np.where(left, similar[order[-1]], -2).argmax()))
        left[order[-1]] = False
    return np.array(order)


# %%
ORDERS = {
    "shuffled": np.argsort(np.random.PCG64(seed).random_raw(n), kind="stable"),
    "by topic": np.arange(n),
    "by similarity": walk(weak),
}
place = {name: np.argsort(order) for name, order in ORDERS.items()}  # of a passage: its row in the store
asked_rows = {name: where[candidates] for name, where in place.items()}
touched = {name: [len(set(ids // chunk_rows)) for ids in per] for name, per in asked_rows.items()}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
example = int(np.argsort(touched["by similarity"], kind="stable")[len(asked) // 2])  # an ordinary question
figure, panel = viz.canvas(7.6, 2.6)
for row, per in enumerate(asked_rows.values()):
    for chunk in range(m):
        many = int((per[example] // chunk_rows == chunk).sum())
        strength = 0.12 if many == 0 else 0.3 + 0.7 * many / chunk_rows
        panel.barh(row, 0.9, 0.72, left=chunk - 0.45, color=BLUE if many else GREY, alpha=strength, linewidth=0)
labels = [f"{name}:\n{touched[name][example]} chunks" for name in ORDERS]
panel.set(xlim=(-1, m), ylim=(2.6, -0.6), yticks=range(3), yticklabels=labels, xlabel="chunk")
panel.tick_params(length=0)
panel.spines[:].set_visible(False)
told = "; ".join(f"{name}: {touched[name][example]} of {m} chunks" for name in ORDERS)
strips = viz.Chart.of(figure, f"{k} candidates of one question: the darker, the more in a chunk", told + ".")
strips.save(out / "figures" / "04_02_strips.svg")
strips

# %% [markdown]
# **Write down a guess.** Nine percent of the passages are candidates. In the shuffled store, what share of the chunks do they
# touch? And in the order of topics?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
mean = {name: float(np.mean(counts)) for name, counts in touched.items()}
late = {name: float(np.percentile(counts, 95)) for name, counts in touched.items()}
for name in ORDERS:
    print(f"{name:14} {mean[name]:5.1f} of {m} chunks ({mean[name] / m:.0%}); 95th percentile {late[name]:.1f}")

# %% [markdown]
# Nine percent of the passages cost half of the store. The order of topics saves a quarter here: 64 candidates come from
# many topics. Similarity, measured with the vectors that choose the candidates, saves a third. (The 95th
# **[percentile](../GLOSSARY.md#percentile)** is what a slow question pays.)

# %% [markdown] tags=["section-build"]
# ## Build it small: two formulas and a plan
#
# How many chunks do *k* rows touch that lie anywhere? Each misses a given chunk of *m* with 1 - 1/m: **[Cardenas'
# formula](https://doi.org/10.1145/359461.359475 "Rows that are drawn again and again touch m(1 - (1 - 1/m)^k) of m
# chunks on average; close when chunks hold many rows.")**. But no row is drawn twice, so they spread a little more: **[Yao's
# formula](https://doi.org/10.1145/359461.359475 "Chunks that k different rows touch on average: one minus the chance
# that all k lie elsewhere, summed over the chunks.")**. Both were made for database blocks in the 1970s.


# %%
def cardenas(k, m):
    return m * (1 - (1 - 1 / m) ** k)


def yao(k):
    """Of each chunk: one minus the chance that all k rows lie elsewhere."""
    lengths = [min(chunk_rows, n - first) for first in range(0, n, chunk_rows)]
    return sum(1 - comb(n - length, k) / comb(n, k) for length in lengths)


# %%
shuffles = 40 if quick else 400
bits = np.random.PCG64(seed + 1)
measured = {}
for count in (4, 16, 32, 64, 128, 256):
    drawn = [np.argsort(bits.random_raw(n), kind="stable")[:count] // chunk_rows for _ in range(shuffles)]
    measured[count] = float(np.mean([len(set(chunks)) for chunks in drawn]))
    print(f"{count:3} rows: {measured[count]:5.1f} chunks; Cardenas {cardenas(count, m):5.1f}, Yao {yao(count):5.1f}")
assert all(abs(found - yao(count)) < 1.5 for count, found in measured.items())

# %% tags=["hide-input"] jupyter={"source_hidden": true}
ranking, curves = np.argsort(-scores, axis=0, kind="stable").T, {}
for name in ("by topic", "by similarity"):
    chunks = [place[name][ranking[:, :count]] // chunk_rows for count in measured]
    curves[name] = [float(np.mean([len(set(found)) for found in each])) for each in chunks]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
line = np.arange(1, 257, 5)
figure, panel = viz.canvas(7.4, 3.6)
panel.plot(line, [yao(int(count)) for count in line], color=GREY, label="Yao's formula")
panel.plot(list(measured), list(measured.values()), "o", color=VERMILION, label="shuffled, measured")
for (name, curve), colour in zip(curves.items(), (ORANGE, GREEN), strict=True):
    panel.plot(list(measured), curve, "s-", color=colour, label=name)
panel.set(xlabel="candidates of a question", ylabel="chunks touched", ylim=(0, m + 2), xlim=(0, 262))
panel.legend(loc="lower right")
told = "; ".join(f"{count}: {found:.0f}" for count, found in measured.items())
told = f"Chunks touched against candidates, shuffled: {told}. By topic and by similarity fewer."
growth = viz.Chart.of(figure, f"How many of {m} chunks the candidates touch", told)
growth.save(out / "figures" / "04_02_touched.svg")
growth

# %% [markdown]
# Now the fetch. Sort the ids by chunk, read each chunk once, and put every row where it was asked for. Read one by one,
# the same ids would cost a request each.


# %%
def fetch(array, ids, backwards=False):
    """The rows `ids`, in their order. Each chunk is read once, the last one first if `backwards`."""
    found, chunks = np.empty((len(ids), *array.shape[1:]), array.dtype), ids // chunk_rows
    for chunk in sorted(set(chunks.tolist()), reverse=backwards):
        here = chunks == chunk
        found[here] = array.blocks[chunk][ids[here] - chunk * chunk_rows]
    return found


# %% [markdown] tags=["section-library"]
# ## `oindex` keeps the order and reads each chunk once
#
# One array for each thing that is known of a passage, all cut alike: a candidate has one chunk number in all of them.


# %%
def write(name):
    """The passages in one of the orders, as a group."""
    order = ORDERS[name]
    group = zarr.create_group(out / f"{name.replace(' ', '_')}.zarr", zarr_format=zarr_format, overwrite=True)
    size = (chunk_rows, rows.shape[1])
    group.create_array("vectors", data=rows[order], chunks=size, compressors=None)  # noise does not compress
    group.create_array("text", data=texts[order], chunks=(chunk_rows,), dtype="string")
    group.create_array("passage", data=order.astype("int32"), chunks=(n,))
    return group


groups = {name: write(name) for name in ORDERS}

# %%
spent = {}
ways = {
    "row by row": lambda array, ids: np.stack([array[int(i)] for i in ids]),
    "fetch, above": fetch,
    "array.oindex[ids]": lambda array, ids: array.oindex[ids],
    "all rows": lambda array, ids: array[...][ids],
}
for way, read in ways.items():
    trace = TraceStore(groups["shuffled"].store)
    array, ids = zarr.open_array(trace, path="vectors", mode="r"), asked_rows["shuffled"][example]
    trace.clear()
    assert np.array_equal(read(array, ids), rows[candidates[example]])
    spent[way] = {"requests": trace.count("GET"), "bytes": trace.nbytes("GET")}
    print(f"{way:18} {spent[way]['requests']:3} requests {spent[way]['bytes']:9,} bytes")

# %% [markdown]
# Then the pipeline: candidates, their vectors, the five best, their texts. The re-ranked order is the one that sorting
# in memory gives.


# %%
def answer(question, name):
    """The five best candidates of a question, as passages, and their texts."""
    ids = asked_rows[name][question]
    score = (groups[name]["vectors"].oindex[ids].astype("f8") @ asked[question].astype("f8")).round(9)
    best = np.argsort(-score, kind="stable")[:5]
    return candidates[question][best], groups[name]["text"].oindex[ids[best]]


in_memory = (rows.astype("f8") @ asked.astype("f8").T).round(9)

# %%
labels, right_topic = book.arrays["labels"], book.arrays["answers"]
reranked, hashed = [], sha256()
for question in range(len(asked)):
    best, words = answer(question, "by similarity")
    per = in_memory[candidates[question], question]
    assert np.array_equal(best, candidates[question][np.argsort(-per, kind="stable")[:5]])
    assert list(words) == list(texts[best])
    hashed.update("\n".join(words).encode())
    reranked.append(best)

# %%
in_order = np.argsort(-in_memory, axis=0, kind="stable").T
lists = {"rough": candidates[:, :5], "re-ranked": np.array(reranked), "all rows": in_order[:, :5]}
hit = {}
for name, each in lists.items():
    hit[name] = float(np.mean([labels[each[q], right_topic[q]].any() for q in range(len(asked))]))
print(*(f"{name:10} the right topic among five: {share:.2f}" for name, share in hit.items()), sep="\n")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same vectors:")
report = interop_check(out / "by_similarity.zarr" / "vectors", expected=rows[ORDERS["by similarity"]])
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Padding costs next to nothing on the disk
#
# The language model saw each passage as at most 256 tokens. Two layouts: padded with zeros, one row for each passage;
# or a **[ragged array](../GLOSSARY.md#ragged-array)**, all tokens in a line, and where each passage begins. Before you
# look: 42 percent of the padded cells are padding. How many more bytes are stored?

# %%
order, tokens, offsets = ORDERS["by similarity"], book.arrays["tokens"], book.arrays["token_offsets"]
documents = [tokens[offsets[i] : offsets[i + 1]] for i in order]
lengths = np.array([len(each) for each in documents], "int32")
padded = np.zeros((n, 256), "int32")
for i, each in enumerate(documents):
    padded[i, : len(each)] = each
edges = np.concatenate([[0], np.cumsum(lengths)]).astype("int32")

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
group, in_a_chunk = groups["by similarity"], -(-int(edges[-1]) // m)
group.create_array("tokens", data=padded, chunks=(chunk_rows, 256))
group.create_array("line", data=np.concatenate(documents).astype("int32"), chunks=(in_a_chunk,))
sizes = {name: {"raw": group[name].nbytes, "stored": group[name].nbytes_stored()} for name in ("tokens", "line")}
for name, size in sizes.items():
    print(f"{name:7} {size['raw']:7,} bytes of values, {size['stored']:7,} stored")

# %%
trace, counts = TraceStore(group.store), {"tokens": [], "line": []}
padded_array, line_array = (zarr.open_array(trace, path=name, mode="r") for name in counts)
for ids in asked_rows["by similarity"]:
    trace.clear()
    padded_array.oindex[ids]
    counts["tokens"].append(trace.count("GET"))
    trace.clear()
    spread = np.concatenate([np.arange(edges[i], edges[i + 1]) for i in ids])
    assert np.array_equal(line_array.oindex[spread], np.concatenate([documents[i] for i in ids]))
    counts["line"].append(trace.count("GET"))
per_question = {name: float(np.mean(each)) for name, each in counts.items()}
print({name: f"{each:.1f} requests for each question" for name, each in per_question.items()})

# %% [markdown]
# The zeros compress away. And the ragged line, in as many chunks, costs more requests: a passage can begin in one chunk
# and end in the next, and the edges have to be known first. Pad where lengths are alike; where a few documents are a
# hundred times as long as the others, all that padding has to be decoded, so measure both.

# %% [markdown] tags=["section-wrong"]
# ## A third of the chunks in memory, and no hit
#
# All questions together read each chunk many times, so keep some in memory: a **[cache](../GLOSSARY.md#cache)** that
# forgets what was not used for the longest time, **[LRU](https://en.wikipedia.org/wiki/Cache_replacement_policies#LRU
# "Least recently used: a full cache makes space by forgetting what has not been asked for during the longest time.")**.
# **Write down a guess:** it holds a third of the chunks of the shuffled store. What share of the reads does it answer?


# %%
def hits(sequence, size):
    """How many of the reads an LRU cache with space for `size` chunks answers."""
    held, count = OrderedDict(), 0
    for chunk in sequence:
        count += chunk in held
        held[chunk] = True
        held.move_to_end(chunk)  # the most recently used last
        if len(held) > size:
            held.popitem(last=False)
    return count


# %%
def sequence(name, turn=False):
    """The chunks in the order in which the questions read them; every second question backwards if `turn`."""
    chunks = [sorted(set((ids // chunk_rows).tolist())) for ids in asked_rows[name]]
    return [c for i, each in enumerate(chunks) for c in (each[::-1] if turn and i % 2 else each)]


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
SIZES = [m // 8, m // 4, m * 3 // 8, m // 2, m * 5 // 8, m * 3 // 4, m]
chunk_bytes, by_library = chunk_rows * rows.shape[1] * 4, {}
for size in SIZES[1:5]:
    cache = CacheStore(LocalStore(out / "shuffled.zarr"), max_bytes=size * chunk_bytes)
    array = zarr.open_array(cache, path="vectors", mode="r")
    before = cache.hits
    for ids in asked_rows["shuffled"]:
        fetch(array, ids)
    by_library[size] = cache.hits - before
    print(f"space for {size:2} of {m} chunks: {by_library[size]:4} of {len(sequence('shuffled'))} reads are hits")
assert all(found == hits(sequence("shuffled"), size) for size, found in by_library.items())

# %% [markdown]
# None, up to three eighths. Every question reads its chunks from front to back. When it is done, the cache holds the
# *last* chunks of the line, and the next question begins at the front. Until it arrives at the end, those chunks are
# forgotten. If each read were of any chunk, with equal chances, three eighths of the chunks would answer three eighths.
#
# Nothing reports it. The cache is full, it works as described, and every request goes to the store.

# %% [markdown] tags=["section-predict"]
# ## Turn round at the end
#
# Change one thing: read every second question from back to front, as a snow plough does not drive back empty. `fetch`
# can do that. What share does a cache of three eighths answer now? And what if the store goes by similarity instead?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
TRIES = {
    "shuffled, front to back": sequence("shuffled"),
    "shuffled, every second one backwards": sequence("shuffled", turn=True),
    "by similarity, front to back": sequence("by similarity"),
    "by similarity, every second one backwards": sequence("by similarity", turn=True),
}
answered = {name: {size: hits(read, size) for size in range(1, m + 1)} for name, read in TRIES.items()}
left = {name: {size: len(TRIES[name]) - found[size] for size in SIZES} for name, found in answered.items()}
for name, read in TRIES.items():
    share = answered[name][SIZES[2]] / len(read)
    print(f"{name:42} {len(read)} reads, {share:4.0%} hits, {left[name][SIZES[2]]} requests")

# %% tags=["hide-input", "hide-output"] jupyter={"source_hidden": true, "outputs_hidden": true}
print("After your guess:")
figure, panel = viz.canvas(7.4, 3.8)
at = np.arange(1, m + 1) / m * 100
for (name, found), colour in zip(list(answered.items())[:3], (VERMILION, BLUE, GREEN), strict=True):
    panel.plot(at, [100 * found[size] / len(TRIES[name]) for size in found], color=colour, label=name, linewidth=2)
panel.plot([0, 100], [0, 100], "--", color=GREY, label="what one might expect", linewidth=1)
panel.set(xlabel="share of the chunks that the cache holds (%)", ylabel="reads answered by the cache (%)")
panel.set(xlim=(0, 100), ylim=(-2, 102))
panel.legend(loc="lower right", fontsize=9)
third = SIZES[2]
told = "; ".join(f"{name}: {100 * found[third] / len(TRIES[name]):.0f} %" for name, found in answered.items())
curve = viz.Chart.of(figure, "What a cache answers", f"Hits of a cache with {third} of {m} chunks. {told}.")
curve.save(out / "figures" / "04_02_cache.svg")
curve

# %% [markdown]
# Turning round takes no memory, and removes the cliff; with space for 55 chunks, where a pass just fits, it answers a
# little less. With three eighths the better order alone leaves even fewer requests, and both together hardly improve on
# that; with a quarter they do. Look at the requests that are left, not at the share of hits: with a good order there are
# fewer reads in the first place.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_02.1
#
# A million documents in no order, in 1,000 chunks of 1,000. A question fetches 500 of them. How many chunks does it
# touch on average? A whole number will do.
#
# <details><summary>Hint</summary>
# Chunks hold many rows here, so the simpler of the two formulas is close enough.</details>

# %% tags=["exercise"]
chunks_touched = ...
check("04_02.1", chunks_touched)

# %% [markdown]
# ### Exercise 04_02.2
#
# Four chunks are read front to back, back to front, and front to back: `ABCD DCBA ABCD`. An LRU cache has space for
# three. How many of the twelve reads are hits?
#
# <details><summary>Hint</summary>
# Write down what it holds after each read, the most recent one last.</details>

# %% tags=["exercise"]
hits_of_twelve = ...
check("04_02.2", hits_of_twelve)

# %% [markdown]
# ### Exercise 04_02.3
#
# Documents lie in one line of tokens: document `i` is `edges[i]` to `edges[i + 1]`, in chunks of `size` tokens. Write a
# function that gives the chunks that the documents `ids` touch, sorted, each once.
#
# <details><summary>Hint</summary>
# Which chunk holds the last token of a document? And where is the last token of an empty one?</details>


# %% tags=["exercise"]
def chunks_of(edges, ids, size):
    """The numbers of the chunks that the documents `ids` touch, sorted."""
    ...


check("04_02.3", chunks_of)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a.oindex[ids]`: the order of `ids`, each chunk read once | the same name, and the same requests | - |
# | `group["text"].oindex[ids]`, for each array | xarray: `ds.isel(doc=ids)`, for all arrays at once | - |
# | `CacheStore(store, max_bytes=n)`, its `hits` and `misses` | `zarr.experimental.cache_store.CacheStore(store, cache_store=MemoryStore(), max_size=n)`, its `cache_stats()` | a promise that the name stays |
# | `a.blocks[chunk]`, in an order of your own | the same name; a Dask array has `blocks`, too | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - `oindex` reads each chunk once and keeps the order of the ids; row by row, 64 ids are 64 requests.
# - Scattered rows touch as many chunks as Yao's formula says; Cardenas' is simpler and a little lower.
# - In an order by similarity a question touches a third fewer chunks than in a shuffled store; by topic, a quarter fewer.
# - An LRU cache that is smaller than what a question reads from front to back may answer nothing. Turn round at the end,
#   put the rows in a better order, or give it more space than a pass takes.
# - Padding compresses away, and a padded passage lies in one chunk; ragged lines pay where lengths differ much.
#
# **Open questions.** What if some questions come every day and most only once? Who keeps the order when documents are
# added? Would you rather forget something else than the least recently used?
#
# **To read further.**
#
# - [Yao, Approximating block accesses in database organizations](https://doi.org/10.1145/359461.359475): both formulas,
#   on two pages, with the error of the first.
# - [Cache replacement policies](https://en.wikipedia.org/wiki/Cache_replacement_policies): what to forget instead, and
#   which policies withstand a scan.
# - [zarr-python's CacheStore](https://zarr.readthedocs.io/en/stable/user-guide/experimental/): the cache that you have
#   tomorrow, with its options.
#
# **Next.** [04_03](04_03_training_data_loader.ipynb): can training data be shuffled and still be read once?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Cardenas' formula; 500 documents share chunks now and then.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_02.1", cardenas(500, 1000))

# %% [markdown]
# Three of four after each turn.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_02.2", hits("ABCDDCBAABCD", 3))

# %% [markdown]
# From the chunk of the first token to that of the last one; an empty document touches none.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def chunks_of(edges, ids, size):
    """The numbers of the chunks that the documents `ids` touch, sorted."""
    chunks = set()
    for i in ids:
        if edges[i] < edges[i + 1]:
            chunks |= set(range(edges[i] // size, (edges[i + 1] - 1) // size + 1))
    return sorted(chunks)


check("04_02.3", chunks_of)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "passages": n,
        "questions": len(asked),
        "candidates": k,
        "chunk_rows": chunk_rows,
        "chunks": m,
        "example": {"question": example, "touched": {name: counted[example] for name, counted in touched.items()}},
        "mean_chunks": mean,
        "share_of_chunks": {name: 100 * found / m for name, found in mean.items()},
        "fewer": {name: 100 * (1 - found / mean["shuffled"]) for name, found in mean.items()},
        "p95_chunks": late,
        "shuffles": shuffles,
        "counts": list(measured),
        "longest": int(lengths.max()),
        "measured": {str(count): found for count, found in measured.items()},
        "yao": {str(count): yao(count) for count in measured},
        "cardenas": {str(count): cardenas(count, m) for count in measured},
        "curves": curves,
        "spent": spent,
        "hit_at_5": hit,
        "texts_sha256": hashed.hexdigest(),
        "sizes": sizes,
        "padding_percent": 100 * float((np.arange(256) >= lengths[:, None]).mean()),
        "stored_more_percent": 100 * (sizes["tokens"]["stored"] / sizes["line"]["stored"] - 1),
        "requests_for_tokens": per_question,
        "reads": {name: len(read) for name, read in TRIES.items()},
        "cache_sizes": SIZES,
        "cache_share": {str(size): 100 * size / m for size in SIZES},
        "cache_megabytes": {str(size): size * chunk_bytes / 1e6 for size in SIZES},
        "hits": {name: {str(size): found[size] for size in SIZES} for name, found in answered.items()},
        "hit_percent": {
            name: {str(size): 100 * found[size] / len(TRIES[name]) for size in SIZES}
            for name, found in answered.items()
        },
        "requests_left": {name: {str(size): many for size, many in each.items()} for name, each in left.items()},
        "example_of_three": hits("ABCDDCBAABCD", 3),
    },
)
