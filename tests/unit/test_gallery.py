"""The gallery's machinery: sources, runs, contract, articles, exercises, and what it notices when broken."""

import base64
import hashlib
import html
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import gallery
from tutorial_zarr.cli import gallery as command
from tutorial_zarr.gallery import (
    articles,
    bridges,
    contract,
    copies,
    exercises,
    glossary,
    grade,
    index,
    lesson,
    packages,
    publish,
    readers,
    source,
    student,
    warm,
)
from tutorial_zarr.gallery.catalogue import FILE_NAME, NOTEBOOKS, ROOT
from tutorial_zarr.gallery.environment import offline_environment
from tutorial_zarr.gallery.publish import build_articles, text_table
from tutorial_zarr.gallery.series import select_articles
from tutorial_zarr.gallery.stored_outputs import check_outputs
from tutorial_zarr.gallery.student import write_student_versions
from tutorial_zarr.gallery.template import PARTS, new

pytest.importorskip("jupytext")

FIRST = "01_core_zarr/01_01_first_zarr_array"


def files_of(folder):
    """Path -> what tells whether it was changed."""
    found = {path: path.stat() for path in folder.rglob("*")}
    return {path: (stat.st_mtime_ns, stat.st_size) if path.is_file() else () for path, stat in found.items()}


@pytest.fixture(scope="module")
def whole_copy(tmp_path_factory):
    """A copy of the notebooks, the articles and what they link to, and what it holds."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("notebooks", "articles", "tutorial_zarr", "data_gen", "tests/known_answers", "tests/interop/bridge"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "README.md", folder)
    return folder, files_of(folder)


@pytest.fixture
def copy(whole_copy):
    """The notebooks of that copy, to break: after each test what it changed is put back, and what it made is gone."""
    folder, before = whole_copy
    yield folder / "notebooks"
    after = files_of(folder)
    for path in sorted(after.keys() - before, reverse=True):  # what is in a folder before the folder
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in sorted(before):
        if after.get(path) != before[path]:
            path.mkdir() if before[path] == () else shutil.copy2(ROOT / path.relative_to(folder), path)
    assert files_of(folder) == before


def edit(path, old, new, count=1):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def problems(folder, ids=("01_01",)):
    return [f"{found['where']}: {found['problem']}" for found in gallery.check(ids, folder)]


# --- what there is ------------------------------------------------------------------------------------------


def test_the_gallery_keeps_its_own_contract():
    assert gallery.check() == []


def test_copies_are_there_whole_or_not_at_all(copy, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "out.partial" / "rest").mkdir(parents=True)  # of a copy that was cut short
    (path,) = copies.copy_notebooks(out, ["01_01"], copy)
    assert path == out / "notebooks" / f"{FIRST}.ipynb"
    assert {file.relative_to(out / "notebooks").as_posix() for file in (out / "notebooks").rglob("*.*")} == {
        f"{FIRST}.py", f"{FIRST}.ipynb", f"{FIRST}.facts.json", *(page.name for page in copy.glob("*.md"))
    }  # fmt: skip
    assert path.read_bytes() == (copy / f"{FIRST}.ipynb").read_bytes()
    for link in re.findall(r"\]\((\.\./[^)#]*articles/[^)#]*)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists()
    article = out / "articles" / ARTICLE
    links = re.findall(r"\]\((\.\./[^)#\s]*\.md)", article.read_text(encoding="utf-8"))
    assert "../README.md" in links
    assert all((article.parent / link).exists() for link in links)
    assert not (tmp_path / "out.partial").exists()
    with pytest.raises(gallery.GalleryError, match="expected a new folder, or an empty one, found something at"):
        copies.copy_notebooks(out, None, copy)
    (tmp_path / "empty").mkdir()
    assert len(copies.copy_notebooks(tmp_path / "empty", None, copy)) == len(gallery.list_notebooks(copy))


def test_what_authors_do_needs_a_clone(monkeypatch):
    monkeypatch.setattr(command, "ROOT", ROOT / "elsewhere")
    for call in (lambda: command.new("02_09", "x", False), lambda: command.build((), 1, False),
                 lambda: command.check((), False, None, False)):  # fmt: skip
        with pytest.raises(gallery.GalleryError, match="expected a clone of the repository"):
            call()


def test_the_notebooks_are_listed_with_what_they_say_of_themselves():
    first = next(notebook for notebook in gallery.list_notebooks() if notebook.id == "01_01")
    assert first.title == "Write your first Zarr array and look at the disk"
    assert first.question.endswith("?")
    assert (first.level, first.minutes, first.path.name) == ("★ beginner", 40, "01_01_first_zarr_array.py")


def hidden(path):
    return any(part.startswith(".") for part in path.relative_to(NOTEBOOKS).parts)


def test_every_file_among_the_notebooks_belongs_to_one():
    stems = {notebook.path.stem for notebook in gallery.list_notebooks()}
    pages = {NOTEBOOKS / glossary.FILE, NOTEBOOKS / index.FILE}
    files = [path for path in NOTEBOOKS.rglob("*") if path.is_file() and not hidden(path) and path not in pages]
    assert {path.name.partition(".")[0] for path in files} == stems
    assert len({FILE_NAME.fullmatch(f"{stem}.py")[1] for stem in stems}) == len(stems), "two notebooks share an id"


def test_every_notebook_is_run_by_the_tests_of_its_known_answers():
    for notebook in gallery.list_notebooks():
        text = (ROOT / "tests" / "known_answers" / f"test_{notebook.id}.py").read_text(encoding="utf-8")
        assert f'\nSOURCE = "{notebook.ipynb.relative_to(ROOT).as_posix()}"\n' in text, notebook.id
        assert re.search(r"^def test_\w+\([^)]*\bleft\b", text, re.MULTILINE), notebook.id


def test_an_unknown_notebook_is_refused_with_the_known_ones():
    with pytest.raises(gallery.GalleryError, match=r"expected the id of a notebook, found '99_99'; try one of .*01_01"):
        gallery.run(["99_99"])


def test_a_missing_folder_of_notebooks_says_what_to_do(tmp_path):
    with pytest.raises(gallery.GalleryError, match="found no such folder; try to install"):
        gallery.list_notebooks(tmp_path / "notebooks")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zarr_format": 4}, 'zarr_format must be 2, 3 or "both", got 4'),
        ({"jobs": 0}, "jobs must be at least 1, got 0"),
        ({"resume": True}, "resume needs the folder of the run that stopped; try it with out_dir"),
    ],
)
def test_a_run_with_a_parameter_out_of_range_is_refused(arguments, message):
    with pytest.raises(gallery.GalleryError, match=message):
        gallery.run(["01_01"], **arguments)


def test_a_results_folder_that_cannot_be_made_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        gallery.GalleryError, match=r"expected a results' folder that can be made, .*; try another out_dir"
    ):
        gallery.run(["01_01"], out_dir=tmp_path / "file" / "results")


# A folder that nobody may write to, not even an administrator.
unwritable = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder here that refuses everybody's files")


@unwritable
def test_a_results_folder_that_cannot_be_written_to_is_refused_before_anything_runs():
    with pytest.raises(gallery.GalleryError, match=r"folder that can be written to, .*; try another out_dir"):
        gallery.run(["01_01"], out_dir="/proc/self")


# --- from source to notebook --------------------------------------------------------------------------------


def test_the_same_source_gives_the_same_bytes():
    path = NOTEBOOKS / f"{FIRST}.py"
    assert source.dumps(source.read_source(path)) == source.dumps(source.read_source(path))


def test_what_is_left_out_of_an_import_is_there_for_the_next_one(tmp_path, monkeypatch):
    (tmp_path / "heavy_and_not_needed.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    with source.imported_without("heavy_and_not_needed", "json"):
        importlib.import_module("json")  # was here already
        with pytest.raises(ModuleNotFoundError, match="heavy_and_not_needed"):
            importlib.import_module("heavy_and_not_needed")
    assert importlib.import_module("heavy_and_not_needed").x == 1
    monkeypatch.delitem(sys.modules, "heavy_and_not_needed")


def test_cells_with_the_same_text_have_different_ids(tmp_path):
    (tmp_path / "x.py").write_text("# %%\nprint(1)\n\n# %%\nprint(1)\n\n# %% [markdown]\n# print(1)\n")
    ids = [cell["id"] for cell in source.read_source(tmp_path / "x.py")["cells"]]
    assert len(set(ids)) == 3


def test_a_clean_notebook_says_nothing_of_when_and_where_it_ran():
    output = {
        "output_type": "display_data",
        "data": {"text/plain": "x"},
        "metadata": {},
        "transient": {"id": 1},
    }
    pieces = [{"output_type": "stream", "name": "stdout", "text": text} for text in ("a\n", ["b", "\n"])]
    execution = {"execution": {"iopub.busy": "2020-01-01"}, "papermill": {"duration": 1}, "tags": ["t"]}
    cell = {"cell_type": "code", "id": "random", "source": "1", "metadata": execution}
    cell |= {"execution_count": 7, "outputs": [*pieces, output]}
    cleaned = source.clean({"cells": [cell], "metadata": {"papermill": {"input_path": "x"}}, "nbformat": 4})
    assert "2020" not in source.dumps(cleaned)
    assert set(cleaned["metadata"]) == {"kernelspec", "language_info"}
    assert cleaned["cells"][0]["metadata"] == {"tags": ["t"]}
    assert cleaned["cells"][0]["execution_count"] == 1
    assert [o.get("text") for o in cleaned["cells"][0]["outputs"]] == ["a\nb\n", None]


def test_a_notebook_read_back_is_the_one_that_was_written():
    notebook = source.read_source(NOTEBOOKS / f"{FIRST}.py")
    assert source.loads(source.dumps(notebook)) == notebook
    assert source.dumps(source.loads((NOTEBOOKS / f"{FIRST}.ipynb").read_text(encoding="utf-8"))) == (
        NOTEBOOKS / f"{FIRST}.ipynb"
    ).read_text(encoding="utf-8")


def test_the_notebooks_are_valid_for_everybody_elses_tools():
    nbformat = pytest.importorskip("nbformat")
    for notebook in gallery.list_notebooks():
        nbformat.validate(nbformat.read(notebook.ipynb, as_version=4))


# --- running ------------------------------------------------------------------------------------------------

HEAD = """# %% [markdown]
# # Notebook {id}
#
# **Question.** Does it run?

