"""The lessons in the reader's own browser: JupyterLite, and Pyodide, which is Python as WebAssembly.

What opens is the student's version of each lesson, byte for byte as `gallery student` writes it; the solved one lies
beside. No cell installs anything: this library and what else the lessons need stand in the list of packages that
Pyodide reads (`pyodide-lock.json`) with the names under which they are imported, so that `import` fetches them.

Pyodide comes from a folder or an archive that the author downloaded, and then the site asks no other host for
anything; or, with "cdn", from Pyodide's own host, which a reader's browser asks when a lesson is opened and not before.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tutorial_zarr
from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery import student
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook

FOLDER = "lite"  # where it lies on the site
PYODIDE = f"{FOLDER}/static/pyodide"
LOCK = "pyodide-lock.json"
CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full"
# Pyodide's own packages that a kernel or a lesson needs, with all that these need in turn; the first ones always.
ALWAYS = ("numpy", "matplotlib", "micropip", "packaging", "ipython", "jedi")
WANTED = (*ALWAYS, "sqlite3", "ssl", "lzma", "pandas", "scipy", "traitlets")
# What a kernel would ask for one after the other, and every lesson's first cell: together, while the page is drawn.
AT_ONCE = ("micropip", "sqlite3", "jedi", "ipython", "comm", "numpy", "matplotlib", "tutorial-zarr")
# Taken from this environment, as Pyodide has none or an older one: name -> what it needs there.
PACKED = {"comm": ("traitlets",), "xarray": ("numpy", "packaging", "pandas")}
KERNELS = {"0.27": "0.6", "0.29": "0.7", "314": "0.8"}  # Pyodide -> the versions of the kernel that are made for it
NOT_PACKED = {"gallery/files", "gallery/site", "__pycache__"}
LARGEST_LOCK = 20_000_000
SETTINGS = "@jupyterlite/pyodide-kernel-extension:kernel"


def lite_url(notebook: Notebook) -> str:
    """The address on the site at which a lesson opens in JupyterLite, ready to run."""
    return f"{FOLDER}/notebooks/index.html?path=notebooks/{notebook.path.parent.name}/{notebook.ipynb.name}"


def lite_note(lite: str, megabytes: int = 45) -> str:
    """What happens on the first click, in one sentence, for whoever reads the button.

    >>> lite_note("a/folder")
    'Runs in this browser: the first time, some 45 MB come from this site; nothing is installed, nothing is sent.'
    """
    source = "Pyodide's public host, cdn.jsdelivr.net" if lite == "cdn" else "this site"
    return (
        f"Runs in this browser: the first time, some {megabytes} MB come from {source}; "
        "nothing is installed, nothing is sent."
    )


def in_browser(notebooks: Iterable[Notebook]) -> list[Notebook]:
    """Those of the lessons that run in a browser."""
    return [notebook for notebook in notebooks if notebook.browser]


def pyodide_url(lite: str) -> str:
    """Where a page of the site finds Pyodide: an address on the site, or that of its public host."""
    return PYODIDE if lite != "cdn" else CDN.format(version=_kernel().version)


def wheel_path() -> str:
    """Where this library lies on the site, as a wheel for the browser."""
    return f"{PYODIDE}/tutorial_zarr-{tutorial_zarr.__version__}-py3-none-any.whl"


def build_lite(out: Path, lite: str, notebooks: Iterable[Notebook]) -> None:
    """Build JupyterLite with the lessons that run in a browser into the folder `out`/lite.

    out        the folder of the site
    lite       "none": nothing is built; "cdn": Pyodide's public host; or the path of a Pyodide distribution, a folder
               or an archive (.zip, .whl, .tar.gz, .tar.bz2) in which pyodide-lock.json lies
    notebooks  the lessons; those that do not run in a browser are left out
    """
    if lite == "none":
        return
    kernel, chosen = _kernel(), in_browser(notebooks)
    with tempfile.TemporaryDirectory(prefix="tutorial_zarr-lite-") as folder:
        scratch = Path(folder) / "lite"  # of its own, as JupyterLite takes what it finds there for parts of itself
        scratch.mkdir()
        source = None if lite == "cdn" else _distribution(Path(lite), Path(folder) / "given")
        lock = _read_lock(lite, source, kernel)
        if chosen:
            _contents(scratch / "contents", chosen)
        there = {*lock["packages"], *PACKED, "tutorial-zarr"}  # from 314 on, sqlite3 is in Python itself
        options: dict[str, Any] = {"packages": [package for package in AT_ONCE if package in there]}
        _jupyter_lite(scratch, out / FOLDER, kernel, options, cdn=lite == "cdn")
        target = out / PYODIDE
        target.mkdir(parents=True, exist_ok=True)
        if source is None:
            base = pyodide_url("cdn") + "/"
            for entry in lock["packages"].values():
                entry["file_name"] = base + entry["file_name"]
        else:
            lock["packages"] = _needed(lock["packages"], lite)
            core = [path for path in sorted(source.glob("pyodide*.*js")) if path.suffix in (".js", ".mjs")]
            core += [*sorted(source.glob("pyodide*.wasm")), source / "python_stdlib.zip"]
            for path in [*core, *(source / entry["file_name"] for entry in lock["packages"].values())]:
                if path.parent != source or not path.is_file():
                    raise _refusal(lite, f"the file {path.name} in its folder", "none there")
                shutil.copyfile(path, target / path.name)
        lock["packages"] |= _own(target)
        (target / LOCK).write_text(json.dumps(lock, sort_keys=True), encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Kernel:
    """The Jupyter kernel that is built in: where its files are, its version, and the Pyodide that it is made for."""

    folder: Path
    own_version: str
    version: str

    @property
    def series(self) -> str:
        """The part of Pyodide's version that has to be the same.

        >>> Kernel(Path(), "0.6.1", "0.27.6").series, Kernel(Path(), "0.8.7", "314.0.6").series
        ('0.27', '314')
        """
        return series(self.version)


def series(version: str) -> str:
    """The part of a version of Pyodide within which its packages fit together."""
    found = re.match(r"0\.\d+|\d+", version)
    return found[0] if found else version


def _kernel() -> Kernel:
    try:
        import jupyterlite_core  # noqa: F401 - the builder itself
        from jupyter_core.paths import jupyter_path
        from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION
    except ImportError as missing:
        raise MissingDependencyError(
            "gallery site: expected JupyterLite, which builds what runs in a browser, found no module "
            f'{missing.name}; try: python -m pip install "tutorial_zarr[lite]", or --lite none'
        ) from missing
    places = [Path(place) / SETTINGS.partition(":")[0] for place in jupyter_path("labextensions")]
    beside = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / SETTINGS.partition(":")[0]
    folder = next((place for place in (beside, *places) if (place / "package.json").is_file()), None)
    if folder is None:
        raise MissingDependencyError(
            "gallery site: expected the files of jupyterlite-pyodide-kernel among Jupyter's extensions, found none; "
            "try: python -m pip install --force-reinstall jupyterlite-pyodide-kernel"
        )
    return Kernel(folder, importlib.metadata.version("jupyterlite-pyodide-kernel"), PYODIDE_VERSION)


def _refusal(lite: str, expected: str, found: str, attempt: str = "") -> GalleryError:
    attempt = attempt or "a folder or an archive of https://github.com/pyodide/pyodide/releases, cdn, or none"
    return GalleryError(
        f"gallery site --lite {lite}: expected {expected}, found {found}; nothing was built; try {attempt}"
    )


def _distribution(path: Path, scratch: Path) -> Path:
    """The folder in which Pyodide's files are, unpacked if it is an archive."""
    given = path
    if path.is_file():
        try:
            kind = "zip" if zipfile.is_zipfile(path) else None
            shutil.unpack_archive(path, scratch, kind, filter=None if kind else "data")
        except (shutil.ReadError, ValueError, OSError, EOFError) as cause:
            raise _refusal(str(path), "a Pyodide distribution", f"a file that cannot be unpacked ({cause})") from cause
        given = scratch
    found = sorted(given.rglob(LOCK), key=lambda lock: len(lock.parts)) if given.is_dir() else []
    if not found:
        what = "nothing at that path" if not path.exists() else f"no {LOCK} in it"
        raise _refusal(str(path), "a Pyodide distribution", what)
    return found[0].parent


