"""``tutorial-zarr gallery``: copy, make, list, run, build and check the notebooks; the students' versions.

What a notebook is, and how it runs, is in the modules beside this one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tutorial_zarr import gallery, words
from tutorial_zarr.cli.output import complain, json_option, print_json, print_table, print_text, progress_bar
from tutorial_zarr.cli.plans import stoppable
from tutorial_zarr.gallery import as_browser as table
from tutorial_zarr.gallery import contract, copies, glossary, grade, index, pictures, stored_outputs, student, template
from tutorial_zarr.gallery.catalogue import CLONE, NOTEBOOKS, ROOT, GalleryError, select
from tutorial_zarr.gallery.series import select_articles
from tutorial_zarr.words import plain


def command(click: Any) -> Any:
    """The click group ``gallery``."""
    ids = click.Argument(["ids"], nargs=-1, shell_complete=_ids)
    jobs = click.Option(["--jobs"], type=click.IntRange(min=1), default=1, help="Run so many at once.")
    full = click.Option(["--full"], is_flag=True, help="Use the large data instead of the quick ones.")
    formats = click.Choice(["2", "3", "both"])
    zarr_format = click.Option(["--zarr-format"], type=formats, help="Write this format, or each in turn.")
    out_dir = click.Option(["--out", "out_dir"], type=click.Path(), help="Keep the results in this folder.")
    resume = click.Option(["--resume"], is_flag=True, help="Leave out what ran to the end below --out before.")
    given = click.Option(["-p", "--parameter", "given"], nargs=2, multiple=True, help="A parameter and its value.")
    browser = click.Option(["--as-browser"], is_flag=True, help="Run them without what a browser lacks.")
    noted = click.Option(["--note"], is_flag=True, help="With --as-browser: note in the table who runs there.")
    outputs = click.Option(["--outputs"], is_flag=True, help="Run them as well, and compare what they print.")
    built = click.Option(["--site"], type=click.Path(), help="Check the site in this folder in place of the notebooks.")
    target = click.Option(
        ["--out", "out_dir"], type=click.Path(), default="student", help="Where to; default: student."
    )
    again = click.Option(["--overwrite"], is_flag=True, help="Replace notebooks in which somebody has worked.")
    place_to_run = click.Option(["--for", "where"], type=click.Choice(["colab"]), help="Make copies that run there.")
    repo_url = click.Option(["--repo-url"], help="The repository on GitHub from which Colab installs the package.")
    csv = click.Option(["--csv", "as_csv"], is_flag=True, help="Print CSV, a line for each exercise.")
    place = click.Option(["--in", "folder"], type=click.Path(), default=".", help="The folder; this one by default.")
    sheet = click.Option(["--sheet"], type=click.Path(dir_okay=False), help="Draw all of them on this PNG.")
    actions = {
        "copy": (copy, [click.Argument(["folder"], type=click.Path()), ids]),
        "new": (new, [click.Argument(["name"], metavar="ID"), click.Argument(["slug"])]),
        "list": (list_, []),
        "run": (run, [ids, full, zarr_format, out_dir, jobs, resume, given, browser, noted]),
        "build": (build, [ids, jobs]),
        "check": (check, [ids, outputs, built]),
        "figures": (figures, [ids, sheet]),
        "glossary": (glossary_, []),
        "index": (index_, []),
        "site": (
            site,
            [
                ids,
                click.Option(["--out", "out_dir"], type=click.Path(), default="out/site", help="Default: out/site."),
                click.Option(["--base-url"], help="The address at which the site will lie, for the feed and search."),
                click.Option(["--repo-url"], help="The address of the repository's files, for links to code."),
                click.Option(["--lite"], default="none", help="Run lessons in the browser: none, cdn, or a Pyodide."),
            ],
        ),
        "serve": (
            serve_,
            [
                click.Argument(["folder"], type=click.Path(), default="out/site", required=False),
                click.Option(["--port"], type=click.IntRange(0, 65535), default=0, help="A free one by default."),
            ],
        ),
        "student": (student_versions, [ids, target, again, place_to_run, repo_url]),
        "grade": (grade_, [click.Argument(["folder"], type=click.Path()), jobs, csv]),
        "reset": (reset, [click.Argument(["ids"], nargs=-1, required=True, shell_complete=_ids), place]),
    }
    return group(click, "gallery", actions, "Copy, make, list, run, build and check the notebooks.")


def _ids(context: Any, argument: Any, begun: str) -> list[str]:
    """The ids that a shell completes."""
    return [notebook.id for notebook in gallery.list_notebooks() if notebook.id.startswith(begun)]


def group(click: Any, name: str, actions: Mapping[str, tuple[Any, list[Any]]], purpose: str) -> Any:
    """A click group: name -> (callback, parameters); each command has --json as well."""
    commands = [
        click.Command(name, params=[*params, json_option(click)], callback=action, help=action.__doc__)
        for name, (action, params) in actions.items()
    ]
    return click.Group(name, commands=commands, help=purpose)


def new(name: str, slug: str, as_json: bool) -> int:
    """Make a new notebook: its source and the files beside it, ready to run and to be filled.

    ID is its number, such as 02_01, and SLUG its name, such as chunk_lab.
    """
    expect_a_clone("gallery new")
    files = [path.relative_to(ROOT).as_posix() for path in template.new(name, slug)]
    if as_json:
        return print_json(files)
    for file in files:
        print_text(file)
    print_text(f"It runs as it is. To see what is left to write: tutorial-zarr gallery check {name}")
    return 0


def copy(folder: str, ids: tuple[str, ...], as_json: bool) -> int:
    """Copy the notebooks IDS, or all of them, with their outputs and articles, to the new folder FOLDER."""
    paths = [path.as_posix() for path in copies.copy_notebooks(folder, ids or None)]
    if as_json:
        return print_json(paths)
    print_text(f"{_notebooks(paths)} in {Path(folder) / 'notebooks'}; to open them: jupyter lab {folder}")
    return 0


def _notebooks(paths: list[str]) -> str:
    return f"{words.count(len(paths), 'notebooks')} {'is' if len(paths) == 1 else 'are'}"


def expect_a_clone(action: str) -> None:
    """Refuse what authors do where there is no clone."""
    if ROOT != CLONE:
        raise GalleryError(
            f"{action}: expected a clone of the repository, in which notebooks are written, found the "
            "installed package, which has copies of them; try it in a clone, installed with pip install --editable"
        )


def list_(as_json: bool) -> int:
    """List the notebooks."""
    shown = ("id", "title", "level", "minutes", "question")
    notebooks = [
        {**{name: getattr(notebook, name) for name in shown}, "file": notebook.path.name}
        for notebook in gallery.list_notebooks()
    ]
    if as_json:
        return print_json(notebooks)
    print_table(shown, [tuple(str(notebook[name]) for name in shown) for notebook in notebooks])
    return 0


def run(
    ids: tuple[str, ...],
    full: bool,
    zarr_format: str | None,
    out_dir: str | None,
    jobs: int,
    resume: bool,
    given: tuple[tuple[str, str], ...],
    as_browser: bool,
    note: bool,
    as_json: bool,
) -> int:
    """Run the notebooks IDS, or all of them, from the first cell to the last.

    An id may be cut short: 01 means all of part 01.
    """
    if note:
        expect_a_clone("gallery run --note")
    if note and not as_browser:
        raise GalleryError("gallery run: expected --as-browser with --note, found --note alone; try both")
    left = "what ran to the end is in --out; the same command with --resume goes on" if out_dir else "nothing is kept"
    with stoppable(left), _progress(ids, zarr_format == "both") as progress:
        results = gallery.run(
            ids or None,
            full=full,
            zarr_format=int(zarr_format) if zarr_format in ("2", "3") else zarr_format,
            out_dir=out_dir,
            jobs=jobs,
            progress=progress,
            parameters={name: _value(value) for name, value in given},
            resume=resume,
            as_browser=as_browser,
        )
    if note:
        table.note(results)
    return _report_results(results, as_json)


def _value(text: str) -> Any:
    """A parameter's value as Python reads it: a number, True, None, or else the text itself."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def build(ids: tuple[str, ...], jobs: int, as_json: bool) -> int:
    """Build the notebooks IDS, or all of them, from their sources: run them and store what they print."""
    expect_a_clone("gallery build")
    with stoppable("the notebooks that were done are built, the others as they were"), _progress(ids) as progress:
        results = gallery.build(ids or None, jobs=jobs, progress=progress)
    return _report_results(results, as_json)


