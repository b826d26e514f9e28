"""What to type when a notebook wants a package that is not here, and what to try when its kernel is gone.

>>> remedy("ModuleNotFoundError: No module named 'not_a_package_of_ours.io'")
"ModuleNotFoundError: No module named 'not_a_package_of_ours.io'; try: python -m pip install not_a_package_of_ours"
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re

from tutorial_zarr.errors import MissingDependencyError

# Modules whose package has another name.
PACKAGES = {"sklearn": "scikit-learn", "skimage": "scikit-image", "allel": "scikit-allel", "PIL": "pillow"}


def need(*modules: str) -> None:
    """Stop with a sentence that says what to type, if one of the modules cannot be imported."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(
                f"this notebook needs the package {package(module)}, which is not installed; try: {install(module)}"
            )


def remedy(error: str) -> str:
    """An error, with what to type if it says that a module is missing, and what to try if the kernel is gone."""
    if error.startswith("DeadKernelError"):
        return (
            f"{error}: the process that runs the cells was ended from outside, as it is when memory runs out, or ended "
            "itself; try fewer workers or smaller data, or that cell by itself in JupyterLab"
        )
    found = re.match(r"ModuleNotFoundError: No module named '(\w+)", error)
    return f"{error}; try: {install(found[1])}" if found else error


def package(module: str) -> str:
    """The package that brings a module."""
    return PACKAGES.get(module, module)


def install(module: str) -> str:
    """The command that brings a module: the smallest extra of this project that names it, or the package itself."""
    known = extras()
    having = [extra for extra, names in known.items() if extra and normal(package(module)) in names]
    if not having:
        return f"python -m pip install {package(module)}"
    return f'python -m pip install "tutorial_zarr[{min(having, key=lambda extra: (len(known[extra]), extra))}]"'


def extras() -> dict[str, set[str]]:
    """The packages that each extra of this project names, as the installed one says; under "" what all need."""
    try:
        requirements = importlib.metadata.requires("tutorial_zarr") or []
    except importlib.metadata.PackageNotFoundError:
        requirements = []
    found: dict[str, set[str]] = {}
    for requirement in requirements:
        extra, name = re.search(r"extra == ['\"]([\w-]+)", requirement), re.match(r"[\w.-]+", requirement)
        if name:
            found.setdefault(extra[1] if extra else "", set()).add(normal(name[0]))
    return found


def normal(name: str) -> str:
    """A package's name as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()
