"""The first page of the site, its filters, the map, the routes through it, and the index of the search."""

import dataclasses
import itertools
import json
import re
import textwrap
import xml.etree.ElementTree as ElementTree
from html import unescape
from pathlib import Path

import pytest

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, list_notebooks
from tutorial_zarr.gallery.series import AREAS
from tutorial_zarr.gallery.site import build, facets, overview, routes, search
from tutorial_zarr.gallery.site.pages import Page, Site

LESSONS = {notebook.id: notebook for notebook in list_notebooks()}


@pytest.fixture(scope="module", autouse=True)
def packages():
    for needed in ("jinja2", "markdown_it", "pygments", "matplotlib", "resvg_py"):
        pytest.importorskip(needed, reason=f"the site needs the extra site; {needed} is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "out"
    build(out, ["00_00", "01_01", "01_02"])
    return out


def lesson(name, needs=(), minutes=30, level="★ beginner", picture=True):
    """A lesson that is no file: what its head says."""
    shown = "![A grid.](../../articles/figures/01_02_one_row.svg)" if picture else ""
    head = textwrap.dedent(f"""\
        # Lesson {name}

        **Question.** Why {name}?

        {shown}

        | | |
        |---|---|
        | **Level** | {level} |
        | **Time** | {minutes} minutes |
        | **Needs** | {", ".join(f"[{need}](x.ipynb)" for need in needs)} |
        """)
    return Notebook(name, LESSONS["01_02"].path, head)


def graph(**needs):
    return {name[1:]: lesson(name[1:], of) for name, of in needs.items()}


# The first page


def test_a_card_has_the_lesson_s_title_question_level_minutes_and_one_link(site):
    text = (site / "index.html").read_text()
    cards = re.findall(r'<li class="card".*?</li>', text, re.DOTALL)
    assert len(cards) == 3
    for card, name in zip(cards, ("00_00", "01_01", "01_02"), strict=True):
        one = LESSONS[name]
        assert re.findall(r'href="([^"]*)"', card) == [f"lessons/{name}.html"]
        plain = unescape(card)
        for said in (one.title, one.question, f"{one.minutes} minutes", one.level.split()[1]):
            assert said in plain
        assert ("runs in the browser" in re.sub(r"data-browser=\S+", "", plain.split("<h4>")[1])) == one.browser


def test_a_thumbnail_is_the_picture_at_the_head_of_the_lesson_in_its_own_words(site):
    image = pytest.importorskip("PIL.Image")
    text = (site / "index.html").read_text()
    pictures = re.findall(r'<img src="(thumbs/[^"]*)" alt="([^"]*)" width="(\d+)" height="(\d+)" class="([^"]*)"', text)
    # 01_01's picture knows a dark page, so there are two of it, of which one is shown; 00_00 has none.
    assert [(path, kind) for path, _, _, _, kind in pictures] == [
        ("thumbs/01_01.png", "both on-light"),
        ("thumbs/01_01_dark.png", "both on-dark"),
        ("thumbs/01_02.png", "chart"),
    ]
    for path, alt, width, height, _ in pictures:
        head = " ".join(LESSONS[Path(path).name[:5]].head.split())
        assert f"![{unescape(alt)}]" in head
        with image.open(site / path) as found:
            assert found.size == (int(width), int(height))
            assert len(found.convert("RGB").getcolors()) > 4
    assert text.count('loading="lazy"') == len(pictures)


def test_the_dark_thumbnail_is_dark(site):
    image = pytest.importorskip("PIL.Image")
    with image.open(site / "thumbs/01_01.png") as light, image.open(site / "thumbs/01_01_dark.png") as dark:
        assert light.convert("L").getpixel((1, 1)) > 240
        assert dark.convert("L").getpixel((1, 1)) < 40


@pytest.mark.parametrize("part", ["# Lesson", "**Question.**", "| **Level**", "| **Time**", "!["])
def test_a_lesson_without_a_part_of_its_head_is_one_sentence_and_nothing_is_written(part, tmp_path, monkeypatch):
    whole = lesson("01_02", ["01_01"])
    broken = dataclasses.replace(whole, head="\n".join(x for x in whole.head.split("\n") if not x.startswith(part)))
    monkeypatch.setattr(Site, "of", classmethod(lambda cls, ids, **options: cls((broken,), (), **options)))
    with pytest.raises(GalleryError, match=r"gallery site: lesson 01_02: expected a \w+ in its head, found none"):
        build(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_is_not_there_is_named():
    broken = dataclasses.replace(lesson("01_02"), head=lesson("01_02").head.replace("one_row", "no_row"))
    with pytest.raises(GalleryError, match=r"lesson 01_02: expected the picture 01_02_no_row.svg"):
        list(overview.pages(Site((broken,), ())))


def test_what_a_lesson_says_of_itself_is_text_and_no_html(tmp_path, monkeypatch):
    evil = dataclasses.replace(LESSONS["01_02"], head=LESSONS["01_02"].head.replace("# Choose", '# <b onclick="x">'))
    monkeypatch.setattr(Site, "of", classmethod(lambda cls, ids, **options: cls((evil,), (), **options)))
    monkeypatch.setattr(Site, "lessons", LESSONS | {"01_02": evil})
    build(tmp_path / "out")
    for page in ("index.html", "map.html"):
        assert "<b onclick" not in (tmp_path / "out" / page).read_text()
    assert "&lt;b onclick" in (tmp_path / "out" / "index.html").read_text()


# What the lessons are chosen by


def test_facets_count_what_the_lessons_say():
    everything = tuple(LESSONS.values())
    found = {facet.key: facet for facet in facets.facets(everything)}
    assert list(found) == ["area", "level", "time", "browser", "codec", "library", "data"]
    assert list(found["area"].counts) == list(AREAS)
    assert sum(found["area"].counts.values()) == len(everything)
    assert sum(found["level"].counts.values()) == len(everything)
    for facet in found.values():
        for value, count in facet.counts.items():
            assert count == sum(value in facets.values(one)[facet.key] for one in everything) > 0
    assert found["time"].counts["up to 40 minutes"] == sum(one.minutes <= 40 for one in everything)
    assert sum(found["browser"].counts.values()) == sum(one.browser for one in everything)


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("01_03", "codec", {"zstd", "gzip", "blosc", "shuffle", "delta", "lz4"}),
        ("02_02", "codec", {"bitround"}),
        ("07_01", "codec", {"sharding"}),
        ("03_02", "codec", {"crc32c"}),
        ("01_10", "library", {"zarr-python"}),
        ("07_03", "library", {"h5py", "h5netcdf", "xarray"}),
        ("04_03", "library", {"Dask"}),
        ("01_07", "data", {"real"}),
        ("05_02", "data", {"generated"}),
        ("05_03", "data", {"real", "generated"}),
        ("09_01", "data", {"real", "generated"}),
    ],
)
def test_facets_read_the_source(name, key, expected):
    found = set(facets.values(LESSONS[name])[key])
    assert found == expected if key == "data" else found >= expected


