"""The pages to look things up; what is made of the whole site; how a site is checked and served. Without a browser."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from dataclasses import replace

import pytest

from tutorial_zarr.gallery import glossary
from tutorial_zarr.gallery.catalogue import CLONE, GalleryError, list_notebooks
from tutorial_zarr.gallery.site import annotated, build, check, extras, pages, reference, serve

for module in ("jinja2", "markdown_it", "pygments"):
    pytest.importorskip(module, reason="the pages of the gallery need the extra site")

ADDRESS = "https://example.org/z"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of two lessons at an address."""
    out = tmp_path_factory.mktemp("site") / "site"
    build(out, ["01_01", "01_02"], base_url=ADDRESS)
    return out


def text_of(site, name):
    return (site / name).read_text(encoding="utf-8")


# --- tiny.py, line by line


@pytest.fixture
def notes():
    return annotated.NOTES.read_text(encoding="utf-8")


@pytest.fixture
def program():
    return annotated.PROGRAM.read_text(encoding="utf-8")


def test_every_line_of_tiny_has_its_note_and_every_note_its_line(notes, program):
    lines = program.splitlines()
    shown = {
        note.first + n: annotated.plain(line)
        for section in annotated.sections(notes, program)
        for note in section.notes
        for n, (_, line) in enumerate(note.lines)
    }
    assert {n for n, line in enumerate(lines, 1) if line.strip()} <= shown.keys()
    assert {n: " ".join(lines[n - 1].split()) for n in shown}.keys() == shown.keys()
    code = {n: "".join(lines[n - 1].split()) for n in shown}
    assert {n: "".join(text.split()) for n, text in shown.items()} == code
    assert (
        min(
            len(annotated.plain(note.text).split())
            for each in annotated.sections(notes, program)
            for note in each.notes
        )
        >= 8
    )


def test_the_notes_are_refused_when_the_program_has_moved_on(notes, program):
    lines = program.splitlines(keepends=True)
    for n in range(0, len(lines), 9):
        if lines[n].strip():
            with pytest.raises(GalleryError, match=r"tiny\.md: expected (the line|a note)"):
                annotated.sections(notes, "".join([*lines[:n], *lines[n + 1 :]]))
    with pytest.raises(GalleryError, match=r"a note on the line 'x = 1' of tiny\.py, found none"):
        annotated.sections(notes, program + "x = 1\n")
    with pytest.raises(GalleryError, match="found its end"):
        annotated.sections(notes + "\n```python\nx = 1\n```\n\nMore.\n", program)
    with pytest.raises(GalleryError, match=rf"a note below line {len(lines)} of tiny\.py, found none"):
        annotated.sections(notes.rpartition("```\n")[0] + "```\n", program)


def test_the_page_of_tiny_has_each_line_by_its_number_and_the_file(site, program):
    page = text_of(site, "tiny.html")
    assert all(f'id="L{n}"' in page for n, line in enumerate(program.splitlines(), 1) if line.strip())
    assert (site / "downloads" / "tiny.py").read_text(encoding="utf-8") == program
    assert page.count("first.zarr/c/") == 4


# --- the other pages


def test_the_glossary_has_the_anchors_of_the_file_and_links_to_lessons_that_are_here_only(site):
    found = glossary.Glossary(list_notebooks())
    page = text_of(site, "glossary.html")
    assert all(f'<dt id="{name}">' in page for name in found.terms)
    assert page.count("<dt id=") == len(found.terms) > 100
    assert 'href="lessons/01_01.html"' in page
    assert "lessons/01_03.html" not in page
    assert "01_03" in page


def test_who_reads_what_counts_what_the_matrix_says(site):
    matrix = reference.lint.stored_matrix()
    page = text_of(site, "implementations.html")
    for name, marks in matrix.marks.items():
        if name != reference.OURS:
            assert f'<td class="number">{sum(m in "=~" for m in marks):,}</td>' in page
            assert matrix.data["peers"][name]["title"] in page
    categories = {element.partition(":")[0] for element in matrix.data["elements"]}
    assert categories == {category for group in reference.ELEMENTS.values() for category in group}


