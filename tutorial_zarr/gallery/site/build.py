"""Writes the site: every page through one template, files as they are, the same bytes twice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tutorial_zarr import __version__, words
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.site import articles, check, extras, lessons, lite, live, overview, reference, search
from tutorial_zarr.gallery.site.markup import need
from tutorial_zarr.gallery.site.pages import MENU, File, Page, Site, relative

HERE = Path(__file__).parent
MARK = ".tutorial-zarr-site"  # lies in a folder that this module wrote, which it may replace
MAKERS: tuple[Any, ...] = (overview, lessons, articles, reference, live, extras)  # each has pages(site)


def build(
    out_dir: str | Path,
    ids: Iterable[str] | None = None,
    base_url: str | None = None,
    repo_url: str | None = None,
    lite: str = "none",
    progress: Callable[[str], None] | None = None,
) -> list[str]:
    """Write the site of the lessons `ids`, or of all, to the folder `out_dir`; return the addresses of its pages.

    `base_url` is the address at which it will lie, and `repo_url` that of the repository's files. `lite` says how
    lessons run in a browser: "none", "cdn", or the path of a Pyodide distribution. A folder that holds anything but
    an earlier site is refused; nothing is half written.
    """
    for name, url in (("base_url", base_url), ("repo_url", repo_url)):
        if url is not None and not url.startswith(("https://", "http://")):
            raise GalleryError(
                f"gallery site: expected an address that begins with https:// as {name}, found {url!r}; "
                "try https://OWNER.github.io/NAME"
            )
    site, out = Site.of(ids, base_url=base_url, repo_url=repo_url, lite=lite), Path(out_dir)
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise GalleryError(
            f"gallery site: expected a new folder, an empty one or an earlier site, found {out}, which holds something "
            "else; nothing was written; try another"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".site-") as scratch:
        addresses = _write(site, Path(scratch) / "site", progress or (lambda address: None))
        if problems := check.problems(Path(scratch) / "site"):
            first = problems[0]
            more = f" (and {words.count(len(problems) - 1, 'more')})" if problems[1:] else ""
            raise GalleryError(f"gallery site: {first['where']}: {first['problem']}{more}; nothing was written")
        if out.exists():
            shutil.rmtree(out)
        (Path(scratch) / "site").rename(out)
    return addresses


def _write(site: Site, out: Path, progress: Callable[[str], None]) -> list[str]:
    made: list[Page | File] = [each for maker in MAKERS for each in maker.pages(site)]
    pages = [each for each in made if isinstance(each, Page)]
    files = [each for each in made if isinstance(each, File)]
    files += [*_static(), *search.files(site, pages), *extras.files(site, pages, files), File(MARK, b"")]
    files = list(dict.fromkeys(files))  # a figure may stand in a lesson and in its article
    paths = [page.path for page in pages] + [file.path for file in files]
    if twice := sorted({path for path in paths if paths.count(path) > 1}):
        raise GalleryError(f"gallery site: two pages have the address {twice[0]}; one of them is left out by mistake")
    templates = environment()
    menu = MENU if site.lite == "none" else (*MENU, live.ENTRY)
    for page in pages:
        text = templates.get_template(page.template).render(
            {
                **page.values,
                "page": page,
                "site": site,
                "menu": menu,
                "version": __version__,
                "to": _to(page.path),
                "lite_note": lite.lite_note(site.lite),
            }
        )
        _file(out / page.path, text.encode())
        progress(page.path)
    for file in files:
        _file(out / file.path, file.data)
    lite.build_lite(out, site.lite, site.notebooks)
    return [page.path for page in pages]


def environment() -> Any:
    """The templates. What is filled in is escaped, unless it is marked as HTML by `|safe`."""
    need("jinja2")
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _to(page: str) -> Callable[[str], str]:
    return lambda target: relative(page, target)


def _static() -> Iterator[File]:
    for path in sorted((HERE / "static").rglob("*")):
        if path.is_file():
            yield File(f"static/{path.relative_to(HERE / 'static').as_posix()}", path.read_bytes())


def _file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
