"""The cases as plain files, for implementers who would rather not run this program.

    FOLDER/manifest.json        for each case: id, section, elements, shape, type, attributes, digest, files
    FOLDER/stores/ID/...        the store, as this library writes it
    FOLDER/expected/ID.bin      the canonical bytes that must be read

The same cases give the same files, byte for byte. `protocol/GUIDE.md` says what canonical bytes are.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tutorial_zarr import __version__
from tutorial_zarr.errors import StoreError

from . import ours
from .cases import Case


def write_kit(folder: Path, cases: Mapping[str, Case], progress: Callable[[int, int], None] | None = None) -> int:
    """Write the kit into `folder`, which has to be empty, absent, or a kit; returns the number of cases."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "manifest.json").exists():
        raise StoreError(f"{folder}: expected an empty folder or a kit, found other files; try another folder")
    for part in ("stores", "expected"):
        shutil.rmtree(folder / part, ignore_errors=True)
    entries = []
    for n, (id, case) in enumerate(cases.items(), 1):
        store, expected = folder / "stores" / id, folder / "expected" / f"{id}.bin"
        store.mkdir(parents=True)
        expected.parent.mkdir(parents=True, exist_ok=True)
        ours.write(case, store)
        expected.write_bytes(case.expected_bytes)
        entries.append(_entry(case, store))
        if progress:
            progress(n, len(cases))
    manifest = {"kit": 1, "writer": f"tutorial_zarr {__version__}", "cases": entries}
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8", newline="\n")
    return len(entries)


def _entry(case: Case, store: Path) -> dict[str, Any]:
    files = sorted((file.relative_to(store).as_posix(), file) for file in store.rglob("*") if file.is_file())
    return {
        "id": case.id,
        "spec": case.spec,
        "zarr_format": case.zarr_format,
        "kind": case.kind,
        "node": case.node,
        "consolidated": case.consolidated,
        "elements": sorted(case.elements),
        "shape": list(case.expected.shape),
        "dtype": case.dtype,
        "attributes": case.attributes,
        "sha256": case.sha256,
        "files": {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files},
    }
