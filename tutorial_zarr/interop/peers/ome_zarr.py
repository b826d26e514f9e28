# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "ome-zarr>=0.21", "zarr>=3,<4", "cast-value-rs>=0.4.2", "pcodec", "msgpack", "google-crc32c",
#   "zfpy==1.0.1; python_version < '3.14'",
# ]
# ///
"""ome-zarr, the reader of microscopists, as a consumer: it opens images, which are groups with OME's metadata.

So that it can be asked for any array, each is shown to it as an image of one level: a folder beside it holds what OME
adds (0.4 around Zarr 2, 0.5 around Zarr 3) and links to the chunks. What OME's metadata cannot describe (other than
two to five axes, axes of one name) is refused in its name. It reads by Dask and zarr-python.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

sys.path.append(str(Path(__file__).parent))  # behind the packages, so that no file here hides one of them

from peer_protocol import Opened, Peer, Unsupported, serve
from zarr_python import ZarrPython

sys.path.pop()  # Dask looks for packages later, which must not be the files here

AXES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


class OmeZarr(ZarrPython):
    """What ome-zarr does of the protocol: it reads, by zarr-python."""

    name = "ome-zarr"
    packages = ("ome-zarr", "dask", "zarr", "numpy")
    write = Peer.write
    tree = Peer.tree

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        if consolidated:
            raise Unsupported("ome-zarr opens each array by its own document")
        self.folder = tempfile.TemporaryDirectory()  # of the image; the one before it is removed
        make_image(Path(self.folder.name), path / node, node or "0")
        (image,) = Reader(parse_url(self.folder.name))()
        (level,) = image.data
        return Opened(level.shape, lambda region: np.asarray(level[region].compute()))


def make_image(folder: Path, array: Path, name: str) -> None:
    """An image in `folder`, whose only level is the array in the folder `array`, by the path `name`."""
    v3 = (array / "zarr.json").exists()
    file = array / ("zarr.json" if v3 else ".zarray")
    document = json.loads(file.read_text(encoding="utf-8"))
    ndim = len(document["shape"])
    if not 2 <= ndim <= 5:
        raise Unsupported(f"OME: an image has two to five axes, not {ndim}")
    names = document.get("dimension_names") or list(AXES)[-ndim:]
    if None in names or len(set(names)) < ndim:
        raise Unsupported(f"OME: the axes of an image have names of their own, not {names}")

    level = folder / name
    level.mkdir(parents=True)
    for entry in array.iterdir():
        if entry != file:
            _link(entry, level / entry.name)
    if v3:
        document["dimension_names"] = names  # OME 0.5 demands them, and the same as its axes have
    _write(level / file.name, document)

    kinds = list(AXES.values())[-ndim:]
    multiscales: dict[str, Any] = {
        "axes": [{"name": axis, "type": kind} for axis, kind in zip(names, kinds, strict=True)],
        "datasets": [{"path": name, "coordinateTransformations": [{"type": "scale", "scale": [1.0] * ndim}]}],
    }
    if v3:
        ome = {"version": "0.5", "multiscales": [multiscales]}
        _write(folder / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})
    else:
        _write(folder / ".zgroup", {"zarr_format": 2})
        _write(folder / ".zattrs", {"multiscales": [{"version": "0.4", **multiscales}]})


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source, source.is_dir())
    except OSError:  # Windows asks for a privilege
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def _write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    serve(OmeZarr())
