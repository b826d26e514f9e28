"""The search of the site: an index that is a script, as a page that was opened from a folder may load no JSON.

A page is found by its title, its headings and all words of its text. To be small, the index keeps of each section the
beginning, which a result shows, and of the rest each word once. Words that stand on many pages are left out of the rest
and listed by themselves: who asks for one is not asked to find it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tutorial_zarr.gallery.site.markup import anchor as anchor_of
from tutorial_zarr.gallery.site.markup import script
from tutorial_zarr.gallery.site.pages import File, Page, Site

SHOWN = 130  # letters of a section that a result can show
MANY = 0.2  # of all pages
LEAST = 3  # letters of a word that is kept of the rest
LONGEST = 40  # longer ones are digests and addresses


def files(site: Site, pages: Sequence[Page]) -> list[File]:
    """The index of all pages: for each its address, its title, and its sections (anchor, heading, beginning, rest)."""
    return [File("search-index.js", script("SEARCH", index(pages)))]


def index(pages: Sequence[Page]) -> dict[str, list[Any]]:
    """What the index holds: `pages`, and the words that are `common`."""
    texts = {page.path: [("", page.description), *page.searched] for page in pages}
    on = Counter(word for sections in texts.values() for word in {word for _, text in sections for word in words(text)})
    common = {word for word, count in on.items() if count > max(3, MANY * len(pages))}
    rows: list[Any] = []
    for page in pages:
        sections = []
        for anchor, text in texts[page.path]:
            heading, inside = split(anchor, text)
            shown = inside if len(inside) <= SHOWN else inside[:SHOWN].rpartition(" ")[0]
            known = common.union(words(page.title), words(heading), words(shown))
            rest = sorted({word for word in words(inside[len(shown) :]) if LEAST <= len(word) <= LONGEST} - known)
            sections.append([anchor, heading, shown + " …" * (shown != inside), " ".join(rest)])
        rows.append([page.path, page.title, sections])
    return {"pages": rows, "common": sorted(common)}


def words(text: str) -> list[str]:
    """The words of a text as they are compared.

    >>> words("Zarr's zarr.json, 3x")
    ['zarr', 's', 'zarr', 'json', '3x']
    """
    return re.findall(r"\w+", text.lower())


def split(anchor: str, text: str) -> tuple[str, str]:
    """The heading that a section's text begins with, and the rest; where it begins with none, the anchor's words.

    >>> split("a-b", "A b: and more"), split("a-b", "And more"), split("", "More")
    (('A b', 'and more'), ('A b', 'And more'), ('', 'More'))
    """
    if not anchor:
        return "", text
    ends = [found.end() for found in re.finditer(r"\S+", text[:200])]
    for end in ends:
        if anchor_of(text[:end]) == anchor:
            return text[:end].removesuffix(":"), text[end:].strip()
    return anchor.replace("-", " ").capitalize(), text