def test_facets_hold_no_name_of_a_setting_and_no_module_of_the_lesson_s_own():
    found = {facet.key: facet.counts for facet in facets.facets(tuple(LESSONS.values()))}
    assert not {"astype", "bytes", "endian"} & set(found["codec"])
    assert not {"numpy", "matplotlib", "tutorial_zarr", "data_gen", "shaky_network", "json"} & set(found["library"])


def test_a_facet_that_tells_nothing_apart_is_not_offered():
    alike = (LESSONS["01_01"], LESSONS["01_02"])
    assert not {"area", "level"} & {facet.key for facet in facets.facets(alike)}


# The routes


@pytest.mark.parametrize("area", AREAS)
def test_a_route_fits_and_all_that_it_needs_is_on_it_or_named(area):
    route = routes.routes(LESSONS, area)
    for minutes in (*range(0, 120, 5), 180, 240, 360, 600, 10_000):
        found = route(minutes)
        assert found.minutes == sum(LESSONS[name].minutes for name in found.lessons) <= minutes
        assert len({*found.lessons, *found.known}) == len(found.lessons) + len(found.known)
        for at, name in enumerate(found.lessons):
            assert set(LESSONS[name].needs) <= {*found.lessons[:at], *found.known}
        # Only what is needed is taken as known, and only where there is no time for it.
        ways = {name for last in found.lessons for name in routes.closure(LESSONS, last)}
        assert set(found.known) <= ways
        if minutes >= 360:
            assert found.known == ()
            assert any(name[:2] in AREAS[area] for name in found.lessons)
    assert {name for name in LESSONS if name[:2] in AREAS[area]} <= set(route(10_000).lessons)


