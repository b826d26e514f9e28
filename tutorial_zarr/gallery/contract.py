"""The contract of a notebook: what every one of them has, and in which order. `check` lists what breaks it.

Whether a notebook runs is `runner`'s business, and whether its stored outputs still hold is nbval's; this
reads files and runs nothing.
"""

from __future__ import annotations

import ast
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery import bridges, index
from tutorial_zarr.gallery.article_form import WORDS_A_MINUTE
from tutorial_zarr.gallery.articles import all_numbers, check_articles, fits, numbers_in
from tutorial_zarr.gallery.catalogue import NOTEBOOKS, TO_WRITE, Notebook, list_notebooks, passport, select
from tutorial_zarr.gallery.exercises import NOT_YET, checks_of, numbers
from tutorial_zarr.gallery.glossary import FILE, Glossary
from tutorial_zarr.gallery.pictures import faults, figures
from tutorial_zarr.gallery.series import select_articles
from tutorial_zarr.gallery.source import clean, dumps, loads, read_source, tags

MAKE_GLOSSARY, MAKE_INDEX = "tutorial-zarr gallery glossary", "tutorial-zarr gallery index"
Problem = tuple[str, str]  # where, what
Cells = list[dict[str, Any]]

# The sections, each known by the tag of the cell that begins it: its heading where that is the same everywhere, or
# None where it says what this section says. Those of OPTIONAL are there where they earn their place.
SECTIONS = {
    "section-parameters": "Parameters",
    "section-data": None,
    "section-idea": None,
    "section-build": None,
    "section-library": None,
    "section-bytes": None,
    "section-others": None,
    "section-operations": None,
    "section-wrong": None,
    "section-predict": None,
    "section-exercises": "Exercises",
    "section-bridge": "In zarr-python, xarray and Dask",
    "section-recap": "Recap",
    "section-solutions": "Solutions",
}
OPTIONAL = {"section-data", "section-bytes", "section-others", "section-operations"}
SETUP_SECTIONS = ("section-parameters", "section-recap")  # part 00 sets up and teaches nothing
SAID_ENOUGH = {  # headings that say nothing of what follows
    "The data",
    "The idea",
    "Build it small",
    "The library's version",
    "Look at the bytes",
    "Check against others",
    "Performance and operations",
    "What goes wrong",
    "Change one thing, predict first",
}
PASSPORT = ("Level", "Time", "Needs", "Code", "Article", "Data")
PARAMETERS = ("seed", "quick", "workers", "out_dir", "zarr_format")
MAX_CODE_CELLS, MAX_CODE_LINES, MAX_WORDS = 40, 15, 110  # of what stands open
FIRST_SCREEN = 200  # words before the passport
# Minutes of a careful reader, besides those for words: open lines in a minute, and minutes for figures and exercises.
LINES_A_MINUTE, FIGURE, EXERCISE, CODE_EXERCISE = 12, 0.5, 3, 6
READING = 3  # links to read further
# What folds a cell away: the tag is for a site, the other for JupyterLab.
FOLDS = {"hide-input": "source_hidden", "hide-cell": "source_hidden", "remove-cell": "source_hidden",
         "hide-output": "outputs_hidden"}  # fmt: skip
# Words that stop a reader, and what to write instead; a warning, as some of them are right at times.
STOPPING = {
    r"\bforet(?:ell|old)\w*": "predict",
    r"\banew\b": "again",
    r"\bunder way\b": "in flight",
    r"\bdear(?:er|est)?\b": "expensive",
    r"\bquarrel\w*": "pull in opposite directions",
    r"^Who(?:ever)? .* (?:comes|waits|wins)\b": "a subject that is named",
    r"\bsize of (?:a )?chunk": "chunk size",
    r"\bso many\b(?! requests)": "the number",
    r", as (?:it|he|they|this)\b(?! should)": "because",
}

# Lines for a shell or for Jupyter, and not for Python.
NOT_PYTHON = re.compile(r"^\s*[!%].*$", re.MULTILINE)
# Folders of somebody's machine. A store's keys and a URL's path do not begin like this.
ABSOLUTE = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|var|private|opt|mnt|work)/|\b[A-Z]:\\\\?\w")
# Pictographs; the stars of the levels, arrows and box-drawing characters are text.
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u2604\u2607-\u27bf\ufe0f]")


