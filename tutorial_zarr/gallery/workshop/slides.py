"""The slides of a plan: one page with every picture, question and prediction, and what to say beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tutorial_zarr.gallery.workshop.outline import Outline, Section
from tutorial_zarr.gallery.workshop.pages import head_picture, render, shown
from tutorial_zarr.gallery.workshop.plan import Part, Plan

# Sections without a slide of their own, whatever they show.
SILENT = {"head", "parameters", "predict", "exercises", "bridge", "recap"}


@dataclass(frozen=True)
class Slide:
    """A slide: its kind, its heading, Markdown, what is printed or pictures below, and notes for the speaker."""

    kind: str
    title: str
    text: str = ""
    pictures: list[str] = field(default_factory=list)
    printed: str = ""
    notes: str = ""


def page(plan: Plan) -> str:
    """The slides as one page of HTML."""
    return render("slides.html", plan=plan, slides=slides(plan))


def slides(plan: Plan) -> list[Slide]:
    """All slides of a plan, in order."""
    agenda = "\n".join(f"- {plan.clock(part.begin)} {part.title}" for part in plan.parts)
    found = [Slide("opening", plan.title, agenda)]
    for part in plan.parts:
        until = f"until {plan.clock(part.begin + part.minutes)}"
        if part.lesson:
            found += _lesson(part, until)
        else:
            found.append(Slide("pause" if part.pause else "activity", f"{part.title}, {until}", part.text))
    return found


def _lesson(part: Part, until: str) -> Iterator[Slide]:
    about = part.outline
    notebook, head = about.notebook, about.sections[0]
    why = re.sub(r"\*\*Question\.\*\*.*", "", head.text.split("<details>")[0])
    picture = head_picture(notebook.path, head.text)
    first = f"{notebook.id}, {part.minutes} minutes, {until}. {part.text}\n\n{why}"
    yield Slide(
        "question", f"{notebook.id} {notebook.title}", notebook.question, [picture] if picture else [], "", first
    )
    for section in about.sections:
        if section.name in part.left_out:
            continue
        if section.name == "predict":
            yield from _prediction(section)
        elif section.name not in SILENT:
            for picture in shown(section):
                yield Slide("picture", section.heading, "", [picture], "", section.text)
    yield from _exercises(about, part)
    if (recap := about.section("recap")) and "recap" not in part.left_out:
        yield Slide("recap", f"{notebook.id} in short", re.split(r"\n\n(?!- )", recap.text)[0])


def _prediction(section: Section) -> Iterator[Slide]:
    question, *more = section.text.split("\n\n")
    yield Slide("guess", section.heading, question, notes="Let everybody write a guess down before you go on.")
    yield Slide(
        "answer",
        "After your guess",
        "\n\n".join(more),
        shown(section),
        section.printed.removeprefix("After your guess:").strip(),
        "Ask who guessed it, and one who did not for the reason.",
    )


def _exercises(about: Outline, part: Part) -> Iterator[Slide]:
    for exercise in about.exercises:
        if part.exercises is None or exercise.name in part.exercises:
            name = f"Exercise {about.notebook.id}.{exercise.name}"
            yield Slide("exercise", f"{name}, {exercise.minutes} minutes", exercise.text, notes=exercise.hint)
