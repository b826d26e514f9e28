"""The glossary: the terms of the field, each defined once, in the lesson that introduces it.

A lesson writes a term in bold, with a link, at its first use. The one that introduces it says in the link's title what
it means; the others link to ``notebooks/GLOSSARY.md``, which this module makes of the definitions::

    **[lost update](https://... "A write that another writer replaced without having seen it.")**
    **[lost update](../GLOSSARY.md#lost-update)**

A term that is defined somewhere, and stands in the prose of a lesson, is linked in this lesson or in one that it needs.

>>> [term] = defined('a **[codec](https://example.org/codec "What encodes and decodes the bytes of a chunk.")** then')
>>> term.name, term.text
('codec', 'What encodes and decodes the bytes of a chunk.')
>>> linked("the **[codec](../GLOSSARY.md#codec)** and **[a map](x.md)**")
['codec']
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tutorial_zarr.gallery.catalogue import Notebook, markdown

FILE = "GLOSSARY.md"
DEFINED = re.compile(r'\*\*\[([^\]]+)\]\((https://[^\s)]+)\s+"([^"]+)"\)\*\*')
LINKED = re.compile(rf"\*\*\[([^\]]+)\]\([^)\s]*{re.escape(FILE)}#([\w-]+)\)\*\*")
LENGTHS = range(8, 31)  # words of a definition
LEAST = 3  # terms of a lesson
# What is no prose: code, links, and the rows of tables.
NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|\[[^\]]*\]\([^)]*\)|^\|[^\n]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Term:
    """A term of the field: its name, where to read about it, and what it means."""

    name: str
    url: str
    text: str


def defined(text: str) -> list[Term]:
    """The terms that a text of Markdown defines."""
    joined = re.sub(r"\s*\n\s*", " ", text)
    return [Term(*found) for found in DEFINED.findall(joined)]


def linked(text: str) -> list[str]:
    """The anchors of the glossary that a text of Markdown links to, as terms in bold."""
    return [anchor for _, anchor in LINKED.findall(re.sub(r"\s*\n\s*", " ", text))]


def anchor(name: str) -> str:
    """What a heading is called in a link: ``lost update`` is ``lost-update``."""
    return re.sub(r"[^\w -]", "", name.lower()).strip().replace(" ", "-")


class Glossary:
    """The terms of all lessons: `terms` by anchor, and `lessons`, the lessons that link or define each."""

    def __init__(self, notebooks: Iterable[Notebook]) -> None:
        self.notebooks = {notebook.id: notebook for notebook in notebooks}
        self.texts = {name: prose(notebook) for name, notebook in self.notebooks.items()}
        self.defined = {name: defined(text) for name, text in self.texts.items()}
        self.terms = {anchor(term.name): term for terms in self.defined.values() for term in terms}
        self.used = {
            name: {anchor(term.name) for term in self.defined[name]} | set(linked(text))
            for name, text in self.texts.items()
        }

    def page(self) -> str:
        """The page in Markdown, in the order of the alphabet."""
        lines = ["# Glossary", "", "The terms of the field, and the lessons in which they do their work."]
        for name, term in sorted(self.terms.items()):
            files = [
                f"[{key}]({notebook.ipynb.relative_to(notebook.path.parents[1]).as_posix()})"
                for key, notebook in self.notebooks.items()
                if name in self.used[key]
            ]
            lines += ["", f"## {term.name}", "", f"{term.text} [Read more]({term.url}). In {', '.join(files)}."]
        return "\n".join(lines) + "\n"

    def problems(self, lesson: str) -> Iterator[tuple[str, str]]:
        """What is wrong with the terms of a lesson: where, and what."""
        found = self.used[lesson]
        if len(found) < LEAST:
            yield "terms", f"expected at least {LEAST} terms in bold with a link, found {len(found)}"
        others = Counter(anchor(term.name) for terms in self.defined.values() for term in terms)
        for term in self.defined[lesson]:
            if others[anchor(term.name)] > 1:
                yield "terms", f"expected one definition of {term.name!r}, found {others[anchor(term.name)]}"
            if len(term.text.split()) not in LENGTHS:
                yield "terms", f"expected {LENGTHS[0]} to {LENGTHS[-1]} words on {term.name!r}: {term.text!r}"
        yield from self.unlinked(self.texts[lesson], found | self._known(lesson))
        for name in sorted(found - self.terms.keys()):
            yield "terms", f"expected a definition of {name!r} in some lesson, found none"

    def unlinked(self, text: str, found: set[str]) -> Iterator[tuple[str, str]]:
        """The terms that stand in a text of Markdown, as words or in bold, and are not in `found`."""
        words = " ".join(NOT_PROSE.sub(" ", text).lower().split())
        for name, term in sorted(self.terms.items()):
            if name not in found and re.search(rf"\b{re.escape(term.name.lower())}s?\b", words):
                link = f"**[{term.name}](../{FILE}#{name})**"
                yield "terms", f"expected {term.name!r} as a link at its first use, found it as plain words; try {link}"

    def _known(self, lesson: str) -> set[str]:
        """The terms of the lessons that this one needs, and of those that they need."""
        seen: set[str] = set()
        todo = list(self.notebooks[lesson].needs)
        while todo:
            need = todo.pop()
            if need in self.used and need not in seen:
                seen.add(need)
                todo += self.notebooks[need].needs
        return set().union(*(self.used[need] for need in seen))


def prose(notebook: Notebook) -> str:
    """The text cells of a lesson, in one piece."""
    return "\n\n".join(markdown(notebook.path.read_text(encoding="utf-8")))
