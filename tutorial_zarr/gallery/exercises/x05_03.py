"""The exercises of 05_03: a value at risk, the chunks of a desk, and where a loss comes from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from data_gen import risk
from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The 99 % VaR of one and a half times the market, from the months themselves."""
    market = sorted(risk.make("tiny").arrays["factors"][:, 0].tolist())
    wanted = -1.5 * market[math.ceil(len(market) / 100) - 1]
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of percent such as 9.5, found {answer!r}.")
    if abs(answer - wanted) < 0.06:
        return right(f"1.5 times {wanted / 1.5:.2f}: a VaR scales with the position.")
    if abs(answer + wanted) < 0.06:
        return not_yet("a VaR is a loss, given as a positive number.")
    if abs(answer - wanted / 1.5) < 0.06:
        return not_yet("that is the market itself; the portfolio moves 1.5 times as much.")
    if abs(answer + 1.5 * market[len(market) // 20]) < 0.3:
        return not_yet("that is about one month in twenty; 99 % leaves one in a hundred.")
    return not_yet("sort its months, and take the twelfth from below.")


def exercise_2(answer: Any) -> Verdict:
    """The chunks of a desk, counted portfolio by portfolio."""
    months = len(risk.make("tiny").arrays["month"])
    wanted = (months, len({portfolio // 8 for portfolio in range(6, 17 + 1)}))
    try:
        given = tuple(int(number) for number in answer)
    except (TypeError, ValueError):
        return not_yet(f"expected two numbers such as (12, 12), found {answer!r}.")
    if given == wanted:
        return right("by scenario the desk costs as much as everything, and by portfolio three chunks.")
    if given == wanted[::-1]:
        return not_yet("the other way round: first by scenario.")
    if given == (months, 2):
        return not_yet("12 portfolios would fit in two chunks if they began where a chunk begins; 6 does not.")
    if len(given) == 2 and given[0] != months:
        return not_yet("by scenario each chunk is one scenario of all portfolios: which of them can be left out?")
    return not_yet("portfolio p lies in chunk p // 8; count the chunks from 6 to 17.")


def _explain(cube: np.ndarray, held: list[int], worst: int) -> np.ndarray:
    """Scenario by scenario, in plain loops."""
    totals = [(sum(int(v) for p in held for v in row[:, p]), s) for s, row in enumerate(cube)]
    scenario = sorted(totals)[worst - 1][1]
    return np.array([sum(int(cube[scenario, f, p]) for p in held) for f in range(cube.shape[1])])


def _each_factor_by_itself(cube: np.ndarray, held: list[int], worst: int) -> np.ndarray:
    return np.sort(cube[:, :, held].sum(axis=2), axis=0)[worst - 1]


def _one_too_far(cube: np.ndarray, held: list[int], worst: int) -> np.ndarray:
    return _explain(cube, held, worst + 1)


def _all_held(cube: np.ndarray, held: list[int], worst: int) -> np.ndarray:
    return _explain(cube, list(range(cube.shape[2])), worst)


def _best(cube: np.ndarray, held: list[int], worst: int) -> np.ndarray:
    return _explain(cube, held, len(cube) - worst + 1)


def _cases() -> list[tuple[np.ndarray, list[int], int]]:
    cube = (np.random.PCG64(53).random_raw(50 * 3 * 6) % 20_001).astype("int32").reshape(50, 3, 6) - 10_000
    return [(cube, [0, 3], 2), (cube, [5], 1), (cube, [0, 1, 2, 4], 12), (cube[:7, :2], [2, 1], 3)]


def exercise_3(answer: Any) -> Verdict:
    """What each factor lost in the scenario of the VaR."""
    wrong = on_cases(answer, [(case, _explain(*case)) for case in _cases()])
    if wrong is None:
        return right(f"{len(_cases())} books, one of a single portfolio among them; the parts add up to the VaR.")
    functions = {
        "each factor has its own worst scenario there, and the parts do not add up; take one scenario for all.": (
            _each_factor_by_itself
        ),
        "number `worst` from below lies at worst - 1, as counting begins at 0.": _one_too_far,
        "that explains all portfolios of the cube; take those that are held.": _all_held,
        "that is the best end; losses are negative, so the worst come first.": _best,
    }
    mistakes: dict[str, list[Case]] = {
        words: [(case, function(*case)) for case in _cases()] for words, function in functions.items()
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 13.6, "2": (1109, 2), "3": _each_factor_by_itself}