def check(ids: Iterable[str] | None = None, folder: Path | None = None) -> list[dict[str, str]]:
    """Everything that breaks the contract, as dicts with `id`, `where` and `problem`; `ids` of None means
    all.

    With all notebooks their articles are checked as well.
    """
    glossary = Glossary(list_notebooks(folder))
    found = [
        {"id": notebook.id, "where": where, "problem": problem}
        for notebook in select(ids, folder)
        for where, problem in _problems(notebook, glossary)
    ]
    if ids:
        return found
    pages = {
        FILE: (glossary.page(), f"what the lessons define; try: {MAKE_GLOSSARY}"),
        index.FILE: (
            index.page(list_notebooks(folder), select_articles(folder=folder)),
            f"the lessons; try: {MAKE_INDEX}",
        ),
    }
    for name, (text, wanted) in pages.items():
        page = Path(folder or NOTEBOOKS) / name
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            found.append({"id": name, "where": "page", "problem": f"expected {wanted}"})
    return found + check_articles(folder=folder)


def _problems(notebook: Notebook, glossary: Glossary) -> Iterator[Problem]:
    cells = read_source(notebook.path)["cells"]
    yield from _passport(notebook)
    yield from _prerequisites(notebook, glossary.notebooks)
    yield from _same_headings(notebook.id, glossary)
    if not notebook.id.startswith("00"):
        yield from glossary.problems(notebook.id)
        yield from _bridge(notebook, cells)
        yield from _reading(notebook, cells)
    yield from _unfinished(notebook, cells)
    yield from _source(notebook, cells)
    yield from _first_screen(notebook, cells)
    yield from _folded(notebook, cells)
    yield from _exercises(notebook, cells)
    broken = list(_built(notebook, cells))
    yield from broken
    if any("in JSON" in problem for _, problem in broken):
        return  # it has no pictures that could be looked at
    if not notebook.id.startswith("00"):
        yield from _minutes(notebook, cells)
    yield from ((figure.where, fault) for figure in figures(notebook) for fault in faults(figure.data))


def _passport(notebook: Notebook) -> Iterator[Problem]:
    rows, root = passport(notebook.head), notebook.path.parents[2]
    if not notebook.title:
        yield "head", "expected a title, '# ...', in the first cell"
    if not notebook.question.endswith("?"):
        yield "head", "expected a line '**Question.** ...?' in the first cell"
    for name in PASSPORT:
        if name not in rows:
            yield "passport", f"expected a row '{name}'"
    if not re.match(r"★{1,3} (beginner|intermediate|advanced)$", notebook.level):
        yield (
            "passport",
            f"Level: expected one to three stars and a word, such as '★ beginner', found {notebook.level!r}",
        )
    if not notebook.minutes:
        yield "passport", "Time: expected a number of minutes"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", notebook.head):
        if not (notebook.path.parent / target).exists():
            yield "head", f"the link to {target} leads nowhere"
    for code in re.findall(r"`((?:tutorial_zarr|data_gen)/[^`]+)`", rows.get("Code", "") + rows.get("Data", "")):
        if not (root / code).exists():
            yield "passport", f"there is no {code}"
    if "**You will be able to**" not in notebook.head:
        yield "head", "expected a list under '**You will be able to**'"


def warnings(ids: Iterable[str] | None = None, folder: Path | None = None) -> list[dict[str, str]]:
    """Words in the prose of notebooks and their articles that stop a reader, as dicts like those of `check`."""
    found = []
    for notebook in select(ids, folder):
        article = re.search(r"\(([^)]+\.md)\)", passport(notebook.head).get("Article", ""))
        texts = {_first_line(c["source"]): c["source"] for c in read_source(notebook.path)["cells"]
                 if c["cell_type"] == "markdown"}  # fmt: skip
        if article and (notebook.path.parent / article[1]).is_file():
            texts[Path(article[1]).name] = (notebook.path.parent / article[1]).read_text(encoding="utf-8")
        for (where, text), (words, instead) in itertools.product(texts.items(), STOPPING.items()):
            prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
            for match in re.finditer(words, prose, re.MULTILINE):
                problem = f"found {_around(prose, match)}; try {instead!r}"
                found.append({"id": notebook.id, "where": where, "problem": problem})
    return found


