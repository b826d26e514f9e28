"""The first page, its filters, the search and the map, as a reader has them in a browser."""

import json
from pathlib import Path

import pytest

from tutorial_zarr.gallery.catalogue import list_notebooks
from tutorial_zarr.gallery.site import facets, overview, routes

LESSONS = {notebook.id: notebook for notebook in list_notebooks()}
SHOWN = """[...document.querySelectorAll('.card')].filter(card => card.getClientRects().length)
    .map(card => card.querySelector('.id').textContent)"""


def choose(page, **wanted):
    for key, values in wanted.items():
        page.locator("#filters details", has=page.locator(f"input[name={key}]")).locator("summary").click()
        for value in values:
            page.check(f"#filters input[name={key}][value='{value}']")


def expected(**wanted):
    return [
        name
        for name, one in LESSONS.items()
        if all(set(values) & set(facets.values(one)[key]) for key, values in wanted.items())
    ]


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_filters_are_or_inside_and_between_and_stay_in_the_address(visit, served, site, scheme):
    page = visit((site / "index.html").as_uri() if scheme == "file" else served + "index.html")
    assert page.evaluate(SHOWN) == list(LESSONS)
    first = {"codec": ["gzip", "zstd"]}
    both = {**first, "level": ["advanced"]}
    choose(page, **first)
    assert page.evaluate(SHOWN) == expected(**first) != expected(codec=["gzip"])
    assert page.inner_text("#found") == f"{len(expected(**first))} of {len(LESSONS)} lessons"
    choose(page, level=["advanced"])
    assert page.evaluate(SHOWN) == expected(**both) != expected(**first)
    assert "codec=gzip|zstd" in page.url
    assert "level=advanced" in page.url
    page.reload()
    assert page.evaluate(SHOWN) == expected(**both)
    page.go_back()
    assert page.evaluate(SHOWN) == expected(**first)
    page.go_forward()
    assert page.evaluate(SHOWN) == expected(**both)
    page.click("button[type=reset]")
    assert page.evaluate(SHOWN) == list(LESSONS)
    assert "#" not in page.url
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_each_value_counts_what_choosing_it_would_leave(page):
    choose(page, codec=["gzip"], level=["advanced"])
    counts = page.evaluate(
        "[...document.querySelectorAll('#filters label')].map(l => [l.querySelector('input').name,"
        " l.querySelector('input').value, Number(l.querySelector('.count').textContent)])"
    )
    for key, value, count in counts:
        assert count == len(expected(**{"codec": ["gzip"], "level": ["advanced"], key: [value]})), (key, value)


def test_nothing_found_is_said_and_an_address_that_was_typed_does_no_harm(visit, served):
    page = visit(served + "index.html#codec=fletcher32&level=beginner")
    assert page.inner_text("#found") == "No lesson has all of these."
    assert page.evaluate(SHOWN) == []
    for typed in ("#codec=%E0%A4%A&level", "#__proto__=x&codec=nothing", "#=&=|&", "#lessons"):
        page = visit(served + "index.html" + typed)
        assert page.evaluate(SHOWN) == list(LESSONS)


def test_a_jump_keeps_what_was_chosen(visit, served):
    page = visit(served + "index.html#level=beginner")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skip to the content
    page.wait_for_function("location.hash === '#level=beginner'")
    assert page.evaluate(SHOWN) == expected(level=["beginner"])


def test_filters_by_keyboard(page):
    page.focus("#filters summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    area = next(iter(facets.ORDERS["area"]))
    assert page.evaluate(SHOWN) == expected(area=[area])
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.locator("#filters details[open]").count() == 0


def test_without_a_script_there_are_all_cards_and_no_filters(visit, served):
    page = visit(served + "index.html", java_script_enabled=False)
    assert page.locator(".card").count() == len(LESSONS)
    assert not page.is_visible("#filters")
    assert not page.is_visible("#search-for")
    page = visit(served + "map.html", java_script_enabled=False)
    assert not page.is_visible("#ask")
    assert page.locator("svg a.lesson").count() == len(LESSONS)


def test_a_whole_card_leads_to_its_lesson_by_one_link(page):
    card = page.locator(".card", has_text=LESSONS["01_02"].title)
    assert card.locator("a").count() == 1
    card.scroll_into_view_if_needed()
    box = card.locator(".picture").bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 20)
    page.wait_for_url("**/lessons/01_02.html")


def test_one_thumbnail_of_two_is_shown_in_each_theme(visit, served):
    for scheme, seen in (("light", "thumbs/01_01.png"), ("dark", "thumbs/01_01_dark.png")):
        page = visit(served + "index.html", scheme=scheme)
        shown = page.locator("img[src^='thumbs/01_01']").filter(visible=True)
        assert shown.count() == 1
        assert shown.get_attribute("src") == seen
        page.click("#theme")
        assert page.locator("img[src^='thumbs/01_01']").filter(visible=True).get_attribute("src") != seen


def test_the_first_page_with_all_that_it_loads_is_at_most_600_kb(visit, site):
    page = visit((site / "index.html").as_uri())
    page.evaluate("document.querySelectorAll('img').forEach(img => { img.loading = 'eager'; })")
    page.wait_for_function(
        "[...document.images].filter(i => i.getClientRects().length).every(i => i.complete && i.naturalWidth)"
    )
    files = {Path(address.removeprefix("file://").partition("#")[0]) for address in page.noted.asked}
    assert len(files) > len(LESSONS)
    assert sum(file.stat().st_size for file in files) <= 600_000


