"""Pages to look things up: the glossary, the implementations, the findings, the plan, `tiny.py` line by line."""

from __future__ import annotations

from collections.abc import Iterator

from tutorial_zarr.gallery.site.pages import File, Page, Site


def pages(site: Site) -> Iterator[Page | File]:
    """The pages of reference."""
    for path, title in (
        ("tiny.html", "Zarr in 150 lines"),
        ("implementations.html", "Who reads what"),
        ("glossary.html", "Glossary"),
    ):
        yield Page(path, title, title, "text.html", {"inside": ""})
