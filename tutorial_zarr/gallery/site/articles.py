"""A page for each article, their list and the feed.

A page has the article, its lesson, and its neighbours in the series. A number whose origin is known is a link to the
cell that computed it, see `origins`. The feed is RSS 2.0 and has no dates: the repository knows of none, and Atom asks
for one. It holds absolute addresses, so it is there with `base_url` only.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr.gallery.article_form import front_matter
from tutorial_zarr.gallery.articles import held, numbers_in
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook
from tutorial_zarr.gallery.pictures import PREFERS_DARK
from tutorial_zarr.gallery.publish import figures
from tutorial_zarr.gallery.series import AREAS, area_of, select_articles, split
from tutorial_zarr.gallery.site.figures import is_chart, size_of_svg
from tutorial_zarr.gallery.site.markup import markdown, need, plain
from tutorial_zarr.gallery.site.origins import Origins, link_numbers
from tutorial_zarr.gallery.site.pages import File, Page, Site, article_path, lesson_path, picture_path, relative
from tutorial_zarr.gallery.source import loads

LIST, FEED = "articles.html", "feed.xml"
IMAGE = re.compile(r'<img src="([^"]*)"')
SUMMARY = "Each article is the story of a lesson that you can run; every number in it was computed there."


def pages(site: Site) -> Iterator[Page | File]:
    """The pages of the articles, their figures, their list, and the feed if the site's address is known."""
    everything = select_articles()
    shown = [_front(site, path, everything.index(path) + 1) for path in site.articles]
    for at, front in enumerate(shown):
        near = {"before": shown[at - 1] if at else None, "after": shown[at + 1] if at + 1 < len(shown) else None}
        yield from _page(site, front, {**near, "parts": len(everything)})
    areas = [(area, [front for front in shown if front["area"] == area]) for area in AREAS]
    yield Page(
        LIST,
        "Articles",
        SUMMARY,
        "articles.html",
        {"areas": [(area, fronts) for area, fronts in areas if fronts], "feed": FEED if site.base_url else None},
        canonical=site.absolute(LIST),
    )
    if site.base_url:
        yield File(FEED, _feed(site.base_url, shown).encode())


def _front(site: Site, path: Path, part: int) -> dict[str, Any]:
    """What is known of an article before its text is read: its front matter, its lesson, and its place."""
    front, body = front_matter(path.read_text(encoding="utf-8"))
    lesson = site.lessons.get(front.get("notebook", ""))
    missing = [name for name in ("title", "subtitle", "minutes", "tags") if not front.get(name)]
    if lesson is None or missing:
        expected = f"a line '{missing[0]}: ...'" if missing else "a line 'notebook: NN_NN' with the id of a lesson"
        raise GalleryError(
            f"article {path.stem}: expected {expected} at its head, found none; try: tutorial-zarr articles check"
        )
    tags = [tag.strip() for tag in front["tags"].split(",")]
    return {**front, "path": path, "body": body, "part": part, "lesson": lesson, "area": area_of(lesson),
            "address": article_path(path), "tags": tags}  # fmt: skip


def _page(site: Site, front: dict[str, Any], near: dict[str, Any]) -> Iterator[Page | File]:
    path, address, lesson = front["path"], front["address"], front["lesson"]
    taken: dict[str, Path] = {}

    def picture(target: str) -> str:
        file = path.parent / target
        if not file.is_file():
            raise GalleryError(f"article {path.stem}: expected the figure {target}, found no such file")
        taken[relative(address, picture_path(file))] = file
        return relative(address, picture_path(file))

    first, body, _ = split(front["body"])
    html = markdown(body, lambda target: site.link(path, target, address), picture)
    cells, facts = _built(lesson)
    kinds = {file: _kind(file, cells) for file in taken.values()}
    html = IMAGE.sub(lambda found: f"{found[0]}{_size(taken[found[1]], kinds[taken[found[1]]])}", figures(html))
    has_page = lesson in site.notebooks
    if has_page:
        to_lesson, wanted = relative(address, lesson_path(lesson)), set(numbers_in(held(body)))
        html, _, _ = link_numbers(html, Origins(cells, facts), to_lesson, wanted)
    yield Page(
        address,
        front["title"],
        front["subtitle"],
        "article.html",
        {**front, **near, "html": html, "has_page": has_page, "feed": FEED if site.base_url else None,
         "versions": markdown(first.strip("*"), lambda target: site.link(path, target, address)),
         "lesson_page": lesson_path(lesson)},
        searched(html),
        site.absolute(address),
    )  # fmt: skip
    for file in taken.values():
        # An image asks the system whether the page is dark, and not the page, which turns its colours by itself.
        yield File(picture_path(file), PREFERS_DARK.sub("", file.read_text(encoding="utf-8")).encode())


def _built(lesson: Notebook) -> tuple[list[dict[str, Any]], Any]:
    """The cells and the facts of a lesson."""
    if not (lesson.ipynb.is_file() and lesson.facts.is_file()):
        raise GalleryError(
            f"lesson {lesson.id}: expected its notebook and its facts, found none; "
            f"try: tutorial-zarr gallery build {lesson.id}"
        )
    cells = loads(lesson.ipynb.read_text(encoding="utf-8"))["cells"]
    return cells, json.loads(lesson.facts.read_text(encoding="utf-8"))


def _kind(figure: Path, cells: list[dict[str, Any]]) -> str:
    """What a dark page has to know of a figure, as for the same picture in its lesson: "chart" or "picture"."""
    told = re.search(r"<desc[^>]*>(.*?)</desc>", figure.read_text(encoding="utf-8"), re.DOTALL)
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if told and "image/png" in data and plain(told[1]) == " ".join(str(data.get("text/plain", "")).split()):
            need("PIL")
            from PIL import Image

            image = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
            return "chart" if is_chart(np.asarray(image)) else "picture"
    return "chart"


def _size(figure: Path, kind: str) -> str:
    """The size of a figure as attributes, so that the page keeps its place until it is there, and its kind."""
    wide, high = size_of_svg(figure.read_text(encoding="utf-8"))
    return f' class="{kind}"' + (f' width="{wide}" height="{high}"' if wide and high else "")


def searched(html: str) -> tuple[tuple[str, str], ...]:
    """The text of a page by heading, for the search."""
    first, *rest = re.split(r'<h2 id="([^"]*)">', html)
    return (("", plain(first)), *((anchor, plain(text)) for anchor, text in zip(rest[::2], rest[1::2], strict=True)))


def _feed(base_url: str, shown: list[dict[str, Any]]) -> str:
    base = escape(base_url.rstrip("/"))
    items = [
        f"<item><title>{escape(front['title'])}</title><link>{base}/{front['address']}</link>"
        f"<guid>{base}/{front['address']}</guid><description>{escape(front['subtitle'])}</description>"
        + "".join(f"<category>{escape(tag)}</category>" for tag in front["tags"])
        + "</item>\n"
        for front in reversed(shown)  # the newest first
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">\n'
        f"<channel><title>Zarr from scratch</title><link>{base}/{LIST}</link><description>{SUMMARY}</description>"
        f'<language>en</language><atom:link href="{base}/{FEED}" rel="self" type="application/rss+xml"/>\n'
        f"{''.join(items)}</channel>\n</rss>\n"
    )
