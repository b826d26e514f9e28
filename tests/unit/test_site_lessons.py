"""A lesson's page: every cell of the notebook, folded where the reader is to find out first."""

import base64
import io
import json
import re
from html import unescape

import numpy as np
import pytest

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, list_notebooks, passport
from tutorial_zarr.gallery.site import build, figures, lessons
from tutorial_zarr.gallery.site.markup import highlighted
from tutorial_zarr.gallery.site.pages import Site
from tutorial_zarr.gallery.source import loads, tags
from tutorial_zarr.gallery.student import student_cells

for module in ("jinja2", "markdown_it", "pygments", "PIL"):
    pytest.importorskip(module)

IDS = ("01_02", "02_01")
NOTEBOOKS = {notebook.id: notebook for notebook in list_notebooks()}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("lessons") / "site"
    build(out, IDS)
    return out


@pytest.fixture(params=IDS)
def lesson(request, site):
    page = (site / f"lessons/{request.param}.html").read_text(encoding="utf-8")
    return NOTEBOOKS[request.param], cells_of(request.param), page


def cells_of(lesson):
    return loads(NOTEBOOKS[lesson].ipynb.read_text(encoding="utf-8"))["cells"]


def text_of(html):
    return unescape(re.sub(r"<[^>]+>", "", html))


def cell_on(page, cell):
    """The HTML from a cell's anchor to the next one's."""
    found = re.search(rf'id="cell-{cell["id"]}".*?(?=id="cell-|</article>)', page, re.DOTALL)
    assert found, cell["source"]
    return found[0]


def test_every_cell_has_an_anchor_and_its_code_word_by_word(lesson):
    _, cells, page = lesson
    anchors = re.findall(r'id="cell-([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    shown = {re.sub(r"\s+", " ", text_of(block)).strip() for block in re.findall(r"<code>.*?</code>", page, re.DOTALL)}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["id"] in anchors
            assert re.sub(r"\s+", " ", cell["source"]).strip() in shown
    missing = [cell for cell in cells if cell["id"] not in anchors]
    # The heading of the solutions has an anchor; the text below it is inside a fold.
    assert missing == []


def test_every_picture_is_a_file_with_the_words_of_its_chart_and_a_size(lesson, site):
    _, cells, page = lesson
    outputs = [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]
    alts = [" ".join(data["text/plain"].split()) for data in outputs if {"image/png", "image/svg+xml"} & data.keys()]
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) == len(alts) + 1  # the first figure stands at the head as well
    for image in images[1:]:
        assert unescape(re.search(r'alt="([^"]*)"', image)[1]) in alts
    for image in images:
        assert re.search(r' width="\d+" height="\d+"', image)
        assert re.search(r' class="(chart|picture)"', image)
        source = re.search(r' src="\.\./([^"]+)"', image)[1]
        assert (site / source).stat().st_size > 100
        assert "data:" not in image


def test_a_chart_keeps_every_pixel_in_fewer_bytes(site):
    from PIL import Image

    for cell in cells_of("01_02"):
        for at, output in enumerate(cell.get("outputs", [])):
            if png := output.get("data", {}).get("image/png"):
                data = base64.b64decode(png)
                file = site / f"figures/01_02-{cell['id']}{f'-{at}' if at else ''}.webp"
                was, now = (np.asarray(Image.open(source).convert("RGB")) for source in (io.BytesIO(data), file))
                assert np.array_equal(was, now)
                assert file.stat().st_size < len(data) / 1.5


def test_what_a_dark_page_may_turn_is_a_chart_and_no_photograph():
    page = np.full((100, 100, 3), 255, "uint8")
    page[50] = 0
    assert figures.is_chart(page)
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype="uint8")
    assert not figures.is_chart(noise)
    page[:60] = noise[:60]
    assert not figures.is_chart(page)
    assert not figures.is_chart(np.zeros((100, 100, 3), "uint8"))  # a brain on black


