"""The first page, with a card for each lesson, and the map of them."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, passport
from tutorial_zarr.gallery.pictures import Figure, figures
from tutorial_zarr.gallery.series import AREAS
from tutorial_zarr.gallery.site import facets, routes
from tutorial_zarr.gallery.site.markup import need, script
from tutorial_zarr.gallery.site.pages import File, Page, Site, lesson_path

HERO = re.compile(r"!\[([^\]]*)\]\(\S*?([\w-]+\.svg)\)")
WIDE, FLAT, COLOURS = 480, 0.6, 48  # of a thumbnail: pixels across, the most height as a part of that, colours
TIMES = {45: "45 minutes", 90: "90 minutes", 180: "Half a day", 360: "A day"}
MOST = 600  # minutes that one may ask for
# The map, in pixels: a box and the gaps around it, the name of an area; how many letters of a title fit on a line.
BOX, TALL, ACROSS, DOWN, NAME, LETTERS = 212, 64, 40, 10, 34, 24


def pages(site: Site) -> Iterator[Page | File]:
    """The first page with its thumbnails, and the map with the routes by minutes."""
    cards = [_card(notebook) for notebook in site.notebooks]
    yield from (file for card in cards for file in card["files"])
    areas = {area: [card for card in cards if area in card["values"]["area"]] for area in AREAS}
    values = {
        "areas": {area: inside for area, inside in areas.items() if inside},
        "facets": facets.facets(site.notebooks),
        "have": {notebook.id for notebook in site.notebooks},
    }
    said = f"{len(cards)} lessons that write Zarr from scratch and run; each asks one question and counts the cost."
    yield Page("index.html", "Zarr from scratch, in lessons that run", said, "index.html", values)
    yield from _map(site)


def _card(notebook: Notebook) -> dict[str, Any]:
    """What a card shows, and the files of its thumbnail: one, or one for each theme; the set-up check has none."""
    head = {"a title": notebook.title, "a question": notebook.question, "a level": notebook.level}
    head["what it needs"] = passport(notebook.head).get("Needs", "")
    if missing := [name for name, value in {**head, "a time": notebook.minutes}.items() if not value]:
        raise GalleryError(f"gallery site: lesson {notebook.id}: expected {missing[0]} in its head, found none")
    card = {
        "lesson": notebook,
        "path": lesson_path(notebook),
        "level": facets.word(notebook),
        "stars": "★" * facets.stars(notebook),
        "values": facets.values(notebook),
        "files": [],
    }
    found = HERO.search(notebook.head)
    if found is None:
        if notebook.needs:
            raise GalleryError(f"gallery site: lesson {notebook.id}: expected a picture in its head, found none")
        return card
    everything = list(figures(notebook))
    hero = next((figure for figure in everything if figure.where == found[2]), None)
    if hero is None or isinstance(hero.data, bytes):
        raise GalleryError(f"gallery site: lesson {notebook.id}: expected the picture {found[2]}, found no such file")
    # The same picture mostly stands in the notebook as pixels. One that does not knows a dark page: it is drawn twice.
    drawn = next((figure for figure in everything if figure.alt == hero.alt and isinstance(figure.data, bytes)), hero)
    names = {f"thumbs/{notebook.id}.png": False} | ({f"thumbs/{notebook.id}_dark.png": True} if drawn is hero else {})
    small = {name: _small(drawn, dark) for name, dark in names.items()}
    card["files"] = [File(name, data) for name, (data, _) in small.items()]
    card["alt"] = " ".join(found[1].split())
    card["size"] = (WIDE, next(iter(small.values()))[1])
    card["kind"] = "both" if drawn is hero else "photo" if "<image" in hero.data else "chart"
    return card


def _small(figure: Figure, dark: bool) -> tuple[bytes, int]:
    """A thumbnail as PNG of few colours, and its height: the upper part of a figure that is higher than FLAT allows."""
    need("PIL")
    from PIL import Image

    image = Image.open(io.BytesIO(figure.png(WIDE, dark))).convert("RGB")
    size = (WIDE, max(1, round(image.height * WIDE / image.width)))
    image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=1.0)
    image = image.crop((0, 0, WIDE, min(image.height, round(WIDE * FLAT))))
    out = io.BytesIO()
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue(), image.height


def _map(site: Site) -> Iterator[Page | File]:
    """The map of all lessons, and the routes; what has no page here is no link."""
    lessons = site.lessons
    timed = {area: routes.routes(lessons, area) for area in AREAS}
    values = {
        "lessons": lessons,
        "have": {notebook.id: lesson_path(notebook) for notebook in site.notebooks},
        "times": {f"{said}": {area: route(limit) for area, route in timed.items()} for limit, said in TIMES.items()},
        "limits": dict(zip(TIMES.values(), TIMES, strict=True)),
        "most": MOST,
        "roots": [name for name in lessons if not lessons[name].needs],
        "below": _below(lessons),
        **_drawn(lessons),
    }
    yield Page(
        "map.html", "Map of the lessons", "What to read before what, and what fits your time.", "map.html", values
    )
    table = {
        area: [[limit, route.lessons, route.minutes, route.known] for limit, route in routes.steps(lessons, area, MOST)]
        for area in AREAS
    }
    yield File("routes.js", script("ROUTES", table))


def _below(lessons: routes.Lessons) -> dict[str, list[str]]:
    """The map as a tree: each lesson below the last of those that it needs."""
    depth = routes.depths(lessons)
    found: dict[str, list[str]] = {name: [] for name in lessons}
    for name, lesson in lessons.items():
        if lesson.needs:
            found[max(lesson.needs, key=lambda need: (depth[need], need))].append(name)
    return found


def _drawn(lessons: routes.Lessons) -> dict[str, Any]:
    """Where everything stands on the map: a column for each depth, in it the areas, one below the other."""
    depth, direct = routes.depths(lessons), routes.direct(lessons)
    columns: dict[int, dict[str, list[str]]] = {at: {} for at in range(max(depth.values()) + 1)}
    for area, parts in AREAS.items():
        for name in lessons:
            if name[:2] in parts:
                columns[depth[name]].setdefault(area, []).append(name)
    high = {at: sum(NAME + len(names) * (TALL + DOWN) for names in inside.values()) for at, inside in columns.items()}
    boxes: dict[str, tuple[int, int]] = {}
    labels = []
    for at, inside in columns.items():
        left, top = at * (BOX + ACROSS) + 4, 0
        for area, names in inside.items():
            labels.append((left, top + NAME - 12, area))
            top += NAME
            # Beside what they need, as far as that stands to the left already: fewer lines cross.
            names.sort(key=lambda name: (sum(boxes[one][1] for one in direct[name]) / (len(direct[name]) or 1), name))
            for name in names:
                boxes[name] = (left, top)
                top += TALL + DOWN
    lines = [
        (need, name, left + BOX, top + TALL // 2, *_to(boxes[name]))
        for name, needs in direct.items()
        for need in needs
        for left, top in [boxes[need]]
    ]
    return {
        "boxes": boxes,
        "labels": labels,
        "lines": lines,
        "before": {name: routes.closure(lessons, name)[:-1] for name in lessons},
        "titles": {name: textwrap.wrap(lesson.title, LETTERS)[:4] for name, lesson in lessons.items()},
        "size": (len(columns) * (BOX + ACROSS) - ACROSS + 8, max(high.values()) + 4),
        "box": (BOX, TALL),
    }


def _to(place: tuple[int, int]) -> tuple[int, int]:
    return place[0], place[1] + TALL // 2
