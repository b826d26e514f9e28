"""The articles on the site: the page, the list, the feed, and where each number comes from."""

import json
import re
import xml.etree.ElementTree as ElementTree
from html import unescape

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("markdown_it")

from tutorial_zarr.gallery.article_form import FIGURE, front_matter, prose
from tutorial_zarr.gallery.catalogue import ARTICLES, GalleryError, list_notebooks
from tutorial_zarr.gallery.pictures import PREFERS_DARK
from tutorial_zarr.gallery.publish import figures
from tutorial_zarr.gallery.site import articles, build, origins
from tutorial_zarr.gallery.site.pages import Page, Site
from tutorial_zarr.gallery.source import loads

BASE = "https://example.org/zarr/"
FIRST, SECOND = "01_first_zarr_array", "02_chunking_is_the_index"
LINK = re.compile(
    r'<a class="number" href="([^"]*)" data-where="([^"]*)" data-line="([^"]*)" title="[^"]*">([^<]*)</a>'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("articles") / "site"
    build(out, ["01_01", "01_02"], base_url=BASE)
    return out


def page(site, name):
    return (site / "articles" / f"{name}.html").read_text(encoding="utf-8")


def source(name):
    return front_matter((ARTICLES / f"{name}.md").read_text(encoding="utf-8"))


def by_number(html):
    """The links of numbers: the number as it is written, the cell, what it does, and the line."""
    return [(written, href, where, unescape(line)) for href, where, line, written in LINK.findall(html)]


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_a_page_says_what_the_front_matter_says(site, name):
    html, (front, _) = page(site, name), source(name)
    assert f"<h1>{front['title']}</h1>" in unescape(html)
    assert f'<p class="subtitle">{front["subtitle"]}</p>' in unescape(html)
    assert f"{front['minutes']} minutes" in html
    assert front["tags"] in html
    assert f'<link rel="canonical" href="{BASE}articles/{name}.html">' in html
    assert html.count("<article>") == 1


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_each_figure_has_its_words_its_caption_its_size_and_its_file(site, name):
    html, (_, body) = page(site, name), source(name)
    found = re.findall(
        r'<figure><img src="\.\./(figures/[^"]+)" class="(?:chart|picture)" width="\d+" height="\d+" alt="([^"]*)"'
        r"[^>]*>"
        r"<figcaption>(.+?)</figcaption></figure>",
        html,
    )
    assert [unescape(alt) for _, alt, _ in found] == [alt for alt, _ in FIGURE.findall(prose(body))]
    for address, _, _ in found:
        drawn = (site / address).read_text(encoding="utf-8")
        assert "prefers-color-scheme" not in drawn  # the page turns its colours, and knows which theme it has
        assert drawn == PREFERS_DARK.sub("", (ARTICLES / address).read_text(encoding="utf-8"))


def test_a_dark_page_turns_the_colours_of_charts_and_of_no_photograph():
    made = next(each for each in articles.pages(Site.of(["08_01"])) if isinstance(each, Page))
    kinds = re.findall(r'<img src="\.\./figures/08_01_(\w+)\.svg" class="(\w+)"', made.values["html"])
    assert dict(kinds)["slices"] == "picture"
    made = next(each for each in articles.pages(Site.of(["01_02"])) if isinstance(each, Page))
    assert 'figures/01_02_u_curve.svg" class="chart"' in made.values["html"]


def test_the_generated_lines_become_the_frame_of_the_page(site):
    html = page(site, FIRST)
    assert "Part 1 of" not in html
    assert "part 1 of 40" in html
    article, _, after = html.partition("</article>")
    assert "zarr-python 3" in article.partition("<footer>")[2]
    assert '<a rel="next" href="02_chunking_is_the_index.html">' in after
    assert 'rel="prev"' not in after
    assert 'rel="prev" href="01_first_zarr_array.html"' in page(site, SECOND)
    assert 'rel="next"' not in page(site, SECOND)  # the third has no page here


def test_the_lesson_is_one_click_away(site):
    html = page(site, FIRST)
    lesson = next(notebook for notebook in list_notebooks() if notebook.id == "01_01")
    section = html.partition('<section class="lesson"')[2]
    assert lesson.question in unescape(section)
    assert '<a class="button" href="../lessons/01_01.html">' in section


def test_a_link_leads_to_a_page_of_the_site_or_is_plain_text(site):
    html = page(site, FIRST)
    assert '<a href="../glossary.html#fill-value">fill value</a>' in html
    assert '<a href="../lessons/01_01.html">a notebook</a>' in html
    assert ".ipynb" not in html
    assert ".md" not in html


def test_the_list_has_each_article_once_in_its_area(site):
    html = (site / "articles.html").read_text(encoding="utf-8")
    assert re.findall(r'<h3><a href="([^"]+)"', html) == [f"articles/{FIRST}.html", f"articles/{SECOND}.html"]
    assert re.findall(r'<h2 id="area-\d">([^<]+)</h2>', html) == ["Zarr itself"]
    assert source(FIRST)[0]["subtitle"] in unescape(html)


def test_the_feed_has_absolute_addresses_and_is_there_with_a_base_address_only(site, tmp_path):
    channel = ElementTree.parse(site / "feed.xml").getroot().find("channel")
    assert [channel.find(name) is not None for name in ("title", "link", "description")] == [True] * 3
    items = channel.findall("item")
    links = [item.find("link").text for item in items]
    assert links == [item.find("guid").text for item in items]
    assert links == [f"{BASE}articles/{name}.html" for name in (SECOND, FIRST)]
    assert [item.find("title").text for item in items] == [source(name)[0]["title"] for name in (SECOND, FIRST)]
    assert '<link rel="alternate" type="application/rss+xml"' in page(site, FIRST)

    made = list(articles.pages(Site.of(["01_01"])))
    assert "feed.xml" not in [each.path for each in made]
    assert [each.canonical for each in made if isinstance(each, Page)] == [None, None]


def test_the_search_knows_the_sections(site):
    made = next(each for each in articles.pages(Site.of(["01_01"])) if isinstance(each, Page))
    (first, opening), *rest = made.searched
    assert first == ""
    assert "You have an array of a million numbers." in opening
    assert [anchor for anchor, _ in rest] == re.findall(r'<h2 id="([^"]+)">', made.values["html"])
    assert dict(rest)["two-formats-the-same-bytes"].startswith("Two formats, the same bytes There are two versions")


@pytest.mark.parametrize("line", ["title: ", "notebook: 99_99"])
def test_an_article_whose_head_lacks_something_is_one_sentence(tmp_path, line):
    name = line.partition(":")[0]
    path = tmp_path / f"{FIRST}.md"
    text = (ARTICLES / path.name).read_text(encoding="utf-8")
    path.write_text(re.sub(rf"^{name}: .*$", line, text, flags=re.MULTILINE), encoding="utf-8")
    with pytest.raises(GalleryError, match=rf"article {FIRST}: expected a line '{name}: .*found none; try"):
        articles._front(Site.of(["01_01"]), path, 1)


def test_a_picture_alone_is_a_figure_and_italics_below_it_its_caption():
    assert figures('<p><img src="a" alt="b"></p>\n<p><em>What it shows.</em></p>\n') == (
        '<figure><img src="a" alt="b"><figcaption>What it shows.</figcaption></figure>\n'
    )
    assert figures('<p><img src="a" alt="b"></p>\n<p>No caption.</p>') == (
        '<figure><img src="a" alt="b"></figure>\n<p>No caption.</p>'
    )


# Where numbers come from. What a person found in three lessons, by reading them:

CHECKED = {
    "01_first_zarr_array": {
        "56,824": "56,824 bytes in the store",
        "1,000,000": "40 GB declared, 1,000,000 chunks, 4 stored",
        "28.90": "land share of the Earth: 28.90% before, 28.67% after",
        "28.67": "land share of the Earth: 28.90% before, 28.67% after",
        "3,983,980,000": "sum of everything: 3,983,980,000, by Gauss's formula: 3,983,980,000",
        "14,054": "one value   1   14,054   40,000   4   10,000",
        "56,236": "10 x 10, on a corner   4   56,236   160,000   400   400",
        "360,000": "9 chunks, 250,000 bytes of values, 360,000 bytes stored",
        "137": "a[137, 42] is at (37, 42) in chunk (1, 0)",
    },
    "21_risk_grids": {
        "16.06": "portfolio 3  loses  16.06 dollars in its twelfth worst month, 193112",
        "38.06": "together   loses  38.06 dollars in its twelfth worst month, 193302",
        "2,738": "all 200 portfolios: 2,738 dollars; their VaRs added up: 3,268",
        "2,400": "one scenario of 2,400 B: 25 reads and 25 writes",
        "21": "after a breach: 11 of 53 months, 21 %",
        "1931": "bad_months.append(int(months[at]))",  # computed, and not printed
        "1926": None,  # stands in the facts alone
        "120": None,  # the window is a constant
    },
    "35_iot_sensor_fleets": {
        "3,345": "28 chunks are written 3,345 times: 119.5 times each, one of them 630",
        "45.57": "close  378 minutes after midnight:   45.57 writes of each chunk",
        "907": "at most 1.1 writes: wait 907 minutes, 2.4 times the mean delay",
        "19,249": "24 of 19,249 half hours are missing, in 2 gaps: [1, 23]",
        "15.6": "a late reading comes 6.3 hours late on average, 15.6 at most",
    },
}


@pytest.fixture(scope="module")
def linked():
    """By article: its HTML, and the cells of its lesson by id."""
    found = {}
    for name in CHECKED:
        lesson = source(name)[0]["notebook"]
        made = next(each for each in articles.pages(Site.of([lesson])) if isinstance(each, Page))
        notebook = made.values["lesson"]
        cells = {cell["id"]: cell for cell in loads(notebook.ipynb.read_text(encoding="utf-8"))["cells"]}
        found[name] = made.values["html"], cells
    return found


@pytest.mark.parametrize("name", CHECKED)
def test_numbers_lead_where_a_person_found_them(linked, name):
    lines = {}
    for written, _, _, line in by_number(linked[name][0]):
        lines.setdefault(written, set()).add(line)
    assert {number: lines.get(number) for number in CHECKED[name]} == {
        number: line and {line} for number, line in CHECKED[name].items()
    }


@pytest.mark.parametrize("name", CHECKED)
def test_each_link_leads_to_a_cell_that_has_the_number(linked, name):
    html, cells = linked[name]
    links = by_number(html)
    assert len(links) > 25
    for written, href, where, line in links:
        lesson, _, anchor = href.partition("#cell-")
        assert lesson == f"../lessons/{source(name)[0]['notebook']}.html"
        cell = cells[anchor]
        kind = "prints" if where.endswith("prints") else "computes"
        assert where == f"Cell {cell['execution_count']} of the lesson {kind}"
        if kind == "prints":
            assert any(origins.shows(found[0], written) for found in origins.NUMBER.finditer(line)), (written, line)
            shown = json.dumps(cell["outputs"], ensure_ascii=False)
            assert max(re.split(r"\s{2,}|\.\.\.", line), key=len).replace('"', '\\"').strip() in re.sub(
                r"\s+", " ", shown
            )


def test_numbers_of_one_digit_of_code_of_links_of_headings_and_of_the_bridge_are_left_alone(linked):
    html = linked[FIRST][0]
    for tag in ("code", "pre", "h2"):
        assert not any("number" in inside for inside in re.findall(rf"<{tag}\b.*?</{tag}>", html, re.DOTALL))
    assert "number" not in re.search(r"<table>\s*<thead>\s*<tr>\s*<th>here.*?</table>", html, re.DOTALL)[0]
    assert min(len(re.sub(r"\D", "", written)) for written, *_ in by_number(html)) >= 2


@pytest.fixture
def lesson():
    """Make a built lesson: its cells as pairs (code, output), and its facts; the last cell saves them."""

    def make(cells, facts, saved):
        every = [(code, printed, []) for code, printed in cells] + [(f"save_facts(out, {saved})", "", ["facts"])]
        built = [
            {
                "cell_type": "code",
                "id": f"cell{number}",
                "metadata": {"tags": tags},
                "source": code,
                "execution_count": number,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": printed}] if printed else [],
            }
            for number, (code, printed, tags) in enumerate(every, 1)
        ]
        return origins.Origins(built, facts)

    return make


def of(made, written, text):
    found = made.of(written, text, text.index(written))
    return found and (found.number, found.line, found.printed)


def test_the_same_number_in_two_outputs_is_told_apart_by_what_it_counts(lesson):
    made = lesson(
        [("rows = 48\nprint(rows)", "48 rows of a table\n"), ("asked = 48\nprint(asked)", "48 requests for the map\n")],
        {"rows": 48, "requests": 48},
        '{"rows": rows, "requests": asked}',
    )
    assert of(made, "48", "The map takes 48 requests.") == (2, "48 requests for the map", True)
    assert of(made, "48", "It has 48 rows.") == (1, "48 rows of a table", True)
    assert of(made, "48", "After 48 it stops.") is None


def test_a_number_that_two_quantities_can_be_is_left_alone(lesson):
    made = lesson(
        [("a = 60\nprint(a)", "60 chunks are read\n"), ("b = 60\nprint(b)", "60 chunks are written\n")],
        {"chunks_before": 60, "chunks_after": 60},
        '{"chunks_before": a, "chunks_after": b}',
    )
    assert of(made, "60", "There are 60 chunks.") is None
    assert of(made, "60", "There are 60 chunks that are written.") == (2, "60 chunks are written", True)


def test_a_unit_that_differs_is_another_quantity(lesson):
    made = lesson(
        [("n = 384\nprint(n)", "384 B in a vector\n")], {"numbers_in_a_vector": 384}, '{"numbers_in_a_vector": n}'
    )
    assert of(made, "384", "It sends 384 requests for a vector.") is None
    assert of(made, "384", "It takes 384 bytes for a vector.") == (1, "384 B in a vector", True)


def test_what_no_cell_prints_leads_to_the_code_that_computes_it(lesson):
    cells = [("waits = []", ""), ("waits.append(15.25)\nmean = sum(waits)", ""), ("print('done')", "done\n")]
    made = lesson(cells, {"mean_wait": 15.25, "other": 7}, '{"mean_wait": mean / 1, "other": 7}')
    assert of(made, "15.25", "A wait of 15.25 hours.") == (2, "mean = sum(waits)", False)
    assert of(made, "15.2", "A wait of 15.2 hours.") == (2, "mean = sum(waits)", False)
    assert of(made, "15.20", "A wait of 15.20 hours.") is None  # not that number


def test_a_number_that_is_no_fact_or_has_one_digit_has_no_origin(lesson):
    made = lesson([("n = 1234\nprint(n)", "1,234 rows, 7 columns\n")], {"rows": 4321, "columns": 7}, '{"rows": n}')
    assert of(made, "1,234", "It has 1,234 rows.") is None
    assert of(made, "7", "It has 7 columns.") is None


def test_a_long_line_is_cut_around_the_number(lesson):
    line = " ".join([*["word"] * 60, "7,654 rows", *["more"] * 60])
    made = lesson([("n = 7654\nprint(n)", line)], {"rows": 7654}, '{"rows": n}')
    _, shown, _ = of(made, "7,654", "It has 7,654 rows.")
    assert len(shown) <= origins.LONGEST + 8
    assert "7,654 rows" in shown
    assert shown.startswith("... ")
    assert shown.endswith(" ...")


def test_what_a_cell_prints_is_escaped(lesson):
    evil = '5,432 rows "<script>alert(1)</script>'
    made = lesson([("n = 5432\nprint(n)", evil)], {"rows": 5432}, '{"rows": n}')
    html, found, asked = origins.link_numbers("<p>It has 5,432 rows.</p>", made, "x.html", {"5,432"})
    assert (found, asked) == (1, 1)
    assert "<script>" not in html
    [(written, href, where, line)] = by_number(html)
    assert (written, href, where, line) == ("5,432", "x.html#cell-cell1", "Cell 1 of the lesson prints", evil)


def test_a_cell_of_a_table_is_read_with_its_row_and_the_head_of_its_column(lesson):
    made = lesson(
        [("costs = {}\nprint(costs)", "one row      10      20\n")], {"costs": {"row": [10, 20]}}, '{"costs": costs}'
    )
    table = (
        "<table>\n<thead>\n<tr>\n<th>you ask for</th>\n<th>requests</th>\n<th>bytes</th>\n</tr>\n</thead>\n<tbody>\n"
        "<tr>\n<td>one row</td>\n<td>10</td>\n<td>20</td>\n</tr>\n</tbody>\n</table>\n"
    )
    html, found, asked = origins.link_numbers(table, made, "x.html", {"10", "20"})
    assert (found, asked) == (2, 2)
    assert LINK.sub(r"\4", html) == table