# %% tags=["parameters"]
seed, quick, workers, out_dir, zarr_format = 0, True, 1, None, 3

# %%
from tutorial_zarr.gallery.lesson import check, output_folder, save_facts

out = output_folder(out_dir)

"""
# Each but the first is broken, in its own way: the code, the cell that is named, and the reason.
TINY = {
    "01_01": ('save_facts(out, {"quick": quick, "zarr_format": zarr_format})', None, None),
    "01_02": (
        'raise ValueError("the moon is not in this data set")',
        'raise ValueError("the moon is not in this data set")',
        r"ValueError: the moon is not in this data set",
    ),
    "01_03": ("import os\nos._exit(1)", "import os", r"DeadKernelError: Kernel died: .*; try fewer workers"),
    "01_04": (
        'import urllib.request\nurllib.request.urlopen("http://192.0.2.1/data")',
        "import urllib.request",
        r"URLError: .*network: this run may reach its own machine only",
    ),
    "01_05": ("answer = 42", None, r"wrote no facts\.json; call save_facts"),
    "01_06": (
        'save_facts(out, {"n": 1})\n\n# %% tags=["solution"]\ncheck("01_01.1", 2)',
        'check("01_01.1", 2)',
        r"a solution is refused by its own check: 01_01\.1 not yet",
    ),
    "01_07": (
        "import no_such_package_anywhere",
        "import no_such_package_anywhere",
        r"No module named 'no_such_package_anywhere'; try: python -m pip install no_such_package_anywhere",
    ),
    "01_08": (
        'from tutorial_zarr.gallery.lesson import need\nneed("no_such_package_anywhere")',
        "from tutorial_zarr.gallery.lesson import need",
        r"MissingDependencyError: this notebook needs the package no_such_package_anywhere.*; try: python -m pip",
    ),
    "01_09": (
        (
            "import socket\nwith socket.create_server(('127.0.0.1', 0)) as gone:\n    port = gone.getsockname()[1]\n"
            "socket.create_connection(('127.0.0.1', port), 5)"
        ),
        "import socket",
        r"ConnectionRefusedError",
    ),
    "01_10": (
        "from tutorial_zarr.gallery.lesson import in_range\nin_range(workers=(-workers, 1, 64))",
        "from tutorial_zarr.gallery.lesson import in_range",
        r"GalleryError: parameter workers: expected a whole number from 1 to 64, found -1; try another",
    ),
    "01_11": (
        'from pathlib import Path\nPath("left_behind").write_text("x")',
        "from pathlib import Path",
        r"PermissionError: files: this run may write below its output folder only, it tried to change left_behind",
    ),
    "01_12": (
        'import warnings\nwarnings.warn("is my data broken?")\nsave_facts(out, {"n": 1})',
        "import warnings",
        r"it printed a warning: .*UserWarning: is my data broken\?",
    ),
    "01_13": (
        'import errno, os\nraise OSError(errno.EROFS, os.strerror(errno.EROFS), "out/array.zarr")',
        "import errno, os",
        r"OSError: \[Errno \d+\] Read-only file system: 'out/array.zarr'",
    ),
    "01_14": (
        "import os\nos.kill(os.getppid(), 9)  # the process that asked the kernel to run this cell",
        "import os",
        r"its process (was ended by SIGKILL; try it again|ended with exit code 9)",
    ),
}
BROKEN = [name for name, (_, _, reason) in TINY.items() if reason]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a gallery of small notebooks."""
    folder = tmp_path_factory.mktemp("tiny") / "notebooks"
    (folder / "01_part").mkdir(parents=True)
    for name, (code, _, _) in TINY.items():
        path = folder / "01_part" / f"{name}_tiny.py"
        path.write_text(f"{HEAD.replace('{id}', name)}# %%\n{code}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tiny_run(tiny):
    """What a run of them all makes of them."""
    pytest.importorskip("papermill")
    events = []
    results = gallery.run(
        jobs=2,
        full=True,
        zarr_format=2,
        out_dir=tiny.parent / "out",
        progress=events.append,
        folder=tiny,
    )
    return {result["id"]: result for result in results}, events, tiny.parent / "out"


@pytest.mark.gallery
@pytest.mark.slow
def test_a_notebook_that_fails_does_not_stop_the_others(tiny_run):
    results, _, _ = tiny_run
    assert list(results) == list(TINY)
    assert [name for name, result in results.items() if result["status"] == "ok"] == ["01_01"]


@pytest.mark.gallery
@pytest.mark.slow
def test_a_run_passes_its_parameters_and_keeps_what_the_notebook_left(tiny_run):
    results, _, out = tiny_run
    assert results["01_01"]["facts"] == {"quick": False, "zarr_format": 2}
    assert results["01_01"]["out_dir"] == str(out.resolve() / "01_01")
    left = {path.name for path in (out / "01_01").iterdir()}
    assert left == {"01_01_tiny.ipynb", "facts.json", "result.json"}


@pytest.mark.gallery
@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_the_result_names_the_notebook_the_cell_and_the_reason(tiny_run, name):
    _, cell, reason = TINY[name]
    result = tiny_run[0][name]
    assert re.search(reason, result["error"])
    assert (result["failed_cell"] or {}).get("source") == cell
    if cell:
        assert result["failed_cell"]["number"] == result["cells"]


@pytest.mark.gallery
@pytest.mark.slow
def test_a_run_that_is_resumed_runs_only_what_did_not_end_well(tiny, tiny_run):
    out = tiny_run[2]
    events, again = [], {"full": True, "zarr_format": 2, "out_dir": out, "folder": tiny, "resume": True}
    first, second = gallery.run(["01_01", "01_05"], progress=events.append, **again)
    assert (first["resumed"], first["facts"]) == (True, {"quick": False, "zarr_format": 2})
    assert (second["resumed"], second["status"]) == (False, "failed")
    assert {event["id"] for event in events if event["event"] == "cell"} == {"01_05"}
    [changed] = gallery.run(["01_01"], **{**again, "zarr_format": 3})
    assert (changed["resumed"], changed["facts"]["zarr_format"]) == (False, 3)


@pytest.mark.gallery
@pytest.mark.slow
def test_a_notebook_runs_in_both_formats_unless_its_passport_names_one(tiny, tmp_path):
    pytest.importorskip("papermill")
    folder = tmp_path / "notebooks" / "01_part"
    folder.mkdir(parents=True)
    text = (tiny / "01_part" / "01_01_tiny.py").read_text(encoding="utf-8")
    (folder / "01_01_tiny.py").write_text(text, encoding="utf-8")
    only = text.replace("Does it run?\n", "Does it run?\n#\n# | | |\n# |---|---|\n# | **Formats** | 3 |\n")
    (folder / "01_02_tiny.py").write_text(only, encoding="utf-8")
    events = []
    results = gallery.run(
        zarr_format="both", out_dir=tmp_path / "out", folder=folder.parent, jobs=2, progress=events.append
    )
    ends = [(event["id"], event["zarr_format"]) for event in events if event["event"] == "end"]
    assert {(event["id"], event["zarr_format"]) for event in events} == set(ends)
    assert len(ends) == len(set(ends)) == 3
    ran = [(result["id"], result["zarr_format"], result["facts"]["zarr_format"]) for result in results]
    assert ran == [("01_01", 2, 2), ("01_01", 3, 3), ("01_02", 3, 3)]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"01_01_v2", "01_01_v3", "01_02_v3"}


@pytest.mark.gallery
def test_a_parameter_that_a_notebook_does_not_have_is_a_row_that_names_those_it_has(tiny):
    [result] = gallery.run(["01_01"], parameters={"wrokers": 2}, folder=tiny)
    expected = "parameter 'wrokers': expected one that the notebook has, found another; try one of out_dir, quick"
    assert result["error"].startswith(expected)


@pytest.mark.gallery
@pytest.mark.slow
def test_a_results_folder_that_cannot_be_written_is_a_row_in_the_table(tiny, tmp_path):
    (tmp_path / "01_01").write_text("a file where the folder of the first notebook should be")
    first, second = gallery.run(["01_01", "01_05"], out_dir=tmp_path, folder=tiny)
    assert "expected a results' folder that can be made" in first["error"]
    assert "wrote no facts.json" in second["error"]


@pytest.mark.gallery
@pytest.mark.slow
def test_progress_is_told_from_start_to_end(tiny_run):
    _, events, _ = tiny_run
    mine = [event for event in events if event["id"] == "01_01"]
    assert [event["event"] for event in mine] == ["start", "cell", "cell", "cell", "cell", "end"]
    assert [event["cell"] for event in mine[1:-1]] == [1, 2, 3, 4]
    assert mine[-1]["status"] == "ok"
    json.dumps(events)


