"""Python's own manual in passages, as vectors of two models, with questions whose answers are known.

Real: the text of `help()` in Python 3.12.1, 79 topics cut at blank lines into 703 passages, and the names in its
index, as questions; all-MiniLM-L6-v2 and WordLlama made the vectors, of length one. A passage that occurs in several
topics is here once and belongs to all of them; `occurrences` says where the copies were. Texts, and the tokens that
MiniLM saw, lie one after the other, with offsets.

Not real: all questions are "How does ... work in Python?", of one name each. And a passage may answer
although it stands in another topic; that counts as a miss here.

Its realism test: vectors of language lie in a cone, so their mean cosine is above zero (Ethayarajh 2019); some of
them are neighbours of many others (Radovanovic et al. 2010); a passage is closest to one of its own topic more often
than not; and a question finds its topic far more often than by chance.

>>> result = make()
>>> result.arrays["vectors"].shape, text_of(result, 0)[:22]
((703, 384), 'The "assert" statement')
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vectors, vendor

ROWS = {"tiny": 64, "small": 703}
DIMS = {
    "vectors": ("passage", "feature"),
    "query_vectors": ("question", "feature"),
    "weak_vectors": ("passage", "weak feature"),
    "weak_query_vectors": ("question", "weak feature"),
    "labels": ("passage", "topic"),
    "answers": ("question",),
    "occurrences": ("occurrence",),
    "text": ("byte",),
    "text_offsets": ("edge",),
    "tokens": ("token",),
    "token_offsets": ("edge",),
}


def make(size: str = "small", seed: int = 0) -> GenResult:
    """All passages ("small", 2.7 MB) or the first 64 ("tiny"); the questions are the same. It has no chance in it."""
    if size not in ROWS:
        raise ValueError(f"passages.make: size must be one of small, tiny, got {size!r}; try size='small'")
    rows, kept = ROWS[size], vendor.load("pydoc_minilm.npz")
    weak = vendor.load("pydoc_wordllama.npz")
    kept |= {"weak_vectors": weak["vectors"], "weak_query_vectors": weak["query_vectors"]}
    for name in ("vectors", "weak_vectors", "labels"):
        kept[name] = kept[name][:rows]
    for name in ("text", "token"):
        offsets, values = f"{name}_offsets", "tokens" if name == "token" else "text"
        kept[offsets] = kept[offsets][: rows + 1]
        kept[values] = kept[values][: kept[offsets][-1]]
    kept["occurrences"] = kept["occurrences"][kept["occurrences"] < rows]
    units = dict.fromkeys(DIMS, "1") | {"text": "UTF-8", "occurrences": "passage", "answers": "topic"}
    return GenResult(
        arrays={name: kept[name] for name in DIMS},
        dims=DIMS,
        units=units,
        truth={name: kept[name].tolist() for name in ("topics", "queries")},
        provenance={
            "source": "help() of Python 3.12.1; vectors by all-MiniLM-L6-v2, the weak ones by WordLlama 0.4",
            "licence": "text PSF-2.0; models Apache-2.0 and MIT, not contained",
        },
    )


def text_of(result: GenResult, passage: int) -> str:
    """The text of a passage."""
    start, stop = result.arrays["text_offsets"][passage : passage + 2]
    return result.arrays["text"][start:stop].tobytes().decode("utf-8")


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    rows, labels = result.arrays["vectors"], result.arrays["labels"]
    nearest = vectors.nearest(rows, 1)[:, 0]
    same_topic = (labels & labels[nearest]).any(1)
    best = (result.arrays["query_vectors"].astype(np.float64) @ rows.T).argmax(1)
    return {
        **vectors.shape_of(rows),
        "neighbours of the same topic": (float(same_topic.mean()), 0.5, 1.0),
        "questions that find their topic first": (
            float(labels[best, result.arrays["answers"]].mean()),
            0.3,
            1.0,
        ),
    }
