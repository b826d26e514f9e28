"""The first page, with all lessons, and the map of them."""

from __future__ import annotations

from collections.abc import Iterator

from tutorial_zarr.gallery.site.pages import File, Page, Site


def pages(site: Site) -> Iterator[Page | File]:
    """The first page and the map."""
    yield Page("index.html", "Lessons", "Zarr from scratch, in lessons that run.", "index.html")
    yield Page("map.html", "Map", "What to read before what.", "text.html", {"inside": ""})