def offline_python(code, tmp_path):
    command = [sys.executable, "-c", code]
    env = offline_environment(tmp_path)
    return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        # a process that the process starts
        "subprocess.run([sys.executable, '-c', 'import socket; socket.getaddrinfo(str(5), 80)'], check=True)",
    ],
)
def test_the_network_is_closed_in_automated_runs(attempt, tmp_path):
    done = offline_python(f"import socket, subprocess, sys\n{attempt}", tmp_path)
    assert done.returncode != 0
    assert "network: this run may reach its own machine only" in done.stderr


@pytest.mark.parametrize(
    "attempt",
    [
        "open('x', 'w')",
        "open('here', 'r+b')",
        "os.open('x', os.O_CREAT | os.O_WRONLY)",
        "os.mkdir('x')",
        "os.remove('here')",
        "os.rename(own / 'mine', 'x')",
        "shutil.rmtree('.')",
        "shutil.copy('here', '..')",
        "sqlite3.connect('x.db')",
        "(own / '..' / 'x').write_text('x')",
        "subprocess.run([sys.executable, '-c', 'open(str(5), str(chr(119)))'], check=True)",
    ],
)
def test_a_run_writes_only_where_it_may(attempt, tmp_path):
    own, start = tmp_path / "own", tmp_path / "start"
    own.mkdir()
    start.mkdir()
    (own / "mine").write_text("mine")
    (start / "here").write_text("here")
    code = f"import os, shutil, sqlite3, subprocess, sys\nfrom pathlib import Path\nown = Path({str(own)!r})\n{attempt}"
    command, env = [sys.executable, "-c", code], offline_environment(own, [own])
    done = subprocess.run(command, env=env, cwd=start, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "files: this run may write below its output folder only" in done.stderr
    assert [path.name for path in start.iterdir()] == ["here"]


def test_a_run_writes_below_its_own_folders_and_reads_everywhere(tmp_path):
    own, start = tmp_path / "own folder", tmp_path / "start"
    own.mkdir()
    start.mkdir()
    (start / "here").write_text("here")
    code = (
        "import os, shutil, sqlite3, tempfile\nfrom pathlib import Path\n"
        f"own = Path({str(own)!r})\n(own / 'a').mkdir()\n(own / 'a' / 'x').write_text(Path('here').read_text())\n"
        "sqlite3.connect(own / 'db').close()\nshutil.rmtree(own / 'a')\n"
        "with tempfile.TemporaryDirectory() as folder:\n    os.rename(own / 'db', Path(folder, 'db'))\n"
        "open(os.devnull, 'w').close()\nprint('done')"
    )
    command, env = [sys.executable, "-c", code], offline_environment(own, [own])
    done = subprocess.run(command, env=env, cwd=start, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_run_keeps_what_python_compiles_as_the_next_one_needs_it_again(tmp_path, monkeypatch):
    own, elsewhere = tmp_path / "own", tmp_path / "elsewhere"
    own.mkdir()
    elsewhere.mkdir()
    (elsewhere / "module_of_a_lesson.py").write_text("x = 1")
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    command, env = [sys.executable, "-c", "import module_of_a_lesson"], offline_environment(own, [own])
    subprocess.run(command, env=env, check=True)
    assert [path.suffix for path in (elsewhere / "__pycache__").iterdir()] == [".pyc"]


def test_a_run_need_not_look_for_fonts_that_matplotlib_has_found_before(tmp_path, monkeypatch):
    scratch, cache = tmp_path / "scratch", tmp_path / "cache" / "matplotlib"
    scratch.mkdir()
    cache.mkdir(parents=True)
    (cache / "fontlist-v1.json").write_text("{}")
    (cache / "tex.cache").write_text("not this")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    folder = Path(offline_environment(scratch)["MPLCONFIGDIR"])
    assert folder.is_relative_to(scratch)  # what a run adds stays there
    assert [path.name for path in folder.iterdir()] == ["fontlist-v1.json"]


def test_any_command_can_be_run_away_from_the_network(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "tutorial_zarr.gallery.offline"]
    code = "import socket; socket.getaddrinfo('example.org', 80)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = {"env": environment, "cwd": tmp_path, "capture_output": True, "text": True, "check": False}
    done = subprocess.run([*command, sys.executable, "-c", code], **run)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("PermissionError: network: this run may reach its own machine")
    assert subprocess.run([*command, sys.executable, "-c", "raise SystemExit(3)"], **run).returncode == 3
    assert subprocess.run(command, **run).stderr.startswith("usage: ")


def test_a_server_on_this_machine_can_be_reached_in_automated_runs(tmp_path):
    code = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), 5).sendall(b'x')\n"
        "print(socket.getaddrinfo('localhost', 80)[0][4][1], server.accept()[0].recv(1))"
    )
    done = offline_python(code, tmp_path)
    assert (done.stdout, done.stderr) == ("80 b'x'\n", "")


