"""`gallery run --as-browser`: what is absent there is absent, and the lessons that run there go on running."""

import csv
import json

import pytest

from tutorial_zarr import cli, gallery
from tutorial_zarr.gallery import as_browser, runner
from tutorial_zarr.gallery.catalogue import BROWSER, in_browser

LESSONS = gallery.list_notebooks()
HEAD = """# %% [markdown]
# # A lesson
#
# **Question.** What is missing?

# %% tags=["parameters"]
seed, quick, workers, out_dir, zarr_format = 0, True, 1, None, 3

# %%
from tutorial_zarr.gallery.lesson import output_folder, save_facts

out = output_folder(out_dir)

# %%
"""
MISSING = """
import importlib.metadata, importlib.util, os, socket, subprocess, sys, threading

def refused(act, *arguments):
    try:
        act(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "it works"

facts = {
    "platform": sys.platform,
    "thread": refused(threading.Thread(target=print).start),
    "process": refused(subprocess.run, [sys.executable, "-V"]),
    "fork": refused(os.fork) if hasattr(os, "fork") else None,
    "socket": refused(socket.create_connection, ("127.0.0.1", 9)),
    "imported": [name for name in ("numcodecs", "google_crc32c", "zarr", "lzma", "pytest", "fcntl")
                 if importlib.util.find_spec(name) or name in sys.modules],
    "metadata": refused(importlib.metadata.version, "numcodecs"),
    "numpy": importlib.metadata.version("numpy"),
    "quick": quick,
}
"""
SHOWN = """
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
save_facts(out, facts)
facts["platform"]
"""


def lesson(folder, *cells):
    (folder / "01_part").mkdir(parents=True)
    path = folder / "01_part" / "01_01_small.py"
    path.write_text(HEAD + "\n\n# %%\n".join(cells) + "\n", encoding="utf-8")
    return folder


def test_the_table_has_a_row_for_each_lesson_and_a_reason_for_each_that_does_not_run():
    rows = in_browser()
    assert list(rows) == [notebook.id for notebook in LESSONS], "try: tutorial-zarr gallery run ID --as-browser --note"
    assert {row["runs"] for row in rows.values()} == {"yes", "no"}
    assert [name for name, row in rows.items() if (row["runs"] == "no") != bool(row["why"])] == []
    assert sum(notebook.browser for notebook in LESSONS) >= 30


@pytest.mark.gallery
@pytest.mark.slow
@pytest.mark.parametrize("notebook", [n for n in LESSONS if n.browser], ids=lambda notebook: notebook.id)
def test_a_lesson_that_ran_in_a_browser_still_does(notebook):
    pytest.importorskip("IPython")
    [result] = gallery.run([notebook.id], as_browser=True)
    assert result["status"] == "ok", f"code cell {result['failed_cell']}: {result['error']}"


@pytest.mark.gallery
def test_what_a_browser_lacks_is_absent(tmp_path):
    pytest.importorskip("matplotlib")
    folder = lesson(tmp_path / "notebooks", MISSING, SHOWN)
    [result] = gallery.run(as_browser=True, folder=folder, out_dir=tmp_path / "out", parameters={"quick": False})
    facts = result["facts"]
    assert (result["status"], result["error"], facts.pop("numpy")[0]) == ("ok", None, "2")
    assert facts.pop("fork") in (None, "OSError: [Errno 95] a browser does not support processes")
    assert facts == {
        "platform": "emscripten",
        "thread": "RuntimeError: can't start new thread",
        "process": facts["process"],
        "socket": facts["socket"],
        "imported": [],
        "metadata": "PackageNotFoundError: No package metadata was found for numcodecs",
        "quick": False,
    }
    assert "not support processes" in facts["process"]
    assert "a browser has no sockets" in facts["socket"]
    last = json.loads((tmp_path / "out/01_01/01_01_small.ipynb").read_text(encoding="utf-8"))["cells"][-1]
    assert sorted(last["outputs"][0]["data"]) == ["image/png", "text/plain"]
    assert last["outputs"][-1]["data"]["text/plain"] == ["'emscripten'"]


POOL = """
import threading
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(3) as pool:
    found = list(pool.map(lambda n: (n, threading.get_ident()), range(4)))
    broken = pool.submit(lambda: 1 / 0)
assert [n for n, _ in found] == [0, 1, 2, 3]
assert {thread for _, thread in found} == {threading.get_ident()}
assert isinstance(broken.exception(), ZeroDivisionError)
save_facts(out, {"done": len(found)})
"""


@pytest.mark.gallery
def test_a_pool_of_a_lesson_works_one_after_the_other_and_says_so(tmp_path):
    folder = lesson(tmp_path / "notebooks", POOL)
    [result] = gallery.run(as_browser=True, folder=folder, out_dir=tmp_path / "out")
    assert (result["status"], result["facts"]) == ("ok", {"done": 4}), result["error"]
    text = (tmp_path / "out/01_01/01_01_small.ipynb").read_text(encoding="utf-8")
    assert text.count("A browser has no threads: what is given to a pool is done one after the other.") == 1


@pytest.mark.gallery
def test_a_lesson_that_fails_there_names_its_cell_and_one_that_waits_ends(tmp_path, monkeypatch):
    folder = lesson(tmp_path / "a", "import numcodecs")
    [result] = gallery.run(as_browser=True, folder=folder)
    assert (result["status"], result["failed_cell"]) == ("failed", {"number": 3, "source": "import numcodecs"})
    assert result["error"].startswith("ModuleNotFoundError: No module named 'numcodecs'; try: ")
    monkeypatch.setattr(runner, "BROWSER_LIMIT", 6)
    folder = lesson(tmp_path / "b", "import threading\nthreading.Event().wait()")
    [result] = gallery.run(as_browser=True, folder=folder)
    assert (result["status"], result["error"]) == ("failed", "it was not done after 6 seconds")


def test_the_table_keeps_its_other_rows(tmp_path):
    table = tmp_path / "browser.csv"
    table.write_text('id,runs,why\n01_02,no,"old, and wrong"\n09_09,yes,\n', encoding="utf-8")
    cell = {"number": 4, "source": "import zarr"}
    as_browser.note(
        [
            {"id": "01_02", "status": "ok", "error": None, "failed_cell": None},
            {"id": "01_01", "status": "failed", "error": "E: no zarr; try: pip install zarr", "failed_cell": cell},
            {"id": "01_03", "status": "failed", "error": "AssertionError:", "failed_cell": cell},
        ],
        table,
    )
    with table.open(encoding="utf-8", newline="") as file:
        rows = [(row["id"], row["runs"], row["why"]) for row in csv.DictReader(file)]
    assert rows == [
        ("01_01", "no", "in cell 4, E: no zarr"),
        ("01_02", "yes", ""),
        ("01_03", "no", "in cell 4, a check of the lesson finds another number than on a computer"),
        ("09_09", "yes", ""),
    ]


def test_note_alone_is_refused_and_changes_nothing(capsys):
    before = BROWSER.read_bytes()
    assert cli.main(["gallery", "run", "01_01", "--note"]) == 1
    assert "expected --as-browser with --note, found --note alone" in capsys.readouterr().err
    assert BROWSER.read_bytes() == before
