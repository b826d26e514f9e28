"""Exercises that check themselves: ``check("01_01.1", answer)``.

The checks of notebook ``PP_NN`` are in the module ``xPP_NN`` beside this file: ``exercise_1(answer)`` works
the right answer out again, from first principles, and returns `right` or `not_yet` with a sentence that helps.
No answer is stored anywhere. ``WRONG`` holds one plausible wrong answer for each, which a test sees refused.

>>> check("01_01.1", ...)
01_01.1 not yet: put your answer in place of the three dots, and run the cell again.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.workshop import posting

VERDICTS = "TUTORIAL_ZARR_VERDICTS"  # the file that verdicts are written down in, where `grade` asks for that
RIGHT, NOT_YET = " right: ", " not yet: "
Case = tuple[tuple[Any, ...], Any]  # the arguments of a function, and what it gives for them


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and what to say about it."""

    right: bool
    words: str


def right(words: str) -> Verdict:
    """The answer holds, because of `words`."""
    return Verdict(True, words)


def not_yet(words: str) -> Verdict:
    """The answer does not hold; `words` says what to look at."""
    return Verdict(False, words)


def on_cases(function: Any, cases: Iterable[Case], same: Callable[..., Any] | None = None) -> str | None:
    """What a student's `function` does wrong, in a sentence about the first case that shows it; None if nothing.

    Each case is the arguments and the result that is wanted. The function gets copies of the arguments. `same(found,
    wanted)` compares; by default shapes and values, floats to 9 digits. Whatever the function raises is told.

    >>> on_cases(abs, [((-3,), 3), ((0,), 0)])
    >>> on_cases(lambda x: x, [((2,), 2), ((-3,), 3)])
    'for (-3) it returns -3; wanted is 3.'
    """
    if not callable(function):
        return f"expected a function, found {_short(function)}."
    for number, (arguments, wanted) in enumerate(cases):
        given = f"for ({', '.join(map(_short, arguments))}) it"
        try:
            found = function(*copy.deepcopy(arguments))
            agree = bool((same or _same)(found, wanted)) if found is not None or wanted is None else False
        except Exception as error:  # a student's function may raise anything
            return f"{given} raises {type(error).__name__}: {error}"
        if not agree and found is None:
            untouched = "put your code in place of the three dots, or look for a `return`."
            return f"{given} returns None; {'does it have a `return` there?' if number else untouched}"
        if not agree:
            return f"{given} returns {_short(found)}; wanted is {_short(wanted)}."
    return None


def recognised(function: Any, mistakes: Mapping[str, Iterable[Case]]) -> str | None:
    """The words for the first of `mistakes` that a student's `function` makes; None if it makes none of them.

    Each has the cases of a function that makes it: arguments, and what comes out wrong then.

    >>> recognised(abs, {"the sign is lost.": [((-3,), 3)]})
    'the sign is lost.'
    """
    return next((words for words, cases in mistakes.items() if on_cases(function, cases) is None), None)


def _same(found: Any, wanted: Any) -> bool:
    """The same structure, shapes and values; floats to 9 digits."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(_same(found[k], wanted[k]) for k in wanted)
        )
    if isinstance(wanted, (tuple, list)) and not isinstance(found, np.ndarray):
        return isinstance(found, (tuple, list)) and len(found) == len(wanted) and all(map(_same, found, wanted))
    one, other = np.asarray(found), np.asarray(wanted)
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "fc" or other.dtype.kind in "fc":
        return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))
    return bool((one == other).all())


def _short(value: Any) -> str:
    """`value` as a line of at most 60 characters."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def check(exercise: str, answer: Any) -> None:
    """Print whether `answer` solves the exercise, and why or what to look at; post it if a board was joined."""
    verdict = judge(exercise, answer)
    if noted := os.environ.get(VERDICTS):
        with open(noted, "a", encoding="utf-8") as file:
            file.write(json.dumps({"exercise": exercise, "right": verdict.right}) + "\n")
    print(f"{exercise}{RIGHT if verdict.right else NOT_YET}{verdict.words}")
    posting.post(exercise, verdict.right)


def judge(exercise: str, answer: Any) -> Verdict:
    """What `check` prints, as a value."""
    module, name = _module(exercise)
    test: Callable[[Any], Verdict] | None = getattr(module, f"exercise_{name}", None)
    if test is None:
        known = ", ".join(f"{exercise.partition('.')[0]}.{number}" for number in numbers(module))
        raise GalleryError(f"check: expected the name of an exercise, found {exercise!r}; try one of {known}")
    if answer is ...:
        return not_yet("put your answer in place of the three dots, and run the cell again.")
    return test(answer)


def numbers(module: ModuleType) -> list[str]:
    """The exercises of a module, in order."""
    return sorted(name.removeprefix("exercise_") for name in vars(module) if name.startswith("exercise_"))


def checks_of(notebook: str) -> ModuleType | None:
    """The module that checks a notebook's exercises, or None where it has none."""
    name = f"{__package__}.x{notebook}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def _module(exercise: str) -> tuple[ModuleType, str]:
    match = re.fullmatch(r"(\d\d_\d\d)\.(\w+)", exercise)
    module = checks_of(match[1]) if match else None
    if match is None or module is None:
        raise GalleryError(f'check: expected the name of an exercise, found {exercise!r}; try "01_01.1"')
    return module, match[2]