def test_a_route_begins_easy_and_is_empty_where_nothing_fits():
    assert routes.routes(LESSONS, "Zarr itself")(45).lessons == ("00_00", "01_01")
    assert routes.routes(LESSONS, "Finance")(20) == routes.Route()


def test_steps_hold_every_route():
    route, steps = routes.routes(LESSONS, "AI"), routes.steps(LESSONS, "AI", 400)
    for minutes in range(5, 401, 5):
        before = [found for least, found in steps if least <= minutes]
        assert (before[-1] if before else routes.Route()) == route(minutes)


def test_a_route_that_is_short_leaves_out_as_little_as_it_can():
    lessons = graph(_04_01=[], _04_02=["04_01"], _04_03=["04_02"])
    assert routes.routes(lessons, "AI")(30) == routes.Route(("04_01",), 30)
    far = {"01_01": lesson("01_01"), "01_02": lesson("01_02", ["01_01"]), "04_01": lesson("04_01", ["01_02"])}
    assert routes.routes(far, "AI")(60) == routes.Route(("01_02", "04_01"), 60, ("01_01",))
    assert routes.routes(far, "AI")(30) == routes.Route(("04_01",), 30, ("01_01", "01_02"))


def test_needs_in_a_circle_or_of_no_lesson_are_said():
    with pytest.raises(GalleryError, match="lesson 01_01 needs itself, by 01_01 and 01_02"):
        routes.depths(graph(_01_01=["01_02"], _01_02=["01_01"]))
    with pytest.raises(GalleryError, match="lesson 01_02 needs 01_09, expected the id of a lesson"):
        routes.depths(graph(_01_02=["01_09"]))


def test_direct_needs_lead_to_everything_that_is_needed():
    direct = routes.direct(LESSONS)
    shorter = {name: dataclasses.replace(one, head=lesson(name, direct[name]).head) for name, one in LESSONS.items()}
    for name in LESSONS:
        assert set(routes.closure(shorter, name)) == set(routes.closure(LESSONS, name))
    assert direct["04_06"] == ("04_02",)  # 04_01 as well, which 04_02 needs


# The map


def test_the_map_has_a_box_for_each_lesson_and_a_line_for_each_need(site):
    text = (site / "map.html").read_text()
    tree = ElementTree.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL)[0])
    nodes = {node.get("id")[3:]: node for node in tree if (node.get("class") or "") == "lesson"}
    assert set(nodes) == set(LESSONS)
    # Three lessons have a page here; the others are no links.
    assert {name for name, node in nodes.items() if node.tag == "a"} == {"00_00", "01_01", "01_02"}
    boxes = {
        name: [float(node.find("rect").get(at)) for at in ("x", "y", "width", "height")] for name, node in nodes.items()
    }
    for name, node in nodes.items():
        assert " ".join("".join(node.find("text[@class='title']").itertext()).split()) == LESSONS[name].title
        assert all(boxes[need][0] < boxes[name][0] for need in LESSONS[name].needs)
        x, y, wide, high = boxes[name]
        assert x + wide <= float(tree.get("width"))
        assert y + high <= float(tree.get("height"))
    places = sorted((x, y, high) for x, y, _, high in boxes.values())
    for (x, y, high), (other, below, _) in itertools.pairwise(places):
        assert x != other or y + high < below
    lines = {(node.get("data-from"), node.get("data-to")) for node in tree if node.tag == "path"}
    assert lines == {(need, name) for name, needs in routes.direct(LESSONS).items() for need in needs}


