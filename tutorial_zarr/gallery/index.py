"""The index of the gallery, ``notebooks/README.md``: each lesson with its question, and what became of the plan.

`plan.csv` holds what the project set out to write: forty articles, each with a lesson, and thirteen notebooks.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from tutorial_zarr.gallery.article_form import front_matter
from tutorial_zarr.gallery.catalogue import Notebook, passport
from tutorial_zarr.gallery.series import AREAS

FILE = "README.md"
PLAN = Path(__file__).with_name("plan.csv")


def page(notebooks: Sequence[Notebook], articles: Sequence[Path]) -> str:
    """The index in Markdown."""
    lessons = {notebook.id: notebook for notebook in notebooks}
    stories = {int(path.name[:2]): path for path in articles}
    minutes = sum(notebook.minutes for notebook in notebooks)
    lines = [
        "# The gallery",
        "",
        f"{len(notebooks)} notebooks, {minutes // 60} hours with all exercises, one question each. Begin with 01_01.",
        "[GLOSSARY.md](GLOSSARY.md) has the terms, and [the articles](../articles/README.md) tell the lessons.",
    ]
    for area, parts in AREAS.items():
        lines += ["", f"## {area}", "", "| | question | level | minutes | article |", "|---|---|---|---|---|"]
        lines += [
            f"| {_link(one)} | {one.question} | {one.level.split()[0]} | {one.minutes} | {_article(one)} |"
            for one in notebooks
            if one.id[:2] in parts
        ]
    lines += ["", "## The plan, and what became of it", "", "| | planned | lesson | article |", "|---|---|---|---|"]
    for row in csv.DictReader(PLAN.read_text(encoding="utf-8").splitlines()):
        lesson, story = lessons.get(row["lesson"]), stories.get(int(row["article"] or 0))
        told = f"[{_title(story)}](../articles/{story.name})" if story else "to come" if row["article"] else "-"
        lines.append(f"| {row['article']} | {row['topic']} | {_link(lesson) if lesson else 'to come'} | {told} |")
    return "\n".join(lines) + "\n\n*This page is written by* `tutorial-zarr gallery index`*.*\n"


def _link(notebook: Notebook) -> str:
    return f"[{notebook.id}]({notebook.path.parent.name}/{notebook.ipynb.name}) {notebook.title}"


def _article(notebook: Notebook) -> str:
    return passport(notebook.head).get("Article", "-").replace("../../articles/", "../articles/")


def _title(path: Path) -> str:
    return str(front_matter(path.read_text(encoding="utf-8"))[0].get("title", path.stem))
