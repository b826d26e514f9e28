"""OME-Zarr's metadata in the other format: version 0.4 is Zarr 2 alone, and 0.5 is Zarr 3 alone.

What stands among the attributes of a group in 0.4 stands under ``ome`` in 0.5, which says its version once, and the
axes of an image become the names of its arrays' dimensions. Other versions are left as they are, with a note.

>>> image = {"multiscales": [{"version": "0.4", "axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "0"}]}]}
>>> new, notes = spelled(image, 3)
>>> new["ome"]["version"], "version" in new["ome"]["multiscales"][0], notes
('0.5', False, [])
>>> spelled(new, 2)[0] == image, axes(image) == axes(new) == {"0": ("y", "x")}
(True, True)

Specs: https://ngff.openmicroscopy.org/0.4/ and https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

from typing import Any

_VERSIONED = ("multiscales", "image-label", "plate", "well")  # what has a version of its own in 0.4
_UNVERSIONED = ("omero", "bioformats2raw.layout")
_BY_NAME = {"labels": "labels", "series": "OME"}  # words that others use too: ours in the group of this name
VERSION = {2: "0.4", 3: "0.5"}


def spelled(attributes: dict[str, Any], zarr_format: int, name: str = "") -> tuple[dict[str, Any], list[str]]:
    """The attributes of a group as they are to be in a format, and notes on what stays as it is.

    name: what the group is called, by which that of an image's labels is known.
    """
    if zarr_format == 3:
        return _nested(attributes, name)
    ome = attributes.get("ome")
    if not isinstance(ome, dict):
        return attributes, []
    if ome.get("version") != VERSION[3] or any(key in attributes for key in ome):
        return attributes, [_left(ome.get("version"), 2)]
    inside = {key: _with_version(key, value) for key, value in ome.items() if key != "version"}
    return {**{key: value for key, value in attributes.items() if key != "ome"}, **inside}, []


def _nested(attributes: dict[str, Any], name: str) -> tuple[dict[str, Any], list[str]]:
    ours = [
        key for key in attributes if key in (*_VERSIONED, *_UNVERSIONED) or (key in _BY_NAME and name == _BY_NAME[key])
    ]
    if not set(ours) - {"omero"}:
        return attributes, []
    found = {version for key in _VERSIONED for version in _versions(attributes.get(key))}
    if found - {VERSION[2]} or "ome" in attributes:
        return attributes, [_left(", ".join(sorted(map(str, found - {VERSION[2]}))) or "0.4 and another", 3)]
    inside = {key: _without_version(key, attributes[key]) for key in ours}
    others = {key: value for key, value in attributes.items() if key not in ours}
    return {**others, "ome": {"version": VERSION[3], **inside}}, []


def _left(version: Any, zarr_format: int) -> str:
    return (
        f"its OME-Zarr metadata of version {version} stay as they are: only {VERSION[2]} and {VERSION[3]} become each "
        f"other, and readers of OME-Zarr may not find them in Zarr {zarr_format}"
    )


def _versions(value: Any) -> list[Any]:
    """The versions that a member names; one that names none is of 0.4."""
    entries = value if isinstance(value, list) else [value]
    return [entry["version"] for entry in entries if isinstance(entry, dict) and "version" in entry]


def _without_version(key: str, value: Any) -> Any:
    if key not in (*_VERSIONED, "omero"):
        return value
    if isinstance(value, list):
        return [_without_version(key, entry) for entry in value]
    return {name: each for name, each in value.items() if name != "version"} if isinstance(value, dict) else value


def _with_version(key: str, value: Any) -> Any:
    if key not in _VERSIONED:
        return value
    if isinstance(value, list):
        return [_with_version(key, entry) for entry in value]
    return {"version": VERSION[2], **value} if isinstance(value, dict) else value


def axes(attributes: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Path of an array below an image's group -> the names of its axes; of both versions."""
    ome = attributes.get("ome")
    images = (ome if isinstance(ome, dict) else attributes).get("multiscales")
    found: dict[str, tuple[str, ...]] = {}
    for image in images if isinstance(images, list) else ():
        if not isinstance(image, dict):
            continue
        given = image.get("axes")
        listed = [
            axis.get("name") if isinstance(axis, dict) else None for axis in (given if isinstance(given, list) else ())
        ]
        names = tuple(name for name in listed if isinstance(name, str))
        datasets = image.get("datasets")
        if not names or len(names) != len(listed):  # version 0.3 has bare names
            continue
        for dataset in datasets if isinstance(datasets, list) else ():
            if isinstance(dataset, dict) and isinstance(dataset.get("path"), str):
                found[dataset["path"]] = names
    return found


def named(attributes: dict[str, Any]) -> list[str]:
    """The paths that the metadata of a group name below it: of an image its scales and its labels, of a plate its
    wells, of a well its images; of both versions.

    >>> named({"multiscales": [{"datasets": [{"path": "0"}, {"path": "1"}]}]})
    ['0', '1', 'labels']
    """
    own = attributes.get("ome")
    own = own if isinstance(own, dict) else attributes
    images, found = own.get("multiscales"), []
    holders = [*(images if isinstance(images, list) else ()), own.get("plate"), own.get("well")]
    for holder in holders:
        for key in ("datasets", "wells", "images"):
            entries = holder.get(key) if isinstance(holder, dict) else None
            found += (
                [each.get("path") for each in entries or () if isinstance(each, dict)]
                if isinstance(entries, list)
                else []
            )
    for key in ("labels", "series"):
        found += own[key] if isinstance(own.get(key), list) else []
    plain = [path for path in found if isinstance(path, str) and not {"\\", "\0"} & {*path}]
    return [path for path in plain if all(name.strip(".") for name in path.split("/"))] + (["labels"] if images else [])