# The search


def found(page):
    page.wait_for_selector("#search-found p:not(:empty)")
    return page.evaluate("[...document.querySelectorAll('#search-found a')].map(a => a.getAttribute('href'))")


def test_the_index_is_small_and_loaded_when_somebody_searches(visit, served, site):
    page = visit(served + "index.html")
    assert not any("search-index" in address for address in page.noted.asked)
    page.focus("#search-for")
    page.wait_for_function("window.SEARCH")
    assert (site / "search-index.js").stat().st_size <= 400_000


@pytest.mark.parametrize(("place", "root"), [("index.html", "."), ("lessons/05_01.html", "..")])
def test_a_search_from_any_page_and_from_a_folder(visit, site, place, root):
    page = visit((site / place).as_uri())
    page.keyboard.press("/")
    page.keyboard.type("wafer sh")
    hits = found(page)
    assert hits[0].startswith(f"{root}/lessons/09_02.html")
    marks = page.evaluate("[...document.querySelectorAll('#search-found li:first-child mark')].map(m => m.textContent)")
    assert {mark.lower()[:2] for mark in marks} == {"wa", "sh"}
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')") == hits[0]
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "search-for"
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/09_02.html*")


def test_escape_closes_the_search_and_a_slash_that_is_typed_opens_nothing(page):
    page.keyboard.press("/")
    page.keyboard.type("chunk")
    assert found(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert not page.is_visible("#search-found")
    assert page.evaluate("document.activeElement.id") == "search-for"
    page.keyboard.type("/")
    assert page.input_value("#search-for") == "chunk/"
    page.fill("#search-for", "qqqq")
    assert page.inner_text("#search-found p") == "Nothing found."
    page.fill("#search-for", "")
    assert not page.is_visible("#search-found")


def test_a_title_counts_more_than_a_text_and_all_words_are_asked_for(visit, site):
    page = visit((site / "index.html").as_uri())
    table = page.evaluate("""() => new Promise(done => { document.getElementById('search-for').focus();
        const wait = () => window.SEARCH ? done(window.SEARCH) : setTimeout(wait, 20); wait(); })""")
    for one in LESSONS.values():
        page.fill("#search-for", one.title)
        # An article may have nearly the same title.
        assert f"./lessons/{one.id}.html" in [hit.partition("#")[0] for hit in found(page)[:2]], one.title
    texts = {path: json.dumps([title, sections]).lower() for path, title, sections in table["pages"]}
    page.fill("#search-for", "satoshi ghost")
    for hit in found(page):
        text = texts[hit.removeprefix("./").partition("#")[0]]
        assert "satoshi" in text
        assert "ghost" in text


# The map


@pytest.mark.parametrize("minutes", [20, 45, 90, 200])
@pytest.mark.parametrize("area", ["AI", "Finance"])
def test_the_map_shows_the_route_for_so_many_minutes(visit, site, area, minutes):
    page = visit((site / "map.html").as_uri())
    page.select_option("#ask select", area)
    page.fill("#ask input", str(minutes))
    route = routes.routes(LESSONS, area)(minutes)
    taken = page.evaluate("[...document.querySelectorAll('.lesson.taken')].map(l => l.id.slice(3))")
    assert sorted(taken) == sorted(route.lessons)
    links = page.evaluate("[...document.querySelectorAll('#answer a')].map(a => a.getAttribute('href'))")
    assert links == [f"lessons/{name}.html" for name in (*route.lessons, *route.known)]
    assert page.inner_text("#answer").startswith(f"{route.minutes} minutes" if route.lessons else "The shortest lesson")


def test_the_map_shows_the_way_to_a_lesson_also_to_the_keyboard(visit, site):
    page = visit((site / "map.html").as_uri())
    page.focus("#on-04_06")
    way = page.evaluate("[...document.querySelectorAll('.lesson.way')].map(l => l.id.slice(3))")
    assert sorted(way) == sorted(routes.closure(LESSONS, "04_06"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/04_06.html")


def test_titles_stay_in_their_boxes_on_the_map(visit, site):
    page = visit((site / "map.html").as_uri())
    assert (
        page.evaluate("""() => [...document.querySelectorAll('.lesson')].filter(node => {
        const box = node.querySelector('rect').getBoundingClientRect();
        return [...node.querySelectorAll('text')].some(text => { const own = text.getBoundingClientRect();
            return own.right > box.right || own.bottom > box.bottom || own.left < box.left; });
    }).map(node => node.id)""")
        == []
    )


@pytest.mark.parametrize("place", ["index.html", "map.html"])
def test_nothing_is_wider_than_a_phone(visit, site, place):
    page = visit((site / place).as_uri(), width=380)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    page.keyboard.press("/")
    page.keyboard.type("chunk")
    found(page)
    inside = page.locator("#search-found").bounding_box()
    assert inside["x"] >= 0
    assert inside["x"] + inside["width"] <= 380


@pytest.mark.parametrize("minutes", overview.TIMES)
def test_an_anchor_leads_to_the_routes_of_a_time(visit, site, minutes):
    page = visit((site / "map.html").as_uri())
    page.click(f"a[href='#minutes-{minutes}']")
    assert page.evaluate("Math.abs(document.querySelector(location.hash).getBoundingClientRect().top)") < 900