def test_a_guess_is_asked_for_before_its_answer_and_hidden_without_a_script(lesson):
    _, cells, page = lesson
    answers = [cell for cell in cells if "After your guess" in cell["source"] and "hide-output" in tags(cell)]
    assert len(answers) == 1
    html = cell_on(page, answers[0])
    assert '<details class="guess fold" data-guess="' in html
    assert "After your guess" not in html.partition("</pre>")[2]  # the box says it
    printed = answers[0]["outputs"][0]["text"].removeprefix("After your guess:\n").strip()
    assert printed in text_of(html)
    asking = [cell for cell in cells if lessons._asks(cell)]
    assert len(asking) == 2  # one for the answer, one that the lesson answers bit by bit
    assert '<div class="asks"' in cell_on(page, asking[0])
    assert '<div class="asks"' not in cell_on(page, asking[1])


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Before you go on, write down two guesses for squares.", True),
        ("How many? Write it down, run, and look.", True),
        ("**Guess:** an error, or an old value?", True),
        ("Before you go on, guess: how many requests?", True),
        ("**A second guess.** Guess again.", True),
        ("If you must drop, count it, write it down.", False),
        ("That was the first guess. For a row it is 4 KiB.", False),
        ("How hard is it to guess? That is its entropy.", False),
        ("It must not guess.", False),
        ("<details><summary>Hint</summary>Write it down.</details>", False),
    ],
)
def test_what_asks_for_a_guess_says_so(text, asks):
    assert lessons._asks({"cell_type": "markdown", "source": text, "metadata": {}}) is asks


def test_every_lesson_asks_for_a_guess_and_answers_it():
    for notebook in NOTEBOOKS.values():
        cells = cells_of(notebook.id)
        answers = [at for at, cell in enumerate(cells) if cell["cell_type"] == "code" and lessons._answers(cell)]
        assert answers or notebook.id == "00_00"
        assert not answers or any(map(lessons._asks, cells))


def test_solutions_are_folded_one_by_one_with_the_text_that_leads_to_them(lesson):
    notebook, cells, page = lesson
    folds = re.findall(r'<details class="solution fold" id="solution-([\d_.]+)">(.*?)\n</details>', page, re.DOTALL)
    solutions = [cell for cell in cells if "solution" in tags(cell)]
    assert [number for number, _ in folds] == [f"{notebook.id}.{n}" for n in range(1, len(solutions) + 1)]
    heading = next(cell for cell in cells if "section-solutions" in tags(cell))
    lead = heading["source"].partition("\n\n")[2]
    assert lead
    assert text_of(folds[0][1]).find(lead.split("\n")[0].split("`")[0]) > 0
    after = page.partition('<h2 id="solutions">')[2]
    assert "<p>" not in after.partition("<details")[0]
    for number, _ in folds:
        assert f'<a href="#solution-{number}">Solution</a>' in page


def test_what_only_draws_or_prepares_is_folded(lesson):
    _, cells, page = lesson
    for cell in cells:
        if tags(cell) & {"hide-input", "remove-cell"}:
            assert '<details class="fold"><summary>' in cell_on(page, cell)


def test_the_head_says_what_the_passport_says(lesson):
    notebook, _, page = lesson
    head = page.partition('<h2 id="parameters">')[0]
    for name, value in passport(notebook.head).items():
        assert f"<dt>{name}</dt>" in head
        assert re.sub(r"[\[`*]", "", value.partition("](")[0]).partition(",")[0] in text_of(head)
    assert notebook.title in text_of(head)
    assert "You will be able to" in head
    assert head.count("<li>") >= 3


def test_what_is_downloaded_is_the_notebook_the_students_and_the_source(lesson, site):
    notebook, _, page = lesson
    for path, data in (
        (lessons.solved_path(notebook), notebook.ipynb.read_bytes()),
        (lessons.source_path(notebook), notebook.path.read_bytes()),
    ):
        assert (site / path).read_bytes() == data
        assert f'href="../{path}" download' in page
    students = json.loads((site / lessons.student_path(notebook)).read_text(encoding="utf-8"))
    assert loads(json.dumps(students))["cells"] == student_cells(notebook)
    assert f'href="../{lessons.student_path(notebook)}" download' in page


def test_lessons_before_and_after_are_links_if_they_have_a_page(site):
    page = (site / "lessons/02_01.html").read_text(encoding="utf-8")
    before, after = (page.partition("Before this lesson")[2].partition("After this lesson")[at] for at in (0, 2))
    assert '<a href="01_02.html">01_02 ' in before
    assert "02_02" in after
    assert "02_02.html" not in after  # it has no page in this site


def test_headings_of_the_same_words_have_anchors_of_their_own():
    parts = [{"html": '<h3 id="cost">Cost</h3><h3 id="cost">Cost</h3>'}, {"html": '<h2 id="cost">Cost</h2>'}]
    lessons._unique(parts)
    assert re.findall('id="([^"]*)"', "".join(part["html"] for part in parts)) == ["cost", "cost-1", "cost-2"]


def test_no_style_and_no_script_stands_in_a_page(lesson):
    _, _, page = lesson
    assert not [word for word in ("<style", " style=", " onclick=") if word in page]
    assert re.search(r"<script(?! src=)", page) is None


