"""Notes for the teacher: each lesson on a page, minute by minute, with the surprise, the guess, wrong answers to
expect, and what to leave out when it gets late. Sheets for the host stand before and after.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.exercises import checks_of
from tutorial_zarr.gallery.workshop.outline import Exercise, Section, plain_text
from tutorial_zarr.gallery.workshop.pages import render
from tutorial_zarr.gallery.workshop.plan import Part, Plan

SAID = {"head": "the question, and why it matters", "parameters": "", "exercises": "", "bridge": "", "recap": ""}
TO_DO = {
    "head": "ask",
    "parameters": "run",
    "wrong": "show the surprise",
    "predict": "collect guesses, then run",
    "exercises": "learners work; walk around",
    "bridge": "point to it",
    "recap": "say it",
}

HELPERS = 9  # learners for each person who helps


@dataclass(frozen=True)
class Step:
    """A row of the timetable of a lesson."""

    at: str
    minutes: int
    heading: str
    to_do: str
    first: str


@dataclass(frozen=True)
class Task:
    """An exercise, with wrong answers to expect: the plausible one, as code, and what the check recognises."""

    exercise: Exercise
    wrong: str
    objections: list[str]


def page(plan: Plan) -> str:
    """The notes as one page of HTML."""
    lessons = [
        {
            "part": part,
            "steps": steps(plan, part),
            "surprise": _kept(part, "wrong"),
            "guess": _kept(part, "predict"),
            "tasks": tasks(part),
            "late": late(part),
            "missing": [need for need in part.outline.notebook.needs if need not in plan.ids],
        }
        for part in plan.lessons
    ]
    return render("notes.html", plan=plan, lessons=lessons, helpers=HELPERS)


def steps(plan: Plan, part: Part) -> list[Step]:
    """What a lesson's minutes are for, section by section; they sum up to those of the part."""
    kept = [section for section in part.outline.sections if section.name not in part.left_out]
    working = sum(each.minutes for each in chosen(part))
    weights = [section.minutes + working * (section.name == "exercises") for section in kept]
    total = sum(weights)
    ends = [round(part.minutes * sofar / total) for sofar in itertools.accumulate(weights)]
    return [
        Step(
            plan.clock(part.begin + begin),
            end - begin,
            section.heading,
            TO_DO.get(section.name, "explain, run"),
            SAID.get(section.name, plain_text(section.text).split(". ")[0].rstrip(".")),
        )
        for section, begin, end in zip(kept, [0, *ends], ends, strict=False)
    ]


def late(part: Part) -> list[tuple[str, int]]:
    """What to leave out when it is late: (heading, minutes that this saves), the most first, the surprise last."""
    about, left, done = part.outline, part.left_out, tuple(each.name for each in chosen(part))
    whole = about.minutes(left, done)
    found = [
        (section.name == "wrong", whole - about.minutes((*left, section.name), done), section.heading)
        for section in about.sections
        if (section.optional or section.name == "wrong") and section.name not in left
    ]
    for name in done[1:]:
        others = tuple(each for each in done if each != name)
        found.append((False, whole - about.minutes(left, others), f"Exercise {part.lesson}.{name}"))
    found.sort(key=lambda each: (each[0], -each[1]))
    return [(heading, saved) for _, saved, heading in found if saved > 0]


def chosen(part: Part) -> Iterator[Exercise]:
    """The exercises of a lesson that the plan has."""
    return (each for each in part.outline.exercises if part.exercises is None or each.name in part.exercises)


def tasks(part: Part) -> list[Task]:
    """The exercises of a lesson that the plan has, with the answers to expect."""
    checks = checks_of(part.lesson)
    return [Task(each, _shown(each.wrong), objections(checks, each.name)) for each in chosen(part)]


def _shown(answer: Any) -> str:
    """An answer as a learner would write it."""
    if not isinstance(answer, FunctionType):
        return words.plain(repr(answer), 200)
    return textwrap.dedent(inspect.getsource(answer)).strip()


def objections(checks: Any, number: str) -> list[str]:
    """The sentences with which a check of an exercise answers the mistakes that it recognises.

    They stand in its function: what `not_yet` is given, and the keys of tables of mistakes; what an exercise's check
    computes is left out as "...".
    """
    tree = ast.parse(inspect.getsource(checks))
    tables = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Dict)
    }
    function = next(node for node in tree.body if getattr(node, "name", "") == f"exercise_{number}")
    found: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "not_yet":
            found += map(_sentence, node.args)
        table = tables.get(node.id) if isinstance(node, ast.Name) and node.id != "WRONG" else node
        if isinstance(table, ast.Dict):
            found += map(_sentence, filter(None, table.keys))
    sentences = [each for each in found if " " in each and not each.startswith("expected")]
    return list(dict.fromkeys(sentences))


def _sentence(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "..." for each in node.values)
    return ""


def _kept(part: Part, name: str) -> Section | None:
    return None if name in part.left_out else part.outline.section(name)
