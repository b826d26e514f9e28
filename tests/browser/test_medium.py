"""What is copied from an article's page arrives where it is pasted: in an editor that takes HTML, as Medium's does.

The editor is a page of its own that can be written into; whatever Chromium lets through a clipboard is in it.
"""

import html
import re

import pytest

from tutorial_zarr.gallery.medium import build_for_medium

pytest.importorskip("resvg_py", reason="the pictures are drawn with resvg-py, which is not installed")
pytest.importorskip("markdown_it", reason="the page is made with markdown-it-py, which is not installed")
pytestmark = [pytest.mark.browser, pytest.mark.gallery]
# What stands in the editor, in order: of each element its kind and what it says.
READ = """() => [...document.querySelectorAll('h1, h2, h3, pre, img, figcaption, li, a')].map(node => [
  node.tagName.toLowerCase(),
  node.tagName === 'IMG' ? node.alt : node.tagName === 'A' ? node.href : node.innerText,
  node.tagName === 'IMG' ? (node.complete ? node.naturalWidth : 0) : 0])"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("medium")
    [path] = build_for_medium(folder, ["01"])  # without an address, the pictures are in the page
    return path.parent


@pytest.fixture
def pasted(browser, built):
    """The editor after: open the page, press the button, click into the editor, paste."""
    context = browser.new_context()
    source, editor = context.new_page(), context.new_page()
    complaints = []
    source.on("pageerror", lambda error: complaints.append(str(error)))
    source.goto((built / "paste.html").as_uri())
    source.bring_to_front()
    source.get_by_role("button", name="Copy the article").click()
    source.locator("#done", has_text=re.compile(r"^Copied\. Click into a new story, and paste\.$")).wait_for()
    page = built / "editor.html"
    page.write_text('<!doctype html><meta charset="utf-8"><title>Editor</title><div contenteditable>', "utf-8")
    editor.goto(page.as_uri())
    editor.bring_to_front()
    editor.locator("div").click()
    editor.keyboard.press("ControlOrMeta+V")
    editor.wait_for_selector("h1")
    editor.wait_for_load_state("networkidle")
    editor.evaluate("() => Promise.all([...document.images].map(image => image.decode().catch(() => 0)))")
    yield editor
    context.close()
    assert complaints == []


def test_headings_code_links_and_pictures_arrive_in_their_places(pasted, built):
    text = (built / f"{built.name}.md").read_text(encoding="utf-8")
    wanted, fenced = [], False
    for line in text.partition("\n---\n")[2].splitlines():
        if line.startswith("```"):
            fenced = not fenced
            if fenced:
                wanted.append(["pre", ""])
        elif fenced:
            wanted[-1][1] += f"{line}\n"
        elif found := re.match(r"(#+) (.+)", line):
            wanted.append([f"h{len(found[1])}", found[2].replace("`", "")])
        elif found := re.match(r"!\[(.*)\]\(", line):
            wanted.append(["img", found[1]])
    found = pasted.evaluate(READ)
    kinds = {"h1", "h2", "h3", "pre", "img"}
    assert [[kind, said.rstrip("\n")] for kind, said, _ in found if kind in kinds] == [
        [kind, said.rstrip("\n")] for kind, said in wanted
    ]
    pictures = [wide for kind, _, wide in found if kind == "img"]
    assert pictures == [1400] * len(pictures)
    assert len(pictures) == 4
    links = re.findall(r"(?<!!)\[[^\]]+\]\((https?://[^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    assert [said for kind, said, _ in found if kind == "a"] == links
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", (built / "paste.html").read_text(encoding="utf-8"))
    plain = [html.unescape(re.sub(r"<[^>]+>", "", caption)) for caption in captions]
    assert [said for kind, said, _ in found if kind == "figcaption"] == plain


def test_the_page_has_the_button_beside_the_article_and_not_in_it(pasted):
    assert pasted.get_by_text("Copy the article").count() == 0
