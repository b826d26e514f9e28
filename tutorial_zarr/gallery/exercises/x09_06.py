"""The exercises of 09_06: a lead within days, a draw that is not fair, and a z-score from counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

DAYS = (((9_000, 900), (1_000, 120)), ((1_000, 50), (9_000, 540)))  # of each day: A and B, visitors and buyers
SENT = (50_000, 51_000)


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The mean of the two leads, weighted by n_A n_B / (n_A + n_B)."""
    leads = [100 * (bought_b / b - bought_a / a) for (a, bought_a), (b, bought_b) in DAYS]
    weights = [a * b / (a + b) for (a, _), (b, _) in DAYS]
    lead = sum(w * x for w, x in zip(weights, leads, strict=True)) / sum(weights)
    totals = [[sum(day[variant][k] for day in DAYS) for k in (0, 1)] for variant in (0, 1)]
    merged = 100 * (totals[1][1] / totals[1][0] - totals[0][1] / totals[0][0])
    if not _number(answer):
        return not_yet(f"expected a number of points, found {answer!r}.")
    if abs(answer - lead) < 1e-6:
        return right(f"{lead:.1f} points, where all merged B is {-merged:.1f} points behind.")
    if abs(answer - merged) < 1e-6:
        return not_yet("that is all merged: most of A's visitors are Monday's, and most of B's Tuesday's.")
    if abs(answer - lead / 100) < 1e-6:
        return not_yet("that is right as a share; a point is a hundredth.")
    return not_yet("how far is B ahead on each day, and how large are the two weights?")


def exercise_2(answer: Any) -> Verdict:
    """Chi-squared of two groups that ought to be as large as each other."""
    expected = sum(SENT) / 2
    chi = sum((found - expected) ** 2 / expected for found in SENT)
    if not _number(answer):
        return not_yet(f"expected a number, found {answer!r}.")
    if abs(answer - chi) < 0.006:
        return right(f"{chi:.2f}, more than 6.63: find out where the visitors went before you look at the result.")
    if abs(answer - chi / 2) < 0.006:
        return not_yet("that is one of the two groups; add the other.")
    if abs(answer - (SENT[1] - SENT[0]) ** 2 / SENT[0]) < 0.06:
        return not_yet("A is no measure of itself: half of all visitors are expected in each group.")
    return not_yet("half of all visitors are expected in each group; both groups count.")


def _z_score(n_a: int, bought_a: int, n_b: int, bought_b: int) -> float:
    s = (bought_a + bought_b) / (n_a + n_b)
    error = math.sqrt(s * (1 - s) * (1 / n_a + 1 / n_b))
    return (bought_b / n_b - bought_a / n_a) / error if error else 0.0


def _each_its_own(n_a: int, bought_a: int, n_b: int, bought_b: int) -> float:
    a, b = bought_a / n_a, bought_b / n_b
    error = math.sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)
    return (b - a) / error if error else 0.0


def _mean_of_shares(n_a: int, bought_a: int, n_b: int, bought_b: int) -> float:
    a, b = bought_a / n_a, bought_b / n_b
    s = (a + b) / 2
    error = math.sqrt(s * (1 - s) * (1 / n_a + 1 / n_b))
    return (b - a) / error if error else 0.0


def _turned_round(n_a: int, bought_a: int, n_b: int, bought_b: int) -> float:
    return -_z_score(n_a, bought_a, n_b, bought_b)


GIVEN = ((1_000, 100, 1_000, 130), (9_000, 900, 1_000, 90), (50, 0, 70, 3), (40, 0, 60, 0), (40, 40, 60, 60))


def _cases(function: Any) -> list[Case]:
    return [(given, function(*given)) for given in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """A z-score from four counts, nobody and everybody among them."""
    wrong = on_cases(answer, _cases(_z_score))
    if wrong is None:
        return right(f"{len(GIVEN)} pairs of groups, two without any difference in what they did among them.")
    mistakes = {
        "each group has an error of its own there; with one share of all visitors it is the same for both.": _cases(
            _each_its_own
        ),
        "s is the mean of two shares there; groups of unequal size need merged counts.": _cases(_mean_of_shares),
        "the sign is that of A minus B.": _cases(_turned_round),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": -2.9, "2": 4.95, "3": _mean_of_shares}