def test_a_sitecustomize_that_was_there_before_still_runs(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("print('it was here first')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = offline_python("import socket; socket.getaddrinfo('example.org', 80)", tmp_path)
    assert done.stdout == "it was here first\n"
    assert "this run may reach its own machine only" in done.stderr


ALONE = """import builtins, json, os, random, sys, tempfile
import numpy as np

found = {
    "left by another": [getattr(builtins, "left", None), os.environ.get("LEFT"), "left" in sys.modules],
    "folders": [os.getcwd(), tempfile.gettempdir()],
    "random": [random.random(), float(np.random.random())],
    "paths": sys.path,
}
builtins.left = os.environ["LEFT"] = "x"
sys.modules["left"] = sys
save_facts(out, {"found": json.dumps(found)})"""


@pytest.mark.gallery
@pytest.mark.slow
@pytest.mark.parametrize("warmed", [True, False])
def test_nothing_goes_from_one_notebook_to_another(warmed, tmp_path, monkeypatch):
    pytest.importorskip("papermill")
    kept = {}
    monkeypatch.setattr(warm, "_KEPT", kept)
    if not warmed:  # as where a system has no fork
        monkeypatch.setattr(warm, "start", lambda env, errors: None)
    part = tmp_path / "notebooks" / "01_part"
    part.mkdir(parents=True)
    for name in ("01_01", "01_02"):
        (part / f"{name}_tiny.py").write_text(f"{HEAD.replace('{id}', name)}# %%\n{ALONE}\n", encoding="utf-8")
    results = gallery.run(folder=part.parent)
    assert [result["error"] for result in results] == [None, None]
    first, second = (json.loads(result["facts"]["found"]) for result in results)
    assert first["left by another"] == second["left by another"] == [None, None, False]
    assert not set(first["folders"]) & set(second["folders"])
    assert not set(first["random"]) & set(second["random"])
    assert first["paths"] == second["paths"]
    assert len(kept) == (warmed and sys.platform == "linux")
    for process, _ in kept.values():
        process.kill()
        process.wait()
    [result] = gallery.run(["01_01"], folder=part.parent)  # another one takes its place
    assert result["error"] is None
    warm._end()
    assert [process.returncode for process, _ in kept.values()] == [0] * len(kept)


@pytest.mark.gallery
@pytest.mark.slow
def test_a_rebuilt_notebook_is_the_one_that_is_stored(copy):
    pytest.importorskip("papermill")
    before = {path: path.read_bytes() for path in copy.parent.rglob("*01_01*") if path.is_file()}
    (copy / f"{FIRST}.facts.json").unlink()
    (copy.parent / "articles" / "figures" / "01_01_hole.svg").unlink()
    [result] = gallery.build(["01_01"], folder=copy)
    assert (result["status"], result["error"], result["changed"]) == ("ok", None, False)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.gallery
@pytest.mark.slow
def test_a_notebook_runs_with_other_parameters_and_again_in_the_same_folder(tmp_path):
    pytest.importorskip("papermill")
    for parameters, chunks in (({"n": 400, "chunk": 50}, (64, 16)), ({}, (100, 4))):
        [result] = gallery.run(["01_01"], full=True, parameters=parameters, out_dir=tmp_path)
        assert (result["status"], result["error"]) == ("ok", None)
        facts = result["facts"]
        assert (facts["chunks"], facts["chunks_stored"]) == chunks
        assert (facts["sum"], facts["huge_gigabytes"]) == (3_983_980_000, 4000)


# --- the contract -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(contract.SECTIONS) - contract.OPTIONAL))
def test_a_missing_section_is_noticed(copy, name):
    edit(copy / f"{FIRST}.py", f'tags=["{name}"]\n# ## ', "\n# ### ")
    assert f"sections: expected a heading in a cell with the tag {name!r}" in problems(copy)


FORM = [
    ("# ## Recap", "# ## What we saw", "section 'What we saw': expected the heading 'Recap', as in all lessons"),
    (
        "# ## Take one chunk apart by hand",
        "# ## Look at the bytes",
        "expected a heading that says what this section says",
    ),
    (
        ' tags=["section-bytes"]',
        "",
        "expected one heading and one tag of a section, found ['Take one chunk apart by hand']",
    ),
    (
        "# ## A lost chunk looks like sea",
        "# ## A name that is a claim\n#\n# ## Sea",
        "expected one heading and one tag",
    ),
    ("| here | zarr-python, xarray, Dask | not there |", "| here | there |", "bridge: expected the table '| here |"),
    ("| the same names | - |", "| other names | - |", "found one with other words: ('the same names', '-')"),
    ("| the same names | - |", "| - |", "bridge: expected 3 cells in the row of"),
    (
        "| `create_array`, `open_array`",
        "| `open_array`",
        "bridge: expected a test in tests/interop/bridge with the mark",
    ),
    ("**To read further.**", "**Further.**", "recap: expected 3 described links to read further"),
    ("**To read further.**", "**Further.**", "recap: expected a paragraph **To read further.**"),
    ("01_02_chunking_is_the_index.ipynb", "https://example.org", "expected a link to the next lesson after **Next.**"),
    ("40 minutes", "5 minutes", "passport: Time: expected 40 minutes, by its words, code, figures and exercises"),
    ("# Our array is a test matrix", "# Of 4711 tiles", "expected 4711 in the code, the outputs or the facts"),
    ("# Our array is a test matrix", "# A lost update, a wall", "expected 'lost update' as a link at its first use"),
    (
        "# Our array is a test matrix",
        "# **[No such](../GLOSSARY.md#no-such)**",
        "expected a definition of 'no-such' in some",
    ),
    (
        "# Our array is a test matrix",
        '# **[codec](https://example.org "A second definition, of eight words or so, again.")**',
        "expected one definition of 'codec', found 2",
    ),
    (
        "# Our array is a test matrix",
        '# **[gizmo](https://example.org "Too short.")**',
        "expected 8 to 30 words on 'gizmo'",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), FORM)
def test_what_is_not_in_the_form_of_a_lesson_is_noticed(copy, old, new, expected):
    edit(copy / f"{FIRST}.py", old, new, -1)
    if "expected 4711" in expected:  # numbers are read in the notebook as it is built
        edit(copy / f"{FIRST}.ipynb", old.removeprefix("# "), new.removeprefix("# "), -1)
    assert any(expected in problem for problem in problems(copy)), problems(copy)


def test_a_heading_that_stands_in_two_lessons_is_noticed(copy):
    other = next((copy / "01_core_zarr").glob("01_02*.py"))
    edit(other, "# ## Exercises", "# ## A lost chunk looks like sea\n#\n# ## Exercises")
    expected = "section 'A lost chunk looks like sea': expected a heading of its own, found the one of 01_01"
    assert expected in problems(copy, ["01_02"])


def test_a_lesson_without_terms_or_without_a_function_to_write_is_noticed(copy, monkeypatch):
    path = copy / f"{FIRST}.py"
    text = re.sub(r"\*\*\[([^\]]+)\]\([^)]*\)\*\*", r"\1", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    wrong = dict.fromkeys(exercises.checks_of("01_01").WRONG, 0)
    monkeypatch.setattr(exercises.checks_of("01_01"), "WRONG", wrong)
    found = problems(copy)
    assert "terms: expected at least 3 terms in bold with a link, found 0" in found
    assert "exercises: expected one that asks for a function, with a wrong one in WRONG, found none" in found


def test_the_glossary_is_what_the_lessons_define(copy):
    page = copy / "GLOSSARY.md"
    assert page.read_text(encoding="utf-8") == glossary.Glossary(gallery.list_notebooks(copy)).page()
    page.write_text(page.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    found = [f for f in gallery.check(None, copy) if f["id"] == "GLOSSARY.md"]
    assert [f["problem"] for f in found] == ["expected what the lessons define; try: tutorial-zarr gallery glossary"]


def test_the_index_has_every_lesson_and_every_line_of_the_plan(copy):
    page = copy / index.FILE
    text = page.read_text(encoding="utf-8")
    notebooks, articles = gallery.list_notebooks(copy), select_articles(folder=copy)
    assert text == index.page(notebooks, articles)
    head, plan = text.split("## The plan")
    assert [notebook.id for notebook in notebooks if f"| [{notebook.id}](" not in head] == []
    rows = [line for line in plan.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[0] for row in rows] == [*(f"| {n}" for n in range(1, 41)), *["| "] * 13]
    assert plan.count("(../articles/") == len(articles)
    without = index.page([n for n in notebooks if n.id != "01_02"], articles[1:]).split("## The plan")[1]
    assert "| 1 | arrays in the cloud from the beginning | [01_01]" in without
    assert "| 2 | chunks as the only index | to come |" in without
    page.write_text(text + "more\n", encoding="utf-8")
    [found] = [f for f in gallery.check(None, copy) if f["id"] == index.FILE]
    assert found["problem"] == "expected the lessons; try: tutorial-zarr gallery index"


def test_a_row_of_a_bridge_is_proven_by_a_test_with_its_words(tmp_path):
    folder = tmp_path / bridges.TESTS
    folder.mkdir(parents=True)
    head = "| here | zarr-python, xarray, Dask | not there |\n|---|---|---|\n"
    row = "| `a.plan` | - | all of it |\n"
    assert bridges.rows(head + row) == [("`a.plan`", "-", "all of it")]
    assert next(bridges.problems(head + row, tmp_path)).startswith("expected a test in tests/interop/bridge")
    mark = '@pytest.mark.bridge("`a.plan`", "-", "all of it")\n'
    (folder / "test_x.py").write_text(mark + "def helper(): pass\n", encoding="utf-8")
    assert list(bridges.problems(head + row, tmp_path)) != []
    (folder / "test_x.py").write_text(mark + "def test_it(): pass\n", encoding="utf-8")
    assert list(bridges.problems(head + row, tmp_path)) == []
    assert list(bridges.problems(head, tmp_path)) == ["expected at least one row, found none"]


def test_the_minutes_of_a_lesson_grow_with_all_that_it_asks_of_a_reader():
    text = {"cell_type": "markdown", "metadata": {}, "source": "word " * 220}
    code = {"cell_type": "code", "metadata": {}, "source": "x = 1\n" * 12}
    folded = {"cell_type": "code", "metadata": {"jupyter": {"source_hidden": True}}, "source": "x = 1\n" * 500}

    class Checks:
        WRONG: ClassVar = {"1": 0, "2": abs}
        exercise_1 = exercise_2 = None

    assert contract.minutes([text, code, folded], Checks, 2) == 15  # 1 + 1 + 1 + 3 + 6 = 12
    assert contract.minutes([text] * 4 + [code] * 4, Checks, 2) == 20


def test_a_function_that_a_student_wrote_is_told_what_it_does_wrong():
    cases = [(([3, 1],), [1, 3]), (([],), [])]
    assert exercises.on_cases(sorted, cases) is None
    assert exercises.on_cases(3, cases) == "expected a function, found 3."
    untouched = "for ([3, 1]) it returns None; put your code in place of the three dots, or look for a `return`."
    assert exercises.on_cases(lambda x: None, cases) == untouched
    half = exercises.on_cases(lambda x: sorted(x) if x else None, cases)
    assert half == "for ([]) it returns None; does it have a `return` there?"
    assert exercises.on_cases(lambda x: x[5], cases).startswith("for ([3, 1]) it raises IndexError: ")
    assert exercises.on_cases(lambda x: x, cases) == "for ([3, 1]) it returns [3, 1]; wanted is [1, 3]."
    assert exercises.on_cases(lambda x: x.sort(), [(([3, 1],), None)]) is None
    assert exercises.on_cases(lambda: 1 / 3, [((), 0.33333333333)]) is None
    assert exercises.on_cases(lambda: np.zeros(3), [((), np.zeros(2))]) is not None
    assert exercises.on_cases(lambda: {"a": 1}, [((), {"a": 1})]) is None
    assert exercises.on_cases(lambda: {"a": 1}, [((), {"b": 1})]) is not None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("# # Write", "# Write", "head: expected a title"),
        ("**Question.** You", "You", "head: expected a line '**Question.** ...?'"),
        ("# | **Level** | ★ beginner |\n", "", "passport: expected a row 'Level'"),
        ("★ beginner", "easy", "passport: Level: expected one to three stars and a word"),
        ("40 minutes", "short", "passport: Time: expected a number of minutes"),
        ("Python and a little NumPy", "[09_99](x.ipynb)", "passport: Needs: there is no notebook 09_99"),
        ("Python and a little NumPy", "01_01", "passport: Needs: following the prerequisites leads back"),
        (
            "tutorial_zarr/array",
            "tutorial_zarr/arrays",
            "passport: there is no tutorial_zarr/arrays",
        ),
        ("01_first_zarr_array.md", "01_none.md", "head: the link to ../../articles/01_none.md leads nowhere"),
        (
            "# - save, reopen, and let other libraries read what you wrote\n",
            "",
            "recap: expected a point for each",
        ),
        ("**Next.**", "Next.", "recap: expected a paragraph **Next.**"),
        (
            'tags=["parameters", ',
            'tags=["p", ',
            "parameters: expected one cell with the tag 'parameters', found 0",
        ),
        ("workers = 4", "threads = 4", "parameters: expected the standard parameters as well: workers"),
        ("import gzip\n", "import gzip\n" + "x = 1\n" * 15, ": expected at most 15 lines"),
        (
            "# ## Solutions",
            "# ## Solutions\n\n" + "# %%\n1\n\n" * 40,
            "length: expected at most 40 code cells",
        ),
        ("# The same array in a folder", "# " + "word " * 120, "expected at most 110 words in a cell"),
        ("out = output_folder(out_dir)", 'out = "/home/me/data"', "source: expected no path of a machine"),
        ("# The same hundred", "# \U0001f680 The same hundred", "source: expected no emoji"),
        (
            "![A map of land under a grid of chunks; squares of sea are empty.]",
            "![A map]",
            "../../articles/figures/01_01_land.svg: expected a description",
        ),
        ("### Exercise 01_01.2", "### Exercise two", "exercises: expected a heading '### Exercise 01_01.2'"),
        ("<summary>Hint", "<summary>See", "exercise 01_01.1: expected a hint"),
        ('tags=["solution", ', 'tags=["s", ', "exercise 01_01.1: expected a code cell with the tag 'solution'"),
        ('tags=["exercise"]', 'tags=["e"]', "exercise 01_01.1: expected a code cell with the tag 'exercise'"),
        ("# ## A grid of tiles", "# # A grid of tiles", "sections: expected one heading of the first level, the title"),
        ("import gzip\n", "# !pip install gzip\n", ": expected Python only, found '!pip install gzip'"),
        (
            "# Our array is a test matrix",
            "# (to write: the idea)",
            "section 'A grid of tiles, and a name for each': unfinished: (to write: the idea)",
        ),
    ],
)
def test_a_broken_source_is_noticed(copy, old, new, expected):
    edit(copy / f"{FIRST}.py", old, new)
    assert any(expected in problem for problem in problems(copy)), problems(copy)


SCREEN = [
    ("# A climate model", "# " + "word " * 100 + "\n# A climate model", "first screen: expected at most 200 words"),
    ("# %% [markdown]\n# <details>", "# <details>", "first screen: expected the passport in a cell of its own"),
    ("# ![A map of land", "# [A map of land", "first screen: expected a picture in the first cell"),
    ("# <details><summary><b>About", "# <summary><b>About", "first screen: expected the passport in the second cell"),
    ('tags=["parameters", "hide-input"] jupyter={"source_hidden": true}', 'tags=["parameters"]', 'tags=["hide-input"]'),
    ('tags=["parameters", "hide-input"]', 'tags=["parameters"]', "expected the same in tags and in jupyter="),
    ('tags=["facts", "remove-cell"] jupyter={"source_hidden": true}', 'tags=["facts"]', "found it open"),
    ('outputs_hidden": true}\nprint("After your guess:")\nshift', 'x": true}\nshift', '"outputs_hidden": true}, found'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), SCREEN)
def test_a_first_screen_that_is_not_the_readers_is_noticed(copy, old, new, expected):
    edit(copy / f"{FIRST}.py", old, new)
    assert any(expected in problem for problem in problems(copy)), problems(copy)


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        ("foretell", "predict"),
        ("made anew", "again"),
        ("four under way", "in flight"),
        ("the dearest", "expensive"),
        ("they quarrel", "pull in opposite directions"),
        ("Who was refused together comes back", "a subject that is named"),
        ("a size of chunk", "chunk size"),
        ("so many of them", "the number"),
        ("later, as it rains", "because"),
    ],
)
def test_words_that_stop_a_reader_are_a_warning_and_no_fault(copy, capsys, monkeypatch, words, instead):
    edit(copy / f"{FIRST}.py", "# Our array is a test matrix", f"# {words}\n# Our array is a test matrix")
    (warning,) = contract.warnings(["01_01"], copy)
    assert warning["problem"].endswith(f"try {instead!r}")
    assert all("try 'again'" not in problem for problem in problems(copy))
    monkeypatch.setattr(contract, "warnings", lambda ids: [warning])
    monkeypatch.setattr(gallery, "check", lambda ids: [])
    assert command.check((), False, None, False) == 0
    assert "warning: 01_01" in capsys.readouterr().err