def check(ids: tuple[str, ...], outputs: bool, site: str | None, as_json: bool) -> int:
    """Hold the notebooks IDS, or all of them, to their contract; without --outputs nothing is run.

    With --site it is a built site that is looked at: its links, the descriptions of its pictures, what it loads.
    """
    if site is not None:
        if ids or outputs:
            raise GalleryError("gallery check: expected --site alone, found notebooks as well; try one after the other")
        from tutorial_zarr.gallery.site.check import problems as problems_of

        return report_problems(problems_of(site), as_json, "Every link of the site leads somewhere.")
    expect_a_clone("gallery check")
    problems = gallery.check(ids or None)
    if outputs:
        problems += stored_outputs.check_outputs(ids or None)
    for warning in contract.warnings(ids or None):
        complain(f"warning: {warning['id']}, {warning['where']}: {warning['problem']}")
    return report_problems(problems, as_json, "Every notebook keeps its contract.")


def figures(ids: tuple[str, ...], sheet: str | None, as_json: bool) -> int:
    """List the figures of the notebooks IDS, or of all, with what a reader could not see in each."""
    rows: list[dict[str, Any]] = [
        {
            "id": notebook.id,
            "where": figure.where,
            "letters": None if figure.letter is None else round(figure.letter, 1),
            "faults": pictures.faults(figure.data),
        }
        for notebook in select(ids or None)
        for figure in pictures.figures(notebook)
    ]
    drawn = pictures.contact_sheet(sheet, ids or None) if sheet else None
    if as_json:
        print_json(rows)
    else:
        shown = [(r["id"], r["where"], str(r["letters"] or ""), "; ".join(r["faults"]) or "none") for r in rows]
        print_table(("id", "figure", "smallest letters, px", "faults"), shown)
        if sheet:
            print_text(f"{drawn} pictures are on {Path(sheet).name}; look at them.")
    return 1 if any(row["faults"] for row in rows) else 0


