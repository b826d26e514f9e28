"""A table of signs on coloured tiles, in panels side by side: for outcomes, which are few and have no order.

Colour alone tells some readers nothing, and nobody anything in a grey print, so every tile has a sign as well, and the
legend has words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tutorial_zarr.viz.chart import GREY, canvas

Sign = tuple[str, str, str, str]  # words, colour of the tile, sign, colour of the sign
HALF = 0.45  # of a tile's side; the rest is the gap


def sign_table(
    panels: Mapping[str, Mapping[str, Sequence[str]]], heads: Sequence[str], signs: Mapping[str, Sign]
) -> Any:
    """A figure. `panels` has for each panel and row the name of a sign for each of the columns, whose `heads` stand
    upright above them.
    """
    longest = max(len(rows) for rows in panels.values())
    across = min(2, len(panels))
    down = -(-len(panels) // across)
    wide = min(7.2, max(5.4, across * (1.6 + 0.22 * len(heads))))  # inches; a column of text has no more
    figure, axes = canvas(wide, 0.6 + down * (1.45 + 0.205 * longest), down, across, squeeze=False)
    for panel in axes.flat[len(panels) :]:
        panel.set_axis_off()
    for panel, (title, rows) in zip(axes.flat, panels.items(), strict=False):
        places: dict[str, list[tuple[int, int]]] = {}
        for y, row in enumerate(rows.values()):
            for x, name in enumerate(row):
                places.setdefault(name, []).append((x, y))
        for name, cells in places.items():
            _draw(panel, cells, signs[name])
        panel.set(xlim=(-0.5, len(heads) - 0.5), ylim=(longest - 0.5, -0.5), aspect="equal")
        panel.set_xticks(range(len(heads)), heads, rotation=90, fontsize=8)
        panel.set_yticks(range(len(rows)), list(rows), fontsize=8)
        panel.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=2)
        panel.set_title(title, fontsize=10)
        panel.spines[:].set_visible(False)
    found = {name for rows in panels.values() for row in rows.values() for name in row}
    _legend(figure, [sign for name, sign in signs.items() if name in found])
    return figure


def _draw(panel: Any, cells: list[tuple[int, int]], look: Sign) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    _, colour, sign, ink = look
    corners = ((-HALF, -HALF), (HALF, -HALF), (HALF, HALF), (-HALF, HALF), (-HALF, -HALF))
    tiles = [Path([(x + dx, y + dy) for dx, dy in corners], closed=True) for x, y in cells]
    panel.add_artist(PathPatch(Path.make_compound_path(*tiles), facecolor=colour, linewidth=0))  # one path for all
    if sign:
        panel.scatter(*zip(*cells, strict=True), marker=_letter(sign), s=64, color=ink, linewidths=0, zorder=3)


def _letter(sign: str) -> Any:
    """The sign as a marker, which is drawn once however often it stands in the picture."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    path = TextPath((0, 0), sign, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))


def _legend(figure: Any, shown: list[Sign]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=colour, edgecolor=GREY, linewidth=0.4) for _, colour, _, _ in shown]
    labels = [f"{sign}  {words}" if sign else words for words, _, sign, _ in shown]
    figure.legend(handles, labels, loc="outside lower center", ncols=min(2, len(shown)), fontsize=8, handlelength=1)