def _read_lock(lite: str, source: Path | None, kernel: Kernel) -> dict[str, Any]:
    """Pyodide's list of packages, by name in one spelling."""
    if source is None:
        if series(kernel.version) == "0.27":
            raise _refusal(
                "cdn", "a kernel of version 0.7 or newer", kernel.own_version, "the path of a Pyodide distribution"
            )
        url = f"{pyodide_url('cdn')}/{LOCK}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                text = answer.read(LARGEST_LOCK + 1)
        except OSError as cause:
            reason = getattr(cause, "reason", cause)
            raise _refusal("cdn", f"an answer from {url}", f"none ({reason})", "the path of a distribution") from cause
    else:
        text = (source / LOCK).read_bytes()
    try:
        lock = json.loads(text[:LARGEST_LOCK])
        version = str(lock["info"]["version"])
        lock["packages"] = {name(entry["name"]): entry for entry in lock["packages"].values()}
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise _refusal(lite, f"a list of packages in {LOCK}", f"something else ({cause})") from cause
    if series(version) != kernel.series:
        fitting = KERNELS.get(series(version))
        raise _refusal(
            lite,
            f"Pyodide {kernel.version}, for which jupyterlite-pyodide-kernel {kernel.own_version} is made",
            f"Pyodide {version}",
            f'python -m pip install "jupyterlite-pyodide-kernel=={fitting}.*"'
            if fitting
            else "that version of Pyodide",
        )
    return dict(lock)