def glossary_(as_json: bool) -> int:
    """Write the glossary, notebooks/GLOSSARY.md, from the terms that the lessons define."""
    expect_a_clone("gallery glossary")
    found = glossary.Glossary(gallery.list_notebooks())
    path = NOTEBOOKS / glossary.FILE
    path.write_text(found.page(), encoding="utf-8", newline="\n")
    if as_json:
        return print_json([{"term": term.name, "url": term.url, "text": term.text} for term in found.terms.values()])
    print_text(f"{path.name} has {words.count(len(found.terms), 'terms')}.")
    return 0


def index_(as_json: bool) -> int:
    """Write the index of the gallery, notebooks/README.md: the lessons, and the plan with what became of it."""
    expect_a_clone("gallery index")
    notebooks, path = gallery.list_notebooks(), NOTEBOOKS / index.FILE
    path.write_text(index.page(notebooks, select_articles()), encoding="utf-8", newline="\n")
    if as_json:
        return print_json([notebook.id for notebook in notebooks])
    print_text(f"{path.name} has {words.count(len(notebooks), 'lessons')}.")
    return 0


def site(
    ids: tuple[str, ...], out_dir: str, base_url: str | None, repo_url: str | None, lite: str, as_json: bool
) -> int:
    """Write the lessons IDS, or all of them, and their articles as a site: pages that open from a folder.

    --lite cdn has Pyodide fetched from its own address, after a click; --lite PATH takes it from a folder.
    """
    from tutorial_zarr.gallery.site import build as build_site

    pages = build_site(out_dir, ids or None, base_url=base_url, repo_url=repo_url, lite=lite)
    if as_json:
        return print_json(pages)
    print_text(f"{words.count(len(pages), 'pages')} in {out_dir}; open {Path(out_dir) / 'index.html'}")
    return 0


def serve_(folder: str, port: int, as_json: bool) -> int:
    """Serve the built site in FOLDER, out/site by default, to this machine alone, until Ctrl-C.

    A page from a folder may not start what runs lessons in the browser; from here it may.
    """
    from tutorial_zarr.gallery.site import serve

    with stoppable("the site is served no more"), serve.serving(folder, port) as server:
        if as_json:
            print_json({"url": serve.url(server)})
        else:
            print_text(f"{serve.url(server)} shows {folder}; Ctrl-C ends it")
        sys.stdout.flush()
        server.serve_forever()
    return 0


def student_versions(
    ids: tuple[str, ...], out_dir: str, overwrite: bool, where: str | None, repo_url: str | None, as_json: bool
) -> int:
    """Write the students' versions of the notebooks IDS, or of all: without solutions and outputs.

    A README.md says what to type before a workshop. A notebook in which somebody has worked is not replaced.

    With --for colab and --repo-url, they are copies for Colab: a cell in front installs the package from there.
    """
    if (where is None) != (repo_url is None):
        lacking = "--repo-url URL with --for colab" if where else "--for colab with --repo-url"
        raise GalleryError(f"gallery student: expected {lacking}, found none; nothing was written")
    options: dict[str, Any] = {"overwrite": overwrite, "repository": repo_url}
    paths = [path.as_posix() for path in student.write_student_versions(out_dir, ids or None, **options)]
    if as_json:
        return print_json(paths)
    print_text(
        f"{_notebooks(paths)} in {Path(out_dir) / 'notebooks'}, for students; README.md there says how to begin."
    )
    return 0


