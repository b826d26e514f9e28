"""The exercises of 09_02: a share of tested dies, a fold by another size, and fail rates by place in a shot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

POSITIONS, NO_DIE, FAILED = 1000, 260, 74


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The share of the tested dies that passes."""
    tested = POSITIONS - NO_DIE
    if not _number(answer):
        return not_yet(f"expected a share, found {answer!r}.")
    if math.isclose(answer, 1 - FAILED / tested):
        return right(f"{tested - FAILED} of {tested} tested dies.")
    if math.isclose(answer, 1 - FAILED / POSITIONS):
        return not_yet("positions without a die passed no test.")
    return not_yet("divide the dies that passed by the dies that were tested; between 0 and 1.")


def exercise_2(answer: Any) -> Verdict:
    """A period of 4 in a fold by 12, in both directions."""
    places = len({(y, x) for y in range(2, 12, 4) for x in range(1, 12, 4)})
    if not _number(answer):
        return not_yet(f"expected a number of places, found {answer!r}.")
    if answer == places:
        return right(f"{places} places, every 4 dies in both directions.")
    if answer == 12 // 4:
        return not_yet("that is along one direction; the fold has two.")
    return not_yet("go in steps of 4 through 12 rows, and through 12 columns.")


def _rates(codes: Any, shot: int, least: int = 1) -> np.ndarray:
    result = np.full((shot, shot), np.nan)
    for i, j in np.ndindex(shot, shot):
        place = codes[i::shot, j::shot]
        if (place >= least).any():
            result[i, j] = (place == 2).sum() / (place >= least).sum()
    return result


def _no_die_passes(codes: Any, shot: int) -> np.ndarray:
    return _rates(codes, shot, least=0)


def _zero(codes: Any, shot: int) -> np.ndarray:
    return np.nan_to_num(_rates(codes, shot))


def _turned(codes: Any, shot: int) -> np.ndarray:
    return _rates(codes, shot).T


ROUND = (np.arange(63).reshape(7, 9) * 5 % 7 % 3).astype("u1")
GIVEN: list[tuple[np.ndarray, int]] = [
    (np.array([[1, 2], [2, 1]], "u1"), 2),
    (np.array([[0, 2, 0, 1], [0, 1, 1, 1], [0, 0, 0, 2], [0, 1, 2, 2]], "u1"), 2),
    (ROUND, 3),
    (ROUND, 4),
    (ROUND[:, :5], 1),
    (np.zeros((4, 4), "u1"), 2),
]


def _cases(function: Any) -> list[Case]:
    return [((codes, shot), function(codes, shot)) for codes, shot in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """Fail rates by place in a shot, as a function."""
    wrong = on_cases(answer, _cases(_rates))
    if wrong is None:
        return right(f"{len(GIVEN)} maps, shots that hang over the edge and a map without a die among them.")
    mistakes = {
        "a position without a die (0) counts as tested.": _cases(_no_die_passes),
        "a place where nothing was tested is NaN; zero says that all passed.": _cases(_zero),
        "rows and columns of the shot are exchanged.": _cases(_turned),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 0.926, "2": 3, "3": _no_die_passes}
