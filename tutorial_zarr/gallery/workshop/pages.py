"""The pages of a workshop: one file each, which needs no other and asks no other host for anything."""

from __future__ import annotations

import base64
import functools
import re
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery import site
from tutorial_zarr.gallery.site import markup
from tutorial_zarr.gallery.workshop.outline import Section, pictures

TEMPLATES = Path(__file__).with_name("templates")
STYLE = Path(site.__file__).parent / "static" / "site.css"  # the colours of both themes stand there
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)\s*")


@functools.cache
def _templates() -> Any:
    jinja2 = markup.need("jinja2")
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **values: Any) -> str:
    """A page from a template of `TEMPLATES`; what is filled in is escaped, unless it is marked by `|safe`."""
    style = STYLE.read_text(encoding="utf-8")
    return str(_templates().get_template(name).render(values, style=style, markdown=markdown, code=markup.code))


def markdown(text: str) -> str:
    """HTML of a text of a lesson: no pictures, no anchors, and links to other hosts only."""

    def link(target: str) -> str | None:
        return target if target.startswith("https://") else None

    return re.sub(r'(<h\d) id="[^"]*"', r"\1", markup.markdown(IMAGE.sub("", text), link))


def head_picture(notebook: Path, text: str) -> str:
    """The first picture that the text of a lesson shows, as HTML; nothing where there is none."""
    found = IMAGE.search(text)
    if not found:
        return ""
    return image("image/svg+xml", (notebook.parent / found[2]).read_text(encoding="utf-8"), " ".join(found[1].split()))


def shown(section: Section) -> list[str]:
    """The pictures of a section as HTML, each described in its own words."""
    return [image(*picture) for picture in pictures(section)]


def image(kind: str, data: str, alt: str) -> str:
    """A picture that stands in the page itself."""
    text = base64.b64encode(data.encode()).decode() if kind.endswith("svg+xml") else "".join(data.split())
    return str(_templates().from_string('<img src="data:{{ kind }};base64,{{ text }}" alt="{{ alt }}">').render(
        kind=kind, text=text, alt=alt))  # fmt: skip
