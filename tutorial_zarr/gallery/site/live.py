"""The page on which this library, in Pyodide, and zarrita.js share one store in the reader's tab.

zarrita.js is part of this package (37 KB, MIT licence), so that a site is built without npm and without a network, and
so that a page says which version it shows. It is there without the compressors that are WebAssembly (1.4 MB).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tutorial_zarr.gallery.site import lite
from tutorial_zarr.gallery.site.markup import code
from tutorial_zarr.gallery.site.pages import File, Page, Site

ENTRY = ("browser.html", "Live")  # in the menu of a site that has the page
STATIC = Path(__file__).with_name("static")


def pages(site: Site) -> Iterator[Page | File]:
    """The page, where the site has a Pyodide to run it."""
    if site.lite == "none":
        return
    script = (STATIC / "browser.js").read_text(encoding="utf-8")
    shown = script.partition("// --- the store\n")[2].partition("  // --- the page")[0]
    values = {
        "pyodide": lite.pyodide_url(site.lite),
        "wheel": lite.wheel_path(),
        "note": lite.lite_note(site.lite, 25),
        "code": code((STATIC / "shared_store.py").read_text(encoding="utf-8"), "python"),
        "view": code("\n".join(line.removeprefix("  ") for line in shown.splitlines())),
    }
    text = "In one tab of a browser, Python and JavaScript read and write the same Zarr arrays."
    yield Page(ENTRY[0], "Two programs, one store", text, "browser.html", values)
