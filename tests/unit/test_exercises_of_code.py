"""Exercises that ask for a function: each typical mistake is told by its own sentence, whatever else is given."""

import pytest

from tutorial_zarr.gallery import exercises

LESSONS = ("01_09", "01_10", "02_01", "02_02", "02_03")
MISTAKES = [
    pytest.param(f"{lesson}.3", mistake, words, id=f"{lesson}-{number}")
    for lesson in LESSONS
    for number, (mistake, words) in enumerate(exercises.checks_of(lesson).MISTAKES)
]


@pytest.mark.parametrize(("exercise", "mistake", "words"), MISTAKES)
def test_a_mistake_is_told_by_its_own_sentence(exercise, mistake, words):
    assert exercises.judge(exercise, mistake) == exercises.not_yet(words)


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_two_mistakes_have_the_same_sentence(lesson):
    words = [words for _, words in exercises.checks_of(lesson).MISTAKES]
    assert len(set(words)) == len(words) >= 3


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda *_: None, "in place of the three dots, or look for a `return`"),
        (lambda *_: 1 / 0, "raises ZeroDivisionError"),
        (lambda *_: "text", "returns 'text'; wanted is"),
        (lambda *_: float("nan"), "returns nan; wanted is"),
        (lambda: 0, "raises TypeError"),
        (7, "expected a function, found 7"),
    ],
)
def test_what_is_no_solution_gets_a_sentence_and_raises_nothing(lesson, function, words):
    verdict = exercises.judge(f"{lesson}.3", function)
    assert not verdict.right
    assert words in verdict.words
