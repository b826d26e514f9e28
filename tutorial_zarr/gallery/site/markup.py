"""From Markdown and code to HTML: one way for lessons, articles and every other page."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Callable
from html import escape
from typing import Any

from tutorial_zarr.errors import MissingDependencyError

# The tokens of Python that have a colour in site.css, by the short names of Pygments.
COLOURED = frozenset(re.findall(r"\w+", "k kn kc kd ow s s1 s2 sa sd si se c1 ch cm mi mf mh nf nc nb bp nd"))
Link = Callable[[str], "str | None"]  # from a target as it is written to the address on the page; None: plain text


def need(name: str) -> Any:
    """A module of the extra `site`."""
    try:
        return __import__(name)
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            f"gallery site: expected the package {name}, which is not installed; "
            'try: python -m pip install "tutorial_zarr[site]"'
        ) from missing


@functools.cache
def _parser() -> Any:
    need("markdown_it")
    from markdown_it import MarkdownIt

    # "details" and "summary" stand in lessons as HTML: what is rendered comes from this repository alone.
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("fence", lambda self, tokens, at, *rest: code(tokens[at].content, tokens[at].info))
    return parser


def markdown(text: str, link: Link = str, picture: Callable[[str], str] = str) -> str:
    """HTML of a text. Headings get anchors; a link for which `link` gives None becomes its text."""
    parser, environment = _parser(), dict[str, Any]()
    tokens = parser.parse(text, environment)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[at + 1].content))
        if token.children:
            token.children = list(_linked(token.children, link, picture))
    return str(parser.renderer.render(tokens, parser.options, environment))


def _linked(tokens: Any, link: Link, picture: Callable[[str], str]) -> Any:
    dropped = []
    for token in tokens:
        if token.type == "image":
            token.attrSet("src", picture(str(token.attrGet("src"))))
            token.attrSet("loading", "lazy")
        elif token.type == "link_open":
            address = link(str(token.attrGet("href")))
            dropped.append(address is None)
            if address is None:
                continue
            token.attrSet("href", address)
        elif token.type == "link_close" and dropped.pop():
            continue
        yield token


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it.

    >>> anchor("Build it small: the *cost* is `a / b`")
    'build-it-small-the-cost-is-a--b'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def code(text: str, language: str = "") -> str:
    """A block of code that can be scrolled with the keyboard; Python in colours."""
    if language.split(" ")[0] in ("python", "py"):
        inside = highlighted(text)
    else:
        inside = escape(text)
    return f'<pre class="code" tabindex="0"><code>{inside}</code></pre>\n'


@functools.cache
def highlighted(text: str) -> str:
    """Python in colours: HTML with as many lines as the code, each whole by itself.

    Only those tokens that site.css gives a colour have a span: pages are half as long then.
    """
    need("pygments")
    from pygments.lexers.python import PythonLexer
    from pygments.token import STANDARD_TYPES

    tokens = PythonLexer(stripnl=False).get_tokens(text)
    pieces = []
    for style, group in itertools.groupby(tokens, lambda token: STANDARD_TYPES.get(token[0], "")):
        inside = escape("".join(word for _, word in group), quote=False)
        if style in COLOURED:
            inside = "\n".join(f'<span class="{style}">{line}</span>' for line in inside.split("\n"))
        pieces.append(inside)
    return "".join(pieces)


def words(text: str) -> str:
    """HTML of a sentence: what stands between backquotes is code.

    >>> words("`a < b` & c")
    '<code>a &lt; b</code> &amp; c'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def plain(html: str) -> str:
    """The text of HTML, for the search and for descriptions."""
    from html import unescape

    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).strip()


def script(name: str, value: Any) -> bytes:
    """A value as a script that sets `window.NAME`: a page that was opened from a folder may load no JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"window.{name}={text};\n".encode()
