"""Sliders in a notebook, with a picture in their place wherever a page shows none.

A notebook that is stored, or opened without ipywidgets, has the picture; and it is the same notebook with ipywidgets
and without, since a widget's own number is left out when it is built (`gallery.source`).

>>> with_picture(None, "a picture")
'a picture'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def widgets() -> Any:
    """The package ipywidgets; None where it is not installed."""
    try:
        import ipywidgets
    except ModuleNotFoundError:
        return None
    return ipywidgets


def with_picture(parts: Sequence[Any] | None, picture: Any) -> Any:
    """Widgets in a column, with the picture for pages that show no widgets; without widgets, the picture."""
    if parts is None:
        return picture

    class Shown(widgets().VBox):  # type: ignore[misc]  # the package may be absent
        def _repr_mimebundle_(self, **options: Any) -> Any:
            data, metadata = _bundle(picture)
            return {**super()._repr_mimebundle_(**options), **data}, metadata

    return Shown(list(parts))


def slide(draw: Callable[[Any], Any], **choice: Sequence[Any]) -> Any:
    """A slider over the values of one name, and below it the picture of the value: ``slide(draw, mm=(100, 50))``.

    Where there are no sliders, the picture of the first value. Pictures are SVG, in their attribute `svg`.
    """
    [(name, values)] = choice.items()
    first, package = draw(values[0]), widgets()
    if package is None:
        return first
    slider = package.SelectionSlider(options=list(values), value=values[0], description=name)
    shown = package.HTML(first.svg)

    def show(_: Any) -> None:
        shown.value = draw(slider.value).svg

    slider.observe(show, "value")
    return with_picture([slider, shown], first)


def _bundle(picture: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a notebook stores of a picture: data and metadata by kind."""
    if hasattr(picture, "_repr_mimebundle_"):
        found = picture._repr_mimebundle_()
        data, metadata = found if isinstance(found, tuple) else (found, {})
        return {"text/plain": repr(picture), **data}, metadata
    return {"text/plain": repr(picture), "text/html": picture._repr_html_()}, {}