def name(text: str) -> str:
    """The name of a package as lists of packages compare names.

    >>> name("Prompt_Toolkit")
    'prompt-toolkit'
    """
    return re.sub(r"[-_.]+", "-", text).lower()


def _needed(packages: Mapping[str, Any], lite: str) -> dict[str, Any]:
    """The packages that the lessons need, with all that these need: the rest of Pyodide's 400 MB is left out."""
    if missing := [wanted for wanted in ALWAYS if wanted not in packages]:
        raise _refusal(lite, f"the package {missing[0]} in it", "a distribution without it", "the full distribution")
    waiting, found = [wanted for wanted in WANTED if wanted in packages], dict[str, Any]()
    while waiting:
        wanted = waiting.pop()
        if wanted not in found and wanted in packages:
            found[wanted] = packages[wanted]
            waiting += map(name, packages[wanted]["depends"])
    return found


def _contents(folder: Path, notebooks: list[Notebook]) -> None:
    """The students' versions, with the articles and figures that they link to, and the solved ones beside them."""
    paths = student.write_student_versions(folder, [notebook.id for notebook in notebooks])
    (folder / "README.md").unlink()  # it says how to install what is here already
    for notebook, path in zip(notebooks, paths, strict=True):
        shutil.copyfile(notebook.ipynb, path.with_name(f"{path.stem}_solved.ipynb"))