def test_the_lessons_and_articles_have_no_words_that_stop_a_reader():
    assert contract.warnings() == []


def test_a_table_of_times_says_on_what_machine_it_was_made(capsys):
    calls = []
    lesson.print_timings({"an append": lambda: calls.append(1)})
    printed = capsys.readouterr().out.splitlines()
    assert len(calls) == lesson.RUNS == 5
    assert printed[0].split()[-3:] == ["least", "median", "most"]
    least, median, most = map(float, printed[1].split()[-3:])
    assert printed[1].startswith("an append")
    assert 0 <= least <= median <= most
    assert f"numpy {np.__version__}" in printed[-1]


def test_a_source_that_was_changed_after_the_build_is_noticed(copy):
    edit(copy / f"{FIRST}.py", "shift = 50", "shift = 60")
    assert any("expected the same cells as in 01_01_first_zarr_array.py" in problem for problem in problems(copy))


def test_sections_in_another_order_are_noticed(copy):
    edit(copy / f"{FIRST}.py", "section-build", "TEMPORARY")
    edit(copy / f"{FIRST}.py", "section-idea", "section-build")
    edit(copy / f"{FIRST}.py", "TEMPORARY", "section-idea")
    assert any("sections: expected them in this order" in problem for problem in problems(copy))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda cells: cells[0].update(id="random"), "notebook: expected the form that the build gives it"),
        (
            lambda cells: cells[0]["metadata"].update(time="now"),
            "notebook: expected the form that the build gives",
        ),
        (lambda cells: cells.pop(), "notebook: expected the same cells"),
        (
            lambda cells: code(cells, 4).update(execution_count=None),
            "outputs: expected every code cell to be executed",
        ),
        (
            lambda cells: stream(cells, 8).update(text="4 files\n"),
            "code cell 8: expected a first line that gives nothing",
        ),
        (lambda cells: stream(cells, 4).update(name="stderr"), "code cell 4: expected no warning"),
        (lambda cells: stream(cells, 4).update(text="/home/me/x"), "outputs: expected no path of a machine"),
        (
            lambda cells: stream(cells, 4).update(text="<a.Legend at 0x7f0123456789>"),
            "code cell 4: expected the same output on every run, found the address of an object",
        ),
        (
            lambda cells: picture(cells).update({"text/plain": "<Figure size 1x1>"}),
            "expected a description beside",
        ),
        (
            lambda cells: code(cells, 4)["outputs"].append(ERROR),
            "code cell 4: expected no error, found ValueError",
        ),
        (
            lambda cells: stream(cells, -2).update(text="01_01.3 not yet: no"),
            "expected a solution that its check accepts",
        ),
    ],
)
def test_a_broken_notebook_is_noticed(copy, change, expected):
    path = copy / f"{FIRST}.ipynb"
    notebook = source.loads(path.read_text(encoding="utf-8"))
    change(notebook["cells"])
    path.write_text(source.dumps(notebook), encoding="utf-8")
    assert any(expected in problem for problem in problems(copy)), problems(copy)


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}


def code(cells, number):
    found = [cell for cell in cells if cell["cell_type"] == "code"]
    return found[number - 1 if number > 0 else number]


def stream(cells, number):
    return next(output for output in code(cells, number)["outputs"] if output["output_type"] == "stream")


def picture(cells):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return next(output["data"] for output in outputs if "image/svg+xml" in output.get("data", {}))


def test_a_notebook_that_is_absent_or_not_json_is_noticed(copy):
    (copy / f"{FIRST}.ipynb").write_text("{")
    assert any("notebook: expected a notebook in JSON" in problem for problem in problems(copy))
    (copy / f"{FIRST}.ipynb").unlink()
    assert any("expected 01_01_first_zarr_array.ipynb beside" in problem for problem in problems(copy))


def test_absent_facts_are_noticed(copy):
    (copy / f"{FIRST}.facts.json").unlink()
    assert any("facts: expected 01_01_first_zarr_array.facts.json" in problem for problem in problems(copy))


@pytest.mark.gallery
@pytest.mark.slow
def test_nbval_notices_an_output_that_was_changed(copy):
    pytest.importorskip("nbval")
    path = copy / f"{FIRST}.ipynb"
    notebook = source.loads(path.read_text(encoding="utf-8"))
    # The first fourteen code cells are enough, and the fourteenth counts the chunks.
    end = notebook["cells"].index(code(notebook["cells"], 14)) + 1
    del notebook["cells"][end:]
    stream(notebook["cells"], 14)["text"] = "Zarr 3: 4 of 100 chunks stored\nZarr 2: 5 of 100 chunks stored\n"
    path.write_text(source.dumps(notebook), encoding="utf-8")
    [problem] = check_outputs(["01_01"], copy)
    assert (problem["id"], problem["where"]) == ("01_01", "code cell 14")
    expected = "expected 'Zarr 2: 5 of 100 chunks stored', found 'Zarr 2: 4 of 100 chunks stored'"
    assert problem["problem"] == f"the stored output is another one: {expected}"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("tests/known_answers/test_01_01.py", "known answers"),
        ("tutorial_zarr/gallery/exercises/x01_01.py", "exercises"),
    ],
)
def test_a_notebook_without_its_other_files_is_noticed(copy, name, where):
    (copy.parent / name).write_text('"""(to write: everything)"""')
    assert f"{where}: unfinished: (to write: everything)" in problems(copy)
    (copy.parent / name).unlink()
    assert f"{where}: expected the file {name}" in problems(copy)


# --- a new notebook -----------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path):
    """A copy of the whole project, in which commands run as in a clone."""
    ignore = shutil.ignore_patterns(".*", "__pycache__", "benchmarks", "spec", "*.zarr")
    shutil.copytree(ROOT, tmp_path / "a clone", ignore=ignore)
    return tmp_path / "a clone"


