"""The exercises of 04_02: chunks that scattered rows touch, a cache that is read to and fro, and ragged documents."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The chunks that 500 of a million rows touch, of 1,000."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    chance = 1.0  # that no row lies in a given chunk; the rows are different ones
    for drawn in range(500):
        chance *= (999_000 - drawn) / (1_000_000 - drawn)
    exact = 1000 * (1 - chance)
    if abs(answer - exact) <= 1:
        return right(f"{exact:.1f} by Yao's formula, {1000 * (1 - 0.999**500):.1f} by Cardenas'.")
    if answer == 500:
        return not_yet("that is one chunk for each document; some share a chunk.")
    if abs(answer - (1000 - exact)) <= 1:
        return not_yet("that is how many chunks are not touched.")
    return not_yet("a document misses a given chunk with 1 - 1/1000. How likely is it that all 500 do?")


def exercise_2(answer: Any) -> Verdict:
    """Hits of an LRU cache for three, read to and fro over four chunks."""
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number of hits, found {answer!r}.")
    held, hits = "", 0  # the most recent one last
    for chunk in "ABCDDCBAABCD":
        hits += chunk in held
        held = (held.replace(chunk, "") + chunk)[-3:]
    if answer == hits:
        return right(f"{hits} of 12; front to back three times, it would be none.")
    if answer == 0:
        return not_yet("that is what three times front to back gives. After the first turn, D is still there.")
    if answer == 8:
        return not_yet("with space for all four it would be 8. The one at the far end is forgotten each time.")
    return not_yet("after ABCD the cache holds B, C and D. Go on from there, read by read.")


CASES: list[tuple[list[int], list[int], int]] = [
    ([0, 3, 9, 12], [1], 4),
    ([0, 4, 8, 8, 9], [0], 4),
    ([0, 4, 8, 8, 9], [2], 4),
    ([0, 5, 30, 31], [2, 1, 2], 8),
    ([0, 16, 17, 40], [2, 0], 8),
    ([0, 7], [], 3),
]


def exercise_3(answer: Any) -> Verdict:
    """The chunks of ragged documents, held to asking every token where it lies."""
    cases = [
        (case, sorted({token // case[2] for i in case[1] for token in range(case[0][i], case[0][i + 1])}))
        for case in CASES
    ]
    wrong = on_cases(answer, cases)
    if wrong is None:
        return right(f"all {len(cases)} cases, an empty document and one that ends at an edge among them.")
    mistakes = {words: [(case, mistaken(*case)) for case in CASES] for mistaken, words in MISTAKES}
    return not_yet(recognised(answer, mistakes) or wrong)


def _first_only(edges: list[int], ids: list[int], size: int) -> list[int]:
    return sorted({edges[i] // size for i in ids})


def _ends_only(edges: list[int], ids: list[int], size: int) -> list[int]:
    ends = {edges[i] // size for i in ids if edges[i] < edges[i + 1]}
    return sorted(ends | {(edges[i + 1] - 1) // size for i in ids if edges[i] < edges[i + 1]})


def _one_too_many(edges: list[int], ids: list[int], size: int) -> list[int]:
    return sorted({chunk for i in ids for chunk in range(edges[i] // size, edges[i + 1] // size + 1)})


def _no_empty(edges: list[int], ids: list[int], size: int) -> list[int]:
    return sorted({chunk for i in ids for chunk in range(edges[i] // size, (edges[i + 1] - 1) // size + 1)})


MISTAKES = [
    (_first_only, "that is where each document begins. It may end in a later chunk."),
    (_ends_only, "a long document also touches the chunks between its first and its last one."),
    (_one_too_many, "edges[i + 1] is one past the last token, and may be in the next chunk already."),
    (_no_empty, "an empty document touches no chunk, wherever it lies."),
]

# One plausible wrong answer each.
WRONG = {"1": 500, "2": 0, "3": _one_too_many}
