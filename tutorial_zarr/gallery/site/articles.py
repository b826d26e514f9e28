"""A page for each article, their list and the feed."""

from __future__ import annotations

from collections.abc import Iterator

from tutorial_zarr.gallery.site.pages import File, Page, Site


def pages(site: Site) -> Iterator[Page | File]:
    """The pages of the articles."""
    yield Page("articles.html", "Articles", "Each lesson, told as a story.", "text.html", {"inside": ""})