def in_clone(clone, *arguments):
    command = [sys.executable, "-m", "tutorial_zarr", "gallery", *arguments]
    env = {**os.environ, "PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=env, cwd=clone, capture_output=True, text=True, check=False)


@pytest.mark.gallery
@pytest.mark.slow
def test_a_new_notebook_is_one_command_and_runs_and_says_what_is_left_to_write(clone):
    pytest.importorskip("papermill")
    done = in_clone(clone, "new", "01_99", "weigh_a_chunk", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        "notebooks/01_core_zarr/01_99_weigh_a_chunk.py",
        "tutorial_zarr/gallery/exercises/x01_99.py",
        "tests/known_answers/test_01_99.py",
        "articles/99_weigh_a_chunk.md",
    ]
    built = in_clone(clone, "build", "01_99", "--json")
    assert built.returncode == 0, built.stdout + built.stderr
    left = json.loads(in_clone(clone, "check", "01_99", "--json").stdout)
    unfinished = {problem["where"] for problem in left if problem["problem"].startswith("unfinished: (to write: ")}
    sections = [name for name in contract.SECTIONS.values() if name and name != "Exercises"]
    exercises = [f"Exercise 01_99.{number}" for number in (1, 2, 3)]
    told = ["(to write: the mistake as a heading)", "Build it small: (to write: what it turns out to be)"]
    assert {f"section {name!r}" for name in ["head", *sections, *exercises, *told]} <= unfinished
    assert {"exercises", "known answers"} <= unfinished
    others = [problem for problem in left if not problem["problem"].startswith("unfinished")]
    assert {problem["where"] for problem in others} == {"bridge", "recap"}
    again = in_clone(clone, "new", "01_99", "another")
    assert again.returncode == 1
    assert "expected an id that is free, found 01_99_weigh_a_chunk.py; try another id" in again.stderr


@pytest.mark.parametrize(
    ("name", "slug", "message"),
    [
        ("1_2", "x", "expected an id such as 02_01"),
        ("77_01", "x", "expected an id such as 02_01, in parts 00 to 09, found '77_01'"),
        ("02_01", "Chunk Lab", "expected a name in small letters .*found 'Chunk Lab'; try chunk_lab"),
        ("01_01", "x", r"expected an id that is free, found 01_01_first_zarr_array\.py"),
    ],
)
def test_a_new_notebook_with_a_wrong_name_is_refused_and_leaves_nothing(copy, name, slug, message):
    before = sorted(copy.parent.rglob("*"))
    with pytest.raises(gallery.GalleryError, match=message):
        new(name, slug, copy)
    assert sorted(copy.parent.rglob("*")) == before


def test_a_lab_has_no_article_and_no_file_is_overwritten(copy):
    files = new("02_99", "chunk_lab", copy)
    assert [path.parent.name for path in files] == ["02_labs", "exercises", "known_answers"]
    assert set(PARTS) == {path.name[:2] for path in copy.iterdir() if path.is_dir()} | set(PARTS)
    files[0].unlink()
    with pytest.raises(gallery.GalleryError, match=r"expected no file x02_99\.py, found one"):
        new("02_99", "chunk_lab", copy)
    assert not files[0].exists()


# --- for students -------------------------------------------------------------------------------------------


def test_the_students_get_everything_but_the_solutions_and_the_outputs(tmp_path):
    paths = write_student_versions(tmp_path / "out", ["00_00", "01_01"])
    assert [path.relative_to(tmp_path / "out").as_posix() for path in paths] == [
        notebook.ipynb.relative_to(ROOT).as_posix() for notebook in gallery.list_notebooks()[:2]
    ]
    text = paths[1].read_text(encoding="utf-8")
    cells = source.loads(text)["cells"]
    author = source.read_source(NOTEBOOKS / f"{FIRST}.py")["cells"]
    ids = [cell["id"] for cell in author]
    removed = [cell for cell in author if cell["id"] not in {kept["id"] for kept in cells}]
    assert [cell["id"] for cell in cells] == [name for name in ids if name not in {cell["id"] for cell in removed}]
    assert sum("solution" in source.tags(cell) for cell in removed) == 3
    assert not any("solution" in source.tags(cell) or cell.get("outputs") for cell in cells)
    assert "## Solutions" not in text
    assert sum("exercise" in source.tags(cell) for cell in cells) == 3
    assert "## Recap" in text


def test_every_link_in_a_students_notebook_leads_somewhere(tmp_path):
    for ids in (["01_01"], None):
        for path in write_student_versions(tmp_path / f"{ids}", ids):
            for cell in source.loads(path.read_text(encoding="utf-8"))["cells"]:
                for target in re.findall(r"\]\((?!https?:)([^)#]+)", cell["source"]):
                    assert (path.parent / target).is_file(), f"{path.name}: {target}"


def test_the_students_version_never_replaces_the_authors(copy):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    for folder in (copy.parent, copy, copy / "01_core_zarr"):
        with pytest.raises(gallery.GalleryError, match="expected a folder of its own"):
            write_student_versions(folder, folder=copy)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_what_a_student_has_written_is_not_replaced_unasked(tmp_path):
    first, second = write_student_versions(tmp_path, ["01_01", "01_02"])
    assert "about 900 MB of disk" in (tmp_path / "README.md").read_text(encoding="utf-8")
    write_student_versions(tmp_path, ["01_01"])  # nothing was changed, and the links to others are no change
    write_student_versions(tmp_path, ["01_01", "01_02", "01_03"])
    edit(first, "touched = ...", "touched = 4")
    worked = {path: path.read_bytes() for path in (first, second)}
    with pytest.raises(
        gallery.GalleryError, match=r"found 1 notebook in which somebody .*01_01_first.* nothing was wr"
    ):
        write_student_versions(tmp_path)
    assert {path: path.read_bytes() for path in (first, second)} == worked
    assert sorted(path.name for path in tmp_path.rglob("01_*.ipynb"))[3:] == []
    write_student_versions(tmp_path, ["01_01"], overwrite=True)
    assert "touched = ..." in first.read_text(encoding="utf-8")


def test_a_notebook_is_reset_and_what_was_there_stays_beside(tmp_path):
    first, _ = write_student_versions(tmp_path, ["01_01", "01_02"])
    fresh = first.read_bytes()
    for answer in ("4", "5"):
        edit(first, "touched = ...", f"touched = {answer}")
        (path, aside), (_, untouched) = student.reset(tmp_path, ["01_01", "01_02"])
        assert (path, untouched) == (first, None)
        assert f"touched = {answer}" in aside.read_text(encoding="utf-8")
        assert first.read_bytes() == fresh
    assert sorted(path.name for path in first.parent.glob("01_01*before*")) == [
        "01_01_first_zarr_array_before_1.ipynb",
        "01_01_first_zarr_array_before_2.ipynb",
    ]
    with pytest.raises(gallery.GalleryError, match="which holds none"):
        student.reset(tmp_path / "articles", ["01_01"])
    with pytest.raises(gallery.GalleryError, match="those of the authors"):
        student.reset(ROOT, ["01_01"])


def notebook_of(path, *sources):
    """A notebook with these code cells."""
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**empty, "id": f"c{number}", "source": text} for number, text in enumerate(sources)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source.dumps(notebook), encoding="utf-8")


CHECK = "from tutorial_zarr.gallery.lesson import check"


@pytest.mark.gallery
def test_a_class_is_graded_and_nothing_of_it_leaves_its_folder(tmp_path, run):
    pytest.importorskip("papermill")
    folder, name = tmp_path / "class", "01_01_first_zarr_array.ipynb"
    (tmp_path / "kept").write_text("mine")
    notebook_of(
        folder / "=ada" / "notebooks" / "01_core_zarr" / name,
        CHECK,
        "1 / 0",  # what fails is followed by what holds
        f"open({str(tmp_path / 'kept')!r}, 'w')",
        "import socket; socket.create_connection(('192.0.2.1', 80))",
        'check("01_01.1", 6)',
        'check("01_01.2", ...)',
        'check("01_01.2", (slice(99, 101), slice(99, 101)))',
    )
    notebook_of(folder / "bob" / name, 'print("01_01.1 right: of course")', "def broken(:")
    (folder / "bob" / ".ipynb_checkpoints").mkdir()
    (folder / "bob" / ".ipynb_checkpoints" / name).write_text("{}")
    (folder / "eve" / "notebooks").mkdir(parents=True)
    (folder / "eve" / "notebooks" / name).write_text("no notebook")
    results = {result["student"]: result for result in grade.grade(folder, jobs=2)}
    assert (tmp_path / "kept").read_text() == "mine"
    assert set(results) == {"=ada", "bob", "eve"}
    assert results["=ada"]["verdicts"] == {"1": True, "2": True, "3": None}
    assert "this run may reach its own machine only" in results["=ada"]["error"]
    assert (results["bob"]["solved"], results["bob"]["exercises"]) == (0, 3)
    assert results["bob"]["error"].startswith("SyntaxError")
    assert results["eve"]["error"]
    columns, rows = grade.table(list(results.values()))
    assert columns == ("student", "01_01", "all")
    assert rows[0] == ("=ada", "2/3", "2/3")
    lines = grade.as_csv(list(results.values())).splitlines()
    assert lines[0] == "student,notebook,exercise,solved,file,error"
    assert lines[1].startswith("'=ada,01_01,1,yes,")
    assert len(lines) == 10
    code, out, _ = run("gallery", "grade", tmp_path / "none")
    assert (code, out) == (1, "")


# --- articles -----------------------------------------------------------------------------------------------

ARTICLE = "01_first_zarr_array.md"


def article_problems(copy):
    return [f"{found['where']}: {found['problem']}" for found in gallery.check_articles(["01"], copy)]


def numbers_of_the_article():
    _, body = articles.front_matter((ROOT / "articles" / ARTICLE).read_text(encoding="utf-8"))
    return sorted({number for number in articles.numbers_in(articles.held(body)) if len(number) > 3})


