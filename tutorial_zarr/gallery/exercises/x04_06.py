"""The exercises of 04_06: the bytes of an index, a score by hand, and the nearest centroid."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The bytes of a million codes and their codebooks."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of bytes, found {answer!r}.")
    codes, books = 1_000_000 * 48, 48 * 256 * (384 // 48) * 4
    if answer == codes + books:
        return right(f"{codes:,} of codes and {books:,} of codebooks.")
    if answer == codes:
        return not_yet("those are the codes. Without the codebooks nobody knows what they stand for.")
    if answer == codes + 48 * 256 * 384 * 4:
        return not_yet("a centroid is as long as a piece, 8 features, and not as the whole vector.")
    if answer == codes + books // 4:
        return not_yet("a float32 takes four bytes.")
    return not_yet("a code is a byte. How many numbers are in 48 codebooks of 256 pieces of 8 features?")


def exercise_2(answer: Any) -> Verdict:
    """The score of two codes, looked up and added."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number, found {answer!r}.")
    question = np.array([[1, 2], [3, 4]])
    books = np.array([[[1, 0], [0, 1]], [[2, 0], [0, 3]]])
    tables = np.einsum("pf,pcf->pc", question, books)
    score = int(tables[0, 1] + tables[1, 0])
    if answer == score:
        return right(f"{tables[0, 1]} + {tables[1, 0]} = {score}.")
    if answer == tables[0, 0] + tables[1, 1]:
        return not_yet("those are the codes [0, 1]. Codes count from zero.")
    if answer in (tables[0, 1], tables[1, 0]):
        return not_yet("that is one of the two pieces; the score is the sum of both.")
    return not_yet("take entry 1 of the first codebook and entry 0 of the second, and multiply each with its piece.")


def _cases() -> list[tuple[np.ndarray, np.ndarray]]:
    bits = np.random.PCG64(46)
    rows, centroids = ((bits.random_raw(size) % 19).astype("float64") - 9 for size in ((30, 4), (7, 4)))
    return [
        (np.array([[1.0, 0.0], [4.0, 0.0], [9.0, 1.0]]), np.array([[1.0, 0.0], [10.0, 0.0]])),
        (np.array([[0.0, 0.0], [-3.0, 1.0]]), np.array([[2.0, 2.0], [1.0, 0.0], [-1.0, 0.0]])),
        (rows, centroids),
        (np.array([[5.0], [6.0]]), np.array([[2.0]])),
        (np.empty((0, 2)), np.array([[1.0, 1.0], [2.0, 2.0]])),
    ]


def _by_differences(piece: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return ((piece[:, None] - centroids) ** 2).sum(2).argmin(1)


def _largest_product(piece: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return (piece @ centroids.T).argmax(1)


def _without_the_two(piece: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return ((centroids**2).sum(1) - piece @ centroids.T).argmin(1)


def _largest_cosine(piece: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return (piece @ (centroids / np.linalg.norm(centroids, axis=1, keepdims=True)).T).argmax(1)


def _farthest(piece: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return ((piece[:, None] - centroids) ** 2).sum(2).argmax(1)


MISTAKES = [
    (_largest_product, "that is the largest product. A long centroid wins it for rows that lie far from it."),
    (_without_the_two, "the squared distance holds the product twice: |x|^2 - 2 x.c + |c|^2."),
    (_largest_cosine, "that is the smallest angle; of two centroids in one direction it does not see the closer one."),
    (_farthest, "that is the centroid that lies farthest away."),
]


def exercise_3(answer: Any) -> Verdict:
    """The nearest centroid of each row, held to squared differences."""
    cases = _cases()
    wrong = on_cases(answer, [(case, _by_differences(*case)) for case in cases])
    if wrong is None:
        return right(f"all {len(cases)} cases, a tie, a single centroid and no rows at all among them.")
    mistakes = {words: [(case, mistaken(*case)) for case in cases] for mistaken, words in MISTAKES}
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 48_000_000, "2": 13, "3": _largest_product}