@pytest.mark.parametrize(
    ("reader", "element", "word"),
    [
        ("gdal", "layout:sharded", "no"),
        ("zarr-python", "codec:gzip", "yes"),
        ("zarr-python", "layout:sharded", "yes"),
        ("zarr-python", "type:r*", "some"),
        ("tensorstore", "codec:numcodecs.pcodec", "no"),
    ],
)
def test_a_cell_says_what_the_portability_lint_says(reader, element, word):
    matrix = reference.lint.stored_matrix()
    found, numbers = reference._cell(matrix, reader, element, reference._blamed(matrix, reader))
    assert found == word
    assert bool(matrix.reads(reader, [element])) == (word != "no")
    assert numbers.endswith("read")


def test_each_finding_has_its_parts(site):
    scripts = sorted(reference.FINDINGS.glob("*.sh"))
    assert len(scripts) > 10
    for path in scripts:
        found = reference._finding(path.stem, path.read_text(encoding="utf-8"))
        assert {"Versions", "Input", "Seen", "Why it matters"} <= found["parts"].keys(), path.name
        assert found["title"], path.name
        assert f'id="{found["anchor"]}"' in text_of(site, "findings.html")


def test_the_plan_and_the_workshop_show_every_row(site):
    plan = text_of(site, "plan.html")
    assert plan.count("<tr>") == 40 + 13 + 2
    assert 'href="lessons/01_02.html"' in plan
    for name in ("90-minutes", "half-day", "day"):
        assert f'id="{name}"' in text_of(site, "workshop.html")


# --- what is made of everything


def test_the_zip_file_has_all_and_links_in_it_hold(site):
    with zipfile.ZipFile(io.BytesIO((site / "all.zip").read_bytes())) as file:
        names = file.namelist()
        assert file.testzip() is None
    top = "tutorial_zarr_gallery"
    for lesson in ("01_01_first_zarr_array", "01_02_chunking_is_the_index"):
        assert f"{top}/notebooks/01_core_zarr/{lesson}.ipynb" in names
        assert f"{top}/notebooks/01_core_zarr/{lesson}.py" in names
    assert f"{top}/articles/01_first_zarr_array.md" in names
    assert f"{top}/notebooks/GLOSSARY.md" in names
    assert any(name.startswith(f"{top}/articles/") and name.endswith(".svg") for name in names)
    assert len(set(names)) == len(names)
    assert not [name for name in names if ".." in name or name.startswith("/")]


def test_the_map_of_the_site_is_for_a_known_address_only(site, tmp_path):
    found = text_of(site, "sitemap.xml")
    assert f"<loc>{ADDRESS}/lessons/01_01.html</loc>" in found
    assert "404" not in found
    assert f'href="{ADDRESS}/static/site.css"' in text_of(site, "404.html")
    build(tmp_path / "site", ["01_01"])
    assert not (tmp_path / "site" / "sitemap.xml").exists()
    assert 'href="static/site.css"' in text_of(tmp_path / "site", "404.html")