def test_names_and_outputs_are_escaped():
    evil = "<script>alert('x')</script>"
    notebook = NOTEBOOKS["01_02"]
    cell = {"id": "a", "metadata": {}, "source": f"print({evil!r})", "cell_type": "code"}
    for output in (
        {"output_type": "stream", "name": "stdout", "text": evil},
        {"output_type": "error", "ename": "E", "evalue": evil, "traceback": [f"\x1b[31m{evil}"]},
        {"output_type": "execute_result", "data": {"text/plain": evil}},
    ):
        lesson = lessons.Lesson(Site.of(IDS), notebook, [], {})
        part = lesson._code({**cell, "outputs": [output]}, "q")
        assert "<script" not in part["input"] + part["outputs"]
        assert "alert" in part["outputs"]
        assert "\x1b" not in part["outputs"]


def test_python_in_colours_is_the_same_text_in_whole_lines():
    source = 'def f(x):\n    """One\n    two < three."""\n    return x if x & 1 else None  # "odd"\n'
    html = highlighted(source)
    assert text_of(html) == source
    for line in html.split("\n"):
        assert line.count("<span") == line.count("</span>")


def test_a_lesson_that_is_not_whole_is_said_in_one_sentence(tmp_path):
    here = NOTEBOOKS["01_02"]
    unbuilt = Notebook("99_01", tmp_path / "99_01_x.py", here.head)
    with pytest.raises(GalleryError, match=r"lesson 99_01: .*found none; try: tutorial-zarr gallery build 99_01"):
        list(lessons.pages(Site((unbuilt,), ())))
    with pytest.raises(GalleryError, match=r"lesson 01_02: .*section-parameters.*gallery check 01_02"):
        lessons.Lesson(Site.of(IDS), here, cells_of("01_02")[:2], {}).page()
    lost = Notebook("01_02", here.path, here.head.replace("[01_01]", "[77_77]"))
    with pytest.raises(GalleryError, match="lesson 01_02: expected lessons under Needs, found 77_77"):
        lessons.Lesson(Site.of(IDS), lost, cells_of("01_02"), figures.shown(here, cells_of("01_02"))).page()
    with pytest.raises(GalleryError, match=r"lesson 01_02: expected the figure lost\.svg, found no such file"):
        lessons.Lesson(Site.of(IDS), here, [], {})._text("![A figure](lost.svg)")


def test_a_figure_that_no_cell_draws_is_taken_from_the_repository():
    notebook = NOTEBOOKS["01_02"]
    lesson = lessons.Lesson(Site.of(IDS), notebook, [], {})
    html = lesson._text("![One row.](../../articles/figures/01_02_one_row.svg)\n\n*What it costs.*")
    assert [file.path for file in lesson.files] == ["figures/01_02_one_row.svg"]
    assert re.search(r'<figure><img class="chart" width="\d{3}" height="\d{3}" src="\.\./figures/01_02_one', html)
    assert "<figcaption>What it costs.</figcaption>" in html


def test_an_svg_with_pixels_or_many_colours_is_no_chart():
    assert figures.kind_of_svg('<svg><path fill="#0072b2"/></svg>') == "chart"
    assert figures.kind_of_svg('<svg><image href="data:"/></svg>') == "picture"
    assert figures.kind_of_svg("".join(f'<path fill="#{n:06x}"/>' for n in range(50))) == "picture"


@pytest.mark.parametrize("repo_url", [None, "https://example.org/code"])
def test_links_of_a_notebook_that_was_downloaded_lead_to_the_site(repo_url, tmp_path):
    """A reader keeps the one file anywhere: what it links to beside it is not there."""
    build(tmp_path / "site", IDS, base_url="https://example.org/zarr", repo_url=repo_url)
    for folder in ("solved", "student"):
        files = sorted((tmp_path / "site" / "downloads" / folder).glob("*.ipynb"))
        assert len(files) == len(IDS)
        for file in files:
            cells = loads(file.read_text(encoding="utf-8"))["cells"]
            text = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
            targets = [found[1] for found in re.findall(r"(!?)\[[^\]]*\]\(([^()\s]+)\)", text) if not found[0]]
            assert all(target.startswith(("#", "https://")) for target in targets)
            ours = {target.partition("#")[0] for target in targets if target.startswith("https://example.org/zarr/")}
            assert ours
            for target in ours:
                assert (tmp_path / "site" / target.removeprefix("https://example.org/zarr/")).is_file(), target
            assert [c["cell_type"] for c in cells] == [
                c["cell_type"] for c in cells_of(file.stem[:5])
            ] or folder == "student"
