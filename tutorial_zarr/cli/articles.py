"""``tutorial-zarr articles``: hold the articles to their notebooks, and bring them into the form that a publishing
site takes.

What is right in an article is in `articles`, its other form in `publish`.
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr import words
from tutorial_zarr.cli.gallery import expect_a_clone, group, report_problems
from tutorial_zarr.cli.output import print_json, print_text, progress_bar
from tutorial_zarr.gallery import articles, medium, publish, series
from tutorial_zarr.gallery.catalogue import GalleryError


def command(click: Any) -> Any:
    """The click group."""
    names = click.Argument(["names"], nargs=-1)
    out_dir = click.Option(["--out", "out_dir"], type=click.Path(), default="out/articles", help="Where to.")
    base_url = click.Option(["--base-url"], help="The address of the repository's files, for links into it.")
    pictures = click.Option(
        ["--pictures-url"], help="The address at which --out will lie, for the pages; by default below --base-url."
    )
    width = click.Option(
        ["--width"], type=click.IntRange(min=20), help="Name lines of code that are longer, such as 80."
    )
    images = click.Option(["--images"], type=click.Choice(["png", "svg"]), help="The pictures' format; default: png.")
    site = click.Option(["--for", "site"], type=click.Choice(["medium"]), help="Make them ready for this site.")
    actions = {
        "build": (build_articles, [names, out_dir, base_url, pictures, images, site]),
        "check": (check_articles, [names, width]),
        "series": (write_series, []),
    }
    return group(click, "articles", actions, "Check the articles, and build them for a publishing site.")


def build_articles(
    names: tuple[str, ...],
    out_dir: str,
    base_url: str | None,
    pictures_url: str | None,
    images: str | None,
    site: str | None,
    as_json: bool,
) -> int:
    """Build the articles NAMES, or all: a folder each, with pictures beside the text, tables as text, links that
    work from anywhere; as Markdown, and as a page to open in a browser, select whole, copy, and paste.

    A site that imports a page by its address fetches the pictures by theirs: give --base-url, and publish the folder.
    A name may be cut short: 01 means 01_first_zarr_array.

    With --for medium, the folder has as well: paste.html, with a button that copies the article; the pictures, called
    1.png, 2.png and so on; checklist.md, with what is to be typed by hand; and code, a file for each block.
    """
    if site and images == "svg":
        raise GalleryError("articles build: expected pictures as PNG for Medium, found --images svg; leave it out")
    build = medium.build_for_medium if site else publish.build_articles
    chosen: dict[str, Any] = {} if site else {"images": images or "png"}
    widest = medium.WIDEST if site else publish.WIDEST
    with progress_bar() as bar:
        task = bar.add_task("articles", total=len(series.select_articles(names)))
        paths = build(
            out_dir,
            names or None,
            base_url=base_url,
            progress=lambda name: bar.advance(task),
            pictures_url=pictures_url,
            **chosen,
        )
    if as_json:
        return print_json([path.as_posix() for path in paths])
    for path in paths:
        print_text((path.with_name("paste.html") if site else path.with_suffix(".html")).as_posix())
        if wide := publish.long_lines(path.read_text(encoding="utf-8"), widest):
            print_text(
                f"  {words.count(len(wide), 'lines')} of code with more than {widest} characters, up to "
                f"{max(length for _, length in wide)}: a narrow column breaks them"
            )
    if base_url is None:
        print_text("without --base-url, links into the repository are plain text")
    return 0


def check_articles(names: tuple[str, ...], width: int | None, as_json: bool) -> int:
    """Hold the articles NAMES, or all of them, to the notebooks that they tell of."""
    problems = articles.check_articles(names or None)
    for path in series.select_articles(names or None) if width else ():
        for number, length in publish.long_lines(path.read_text(encoding="utf-8"), width or 0):
            problem = f"expected at most {width} characters in a line of code, found {length}"
            problems.append({"id": path.stem, "where": f"line {number}", "problem": problem})
    return report_problems(problems, as_json, "Every article agrees with its notebook.")


def write_series(as_json: bool) -> int:
    """Write what is generated in the articles: the first line, the last line, the minutes, and the list of them all.

    The first line names the version of this package and of the others that the article names, as installed here.
    """
    expect_a_clone("articles series")
    paths = [path.name for path in series.write_series()]
    if as_json:
        return print_json(paths)
    for path in paths:
        print_text(path)
    print_text(f"{words.count(len(paths), 'files')} changed.")
    return 0
