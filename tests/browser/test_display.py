"""The cards and pictures in a real browser: in light and dark, wide and narrow, with hostile names.

What is measured is what a reader gets: colours as they are computed, boxes as they are laid out.
"""

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import viz
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.viz import drawing

EVIL = "<img src=x onerror='window.hacked=1'>\"'><script>window.hacked=1</script></style></svg></details>"

# The colours of all text in cards and pictures, each with the ground it stands on, and the boxes that are too wide.
MEASURE = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
                            return (x + 0.05) / (y + 0.05); };
  const ground = node => { for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor); if (c.length === 3 || c[3] > 0) return c; }
      return [255, 255, 255]; };
  document.querySelectorAll('details').forEach(d => d.open = true);
  const faint = [], outside = [], wide = [];
  let texts = 0;
  for (const node of document.querySelectorAll('.tz-card *')) {
    const own = [...node.childNodes].some(c => c.nodeType === 3 && c.textContent.trim());
    if (!own || node.closest('svg') || !node.getClientRects().length || node.tagName === 'STYLE') continue;
    texts += 1;
    const found = ratio(parse(getComputedStyle(node).color), ground(node));
    if (found < 4.5) faint.push([node.textContent.slice(0, 40), found]);
  }
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const page = svg.querySelector('.tz-page'), stored = svg.querySelector('.tz-stored');
    const below = page ? parse(getComputedStyle(page).fill) : ground(svg);
    for (const text of svg.querySelectorAll('text')) {
      texts += 1;
      const on = text.classList.contains('tz-on') && stored ? parse(getComputedStyle(stored).fill) : below;
      const found = ratio(parse(getComputedStyle(text).fill), on);
      if (found < 4.5) faint.push([text.textContent, found]);
      const box = text.getBoundingClientRect();
      if (box.width && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
          || box.bottom > frame.bottom + 1)) outside.push(text.textContent);
    }
  }
  for (const card of document.querySelectorAll('.tz-card'))
    if (card.scrollWidth > card.clientWidth + 1) wide.push(card.getAttribute('aria-label'));
  return {texts, faint, outside, wide, ground: light(ground(document.querySelector('.tz-card'))),
          page: document.documentElement.scrollWidth - window.innerWidth, hacked: window.hacked || 0};
}"""


def shown():
    """Everything that shows itself on a page."""
    root = zarr.create_group({}, attributes={"title": "A hierarchy", EVIL: EVIL})
    tas = root.create_array(
        "climate/tas",
        shape=(365, 180, 360),
        chunks=(30, 60, 60),
        dtype="f4",
        fill_value=float("nan"),
        dimension_names=("time", "lat", "lon"),
        attributes={"units": "K", "history": "long " * 200, EVIL: [EVIL]},
    )
    tas[:40, :70, :100] = 280
    sharded = root.create_array("sharded", shape=(4096, 4096), chunks=(256, 256), shards=(1024, 1024), dtype="u2")
    sharded[:300, :300] = 7
    uneven = root.create_array("uneven", shape=(60, 100), chunks=((10, 20, 30), 25), dtype="u1")
    line = root.create_array("line", shape=(1000,), chunks=(64,), dtype="i8")
    evil = root.create_array(EVIL.replace("/", "|"), shape=(2, 2), dtype="u1")
    many = root.create_array("many", shape=(3, 12, 64, 512, 512), chunks=(1, 1, 16, 128, 128), dtype="u2")
    v2 = zarr.create_array({}, name="t", shape=(64, 64), chunks=(32, 32), dtype="i2", zarr_format=2)
    v3 = zarr.create_array({}, name="t", shape=(64, 64), chunks=(32, 32), dtype="i2", compressors="gzip")
    v2[...] = v3[...] = np.arange(64 * 64).reshape(64, 64)
    trace = TraceStore(MemoryStore())
    small = zarr.create_array(trace, name="a/b", shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="u1")
    small[:4] = 1
    assert small[1:7, 2].sum() == 3
    cards = [root, root.tree(), tas, tas.info_complete(), sharded, uneven, line, evil, many, v2, root.info_complete()]
    cards += [viz.chunk_bytes(sharded, (0, 0)), viz.chunk_bytes(v2, (1, 1)), viz.anatomy(v2, v3, chunk=(0, 0))]
    cards.append(viz.requests(trace, by="order"))
    touched = [((i, j), i == 1) for i in range(3) for j in (1, 2)]
    pictures = [
        viz.chunk_grid(tas, selection=np.s_[10:50, 20:90, 30:80]),
        viz.chunk_grid(sharded, selection=np.s_[100:2000, 50:1500]),
        viz.chunk_grid(line, selection=np.s_[10:500]),
        viz.chunk_grid(shape=(10**6, 10**6, 1000), chunks=(100, 100, 10)),
        drawing.selection_picture((60, 100), [(10, 20, 30), 25], touched=touched, names=("lat", "lon"), words=EVIL),
        drawing.selection_picture((64, 64), [4, 4], [16, 16], touched, selection=(range(2, 9), range(5, 11))),
        viz.anatomy(v2, v3).picture(),
    ]
    return "".join(card._repr_html_() for card in cards) + "".join(picture.svg for picture in pictures)


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The page as a file, as a notebook's export would be."""
    file = tmp_path_factory.mktemp("pages") / "all.html"
    body = shown()

    def write(head="", body_attributes="", root_attributes=""):
        start = f'<!doctype html><html lang="en" {root_attributes}><meta charset="utf-8"><title>All</title>{head}'
        file.write_text(f"{start}<body {body_attributes}>{body}</body></html>", encoding="utf-8")
        return file.as_uri()

    return write


