"""The form of an article, which its text alone can break: what stands first, what below a figure, how long it is.

    front matter
    *Code: ...*                       generated, see `series`
    the hook, **Bottom line: ...**    and a figure, before the first heading
    sections                          with a caption under each figure, links to sources, one script with its output
    | here | ... | not there |        the bridge, see `bridges`
    *Part 3 of 14 ...*                generated

That its numbers and its code are the notebook's is `articles`' business.

>>> minutes("word " * 1760 + "![](a.svg) ![](b.svg)")
9
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

from tutorial_zarr.gallery import bridges
from tutorial_zarr.gallery.article_code import is_script, script_problems, undefined_names
from tutorial_zarr.gallery.catalogue import GalleryError

FRONT_MATTER = ("title", "subtitle", "minutes", "notebook", "tags")
WORDS = range(1200, 2001)
WORDS_A_MINUTE, FIGURES_A_MINUTE = 220, 2
LINKS = 3
BRIDGE = f"| {' | '.join(bridges.HEAD)} |"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CAPTION = re.compile(r"\*[^*].*[^*]\*")
BOTTOM_LINE = re.compile(r"^\*\*Bottom line: .+\*\*$", re.MULTILINE)
# `series` writes these two; nobody reads them as prose.
GENERATED = re.compile(r"^\*(?:Code: |Part [\d@]).*\*$", re.MULTILINE)
# What stood in all fourteen: a reader of two skips it in the third.
OLD_HEADINGS = ("what to do on monday", "the honest limits")
OLD_ENDING = re.compile(r"\bhas (?:two|three|four) exercises\b")


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The lines ``key: value`` between the two ``---`` at the head, and the rest."""
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if match is None:
        return {}, text
    pairs = (line.partition(":") for line in match[1].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}, text[match.end() :]


def prose(body: str) -> str:
    """An article without blocks, tables and generated lines."""
    return GENERATED.sub("", TABLE.sub("", FENCE.sub("", body) + "\n"))


def count_words(body: str) -> int:
    """The words that are read: without blocks, tables, descriptions of figures and the targets of links."""
    return len(re.findall(r"[A-Za-z][\w'-]*", re.sub(r"\]\([^)]*\)", "]", FIGURE.sub("", prose(body)))))


def minutes(body: str) -> int:
    """How long it takes to read: 220 words a minute, and half a minute for each figure."""
    figures = len(FIGURE.findall(prose(body)))
    return round(count_words(body) / WORDS_A_MINUTE + figures / FIGURES_A_MINUTE)


def headings(body: str) -> list[str]:
    """The headings of an article, in order."""
    return [found.strip() for found in HEADING.findall(FENCE.sub("", body))]


def same(heading: str) -> str:
    """What two headings have in common that a reader takes for one: letters and figures, small."""
    return " ".join(re.findall(r"\w+", heading.lower()))


def form_problems(front: Mapping[str, str], body: str, taken: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs (place, what is wrong with the form of an article there).

    front  its front matter
    body   the rest
    taken  the headings of all other articles, as `same` gives them, each with the name of its article
    """
    for name in FRONT_MATTER:
        if not front.get(name):
            yield "front matter", f"expected a line '{name}: ...', found none"
    yield from _opening(re.split(r"^#+ ", FENCE.sub("", body), maxsplit=1, flags=re.MULTILINE)[0])
    yield from _figures(FENCE.sub("", body).splitlines())
    yield from _headings(body, taken)
    yield from _script(FENCE.findall(body))
    yield from _names([block for language, block in FENCE.findall(body) if language == "python"])
    text = prose(body)
    links = {target.partition("#")[0] for target in re.findall(r"(?<!!)\[[^\]]+\]\((https://[^)\s]+)", text)}
    if len(links) < LINKS:
        yield "links", f"expected links to at least {LINKS} pages outside, https://..., found {len(links)}"
    if bridges.rows(FENCE.sub("", body)) is None:
        yield "bridge", f"expected a table with the head {BRIDGE!r}, found none"
    if found := OLD_ENDING.search(text):
        yield "ending", f"expected a last section of its own, found {found[0]!r}, which every article had"
    words = count_words(body)
    if words not in WORDS:
        yield "length", f"expected {WORDS[0]:,} to {WORDS[-1]:,} words of prose, found {words:,}"


def _opening(opening: str) -> Iterator[tuple[str, str]]:
    found = len(BOTTOM_LINE.findall(opening))
    if found != 1:
        yield "opening", f"expected one line '**Bottom line: ...**' before the first heading, found {found}"
    if not FIGURE.search(opening):
        yield "opening", "expected a figure before the first heading, found none"


def _figures(lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines):
        for alt, target in FIGURE.findall(line):
            if len(alt) < 20:
                yield target, "expected a description of the figure between the brackets, for those who cannot see it"
            if not FIGURE.fullmatch(line):
                yield target, "expected the figure in a line of its own, found text beside it"
            below = next((below for below in lines[number + 1 :] if below.strip()), "")
            if not CAPTION.fullmatch(below) or GENERATED.fullmatch(below):
                yield target, f"expected a caption below the figure, a line in italics, found {below[:40]!r}"


def _headings(body: str, taken: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for heading in headings(body):
        small = same(heading)
        if small in OLD_HEADINGS:
            yield (
                f"heading {heading!r}",
                "expected a heading that says what its section says, found an old one",
            )
        elif small in taken:
            yield f"heading {heading!r}", f"expected one that no other article has, found it in {taken[small]}"
        elif small in seen:
            yield f"heading {heading!r}", "expected it once, found it twice"
        seen.add(small)


def _script(blocks: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    places = [at for at, (language, block) in enumerate(blocks) if language == "python" and is_script(block)]
    if len(places) != 1:
        yield "script", f"expected one python block that begins with '# /// script' and runs, found {len(places)}"
    for at in places:
        yield from (("script", problem.removeprefix("script: ")) for problem in script_problems(blocks[at][1]))
        language, printed = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
        if language != "text" or not printed.strip():
            yield "script", "expected its output in the next block, ```text"


def _names(blocks: list[str]) -> Iterator[tuple[str, str]]:
    try:
        for number, found in itertools.groupby(undefined_names(blocks), lambda pair: pair[0]):
            names = ", ".join(name for _, name in found)
            yield first_line(blocks[number]), f"expected names that the article imports or defines above, found {names}"
    except GalleryError as error:
        yield "python blocks", str(error)


def first_line(block: str) -> str:
    """A block by its first line, to be named in a sentence."""
    first = block.strip().splitlines()[:1]
    return f"block {first[0]!r}" if first else "empty block"