@pytest.mark.parametrize("number", numbers_of_the_article())
def test_a_number_that_was_changed_in_an_article_is_noticed(copy, number):
    changed = number[:-1] + str((int(number[-1]) + 3) % 10)
    path = copy.parent / "articles" / ARTICLE
    text = re.sub(rf"(?<!\d)(?<!\d,){number}(?!,?\d)", changed, path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    assert any(problem.startswith(f"{changed}: this number is not among") for problem in article_problems(copy))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("subtitle: ", "sub: ", "front matter: expected a line 'subtitle: ...'"),
        ("notebook: 01_01", "notebook: 77_77", "front matter: expected the id of a notebook, found '77_77'"),
        (
            "5, wbits=31)",
            "9, wbits=31)",
            "block 'def write_small(store, block, chunk):': this code does not stand",
        ),
        ("`c/1/0`", "`c/1/1/0`", "`c/1/1/0`: this does not stand in the notebook"),
        (
            "figures/01_01_hole.svg",
            "figures/01_01_whole.svg",
            "figures/01_01_whole.svg: there is no such file",
        ),
        ("(../notebooks/01_core_zarr/01_01_first", "(../notebooks/01_core_zarr/01_02_first", "leads nowhere"),
        ("\n## ", "\n" + "word " * 1000 + "\n\n## ", "length: expected 1,200 to 2,000 words"),
        ("\n```python\n# ///", "\n```text\n3 of 100 chunks\n```\n\n```python\n# ///", "this is not an output of the"),
        ('| `missing="error"` | ', '| `missing="error"` | perhaps ', "bridge: expected a test in tests/interop/bridge"),
        ("GLOSSARY.md#fill-value", "GLOSSARY.md#filling", "GLOSSARY.md#filling: this link leads nowhere, as GLOSSARY"),
        ("*Part 1 of ", "*Part 2 of ", "last line: expected '*Part 1 of "),
    ],
)
def test_a_broken_article_is_noticed(copy, old, new, expected):
    edit(copy.parent / "articles" / ARTICLE, old, new)
    assert any(expected in problem for problem in article_problems(copy)), article_problems(copy)


def test_a_figure_that_was_changed_by_hand_is_noticed(copy):
    edit(copy.parent / "articles" / "figures" / "01_01_four_chunks.svg", "4 stored", "5 stored")
    assert any("this is not the figure that the notebook exported" in problem for problem in article_problems(copy))


def test_a_fact_that_changed_makes_its_article_wrong(copy):
    edit(copy / f"{FIRST}.facts.json", '"land_chunks_stored": 442', '"land_chunks_stored": 443')
    assert article_problems(copy) == [
        "442: this number is not among the notebook's facts; correct it, or let the notebook compute it"
    ]


@pytest.mark.parametrize(
    ("written", "value", "fits"),
    [
        ("1,000", 1000, True),
        ("28.90", 28.9047, True),
        ("28.91", 28.9047, False),
        ("29", 28.9047, True),
        ("0.5", 0.5, True),
        ("3", 3.0, True),
        ("2.0", 2, True),
        ("12", 12.6, False),
    ],
)
def test_a_number_fits_a_fact_when_it_is_the_fact_rounded(written, value, fits):
    assert articles.fits(written, value) == fits


def test_numbers_are_told_from_names():
    text = "Version 3.4.2 of v2, int32 and 01_01; 12,345.6 of 7 at c/0/0, on 2026-01-31, in `a[5]` ([8](x9.md))."
    assert list(articles.numbers_in(text)) == ["12,345.6", "7", "8"]


def test_a_version_in_the_prose_is_that_of_the_first_line():
    body = "*Code: it; versions: zarr-python 3.4.2, Dask 2026.7.0.*\n\n{}\n\n*Part 1 of 2.*\n"

    def numbers(prose):
        return list(articles.numbers_in(articles.held(body.format(prose))))

    assert numbers("zarr-python 3 and zarr-python 3.4 differ, as does Dask 2026.7 in 5 cases.") == ["5"]
    assert numbers("zarr-python 3.5, zarr-python 34 and xarray 2026.7") == ["3.5", "34", "2026.7"]


@pytest.mark.gallery
def test_an_article_is_built_for_a_site_that_takes_neither_svg_nor_tables_nor_links_into_a_repository(tmp_path):
    pytest.importorskip("resvg_py")
    [path] = build_articles(tmp_path, ["01"], base_url="https://example.org/tree/main/")
    text = path.read_text(encoding="utf-8")
    figures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert figures == ["01_01_land.png", "01_01_four_chunks.png", "01_01_keys.png", "01_01_hole.png"]
    for figure in figures:
        head = (path.parent / figure).read_bytes()[:20]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(head[16:20], "big") == 1400
    front, body = articles.front_matter(text)
    assert front["source"] == "https://example.org/tree/main/articles/01_first_zarr_array.md"
    assert body.startswith("\n# Ninety-six chunks that are not there\n\n*What is on the disk")
    assert "](https://example.org/tree/main/notebooks/01_core_zarr/01_01_first_zarr_array.ipynb)" in body
    assert not re.search(r"^\|", body, re.MULTILINE)
    assert re.search(
        r"^```text\nyou ask for +requests  bytes fetched .*\n(?: .*\n)?-+ .*\none value +1 +14,054 ", body, re.MULTILINE
    )
    blocks = re.findall(r"^```python\n.*?^```$", (ROOT / "articles" / ARTICLE).read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    assert all(block in body for block in blocks)


def test_an_article_without_an_address_keeps_no_link_into_the_repository(tmp_path):
    [path] = build_articles(tmp_path, ["01"], images="svg")
    text = path.read_text(encoding="utf-8")
    assert "](../" not in text
    assert {file.name for file in path.parent.iterdir()} == {
        *("01_01_land.svg", "01_01_four_chunks.svg", "01_01_keys.svg", "01_01_hole.svg"),
        "01_first_zarr_array.md",
        "01_first_zarr_array.html",
    }
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    shown = re.findall(r'<figure><img src="([^"]+)" alt="[^"]{20,}" /><figcaption>([^<]{20,})</figcaption>', page)
    start = "data:image/svg+xml;base64,"  # a page that is pasted takes its pictures along
    assert all(address.startswith(start) for address, _ in shown)
    first = base64.b64decode(shown[0][0].removeprefix(start))
    assert first == (path.parent / "01_01_land.svg").read_bytes()
    assert page.count("<img ") == len(shown)


PASTED = {*("article", "h1", "h2", "h3", "p", "em", "strong", "code", "pre", "a"), *("ul", "ol", "li"),
          *("blockquote", "figure", "figcaption", "img")}  # fmt: skip


def test_a_built_page_has_what_a_publishing_sites_editor_takes(tmp_path):
    pytest.importorskip("resvg_py")
    base = "https://github.com/me/it/blob/main"
    for path in build_articles(tmp_path / "out", base_url=base):
        page = path.with_suffix(".html").read_text(encoding="utf-8")
        body = page.partition("<body>")[2]
        assert set(re.findall(r"<(\w+)[ >]", body)) <= PASTED, path.name
        pictures = re.findall(r'<img src="([^"]+)"', body)
        assert pictures
        for picture in pictures:
            start = f"https://raw.githubusercontent.com/me/it/main/out/{path.stem}/"
            assert picture.startswith(start)
            assert (path.parent / picture.removeprefix(start)).is_file()
        assert all(target.startswith("https://") for target in re.findall(r'<a href="([^"]+)"', body))
        text = (ROOT / "articles" / path.name).read_text(encoding="utf-8")
        blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        shown = [html.unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", body, re.DOTALL)]
        assert [block for block in blocks if block not in shown] == []
        assert len(re.findall(r"^\|.*\n\|[-:| ]+\|$", text, re.MULTILINE)) == len(shown) - len(blocks)
        assert f'<link rel="canonical" href="{base}/articles/{path.name}">' in page


def png_pixels(path):
    """The colours of a picture, as an array of rows, columns and channels."""
    return np.asarray(pytest.importorskip("matplotlib.image").imread(path))


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "articles" / "figures").glob("*.svg")))
def test_no_picture_is_drawn_black(tmp_path, name):
    pytest.importorskip("resvg_py")
    publish._picture(ROOT / "articles" / "figures" / name, tmp_path / name.replace(".svg", ".png"))
    svg = (ROOT / "articles" / "figures" / name).read_text(encoding="utf-8")
    pixels = png_pixels(tmp_path / name.replace(".svg", ".png"))[..., :3]
    dark = (pixels.max(axis=-1) < 0.12).mean()
    own_ground = re.search(r'id="patch_1">\s*<path d="[^"]*"/>', svg)  # a scanner's black: it has no style
    assert dark < (0.8 if own_ground else 0.3), f"{dark:.0%} of it is black"
    assert len(np.unique(pixels[::3, ::3].reshape(-1, 3), axis=0)) > 9, "there is nothing on it"


def test_lines_of_code_that_a_column_breaks_are_named(run):
    assert publish.long_lines("a" * 99 + "\n```python\nx = 1\n" + "x" * 81 + "\n```\n") == [(4, 81)]
    code, out, _ = run("articles", "check", "01", "--width", "80", "--json")
    assert code == 1
    assert all("expected at most 80 characters in a line of code" in row["problem"] for row in json.loads(out))
    assert run("articles", "check", "01", "--width", "200")[0] == 0


