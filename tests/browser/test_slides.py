"""The pages of a workshop in a browser: slides, notes, START_HERE and the board, in light and dark, wide and narrow."""

import base64
import json
import re
import threading

import pytest

pytest.importorskip("jinja2", reason="pages need jinja2")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

from tutorial_zarr.gallery.workshop import kit, notes, slides  # noqa: E402
from tutorial_zarr.gallery.workshop.board import Board  # noqa: E402
from tutorial_zarr.gallery.workshop.pages import render  # noqa: E402
from tutorial_zarr.gallery.workshop.plan import read  # noqa: E402

PLAN = read("90-minutes")
THEMES = [("light", 1280), ("dark", 1280), ("light", 380), ("dark", 380)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The three pages, opened from a folder as from a stick."""
    out = tmp_path_factory.mktemp("workshop")
    (out / "slides.html").write_text(slides.page(PLAN), encoding="utf-8")
    (out / "notes.html").write_text(notes.page(PLAN), encoding="utf-8")
    targets = [kit.Target(system, "3.12") for system in kit.SYSTEMS]
    start = render("START_HERE.html", plan=PLAN, requirements=[], targets=targets)
    (out / "START_HERE.html").write_text(start, encoding="utf-8")
    return out


def violations(page):
    found = axe_api.Axe().run(page).response["violations"]
    return [(each["id"], node["html"][:100]) for each in found for node in each["nodes"]]


@pytest.mark.parametrize(("scheme", "width"), THEMES)
@pytest.mark.parametrize("name", ["slides.html", "notes.html", "START_HERE.html"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(folder, visit, name, scheme, width):
    page = visit((folder / name).as_uri(), scheme, width)
    if name == "slides.html":
        page.keyboard.press("n")
        page.evaluate("document.body.classList.remove('one')")  # all slides at once, as without the script
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def shown(page):
    return page.evaluate("[...document.querySelectorAll('.slide')].filter(s => s.offsetParent).map(s => s.id)")


def test_keys_turn_the_slides_and_the_address_keeps_the_place(folder, visit):
    page = visit((folder / "slides.html").as_uri())
    assert shown(page) == ["s1"]
    for key, wanted in (
        ("ArrowRight", "s2"),
        ("PageDown", "s3"),
        ("ArrowLeft", "s2"),
        ("Home", "s1"),
        ("ArrowLeft", "s1"),
    ):
        page.keyboard.press(key)
        assert shown(page) == [wanted], key
    page.keyboard.press("End")
    count = len(slides.slides(PLAN))
    assert shown(page) == [f"s{count}"]
    page.goto((folder / "slides.html").as_uri() + "#4")
    assert shown(page) == ["s4"]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")  # of the button "Next"
    assert shown(page) == ["s5"]


def test_notes_are_for_the_speaker_until_they_are_asked_for(folder, visit):
    page = visit((folder / "slides.html").as_uri() + "#4")
    assert not page.is_visible("#s4 .notes")
    page.keyboard.press("n")
    assert page.is_visible("#s4 .notes")
    assert page.get_attribute("#notes", "aria-pressed") == "true"


def test_the_answer_stands_on_the_slide_after_the_guess(folder, visit):
    page = visit((folder / "slides.html").as_uri())
    kinds = page.evaluate("[...document.querySelectorAll('.slide')].map(s => s.classList[1])")
    guesses = [at for at, kind in enumerate(kinds) if kind == "guess"]
    assert len(guesses) == 3
    assert all(kinds[at + 1] == "answer" for at in guesses)
    assert "9 objects" in page.inner_html(f"#s{guesses[0] + 2}")
    assert "9 objects" not in page.inner_html(f"#s{guesses[0] + 1}")


def test_every_picture_is_described_in_the_words_of_its_lesson(folder, visit):
    page = visit((folder / "slides.html").as_uri())
    alts = page.evaluate("[...document.querySelectorAll('img')].map(i => [i.alt, i.naturalWidth])")
    assert len(alts) > 8
    assert all(len(alt) > 20 and width > 100 for alt, width in alts)
    stored = json.loads(PLAN.notebooks[1].ipynb.read_text(encoding="utf-8"))
    words = [
        "".join(o["data"]["text/plain"])
        for c in stored["cells"]
        for o in c.get("outputs", ())
        if "image/svg+xml" in o.get("data", {})
    ]
    assert words[0] in [alt for alt, _ in alts]


def test_slides_and_notes_print_each_on_pages_of_their_own(folder, visit):
    page = visit((folder / "slides.html").as_uri())
    client = page.context.new_cdp_session(page)
    for name, least, most in (
        ("slides.html", len(slides.slides(PLAN)), len(slides.slides(PLAN)) + 4),
        ("notes.html", 6, 30),
    ):
        page.goto((folder / name).as_uri())
        pdf = base64.b64decode(client.send("Page.printToPDF", {"preferCSSPageSize": True})["data"])
        assert least <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= most, name


def test_the_board_shows_a_verdict_without_being_loaded_again(visit):
    with Board(port=0, room="ABCD") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = visit(server.url)
        assert "Nobody yet." in page.inner_text("main")
        server.note({"room": "ABCD", "nick": "ada", "exercise": "01_01.1", "right": True})
        page.wait_for_selector("td.right")
        assert violations(page) == []
        server.shutdown()
