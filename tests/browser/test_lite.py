"""Lessons that run in the reader's browser, and the page on which two programs share one store.

What needs a browser also needs JupyterLite (the extra lite) and a Pyodide distribution, whose folder or archive the
variable `TUTORIAL_ZARR_PYODIDE` names: there is none that a test could bring. All else runs without them.
"""

import functools
import hashlib
import html
import http.server
import importlib.metadata
import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from tests.browser.conftest import note, origin
from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery.catalogue import GalleryError, list_notebooks, select
from tutorial_zarr.gallery.site import lite, live
from tutorial_zarr.gallery.site.pages import Site

pytest.importorskip("jinja2", reason="the site needs the extra site; jinja2 is not installed")
GIVEN = os.environ.get("TUTORIAL_ZARR_PYODIDE", "")
LONG = 300_000  # milliseconds: to begin a kernel, or to run a lesson, on a machine that has other work to do
# Of most parts one or two that are quick.
RUN = ("00_00", "01_01", "01_02", "01_04", "01_07", "02_01", "04_01", "04_02", "05_03", "06_01", "07_01", "09_02")


@pytest.fixture
def kernel(monkeypatch):
    """As if JupyterLite were here, and did nothing."""
    found = lite.Kernel(Path("nowhere"), "0.6.1", "0.27.6")
    monkeypatch.setattr(lite, "_kernel", lambda: found)
    monkeypatch.setattr(lite, "_jupyter_lite", lambda *args, **options: None)
    monkeypatch.setattr(lite, "_contents", lambda *args: None)
    return found


@pytest.fixture
def pyodide(tmp_path):
    """A folder that looks like Pyodide, with all that a lesson needs and one package that none needs."""
    folder = tmp_path / "given" / "pyodide"
    folder.mkdir(parents=True)
    packages = {}
    for name in (*lite.ALWAYS, "libopenblas", "scikit_learn"):
        depends = ["libopenblas"] if name == "numpy" else []
        packages[name] = {"name": name, "version": "1", "file_name": f"{name}-1.whl", "imports": [], "depends": depends}
        (folder / f"{name}-1.whl").write_bytes(name.encode())
    for name in ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
        (folder / name).write_bytes(name.encode())
    (folder / lite.LOCK).write_text(json.dumps({"info": {"version": "0.27.7"}, "packages": packages}), encoding="utf-8")
    return folder


def built(out, path):
    """What is built without JupyterLite: the files beside Pyodide's, and its list of packages."""
    out.mkdir()
    lite.build_lite(out, str(path), [])
    folder = out / lite.PYODIDE
    return folder, json.loads((folder / lite.LOCK).read_text(encoding="utf-8"))["packages"]


needs_packed = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in lite.PACKED), reason="comm and xarray are not installed"
)


@needs_packed
def test_the_list_of_packages_has_what_lessons_need_and_this_library(tmp_path, pyodide, kernel):
    folder, packages = built(tmp_path / "a", pyodide)
    assert set(packages) == {*lite.ALWAYS, "libopenblas", "tutorial-zarr", *lite.PACKED}
    own = packages["tutorial-zarr"]
    assert own["imports"] == ["tutorial_zarr", "data_gen"]
    assert own["depends"] == ["numpy", "matplotlib"]
    for entry in packages.values():
        assert (folder / entry["file_name"]).is_file()
    for entry in (own, *(packages[name] for name in lite.PACKED)):
        assert entry["sha256"] == hashlib.sha256((folder / entry["file_name"]).read_bytes()).hexdigest()
    assert not (folder / "scikit_learn-1.whl").exists()
    assert lite.wheel_path() == f"{lite.PYODIDE}/{own['file_name']}"


