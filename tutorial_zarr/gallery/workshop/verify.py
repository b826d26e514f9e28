"""Whether a learner's machine is ready for a plan, and a receipt that tells the host.

A receipt has twelve characters: what is lacking, the system and the Python, and a sum that holds them to the plan, so
that a slip of the pen or the receipt of another workshop is noticed. It says nothing else, and it is no proof: it
could be made by hand.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import re
import sys
from pathlib import Path
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.runner import run
from tutorial_zarr.gallery.workshop.plan import Plan, modules

# Each is a bit of the receipt, so their order is part of its form; what to say of it, and what to try.
CHECKS = {
    "core": ("the core of tutorial_zarr", "tutorial-zarr check"),
    "packages": ("packages that the lessons import", "install from the kit again"),
    "jupyter": ("JupyterLab and its kernel", "install from the kit again"),
    "notebooks": ("the students' notebooks", "copy the folder notebooks of the kit"),
    "lesson": ("a run of the first lesson", "tutorial-zarr gallery run"),
}
SYSTEMS = ("Linux", "Windows", "Darwin", "another system")
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # none is taken for another
LONGEST = 1 << 20  # bytes of a list of receipts


def verify(plan: Plan, folder: str | Path = ".", core: bool = True) -> dict[str, Any]:
    """Look at this machine for a plan; installs nothing. The students' notebooks are looked for below `folder`.

    `core` says whether the core of tutorial_zarr works, as `tutorial-zarr check` finds out.

    A dict: ``ready``, ``receipt``, and ``lacks``, a list of what is missing, each with what to try.
    """
    lacks: dict[str, str] = {}
    missing = [module for module in modules(plan) if importlib.util.find_spec(module) is None]
    if not core:
        lacks["core"] = ""
    if missing:
        lacks["packages"] = ", ".join(missing)
    if any(importlib.util.find_spec(module) is None for module in ("jupyterlab", "ipykernel")):
        lacks["jupyter"] = ""
    absent = [
        each.ipynb.name for each in plan.notebooks if not any(Path(folder).glob(f"notebooks/*/{each.ipynb.name}"))
    ]
    if absent:
        lacks["notebooks"] = words.some(absent, 3, 60)
    if not lacks.keys() & {"core", "packages"}:
        [result] = run([plan.ids[0]])
        if result["status"] != "ok":
            lacks["lesson"] = f"{plan.ids[0]}: {result['error']}"
    said = [f"{CHECKS[name][0]}{': ' * bool(what)}{what}; try: {CHECKS[name][1]}" for name, what in lacks.items()]
    system = SYSTEMS.index(platform.system()) if platform.system() in SYSTEMS else len(SYSTEMS) - 1
    return {"ready": not lacks, "receipt": receipt(plan, set(lacks), system, sys.version_info[1]), "lacks": said}


def receipt(plan: Plan, lacks: set[str], system: int, minor: int) -> str:
    """The receipt of a machine that lacks these of `CHECKS`, with a system of `SYSTEMS` and Python 3.`minor`.

    The inverse is `read_receipt`.
    """
    flags = sum(1 << bit for bit, name in enumerate(CHECKS) if name in lacks)
    head = DIGITS[flags] + DIGITS[system * 8 + min(max(minor - 11, 0), 7)]
    text = head + _sum(plan, head)
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def read_receipt(plan: Plan, text: str) -> tuple[list[str], str] | None:
    """What the machine of a receipt lacks, by names of `CHECKS`, and its system; None for one of another plan."""
    plain = text.upper().replace("-", "").replace("O", "0").replace("I", "1").replace("L", "1")
    if len(plain) != 12 or not set(plain) <= set(DIGITS) or plain[2:] != _sum(plan, plain[:2]):
        return None
    flags, (system, minor) = DIGITS.index(plain[0]), divmod(DIGITS.index(plain[1]), 8)
    lacks = [name for bit, name in enumerate(CHECKS) if flags >> bit & 1]
    return lacks, f"{SYSTEMS[system].replace('Darwin', 'macOS')}, Python 3.{minor + 11}"


def _sum(plan: Plan, head: str) -> str:
    digest = hashlib.sha256(f"{plan.title}\n{' '.join(plan.ids)}\n{head}".encode()).digest()
    return "".join(DIGITS[byte % 32] for byte in digest[:10])


def read_receipts(plan: Plan, path: str | Path) -> list[dict[str, Any]]:
    """Who is ready: a dict for each line "name receipt" of a file, with `name`, `ready`, `lacks` and `machine`."""
    file = Path(path)
    if not file.is_file():
        raise GalleryError(f"workshop verify: expected a file with a line for each learner, found no file {path}")
    if file.stat().st_size > LONGEST:
        raise GalleryError(
            f"workshop verify: expected at most {words.size_text(LONGEST)} of receipts, found more in {path}"
        )
    return [
        _learner(plan, line) for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
    ]


def _learner(plan: Plan, line: str) -> dict[str, Any]:
    found = re.fullmatch(r"(.*?)[\s,;:]*([\w-]+)\s*", line)
    name, known = (found[1].strip(), read_receipt(plan, found[2])) if found else (line, None)
    if known is None:
        lacks = ["a receipt of this plan: ask for it again"]
        return {"name": words.plain(name or line, 60), "ready": False, "lacks": lacks, "machine": ""}
    lacks, machine = known
    told = [f"{CHECKS[each][0]}; try: {CHECKS[each][1]}" for each in lacks]
    return {"name": words.plain(name, 60), "ready": not lacks, "lacks": told, "machine": machine}
