"""The gates for figures: each finds a fault that was planted, and none finds one in a picture that is right."""

import io
import json
import re
import shutil

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import gallery, viz
from tutorial_zarr.gallery.catalogue import ROOT
from tutorial_zarr.viz.drawing import COLOURS
from tutorial_zarr.viz.drawing.svg import draw, rect, text

pytest.importorskip("resvg_py")
pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")
pictures = pytest.importorskip("tutorial_zarr.gallery.pictures")


def island():
    """Values with something in the middle, in chunks that are all stored."""
    values = np.zeros((40, 60), "uint8")
    values[10:30, 20:40], values[15:25, 25:35] = 10, 90
    stored = [(row, column) for row in range(4) for column in range(6)]
    return values, {"shape": values.shape, "chunks": (10, 10), "stored": stored}


def grid_with_values():
    values, plan = island()
    return viz.chunk_grid(values=values, **plan).svg


def chart(size=10, high=3.0, at=0.5):
    figure, panel = viz.canvas(6, high)
    panel.plot([0, 1], [0, 1])
    panel.set_title("A line that rises", fontsize=size)
    figure.text(at, 0.5, "a word upon it")
    return viz.Chart.of(figure, "A line", "A line that rises from nought to one.")


def colours(svg, dark=False):
    pixels = np.asarray(Image.open(io.BytesIO(pictures.rasterize(svg, 700, dark))).convert("RGB"))
    return {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()}


def rgb(name, dark):
    return tuple(bytes.fromhex(COLOURS[name][dark][1:]))


# --- what is right ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", [grid_with_values, lambda: chart().svg, lambda: chart().png])
def test_a_picture_that_is_right_has_no_faults(picture):
    assert pictures.faults(picture()) == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_silhouette_is_seen_upon_the_cells_on_light_and_dark_pages(dark):
    found = colours(grid_with_values(), dark)
    for name in ("page", "tint", "low", "high"):
        assert rgb(name, dark) in found, name
    _, plan = island()
    without = colours(viz.chunk_grid(**plan).svg, dark)
    assert rgb("high", dark) not in without
    assert rgb("stored", dark) in without


def test_a_picture_of_very_many_marks_is_named_with_a_way_to_draw_it_small():
    figure, axes = viz.canvas(4, 2)
    axes.scatter(range(5_000), range(5_000), s=1)
    [fault] = pictures.faults(viz.Chart.of(figure, "Dots", "Dots on a line.").svg)
    assert re.fullmatch(
        r"expected an SVG of at most 250,000 bytes, found \d{3},\d{3}; draw fewer .*rasterized=True.*", fault
    )
    axes.collections[0].set_rasterized(True)
    assert pictures.faults(viz.Chart.of(figure, "Dots", "Dots on a line.").svg) == []


def test_a_chart_is_white_on_a_dark_page_too():
    assert pictures.rasterize(chart().svg, 300) == pictures.rasterize(chart().svg, 300, dark=True)


# --- what is wrong ------------------------------------------------------------------------------------------


def beneath(svg):
    """The silhouette drawn before the cells, which then lie upon it."""
    silhouette = re.search(r"<g transform.*?</g>", svg)[0]
    return svg.replace(silhouette, "").replace('<path class="tz-tint"', f'{silhouette}<path class="tz-tint"', 1)


def drawn(*parts, wide=400):
    square = rect(100, 50, 100, 90, "tz-stored")
    return draw("A picture", "A picture of a square and a word.", wide, 200, [square, *parts]).svg


def repainted(png, change):
    """The PNG with other pixels and the same words about itself."""
    from PIL.PngImagePlugin import PngInfo

    image = Image.open(io.BytesIO(png))
    about, out = PngInfo(), io.BytesIO()
    for key, value in image.info.items():
        if isinstance(value, str):
            about.add_text(key, value)
    pixels = np.array(image.convert("RGB"))
    change(pixels)
    Image.fromarray(pixels).save(out, "PNG", pnginfo=about)
    return out.getvalue()


def panels(limits=((0, 10), (0, 100)), labels=("seconds", "seconds"), unequal="", scales=("linear",) * 2, **options):
    """Two panels, one beside or below the other."""
    figure, both = viz.canvas(6, 3.0, **{"columns": 2, **options})
    for panel, xlim, label, scale in zip(both, limits, labels, scales, strict=True):
        panel.set(xscale=scale, xlim=xlim, xlabel=label, ylim=(0, 1), ylabel="share")
        panel.plot(xlim, [0, 1])
    return viz.Chart.of(figure, "Two lines", "Two lines that rise from nought to one.", unequal=unequal).png


