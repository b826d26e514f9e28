"""An article made ready for Medium: a page to copy from, pictures by number, a list to go through, the code as files.

Medium takes no Markdown, SVG, tables or mathematics; its programming interface is closed to new users. What is left is
to paste, which keeps headings, paragraphs, lists, links and `pre`, and is known to drop pictures, and to import a page
by its address. Descriptions of pictures and tags are typed by hand either way. Beside what `publish` writes there are

    paste.html     the page with a button that copies the article
    1.png, 2.png   the pictures in the order of the text
    checklist.md   what to type, ready to paste, and what to look at before publishing
    code/          a file for each block, for one gist

What Medium itself makes of it has not been tried: there is no way to without an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.article_form import CAPTION, FENCE, FIGURE, first_line, front_matter, headings
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.publish import build_articles, long_lines
from tutorial_zarr.gallery.series import select_articles

WIDEST = 88  # characters of a line of code, beyond which Medium's column scrolls
TAGS = 5  # as many as Medium takes
LEVELS = 2  # of headings
SUFFIXES = {"python": "py", "sh": "sh", "json": "json"}
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((https?://[^)\s]+)\)")
# The page copies what it shows, whichever part of it is selected. `copy` events need no permission, and work on a page
# that was opened as a file, where the newer way (navigator.clipboard) is refused by some browsers.
BUTTON = '<p><button id="copy" type="button">Copy the article</button> <output id="done"></output></p>\n'
SCRIPT = """<script>
document.getElementById("copy").addEventListener("click", () => {
  const article = document.querySelector("article");
  const put = event => {
    event.clipboardData.setData("text/html", article.innerHTML);
    event.clipboardData.setData("text/plain", article.innerText);
    event.preventDefault();
  };
  document.addEventListener("copy", put, {once: true});
  const done = document.execCommand("copy");
  document.removeEventListener("copy", put);
  document.getElementById("done").textContent = done
    ? "Copied. Click into a new story, and paste."
    : "This browser refused. Select the article, and copy it.";
});
</script>
"""


def build_for_medium(out_dir: str | Path, names: Any = None, folder: Path | None = None, **options: Any) -> list[Path]:
    """Write the articles for Medium, each in a folder of its own; return the paths of the Markdown.

    out_dir  the folder for them
    names    which ones, None for all
    folder   that of the notebooks
    options  as `build_articles` takes them: `base_url`, `pictures_url`, `progress`

    An article that Medium could not show is refused, before anything is written.
    """
    for path in select_articles(names, folder):
        for problem in problems(path.read_text(encoding="utf-8")):
            raise GalleryError(f"article {path.stem}: {problem}")
    written = build_articles(out_dir, names, folder=folder, numbered=True, **options)
    for path in written:
        text = path.read_text(encoding="utf-8")
        page = path.with_suffix(".html").read_text(encoding="utf-8")
        page = page.replace("<article>", f"{BUTTON}<article>", 1).replace("</article>\n", f"</article>\n{SCRIPT}", 1)
        blocks = {f"code/{name}": block for name, block in code_files(text)}
        pictures = {f"{n}.png" for n, _ in enumerate(FIGURE.findall(FENCE.sub("", text)), 1)}
        for old in (*path.parent.glob("[0-9]*.png"), *path.parent.glob("code/[0-9][0-9].*")):
            if old.relative_to(path.parent).as_posix() not in pictures | set(blocks):
                old.unlink()  # of an article that was longer
        (path.parent / "code").mkdir(exist_ok=True)
        for name, content in {"paste.html": page, "checklist.md": checklist(text), **blocks}.items():
            (path.parent / name).write_text(content, encoding="utf-8", newline="\n")
    return written


def problems(text: str) -> Iterator[str]:
    """What Medium cannot show of an article, given as Markdown; each a sentence."""
    front, body = front_matter(text)
    body = FENCE.sub("", body)
    tags = _tags(front)
    if not 1 <= len(tags) <= TAGS:
        yield f"expected 1 to {TAGS} tags, as many as Medium takes, found {len(tags)}; try fewer in its front matter"
    deep = [line for line in re.findall(r"^#+ .+$", body, re.MULTILINE) if line.partition(" ")[0].count("#") > LEVELS]
    if deep:
        yield f"expected headings of {LEVELS} levels, as Medium has no more, found {deep[0]!r}; try ##"
    for what, mark in {
        "a list within a list": r"^(?: {2,}|\t)(?:[-*+]|\d+\.) .*",
        "HTML": r"^ *</?[a-z][^>]*>",
        "mathematics": r"\$\$|\\\(",
    }.items():
        if found := re.search(mark, re.sub(r"`[^`\n]+`", "", body), re.MULTILINE):
            yield f"expected nothing that Medium has no form for, found {what}, {found[0].strip()!r}; try plain text"


def _tags(front: dict[str, str]) -> list[str]:
    return [tag.strip() for tag in front.get("tags", "").split(",") if tag.strip()]


def code_files(text: str) -> Iterator[tuple[str, str]]:
    r"""Pairs (name, content) of the blocks of a built article, in the order in which its page shows them.

    >>> list(code_files("```python\nx = 1\n```\nand\n```text\n1\n```\n"))
    [('01.py', 'x = 1\n'), ('02.txt', '1\n')]
    """
    for number, (language, block) in enumerate(FENCE.findall(text), 1):
        yield f"{number:02}.{SUFFIXES.get(language, 'txt')}", block


def checklist(text: str) -> str:
    """What to do and to type, for an article as `build_articles` writes it."""
    front, body = front_matter(text)
    canonical = front.get("source", "(build again with --base-url, the address at which the article stands first)")
    long = [f"- `code/{name}`, {first_line(block)}: {words.count(len(found), 'lines')}, up to {max(found)} characters"
            for name, block in code_files(body)
            if (found := [length for _, length in long_lines(f"```\n{block}```", WIDEST)])]  # fmt: skip
    links = list(dict.fromkeys(LINK.findall(FENCE.sub("", body))))
    sections = {
        "Paste it": "Open `paste.html` in a browser, press *Copy the article*, click into a new story, and paste.\n\n"
        "- [ ] The title and the subtitle stand at the top, and the headings "
        f"({len(headings(body)) - 1}) are headings.\n- [ ] Every block of code ({len(FENCE.findall(body))}) is one "
        "block with its lines; `code/` has each as a file, by its number, for one gist.",
        "Title": _paste(front["title"]),
        "Subtitle": _paste(front["subtitle"]),
        "Tags": "\n".join(f"- [ ] {tag}" for tag in _tags(front)),
        "Canonical address": _paste(canonical) + "\n\nIt goes into the settings of the story. A page that is imported "
        "by its address brings it along.",
        "Pictures": "Where a picture is missing, click behind the words that are named here, and add the file. "
        "The description goes into the picture's alternative text.\n\n" + "\n\n".join(_pictures(body)),
        f"Lines of more than {WIDEST} characters": "\n".join(long) or "None.",
        "Links to try": "\n".join(f"- [ ] <{link}>" for link in links),
    }
    return f"# To publish: {front['title']}\n" + "".join(f"\n## {name}\n\n{what}\n" for name, what in sections.items())


def _paste(text: str) -> str:
    return f"```text\n{text}\n```"


def _pictures(body: str) -> Iterator[str]:
    lines = [line for line in FENCE.sub(lambda found: f"{first_line(found[2])}\n", body).splitlines() if line.strip()]
    number = 0
    for at, line in enumerate(lines):
        for alt, target in FIGURE.findall(line):
            number += 1
            before = re.split(r"(?<=[.:?!]) (?=[A-Z`*])", lines[at - 1])[-1] if at else "(the top)"
            after = lines[at + 1] if at + 1 < len(lines) and CAPTION.fullmatch(lines[at + 1]) else ""
            yield (
                f"### {number}\n\n- [ ] `{target}`, after: {before.lstrip('# ').replace('**', '')}\n"
                + (f"- [ ] its caption: {after.strip('*')}\n" if after else "")
                + f"- [ ] its alternative text:\n\n{_paste(alt)}"
            )
