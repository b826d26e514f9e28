"""Pages to look things up: glossary, who reads what, surprises, findings, plan; and `tiny.py`, line by line."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tutorial_zarr.gallery import glossary, index
from tutorial_zarr.gallery.article_form import front_matter
from tutorial_zarr.gallery.catalogue import CLONE
from tutorial_zarr.gallery.site import annotated, surprises
from tutorial_zarr.gallery.site.markup import anchor, code, plain, words
from tutorial_zarr.gallery.site.pages import File, Page, Site, article_path, lesson_path
from tutorial_zarr.gallery.workshop import plan as plans
from tutorial_zarr.interop import changes, defects, lint, survey
from tutorial_zarr.words import count

FINDINGS = CLONE / "findings"
PART = re.compile(r"(Versions|Input|Seen|Why it matters|Why)(?::\s+|\s{2,})(.*)")
# The elements of the matrix, in the order of a reader's questions: heading -> categories.
ELEMENTS = {
    "Formats and layouts": ("format", "grid", "keys", "layout", "groups", "names", "attributes"),
    "Types of numbers and text": ("type", "field", "struct", "time", "endian"),
    "Codecs of Zarr 3": ("codec", "cast"),
    "Codecs and filters of Zarr 2": ("codec2",),
    "Inside Blosc": ("blosc",),
    "Fill values and bits": ("fill", "data"),
}
OURS = "tutorial-zarr"


def pages(site: Site) -> Iterator[Page | File]:
    """The pages of reference."""
    yield from annotated.page(site)
    yield _glossary(site)
    yield _implementations(site)
    yield surprises.page(survey.stored_table())
    yield _findings(site)
    yield _plan(site)
    yield _workshop(site)


def _lessons(site: Site, ids: Any) -> list[dict[str, str]]:
    """Lessons by id: `id`, `title`, and the address of the page, "" where the site has none."""
    here = {notebook.id for notebook in site.notebooks}
    return [
        {"id": each, "title": lesson.title, "path": lesson_path(lesson) if each in here else ""}
        for each in ids
        if (lesson := site.lessons.get(each))
    ]


# --- The glossary


def _glossary(site: Site) -> Page:
    found = glossary.Glossary(site.lessons.values())
    terms: list[dict[str, Any]] = []
    for name, term in sorted(found.terms.items()):
        first = [key for key, defined in found.defined.items() if term in defined]
        others = [key for key in found.notebooks if name in found.used[key] and key not in first]
        terms.append({"anchor": name, "term": term, "first": _lessons(site, first), "others": _lessons(site, others)})
    return Page(
        "glossary.html",
        "Glossary",
        f"The {len(terms)} terms of the field, each defined once, with the lesson that introduces it.",
        "glossary.html",
        {"terms": terms, "letters": _letters(terms)},
        tuple((each["anchor"], f"{each['term'].name}: {each['term'].text}") for each in terms),
    )


def _letters(terms: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The first term of each letter."""
    first: dict[str, str] = {}
    for each in terms:
        first.setdefault(each["term"].name[0].upper(), each["anchor"])
    return list(first.items())


# --- Who reads what


def _implementations(site: Site) -> Page:
    matrix = lint.stored_matrix()
    readers = [name for name in matrix.marks if name != OURS]
    blamed = {name: _blamed(matrix, name) for name in readers}
    peers = matrix.data["peers"]
    groups = []
    for heading, categories in ELEMENTS.items():
        names = [e for category in categories for e in matrix.data["elements"] if e.startswith(category + ":")]
        rows = [
            (
                re.sub("^the (codec |type )?", "", changes.words(e)),
                [_cell(matrix, one, e, blamed[one]) for one in readers],
            )
            for e in names
        ]
        groups.append({"title": heading, "anchor": anchor(heading), "rows": rows})
    known = sorted(
        (peers[each.peer]["title"], each.version, each.cause)
        for each in defects.DEFECTS
        if each.side == defects.READS and each.peer in peers
    )
    return Page(
        "implementations.html",
        "Who reads what",
        f"What {len(readers)} programs read of {len(matrix.cases):,} stores, in both formats; tried, not looked up.",
        "implementations.html",
        {
            "date": matrix.data["date"],
            "platform": matrix.data["platform"],
            "cases": len(matrix.cases),
            "readers": [_reader(matrix, name) for name in readers],
            "groups": groups,
            "known": known,
            "lesson": _lessons(site, ["01_05"]),
        },
        tuple((anchor(title), f"{title}: {cause}") for title, _, cause in known),
    )


def _reader(matrix: lint.Matrix, name: str) -> dict[str, Any]:
    """How a reader did: its title and version, and how many stores came to what."""
    peer, marks = matrix.data["peers"][name], Counter(matrix.marks[name])
    read, wrong = marks["="] + marks["~"], marks["X"] + marks["!"] + marks["t"]
    version = next(iter(peer["versions"].items()))
    return {
        "title": peer["title"],
        "version": " ".join(version),
        "read": read,
        "refused": sum(marks.values()) - read - wrong,
        "share": round(1000 * read / len(matrix.cases)) / 10,
        "bad": max(round(1000 * wrong / len(matrix.cases)) / 10, 0.6 * bool(wrong)),  # so that it can be seen
        "wrong": wrong,
    }