def forgotten(png, *kept):
    """The PNG without its words about itself, but for those `kept`."""
    from PIL.PngImagePlugin import PngInfo

    image, about, out = Image.open(io.BytesIO(png)), PngInfo(), io.BytesIO()
    for name in kept:
        about.add_text(name, image.info[name])
    image.convert("RGB").save(out, "PNG", pnginfo=about)
    return out.getvalue()


PLANTED = {
    "the land lies beneath the cells": (lambda: beneath(grid_with_values()), "'tz-high', found the same picture"),
    "a word reaches over the right edge": (lambda: drawn(text(370, 100, "a long word")), "cut at the right"),
    "a word lies beyond the left edge": (lambda: drawn(text(-20, 100, "ab")), "cut at the left"),
    "a word reaches over the top": (lambda: drawn(text(100, 5, "above")), "cut at the top"),
    "a word reaches over the bottom": (lambda: drawn(text(100, 203, "below")), "cut at the bottom"),
    "a square covers a word": (lambda: drawn(text(120, 90, "a"), rect(100, 50, 100, 90, "tz-stored")), "'tz-text'"),
    "a chart's word reaches over the edge": (lambda: chart(at=0.9).svg, "cut at the right"),
    "a chart's word reaches over the edge, as PNG": (lambda: chart(at=0.9).png, "cut at the right"),
    "letters are small": (lambda: chart(size=5).svg, "found 6.7; draw it narrower"),
    "letters are small, as PNG": (lambda: chart(size=5).png, "found 6.7; draw it narrower"),
    "a picture is wide": (lambda: drawn(text(120, 40, "a word"), wide=1400), "found 6.5; draw it narrower"),
    "nothing is there": (lambda: draw("Nothing", "Nothing.", 400, 200, []).svg, "it is blank"),
    "nothing is there, as PNG": (lambda: repainted(chart().png, lambda pixels: pixels.fill(255)), "it is blank"),
    "all is black": (lambda: repainted(chart().png, lambda pixels: pixels[:, 8:].fill(0)), "is not black, found 99%"),
    "a PNG does not say its letters": (lambda: forgotten(chart().png), "says 'Smallest text'"),
    "a PNG does not say its axes": (lambda: forgotten(chart().png, "Smallest text"), "says 'Axes'"),
}  # fmt: skip


APART = {
    "limits": ({}, "found x axes 'seconds' of 0 to 10 (linear) and 0 to 100 (linear); try sharex, or say why"),
    "scales": ({"limits": [(1, 9)] * 2, "scales": ("linear", "log")}, "1 to 9 (linear) and 1 to 9 (log)"),
    "directions": ({"limits": [(0, 9), (9, 0)]}, "0 to 9 (linear) and 9 to 0 (linear)"),
    "steps": ({"width_ratios": (1, 3)}, "0 to 10 (linear) and 0 to 100"),
    "a label for both, below": ({"rows": 2, "columns": 1, "labels": ("", "seconds")}, "axes 'seconds' of 0 to 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", APART)
def test_two_axes_for_one_quantity_that_differ_are_found(name):
    options, expected = APART[name]
    found = pictures.faults(panels(**options))
    assert any(expected in fault for fault in found), found


TOGETHER = {
    "one axis": {"sharex": True, "limits": [(0, 10)] * 2},
    "two quantities": {"labels": ("seconds", "bytes")},
    "no label, in two columns": {"labels": ("", "seconds")},
    "a reason": {"unequal": "the right panel is a part of the left"},
    "equal steps": {"limits": [(0, 10), (0, 30)], "width_ratios": (1, 3)},
}


@pytest.mark.parametrize("name", TOGETHER)
def test_axes_that_can_be_compared_or_say_why_not_are_right(name):
    assert pictures.faults(panels(**TOGETHER[name])) == []


def test_a_label_of_the_whole_figure_is_that_of_each_panel():
    figure, both = viz.canvas(6, 3.0, columns=2)
    both[1].set(ylim=(0, 7))
    figure.supylabel("requests")
    for panel in both:
        panel.plot([0, 1], [0, 1])
    found = pictures.faults(viz.Chart.of(figure, "Two lines", "Two lines that rise.").png)
    assert any("found y axes 'requests' of" in fault for fault in found), found


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name):
    picture, expected = PLANTED[name]
    found = pictures.faults(picture())
    assert any(expected in fault for fault in found), found


