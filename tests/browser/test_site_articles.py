"""An article in a browser: the box at a number, the copied code, both themes, and paper."""

import re

import pytest

ARTICLE = "articles/01_first_zarr_array.html"
BOX = ".origin"


@pytest.fixture
def article(visit, served):
    return visit(served + ARTICLE)


def number(page, written):
    return page.locator("a.number", has_text=re.compile(rf"^{re.escape(written)}$")).first


def test_a_mouse_a_key_and_escape_show_and_hide_where_a_number_comes_from(article):
    link = number(article, "56,824")
    assert article.locator(BOX).is_hidden()
    link.hover()
    assert article.locator(BOX).is_visible()
    assert article.locator(f"{BOX} p").first.inner_text() == "Cell 27 of the lesson prints:"
    assert article.locator(f"{BOX} code").inner_text() == "56,824 bytes in the store"
    assert article.locator(f"{BOX} mark").inner_text() == "56,824"
    article.keyboard.press("Escape")
    assert article.locator(BOX).is_hidden()
    link.focus()
    assert article.locator(BOX).is_visible()
    assert link.get_attribute("aria-describedby") == article.locator(BOX).get_attribute("id")
    link.blur()
    assert article.locator(BOX).is_hidden()
    assert link.get_attribute("aria-describedby") is None


def test_the_box_stays_while_the_mouse_is_on_it(article):
    number(article, "56,824").hover()
    article.locator(f"{BOX} code").hover()
    article.wait_for_timeout(400)
    assert article.locator(BOX).is_visible()
    article.mouse.move(5, 5)
    article.locator(BOX).wait_for(state="hidden")


def test_a_click_leads_to_the_cell(article):
    link = number(article, "56,824")
    anchor = link.get_attribute("href").partition("#")[2]
    link.click()
    article.wait_for_url("**/lessons/01_01.html#cell-*")
    cell = article.locator(f'[id="{anchor}"]')
    assert "56,824 bytes in the store" in cell.text_content()
    box = cell.bounding_box()
    assert box["y"] < article.viewport_size["height"]


def test_a_finger_sees_the_box_first_and_follows_with_its_second_tap(visit, served):
    page = visit(served + ARTICLE, width=380, has_touch=True)
    link = number(page, "56,824")
    link.tap()
    assert page.url == served + ARTICLE
    assert "Tap the number again" in page.locator(BOX).inner_text()
    box = page.locator(BOX).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 380
    number(page, "28.67").tap()  # another number: its own box
    assert "land share of the Earth" in page.locator(BOX).inner_text()
    assert page.url == served + ARTICLE
    number(page, "28.67").tap()
    page.wait_for_url("**/lessons/01_01.html#cell-*")


def test_without_a_script_a_number_is_a_link_with_the_same_words(visit, served):
    page = visit(served + ARTICLE, java_script_enabled=False)
    link = number(page, "56,824")
    assert link.get_attribute("title") == "Cell 27 of the lesson prints: 56,824 bytes in the store"
    assert page.locator(BOX).count() == 0
    assert page.locator("button.copy").count() == 0


def test_copy_gives_the_code_as_it_is(visit, served):
    page = visit(served + ARTICLE, permissions=["clipboard-read", "clipboard-write"])
    block = page.locator(".block").first
    block.locator("button").focus()
    page.keyboard.press("Enter")
    block.locator("button", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("pre").text_content()
    assert block.locator("pre").text_content().startswith("# /// script\n")


def test_figures_are_loaded_described_and_keep_their_place(article):
    article.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
    article.wait_for_function("[...document.images].every(image => image.complete)")
    images = article.evaluate(
        "[...document.images].map(i => [i.naturalWidth, i.alt, Math.abs(i.width / i.height - i.getAttribute('width')"
        " / i.getAttribute('height'))])"
    )
    assert len(images) == 4
    for width, alt, bent in images:
        assert width > 0
        assert len(alt) > 20
        assert bent < 0.02


@pytest.mark.parametrize("name", [ARTICLE, "articles/21_risk_grids.html", "articles.html"])
def test_nothing_is_wider_than_a_phone(visit, served, name):
    page = visit(served + name, width=380)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_a_line_of_text_has_at_most_75_characters(article):
    lines = article.evaluate(
        """() => [...document.querySelectorAll("article > p")].flatMap(paragraph => {
             const range = document.createRange(), found = []; let top = null;
             const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
             for (let node; (node = walker.nextNode());)
               for (let i = 0; i < node.length; i++) {
                 range.setStart(node, i); range.setEnd(node, i + 1);
                 const box = range.getBoundingClientRect();
                 if (top === null || box.top > top + 12) { found.push(0); top = box.top; }
                 found[found.length - 1] += 1;
               }
             return found; })"""
    )
    assert len(lines) > 50
    assert max(lines) <= 78
    assert sorted(lines)[len(lines) // 2] >= 50


def test_paper_has_the_pictures_and_no_frame(article):
    article.emulate_media(media="print")
    for hidden in (".bar", ".series", ".copy", ".button"):
        assert article.locator(hidden).first.is_hidden()
    assert article.locator("article figure").first.is_visible()
    assert number(article, "56,824").evaluate("link => getComputedStyle(link).textDecorationLine") == "none"
    article.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
    assert len(article.pdf()) > 50_000
