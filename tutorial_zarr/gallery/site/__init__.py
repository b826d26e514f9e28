"""The gallery as a site: pages that need no server, no other host and no installation.

`pages` says what a page is and where each lies; `markup` makes HTML of Markdown and of code; a module for each kind of
page yields them; `build` writes them. Jinja2 fills the templates, markdown-it-py and Pygments draw text and code.
"""

from tutorial_zarr.gallery.site.build import build

__all__ = ["build"]