def test_colours_of_custom_properties_are_drawn_and_not_black():
    found = colours(drawn(text(120, 40, "a word")))
    assert (0, 0, 0) not in found
    assert rgb("stored", dark=False) in found


# --- in the gallery -----------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path):
    """One notebook and its figures, to break."""
    for name in ("notebooks/01_core_zarr", "articles"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path / "notebooks"


def test_the_contract_names_the_figure_and_its_fault(copy):
    land = copy.parent / "articles" / "figures" / "01_01_land.svg"
    land.write_text(beneath(land.read_text(encoding="utf-8")), encoding="utf-8")
    found = [problem for problem in gallery.check(["01_01"], copy) if problem["where"] == "01_01_land.svg"]
    assert [problem["id"] for problem in found] == ["01_01", "01_01"]
    assert all("it is hidden" in problem["problem"] for problem in found)


def test_the_contact_sheet_has_every_figure_once_and_pictures_in_both_shades(copy, tmp_path):
    (first,) = gallery.list_notebooks(copy)[:1]
    known = {figure.alt: figure for figure in pictures.figures(first)}
    shades = sum(2 if "tz-page" in str(figure.data) else 1 for figure in known.values())
    assert pictures.contact_sheet(tmp_path / "sheet.png", ["01_01"], copy) == shades
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    for name, dark in (("high", False), ("high", True), ("page", True)):
        assert (np.abs(sheet.astype(int) - rgb(name, dark)).max(axis=2) < 3).any(), (name, dark)
    for path in copy.rglob("01_01*.ipynb"):
        path.unlink()
    shutil.rmtree(copy.parent / "articles" / "figures")
    with pytest.raises(gallery.GalleryError, match="expected notebooks with figures, found none"):
        pictures.contact_sheet(tmp_path / "sheet.png", ["01_01"], copy)


def test_the_command_lists_figures_with_their_letters(monkeypatch, capsys):
    from tutorial_zarr.cli import gallery as command

    assert command.figures(("01_04",), None, True) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["where"] for row in rows][-1] == "01_04_waterfall.svg"
    assert all(row["letters"] >= pictures.LEAST_LETTER and row["faults"] == [] for row in rows)
    monkeypatch.setattr(pictures, "faults", lambda data: ["it is blank"])
    assert command.figures(("01_04",), None, False) == 1


@pytest.mark.parametrize("suffix", ["ipynb", "facts.json"])
def test_a_file_that_a_merge_left_its_marks_in_is_named(copy, suffix):
    [file] = copy.rglob(f"01_01*.{suffix}")
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{{\n<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n", encoding="utf-8")
    marks = "the marks of a merge that was not resolved, in line 2"
    said = f"{file.name}: expected JSON as the build writes it, found {marks}"
    [problem] = gallery.articles.check_articles(["01"], copy)
    assert problem["problem"] == f"{said}; try: tutorial-zarr gallery build 01_01"
    if suffix == "ipynb":
        with pytest.raises(gallery.GalleryError, match=re.escape(said)):
            list(pictures.figures(gallery.list_notebooks(copy)[0]))
        file.write_text("[1", encoding="utf-8")
        with pytest.raises(gallery.GalleryError, match=r"as the build writes it, found something else \("):
            list(pictures.figures(gallery.list_notebooks(copy)[0]))


def test_a_merge_that_was_not_resolved_is_found_in_an_article(copy):
    file = copy.parent / "articles" / "01_first_zarr_array.md"
    file.write_text(file.read_text(encoding="utf-8") + "\n<<<<<<< HEAD\n", encoding="utf-8")
    found = [problem["problem"] for problem in gallery.articles.check_articles(["01"], copy)]
    assert any("expected none, found the marks of a merge that was not resolved, in line" in each for each in found)


def test_keys_are_not_broken_in_the_middle():
    a = zarr.create_array({}, shape=(4,), chunks=(2,), dtype="uint8", zarr_format=2)
    a[:] = 1
    page = viz.anatomy(a)._repr_html_()
    assert "<code>.zarray</code>" in page
    # "anywhere" lets a narrow column break a word at any letter; "break-word" only where it would not fit at all
    assert re.search(r"th code\{overflow-wrap:break-word\}", page)