# --- what is wrong with a lesson or a link, before anything is written


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"^# .+$", "expected a title in its head"),
        (r"\*\*Question\.\*\*.*", "expected a question in its head"),
        (r"^\|.*Level.*$", "expected a level in its head"),
        (r"^\|.*Time.*$", "expected a time in its head"),
        (r"^\|.*Needs.*$", "expected what it needs in its head"),
        (r"!\[", "expected a picture in its head"),
    ],
)
def test_a_lesson_without_a_part_of_its_head_is_refused_in_one_sentence(tmp_path, monkeypatch, pattern, said):
    lessons = [
        replace(each, head=re.sub(pattern, "", each.head, flags=re.M)) if each.id == "01_02" else each
        for each in list_notebooks()
    ]
    monkeypatch.setattr(pages, "list_notebooks", lambda: lessons)
    monkeypatch.setattr(pages, "select", lambda ids: [each for each in lessons if each.id in ids])
    with pytest.raises(GalleryError, match=rf"^gallery site: lesson 01_02: {said}, found none$"):
        build(tmp_path / "site", ["01_02"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ['<a href="gone.html">x</a>', '<a href="#gone">x</a>', '<img src="index.html">'])
def test_a_page_that_would_have_a_problem_is_not_written_and_the_earlier_site_stays(tmp_path, monkeypatch, bad):
    made = list(extras.pages(pages.Site.of(["00_00"])))
    extra = pages.Page("extra.html", "Extra", "Extra.", "text.html", {"inside": bad})
    monkeypatch.setattr(extras, "pages", lambda site: [*made, extra])
    out = tmp_path / "site"
    out.mkdir()
    (out / ".tutorial-zarr-site").write_bytes(b"")
    (out / "earlier.html").write_text("earlier")
    with pytest.raises(GalleryError, match=r"^gallery site: extra\.html: expected .*found none; nothing was written$"):
        build(out, ["00_00"])
    assert sorted(path.name for path in out.iterdir()) == [".tutorial-zarr-site", "earlier.html"]
    assert list(tmp_path.iterdir()) == [out]


def test_a_lesson_that_links_to_a_file_that_is_not_there_is_named():
    site = pages.Site.of(["01_01"])
    [lesson] = site.notebooks
    with pytest.raises(GalleryError, match=r"01_01_first_zarr_array\.py: expected a file at '\.\./gone\.md#x'"):
        site.link(lesson.path, "../gone.md#x", "lessons/01_01.html")
    assert site.link(lesson.path, "../../tutorial_zarr/DESIGN.md", "lessons/01_01.html") is None  # no repo_url
    assert site.link(lesson.path, "../GLOSSARY.md#chunk", "lessons/01_01.html") == "../glossary.html#chunk"


def test_the_same_site_has_the_same_bytes(site, tmp_path):
    build(tmp_path / "again", ["01_01", "01_02"], base_url=ADDRESS)
    found = {
        root: {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (site, tmp_path / "again")
    }
    assert found[site] == found[tmp_path / "again"]


# --- gallery check --site


def test_the_site_that_is_built_has_no_problems(site):
    assert check.problems(site) == []


PAGE = '<!DOCTYPE html><html lang="en"><head><title>{title}</title>{head}</head><body>{body}</body></html>'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<a href="gone.html">x</a>', "a page at 'gone.html', found none"),
        ('<a href="two.html#gone">x</a>', "the anchor 'gone' on the page two.html"),
        ('<a href="#gone">x</a>', "the anchor 'gone' on the page index.html"),
        ('<a href="../outside.html">x</a>', "a page at '../outside.html', found none"),
        ('<a href="/two.html">x</a>', "relative to the page, found '/two.html'"),
        ('<a href="javascript:alert(1)">x</a>', "a link to a page"),
        ('<a href="file:///etc/hosts">x</a>', "a link to a page"),
        ('<img src="a.svg" alt=" ">', "words for the picture 'a.svg'"),
        ('<img src="a.svg">', "words for the picture 'a.svg'"),
        ('<img src="b.svg" alt="A curve.">', "a file at 'b.svg', found none"),
        ('<img src="//cdn.example/a.svg" alt="A curve.">', "nothing from another host, found '//cdn.example/a.svg'"),
        ('<img src="a.svg" srcset="a.svg 1x, https://x.example/a.svg 2x" alt="A curve.">', "another host"),
        ('<script src="https://cdn.example/a.js"></script>', "nothing from another host"),
        ('<link rel="stylesheet" href="https://cdn.example/a.css">', "nothing from another host"),
        ("<style>@import 'https://cdn.example/a.css';</style>", "nothing from another host"),
        ('<p style="background: url(https://cdn.example/a.png)">x</p>', "nothing from another host"),
        ('<svg><image href="https://cdn.example/a.png"/></svg>', "nothing from another host"),
        ('<p id="a"></p><p id="a"></p>', "the anchor 'a' once, found it 2 times"),
    ],
)
def test_what_is_wrong_with_a_page_is_one_sentence(tmp_path, run, body, said):
    (tmp_path / "two.html").write_text(PAGE.format(title="Two", head="", body='<p id="there"></p>'))
    (tmp_path / "a.svg").write_text("<svg/>")
    good = (
        '<a href="two.html#there">x</a><a href="https://example.org/">x</a><img src="a.svg" alt="A curve.">'
        '<a href="#top">x</a><a href="two.html?q=1#there">x</a><link rel="canonical" href="https://example.org/">'
    )
    (tmp_path / "index.html").write_text(PAGE.format(title="One", head="", body=good))
    assert check.problems(tmp_path) == []
    (tmp_path / "index.html").write_text(PAGE.format(title="One", head="", body=good + body))
    [problem] = check.problems(tmp_path)
    assert problem["where"] == "index.html"
    assert said in problem["problem"]
    code, out, _ = run("gallery", "check", "--site", tmp_path, "--json")
    assert code == 1
    assert '"where": "index.html"' in out


