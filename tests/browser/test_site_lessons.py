"""A lesson's page in a real browser: guesses, folds, copies, paper, the keyboard, both themes, a small screen."""

import re

import pytest

from tutorial_zarr.gallery.catalogue import list_notebooks
from tutorial_zarr.gallery.source import loads, tags

LESSON = "01_02"


@pytest.fixture
def cells():
    notebook = next(each for each in list_notebooks() if each.id == LESSON)
    return loads(notebook.ipynb.read_text(encoding="utf-8"))["cells"]


@pytest.fixture
def address(served):
    return f"{served}lessons/{LESSON}.html"


def test_a_guess_opens_the_answer_and_is_kept(visit, address):
    page = visit(address)
    answer = page.locator("details.guess")
    assert answer.count() == 1
    assert not answer.locator("pre").is_visible()
    box = page.locator("form.ask", has=page.get_by_role("button", name="Compare"))
    box.get_by_role("button").click()  # nothing was written
    assert not answer.locator("pre").is_visible()
    box.get_by_label("Your guess").fill("four <b>chunks</b>")
    page.keyboard.press("Enter")
    assert answer.locator("pre").is_visible()
    assert "9 chunks" in answer.locator("pre").inner_text()
    assert page.locator("form.ask q", has_text="four <b>chunks</b>").is_visible()
    page.reload()
    assert answer.locator("pre").is_visible()
    page.locator("form.ask", has=page.locator("q")).get_by_role("button", name="Change").click()
    assert page.locator(f"#guess-{answer.get_attribute('data-guess')}").input_value() == "four <b>chunks</b>"


def test_the_answer_is_shown_to_whom_has_no_guess_and_no_script(visit, address):
    for options in ({}, {"java_script_enabled": False}):
        page = visit(address, **options)
        answer = page.locator("details.guess")
        assert not answer.locator("pre").is_visible()
        answer.locator("summary").click()
        assert answer.locator("pre").is_visible()
    assert page.locator("form.ask").count() == 0
    assert page.get_by_role("button").count() == 0  # what only a script can do is not there without one


def test_a_page_that_may_keep_nothing_still_asks(visit, address):
    page = visit(address)
    page.context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    page.reload()
    page.locator("form.ask input").last.fill("9")
    page.keyboard.press("Enter")
    assert page.locator("details.guess pre").is_visible()


def test_copy_takes_the_code_of_the_cell_to_the_letter(visit, address, cells):
    page = visit(address, permissions=["clipboard-read", "clipboard-write"])
    cell = next(cell for cell in cells if "section-build" not in tags(cell) and "def touched" in cell["source"])
    block = page.locator(f"#cell-{cell['id']} .block").first
    button = block.get_by_role("button", name="Copy").element_handle()
    # The word comes once the clipboard has taken the text, and goes by itself: what was said is noted as it is said.
    page.evaluate(
        "button => { said = []; new MutationObserver(() => said.push(button.textContent))"
        ".observe(button, { childList: true }) }",
        button,
    )
    block.hover()
    button.click()
    page.wait_for_function("said.includes('Copied')")
    assert page.evaluate("navigator.clipboard.readText()").rstrip("\n") == cell["source"]


def test_a_link_to_a_fold_opens_it(visit, address, cells):
    facts = next(cell for cell in cells if "facts" in tags(cell))
    page = visit(f"{address}#cell-{facts['id']}")
    assert page.locator(f"#cell-{facts['id']} pre").first.is_visible()
    page.get_by_role("link", name="Solution", exact=True).first.click()
    assert page.locator("details.solution pre").first.is_visible()
    assert not page.locator("details.solution pre").last.is_visible()


def test_paper_has_everything_that_is_folded_and_the_screen_keeps_its_folds(visit, address):
    page = visit(address)
    folds = page.locator("details:not([open])").count()
    assert folds > 5
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folds
    page.emulate_media(media="print")
    for gone in (".bar", ".contents", ".doors", ".ask"):
        assert not page.locator(gone).first.is_visible()
    pdf = page.pdf()
    pictures = len(re.findall(rb"/Subtype\s*/Image", pdf))
    assert pictures >= page.locator("img").count() - 1  # the first stands on the page twice, and once in the file


def test_paper_is_light_though_the_reader_chose_dark(visit, address):
    page = visit(address)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    text = "getComputedStyle(document.body).color"
    on_screen = page.evaluate(text)
    page.emulate_media(media="print")
    assert page.evaluate(text) == "rgb(31, 35, 40)" != on_screen
    assert page.locator("img.chart").first.evaluate("image => getComputedStyle(image).filter") == "none"
    page.evaluate("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_chart_is_turned_on_a_dark_page_and_a_photograph_is_not(visit, served):
    for scheme, turned in (("dark", True), ("light", False)):
        page = visit(f"{served}lessons/08_02.html", scheme=scheme)
        filters = {
            kind: page.locator(f"article img.{kind}").first.evaluate("image => getComputedStyle(image).filter")
            for kind in ("chart", "picture")
        }
        assert ("invert" in filters["chart"]) is turned
        assert filters["picture"] == "none"


@pytest.mark.parametrize("width", [380, 1280])
def test_nothing_is_wider_than_the_page_and_the_contents_lead_to_their_sections(visit, address, width):
    page = visit(address, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contents = page.locator(".contents a")
    if not contents.first.is_visible():
        page.locator(".contents summary").click()
    contents.nth(3).click()
    assert page.locator(f"[id='{contents.nth(3).get_attribute('href')[1:]}']").bounding_box()["y"] < 200


def test_tab_stops_at_code_that_scrolls_only(visit, address):
    for width in (380, 1280):
        page = visit(address, width=width)
        wrong = page.evaluate(
            """() => [...document.querySelectorAll("article pre")].filter((each) => each.checkVisibility() &&
                 (each.tabIndex === 0) !== (each.scrollWidth > each.clientWidth)).length"""
        )
        assert wrong == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_folded_or_open(visit, served, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    only = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    for lesson in (LESSON, "01_01", "08_02"):
        page = visit(f"{served}lessons/{lesson}.html", scheme=scheme)
        assert axe.run(page, options=only).response["violations"] == []
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert axe.run(page, options=only).response["violations"] == []


def test_a_lesson_weighs_at_most_300_kb_with_all_that_it_loads(site):
    for page in sorted((site / "lessons").glob("*.html")):
        text = page.read_text(encoding="utf-8")
        loaded = set(re.findall(r'<(?:img|script)[^>]* src="([^"]+)"', text))
        loaded |= set(re.findall(r'<link rel="(?:stylesheet|icon)"[^>]* href="([^"]+)"', text))
        weight = page.stat().st_size + sum((page.parent / each).stat().st_size for each in loaded)
        assert weight <= 300_000, (page.name, weight)
