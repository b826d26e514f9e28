"""What other installed packages bring: codecs, data types and stores, found by their entry points.

The registries of the three ask here for a name that they do not know. Nothing is looked up, and no plugin
imported, before that. How to write one is in `DESIGN.md`; the laws that it should keep are in `testing`.

>>> entry_point("tutorial_zarr.codecs", "nobody's") is None
True
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tutorial_zarr.errors import MissingDependencyError


@cache  # a look-up goes through all that is installed
def entry_point(group: str, name: str) -> Any:
    """What the entry point `name` of `group` names, or None. Raises MissingDependencyError where it fails to load."""
    from importlib.metadata import entry_points

    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as cause:
            raise MissingDependencyError(
                f"entry point {name!r} of {group}: expected to load {point.value}, found: {cause}; "
                f"try to install the package {point.dist.name if point.dist else point.module} anew",
                name=name,
            ) from cause
    return None
