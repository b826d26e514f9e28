"""What other installed packages bring: codecs, data types, key encodings and stores, found by entry points.

The registries ask here for names that they do not know. Before that nothing is looked up and no plugin is
imported. How to write one is in `DESIGN.md`; the laws that it should keep are in `testing`.

>>> entry_point("tutorial_zarr.codecs", "nobody's") is None
True
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tutorial_zarr.errors import MissingDependencyError


@cache  # a look-up goes through every installed package
def entry_point(group: str, name: str) -> Any:
    """Return what the entry point `name` of `group` names, or None. MissingDependencyError if it does not load."""
    from importlib.metadata import entry_points

    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as cause:
            raise MissingDependencyError(
                f"entry point {name!r} of {group}: expected to load {point.value}, found: {cause}; "
                f"try to reinstall the package {point.dist.name if point.dist else point.module}",
                name=name,
            ) from cause
    return None
