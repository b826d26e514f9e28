"""The search of the site: an index that is a script, as a page that was opened from a folder may load no JSON."""

from __future__ import annotations

from collections.abc import Sequence

from tutorial_zarr.gallery.site.markup import script
from tutorial_zarr.gallery.site.pages import File, Page, Site


def files(site: Site, pages: Sequence[Page]) -> list[File]:
    """The index of all pages."""
    rows = [
        [page.path, page.title, anchor, text]
        for page in pages
        for anchor, text in (("", page.description), *page.searched)
    ]
    return [File("search-index.js", script("SEARCH", rows))]