def test_titles_are_unique_and_styles_load_nothing_from_elsewhere(tmp_path):
    for name in ("index.html", "two.html"):
        (tmp_path / name).write_text(PAGE.format(title="One", head="", body=""))
    (tmp_path / "a.css").write_text("@import url(https://cdn.example/b.css); p { background: url('gone.png') }")
    said = [f"{each['where']}: {each['problem']}" for each in check.problems(tmp_path)]
    assert len(said) == 3
    assert "two.html: expected a title of its own, found 'One', which index.html has as well" in said
    assert any("nothing from another host, found 'https://cdn.example/b.css'" in each for each in said)
    assert any("a file at 'gone.png'" in each for each in said)


@pytest.mark.parametrize("command", [["check", "--site"], ["serve"]])
def test_a_folder_that_is_no_site_is_refused_with_what_to_try(run, tmp_path, command):
    code, out, err = run("gallery", *command, tmp_path)
    assert (code, out) == (1, "")
    assert "expected a site, with index.html" in err
    assert err.count("\n") == 1


def test_notebooks_and_a_site_are_not_checked_in_one_go(run, tmp_path):
    code, _, err = run("gallery", "check", "01_01", "--site", tmp_path)
    assert code == 1
    assert "expected --site alone" in err


# --- gallery serve


@pytest.fixture
def served(tmp_path):
    """A server of a small site in a folder beside which a secret lies."""
    root = tmp_path / "site"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    for name, text in {
        "index.html": "first",
        "404.html": '<head><link href="static/x.css"></head><body data-root=".">none',
        "sub/a.txt": "a",
        **{f"x{suffix}": "x" for suffix in serve.TYPES},
    }.items():
        (root / name).write_text(text)
    try:
        (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    except OSError:
        pass  # Windows lets few make links
    with serve.serving(root) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield serve.url(server)
        server.shutdown()


def ask(url, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_a_server_gives_each_file_its_type_and_lists_no_folder(served):
    assert served.startswith("http://127.0.0.1:")
    assert ask(served)[2] == b"first"
    for suffix, wanted in serve.TYPES.items():
        status, headers, _ = ask(f"{served}x{suffix}")
        assert (status, headers["Content-Type"]) == (200, wanted)
    assert ask(f"{served}sub/a.txt")[0] == 200
    assert ask(f"{served}sub/")[0] == 404


def test_a_server_gives_nothing_from_outside_of_its_folder(served):
    for path in ("../secret.txt", "%2e%2e/secret.txt", "sub/../../secret.txt", "out.txt", "..%5csecret.txt"):
        status, _, data = ask(served + path)
        assert status == 404
        assert b"secret" not in data


def test_a_page_that_is_not_there_is_told_at_any_depth(served):
    status, headers, data = ask(f"{served}a/b/c.html")
    assert status == 404
    assert headers["Content-Type"].startswith("text/html")
    assert b'href="/static/x.css"' in data
    assert b'data-root="/."' in data
    assert ask(f"{served}a", "HEAD")[2] == b""
    assert ask(served, "POST")[0] == 501


def test_a_port_that_is_taken_is_said(served, site):
    port = int(served.rstrip("/").rpartition(":")[2])
    with (
        pytest.raises(GalleryError, match=rf"expected the free port {port} .* try --port 0"),
        serve.serving(site, port),
    ):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to another process")
def test_the_command_serves_until_ctrl_c(site):
    command = [sys.executable, "-m", "tutorial_zarr", "gallery", "serve", str(site), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(CLONE)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=CLONE
    ) as process:
        try:
            said = ""
            while not said.endswith("}\n"):
                line = process.stdout.readline()
                assert line, process.stderr.read()
                said += line
            url = json.loads(said)["url"]
            assert ask(f"{url}glossary.html")[0] == 200
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == ""
    assert "the site is served no more" in err
    assert err.count("\n") == 1