def grade_(folder: str, jobs: int, as_csv: bool, as_json: bool) -> int:
    """Run the students' notebooks below FOLDER, and show who has solved what.

    FOLDER holds one student's folder, or one for each. The notebooks are run away from the network and from all other
    folders; a verdict is what the exercises' own checks say.
    """
    with stoppable("nothing was changed"), progress_bar() as bar:
        task = bar.add_task("notebooks", total=len(grade.submissions(Path(folder))))
        results = grade.grade(folder, jobs, lambda name: bar.advance(task))
    if as_json:
        return print_json(results)
    if as_csv:
        print_text(grade.as_csv(results).rstrip("\n"))
        return 0
    print_table(*grade.table(results))
    for result in results:
        if result["error"]:
            print_text(f"{result['file']}: {result['error']}")
    return 0


def reset(ids: tuple[str, ...], folder: str, as_json: bool) -> int:
    """Put students' notebooks IDS back to how they were. What was worked in them stays beside, as NAME_before_N."""
    done = [(path.as_posix(), aside and aside.as_posix()) for path, aside in student.reset(folder, ids)]
    if as_json:
        return print_json([{"file": path, "before": aside} for path, aside in done])
    for path, aside in done:
        print_text(f"{path}: as it was" + (f"; what was there is {aside}" if aside else ", for nothing was changed"))
    return 0


def report_problems(problems: list[dict[str, str]], as_json: bool, praise: str) -> int:
    """Print what is wrong, or that nothing is, and return the exit code."""
    if as_json:
        print_json(problems)
    elif problems:
        print_table(tuple(problems[0]), [tuple(map(str, problem.values())) for problem in problems])
    else:
        print_text(praise)
    return 1 if problems else 0


def _report_results(results: list[dict[str, Any]], as_json: bool) -> int:
    failed = [result for result in results if result["status"] != "ok"]
    if as_json:
        print_json(results)
        return 1 if failed else 0
    rows = [
        (
            _label(r),
            r["title"],
            r["status"] + (", before" if r["resumed"] else ""),
            f"{r['seconds']:.1f}",
            str(r["cells"]),
            str(_count(r["facts"])),
            _where(r),
            r["error"] or "",
        )
        for r in results
    ]
    columns = ("id", "notebook", "status", "seconds", "cells", "facts", "failed at", "why")
    print_table(columns[: 8 if failed else 6], [row[: 8 if failed else 6] for row in rows])
    for result in failed:
        complain(f"notebook {_label(result)}{', ' * bool(_where(result))}{_where(result)}: {result['error']}")
    print_text(f"{len(results) - len(failed)} of {words.count(len(results), 'notebooks')} ran to the end.")
    return 1 if failed else 0


def _label(result: dict[str, Any]) -> str:
    return result["id"] + (f" v{result['zarr_format']}" if result["zarr_format"] else "")


def _where(result: dict[str, Any]) -> str:
    cell = result["failed_cell"]
    return f"cell {cell['number']} ({cell['source']})" if cell else ""


def _count(facts: Any) -> int:
    """How many values there are in the facts, whatever they are nested in."""
    inside = facts.values() if isinstance(facts, dict) else facts if isinstance(facts, list) else None
    return 1 if inside is None else sum(map(_count, inside))


@contextmanager
def _progress(ids: tuple[str, ...], both: bool = False) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar on standard error that moves with every cell, and a line for every notebook that is done."""
    total = sum(len(notebook.formats) if both else 1 for notebook in select(ids or None))
    with progress_bar() as bar:
        overall = bar.add_task("notebooks", total=total)
        running: dict[tuple[str, int | None], Any] = {}

        def show(event: dict[str, Any]) -> None:
            name = (event["id"], event.get("zarr_format"))
            label = _label({"id": name[0], "zarr_format": name[1]})
            if event["event"] == "start":
                running[name] = bar.add_task(f"{label} cells", total=event["cells"])
            elif event["event"] == "cell":
                bar.update(running[name], completed=event["cell"] - 1, total=event["cells"])
            elif event["event"] == "end":
                if name in running:
                    bar.remove_task(running.pop(name))
                bar.advance(overall)
                done = f"{label}  {event['status']}  {event['seconds']:.1f} s  {event['title']}"
                bar.console.print(plain(done), markup=False, soft_wrap=True)

        yield show