@needs_packed
def test_the_wheel_for_the_browser_asks_for_nothing_that_a_browser_lacks(tmp_path, pyodide, kernel):
    folder, packages = built(tmp_path / "a", pyodide)
    with zipfile.ZipFile(folder / packages["tutorial-zarr"]["file_name"]) as wheel:
        names = wheel.namelist()
        info = f"tutorial_zarr-{importlib.metadata.version('tutorial_zarr')}.dist-info"
        lines = wheel.read(f"{info}/METADATA").decode().splitlines()
        assert "xarray.backends" in wheel.read(f"{info}/entry_points.txt").decode()
        record = wheel.read(f"{info}/RECORD").decode().splitlines()
    asked = [line for line in lines if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert [line.split()[1].partition(">")[0] for line in asked] == ["numpy"]
    assert sorted(row.partition(",")[0] for row in record) == sorted(names)
    assert {"tutorial_zarr/api.py", "tutorial_zarr/gallery/lesson.py", "data_gen/__init__.py"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tutorial_zarr/gallery/site/")]


@needs_packed
def test_the_same_bytes_twice_from_a_folder_and_from_an_archive(tmp_path, pyodide, kernel):
    archive = tmp_path / "pyodide.whl"
    with zipfile.ZipFile(archive, "w") as file:
        for path in pyodide.iterdir():
            file.write(path, f"some/assets/{path.name}")
    one, two = (built(tmp_path / name, path)[0] for name, path in (("a", pyodide), ("b", archive)))
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {
        path.name: path.read_bytes() for path in two.iterdir()
    }


def spoiled_lock(folder, change):
    lock = json.loads((folder / lite.LOCK).read_text(encoding="utf-8"))
    change(lock)
    (folder / lite.LOCK).write_text(json.dumps(lock), encoding="utf-8")


SPOILED = {
    "nothing there": (lambda folder: folder.rename(folder.with_name("away")), "found nothing at that path"),
    "no list": (lambda folder: (folder / lite.LOCK).unlink(), "found no pyodide-lock.json in it"),
    "no JSON": (lambda folder: (folder / lite.LOCK).write_bytes(b"\xff{"), "expected a list of packages"),
    "a list": (lambda folder: (folder / lite.LOCK).write_text("[]"), "expected a list of packages"),
    "numbers": (lambda f: spoiled_lock(f, lambda lock: lock.update(packages={"a": 1})), "expected a list of packages"),
    "another version": (
        lambda folder: spoiled_lock(folder, lambda lock: lock["info"].update(version="314.0.7")),
        r'found Pyodide 314.0.7; nothing was built; try python -m pip install "jupyterlite-pyodide-kernel==0.8.\*"',
    ),
    "a version to come": (
        lambda folder: spoiled_lock(folder, lambda lock: lock["info"].update(version="999.1")),
        "found Pyodide 999.1; nothing was built; try that version of Pyodide",
    ),
    "no numpy": (
        lambda folder: spoiled_lock(folder, lambda lock: lock["packages"].pop("numpy")),
        "expected the package numpy in it",
    ),
    "a file is missing": (
        lambda folder: (folder / "numpy-1.whl").unlink(),
        "expected the file numpy-1.whl in its folder",
    ),
    "no Python": (lambda folder: (folder / "python_stdlib.zip").unlink(), "expected the file python_stdlib.zip"),
    "a way out": (
        lambda folder: spoiled_lock(folder, lambda lock: lock["packages"]["jedi"].update(file_name="../../secret")),
        "expected the file secret in its folder, found none there",
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_is_no_pyodide_is_told_in_one_sentence(tmp_path, pyodide, kernel, spoiled):
    act, words = SPOILED[spoiled]
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "given" / "secret").write_bytes(b"secret")
    act(pyodide)
    with pytest.raises(GalleryError, match=words) as raised:
        lite.build_lite(tmp_path / "out", str(pyodide), [])
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "out").rglob("*secret*"))


def test_a_file_that_is_no_archive_is_told(tmp_path, kernel):
    (tmp_path / "pyodide.tar.bz2").write_bytes(b"no archive")
    with pytest.raises(GalleryError, match=r"found a file that cannot be unpacked \(.*\); nothing was built"):
        lite.build_lite(tmp_path, str(tmp_path / "pyodide.tar.bz2"), [])


def test_the_public_host_needs_a_kernel_that_finds_packages_beside_its_list(tmp_path, kernel):
    with pytest.raises(GalleryError, match=r"--lite cdn: expected a kernel of version 0.7 or newer, found 0.6.1"):
        lite.build_lite(tmp_path, "cdn", [])


@needs_packed
def test_the_public_host_is_asked_for_its_list_alone_and_named_for_the_rest(tmp_path, pyodide, kernel, monkeypatch):
    newer = lite.Kernel(Path("nowhere"), "0.8.6", "314.0.6")
    monkeypatch.setattr(lite, "_kernel", lambda: newer)
    spoiled_lock(pyodide, lambda lock: lock["info"].update(version="314.0.6"))
    asked = []

    class Host(http.server.SimpleHTTPRequestHandler):
        def log_message(self, form, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=pyodide)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(lite, "CDN", host)
        folder, packages = built(tmp_path / "a", "cdn")
        server.shutdown()
    assert asked == ["/pyodide-lock.json"]
    own = {"tutorial-zarr", *lite.PACKED}
    assert {entry["file_name"].rpartition("/")[0] for name, entry in packages.items() if name not in own} == {host}
    assert {path.name for path in folder.iterdir()} == {lite.LOCK, *(packages[name]["file_name"] for name in own)}
    monkeypatch.setattr(lite, "CDN", "http://127.0.0.1:9")
    with pytest.raises(GalleryError, match=r"expected an answer from http://127.0.0.1:9/pyodide-lock.json, found none"):
        lite.build_lite(tmp_path, "cdn", [])


def test_without_jupyterlite_the_extra_is_named(tmp_path):
    if importlib.util.find_spec("jupyterlite_core") is not None:
        pytest.skip("JupyterLite is installed here")
    with pytest.raises(MissingDependencyError, match=r'try: python -m pip install "tutorial_zarr\[lite\]"'):
        lite.build_lite(tmp_path, "cdn", [])
    lite.build_lite(tmp_path / "none", "none", list_notebooks())
    assert not (tmp_path / "none").exists()


def test_the_library_begins_where_a_kernel_has_put_empty_modules(tmp_path):
    """JupyterLite's kernel does so for those that a browser lacks."""
    lines = [
        "import sys, types",
        "sys.platform = 'emscripten'",
        "for name in ('fcntl', 'resource', 'termios', 'pexpect'): sys.modules[name] = types.ModuleType(name)",
        "import numpy, tutorial_zarr as zarr",
        "a = zarr.create_array('a.zarr', data=numpy.arange(5), chunks=(2,))",
        "a.append(numpy.arange(3))",
        "a[1:4] = 7",
        "print(zarr.open_array('a.zarr')[...].tolist())",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[0, 7, 7, 7, 4, 0, 1, 2]\n", "")


def test_the_page_of_two_programs_is_there_with_a_pyodide_alone_and_shows_the_code_that_it_runs():
    assert list(live.pages(Site.of(["01_02"]))) == []
    [page] = live.pages(Site.of(["01_02"], lite="a/folder"))
    shown = html.unescape(re.sub("<[^>]+>", "", page.values["view"]))
    script = (live.STATIC / "browser.js").read_text(encoding="utf-8")
    assert len(shown.splitlines()) > 20
    assert {line.strip() for line in shown.splitlines()} <= {line.strip() for line in script.splitlines()}
    assert {"const view = {", "async function javascriptReads() {"} <= set(shown.splitlines())
    assert "create_array" in html.unescape(re.sub("<[^>]+>", "", page.values["code"]))
    assert page.values["pyodide"] == lite.PYODIDE


def test_what_python_does_on_the_page_is_right_by_itself():
    python = runpy.run_path(str(live.STATIC / "shared_store.py"))
    numbers = [[row * 6 + column for column in range(6)] for row in range(4)]
    for kind in python["KINDS"]:
        python["create"](kind)
        python["write"]((0, 4), (0, 6), json.dumps(numbers))
        assert json.loads(python["read"]()) == numbers
        chunks = [key for key in python["store"] if not key.endswith((".zarray", "zarr.json"))]
        assert len(chunks) == (1 if "shards" in kind else 4)


# --- in a browser


@pytest.fixture(scope="module")
def lite_site(tmp_path_factory):
    """The site of some lessons, with JupyterLite and Pyodide, served to this machine; its address."""
    for module in ("jupyterlite_core", "jupyterlite_pyodide_kernel", "jupyter_server"):
        pytest.importorskip(module, reason=f"{module} is not installed: try the extra lite")
    if not GIVEN:
        pytest.skip("TUTORIAL_ZARR_PYODIDE names no Pyodide distribution")
    from tutorial_zarr.gallery.site import build, serve

    out = tmp_path_factory.mktemp("lite") / "site"
    build(out, [each.id for each in select(RUN) if each.browser], lite=GIVEN)
    with serve.serving(out) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield serve.url(server)
        server.shutdown()


KERNEL_IS_IDLE = """() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"""
RUN_ALL = """() => window.jupyterapp.commands.execute('notebook:run-all-cells')"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets.filter(w => w.model.type === 'code').map(w => ({
    count: w.model.executionCount,
    errors: w.model.toJSON().outputs.filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`),
    empty: !w.model.sharedModel.getSource().trim()}))"""


@pytest.fixture(scope="module")
def tab(browser, lite_site):
    """One context for all lessons, as a reader has: what was fetched once is in its cache."""
    context = browser.new_context()
    context.set_default_timeout(LONG)
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    yield context
    assert {origin(address) for address in asked} <= {origin(lite_site), "data:", "blob:"}
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_a_lesson_runs_to_its_end_from_the_button_on_its_page(tab, lite_site, name):
    [notebook] = select([name])
    if not notebook.browser:
        pytest.skip(f"{name} does not run in a browser, says gallery/browser.csv")
    page = tab.new_page()
    page.goto(f"{lite_site}lessons/{name}.html")
    button = page.locator("a[href*='lite/notebooks/']").first
    assert button.evaluate("link => link.href") == lite_site + lite.lite_url(notebook)
    begun = time.monotonic()
    button.evaluate("link => link.removeAttribute('target')")  # it may open in a tab of its own
    button.click()
    page.wait_for_function(KERNEL_IS_IDLE)
    idle = time.monotonic()
    page.evaluate(RUN_ALL)
    print(f"{name}: ready after {idle - begun:.1f} s, run in {time.monotonic() - idle:.1f} s")
    cells = [cell for cell in page.evaluate(CELLS) if not cell["empty"]]
    assert [error for cell in cells for error in cell["errors"]] == []
    assert all(cell["count"] for cell in cells)
    assert len(cells) > 5
    page.close()


@pytest.mark.slow
def test_three_clicks_lead_from_the_first_page_to_a_changed_cell_that_ran(tab, lite_site):
    """The lesson, the button, the cell: then it is typed into and run as in any notebook, by the keys alone."""
    page, begun = tab.new_page(), time.monotonic()
    page.goto(lite_site)
    page.locator("a[href*='lessons/01_01']").first.click()
    button = page.locator("a[href*='lite/notebooks/']").first
    button.evaluate("link => link.removeAttribute('target')")
    button.click()
    page.wait_for_function(KERNEL_IS_IDLE)
    idle = time.monotonic()
    page.mouse.move(640, 400)
    code = page.locator(".jp-CodeCell .cm-content")
    while not code.count():  # the cells further down are drawn when they come into sight
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(300)
    code.first.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("import tutorial_zarr as zarr\nzarr.create_array({}, data=[[6, 7]])[0, 1] * 6")
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-CodeCell .jp-OutputArea-output", has_text="42").first.wait_for()
    print(f"from the first page to a kernel {idle - begun:.1f} s, to the answer {time.monotonic() - begun:.1f} s")
    page.close()


@pytest.mark.slow
def test_two_programs_share_one_store_in_a_tab(browser, lite_site):
    page = browser.new_page()
    page.set_default_timeout(LONG)
    noted = note(page)
    page.goto(f"{lite_site}browser.html")
    before = len(noted.asked)
    assert not [address for address in noted.asked if "pyodide" in address]  # nothing before the button
    page.click("#start")
    page.wait_for_function("() => /^(Ready|It does)/.test(document.getElementById('state').textContent)")
    assert page.inner_text("#state") == "Ready: Python and JavaScript share one store."
    rows = page.locator("#cells tbody tr")
    found = {}
    for at in range(rows.count()):
        cells = rows.nth(at).locator("td")
        found[rows.nth(at).locator("th").inner_text()] = [cells.nth(side).get_attribute("class") for side in (0, 1)]
    assert len(found) == 8
    assert {left for left, _ in found.values()} == {"ok"}
    refused = {name for name, (_, right) in found.items() if right == "refused"}
    assert refused == {"Zarr 2, zlib", "Zarr 3, gzip", "Zarr 3, in shards"}  # what zarrita.js says that it cannot write
    assert {right for name, (_, right) in found.items() if name not in refused} == {"ok"}
    for by, number in (("python", "7"), ("javascript", "-8")):
        page.select_option("#kind", "Zarr 3, transposed")
        page.fill("#number", number)
        page.click(f"button[value={by}]")
        page.wait_for_function("number => document.getElementById('said').textContent.includes(number)", arg=number)
        assert page.inner_text("#said") == f"Both read {number} there."
        for side in ("python", "javascript"):
            assert page.locator(f"#{side} td.new").inner_text() == number
        assert page.locator("#objects td.new").count() == 1  # one chunk, and no other object
    page.select_option("#kind", "Zarr 3, in shards")
    page.click("button[value=javascript]")
    page.wait_for_function("() => document.getElementById('said').textContent.startsWith('Nothing')")
    assert page.inner_text("#said") == "Nothing was written: Unsupported: set on sharded arrays."
    assert noted.complaints == []
    assert {origin(address) for address in noted.asked} <= {origin(lite_site), "data:", "blob:"}
    assert len(noted.asked) - before < 20
    page.close()
