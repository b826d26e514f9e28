"""Build the reference of the library from its docstrings, as a folder of HTML pages: python .ci/reference.py FOLDER

pdoc does it (the extra `reference`). Before, this script opens what is imported on first use, which pdoc would miss,
and tells it that a block of lines such as ``name  what it is`` is a list of parameters.
"""

import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pdoc
from pdoc import docstrings

import tutorial_zarr

# Programs for other environments, and material for pages and lessons: nobody imports them.
NO_MODULES = (
    "interop.peers",
    "interop.protocol",
    "gallery.template",
    "gallery.exercises",
    "gallery.confined",
    "__main__",
)


def modules() -> list[str]:
    """Return the names of the modules that a reader may want, each imported."""
    found = ["tutorial_zarr"]
    for module in pkgutil.walk_packages(tutorial_zarr.__path__, "tutorial_zarr."):
        if any(f".{name}" in module.name for name in NO_MODULES):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError as missing:
            print(f"left out: {module.name}, as {missing}", file=sys.stderr)
            continue
        for name in getattr(loaded, "__all__", []):
            vars(loaded).setdefault(name, getattr(loaded, name))
        found.append(module.name)
    return found


def with_lists(text: str) -> str:
    """Return a docstring with its list of parameters, ``name  what it is``, as a list of Markdown."""
    return re.sub(r"^([a-z_][\w*, ]*?) {2,}(?=\S)", r"- **\1**: ", inspect.cleandoc(text), flags=re.MULTILINE)


def main() -> None:
    """Write the pages."""
    if len(sys.argv) != 2:
        sys.exit("usage: python .ci/reference.py FOLDER")
    convert = docstrings.convert
    docstrings.convert = lambda text, *how: convert(with_lists(text), *how)
    pdoc.render.configure(
        docformat="markdown", show_source=False, footer_text=f"tutorial_zarr {tutorial_zarr.__version__}"
    )
    names = modules()
    pdoc.pdoc(*names, output_directory=Path(sys.argv[1]))
    print(f"{len(names)} modules in {sys.argv[1]}")


if __name__ == "__main__":
    main()
