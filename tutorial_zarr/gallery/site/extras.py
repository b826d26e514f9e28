"""What a site has besides: the page that was not found, the list of its pages for search engines, all in one file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from tutorial_zarr.gallery.catalogue import NOTEBOOKS, ROOT
from tutorial_zarr.gallery.site.pages import File, Page, Site
from tutorial_zarr.gallery.student import FIGURE

ZIP, STUDENT = "all.zip", "downloads/student/"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip file: the same bytes on every day
READ_ME = """\
notebooks   the lessons, solved, with their outputs; a notebook's source is the .py beside it
students    the same without solutions and outputs, to work in
articles    each lesson, told as a story

To run them: python -m pip install "tutorial_zarr[gallery]", then: jupyter lab
"""


def pages(site: Site) -> Iterator[Page | File]:
    """The page that was not found."""
    # It is shown at addresses of any depth, so its own links are whole ones where the site's address is known.
    base = site.base_url and site.base_url.rstrip("/")
    absolute = (lambda target: f"{base}/{target}") if base else None
    yield Page("404.html", "Not found", "There is no such page here.", "404.html", {"absolute": absolute})


def files(site: Site, pages: Sequence[Page], made: Sequence[File]) -> Iterator[File]:
    """What is made of everything else: `pages` and the files that were `made` for them."""
    if site.base_url:
        yield File("sitemap.xml", _sitemap(site.base_url, pages).encode())
    yield File(ZIP, _zip(dict(_members(site, made))))


def _sitemap(base_url: str, pages: Sequence[Page]) -> str:
    addresses = [f"{base_url.rstrip('/')}/{page.path}" for page in pages if page.path != "404.html"]
    rows = "".join(f"<url><loc>{escape(each)}</loc></url>\n" for each in sorted(addresses))
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{space}">\n{rows}</urlset>\n'


def _members(site: Site, made: Sequence[File]) -> Iterator[tuple[str, bytes]]:
    """What lies in the zip file, where links between notebooks and articles hold as they do in the repository."""
    yield "README.txt", READ_ME.encode()
    for path in [each for notebook in site.notebooks for each in (notebook.path, notebook.ipynb)]:
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    folders = {notebook.ipynb.name: notebook.path.parent.name for notebook in site.notebooks}
    for file in made:
        if file.path.startswith(STUDENT):
            name = file.path.removeprefix(STUDENT)
            yield f"students/{folders[name]}/{name}", file.data
    for folder in ("notebooks", "students"):
        yield f"{folder}/GLOSSARY.md", (NOTEBOOKS / "GLOSSARY.md").read_bytes()
    for article in site.articles:
        for path in (article, *(article.parent / name for name in FIGURE.findall(article.read_text(encoding="utf-8")))):
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def _zip(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as written:
        for name, content in sorted(members.items()):
            entry = zipfile.ZipInfo(Path("tutorial_zarr_gallery", name).as_posix(), FIRST_DAY)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            written.writestr(entry, content)
    return data.getvalue()
