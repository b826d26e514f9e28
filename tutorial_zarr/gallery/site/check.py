"""Checks a built site without a browser: links and anchors, descriptions of pictures, titles, other hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.words import plain

# The attributes by which a page loads something, by tag. What `a` leads to is loaded after a click only.
LOADED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
IN_STYLE = re.compile(r"@import\s+['\"]([^'\"]+)|url\(\s*['\"]?([^'\")]+)")
NOT_LOADED = {"canonical", "alternate", "next", "prev", "license"}  # links that only say something
# A page is mostly text: to look for its tags alone takes less than half the time of Python's parser of HTML.
TAG = re.compile(r"""<([a-zA-Z][\w:-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>""")
GIVEN = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""")
HIDDEN = re.compile(r"<!--.*?-->|<style\b.*?</style>|(<script\b[^>]*>).*?</script>", re.DOTALL | re.IGNORECASE)
STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL | re.IGNORECASE)


class _Reader:
    """What a page says: its anchors, title, links, what it loads, and pictures without words."""

    def __init__(self, text: str) -> None:
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = _in_style("".join(STYLE.findall(text)))
        self.bare: list[str] = []  # pictures without a description
        self.title = unescape(found[1]) if (found := TITLE.search(text)) else ""
        for tag, attributes in TAG.findall(HIDDEN.sub(lambda found: found[1] or "", text)):
            given = {
                name.lower(): unescape(one or other or bare) for name, one, other, bare in GIVEN.findall(attributes)
            }
            self._tag(tag.lower(), given)

    def _tag(self, tag: str, given: dict[str, str]) -> None:
        self.anchors += [given["id"]] if "id" in given else []
        if tag == "img" and not given.get("alt", "").strip():
            self.bare.append(given.get("src", ""))
        if tag in ("a", "area"):
            self.links += [given["href"]] if "href" in given else []
        elif tag == "link" and set(given.get("rel", "").split()) & NOT_LOADED:
            self.links.append(given.get("href", ""))
        else:
            for name in LOADED.get(tag, ()):
                self.loaded += _of_set(given[name]) if name == "srcset" and name in given else []
                self.loaded += [given[name]] if name != "srcset" and name in given else []
        self.loaded += _in_style(given.get("style", ""))


def _of_set(text: str) -> list[str]:
    return [part.split()[0] for part in text.split(",") if part.strip()]


def _in_style(text: str) -> list[str]:
    return [one or other for one, other in IN_STYLE.findall(text)]


def problems(folder: str | Path) -> list[dict[str, str]]:
    """What is wrong with the site in `folder`, each with the page, `where`, and a sentence, `problem`."""
    root = Path(folder)
    if not (root / "index.html").is_file():
        raise GalleryError(
            f"gallery check: expected a site, with index.html, in the folder {str(folder)!r}, found none; "
            "try: tutorial-zarr gallery site"
        )
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    # JupyterLite has pages of its own, which are not ours to write.
    names = sorted(name for name in files if name.endswith(".html") and not name.startswith("lite/"))
    pages = {name: _Reader((root / name).read_text(encoding="utf-8")) for name in names}
    found = [(name, said) for name in names for said in _of_page(name, pages, files)]
    for name in sorted(file for file in files if file.endswith(".css") and not file.startswith("lite/")):
        loaded = _in_style((root / name).read_text(encoding="utf-8"))
        found += [(name, said) for address in loaded for said in _resolved(name, address, pages, files, True)]
    titles: dict[str, str] = {}
    for name, page in pages.items():
        if (first := titles.setdefault(page.title, name)) != name:
            found.append((name, f"expected a title of its own, found {page.title!r}, which {first} has as well"))
    return [{"where": name, "problem": plain(said)} for name, said in found]


def _of_page(name: str, pages: dict[str, _Reader], files: set[str]) -> Iterator[str]:
    page = pages[name]
    if not page.title.strip():
        yield "expected a title, found none"
    for anchor in sorted({each for each in page.anchors if page.anchors.count(each) > 1}):
        yield f"expected the anchor {anchor!r} once, found it {page.anchors.count(anchor)} times"
    for source in page.bare:
        yield f"expected words for the picture {source[:80]!r} as its alt, found none"
    if name == "404.html":
        return  # it is shown in every place, so its addresses may be whole ones
    for address in dict.fromkeys(page.loaded):
        yield from _resolved(name, address, pages, files, loaded=True)
    for address in dict.fromkeys(page.links):
        yield from _resolved(name, address, pages, files, loaded=False)


def _resolved(name: str, address: str, pages: dict[str, _Reader], files: set[str], loaded: bool) -> Iterator[str]:
    """What is wrong with an address on the page or in the style `name`."""
    parts = urlsplit(address)
    if parts.scheme in ("data", "blob"):
        return
    if parts.scheme or parts.netloc:
        if loaded:
            yield f"expected to load nothing from another host, found {address!r}"
        elif parts.scheme not in ("https", "http", "mailto"):
            yield f"expected a link to a page, found {address!r}"
        return
    if address.startswith("/"):
        yield f"expected an address relative to the page, found {address!r}, which holds at the root of a host only"
        return
    target = _joined(name, unquote(parts.path))
    if target not in files and (target is None or f"{target}/index.html".lstrip("/") not in files):
        yield f"expected {'a file' if loaded else 'a page'} at {address!r}, found none"
        return
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in ("top", *pages[target].anchors):
        yield f"expected the anchor {anchor!r} on the page {target}, to which {address!r} leads, found none"


def _joined(name: str, path: str) -> str | None:
    """The file that a relative address on a page means; None for one outside of the site."""
    if not path:
        return name
    parts = name.split("/")[:-1]
    for part in path.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