def _jupyter_lite(scratch: Path, out: Path, kernel: Kernel, options: dict[str, Any], *, cdn: bool) -> None:
    """Let JupyterLite build itself: one application, one kernel, nothing of what else is installed here."""
    settings: dict[str, Any] = {"disablePyPIFallback": True, "loadPyodideOptions": options}
    if cdn:
        options["lockFileURL"] = f"./static/pyodide/{LOCK}"
        settings["pyodideUrl"] = f"{pyodide_url('cdn')}/pyodide.mjs"
    else:
        settings["pyodideUrl"] = f"./static/pyodide/pyodide.{'mjs' if kernel.series == '314' else 'js'}"
    documents: dict[str, Any] = {
        "jupyter_lite_config.json": {
            "LiteBuildConfig": {
                "output_dir": str(out.resolve()),
                "contents": ["contents"] if (scratch / "contents").is_dir() else [],
                "apps": ["notebooks", "tree"],
                "federated_extensions": [str(kernel.folder)],
                "ignore_sys_prefix": ["federated_extensions"],
                "no_sourcemaps": True,
                "no_unused_shared_packages": True,
            }
        },
        "jupyter-lite.json": {
            "jupyter-lite-schema-version": 0,
            "jupyter-config-data": {
                "appName": "tutorial_zarr",
                "exposeAppInBrowser": True,  # for tests, which run all cells
                "litePluginSettings": {SETTINGS: settings},
            },
        },
    }
    for file, document in documents.items():
        (scratch / file).write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from jupyterlite_core.app import main; main()", "build"],
        cwd=scratch,
        env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"},  # 1980, where zip files begin: the same bytes each time
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode or not (out / "notebooks" / "index.html").is_file():
        last = ([line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["nothing"])[-1]
        raise GalleryError(
            f"gallery site: expected JupyterLite to build itself, found {last!r}; nothing was built; "
            "try --lite none, or another version of jupyterlite-core"
        )


def _own(folder: Path) -> dict[str, Any]:
    """Put this library, and what is taken from this environment, into `folder`; their entries in the list of packages.

    Nothing here names a requirement that a browser lacks: the library works without numcodecs and google-crc32c there.
    """
    entries = {
        "tutorial-zarr": _entry(folder, "tutorial_zarr", tutorial_zarr.__version__, _library(), ("numpy", "matplotlib"))
    }
    entries["tutorial-zarr"]["imports"].append("data_gen")
    for package, needed in PACKED.items():
        try:
            distribution = importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError as missing:
            raise MissingDependencyError(
                f"gallery site: expected the package {package}, which lessons need in the browser, found none; "
                'try: python -m pip install "tutorial_zarr[lite]"'
            ) from missing
        files = {
            path.as_posix(): Path(str(distribution.locate_file(path))).read_bytes()
            for path in distribution.files or ()
            if path.parts[0] != ".."
            and path.suffix != ".pyc"
            and path.name not in ("RECORD", "INSTALLER", "direct_url.json")
        }
        entries[package] = _entry(folder, package, distribution.version, files.items(), needed)
    return entries


def _library() -> Iterator[tuple[str, bytes]]:
    """The files of this library and its data, and what an installed package says of itself."""
    root = Path(tutorial_zarr.__file__).parent.parent
    for package in ("tutorial_zarr", "data_gen"):
        for path in sorted((root / package).rglob("*")):
            inside = path.relative_to(root / package).as_posix()
            if path.is_file() and not any(f"/{part}/" in f"/{inside}" for part in NOT_PACKED):
                yield f"{package}/{inside}", path.read_bytes()
    distribution = importlib.metadata.distribution("tutorial_zarr")
    lines = (distribution.read_text("METADATA") or "").splitlines()
    kept = [line for line in lines if not line.startswith("Requires-Dist:") or "numpy" in line or "extra ==" in line]
    info = f"tutorial_zarr-{tutorial_zarr.__version__}.dist-info"
    yield f"{info}/METADATA", "\n".join([*kept, ""]).encode()
    yield f"{info}/entry_points.txt", (distribution.read_text("entry_points.txt") or "").encode()
    yield f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: tutorial_zarr\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _entry(
    folder: Path, package: str, version: str, files: Iterable[tuple[str, bytes]], needed: Iterable[str]
) -> dict[str, Any]:
    """Pack files into a wheel, the same bytes each time, and give its entry in Pyodide's list."""
    path = folder / f"{package}-{version}-py3-none-any.whl"
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for inside, data in files:
            wheel.writestr(zipfile.ZipInfo(inside), data, zipfile.ZIP_DEFLATED)
            rows.append(f"{inside},,")
        record = next(row for row in rows if ".dist-info/" in row).partition("/")[0] + "/RECORD"
        wheel.writestr(zipfile.ZipInfo(record), "\n".join([*rows, f"{record},,", ""]))
    return {
        "name": package,
        "version": version,
        "file_name": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "imports": [package],
        "depends": list(needed),
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }
