"""The kit of a workshop: a folder, for a stick, from which learners install without a network.

    START_HERE.html        what to do, in five steps
    install.sh, .ps1       make an environment from the wheels, and verify it
    wheels/any             packages for every system; wheels/linux, windows, macos: those for one
    notebooks/, site/      the students' notebooks; the lessons as pages to read
    slides.html, plan.toml
    SHA256SUMS             of all files

pip chooses and fetches the wheels. It asks the conditions of requirements ("only on Windows") of the machine that it
runs on, so for another system some are missing: `missing` walks through what the wheels themselves require on the
system that is meant, and pip is asked for the rest until nothing is.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from tutorial_zarr.gallery import site, student
from tutorial_zarr.gallery.catalogue import CLONE, ROOT, GalleryError
from tutorial_zarr.gallery.workshop import slides
from tutorial_zarr.gallery.workshop.pages import render
from tutorial_zarr.gallery.workshop.plan import Plan, modules

EXTRA = "workshop"  # what learners install
ROUNDS = 10  # of asking pip for what the wheels of another system require
# For each system: the platforms whose wheels it takes, and what the conditions of requirements are asked of.
SYSTEMS: dict[str, tuple[list[str], dict[str, str]]] = {
    "linux": (
        [*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64", "manylinux2010_x86_64",
         "manylinux1_x86_64", "linux_x86_64"],
        {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    ),
    "windows": (
        ["win_amd64"],
        {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
    ),
    "macos": (
        list(mac_platforms((14, 0), "arm64")),  # older ones as well, and those that have both kinds of processor
        {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A system and a version of Python, such as "3.12", that learners have."""

    system: str
    python: str

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            known = ", ".join(SYSTEMS)
            raise GalleryError(f"workshop build: expected systems among {known}, found {self.system!r}")
        if not re.fullmatch(r"3\.1[1-9]", self.python):
            raise GalleryError(f"workshop build: expected a version of Python such as 3.12, found {self.python!r}")

    def __str__(self) -> str:
        return f"{self.system} with Python {self.python}"

    @property
    def environment(self) -> dict[str, str]:
        """What the conditions of requirements are asked of."""
        return {
            **SYSTEMS[self.system][1], "python_version": self.python, "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
        }  # fmt: skip

    @functools.cached_property
    def tags(self) -> frozenset[Tag]:
        """Of the wheels that it takes."""
        version, platforms = (3, int(self.python[2:])), SYSTEMS[self.system][0]
        own = cpython_tags(version, platforms=platforms)
        return frozenset([*own, *compatible_tags(version, f"cp{self.python.replace('.', '')}", platforms)])