def test_an_article_that_disagrees_with_its_notebook_is_not_built(copy, tmp_path):
    edit(copy.parent / "articles" / ARTICLE, "442 chunks", "443 chunks")
    with pytest.raises(gallery.GalleryError, match=r"article 01_first_zarr_array, 443: this number is not among"):
        build_articles(tmp_path / "out", folder=copy)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": "gif"}, 'images must be "png" or "svg", got \'gif\''),
        ({"base_url": "github"}, "expected an address that begins with https:// as base_url, found 'github'"),
        ({"names": ["99"]}, "expected the name of an article, found '99'; try one of 01_first_zarr_array"),
    ],
)
def test_building_articles_with_a_wrong_option_is_refused(options, message, tmp_path):
    with pytest.raises(gallery.GalleryError, match=message):
        build_articles(tmp_path, **options)


def test_a_table_becomes_aligned_text():
    assert text_table(["| a | `b` |", "|:---|---:|", "| 1,000 | x |"]) == "a      b\n-----  -\n1,000  x"
    assert text_table(["| **a** | [b](c.md) |", "|---|---|"]) == "a  b\n-  -\n"


def test_a_wide_table_wraps_its_cells_and_loses_no_word():
    rows = ["| here | there |", "|---|---|", f"| `one` | {'many words ' * 12}|", "| two | few |"]
    lines = text_table(rows).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith("one   many words many")
    assert lines[3].startswith("      ")
    assert lines[-2:] == ["", "two   few"]
    assert " ".join(lines).count("many ") == 12
    long = "xarray.open_zarr(...).weighted(area).mean(...).to_numpy()"
    assert text_table(["| a | b |", "|---|---|", f"| `{long}` | x |"], 40).split("\n")[2:] == [
        "xarray.open_zarr(...).weighted(area).  x",
        "mean(...).to_numpy()",
    ]


# --- what a notebook imports --------------------------------------------------------------------------------

EXERCISES = [
    f"{notebook.id}.{number}"
    for notebook in gallery.list_notebooks()
    if exercises.checks_of(notebook.id)
    for number in exercises.numbers(exercises.checks_of(notebook.id))
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_plausible_wrong_answer_is_refused_with_help(exercise):
    name, _, number = exercise.partition(".")
    verdict = exercises.judge(exercise, exercises.checks_of(name).WRONG[number])
    assert not verdict.right
    assert len(verdict.words) > 30


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("answer", [..., None, "four", 3.5, -1e9, (), [1], (1, 2), slice(0, 1), True, np.nan])
def test_no_answer_of_any_kind_breaks_a_check(exercise, answer):
    assert not exercises.judge(exercise, answer).right


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        ("01_01.1", 6),
        ("01_01.1", np.int64(6)),
        ("01_01.2", np.s_[99:101, 99:101]),
        ("01_01.2", np.s_[499:501, 899:901]),
    ],
)
def test_every_right_answer_is_accepted(exercise, answer, capsys):
    exercises.check(exercise, answer)
    assert capsys.readouterr().out.startswith(f"{exercise} right: ")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (1100, "number of values"),
        (2, "Where do rows 95 and 104 lie"),
        (5, "multiply"),
        (7, "divide the first and last index"),
    ],
)
def test_a_wrong_answer_is_told_what_went_wrong(answer, words):
    assert words in exercises.judge("01_01.1", answer).words


@pytest.mark.parametrize("name", ["01_01.9", "77_77.1", "first"])
def test_an_unknown_exercise_is_refused(name):
    with pytest.raises(gallery.GalleryError, match="expected the name of an exercise, found"):
        exercises.check(name, 1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n": (0, 1, 4096)}, "parameter n: expected a whole number from 1 to 4,096, found 0; try another"),
        ({"n": (4097, 1, 4096)}, "found 4097"),
        ({"n": (2.5, 1, 4096)}, "expected a whole number from 1 to 4,096, found 2.5"),
        ({"n": (True, 1, 4096)}, "found True"),
        ({"n": ("8", 1, 4096)}, "found '8'"),
        ({"n": (None, 1, 4096)}, "found None"),
        ({"rate": (float("nan"), 0.0, 1.0)}, "parameter rate: expected a number from 0.0 to 1.0, found nan"),
        ({"good": (1, 1, 2), "zarr_format": (1, 2, 3)}, "parameter zarr_format: .* found 1"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_the_notebook(parameters, message):
    with pytest.raises(gallery.GalleryError, match=message):
        lesson.in_range(**parameters)


def test_a_parameter_in_range_is_taken():
    lesson.in_range(n=(np.int64(4096), 1, 4096), rate=(1, 0.0, 1.0), zarr_format=(2, 2, 3))


def test_a_package_that_is_not_here_is_named_with_what_to_type():
    lesson.need("numpy", "json")
    with pytest.raises(ImportError, match=r"needs the package scikit-image-none, .*; try: python -m pip install scik"):
        lesson.need("numpy", "scikit-image-none")


def test_what_to_type_is_the_extra_that_names_the_package():
    try:
        importlib.metadata.requires("tutorial_zarr")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("tutorial_zarr is imported from a folder and not installed, so it declares no extras")
    assert packages.install("tensorstore") == 'python -m pip install "tutorial_zarr[interop]"'


def test_what_to_type_is_the_package_where_no_extra_names_it():
    assert packages.install("no_such_package") == "python -m pip install no_such_package"
    assert packages.package("sklearn") == "scikit-learn"


def test_an_output_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        gallery.GalleryError, match=r"output_folder: expected a folder .*; try another out_dir, or None"
    ):
        lesson.output_folder(tmp_path / "file" / "out")


@unwritable
def test_an_output_folder_that_cannot_be_written_to_is_refused():
    with pytest.raises(gallery.GalleryError, match=r"expected a folder to write to, .* cannot be written to .*; try"):
        lesson.output_folder("/proc/self")


def test_facts_are_written_the_same_every_time_and_figures_are_noted(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.svg").write_bytes(b"<svg/>")
    lesson.save_facts(tmp_path, {"n": np.int64(4), "shape": np.array([2, 3]), "share": np.float64(0.5)})
    facts = json.loads((tmp_path / "facts.json").read_text(encoding="utf-8"))
    assert facts == {
        "n": 4,
        "shape": [2, 3],
        "share": 0.5,
        "figures": {"a.svg": hashlib.sha256(b"<svg/>").hexdigest()},
    }


def test_a_fact_that_json_does_not_know_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"save_facts: expected numbers, text, lists and dicts, found set"):
        lesson.save_facts(tmp_path, {"bad": {1, 2}})


def test_an_output_folder_is_the_given_one_or_a_fresh_one(tmp_path, monkeypatch):
    monkeypatch.delenv("TUTORIAL_ZARR_OUT_DIR", raising=False)
    assert lesson.output_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    fresh = [lesson.output_folder() for _ in range(2)]
    assert fresh[0] != fresh[1]
    for folder in fresh:
        folder.rmdir()
    monkeypatch.setenv("TUTORIAL_ZARR_OUT_DIR", str(tmp_path / "c"))
    assert lesson.output_folder() == tmp_path / "c"
    assert (tmp_path / "c").is_dir()


# --- other readers ------------------------------------------------------------------------------------------


@pytest.mark.interop
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_other_implementations_read_ours_and_we_read_theirs(tmp_path, zarr_format):
    pytest.importorskip("zarr")
    pytest.importorskip("tensorstore")
    values = np.arange(35, dtype="float32").reshape(5, 7)
    group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w", zarr_format=zarr_format)
    group.create_array("x", data=values, chunks=(2, 3))
    report = readers.interop_check(tmp_path / "g.zarr", path="x")
    assert [reading.equal for reading in report.readings] == [True, True]
    assert readers.interop_from_others(tmp_path / "others", values, (2, 3), zarr_format).all_equal


@pytest.mark.interop
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_xarray_reads_an_array_in_a_group_by_its_name(tmp_path, zarr_format):
    pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w", zarr_format=zarr_format)
    named = {"dimension_names": ("t",)} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": ["t"]}}
    group.create_array("x", data=np.arange(5), chunks=(2,), **named)
    assert readers.interop_check(tmp_path / "g.zarr", path="x", readers=["xarray"]).all_equal


@pytest.mark.interop
def test_one_bit_of_difference_is_not_equal(tmp_path):
    pytest.importorskip("zarr")
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.array([0.0, 1.0]), chunks=(1,))
    report = readers.interop_check(tmp_path / "a.zarr", expected=np.array([-0.0, 1.0]), readers=["zarr-python"])
    assert report.differing == ["zarr-python"]
    assert not report.all_equal
    assert str(report).splitlines()[1].endswith("NO")


def test_a_reader_that_is_not_installed_is_a_row_and_no_success(tmp_path, monkeypatch):
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.arange(3), chunks=(3,))
    monkeypatch.setitem(readers.READERS, "another", ("no-such-distribution", None))
    report = readers.interop_check(tmp_path / "a.zarr", readers=["another"])
    assert "SKIPPED (not installed)" in str(report)
    assert 'pip install "tutorial_zarr[interop]"' in str(report)
    assert report.differing == []
    assert not report.all_equal


def test_an_unknown_reader_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected readers among zarr-python, tensorstore, xarray, got gdal"):
        readers.interop_check(tmp_path, readers=["gdal"])


def test_no_module_of_the_gallery_names_a_path_of_a_machine():
    files = [*Path(gallery.__file__).parent.rglob("*.py"), *(ROOT / "data_gen").rglob("*.py")]
    assert [file.name for file in files if contract.ABSOLUTE.search(file.read_text(encoding="utf-8"))] == []