def look(browser, address, scheme, width=920):
    """The measures of a page, and what it complained of."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append("a dialog"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    measures = page.evaluate(MEASURE)
    roles = page.get_by_role("img").count(), page.locator("svg").count(), page.get_by_role("rowheader").count()
    page.close()
    assert complaints == []
    assert asked == [address]  # the page itself, and nothing else
    assert measures["hacked"] == 0
    return measures, roles


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_legible_stays_in_its_place_and_fetches_nothing(browser, document, scheme):
    found, (images, drawings, headers) = look(browser, document(), scheme)
    assert found["texts"] > 500
    assert found["faint"] == []
    assert found["outside"] == []
    assert found["wide"] == []
    assert found["page"] <= 0
    assert (found["ground"] > 0.9) == (scheme == "light")
    assert images == drawings > 20  # every drawing is an image to a screen reader
    assert headers > 100


def test_on_a_narrow_page_nothing_reaches_over_its_edge(browser, document):
    found, _ = look(browser, document('<meta name="viewport" content="width=device-width">'), "light", width=380)
    assert found["page"] <= 0
    assert found["outside"] == []


DARK_HOSTS = {
    "jupyterlab": ("<style>:root{--jp-layout-color0:#111111}</style>", 'data-jp-theme-light="false"', ""),
    "vscode": ("<style>:root{--vscode-editor-background:#1e1e1e}</style>", 'class="vscode-dark"', ""),
    "sphinx": ("", "", 'data-theme="dark"'),
}
LIGHT_HOSTS = {
    "jupyterlab": ("<style>:root{--jp-layout-color0:white}</style>", 'data-jp-theme-light="true"', ""),
    "vscode": ("<style>:root{--vscode-editor-background:#ffffff}</style>", 'class="vscode-light"', ""),
    "sphinx": ("", "", 'data-theme="light"'),
}


@pytest.mark.parametrize("host", DARK_HOSTS)
def test_a_host_that_says_dark_or_light_is_followed_whatever_the_system_says(browser, document, host):
    dark, _ = look(browser, document(*DARK_HOSTS[host]), "light")
    light, _ = look(browser, document(*LIGHT_HOSTS[host]), "dark")
    assert dark["ground"] < 0.02
    assert light["ground"] > 0.9
    assert dark["faint"] == light["faint"] == []


# What a notebook's own style must not do to a card: it sets numbers to the right, stripes rows, shades code.
STYLED = """() => {
  const style = (selector, name) => [...new Set([...document.querySelectorAll(`.tz-card ${selector}`)].map(
    node => getComputedStyle(node)[name]))];
  return {cells: style('th', 'textAlign').concat(style('td:not(.tz-number)', 'textAlign')),
          rows: style('tbody tr', 'backgroundColor'), code: style('td code', 'backgroundColor'),
          lists: style('ul', 'listStyleType'), faint: (%s)().faint};
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_notebook_page_does_not_restyle_the_cards(browser, tmp_path, theme):
    reason = "nbconvert is not installed: no notebook page to stand in"
    exporter = pytest.importorskip("nbconvert", reason=reason).HTMLExporter(theme=theme)
    from nbformat import v4

    array = zarr.create_array({}, shape=(64, 64), chunks=(8, 8), shards=(32, 32), dtype="f4", attributes={"unit": "K"})
    array[:8] = 1
    root = zarr.create_group({})
    root.create_array("a/b", shape=(3,), dtype="u1")
    shown = [array, root.tree(), viz.chunk_bytes(array, (0, 0))]
    outputs = [v4.new_output("display_data", {"text/html": node._repr_html_()}) for node in shown]
    html, _ = exporter.from_notebook_node(v4.new_notebook(cells=[v4.new_code_cell("shown", outputs=outputs)]))
    file = tmp_path / "notebook.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page(color_scheme="light", viewport={"width": 920, "height": 800})
    # What the exporter's own page would fetch is not needed here
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(file.as_uri())
    found = page.evaluate(STYLED % MEASURE)
    page.close()
    assert set(found["cells"]) == {"left"}
    assert set(found["rows"]) == set(found["code"]) == {"rgba(0, 0, 0, 0)"}
    assert set(found["lists"]) == {"none"}
    assert found["faint"] == []


def test_a_key_stays_on_one_line_however_narrow_the_page(browser):
    arrays = [zarr.create_array({}, shape=(4,), chunks=(2,), dtype="uint8", zarr_format=version) for version in (2, 3)]
    page = browser.new_page(viewport={"width": 420, "height": 800})
    page.set_content(viz.anatomy(*arrays, names=["Zarr v2", "Zarr v3"])._repr_html_())
    lines = page.evaluate(
        """() => [...document.querySelectorAll('th code')].map(node => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return [node.textContent, new Set([...range.getClientRects()].map(box => box.top)).size];
        })"""
    )
    page.close()
    assert [".zarray", 1] in lines
    assert ["zarr.json", 1] in lines