def test_the_map_is_a_list_as_well(site):
    listed = re.search(r"<details>(.*)</details>", (site / "map.html").read_text(), re.DOTALL)[1]
    assert sorted(re.findall(r"<li>(\d\d_\d\d)", listed)) == sorted(LESSONS)
    for name, one in LESSONS.items():
        if len(one.needs) > 1:
            said = re.search(rf"<li>{name}.*?\(needs (.*?)\)", listed, re.DOTALL)[1]
            assert tuple(said.split(", ")) == one.needs


def test_the_routes_of_the_map_are_links_without_a_script(site):
    text = (site / "map.html").read_text()
    for minutes in overview.TIMES:
        assert f'href="#minutes-{minutes}"' in text
        assert f'id="minutes-{minutes}"' in text
    table = json.loads((site / "routes.js").read_text().removeprefix("window.ROUTES=").rstrip(";\n"))
    assert list(table) == list(AREAS)
    for area, steps in table.items():
        for least, names, minutes, known in steps:
            assert routes.routes(LESSONS, area)(least) == routes.Route(tuple(names), minutes, tuple(known))


# The search


def pages(*texts):
    return [Page(f"{at}.html", f"Page {at}", "Said.", "text.html", searched=text) for at, text in enumerate(texts)]


def test_every_word_of_a_page_is_in_the_index_or_common():
    long = "Alpha beta. " + "filler words here " * 40 + "fletcher32 gamma <\\/script>"
    found = search.index(pages(*[(("a-heading", f"A heading {long} only{at}"),) for at in range(3)], (("", "Other."),)))
    for at, (path, title, sections) in enumerate(found["pages"][:3]):
        assert (path, title, sections[0]) == (f"{at}.html", f"Page {at}", ["", "", "Said.", ""])
        anchor, heading, shown, rest = sections[1]
        assert (anchor, heading, shown[:11], shown[-2:]) == ("a-heading", "A heading", "Alpha beta.", " …")
        held = {*search.words(shown), *rest.split(), *search.words(heading), *found["common"]}
        assert {word for word in search.words(long) if len(word) >= search.LEAST} | {f"only{at}"} <= held
        assert len(shown) <= search.SHOWN + 2
        assert rest.count("filler") == 0


def test_a_word_on_many_pages_is_common_and_one_on_few_is_not():
    found = search.index(pages(*[(("", f"chunk only{at}"),) for at in range(20)]))
    assert found["common"] == ["chunk", "said"]


def test_the_index_ends_no_script_and_is_the_same_twice(site, tmp_path):
    made = search.files(Site((), ()), pages((("", "a </script> b"),)))[0]
    assert b"</script>" not in made.data
    assert json.loads(made.data.decode().removeprefix("window.SEARCH=").rstrip(";\n"))
    build(tmp_path / "again", ["00_00", "01_01", "01_02"])
    for path in ("index.html", "map.html", "routes.js", "search-index.js", "thumbs/01_01.png", "thumbs/01_02.png"):
        assert (site / path).read_bytes() == (tmp_path / "again" / path).read_bytes()


def test_every_page_finds_the_search_from_where_it_lies(site):
    for path, root in (("index.html", "."), ("lessons/01_01.html", "..")):
        text = (site / path).read_text()
        assert f'data-root="{root}"' in text
        assert f"{'../' if root == '..' else ''}static/search.js" in text
