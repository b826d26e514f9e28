"""The exercises of 06_02: a subsidy, the chunks that a reorganisation writes, and satoshis out of text."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The subsidy at height 840,000, in satoshi."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of satoshis, found {answer!r}.")
    subsidy = 50 * 10**8 >> 840_000 // 210_000
    if answer == subsidy:
        return right(f"{subsidy:,}, which is {subsidy / 1e8} bitcoins.")
    if answer == subsidy / 1e8:
        return not_yet("that is in bitcoins. A bitcoin has a hundred million satoshis.")
    if answer == 2 * subsidy:
        return not_yet("the block at height 840,000 is the first one after the fourth halving.")
    return not_yet("halve 50 bitcoins once for each 210,000 blocks that came before.")


def exercise_2(answer: Any) -> Verdict:
    """The chunks in which a branch of seven lies that replaces six."""
    if not isinstance(answer, (list, tuple, set, np.ndarray)):
        return not_yet(f"expected a list of chunk numbers, found {answer!r}.")
    try:
        found = sorted({int(chunk) for chunk in answer})
    except (TypeError, ValueError, OverflowError):
        return not_yet(f"expected whole numbers, found {answer!r}.")
    branch = range(20_163 - 6, 20_163 + 1)
    wanted = sorted({element // 2_016 for element in branch})
    if found == wanted:
        return right(f"elements {branch[0]:,} to {branch[-1]:,} lie in chunks {wanted}, a border between them.")
    if found == wanted[1:]:
        return not_yet("chunk 10 begins with element 20,160. Where does the branch begin?")
    if found == wanted[:1]:
        return not_yet("chunk 9 ends with element 20,159. Where does the branch end?")
    return not_yet("elements 20,157 to 20,163 are written. Divide by 2,016.")


CASES = ["0.29", "1.15", "20999999.97690000", "0.00000001", "50", "0", "-0.57", "16.4", "12345678.90123456", "3.125"]


def _decimal(text: str) -> int:
    return int(Decimal(text) * 10**8)


def _cut_off(text: str) -> int:
    return int(float(text) * 1e8)


def _half_up(text: str) -> int:
    return int(float(text) * 1e8 + 0.5)


def _without_point(text: str) -> int:
    return int(text.replace(".", ""))


def _single(text: str) -> int:
    return round(float(np.float32(text)) * 1e8)


MISTAKES: list[tuple[Callable[[str], int], str]] = [
    (_cut_off, "0.29 * 1e8 is 28999999.999999996, and `int` cuts off what is behind the point."),
    (_half_up, "adding a half and cutting off rounds the negative amounts to the wrong side."),
    (_without_point, "that is right for eight digits behind the point; '50' has none."),
    (_single, "a float32 has seven digits, and 20999999.97690000 has sixteen."),
]


def _whole_and_equal(found: Any, wanted: int) -> bool:
    return isinstance(found, (int, np.integer)) and not isinstance(found, bool) and int(found) == wanted


def exercise_3(answer: Any) -> Verdict:
    """Whole satoshis out of text, held to decimal arithmetic."""
    wrong = on_cases(answer, [((text,), _decimal(text)) for text in CASES], _whole_and_equal)
    if wrong is None:
        return right(f"all {len(CASES)} amounts, from a satoshi to all there will be.")
    mistakes = {words: [((text,), mistaken(text)) for text in CASES] for mistaken, words in MISTAKES}
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 3.125, "2": [10], "3": _cut_off}
