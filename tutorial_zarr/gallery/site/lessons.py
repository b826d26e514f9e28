"""A page for each lesson, and its files to download."""

from __future__ import annotations

from collections.abc import Iterator

from tutorial_zarr.gallery.catalogue import Notebook
from tutorial_zarr.gallery.site.pages import File, Page, Site, lesson_path


def pages(site: Site) -> Iterator[Page | File]:
    """The pages of the lessons."""
    for notebook in site.notebooks:
        yield _page(site, notebook)


def _page(site: Site, notebook: Notebook) -> Page:
    return Page(lesson_path(notebook), notebook.title, notebook.question, "text.html", {"inside": ""})