def _first_screen(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    """The first cell belongs to the reader: a title, one question, a picture, why it matters."""
    first = cells[0]["source"] if cells else ""
    words = len(seen(first).split())
    if words > FIRST_SCREEN:
        yield "first screen", f"expected at most {FIRST_SCREEN} words in the first cell, found {words}"
    if "|---|" in first:
        yield "first screen", "expected the passport in a cell of its own, found it in the first"
    if not notebook.id.startswith("00"):
        if "![" not in first:
            yield "first screen", "expected a picture in the first cell"
        if not re.sub(r"^(?:#.*|\*\*Question.*|!.*|\*.*)$", "", first, flags=re.MULTILINE).strip():
            yield "first screen", "expected a sentence or two on why it matters in the first cell"
        if len(cells) < 2 or not cells[1]["source"].startswith("<details>"):
            yield "first screen", "expected the passport in the second cell, in <details>"


def _folded(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    """What a reader did not come for is folded away, on a site (tags) and in JupyterLab (metadata)."""
    for number, (section, cell) in enumerate(by_section(cells), 1):
        if cell["cell_type"] != "code":
            continue
        folds = {FOLDS[tag] for tag in tags(cell) & set(FOLDS)}
        hidden = {name for name, on in cell["metadata"].get("jupyter", {}).items() if on}
        if folds != hidden:
            found = f"{sorted(folds)}, {sorted(hidden)}"
            yield f"cell {number}", f"expected the same in tags and in jupyter=, found {found}"
        wanted = {
            "source_hidden": "facts" in tags(cell)
            or (section == "section-parameters" and not notebook.id.startswith("00")),
            "outputs_hidden": section == "section-predict",
        }
        for name, needed in wanted.items():
            if needed and name not in hidden:
                tag = next(tag for tag, fold in FOLDS.items() if fold == name)
                yield f"cell {number}", f'expected tags=["{tag}"] jupyter={{"{name}": true}}, found it open'


def _prerequisites(notebook: Notebook, everything: dict[str, Notebook]) -> Iterator[Problem]:
    for need in notebook.needs:
        if need not in everything:
            yield "passport", f"Needs: there is no notebook {need}"
    seen, todo = set(), list(notebook.needs)
    while todo:
        need = todo.pop()
        if need == notebook.id:
            yield "passport", "Needs: following the prerequisites leads back to this notebook"
            return
        if need in everything and need not in seen:
            seen.add(need)
            todo += everything[need].needs


def _unfinished(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    """What still waits for its author, section by section, and then in the files beside the notebook."""
    section = "head"
    for cell in cells:
        for line in cell["source"].splitlines():
            if cell["cell_type"] == "markdown" and (heading := re.match(r"##+ (.+)$", line)):
                section = heading[1]
            if found := TO_WRITE.search(line):
                yield f"section {section!r}", f"unfinished: {found[0]}"
    root = notebook.path.parents[2]
    beside = {"known answers": root / "tests" / "known_answers" / f"test_{notebook.id}.py"}
    if not notebook.id.startswith("00"):
        beside["exercises"] = root / "tutorial_zarr" / "gallery" / "exercises" / f"x{notebook.id}.py"
    for where, path in beside.items():
        if not path.is_file():
            yield where, f"expected the file {path.relative_to(root).as_posix()}"
        elif found := TO_WRITE.search(path.read_text(encoding="utf-8")):
            yield where, f"unfinished: {found[0]}"


def _source(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    markdown = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]

    yield from _sections(notebook, cells)
    if sum(text.startswith("# ") for text in markdown) != 1:
        yield "sections", "expected one heading of the first level, the title"

    shown = sum(not cell["metadata"].get("jupyter", {}).get("source_hidden") for cell in code)
    if shown > MAX_CODE_CELLS:
        yield "length", f"expected at most {MAX_CODE_CELLS} code cells that stand open, found {shown}"
    for number, cell in enumerate(code, 1):
        lines = len(cell["source"].splitlines())
        if lines > MAX_CODE_LINES and "facts" not in tags(cell):
            yield f"code cell {number}", f"expected at most {MAX_CODE_LINES} lines, found {lines}"
        if found := NOT_PYTHON.search(cell["source"]):
            yield (
                f"code cell {number}",
                f"expected Python only, found {found[0].strip()!r}; a notebook installs and downloads nothing",
            )
    for text in markdown[1:]:
        if text.startswith("## Recap"):
            continue
        words = len(seen(text).split())
        if words > MAX_WORDS:
            yield _first_line(text), f"expected at most {MAX_WORDS} words in a cell, found {words}"

    parameters = sum("parameters" in tags(cell) for cell in code)
    if parameters != 1:
        yield "parameters", f"expected one cell with the tag 'parameters', found {parameters}"
    else:
        missing = sorted(set(PARAMETERS) - parameter_names(cells))
        if missing:
            yield "parameters", f"expected the standard parameters as well: {', '.join(missing)}"

    text = "\n\n".join(cell["source"] for cell in cells)
    if found := ABSOLUTE.search(text):
        yield "source", f"expected no path of a machine, found {_around(text, found)}"
    if found := EMOJI.search(text):
        yield "source", f"expected no emoji, found {_around(text, found)}"
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
        if len(alt) < 20:
            yield target, "expected a description of the figure between the brackets"

    objectives = len(re.findall(r"^- ", notebook.head.partition("**You will be able to**")[2], re.MULTILINE))
    recap = "\n\n".join(markdown).partition("## Recap")[2].partition("\n## ")[0]
    answers = len(re.findall(r"^- ", recap.partition("**Open questions.**")[0], re.MULTILINE))
    if objectives == 0 or objectives != answers:
        yield (
            "recap",
            f"expected a point for each of the {objectives} things promised at the head, found {answers}",
        )
    if not notebook.id.startswith("00"):
        for name in ("**Open questions.**", "**To read further.**", "**Next.**"):
            if name not in recap:
                yield "recap", f"expected a paragraph {name}"


def by_section(cells: Cells) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each cell with the tag of the section that it stands in; "" before the first."""
    section = ""
    for cell in cells:
        section = next(iter(tags(cell) & set(SECTIONS)), section)
        yield section, cell


def _sections(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    """Each section once or more, in order, begun by a heading that says something."""
    wanted = SETUP_SECTIONS if notebook.id.startswith("00") else tuple(SECTIONS)
    present = []
    for cell in cells:
        headings = re.findall(r"^## (.+)$", cell["source"], re.MULTILINE) if cell["cell_type"] == "markdown" else []
        found = sorted(tags(cell) & set(SECTIONS))
        if len(headings) > 1 or len(found) > 1 or (bool(headings) != bool(found) and wanted is not SETUP_SECTIONS):
            where = headings[0] if headings else _first_line(cell["source"])
            yield f"section {where!r}", f"expected one heading and one tag of a section, found {headings} and {found}"
        present += found
        for heading in headings:
            fixed = SECTIONS[found[0]] if found else None
            if fixed and heading != fixed:
                yield f"section {heading!r}", f"expected the heading {fixed!r}, as in all lessons"
            if heading in SAID_ENOUGH:
                yield f"section {heading!r}", "expected a heading that says what this section says, not this one"
    for name in wanted:
        if name not in present and name not in OPTIONAL:
            yield "sections", f"expected a heading in a cell with the tag {name!r}"
    if present != sorted(present, key=tuple(SECTIONS).index):
        yield "sections", f"expected them in this order: {', '.join(SECTIONS)}; found {', '.join(present)}"


def _same_headings(lesson: str, glossary: Glossary) -> Iterator[Problem]:
    """Headings of a lesson that stand in an earlier one as well."""
    seen: dict[str, str] = {}
    for other, text in glossary.texts.items():
        for heading in re.findall(r"^## (.+)$", text, re.MULTILINE):
            first = seen.setdefault(heading, other)
            if first != other == lesson and heading not in SECTIONS.values():
                yield f"section {heading!r}", f"expected a heading of its own, found the one of {first}"


def _bridge(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    text = "\n\n".join(cell["source"] for cell in cells if "section-bridge" in tags(cell))
    for problem in bridges.problems(text, notebook.path.parents[2]):
        yield "bridge", problem


def _reading(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    recap = "\n\n".join(cell["source"] for cell in cells if "section-recap" in tags(cell))
    further = recap.partition("**To read further.**")[2].partition("**Next.**")[0]
    links = re.findall(r"^- \[[^\]]+\]\(https://[^)\s]+\): (.+(?:\n  .+)*)", further, re.MULTILINE)
    described = sum(len(words.split()) >= 4 for words in links)
    if described < READING:
        yield (
            "recap",
            f"expected {READING} described links to read further, '- [Title](https://...): ...', found {described}",
        )
    if not re.search(r"\]\([^)]*\.(?:ipynb|md)\)", recap.partition("**Next.**")[2]):
        yield "recap", "expected a link to the next lesson after **Next.**, found none"


def seen(text: str) -> str:
    """What a reader reads of a text of Markdown: no code, tables, pictures, targets of links or folded parts."""
    text = re.sub(r'\]\([^\s)]*(?:\s+"[^"]*")?\)', "]", text)
    return re.sub(r"<details>.*?</details>|!\[.*?\]|^\|[^\n]*$|```.*?```", "", text, flags=re.DOTALL | re.MULTILINE)


def minutes(cells: Cells, checks: Any, pictures: int) -> int:
    """The minutes of a careful reader, exercises included, in steps of five; `pictures` is the number of figures."""
    exact = reading_minutes(cells, pictures) + sum(exercise_minutes(checks).values())
    return 5 * math.ceil(exact / 5)


def reading_minutes(cells: Cells, pictures: int) -> float:
    """The minutes for the words, open lines and figures of some cells."""
    text = "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    lines = sum(
        len(cell["source"].splitlines())
        for cell in cells
        if cell["cell_type"] == "code" and not cell["metadata"].get("jupyter", {}).get("source_hidden")
    )
    return len(seen(text).split()) / WORDS_A_MINUTE + lines / LINES_A_MINUTE + FIGURE * pictures


def exercise_minutes(checks: Any) -> dict[str, int]:
    """The minutes of each exercise, by its number; one that asks for a function takes longer."""
    return {number: CODE_EXERCISE if callable(checks.WRONG.get(number)) else EXERCISE for number in numbers(checks)}


def _minutes(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    checks = checks_of(notebook.id)
    if checks is None or not notebook.ipynb.is_file():
        return  # said elsewhere
    wanted = minutes(cells, checks, len(list(figures(notebook))))
    if notebook.minutes != wanted:
        yield (
            "passport",
            f"Time: expected {wanted} minutes, by its words, code, figures and exercises, found {notebook.minutes}",
        )


def _exercises(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    if notebook.id.startswith("00"):
        return
    checks = checks_of(notebook.id)
    if checks is None:
        yield "exercises", f"expected their checks in tutorial_zarr/gallery/exercises/x{notebook.id}.py"
        return
    text = "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    if len(numbers(checks)) < 2:
        yield "exercises", f"expected at least two, found {len(numbers(checks))}"
    if not any(callable(wrong) for wrong in checks.WRONG.values()):
        yield "exercises", "expected one that asks for a function, with a wrong one in WRONG, found none"
    for number in numbers(checks):
        name = f"{notebook.id}.{number}"
        section = text.partition(f"### Exercise {name}")[2].partition("\n### ")[0].partition("\n## ")[0]
        if not section:
            yield "exercises", f"expected a heading '### Exercise {name}', as there is a check for it"
        elif "<summary>Hint" not in section:
            yield f"exercise {name}", "expected a hint in <details><summary>Hint</summary>"
        for tag in ("exercise", "solution"):
            if not any(tag in tags(cell) and f'check("{name}", ' in cell["source"] for cell in cells):
                yield (
                    f"exercise {name}",
                    f"expected a code cell with the tag '{tag}' that calls check(\"{name}\", ...)",
                )
        if number not in checks.WRONG:
            yield f"exercise {name}", "expected a plausible wrong answer in WRONG, for the tests"


def _built(notebook: Notebook, cells: Cells) -> Iterator[Problem]:
    rebuild = f"try: tutorial-zarr gallery build {notebook.id}"
    if not notebook.ipynb.is_file():
        yield "notebook", f"expected {notebook.ipynb.name} beside the source; {rebuild}"
        return
    text = notebook.ipynb.read_text(encoding="utf-8")
    try:
        built = loads(text)
        if dumps(clean(built)) != text:
            yield (
                "notebook",
                f"expected the form that the build gives it, found other ids, times or metadata; {rebuild}",
            )
    except (ValueError, KeyError, TypeError) as error:
        yield "notebook", f"expected a notebook in JSON, found something else ({error}); {rebuild}"
        return
    parts = ("cell_type", "id", "metadata", "source")
    if [[cell[part] for part in parts] for cell in cells] != [
        [cell[part] for part in parts] for cell in built["cells"]
    ]:
        yield "notebook", f"expected the same cells as in {notebook.path.name}, found others; {rebuild}"

    code = [cell for cell in built["cells"] if cell["cell_type"] == "code"]
    if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)):
        yield "outputs", f"expected every code cell to be executed, in order; {rebuild}"
    for number, cell in enumerate(code, 1):
        for where, problem in _outputs(cell):
            yield f"code cell {number}{where}", problem
    if found := ABSOLUTE.search(text):
        yield "outputs", f"expected no path of a machine, found {_around(text, found)}"
    if found := EMOJI.search(text):
        yield "outputs", f"expected no emoji, found {_around(text, found)}"

    try:
        facts = json.loads(notebook.facts.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield "facts", f"expected {notebook.facts.name} beside the source, in JSON ({error}); {rebuild}"
        return
    if not isinstance(facts, dict) or not facts:
        yield (
            "facts",
            f"expected at least one fact in {notebook.facts.name}; call save_facts in the last cell",
        )
    if not notebook.id.startswith("00"):
        yield from _numbers(built["cells"], facts)


def _numbers(cells: Cells, facts: Any) -> Iterator[Problem]:
    """A number in the prose stands in the code, in an output, or among the facts, rounded as it is written."""
    code = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = [output.get("text") or str(output.get("data", {}).get("text/plain", "")) for output in outputs]
    printed = re.sub(r"(?<=\d)[,_](?=\d)", "", "\n".join([code, *shown]))
    known = [*all_numbers(facts)]
    for section, cell in by_section(cells):
        text = re.sub(r"<details>.*?</details>|^\|[^\n]*$", "", cell["source"], flags=re.DOTALL | re.MULTILINE)
        if cell["cell_type"] == "code" or section in ("section-exercises", "section-solutions"):
            continue
        for number in numbers_in(text):
            plain = re.escape(number.replace(",", ""))
            if not re.search(rf"(?<![\d.]){plain}(?!\d|\.\d)", printed) and not any(fits(number, x) for x in known):
                yield (
                    _first_line(text),
                    f"expected {number} in the code, the outputs or the facts, found it in prose alone",
                )


def _outputs(cell: dict[str, Any]) -> Iterator[Problem]:
    if cell["outputs"] and cell["metadata"].get("jupyter", {}).get("outputs_hidden"):
        output = cell["outputs"][0]  # of an output that waits for a guess JupyterLab shows the first line
        first = str(output.get("text") or output.get("data", {}).get("text/plain", "")).partition("\n")[0]
        if re.search(r"\d", first):
            yield "", f"expected a first line that gives nothing away, found {first!r}; print a line without a number"
    for output in cell["outputs"]:
        kind = output["output_type"]
        if kind == "error":
            yield "", f"expected no error, found {output['ename']}; catch what is meant to fail, and print it"
        if kind == "stream" and output["name"] == "stderr":
            yield "", f"expected no warning, found {_first_line(output['text'])}"
        if "solution" in tags(cell) and NOT_YET in output.get("text", ""):
            yield "", f"expected a solution that its check accepts, found {output['text'].strip()}"
        data = output.get("data", {})
        words = str(data.get("text/plain", ""))
        if re.search(r" at 0x[0-9a-f]{6,}", words + output.get("text", "")):
            yield "", "expected the same output on every run, found the address of an object"
        if any(mime.startswith("image/") for mime in data) and (len(words) < 20 or words.startswith("<")):
            yield "", "expected a description beside the figure; show a viz.Picture, which brings its own"


def parameter_names(cells: Cells) -> set[str]:
    """The parameters of a notebook: the names that its cell with the tag "parameters" assigns."""
    code = "\n".join(cell["source"] for cell in cells if "parameters" in tags(cell))
    targets = [node.targets[0] for node in ast.parse(code).body if isinstance(node, ast.Assign)]
    names = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {name.id for name in names if isinstance(name, ast.Name)}


def _first_line(text: str) -> str:
    return repr(text.strip().partition("\n")[0])


def _around(text: str, match: re.Match[str]) -> str:
    return repr(text[max(match.start() - 20, 0) : match.end() + 20])
