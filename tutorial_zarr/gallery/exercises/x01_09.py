"""The exercises of 01_09: which part was made slow, what a cure brings, whose seconds are whose."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

Span = tuple[str, float, float]
PARTS = ("store", "codec", "you")


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool) and math.isfinite(answer)


def exercise_1(answer: Any) -> Verdict:
    """The part that was made slow in each of the machines 6, 7 and 8, drawn as the notebook draws it."""
    planted = [PARTS[int(np.random.PCG64(machine).random_raw() % 3)] for machine in (6, 7, 8)]
    if not isinstance(answer, (list, tuple)) or len(answer) != 3 or not all(isinstance(part, str) for part in answer):
        return not_yet(f'expected a list of three of "store", "codec" and "you", found {answer!r}.')
    if list(answer) == planted:
        return right("each of them takes eight times what it takes in the healthy machine.")
    if unknown := [part for part in answer if part not in PARTS]:
        return not_yet(f'expected "store", "codec" or "you", found {unknown[0]!r}.')
    wrong = [machine for machine, (said, is_) in enumerate(zip(answer, planted, strict=True), 6) if said != is_]
    return not_yet(f"look at machine {wrong[0]} again: which bucket differs from the healthy machine, and by how much?")


def exercise_2(answer: Any) -> Verdict:
    """How many times as fast is a read of 10 s if the 3 s of its codec become a third?"""
    before, codec = 10.0, 3.0
    after = before - codec + codec / 3
    if not _number(answer):
        return not_yet(f"expected a factor, found {answer!r}.")
    if math.isclose(answer, before / after, abs_tol=0.005):
        return right(f"{before:.0f} seconds become {after:.0f}; {before / (before - codec):.2f} would be the most.")
    if math.isclose(answer, 3, abs_tol=0.005):
        return not_yet("three times as fast is the codec. What of the other 7 seconds?")
    if math.isclose(answer, after / before, abs_tol=0.005):
        return not_yet("that is the share of the time that is left. How many times as fast is it?")
    if math.isclose(answer, before / (before - codec), abs_tol=0.005):
        return not_yet("that would be a codec that takes no time at all.")
    return not_yet("how many seconds does the read take afterwards?")


SPANS: list[list[Span]] = [
    [],
    [("store", 0.0, 2.0)],
    [("library", 0.0, 7.0), ("codec", 1.0, 3.0)],
    [("store", 0.0, 1.0), ("library", 1.0, 1.5), ("store", 2.0, 4.0)],
    [("store", 1.0, 2.0), ("codec", 2.0, 5.0), ("library", 0.0, 6.0)],
    [("library", 0.0, 10.0), ("codec", 2.0, 8.0), ("store", 3.0, 5.0), ("store", 5.0, 6.0), ("you", 10.0, 12.0)],
    [("library", 0.0, 9.0), ("library", 1.0, 5.0), ("store", 2.0, 3.0), ("you", 9.0, 9.0)],
]


def _around(span: Span, spans: list[Span]) -> list[Span]:
    """The spans that lie around one, the innermost first."""
    _, begun, ended = span
    around = [other for other in spans if other is not span and other[1] <= begun and ended <= other[2]]
    return sorted((other for other in around if other[2] - other[1] > ended - begun), key=lambda o: o[2] - o[1])


def _shares(spans: list[Span], depth: int | None, last_wins: bool = False) -> dict[str, float]:
    """Seconds of each bucket, where a span is taken away from the `depth` spans around it; None means all."""
    own: dict[str, float] = {}
    for bucket, begun, ended in spans:
        own[bucket] = ended - begun + (0.0 if last_wins else own.get(bucket, 0.0))
    for span in spans:
        for outer in _around(span, spans)[:depth]:
            own[outer[0]] -= span[2] - span[1]
    return own


MISTAKES: list[tuple[Callable[[list[Span]], dict[str, float]], str]] = [
    (lambda spans: _shares(spans, 0), "inner time counts twice: the buckets add up to more than passed."),
    (
        lambda spans: _shares(spans, None),
        "a span is taken away from every span around it. It was a part of the innermost one alone.",
    ),
    (
        lambda spans: _shares(spans, 1, last_wins=True),
        "a bucket that occurs twice keeps the seconds of its last span only; add them up.",
    ),
]


def exercise_3(answer: Any) -> Verdict:
    """A function from spans to the seconds that belong to each bucket alone."""
    if made := recognised(
        answer, {words: [((spans,), mistake(spans)) for spans in SPANS] for mistake, words in MISTAKES}
    ):
        return not_yet(made)
    if wrong := on_cases(answer, [((spans,), _shares(spans, 1)) for spans in SPANS]):
        return not_yet(wrong)
    return right(f"{len(SPANS)} reports, nested three deep and out of order: each moment belongs to one bucket.")


# One plausible wrong answer each.
WRONG = {"1": ["store", "store", "store"], "2": 3.0, "3": MISTAKES[0][0]}