def _blamed(matrix: lint.Matrix, reader: str) -> dict[str, set[str]]:
    """The elements that a reader has and on which it fails nevertheless -> the marks of these failures.

    Looked at are stores with nothing that it lacks. In each that fails, the element that fails most often is blamed.
    """
    having = {n for n, elements in enumerate(matrix.cases) if all(matrix.reads(reader, [e]) for e in elements)}
    failed = {n for n in having if matrix.marks[reader][n] not in "=~"}
    stores, failures = (Counter(e for n in each for e in matrix.cases[n]) for each in (having, failed))
    rate = {element: failures[element] / stores[element] for element in failures}
    found: dict[str, set[str]] = {}
    for n in failed:
        worst = max(rate[e] for e in matrix.cases[n])
        for element in (e for e in matrix.cases[n] if rate[e] == worst):
            found.setdefault(element, set()).add(matrix.marks[reader][n])
    return found


def _cell(matrix: lint.Matrix, reader: str, element: str, blamed: dict[str, set[str]]) -> tuple[str, str]:
    """What a reader makes of stores with an element: a word, and the numbers behind it.

    "wrong" if it reads none right, and one wrong; "some" if the element is to blame where others of its stores fail.
    """
    tried = matrix.tried(reader, [element])
    marks = Counter(matrix.marks[reader][n] for n in tried)
    read, wrong = marks["="] + marks["~"], marks["X"]
    if not tried:
        return "", "not tried"
    said = f"{read} of {count(len(tried), 'stores')} read" + (f", {wrong} read wrong" if wrong else "")
    if not read:
        return ("wrong" if wrong else "no"), said
    left = blamed.get(element, set())
    return ("some*" if "X" in left else "some" if left else "yes"), said


# --- The findings


def _findings(site: Site) -> Page:
    found = [_finding(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FINDINGS.glob("*.sh"))]
    return Page(
        "findings.html",
        "Findings",
        "What we saw other programs do to data without a word, each with a script that shows it.",
        "findings.html",
        {"findings": found},
        tuple((each["anchor"], f"{each['title']} {plain(each['parts'].get('Seen', ''))}") for each in found),
    )


def _finding(name: str, script: str) -> dict[str, Any]:
    """A script's head: its statement, then parts that begin with a word of `PART`; lines below belong to the part."""
    head = re.match(r"#!.*\n((?:#.*\n)+)", script)
    lines = head[1].splitlines() if head else []
    said: dict[str, list[str]] = {"": []}
    part = ""
    for line in (line.removeprefix("#").removeprefix(" ") for line in lines):
        if begun := PART.match(line):
            part = begun[1]
            said[part] = [begun[2]]
        elif line.startswith("Fails (exit 1)"):
            break
        else:
            said[part].append(line)
    title = " ".join(" ".join(said.pop("")).split())
    return {
        "anchor": anchor(name.replace("_", " ")),
        "name": name.replace("_", " "),
        "title": title,
        "parts": {part: _part(lines) for part, lines in said.items()},
        "script": code(script),
    }


def _part(lines: list[str]) -> str:
    """HTML of a part: its words in a row; or its lines as they are, where columns stand in them."""
    rest = [line for line in lines[1:] if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    stripped = [lines[0], *(line[indent:] for line in rest)]
    if any("  " in line.strip() for line in stripped):
        return code("\n".join(stripped))
    return f"<p>{words(' '.join(line.strip() for line in stripped))}</p>"


# --- The plan


def _plan(site: Site) -> Page:
    stories = {int(path.name[:2]): path for path in site.articles}
    topics: list[dict[str, Any]] = []
    notebooks: list[dict[str, Any]] = []
    for row in csv.DictReader(index.PLAN.read_text(encoding="utf-8").splitlines()):
        story = stories.get(int(row["article"] or 0))
        lesson = _lessons(site, [row["lesson"]])
        entry = {
            "number": row["article"],
            "topic": row["topic"],
            "lesson": lesson[0] if lesson else None,
            "article": story and {"title": _title(story), "path": article_path(story)},
        }
        (topics if row["article"] else notebooks).append(entry)
    return Page(
        "plan.html",
        "The plan",
        f"{len(topics)} topics and {len(notebooks)} notebooks that the project set out to write, and what they became.",
        "plan.html",
        {"topics": topics, "notebooks": notebooks},
        tuple(("", f"{each['topic']}") for each in [*topics, *notebooks]),
    )


def _title(path: Any) -> str:
    return front_matter(path.read_text(encoding="utf-8"))[0].get("title", path.stem)


# --- The workshop


def _workshop(site: Site) -> Page:
    shown: list[dict[str, Any]] = []
    read = {file.stem: plans.read(file) for file in sorted(plans.PLANS.glob("*.toml"))}
    for name, plan in sorted(read.items(), key=lambda each: each[1].minutes):
        rows = [
            {
                "clock": plan.clock(part.begin),
                "minutes": part.minutes,
                "title": part.title,
                "text": part.text,
                "pause": part.pause,
                "lesson": next(iter(_lessons(site, [part.lesson])), None),
            }
            for part in plan.parts
        ]
        shown.append({"name": name, "title": plan.title, "slack": plan.slack, "rows": rows})
    return Page(
        "workshop.html",
        "Teach with it",
        "A workshop on Zarr from a plan in one file: kit, notes for the teacher, slides, and a board of who is where.",
        "workshop.html",
        {"plans": shown},
        tuple((each["name"], each["title"]) for each in shown),
    )