def build(
    plan: Plan,
    out_dir: str | Path,
    systems: Iterable[str] = tuple(SYSTEMS),
    pythons: Iterable[str] = ("3.12",),
    wheel: str | Path | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Build the kit of a plan in the new folder `out_dir`, whole or not at all.

    systems   of `SYSTEMS`
    pythons   the versions of Python that learners have
    wheel     of tutorial_zarr; None makes it from the clone that this is
    progress  is called with what is being done

    Returns ``bytes``, the size of each part, and ``requirements``, what learners install.
    """
    out, targets = Path(out_dir), [Target(system.strip(), python.strip()) for system in systems for python in pythons]
    if out.exists():
        raise GalleryError(
            f"workshop build: expected a new folder, found something at {out}; nothing was built; try another --out"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".kit-", ignore_cleanup_errors=True) as scratch:
        kit = Path(scratch) / "kit"
        wheels = kit / "wheels"
        (wheels / "any").mkdir(parents=True)
        progress("the wheel of tutorial_zarr")
        own = _own_wheel(wheels / "any", wheel)
        requirements = [f"tutorial_zarr[{EXTRA}]=={own}", *sorted(set(modules(plan).values()))]
        for target in targets:
            progress(f"wheels for {target}")
            fetch(wheels, requirements, target)
        progress("notebooks, site and slides")
        student.write_student_versions(kit, plan.ids)
        (kit / "README.md").unlink()  # it tells of an installation with a network
        site.build(kit / "site", plan.ids)
        texts = {
            "plan.toml": plan.source,
            "slides.html": slides.page(plan),
            **{name: render(name, plan=plan, requirements=requirements, targets=targets) for name in
               ("START_HERE.html", "install.sh", "install.ps1")},
        }  # fmt: skip
        for name, text in texts.items():
            # PowerShell 5 takes a file without a byte order mark for one in an old encoding.
            (kit / name).write_text(text, "utf-8-sig" if name.endswith(".ps1") else "utf-8", newline="\n")
        (kit / "install.sh").chmod(0o755)
        _write_sums(kit)
        sizes = {each.name: _size(each) for each in [*sorted(wheels.iterdir()), *sorted(kit.iterdir())]}
        kit.rename(out)
    return {"bytes": {**sizes, "all": sum(sizes.values()) - sum(sizes[each] for each in ("wheels",))},
            "requirements": requirements}  # fmt: skip


def _own_wheel(folder: Path, wheel: str | Path | None) -> str:
    """Put the wheel of tutorial_zarr into `folder`; its version."""
    if wheel is not None:
        name, given = Path(wheel).name, Path(wheel)
        if not given.is_file() or not re.fullmatch(r"tutorial_zarr-[\w.]+-py3-none-any\.whl", name):
            raise GalleryError(f"workshop build: expected a wheel of tutorial_zarr, found {wheel}; nothing was built")
        shutil.copyfile(wheel, folder / name)
    elif ROOT == CLONE:
        _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(CLONE))
    else:
        raise GalleryError(
            "workshop build: expected a clone of the repository, of which a wheel is made, found the installed "
            "package; nothing was built; try --wheel with the file that it was installed from"
        )
    [made] = folder.glob("tutorial_zarr-*.whl")
    return str(parse_wheel_filename(made.name)[1])


def fetch(wheels: Path, requirements: list[str], target: Target) -> None:
    """Bring what `requirements` want on a system to `wheels`: into "any" what every system takes, else into its own."""
    folder, common = wheels / target.system, wheels / "any"
    folder.mkdir(exist_ok=True)
    platforms = [word for platform in SYSTEMS[target.system][0] for word in ("--platform", platform)]
    tag = f"cp{target.python.replace('.', '')}"
    abis = [word for abi in (tag, "abi3", "none") for word in ("--abi", abi)]
    wanted = [str(each) for each in missing([common, folder], requirements, target)]
    for _ in range(ROUNDS):
        if not wanted:
            return
        _pip(
            "download", "--only-binary=:all:", "--implementation", "cp", "--python-version", target.python, *abis,
            *platforms, "--find-links", str(common), "--find-links", str(folder), "--dest", str(folder), *wanted,
            target=target,
        )  # fmt: skip
        for file in folder.glob("*-none-any.whl"):
            file.replace(common / file.name)
        before, wanted = wanted, [str(each) for each in missing([common, folder], requirements, target)]
        if wanted == before:
            break
    raise _no_wheel(wanted[0] if wanted else "all packages", target)


def missing(folders: Iterable[Path], requirements: Iterable[str], target: Target) -> list[Requirement]:
    """What is required on a system and is not among the wheels of the folders, whatever requires it."""
    there: dict[str, list[tuple[Version, Path]]] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.whl"))):
        name, version, _, tags = parse_wheel_filename(file.name)
        if tags & target.tags:
            there.setdefault(name, []).append((version, file))
    waiting, seen, absent = [Requirement(each) for each in requirements], set(), {}
    while waiting:
        required = waiting.pop()
        extras = "".join(f"[{extra}]" for extra in sorted(required.extras))
        key = f"{canonicalize_name(required.name)}{extras}{required.specifier}"
        if key in seen:
            continue
        seen.add(key)
        fitting = [each for each in there.get(canonicalize_name(required.name), ())
                   if required.specifier.contains(each[0], prereleases=True)]  # fmt: skip
        if fitting:
            waiting += _required(max(fitting)[1], required.extras, target)
        else:
            required.marker = None
            absent[key] = required
    return list(absent.values())


def _required(wheel: Path, extras: set[str], target: Target) -> Iterator[Requirement]:
    """What a wheel requires on a system, with some of its extras."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        metadata = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    for each in map(Requirement, metadata.get_all("Requires-Dist") or ()):
        asked = ({**target.environment, "extra": extra} for extra in ("", *extras))
        if each.marker is None or any(each.marker.evaluate(environment) for environment in asked):
            yield each


def _pip(*arguments: str, target: Target | None = None) -> None:
    if find_spec("pip") is None:
        raise GalleryError(
            "workshop build: expected pip in this environment, which fetches the wheels, found none; "
            "try: python -m ensurepip"
        )
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        found = re.search(r"No matching distribution found for (\S+)", done.stderr)
        if found and target:
            raise _no_wheel(found[1], target)
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-300:]]
        raise GalleryError(
            f"workshop build: expected pip {arguments[0]} to end well, found: {said[-1]}; nothing was built"
        )


def _no_wheel(requirement: str, target: Target) -> GalleryError:
    return GalleryError(
        f"workshop build: expected a wheel of {requirement} for {target}, found none; nothing was built; try another "
        "--python, or leave the system out of --systems"
    )


def _write_sums(kit: Path) -> None:
    """The digests of all files, as sha256sum --check reads them."""
    files = sorted(path for path in kit.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(kit).as_posix()}\n" for path in files]
    (kit / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def _size(path: Path) -> int:
    return (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
    )
