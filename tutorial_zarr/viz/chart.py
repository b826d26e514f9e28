"""Charts of measurements, drawn with matplotlib: a canvas in the colours of the other pictures, and a
`Chart` that brings its description and is the same bytes every time.

Leaves out what a chart shows, which is a lesson's own, and pictures of arrays, which are in `chunk_grid` and
`anatomy` and need no matplotlib.

Colours: Okabe and Ito's, which stay apart for every common kind of colour-blindness::

    figure, axes = viz.canvas()
    axes.bar(["small", "large"], [16, 1])
    viz.Chart.of(figure, "Requests for two layouts", "Bars: the small chunks cost 16 requests, the large ones 1.")

>>> print(Chart("<svg/>", "Bars: the small chunks cost 16 requests, the large ones 1."))
Bars: the small chunks cost 16 requests, the large ones 1.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
from dataclasses import dataclass
from typing import Any

from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.viz.drawing import COLOURS, Picture
from tutorial_zarr.words import plain_lines

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"
GREY = COLOURS["edge"][0]
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
DOTS_PER_INCH = 150
COLUMN = 700  # pixels: how wide a column of text is in a notebook or in an article
SMALLEST = "Smallest text"  # what a PNG calls the size of its smallest letters in such a column
AXES, UNEQUAL = "Axes", "Axes differ"  # and its axes with their limits, and the reason why some differ

STYLE = {
    "font.family": "DejaVu Sans",  # matplotlib brings it, so every machine draws the same
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": COLOURS["text"][0],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": COLOURS["text"][0],
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": COLOURS["text"][0],
    "ytick.labelcolor": COLOURS["text"][0],
    "grid.color": COLOURS["line"][0],
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "tutorial_zarr",  # else the ids in an SVG are random
}


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            "viz.canvas: a chart needs matplotlib, which is not installed; "
            'try: python -m pip install "tutorial_zarr[gallery]"'
        ) from missing
    return matplotlib


def canvas(wide: float = 7.0, high: float = 3.6, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure and its axes, styled; what `Figure.subplots` takes can be given. Sizes are in inches.

    The style stays on in this process, as matplotlib looks much of it up when a title or a legend is drawn.
    """
    matplotlib = _matplotlib()
    from cycler import cycler
    from matplotlib.figure import Figure  # without pyplot, so no figure outlives its cell
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    matplotlib.rcParams.update({**STYLE, "axes.prop_cycle": cycler(color=CYCLE)})
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)  # inches to the edge, so that no letter is cut
    figure = Figure(figsize=(wide, high), layout=engine)
    return figure, figure.subplots(rows, columns, **options)


def prefixed(unit: str = "") -> Any:
    """A formatter of an axis that writes 100,000 bytes as 100 kB: ``axis.set_major_formatter(prefixed("B"))``."""
    _matplotlib()
    from matplotlib.ticker import EngFormatter

    return EngFormatter(unit)


def smallest_text(svg: str) -> float | None:
    """The size of the smallest letters of an SVG in a column of `COLUMN` pixels, in pixels; None without text.

    An SVG of matplotlib's says its letters as outlines, scaled from a hundred points, and its width in points.
    """
    width = re.search(r'\bwidth="([\d.]+)(pt)?"', svg)
    sizes = [float(size) for size in re.findall(r'\bfont-size="([\d.]+)"', svg)]
    sizes += [100 * float(scale) for scale in re.findall(r"scale\(([\d.]+) -[\d.]+\)", svg)]
    if width is None or not sizes:
        return None
    to_pixels = 96 / 72 if width[2] else 1.0
    return min(sizes) * to_pixels * min(1.0, COLUMN / (float(width[1]) * to_pixels))


def _axes_of(figure: Any) -> list[list[Any]]:
    """The axes of a figure that say what they measure: direction, label, limits, scale, and how much a dot is.

    A label stands once for the panels of a row or of a column.
    """
    found = []
    panels = [panel for panel in figure.axes if panel.axison and panel.get_visible()]
    for side, whole in (("x", figure.get_supxlabel()), ("y", figure.get_supylabel())):
        labels = {panel: getattr(panel, f"get_{side}label")() for panel in panels}
        for panel in panels:
            low, high = getattr(panel, f"get_{side}lim")()
            if not len(getattr(panel, f"get_{side}ticks")()):
                continue
            in_line = [labels[other] for other in panels if labels[other] and _in_line(panel, other, side)]
            label = labels[panel] or whole or next(iter(in_line), "")
            dots = getattr(panel.get_window_extent(), "width" if side == "x" else "height")
            low, high, a_dot = (float(f"{number:.6g}") for number in (low, high, (high - low) / dots))
            found.append([side, label, low, high, getattr(panel, f"get_{side}scale")(), a_dot])
    return [axis for axis in found if axis[1]]


def _in_line(panel: Any, other: Any, side: str) -> bool:
    """Whether two panels stand in one column (for x) or row (for y) of the same grid."""
    places = [each.get_subplotspec() for each in (panel, other)]
    if None in places or len({place.get_gridspec() for place in places}) > 1:
        return False
    spans = [place.colspan if side == "x" else place.rowspan for place in places]
    return bool(spans[0] == spans[1])


@dataclass(frozen=True)
class Chart(Picture):
    """A chart as SVG, as PNG, and in words. A notebook shows the PNG, which nbval does not compare."""

    png: bytes = b""

    @classmethod
    def of(cls, figure: Any, title: str, alt: str, unequal: str = "") -> Chart:
        """Draw a matplotlib figure.

        title    what it shows, in a few words
        alt      what is to be seen on it, with its numbers, for those who cannot see it
        unequal  why two axes with one label have different limits; without a reason `gallery check` refuses them
        """
        matplotlib = _matplotlib()
        svg, png = io.BytesIO(), io.BytesIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}  # no clock, no version
        matplotlib.rcParams.update(STYLE)
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        # `figure.savefig` would look for the layout each time, and draw everything once more for it.
        layout, dots = figure.get_layout_engine(), figure.dpi
        FigureCanvasSVG(figure).print_svg(svg, metadata=nothing)
        figure.set_layout_engine("none")  # the places are found
        figure.set_dpi(DOTS_PER_INCH)
        letters = f"{smallest_text(svg.getvalue().decode('utf-8')) or 0:.1f}"
        about = {"Software": None, SMALLEST: letters, AXES: json.dumps(_axes_of(figure))}
        about |= {UNEQUAL: plain_lines(unequal)} if unequal else {}
        FigureCanvasAgg(figure).print_png(png, metadata=about)
        figure.set_layout_engine(layout)
        figure.set_dpi(dots)
        title, alt = plain_lines(title), plain_lines(alt)
        words = f"<title>{html.escape(title)}</title><desc>{html.escape(alt)}</desc>"
        drawn = svg.getvalue().decode("utf-8").partition("<svg ")[2]
        head, _, rest = drawn.partition(">")
        return cls(f'<svg role="img" {head}>{words}{rest}', alt, png.getvalue())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        data = {"image/png": base64.b64encode(self.png).decode("ascii"), "text/plain": self.alt}
        width = int.from_bytes(self.png[16:20], "big")  # the header says how wide the PNG is
        return data, {"image/png": {"width": round(width * 96 / DOTS_PER_INCH)}}
