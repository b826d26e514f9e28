"""What a page of the site is, and where each lies.

Every address on the site is relative, so that the site opens from a stick, a bucket or a server alike.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery.catalogue import CLONE, ROOT, GalleryError, Notebook, list_notebooks, select
from tutorial_zarr.gallery.series import select_articles

# The head of every page leads to these: (address, name).
MENU = (
    ("index.html", "Lessons"),
    ("map.html", "Map"),
    ("articles.html", "Articles"),
    ("tiny.html", "Zarr in 150 lines"),
    ("implementations.html", "Who reads what"),
    ("glossary.html", "Glossary"),
)


@dataclass(frozen=True)
class Page:
    """A page: `template` is filled with `values` and with what every page has.

    path         its address on the site, such as "lessons/01_02.html"
    title        what the tab of a browser shows
    description  one sentence for search engines and feeds, without marks
    searched     its plain text, by heading: pairs (anchor or "", text), for the search of the site
    """

    path: str
    title: str
    description: str
    template: str
    values: dict[str, Any] = field(default_factory=dict)
    searched: tuple[tuple[str, str], ...] = ()
    canonical: str | None = None


@dataclass(frozen=True)
class File:
    """A file that lies on the site as it is: a picture, a notebook to download."""

    path: str
    data: bytes


@dataclass(frozen=True)
class Site:
    """What is built, and for which place.

    notebooks  the lessons that have a page here; `ids` chose them
    base_url   the address at which the site will lie, for canonical links and the feed; None where it is unknown
    repo_url   the address at which the repository's files can be read; None: links into it become plain text
    lite       how lessons run in a browser: "none", "cdn", or a folder with Pyodide
    """

    notebooks: tuple[Notebook, ...]
    articles: tuple[Path, ...]
    base_url: str | None = None
    repo_url: str | None = None
    lite: str = "none"

    @classmethod
    def of(cls, ids: Any = None, **options: Any) -> Site:
        """The site of the lessons `ids`, or of all, and of the articles that tell them."""
        notebooks = select(ids)
        names = {notebook.path.stem[6:] for notebook in notebooks}
        articles = [path for path in select_articles() if path.stem[3:] in names]
        return cls(tuple(notebooks), tuple(articles), **options)

    @cached_property
    def lessons(self) -> dict[str, Notebook]:
        """All lessons of the gallery by id, those that have no page here as well."""
        return {notebook.id: notebook for notebook in list_notebooks()}

    @cached_property
    def _pages(self) -> dict[Path, str]:
        """The address of each file of the repository that has a page here."""
        found = {notebook.ipynb: lesson_path(notebook) for notebook in self.notebooks}
        found |= {path: article_path(path) for path in self.articles}
        found[ROOT / "notebooks" / "GLOSSARY.md"] = "glossary.html"
        found[ROOT / "notebooks" / "README.md"] = "index.html"
        found[ROOT / "articles" / "README.md"] = "articles.html"
        found[ROOT / "README.md"] = "index.html"
        found[CLONE / "tutorial_zarr" / "tiny.py"] = "tiny.html"
        found[CLONE / "findings"] = "findings.html"
        return found

    def absolute(self, address: str) -> str | None:
        """The address `address` of the site with its host; None where that is unknown."""
        return f"{self.base_url.rstrip('/')}/{address}" if self.base_url else None

    def link(self, source: Path, target: str, page: str) -> str | None:
        """The address on `page` of what the file `source` links to as `target`; None where nothing can be linked to.

        A lesson, an article or another page of the site is linked to there; any other file of the repository at
        `repo_url`. An address of another host and an anchor stay as they are.
        """
        if target.startswith(("#", "https://", "http://", "mailto:")):
            return target
        name, mark, anchor = target.partition("#")
        path = Path(posixpath.normpath((source.parent / name).as_posix()))
        if path in self._pages:
            return relative(page, self._pages[path]) + mark + anchor
        if ROOT == CLONE and not path.exists():
            raise GalleryError(
                f"gallery site: {source.name}: expected a file at {target!r}, to which it links, found none; "
                "nothing was written"
            )
        if self.repo_url and path.is_relative_to(CLONE) and path.exists():
            return f"{self.repo_url.rstrip('/')}/{path.relative_to(CLONE).as_posix()}" + (
                f"#{anchor}" if anchor else ""
            )
        return None


def lesson_path(notebook: Notebook) -> str:
    """The address of a lesson's page."""
    return f"lessons/{notebook.id}.html"


def article_path(article: Path) -> str:
    """The address of an article's page."""
    return f"articles/{article.stem}.html"


def picture_path(figure: Path) -> str:
    """The address of one of the repository's figures."""
    return f"figures/{figure.name}"


def relative(page: str, target: str) -> str:
    """The address `target` as it is written on `page`; both are addresses on the site.

    >>> relative("lessons/01_02.html", "figures/a.svg"), relative("index.html", "map.html#x")
    ('../figures/a.svg', 'map.html#x')
    """
    name, mark, anchor = target.partition("#")
    return posixpath.relpath(name, posixpath.dirname(page) or ".") + mark + anchor
