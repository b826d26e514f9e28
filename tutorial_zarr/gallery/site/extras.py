"""What a site has besides: the page that was not found, the list of its pages for search engines."""

from __future__ import annotations

from collections.abc import Iterator

from tutorial_zarr.gallery.site.pages import File, Page, Site


def pages(site: Site) -> Iterator[Page | File]:
    """The page that was not found."""
    yield Page("404.html", "Not found", "There is no such page here.", "text.html", {"inside": ""})
